//! `agent-transcripts/<session>/<session>.jsonl`: a line per message, without ids and times of its own.
//!
//! What the editor says is in its database too, with both: there it counts.

mod call;

use std::collections::VecDeque;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use syncline_model::Timestamp;
use syncline_model::session::{
    MessagePatch, Part, Piece, SessionId, SessionPatch, TEXT_CHARS_MAX, ToolPatch, order_after,
    words,
};

use super::AGENT;
use super::branches::{self, Branches, Placed, line_key, told_by};
use super::place::{Workspaces, directories_of_transcript};
use crate::facts::{
    Fact, Facts, Known, SessionKey, TitleRank, UnitKey, Verdict, owned, placed, set, take_about,
};
use crate::import::Tally;
use crate::prompt::title_of;
use crate::value::{object_of, text};

/// What earlier lines of a file have left.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Memory {
    /// The session, which the file is named after.
    session: String,
    /// When the file was written last, in milliseconds: lines tell no time.
    written: Option<i64>,
    pub(crate) order: Option<i64>,
    /// The number of the latest line that could be read.
    lines: u64,
    /// The branch of the transcript that the latest line is in.
    branch: usize,
    title: TitleRank,
    /// The calls of the latest message with calls that no result has answered yet, in their order.
    #[serde(skip_serializing_if = "VecDeque::is_empty")]
    unanswered: VecDeque<String>,
    /// The directories that it may have taken place in.
    #[serde(skip)]
    directories: Vec<String>,
    /// The session that has called it, until that is told.
    parent: Option<String>,
    /// Of the database that all conversations are in: where each took place.
    #[serde(skip)]
    pub(super) workspaces: Workspaces,
}

/// What is known of a file before it is read.
pub(crate) fn memory_of(path: &Path) -> Memory {
    if path.file_name().is_some_and(|name| name == "state.vscdb") {
        return Memory {
            workspaces: Workspaces::beside(path),
            ..Memory::default()
        };
    }
    let session = path.file_stem().and_then(|name| name.to_str());
    let modified = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    let since = modified
        .ok()
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let directory = path.parent();
    let is_called = directory.is_some_and(|directory| directory.ends_with("subagents"));
    let parent = directory.and_then(Path::parent).and_then(Path::file_name);
    let parent = parent.filter(|_| is_called).and_then(|name| name.to_str());
    Memory {
        parent: parent.map(str::to_owned),
        session: session.unwrap_or_default().to_owned(),
        directories: directories_of_transcript(path),
        written: since.and_then(|since| i64::try_from(since.as_millis()).ok()),
        ..Memory::default()
    }
}

/// Reads the line of this number; `memory` is what earlier lines of the file have left.
pub(crate) fn read(
    number: u64,
    line: &str,
    memory: &mut Memory,
    known: &mut dyn Known,
    facts: &mut Facts,
) -> Verdict {
    let value = match object_of(line) {
        Ok(value) => value,
        Err(fault) => return Verdict::Damaged(fault),
    };
    // Between them are empty lines, and damaged ones.
    let numbers = (std::mem::replace(&mut memory.lines, number), number);
    if known.noted(in_database(&memory.session)).is_some() {
        return Verdict::Idle;
    }
    let key = SessionKey::plain(&memory.session);
    let session = key.id(AGENT);
    let native = memory.session.clone();
    let place = branches::place(&native, numbers, line, &mut memory.branch, known);
    let said_before = facts.0.len();
    let mut reader = Reader {
        session,
        memory,
        facts,
    };
    let order = reader.next_order("");
    let verdict = reader.read(&value, line, order, &place.id);
    if place.known {
        facts.said_before(said_before, known.reading());
        return match rewind(session, &native, &place, known, facts) {
            true => Verdict::New,
            false => Verdict::Known,
        };
    }
    known.note(line_key(&native, &place.id, line), &[]);
    locate(session, memory, facts);
    let told = told(&facts.0[said_before..]);
    rewind(session, &native, &place, known, facts);
    known.note(told_by(&native, &place.id), &told);
    verdict
}

