//! Sessions of Gemini CLI: `tmp/<project>/chats/session-<time>-<id>.json`, one value, or `.jsonl`: a
//! header, and messages that may be told again or taken back.

mod message;
mod place;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use syncline_model::Timestamp;
use syncline_model::session::{
    MessagePatch, SessionId, SessionPatch, TEXT_CHARS_MAX, order_after, words,
};
use syncline_redact::read_json;

use crate::agent::Agent;
use crate::facts::{
    Facts, Known, SessionKey, TitleRank, UnitKey, Verdict, placed, set, set_some, take_about,
    take_unit, time_of,
};
use crate::import::Tally;
use crate::prompt::title_of;
use crate::value::{Fault, no_object, text};
use message::Message;
pub(crate) use place::digest_of;

/// What the context of a session begins with.
const CONTEXT_MARK: &str = "<session_context>";
const AGENT: Agent = Agent::Gemini;
/// How many messages of a file can be taken back.
const MESSAGES_MAX: usize = 10_000;

/// What earlier lines of a file have left.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Memory {
    session: Option<String>,
    /// The session in whose directory the file lies; it has called this one.
    parent: Option<String>,
    /// What the directory that it takes place in is called: most often a digest.
    project: Option<String>,
    /// That directory, as soon as something tells it.
    #[serde(skip)]
    directory: Option<String>,
    /// Whether it was told.
    is_placed: bool,
    title: TitleRank,
    pub(crate) order: Option<i64>,
    /// The ids of messages, in order, each with its place.
    messages: Vec<(String, i64)>,
}

/// What is known of a file before it is read.
pub(crate) fn memory_of(path: &std::path::Path) -> Memory {
    let directory = path.parent().and_then(|path| path.file_name());
    let parent = directory.and_then(|name| name.to_str());
    let (project, root) = place::of_file(path);
    Memory {
        project,
        directory: root,
        parent: parent
            .filter(|name| *name != "chats")
            .filter(|_| {
                let above = path.ancestors().nth(2).and_then(|path| path.file_name());
                above.is_some_and(|name| name == "chats")
            })
            .map(str::to_owned),
        ..Memory::default()
    }
}

/// Reads a file that is one value.
pub(crate) fn read_whole(
    bytes: &[u8],
    memory: &mut Memory,
    known: &mut dyn Known,
    facts: &mut Facts,
    tally: &mut Tally<'_>,
) {
    let value: Value = match read_json(bytes) {
        Ok(value) => value,
        Err(error) => return tally.count(Verdict::Damaged(Fault::from(&error).to_string()), None),
    };
    let from = facts.0.len();
    let mut reader = Reader {
        memory,
        known,
        facts,
    };
    for message in value["messages"].as_array().into_iter().flatten() {
        reader.locate(message);
    }
    let verdict = reader.header(&value);
    tally.count(verdict, None);
    for message in value["messages"].as_array().into_iter().flatten() {
        let verdict = reader.message(message);
        tally.count(verdict, None);
    }
    let updated = time_of(text(&value, &["lastUpdated"]));
    let order = updated.map(|at| order_after(None, Some(at)));
    facts.come_up_to(from, order);
}

/// Reads one line; `memory` is what earlier lines of the file have left.
pub(crate) fn read(
    line: &str,
    memory: &mut Memory,
    known: &mut dyn Known,
    facts: &mut Facts,
) -> Verdict {
    let value: Value = match serde_json::from_str(line) {
        Ok(value) => value,
        Err(error) => return Verdict::Damaged(no_object(&error)),
    };
    let mut reader = Reader {
        memory,
        known,
        facts,
    };
    if let Some(id) = text(&value, &["$rewindTo"]) {
        return reader.rewind(id);
    }
    if let Some(set) = value.get("$set") {
        let verdict = reader.header(set);
        let messages = set["messages"].as_array().into_iter().flatten();
        let verdicts: Vec<_> = messages.map(|message| reader.message(message)).collect();
        return match verdicts.contains(&Verdict::New) {
            true => Verdict::New,
            false => verdict,
        };
    }
    match value.get("sessionId") {
        Some(_) => reader.header(&value),
        None => reader.message(&value),
    }
}

