//! What a batch says of one session, put together, and what of it is news.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use syncline_model::session::{
    Batch, Change, Part, Piece, Precedence, SessionId, SessionPatch, TEXT_CHARS_MAX, pieces_of_text,
};
use syncline_model::{ResourceId, Scope, Timestamp};
use syncline_replica::{NewOp, Replica};

use super::ImportError;
use crate::facts::{Fact, headline, set_some};
use crate::machine;

/// The longest text of a field that is no part, in characters: what is longer is a part too.
const FIELD_CHARS_MAX: usize = 4_000;

/// What is known of a session.
#[derive(Clone, Copy)]
pub(super) enum Known<'r> {
    Nothing,
    /// Where it is looked up.
    In(&'r Replica),
    /// Something, and not what: the view that would tell has lost its place to another one meanwhile. All
    /// is said again.
    Something,
}

impl<'r> Known<'r> {
    pub(super) fn by(replica: &'r Replica) -> Result<Self, ImportError> {
        let is_current = replica.is_view_current();
        Ok(match is_current.map_err(ImportError::Replica)? {
            true => Self::In(replica),
            false => Self::Something,
        })
    }
}

/// What tells a thing of a session from all others: its kind, its id or its owner's, and the part's.
type Name = (&'static str, String, String);

/// What a batch says of one session.
pub(super) struct Gathered<'r> {
    pub(super) session: SessionId,
    known: Known<'r>,
    /// What it says of the session itself, put together.
    about: SessionPatch<'static>,
    /// The latest time that is named.
    last: Option<Timestamp>,
    /// How far the transcripts had come that tell it.
    up_to: Option<i64>,
    /// What weighs something by itself.
    apart: Vec<(Precedence, Piece<'static>)>,
    /// All else, in the order in which it was said first.
    pieces: Vec<Piece<'static>>,
    /// Where messages, calls and parts stand among them.
    places: HashMap<Name, usize>,
    /// What the batch weighs.
    precedence: Precedence,
    batch: Batch,
    news: News,
}

/// Whether anything was said of a session that the replica did not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    None,
    Some,
}

impl<'r> Gathered<'r> {
    pub(super) fn new(session: SessionId, known: Known<'r>) -> Self {
        Self {
            session,
            known,
            about: SessionPatch::default(),
            last: None,
            up_to: None,
            apart: Vec::new(),
            pieces: Vec::new(),
            places: HashMap::new(),
            precedence: Precedence::Unknown,
            batch: Batch::default(),
            news: News::None,
        }
    }

    /// What is said of one message, call or part in several lines is put together: what it comes to counts.
    pub(super) fn add(&mut self, fact: Fact) {
        if let Some(precedence) = fact.apart {
            return self.add_apart(precedence, fact.piece);
        }
        self.up_to = self.up_to.max(fact.up_to);
        match fact.piece {
            Piece::Session(patch) => self.about.then(*patch),
            Piece::Part(part) => pieces_of(part).for_each(|part| self.add_part(part)),
            Piece::Message(patch) => {
                self.saw(&patch.at);
                self.saw(&patch.completed_at);
                match self.place_of("message", &patch.id, "") {
                    Some(Piece::Message(before)) => before.then(patch),
                    _ => self.pieces.push(Piece::Message(patch)),
                }
            }
            Piece::Tool(mut patch) => {
                self.saw(&patch.at);
                self.saw(&patch.completed_at);
                shorten(&mut patch.error);
                match self.place_of("tool", &patch.id, "") {
                    Some(Piece::Tool(before)) => before.then(*patch),
                    _ => self.pieces.push(Piece::Tool(patch)),
                }
            }
            Piece::Error(mut patch) => {
                self.saw(&patch.at);
                shorten(&mut patch.message);
                self.pieces.push(Piece::Error(patch));
            }
            Piece::Compaction(mut patch) => {
                self.saw(&patch.at);
                shorten(&mut patch.summary);
                self.pieces.push(Piece::Compaction(patch));
            }
            piece @ (Piece::Usage(_) | Piece::Link(_)) => self.pieces.push(piece),
        }
    }

    /// Of a part that is told and taken back the last counts: told apart, its text would be news beside a row
    /// that knows it as taken back, and that it was would be none.
    fn add_part(&mut self, part: Part<'static>) {
        let (kind, owner) = match &*part.tool_id {
            "" => ("part of message", &*part.message_id),
            tool => ("part of tool", tool),
        };
        match self.place_of(kind, owner, &part.id) {
            Some(before) => *before = Piece::Part(part),
            None => self.pieces.push(Piece::Part(part)),
        }
    }

