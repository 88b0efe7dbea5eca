//! From what a transcript says to what an op may hold: secrets out, long texts in pieces.

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use serde_json::value::RawValue;
use syncline_model::session::{
    Batch, Change, Part, Piece, SessionId, SessionPatch, TEXT_CHARS_MAX, pieces_of_text, words,
};
use syncline_model::{ResourceId, Scope, Timestamp};
use syncline_replica::{NewOp, Replica};

use super::batch::Standing;
use super::desk::Remembered;
use super::{ImportBatch, ImportError};
use crate::facts::{Fact, Facts, headline, set_some};
use crate::machine;
use crate::redact::{Finding, Redactor};

/// The longest text of a field that is no part, in characters: what is longer is a part too.
const FIELD_CHARS_MAX: usize = 4_000;
/// How many threads take secrets out at most.
const WORKERS_MAX: usize = 8;
/// How many facts a thread takes at a time: it is not worth a thread for fewer.
const WORKER_FACTS: usize = 128;

/// Makes ops of facts for a batch, session by session, each in the order in which its facts were found.
/// What the replica knows already is in none.
pub(super) fn ops_of(
    facts: Facts,
    redactor: &Redactor,
    replica: &Replica,
    remembered: &mut Remembered,
    batch: &mut ImportBatch,
) -> Result<(), ImportError> {
    let mut facts = facts.0;
    batch.findings = redact_all(&mut facts, redactor);
    batch.counts.redacted = batch.findings.values().sum();
    let mut sessions: Vec<Gathered<'_>> = Vec::new();
    let mut places: HashMap<SessionId, usize> = HashMap::new();
    for Fact { session, piece } in facts {
        let place = match places.entry(session) {
            Entry::Occupied(place) => *place.get(),
            Entry::Vacant(free) => {
                let is_begun = remembered.is_begun(replica, session);
                let is_begun = is_begun.map_err(ImportError::Replica)?;
                if !is_begun {
                    remembered.behind.wait_for(&session);
                }
                let known = match is_begun {
                    true => Known::Nothing,
                    // Asked now: what the batches before say is in the view that is current.
                    false => Known::by(replica)?,
                };
                sessions.push(Gathered::new(session, known));
                *free.insert(sessions.len() - 1)
            }
        };
        sessions[place].add(piece);
    }
    for gathered in sessions {
        let session = gathered.session;
        if gathered.finish(&mut batch.ops)? == News::None {
            let is_deleted = replica.is_session_deleted(session);
            let standing = match is_deleted.map_err(ImportError::Replica)? {
                true => Standing::LeftOut,
                false => Standing::Known,
            };
            batch.nothing_new(session, standing);
        }
    }
    if batch.ops.is_empty() {
        batch.all_known();
    }
    Ok(())
}

/// Takes the secrets out of all facts, on all cores; gives how many each rule has found.
fn redact_all(facts: &mut [Fact], redactor: &Redactor) -> Found {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = workers
        .min(WORKERS_MAX)
        .min(facts.len().div_ceil(WORKER_FACTS));
    let rest = Mutex::new(facts.chunks_mut(WORKER_FACTS));
    let work = || {
        let mut found = BTreeMap::new();
        loop {
            let next = rest.lock().expect("nothing panics under this lock").next();
            let Some(facts) = next else {
                return found;
            };
            for fact in facts {
                redact(&mut fact.piece, redactor, &mut found);
            }
        }
    };
    if workers <= 1 {
        return work();
    }
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..workers).map(|_| scope.spawn(work)).collect();
        let mut all = work();
        for other in others {
            let found = other.join().expect("redaction does not panic");
            for (rule, count) in found {
                *all.entry(rule).or_default() += count;
            }
        }
        all
    })
}

/// Counts of secrets, by the names of the rules that found them.
type Found = BTreeMap<String, u64>;

/// Takes the secrets out of all texts of a piece: a token stands in a path, the name of a branch, or
/// that of a model as well as in what was said.
fn redact(piece: &mut Piece<'static>, redactor: &Redactor, found: &mut Found) {
    let visit = &mut |text: &mut Cow<'static, str>| redact_text(text, redactor, found);
    match piece {
        Piece::Session(patch) => patch.each_text(visit),
        Piece::Message(patch) => patch.each_text(visit),
        Piece::Tool(patch) => patch.each_text(visit),
        Piece::Error(patch) => patch.each_text(visit),
        Piece::Compaction(patch) => patch.each_text(visit),
        Piece::Link(patch) => patch.each_text(visit),
        Piece::Part(part) => redact_part(part, redactor, found),
        Piece::Usage(usage) => {
            usage.model.iter_mut().for_each(&mut *visit);
            usage.provider.iter_mut().for_each(visit);
        }
    }
}

fn redact_text(text: &mut Cow<'static, str>, redactor: &Redactor, found: &mut Found) {
    let clean = redactor.redact_text(text);
    if !clean.findings.is_empty() {
        count(&clean.findings, found);
        *text = Cow::Owned(clean.text.into_owned());
    }
}