struct Reader<'a> {
    memory: &'a mut Memory,
    known: &'a mut dyn Known,
    facts: &'a mut Facts,
}

impl Reader<'_> {
    fn session(&self) -> Option<SessionId> {
        let native = self.memory.session.as_deref()?;
        Some(SessionKey::plain(native).id(AGENT))
    }

    fn header(&mut self, value: &Value) -> Verdict {
        if let Some(native) = text(value, &["sessionId"]) {
            self.memory.session = Some(native.to_owned());
        }
        let (Some(native), Some(session)) = (self.memory.session.clone(), self.session()) else {
            return Verdict::Damaged("no header names its session".to_owned());
        };
        if let Some(project) = text(value, &["projectHash"]) {
            self.memory.project = Some(project.to_owned());
        }
        if let Some(directory) = value["directories"][0].as_str() {
            self.memory.directory = Some(directory.to_owned());
        }
        if !self.memory.is_placed
            && self.memory.directory.is_none()
            && let Some(project) = &self.memory.project
        {
            self.memory.directory = self.known.directory_of(project);
        }
        self.memory.is_placed |= self.memory.directory.is_some();
        let parent = self.memory.parent.as_deref();
        let parent = parent.map(|parent| SessionKey::plain(parent).id(AGENT).to_string());
        let patch = SessionPatch {
            agent: set(AGENT.as_str()),
            native_id: set(&native),
            provider: set("google"),
            title: set_some(text(value, &["summary"])),
            parent_kind: set_some(parent.as_ref().map(|_| words::SUBAGENT)),
            parent_session: set_some(parent.as_deref()),
            started_at: time_of(text(value, &["startTime"])).into(),
            updated_at: time_of(text(value, &["lastUpdated"])).into(),
            ..self
                .memory
                .directory
                .as_deref()
                .map(placed)
                .unwrap_or_default()
        };
        if !patch.title.is_keep() {
            self.memory.title = TitleRank::Model;
        }
        let content = serde_json::to_string(&patch).unwrap_or_default();
        let key = UnitKey::of(&["gemini session", &native]);
        if !take_about(self.known, key, &[&content]) {
            return Verdict::Known;
        }
        self.facts.session(session, patch);
        Verdict::New
    }

    /// Looks for the directory that the session takes place in, where nothing has told it; whether it
    /// was found.
    fn locate(&mut self, message: &Value) -> bool {
        if self.memory.is_placed {
            return false;
        }
        let said = said(&message["content"]);
        let told = match said.starts_with(CONTEXT_MARK) {
            true => place::in_context(&said),
            false => Vec::new(),
        };
        let digest = self.memory.project.as_deref().unwrap_or_default();
        let own = told.iter().find(|told| place::digest_of(told) == digest);
        let found = own.or(told.first()).map(|told| (*told).to_owned());
        self.memory.directory = found.or_else(|| place::above_paths(message, digest));
        self.memory.is_placed = self.memory.directory.is_some();
        self.memory.is_placed
    }

    /// Takes back a message and all after it.
    fn rewind(&mut self, id: &str) -> Verdict {
        let Some(session) = self.session() else {
            return Verdict::Damaged("no header names its session".to_owned());
        };
        let place = self
            .memory
            .messages
            .iter()
            .position(|(known, _)| known == id);
        let Some(place) = place else {
            return Verdict::Idle;
        };
        let mut new = false;
        for (id, _) in self.memory.messages.split_off(place) {
            let key = UnitKey::of(&["gemini rewound", &session.to_string(), &id]);
            if take_unit(self.known, key, &[]) {
                new = true;
                let patch = MessagePatch {
                    id: id.into(),
                    rewound: Some(true).into(),
                    ..MessagePatch::default()
                };
                self.facts.message(session, patch);
            }
        }
        if new { Verdict::New } else { Verdict::Known }
    }

    /// The place of a message: the one that it had when it was told first.
    fn order_of(&mut self, id: &str, at: Option<Timestamp>, room: i64) -> i64 {
        let known = self.memory.messages.iter().find(|(known, _)| known == id);
        if let Some((_, order)) = known {
            return *order;
        }
        let order = order_after(self.memory.order, at);
        self.memory.order = Some(order + room);
        if self.memory.messages.len() == MESSAGES_MAX {
            self.memory.messages.remove(0);
        }
        self.memory.messages.push((id.to_owned(), order));
        order
    }

    fn message(&mut self, value: &Value) -> Verdict {
        let (Some(session), Some(id)) = (self.session(), text(value, &["id"])) else {
            return Verdict::Damaged("it has no id, or no header before it".to_owned());
        };
        if is_result(&value["content"]) {
            return Verdict::Idle;
        }
        let is_located = self.locate(value);
        let at = time_of(text(value, &["timestamp"]));
        let order = self.order_of(id, at, room_of(value));
        let said = said(&value["content"]);
        let kind = match text(value, &["type"]) {
            // What the agent tells the model before the first prompt.
            Some("user") if said.starts_with(CONTEXT_MARK) => Some("context"),
            kind => kind,
        };
        // Before what is known is passed over: a later prompt is not the first.
        let title = title_of(&said)
            .filter(|_| kind == Some("user") && self.memory.title.gives_way(TitleRank::Prompt));
        if title.is_some() {
            self.memory.title = TitleRank::Prompt;
        }
        let key = UnitKey::of(&["gemini message", &session.to_string(), id]);
        if !take_unit(self.known, key, &[&value.to_string()]) {
            return Verdict::Known;
        }
        if let Some(directory) = self.memory.directory.as_deref().filter(|_| is_located) {
            self.facts.session(session, placed(directory));
        }
        let mut message = Message {
            session,
            id,
            value,
            at,
            order,
            facts: self.facts,
        };
        match kind {
            Some("user") => {
                message.say(words::USER, None, &said);
                if let Some(title) = title {
                    let patch = SessionPatch {
                        title: set(&title),
                        ..SessionPatch::default()
                    };
                    self.facts.session(session, patch);
                }
            }
            Some("context") => message.say(words::USER, Some("meta"), &said),
            Some("gemini" | "model") => {
                if !message.answer(&said) {
                    return Verdict::NotUnderstood;
                }
            }
            Some("error") => message.failed(&said),
            Some(kind @ ("info" | "warning")) => message.say("system", Some(kind), &said),
            _ => {
                message.part("raw", words::RAW, &value.to_string());
                return Verdict::NotUnderstood;
            }
        }
        Verdict::New
    }
}

/// How many places a message takes in the order: those of its parts, however long.
fn room_of(value: &Value) -> i64 {
    let parts = value["toolCalls"].as_array().map_or(0, Vec::len);
    let thoughts = value["thoughts"].as_array().map_or(0, Vec::len);
    let pieces = value.to_string().len() / TEXT_CHARS_MAX;
    (2 * parts + thoughts + pieces + 8) as i64
}

/// Whether a content is what calls have given: the calls themselves tell that.
fn is_result(content: &Value) -> bool {
    let parts = content.as_array().filter(|parts| !parts.is_empty());
    parts.is_some_and(|parts| {
        let mut parts = parts.iter();
        parts.all(|part| part["functionResponse"].is_object())
    })
}

/// The text of a content: a string, or a list of parts.
fn said(content: &Value) -> String {
    match content {
        Value::String(said) => said.clone(),
        Value::Array(parts) => {
            let texts = parts
                .iter()
                .filter_map(|part| part.as_str().or_else(|| text(part, &["text"])));
            texts.collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}
