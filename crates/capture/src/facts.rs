//! What readers of transcripts share: how they say what they found, and what was found before.

mod damaged;
mod title;

use std::borrow::Cow;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use syncline_model::Timestamp;
use syncline_model::session::{
    Change, MessagePatch, Part, Piece, Precedence, SessionId, SessionPatch, ToolPatch, session_id,
    words,
};

use crate::agent::Agent;
use crate::privacy::is_marked_within;
pub(crate) use damaged::{Kept, keep_damaged, keep_damaged_line};
pub use title::TitleRank;
pub(crate) use title::headline;

/// The kind of a message that a person has queued, and that nobody has heard yet.
pub(crate) const QUEUED: &str = "queued";

/// A thing that a transcript says of a session. Its texts are as they stood there: of any length, and
/// with whatever secrets are in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    pub session: SessionId,
    pub piece: Piece<'static>,
    /// The place in the order of its transcript up to which that had come. None: it has none, and any
    /// transcript weighs more.
    pub up_to: Option<i64>,
    /// What it weighs by itself, however far its transcript has come.
    pub apart: Option<Precedence>,
}

/// Where readers put what they found.
#[derive(Debug, Default)]
pub struct Facts(pub Vec<Fact>);

/// Which session, as its agent names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SessionKey {
    /// The agent's own id.
    pub native: String,
    /// What tells it from others of this id; empty where it needs nothing.
    #[serde(default)]
    pub apart: String,
}

impl SessionKey {
    /// A session whose agent's id is its own alone.
    pub fn plain(native: &str) -> Self {
        Self {
            native: native.to_owned(),
            apart: String::new(),
        }
    }

    pub fn id(&self, agent: Agent) -> SessionId {
        session_id(agent.as_str(), &self.native, &self.apart)
    }
}

/// The key of a unit of a transcript: what its agent writes once, or rewrites as a whole. A line, or a
/// message with its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnitKey(pub [u8; 16]);

impl UnitKey {
    /// The key that follows from what names the unit.
    pub fn of(parts: &[&str]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let digest = hasher.finalize();
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        Self(key)
    }

    /// As text of 32 digits, for an id that follows from content.
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What is remembered of units that were taken before.
pub trait Known {
    /// What was noted of the unit; none: it is new.
    fn noted(&mut self, key: UnitKey) -> Option<Vec<u8>>;
    /// Notes that the unit is taken, with the facts that are given now.
    fn note(&mut self, key: UnitKey, note: &[u8]);
    /// What is known, also from other machines, of a message of a session: the session that it was
    /// copied from, if it was. None: nothing is known of it.
    fn origin(&mut self, session: SessionId, message: &str) -> Option<Option<SessionId>>;
    /// The session of an agent that is known to have said a message, and to have copied it from none.
    fn said_first(&mut self, agent: Agent, message: &str) -> Option<SessionId>;
    /// Whether a session is known to have been forked from another, or from a fork of it.
    fn is_fork_of(&mut self, fork: SessionId, origin: SessionId) -> bool;
    /// The ids of the session's own parts that are kept as they stood in a transcript, also from other machines.
    fn kept_raw(&mut self, session: SessionId) -> Vec<String>;
    /// Whether a person has deleted a session, here or elsewhere.
    fn is_deleted(&mut self, session: SessionId) -> bool;
    /// Says that the file is damaged as a whole, as is one that is being written anew: what is read of it now is kept
    /// once nobody has written to it for a while.
    fn found_torn(&mut self);
    /// Whether a damaged file that belongs to the one that is read was written to a moment ago, and may be whole soon:
    /// then it is not kept as it stands, and all is read again.
    fn is_settling(&mut self, path: &Path) -> bool;
    /// The time.
    fn now(&self) -> Timestamp;
    /// How the file is read that is read now.
    fn reading(&self) -> Reading;
    /// The directory whose path has this SHA-256, of those that sessions are known to have worked in and
    /// those that the user's rules name.
    fn directory_of(&mut self, digest: &str) -> Option<String>;
}

/// How a file is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reading {
    /// For what it says that was not taken before.
    #[default]
    On,
    /// From its start, also for what an older reader has left unsaid of what it took. What is told twice
    /// changes nothing: things go by their agents' ids.
    Again,
}

