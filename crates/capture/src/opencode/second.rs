//! Messages as OpenCode's second version keeps them: a row for each, with all that was said in it. They are told as
//! the first version would have kept them: a message with its parts.

use serde_json::{Value, json};
use syncline_model::session::{Piece, SessionId, SessionPatch, words};
use syncline_store::StoreError;
use syncline_store::foreign::{ForeignDatabase, ForeignRow};

use super::AGENT;
use super::message::message_of;
use super::tables::each_row;
use crate::facts::{Facts, Kept, Known, SessionKey, UnitKey, Verdict, set, take_unit};
use crate::value::text;

/// Where it keeps its sessions, those of the first version among them, and their messages.
pub(super) const SESSIONS: &str = "session_v2";
pub(super) const MESSAGES: &str = "session_message";

/// A row of a session's messages.
pub(super) struct Row<'r> {
    id: &'r str,
    /// What kind of message it is.
    kind: &'r str,
    data: &'r Value,
    /// The session that it was copied from; none: it is the session's own.
    origin: Option<SessionId>,
}

/// What a row says.
enum Said {
    /// A message, and its parts.
    Message(Value, Vec<Value>),
    /// Where the session was, and where it is now.
    Moved,
    /// That something else begins or ends.
    Nothing,
}

impl<'r> Row<'r> {
    /// A row of a session that was forked from `origin`, if it was from any, with what it holds.
    pub(super) fn of(row: &'r ForeignRow, data: &'r Value, origin: Option<SessionId>) -> Self {
        let told = |column| row.get(column).and_then(Value::as_str).unwrap_or_default();
        let id = told("id");
        // What was copied goes by its number.
        let number = row.get("seq").and_then(Value::as_i64);
        let is_copy = number.is_some_and(|number| id.ends_with(&format!("_{number}")));
        Self {
            id,
            kind: told("type"),
            data,
            origin: origin.filter(|_| is_copy),
        }
    }

    /// Takes the row, where anything of it is new.
    pub(super) fn take(
        &self,
        session: SessionId,
        kept: &Kept,
        known: &mut dyn Known,
        facts: &mut Facts,
    ) -> Verdict {
        let from = facts.0.len();
        let is_whole_again = kept.take_back(&format!("{MESSAGES}/"), self.id, facts);
        let verdict = match self.said() {
            Some(Said::Message(info, parts)) => {
                message_of(session, self.id, &info, &parts, kept, known, facts)
            }
            Some(Said::Moved) => self.moved(session, known, facts),
            Some(Said::Nothing) => Verdict::Idle,
            None => {
                // Without a role it is kept as it stands.
                let whole =
                    json!({"type": self.kind, "data": self.data, "time": self.data["time"]});
                message_of(session, self.id, &whole, &[], kept, known, facts)
            }
        };
        if let Some(origin) = self.origin {
            copied(origin, from, facts);
        }
        match verdict {
            Verdict::Known if is_whole_again => Verdict::New,
            verdict => verdict,
        }
    }

    /// None: it is of a kind, or has a shape, that is not known.
    fn said(&self) -> Option<Said> {
        let data = self.data;
        let (role, parts) = match self.kind {
            "assistant" => (words::ASSISTANT, answered(data)?),
            "user" => (words::USER, entered(data)?),
            "synthetic" | "skill" => (words::USER, vec![added(data["text"].as_str()?)]),
            "system" => ("system", vec![added(data["text"].as_str()?)]),
            "shell" => (words::USER, ran(self.id, data)?),
            "compaction" => (words::ASSISTANT, compacted(data)?),
            "location-switched" => return Some(Said::Moved),
            "agent-switched" | "model-switched" | "idle" => return Some(Said::Nothing),
            _ => return None,
        };
        let model = &data["model"];
        let mut info = json!({
            "role": role,
            "time": data["time"],
            "modelID": model["id"],
            "providerID": model["providerID"],
            "cost": data["cost"],
            "tokens": data["tokens"],
            "finish": data["finish"],
            "error": error_of(&data["error"]),
        });
        if self.kind == "compaction" {
            info["summary"] = json!(true);
        }
        // What is not told is not there.
        let fields = info.as_object_mut()?;
        fields.retain(|_, value| !value.is_null());
        Some(Said::Message(info, parts))
    }