/// JSON is looked at string by string, as its keys tell what their values are.
fn redact_part(part: &mut Part<'static>, redactor: &Redactor, found: &mut Found) {
    for text in part.reference.iter_mut().chain(&mut part.media_type) {
        redact_text(text, redactor, found);
    }
    let may_be_json = *part.kind == *words::TOOL_INPUT || *part.kind == *words::RAW;
    let raw = may_be_json.then(|| serde_json::from_str::<&RawValue>(&part.text).ok());
    let Some(raw) = raw.flatten() else {
        redact_text(&mut part.text, redactor, found);
        return;
    };
    let clean = redactor.redact_raw(raw);
    if !clean.findings.is_empty() {
        count(&clean.findings, found);
        part.text = clean.raw.get().to_owned().into();
    }
}

fn count(findings: &[Finding], found: &mut Found) {
    for finding in findings {
        *found.entry(finding.rule.to_string()).or_default() += 1;
    }
}

/// What is known of a session.
#[derive(Clone, Copy)]
enum Known<'r> {
    Nothing,
    /// Where it is looked up.
    In(&'r Replica),
    /// Something, and not what: the view that would tell has lost its place to another one meanwhile. All
    /// is said again.
    Something,
}

impl<'r> Known<'r> {
    fn by(replica: &'r Replica) -> Result<Self, ImportError> {
        let is_current = replica.is_view_current();
        Ok(match is_current.map_err(ImportError::Replica)? {
            true => Self::In(replica),
            false => Self::Something,
        })
    }
}

/// What a batch says of one session.
struct Gathered<'r> {
    session: SessionId,
    known: Known<'r>,
    /// What it says of the session itself, put together.
    about: SessionPatch<'static>,
    /// The latest time that is named.
    last: Option<Timestamp>,
    /// All else, in the order in which it was said first.
    pieces: Vec<Piece<'static>>,
    /// Where messages and calls stand among them.
    places: HashMap<(&'static str, String), usize>,
    batch: Batch,
    news: News,
}

/// Whether anything was said of a session that the replica did not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    None,
    Some,
}

impl<'r> Gathered<'r> {
    fn new(session: SessionId, known: Known<'r>) -> Self {
        Self {
            session,
            known,
            about: SessionPatch::default(),
            last: None,
            pieces: Vec::new(),
            places: HashMap::new(),
            batch: Batch::default(),
            news: News::None,
        }
    }

    /// What is said of one message or call in several lines is put together: what it comes to counts.
    fn add(&mut self, piece: Piece<'static>) {
        match piece {
            Piece::Session(patch) => self.about.then(*patch),
            Piece::Part(part) => self.pieces.extend(pieces_of(part).map(Piece::Part)),
            Piece::Message(patch) => {
                self.saw(&patch.at);
                self.saw(&patch.completed_at);
                match self.place_of("message", &patch.id) {
                    Some(Piece::Message(before)) => before.then(patch),
                    _ => self.pieces.push(Piece::Message(patch)),
                }
            }
            Piece::Tool(mut patch) => {
                self.saw(&patch.at);
                self.saw(&patch.completed_at);
                shorten(&mut patch.error);
                match self.place_of("tool", &patch.id) {
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

    /// What was said before of the thing with this id; where nothing was, it is said next.
    fn place_of(&mut self, kind: &'static str, id: &str) -> Option<&mut Piece<'static>> {
        match self.places.entry((kind, id.to_owned())) {
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

    fn push(&mut self, piece: Piece<'static>, ops: &mut Vec<NewOp>) -> Result<(), ImportError> {
        let news = match self.known {
            Known::In(replica) => replica
                .session_news(self.session, piece)
                .map_err(ImportError::Replica)?,
            Known::Nothing | Known::Something => Some(piece),
        };
        let Some(piece) = news else { return Ok(()) };
        self.news = News::Some;
        let full = self.batch.push(&piece).map_err(ImportError::Payload)?;
        ops.extend(full.map(|payload| new_op(self.session, payload)));
        Ok(())
    }

    fn finish(mut self, ops: &mut Vec<NewOp>) -> Result<News, ImportError> {
        for piece in std::mem::take(&mut self.pieces) {
            self.push(piece, ops)?;
        }
        if self.about.updated_at.is_keep() {
            self.about.updated_at = self.last.into();
        }
        if !self.about.is_empty() {
            let mut about = std::mem::take(&mut self.about);
            if let Change::Set(title) = &mut about.title {
                *title = headline(title).into();
            }
            // Where a session is first told of is where it ran.
            let is_new = matches!(self.known, Known::Nothing) && !about.agent.is_keep();
            if is_new && about.machine.is_keep() {
                about.machine = machine::name().map(Cow::Owned).into();
            }
            self.push(Piece::Session(Box::new(about)), ops)?;
        }
        let session = self.session;
        let last = self.batch.finish().map_err(ImportError::Payload)?;
        ops.extend(last.map(|payload| new_op(session, payload)));
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
