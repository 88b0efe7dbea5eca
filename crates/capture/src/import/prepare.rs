//! From what a transcript says to what an op may hold: secrets out, long texts in pieces.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::RawValue;
use syncline_model::session::{
    Batch, Change, Part, Piece, SessionId, SessionPatch, TEXT_CHARS_MAX, pieces_of_text, words,
};
use syncline_model::{PayloadError, ResourceId, Scope, Timestamp};
use syncline_replica::NewOp;

use crate::facts::{Fact, Facts, set_some};
use crate::redact::Redactor;

/// The longest text of a field that is no part, in characters: what is longer is a part too.
const FIELD_CHARS_MAX: usize = 4_000;

/// Makes ops of facts, session by session, each in the order in which its facts were found.
pub(super) fn ops_of(
    facts: Facts,
    redactor: &Redactor,
    redacted: &mut u64,
) -> Result<Vec<NewOp>, PayloadError> {
    let mut sessions: Vec<Gathered> = Vec::new();
    let mut places: HashMap<SessionId, usize> = HashMap::new();
    let mut ops = Vec::new();
    for Fact { session, mut piece } in facts.0 {
        *redacted += redact(&mut piece, redactor);
        let place = *places.entry(session).or_insert_with(|| {
            sessions.push(Gathered::new(session));
            sessions.len() - 1
        });
        sessions[place].add(piece, &mut ops)?;
    }
    for session in sessions {
        session.finish(&mut ops)?;
    }
    Ok(ops)
}

/// Takes the secrets out of all texts of a piece; gives how many there were.
fn redact(piece: &mut Piece<'static>, redactor: &Redactor) -> u64 {
    match piece {
        Piece::Session(patch) => {
            redact_field(&mut patch.title, redactor) + redact_field(&mut patch.git_remote, redactor)
        }
        Piece::Part(part) => redact_part(part, redactor),
        Piece::Tool(patch) => redact_field(&mut patch.error, redactor),
        Piece::Error(patch) => redact_field(&mut patch.message, redactor),
        Piece::Compaction(patch) => redact_field(&mut patch.summary, redactor),
        Piece::Link(patch) => redact_field(&mut patch.note, redactor),
        Piece::Message(_) | Piece::Usage(_) => 0,
    }
}

fn redact_field(field: &mut Change<Cow<'static, str>>, redactor: &Redactor) -> u64 {
    match field {
        Change::Set(text) => redact_text(text, redactor),
        Change::Keep | Change::Clear => 0,
    }
}

fn redact_text(text: &mut Cow<'static, str>, redactor: &Redactor) -> u64 {
    let clean = redactor.redact_text(text);
    let found = clean.findings.len() as u64;
    if found > 0 {
        *text = Cow::Owned(clean.text.into_owned());
    }
    found
}

/// JSON is looked at string by string, as its keys tell what their values are.
fn redact_part(part: &mut Part<'static>, redactor: &Redactor) -> u64 {
    let mut found = part
        .reference
        .as_mut()
        .map_or(0, |reference| redact_text(reference, redactor));
    let may_be_json = *part.kind == *words::TOOL_INPUT || *part.kind == *words::RAW;
    let raw = may_be_json.then(|| serde_json::from_str::<&RawValue>(&part.text).ok());
    let clean = raw.flatten().map(|raw| {
        let clean = redactor.redact_raw(raw);
        let found = clean.findings.len() as u64;
        (found, (found > 0).then(|| clean.raw.get().to_owned()))
    });
    match clean {
        Some((count, text)) => {
            found += count;
            if let Some(text) = text {
                part.text = text.into();
            }
        }
        None => found += redact_text(&mut part.text, redactor),
    }
    found
}

/// What a batch says of one session.
struct Gathered {
    session: SessionId,
    /// What it says of the session itself, put together.
    about: SessionPatch<'static>,
    /// The latest time that is named.
    last: Option<Timestamp>,
    batch: Batch,
}

impl Gathered {
    fn new(session: SessionId) -> Self {
        Self {
            session,
            about: SessionPatch::default(),
            last: None,
            batch: Batch::default(),
        }
    }

    fn add(&mut self, piece: Piece<'static>, ops: &mut Vec<NewOp>) -> Result<(), PayloadError> {
        match piece {
            Piece::Session(patch) => {
                self.about.then(*patch);
                Ok(())
            }
            Piece::Part(part) => {
                for part in pieces_of(part) {
                    self.push(&Piece::Part(part), ops)?;
                }
                Ok(())
            }
            Piece::Message(patch) => {
                self.saw(&patch.at);
                self.saw(&patch.completed_at);
                self.push(&Piece::Message(patch), ops)
            }
            Piece::Tool(mut patch) => {
                self.saw(&patch.at);
                self.saw(&patch.completed_at);
                shorten(&mut patch.error);
                self.push(&Piece::Tool(patch), ops)
            }
            Piece::Error(mut patch) => {
                self.saw(&patch.at);
                shorten(&mut patch.message);
                self.push(&Piece::Error(patch), ops)
            }
            Piece::Compaction(mut patch) => {
                self.saw(&patch.at);
                shorten(&mut patch.summary);
                self.push(&Piece::Compaction(patch), ops)
            }
            piece @ (Piece::Usage(_) | Piece::Link(_)) => self.push(&piece, ops),
        }
    }

    fn saw(&mut self, at: &Change<Timestamp>) {
        if let Change::Set(at) = at {
            self.last = self.last.max(Some(*at));
        }
    }

    fn push(&mut self, piece: &Piece<'_>, ops: &mut Vec<NewOp>) -> Result<(), PayloadError> {
        let full = self.batch.push(piece)?;
        ops.extend(full.map(|payload| new_op(self.session, payload)));
        Ok(())
    }

    fn finish(mut self, ops: &mut Vec<NewOp>) -> Result<(), PayloadError> {
        if self.about.updated_at.is_keep() {
            self.about.updated_at = self.last.into();
        }
        if !self.about.is_empty() {
            let mut about = std::mem::take(&mut self.about);
            shorten(&mut about.title);
            self.push(&Piece::Session(Box::new(about)), ops)?;
        }
        let session = self.session;
        let last = self.batch.finish()?;
        ops.extend(last.map(|payload| new_op(session, payload)));
        Ok(())
    }
}

fn new_op(session: SessionId, payload: syncline_model::Payload) -> NewOp {
    NewOp {
        scope: Scope::session(),
        resource: ResourceId::from(session),
        payload,
    }
}

/// A part in pieces, none of them longer than a part may be.
fn pieces_of(part: Part<'static>) -> Vec<Part<'static>> {
    // No character has less than a byte: most texts are short enough at a glance.
    if part.text.len() <= TEXT_CHARS_MAX {
        return vec![part];
    }
    let pieces = pieces_of_text(&part.text).enumerate();
    let pieces = pieces.map(|(number, text)| Part {
        id: match number {
            0 => part.id.clone(),
            _ => format!("{}+{number}", part.id).into(),
        },
        order: part.order.saturating_add(number as i64),
        text: Cow::Owned(text.to_owned()),
        continues: number > 0,
        media_type: part.media_type.clone(),
        reference: part.reference.clone(),
        message_id: part.message_id.clone(),
        tool_id: part.tool_id.clone(),
        kind: part.kind.clone(),
        removed: part.removed,
    });
    pieces.collect()
}

fn shorten(field: &mut Change<Cow<'static, str>>) {
    if let Change::Set(text) = field
        && let Some((end, _)) = text.char_indices().nth(FIELD_CHARS_MAX)
    {
        *field = set_some(Some(&text[..end]));
    }
}