    /// Says where the session was, and where it is now: rules by place hold for both.
    fn moved(&self, session: SessionId, known: &mut dyn Known, facts: &mut Facts) -> Verdict {
        let key = UnitKey::of(&["opencode message", &session.to_string(), self.id]);
        if !take_unit(known, key, &[&self.data.to_string()]) {
            return Verdict::Known;
        }
        let before = text(self.data, &["previous", "location", "directory"]);
        let now = text(self.data, &["location", "directory"]);
        for directory in before.into_iter().chain(now) {
            let patch = SessionPatch {
                cwd: set(directory),
                ..SessionPatch::default()
            };
            facts.session(session, patch);
        }
        Verdict::New
    }
}

/// The rows of a session's messages that the first version has not told: where it has told any, up to then, the
/// second has no more than copies of its messages.
pub(super) fn rows(
    database: &ForeignDatabase,
    native: &str,
    told_until: Option<i64>,
) -> Result<Vec<ForeignRow>, StoreError> {
    let mut is_carried_on = false;
    each_row(database, SESSIONS, ("id", native), |_| is_carried_on = true)?;
    let mut rows = Vec::new();
    each_row(database, MESSAGES, ("session_id", native), |row| {
        if told_until.is_none_or(|until| is_carried_on && made_at(&row) > until) {
            rows.push(row);
        }
    })?;
    Ok(rows)
}

/// When a message was begun, of whose row that is.
pub(super) fn made_at(row: &ForeignRow) -> i64 {
    let made_at = row.get("time_created").and_then(Value::as_i64);
    made_at.unwrap_or_default()
}

/// The session that the one of this row was forked from.
pub(super) fn origin_of(session: &Value) -> Option<SessionId> {
    let origin = text(session, &["fork_session_id"])?;
    Some(SessionKey::plain(origin).id(AGENT))
}

/// Says of what was said since `from` that it was said in another session first, and counts there.
fn copied(origin: SessionId, from: usize, facts: &mut Facts) {
    let copied_from = || set(&origin.to_string());
    for fact in &mut facts.0[from..] {
        match &mut fact.piece {
            Piece::Message(message) => message.copied_from = copied_from(),
            Piece::Tool(call) => call.copied_from = copied_from(),
            Piece::Error(error) => error.copied_from = copied_from(),
            Piece::Compaction(compaction) => compaction.copied_from = copied_from(),
            Piece::Usage(usage) => usage.copied = true,
            Piece::Session(_) | Piece::Part(_) | Piece::Link(_) => {}
        }
    }
}

/// What a person has entered, with what they attached.
fn entered(data: &Value) -> Option<Vec<Value>> {
    let said = data["text"].as_str()?;
    let mut parts = vec![json!({"id": "text", "type": "text", "text": said})];
    let files = data["files"].as_array().into_iter().flatten();
    for (place, file) in files.enumerate() {
        let mut part = file.clone();
        let fields = part.as_object_mut()?;
        fields.insert("id".to_owned(), json!(format!("file-{place}")));
        fields.insert("type".to_owned(), json!("file"));
        if let Some(address) = address_of(file) {
            fields.insert("url".to_owned(), json!(address));
        }
        parts.push(part);
    }
    Some(parts)
}

/// What the agent says in a person's place, or a command of theirs.
fn added(said: &str) -> Value {
    json!({"id": "text", "type": "text", "text": said, "synthetic": true})
}