/// Compares a unit that may be rewritten with what is known of it, and notes it as it is now. Whether
/// it has anything to say that may be new.
pub(crate) fn take_unit(known: &mut dyn Known, key: UnitKey, content: &[&str]) -> bool {
    take_about(known, key, content) || known.reading() == Reading::Again
}

/// The same of a unit that tells of a session itself: what was taken of it is never told again, as a person
/// may have changed it since.
pub(crate) fn take_about(known: &mut dyn Known, key: UnitKey, content: &[&str]) -> bool {
    let digest = UnitKey::of(content).0;
    if known.noted(key).is_some_and(|note| note == digest) {
        return false;
    }
    known.note(key, &digest);
    true
}

/// What became of a line, or of another unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It said something new.
    New,
    /// It was taken before, from here or from a copy.
    Known,
    /// Another session has said it first: that this one repeats it is all that is new.
    Copied,
    /// It is understood, and says nothing that is kept.
    Idle,
    /// It is of a kind, or has fields, that this version does not know. It is kept as it is.
    NotUnderstood,
    /// It is left out by a rule of the user or by a mark.
    Excluded,
    /// It is not what its file promises; why. It is kept as it is where it is known whose it is.
    Damaged(String),
}

impl Facts {
    pub(crate) fn session(&mut self, session: SessionId, patch: SessionPatch<'static>) {
        if !patch.is_empty() {
            self.say(session, Piece::Session(Box::new(patch)));
        }
    }

    pub(crate) fn message(&mut self, session: SessionId, patch: MessagePatch<'static>) {
        self.say(session, Piece::Message(patch));
    }

    pub(crate) fn tool(&mut self, session: SessionId, patch: ToolPatch<'static>) {
        self.say(session, Piece::Tool(Box::new(patch)));
    }

    pub(crate) fn part(&mut self, session: SessionId, part: Part<'static>) {
        self.say(session, Piece::Part(part));
    }

    /// What a tool was given, or gave.
    pub(crate) fn tool_text(
        &mut self,
        session: SessionId,
        tool: &str,
        kind: &'static str,
        text: String,
        order: i64,
    ) {
        self.part(
            session,
            Part {
                tool_id: owned(tool),
                id: kind.into(),
                kind: kind.into(),
                order,
                text: text.into(),
                ..Part::default()
            },
        );
    }

    /// A piece of a transcript that can't be named, as it stands there. One with the mark in it may be a prompt that is
    /// not to be recorded.
    pub(crate) fn raw(&mut self, session: SessionId, id: &str, text: &str, order: i64) {
        if is_marked_within(text) {
            return;
        }
        self.part(
            session,
            Part {
                id: owned(id),
                kind: words::RAW.into(),
                order,
                text: owned(text),
                ..Part::default()
            },
        );
    }

    /// Takes back what was kept so.
    pub(crate) fn take_back_raw(&mut self, session: SessionId, id: &str) {
        self.part(
            session,
            Part {
                id: owned(id),
                kind: words::RAW.into(),
                removed: true,
                ..Part::default()
            },
        );
    }

    /// Takes out what a unit has said that was taken before, from the fact at `from` on: it was read for
    /// what it leaves in the memory, by which later units go. One that is read again says all but what it
    /// tells of the session itself, which a person may have changed since.
    pub(crate) fn said_before(&mut self, from: usize, reading: Reading) {
        match reading {
            Reading::On => self.0.truncate(from),
            Reading::Again => {
                let said = self.0.split_off(from);
                let is_of_session = |fact: &Fact| matches!(fact.piece, Piece::Session(_));
                self.0
                    .extend(said.into_iter().filter(|fact| !is_of_session(fact)));
            }
        }
    }

    /// About how many bytes the facts take from the one at `from` on: their texts, and a little for each.
    pub(crate) fn weight_since(&self, from: usize) -> u64 {
        const EACH: usize = 128;
        let facts = self.0[from..].iter();
        let weight = facts.map(|fact| match &fact.piece {
            Piece::Part(part) => part.text.len() + EACH,
            _ => EACH,
        });
        weight.sum::<usize>() as u64
    }

