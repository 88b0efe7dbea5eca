//! Sessions of Gemini CLI: `tmp/<project>/chats/session-<time>-<id>.json`, one value, or `.jsonl`: a
//! header, and messages that may be told again or taken back.

mod content;
mod message;
mod place;
mod whole;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use syncline_model::Timestamp;
use syncline_model::session::{MessagePatch, SessionId, SessionPatch, order_after, words};

use crate::agent::Agent;
use crate::facts::{
    Facts, Known, SessionKey, TitleRank, UnitKey, Verdict, placed, set, set_some, take_about,
    take_unit, time_of,
};
use crate::prompt::title_of;
use crate::value::{object_of, text};
use content::{Content, is_result, room_of};
use message::Message;
pub(crate) use place::digest_of;
pub(crate) use whole::read_whole;

/// What the context of a session begins with.
const CONTEXT_MARK: &str = "<session_context>";
const AGENT: Agent = Agent::Gemini;
const NAMELESS: &str = "no header names its session";
/// How many messages of a file can be taken back.
const MESSAGES_MAX: usize = 10_000;

/// What earlier lines of a file have left.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Memory {
    session: Option<String>,
    /// What the session is called where no header names it: as its file is.
    named: Option<String>,
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
    let named = path.file_stem().and_then(|name| name.to_str());
    Memory {
        named: named.map(str::to_owned),
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

/// Reads one line; `memory` is what earlier lines of the file have left.
pub(crate) fn read(
    line: &str,
    memory: &mut Memory,
    known: &mut dyn Known,
    facts: &mut Facts,
) -> Verdict {
    let value = match object_of(line) {
        Ok(value) => value,
        Err(fault) => return Verdict::Damaged(fault),
    };
    let mut reader = Reader {
        memory,
        known,
        facts,
    };
    if let Some(id) = text(&value, &["$rewindTo"]) {
        return reader.rewind(id);
    }
    if let Some(set) = value.get("$set").filter(|set| set.is_object()) {
        let verdict = reader.header(set);
        let messages = set["messages"].as_array().into_iter().flatten();
        let mut verdicts: Vec<_> = messages.map(|message| reader.message(message)).collect();
        verdicts.push(verdict.clone());
        let mut foremost = [Verdict::NotUnderstood, Verdict::New].into_iter();
        let foremost = foremost.find(|first| verdicts.contains(first));
        return foremost.unwrap_or(verdict);
    }
    match value.get("sessionId") {
        Some(_) => reader.header(&value),
        None => reader.message(&value),
    }
}

/// The session that something is of which can't be read.
pub(crate) fn enter(
    memory: &mut Memory,
    known: &mut dyn Known,
    facts: &mut Facts,
) -> Option<SessionId> {
    enter_named(None, memory, known, facts)
}

fn enter_named(
    native: Option<String>,
    memory: &mut Memory,
    known: &mut dyn Known,
    facts: &mut Facts,
) -> Option<SessionId> {
    let mut reader = Reader {
        memory,
        known,
        facts,
    };
    if let Some(native) = native {
        reader.header(&serde_json::json!({"sessionId": native}));
    }
    reader.enter()
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
        let named = text(value, &["sessionId"]);
        if named.is_some() || self.memory.session.is_none() {
            let named = named.map(str::to_owned);
            self.memory.session = named.or_else(|| self.memory.named.take());
        }
        let (Some(native), Some(session)) = (self.memory.session.clone(), self.session()) else {
            return Verdict::Damaged(NAMELESS.to_owned());
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
        let new = take_about(self.known, key, &[&content]);
        if new {
            self.facts.session(session, patch);
        }
        let names = [
            "sessionId",
            "projectHash",
            "summary",
            "startTime",
            "lastUpdated",
        ];
        let is_readable = |name: &&str| value[*name].is_string() || value[*name].is_null();
        match names.iter().all(is_readable) {
            false => self.keep(&without_messages(value)),
            true if new => Verdict::New,
            true => Verdict::Known,
        }
    }

    /// Goes by the file's name where no header has named the session.
    fn enter(&mut self) -> Option<SessionId> {
        if self.memory.session.is_none() {
            self.header(&Value::Null);
        }
        self.session()
    }

    /// Keeps what can't be named as it stands.
    fn keep(&mut self, value: &Value) -> Verdict {
        let Some(session) = self.enter() else {
            return Verdict::Damaged(NAMELESS.to_owned());
        };
        let said = value.to_string();
        let key = UnitKey::of(&["gemini line", &session.to_string(), &said]);
        let at = time_of(text(value, &["timestamp"]));
        let id = format!("line-{}", key.hex());
        let order = order_after(self.memory.order, at);
        self.memory.order = Some(order + room_of(value));
        if !take_unit(self.known, key, &[]) {
            return Verdict::Known;
        }
        self.facts.raw(session, &id, &said, order);
        Verdict::NotUnderstood
    }

    /// Looks for the directory that the session takes place in, where nothing has told it; whether it
    /// was found.
    fn locate(&mut self, message: &Value) -> bool {
        // A file that is one value is searched before its header is read.
        if self.memory.is_placed || self.memory.directory.is_some() {
            return false;
        }
        let said = Content::of(&message["content"]).text;
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
        let Some(session) = self.enter() else {
            return Verdict::Damaged(NAMELESS.to_owned());
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
        let (Some(session), Some(id)) = (self.enter(), text(value, &["id"])) else {
            return self.keep(value);
        };
        if is_result(&value["content"]) {
            return Verdict::Idle;
        }
        let is_located = self.locate(value);
        let at = time_of(text(value, &["timestamp"]));
        let order = self.order_of(id, at, room_of(value));
        let content = Content::of(&value["content"]);
        let said = &content.text;
        let kind = match text(value, &["type"]) {
            // What the agent tells the model before the first prompt.
            Some("user") if said.starts_with(CONTEXT_MARK) => Some("context"),
            kind => kind,
        };
        // Before what is known is passed over: a later prompt is not the first.
        let title = title_of(said)
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
            understood: true,
            facts: self.facts,
        };
        match kind {
            Some("user") => {
                message.say(words::USER, None, &content);
                if let Some(title) = title {
                    let patch = SessionPatch {
                        title: set(&title),
                        ..SessionPatch::default()
                    };
                    message.facts.session(session, patch);
                }
            }
            Some("context") => message.say(words::USER, Some("meta"), &content),
            Some("gemini" | "model") => message.answer(&content),
            Some("error") => message.failed(&content),
            Some(kind @ ("info" | "warning")) => message.say("system", Some(kind), &content),
            _ => message.keep("raw", value),
        }
        match message.understood {
            true => Verdict::New,
            false => Verdict::NotUnderstood,
        }
    }
}

fn without_messages(header: &Value) -> Value {
    let mut header = header.clone();
    if let Some(fields) = header.as_object_mut() {
        fields.remove("messages");
    }
    header
}