/// What a model has answered, in the order in which it did.
fn answered(data: &Value) -> Option<Vec<Value>> {
    let mut parts = Vec::new();
    for (place, item) in data["content"].as_array()?.iter().enumerate() {
        let mut part = match text(item, &["type"]) {
            Some("tool") => called(item),
            // It is made before it has a word.
            Some("text" | "reasoning") if item["text"] == "" => continue,
            _ => item.clone(),
        };
        part.as_object_mut()?
            .insert("id".to_owned(), json!(format!("{place}")));
        parts.push(part);
    }
    if data["retry"].is_object() {
        let retry = &data["retry"];
        parts.push(json!({
            "id": format!("retry-{}", retry["attempt"]),
            "type": "retry",
            "error": error_of(&retry["error"]),
            "time": {"created": retry["at"]},
        }));
    }
    Some(parts)
}

/// A call of a tool, and what that has given.
fn called(item: &Value) -> Value {
    let (state, time) = (&item["state"], &item["time"]);
    let mut said = Vec::new();
    let mut files = Vec::new();
    for content in state["content"].as_array().into_iter().flatten() {
        match (content["text"].as_str(), address_of(content)) {
            (Some(text), _) => said.push(text.to_owned()),
            (None, Some(address)) => files.push(json!({"mime": content["mime"], "url": address})),
            (None, None) => said.push(content.to_string()),
        }
    }
    let metadata = match &state["metadata"] {
        Value::Null => &state["structured"],
        metadata => metadata,
    };
    let mut told = json!({
        "status": state["status"],
        "input": state["input"],
        "error": state["error"]["message"].as_str().or(state["error"].as_str()),
        "attachments": files,
        "time": {
            "start": if time["ran"].is_null() { &time["created"] } else { &time["ran"] },
            "end": time["completed"],
        },
        "metadata": {"exit": metadata["exit"], "sessionId": metadata["sessionID"]},
    });
    if !said.is_empty() {
        told["output"] = json!(said.join("\n"));
    }
    // Nothing was given yet, or all of it is being written still.
    let fields = told.as_object_mut().expect("an object was just made");
    fields.retain(|_, value| !value.is_null() && value != "");
    json!({"type": "tool", "callID": item["id"], "tool": item["name"], "state": told})
}

/// A command that a person has run, and what it has given.
fn ran(id: &str, data: &Value) -> Option<Vec<Value>> {
    let command = data["command"].as_str()?;
    let output = match &data["output"] {
        Value::Object(output) => output.get("output").cloned().unwrap_or_default(),
        output => output.clone(),
    };
    let status = match (data["exit"].as_i64(), data["time"]["completed"].is_null()) {
        (Some(exit), _) if exit != 0 => "error",
        (_, false) => "completed",
        (_, true) => "running",
    };
    let named = text(data, &["callID"]).or_else(|| text(data, &["shellID"]));
    let call = json!({
        "type": "tool",
        "callID": named.unwrap_or(id),
        "tool": "shell",
        "state": {
            "status": status,
            "input": {"command": command},
            "output": output,
            "time": {"start": data["time"]["created"], "end": data["time"]["completed"]},
            "metadata": {"exit": data["exit"]},
        },
    });
    Some(vec![added(command), call])
}

/// What stands for all that was said before.
fn compacted(data: &Value) -> Option<Vec<Value>> {
    let summary = data.get("summary").map_or(Some(""), Value::as_str)?;
    let compaction =
        json!({"id": "compaction", "type": "compaction", "auto": data["reason"] == "auto"});
    let summary =
        (!summary.is_empty()).then(|| json!({"id": "text", "type": "text", "text": summary}));
    Some([compaction].into_iter().chain(summary).collect())
}

/// Where a file lies, or its bytes.
fn address_of(file: &Value) -> Option<String> {
    let address = text(file, &["uri"]).or_else(|| text(file, &["url"]));
    let bytes = || Some(format!("data:;base64,{}", text(file, &["data"])?));
    address.map(str::to_owned).or_else(bytes)
}

/// An error as the first version would name it; null where there is none.
fn error_of(error: &Value) -> Value {
    match (&error["type"], &error["message"]) {
        (Value::Null, _) | (_, Value::Null) => error.clone(),
        (kind, message) => json!({"name": kind, "message": message}),
    }
}