    /// Of several titles the one that weighs most is all that is to be told.
    fn add_apart(&mut self, precedence: Precedence, piece: Piece<'static>) {
        let is_title =
            |piece: &Piece<'_>| matches!(piece, Piece::Session(patch) if !patch.title.is_keep());
        let mut told = self.apart.iter_mut();
        match told.find(|(_, told)| is_title(&piece) && is_title(told)) {
            Some((weight, _)) if *weight > precedence => {}
            Some(told) => *told = (precedence, piece),
            None => self.apart.push((precedence, piece)),
        }
    }

    /// What was said before of the thing with this id; where nothing was, it is said next.
    fn place_of(
        &mut self,
        kind: &'static str,
        id: &str,
        part: &str,
    ) -> Option<&mut Piece<'static>> {
        match self.places.entry((kind, id.to_owned(), part.to_owned())) {
            Entry::Occupied(place) => self.pieces.get_mut(*place.get()),
            Entry::Vacant(free) => {
                free.insert(self.pieces.len());
                None
            }
        }
    }

    fn saw(&mut self, at: &Change<Timestamp>) {
        if let Change::Set(at) = at {
            self.last = self.last.max(Some(*at));
        }
    }

    /// Ends the batch that is under way, and begins one that weighs so much.
    fn end_batch(&mut self, next: Precedence, ops: &mut Vec<NewOp>) -> Result<(), ImportError> {
        self.precedence = next;
        let batch = std::mem::replace(&mut self.batch, Batch::of(next));
        let last = batch.finish().map_err(ImportError::Payload)?;
        ops.extend(last.map(|payload| new_op(self.session, payload)));
        Ok(())
    }

    fn push(&mut self, mut piece: Piece<'static>, ops: &mut Vec<NewOp>) -> Result<(), ImportError> {
        if let Piece::Session(patch) = &mut piece
            && let Change::Set(title) = &mut patch.title
        {
            *title = headline(title).into();
        }
        let news = match self.known {
            Known::In(replica) => replica
                .session_news(self.session, piece, self.precedence)
                .map_err(ImportError::Replica)?,
            Known::Nothing | Known::Something => Some(piece),
        };
        let Some(piece) = news else { return Ok(()) };
        self.news = News::Some;
        let full = self.batch.push(&piece).map_err(ImportError::Payload)?;
        ops.extend(full.map(|payload| new_op(self.session, payload)));
        Ok(())
    }

    pub(super) fn finish(mut self, ops: &mut Vec<NewOp>) -> Result<News, ImportError> {
        let told = self.up_to.map_or(Precedence::Unknown, Precedence::UpTo);
        self.end_batch(told, ops)?;
        for piece in std::mem::take(&mut self.pieces) {
            self.push(piece, ops)?;
        }
        if self.about.updated_at.is_keep() {
            self.about.updated_at = self.last.into();
        }
        if !self.about.is_empty() {
            let mut about = std::mem::take(&mut self.about);
            // Where a session is first told of is where it ran.
            let is_new = matches!(self.known, Known::Nothing) && !about.agent.is_keep();
            if is_new && about.machine.is_keep() {
                about.machine = machine::name().map(Cow::Owned).into();
            }
            self.push(Piece::Session(Box::new(about)), ops)?;
        }
        for (precedence, piece) in std::mem::take(&mut self.apart) {
            self.end_batch(precedence, ops)?;
            self.push(piece, ops)?;
        }
        self.end_batch(Precedence::Unknown, ops)?;
        Ok(self.news)
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
fn pieces_of(part: Part<'static>) -> impl Iterator<Item = Part<'static>> {
    // No character has less than a byte: most texts are short enough at a glance.
    let (whole, long) = match part.text.len() <= TEXT_CHARS_MAX {
        true => (Some(part), None),
        false => (None, Some(part)),
    };
    whole.into_iter().chain(long.into_iter().flat_map(cut))
}

fn cut(part: Part<'static>) -> Vec<Part<'static>> {
    let pieces = pieces_of_text(&part.text).enumerate();
    let pieces = pieces.map(|(number, text)| Part {
        id: match number {
            0 => part.id.clone(),
            _ => format!("{}+{number}", part.id).into(),
        },
        order: part.order.saturating_add(number as i64),
        text: Cow::Owned(text.to_owned()),
        continues: part.continues || number > 0,
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