/// The session that a line is of which can't be read.
pub(crate) fn enter(
    memory: &mut Memory,
    known: &mut dyn Known,
    facts: &mut Facts,
) -> Option<SessionId> {
    let native = Some(&memory.session).filter(|native| !native.is_empty())?;
    let session = SessionKey::plain(native).id(AGENT);
    if take_about(known, UnitKey::of(&["cursor named", native]), &[]) {
        facts.session(session, introduced(native));
        locate(session, memory, facts);
    }
    Some(session)
}

fn introduced(native: &str) -> SessionPatch<'static> {
    SessionPatch {
        agent: set(AGENT.as_str()),
        native_id: set(native),
        ..SessionPatch::default()
    }
}

/// Says which session has called this one, and where it took place.
fn locate(session: SessionId, memory: &mut Memory, facts: &mut Facts) {
    if let Some(parent) = memory.parent.take() {
        let patch = SessionPatch {
            parent_session: set(&SessionKey::plain(&parent).id(AGENT).to_string()),
            parent_kind: set(words::SUBAGENT),
            ..SessionPatch::default()
        };
        facts.session(session, patch);
    }
    // Rules go by each of them; the first is what is kept.
    for directory in memory.directories.drain(..).rev() {
        facts.session(session, placed(&directory));
    }
}

/// Takes back the messages of lines that a transcript has no more, and tells those again that it has again;
/// whether there are any.
fn rewind(
    session: SessionId,
    native: &str,
    place: &Placed,
    known: &mut dyn Known,
    facts: &mut Facts,
) -> bool {
    let before = facts.0.len();
    for (ids, rewound) in [(&place.gone, true), (&place.back, false)] {
        for id in ids {
            let told = known.noted(told_by(native, id));
            let told = told.and_then(|note| serde_json::from_slice::<Told>(&note).ok());
            if told.is_some_and(|told| told.message) {
                let patch = MessagePatch {
                    id: owned(id),
                    rewound: Some(rewound).into(),
                    ..MessagePatch::default()
                };
                facts.message(session, patch);
            }
        }
    }
    facts.0.len() > before
}

/// The key under which it is noted that the database holds what was said in a conversation.
pub(super) fn in_database(session: &str) -> UnitKey {
    UnitKey::of(&["cursor spoken", session])
}

/// What a line has told, as it is noted: whether a message, and the ids of calls.
fn told(facts: &[Fact]) -> Vec<u8> {
    let mut told = Told::default();
    for fact in facts {
        match &fact.piece {
            Piece::Message(_) => told.message = true,
            Piece::Tool(call) if !call.name.is_keep() => told.calls.push(call.id.to_string()),
            Piece::Tool(_)
            | Piece::Session(_)
            | Piece::Part(_)
            | Piece::Usage(_)
            | Piece::Error(_)
            | Piece::Compaction(_)
            | Piece::Link(_) => {}
        }
    }
    serde_json::to_vec(&told).expect("texts are written as JSON")
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Told {
    message: bool,
    calls: Vec<String>,
}

/// Lets what a transcript has told of a conversation count no more: the database tells all of it.
/// What a damaged note hides counts on, and the damage is counted.
pub(super) fn give_way(
    native: &str,
    known: &mut dyn Known,
    facts: &mut Facts,
    tally: &mut Tally<'_>,
) {
    let session = SessionKey::plain(native).id(AGENT);
    let own = session.to_string();
    for id in Branches::of(native, known).told(native, known) {
        let note = known.noted(told_by(native, &id)).unwrap_or_default();
        let told: Told = match serde_json::from_slice(&note) {
            Ok(told) => told,
            Err(error) => {
                let cause = format!("what line {id} had told is noted unreadably: {error}");
                tally.count(Verdict::Damaged(cause), None);
                continue;
            }
        };
        if told.message {
            let patch = MessagePatch {
                id: id.into(),
                copied_from: set(&own),
                ..MessagePatch::default()
            };
            facts.message(session, patch);
        }
        for call in told.calls {
            let patch = ToolPatch {
                id: call.into(),
                copied_from: set(&own),
                ..ToolPatch::default()
            };
            facts.tool(session, patch);
        }
    }
}

struct Reader<'a> {
    session: SessionId,
    memory: &'a mut Memory,
    facts: &'a mut Facts,
}