    /// Notes of the facts from the one at `from` on that their transcript had come up to this place.
    pub(crate) fn come_up_to(&mut self, from: usize, order: Option<i64>) {
        for fact in &mut self.0[from..] {
            fact.up_to = fact.up_to.max(order);
        }
    }

    pub(crate) fn say(&mut self, session: SessionId, piece: Piece<'static>) {
        self.0.push(Fact {
            session,
            piece,
            up_to: None,
            apart: None,
        });
    }

    /// Says what follows from what several sessions tell, whatever each tells alone.
    pub(crate) fn decide(&mut self, session: SessionId, patch: SessionPatch<'static>) {
        let from = self.0.len();
        self.session(session, patch);
        self.stand_apart(from, Precedence::Decided);
    }

    /// Has the facts from the one at `from` on weigh so much by themselves.
    pub(crate) fn stand_apart(&mut self, from: usize, precedence: Precedence) {
        for fact in &mut self.0[from..] {
            fact.apart = Some(precedence);
        }
    }
}

/// What was told last of something. No more than a digest of it is written down: a session that is deleted
/// leaves nothing of itself in the notes of an importer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Last {
    digest: String,
    #[serde(skip)]
    text: String,
}

impl Last {
    /// The text, where it is not empty and other than what was told last.
    pub(crate) fn news<'t>(&mut self, text: Option<&'t str>) -> Option<&'t str> {
        let text = text.filter(|text| !text.is_empty() && *text != self.text)?;
        text.clone_into(&mut self.text);
        let digest = UnitKey::of(&["told last", text]).hex();
        let told = std::mem::replace(&mut self.digest, digest);
        (told != self.digest).then_some(text)
    }
}

/// That a session took place in a directory.
pub(crate) fn placed(directory: &str) -> SessionPatch<'static> {
    SessionPatch {
        project_path: set(directory),
        project_name: set_some(name_of_path(directory)),
        cwd: set(directory),
        ..SessionPatch::default()
    }
}

/// Sets a field to a text.
pub(crate) fn set(text: &str) -> Change<Cow<'static, str>> {
    Change::Set(owned(text))
}

/// Sets a field to a text that is there and not empty; else leaves it as it is.
pub(crate) fn set_some(text: Option<&str>) -> Change<Cow<'static, str>> {
    text.filter(|text| !text.is_empty()).map(owned).into()
}

pub(crate) fn owned(text: &str) -> Cow<'static, str> {
    Cow::Owned(text.to_owned())
}

/// The time of an RFC 3339 text.
pub(crate) fn time_of(text: Option<&str>) -> Option<Timestamp> {
    text?.parse().ok()
}

/// The time of a count of milliseconds since 1970.
pub(crate) fn time_of_millis(millis: Option<i64>) -> Option<Timestamp> {
    Timestamp::from_millis(millis?).ok()
}

/// The last part of a path, whatever system it is of.
pub(crate) fn name_of_path(path: &str) -> Option<&str> {
    path.trim_end_matches(['/', '\\'])
        .rsplit(['/', '\\'])
        .next()
        .filter(|name| !name.is_empty())
}

/// Billionths of a dollar.
pub(crate) fn nanos_of_dollars(dollars: f64) -> Option<u64> {
    const NANOS: f64 = 1e9;
    (dollars.is_finite() && dollars >= 0.0).then(|| (dollars * NANOS).round() as u64)
}

/// What was done to a file by a tool of this name, as far as the name tells; none: it is not known to
/// touch files.
pub(crate) fn action_of_tool(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if is(&["delete", "remove_file"]) {
        Some(words::DELETE)
    } else if is(&["edit", "replace", "patch", "update_file"]) {
        Some(words::EDIT)
    } else if is(&["write", "create_file"]) {
        Some(words::WRITE)
    } else if is(&["read", "view", "open_file"]) {
        Some(words::READ)
    } else {
        None
    }
}