impl Reader<'_> {
    fn at(&self) -> Option<Timestamp> {
        Timestamp::from_millis(self.memory.written?).ok()
    }

    fn next_order(&mut self, said: &str) -> i64 {
        let order = order_after(self.memory.order, self.at());
        let pieces = (said.len() / TEXT_CHARS_MAX) as i64;
        self.memory.order = Some(order + if pieces > 0 { pieces + 1 } else { 0 });
        order
    }

    fn read(&mut self, value: &Value, line: &str, order: i64, number: &str) -> Verdict {
        let role = match text(value, &["role"]) {
            Some(role) => role,
            None if text(value, &["type"]) == Some("turn_ended") => return Verdict::Idle,
            None => {
                self.facts.raw(self.session, number, line, order);
                return Verdict::NotUnderstood;
            }
        };
        let at = self.at();
        self.facts
            .session(self.session, introduced(&self.memory.session));
        let patch = MessagePatch {
            id: owned(number),
            role: set(role),
            at: at.into(),
            order: Some(order).into(),
            ..MessagePatch::default()
        };
        let blocks = value["message"]["content"].as_array();
        let blocks = blocks.map(Vec::as_slice).unwrap_or_default();
        let only_results = !blocks.is_empty()
            && blocks
                .iter()
                .all(|block| text(block, &["type"]) == Some("tool_result"));
        if !only_results {
            self.facts.message(self.session, patch);
        }
        let mut understood = true;
        match &value["message"]["content"] {
            Value::String(said) => self.say(role, number, 0, said),
            Value::Array(_) => {}
            _ => {
                self.part(number, 0, words::RAW, line);
                understood = false;
            }
        }
        let calls = |block: &Value| text(block, &["type"]) == Some("tool_use");
        if blocks.iter().any(calls) {
            self.memory.unanswered.clear();
        }
        for (place, block) in blocks.iter().enumerate() {
            understood &= self.block(role, number, place, block);
        }
        match understood {
            true => Verdict::New,
            false => Verdict::NotUnderstood,
        }
    }

    /// Says a block; whether it is of a kind that is known.
    fn block(&mut self, role: &str, number: &str, place: usize, block: &Value) -> bool {
        match text(block, &["type"]) {
            Some("text") => {
                let said = text(block, &["text"]).unwrap_or_default();
                self.say(role, number, place, said);
            }
            Some("tool_use") => self.call(number, place, block),
            Some("tool_result") => return self.result(number, place, block),
            _ => {
                self.part(number, place, words::RAW, &block.to_string());
                return false;
            }
        }
        true
    }

    /// What a person has asked stands between marks, with what Cursor puts around it.
    fn say(&mut self, role: &str, number: &str, place: usize, said: &str) {
        let query = between(said, "<user_query>", "</user_query>").filter(|_| role == words::USER);
        let said = query.map_or(said, str::trim);
        self.part(number, place, words::TEXT, said);
        let title = title_of(said).filter(|_| role == words::USER);
        if let Some(title) = title
            && self.memory.title.gives_way(TitleRank::Prompt)
        {
            self.memory.title = TitleRank::Prompt;
            let patch = SessionPatch {
                title: set(&title),
                ..SessionPatch::default()
            };
            self.facts.session(self.session, patch);
        }
    }

    fn part(&mut self, number: &str, place: usize, kind: &'static str, said: &str) {
        let part = Part {
            message_id: owned(number),
            id: place.to_string().into(),
            kind: kind.into(),
            order: self.next_order(said),
            text: owned(said),
            ..Part::default()
        };
        self.facts.part(self.session, part);
    }
}

fn between<'t>(text: &'t str, from: &str, to: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(from)?;
    Some(rest.split_once(to)?.0)
}
