//! Messages and their parts.

use serde_json::Value;
use syncline_model::session::{
    CompactionPatch, ErrorPatch, FileTouch, MessagePatch, Part, Piece, SessionId, SessionPatch,
    TEXT_CHARS_MAX, ToolPatch, Usage, order_after, words,
};

use super::AGENT;
use crate::facts::{
    Facts, Kept, Known, SessionKey, UnitKey, Verdict, action_of_tool, nanos_of_dollars, owned, set,
    set_some, take_unit, time_of_millis,
};
use crate::reference;
use crate::value::{counts, number, plain, text};

/// Takes a message with its parts, where any of it is new.
pub(super) fn message_of(
    session: SessionId,
    id: &str,
    info: &Value,
    parts: &[Value],
    kept: &Kept,
    known: &mut dyn Known,
    facts: &mut Facts,
) -> Verdict {
    let key = UnitKey::of(&["opencode message", &session.to_string(), id]);
    let mut content = vec![info.to_string()];
    content.extend(parts.iter().map(Value::to_string));
    let content: Vec<&str> = content.iter().map(String::as_str).collect();
    let role = text(info, &["role"]);
    let is_whole_again = role.is_some() && taken_back(kept, id, parts, facts);
    if !take_unit(known, key, &content) {
        return match is_whole_again {
            true => Verdict::New,
            false => Verdict::Known,
        };
    }
    let at = time_of_millis(number(info, &["time", "created"]).map(|time| time as i64));
    let Some(role) = role else {
        let mut order = order_after(None, at);
        facts.raw(session, &format!("message/{id}"), &info.to_string(), order);
        for part in parts {
            order += 1;
            let id = text(part, &["id"]).unwrap_or_default();
            facts.raw(session, &format!("part/{id}"), &part.to_string(), order);
        }
        return Verdict::NotUnderstood;
    };
    let mut message = Message {
        session,
        id,
        info,
        order: order_after(None, at),
        is_of_person: role == words::USER && parts.iter().any(is_own_text),
        facts,
    };
    message.say(role, parts);
    let mut understood = true;
    if role == words::ASSISTANT {
        understood = message.used();
        let at = number(info, &["time", "created"]).map(|time| time as i64);
        message.failed(id, &info["error"], at);
    }
    for part in parts {
        understood &= message.part(part);
    }
    match understood {
        true => Verdict::New,
        false => Verdict::NotUnderstood,
    }
}

/// Takes back what was kept of a message and its parts as it stood; whether anything was.
fn taken_back(kept: &Kept, id: &str, parts: &[Value], facts: &mut Facts) -> bool {
    let mut any = kept.take_back("message/", id, facts);
    for part in parts {
        let id = text(part, &["id"]).unwrap_or_default();
        any |= kept.take_back("part/", id, facts);
    }
    any
}

/// Whether a part is text that no agent has added.
fn is_own_text(part: &Value) -> bool {
    kind(part) == "text" && part["synthetic"] != true
}

struct Message<'a> {
    session: SessionId,
    id: &'a str,
    info: &'a Value,
    order: i64,
    /// Whether a person speaks in it.
    is_of_person: bool,
    facts: &'a mut Facts,
}

impl Message<'_> {
    fn model(&self) -> Option<&str> {
        text(self.info, &["modelID"]).or_else(|| text(self.info, &["model", "modelID"]))
    }

    fn provider(&self) -> Option<&str> {
        text(self.info, &["providerID"]).or_else(|| text(self.info, &["model", "providerID"]))
    }

    fn say(&mut self, role: &str, parts: &[Value]) {
        let time = |name| number(self.info, &["time", name]).map(|time| time as i64);
        let (created, completed) = (time("created"), time("completed"));
        let took = created
            .zip(completed)
            .map(|(from, to)| to.saturating_sub(from));
        let texts: Vec<_> = parts.iter().filter(|part| kind(part) == "text").collect();
        let synthetic = !texts.is_empty() && texts.iter().all(|part| part["synthetic"] == true);
        let summary = self.info["summary"] == true;
        let apart = synthetic.then_some("meta").or(summary.then_some("summary"));
        let patch = MessagePatch {
            id: owned(self.id),
            role: set(role),
            kind: set_some(apart),
            parent_id: set_some(text(self.info, &["parentID"])),
            model: set_some(self.model()),
            provider: set_some(self.provider()),
            at: time_of_millis(created).into(),
            completed_at: time_of_millis(completed).into(),
            duration_ms: took.and_then(|took| u64::try_from(took).ok()).into(),
            stop_reason: set_some(text(self.info, &["finish"])),
            // As it is here: what is hidden is said to be so after this.
            rewound: Some(false).into(),
            order: Some(self.order).into(),
            ..MessagePatch::default()
        };
        if let Some(model) = self.model() {
            let patch = SessionPatch {
                model: set(model),
                provider: set_some(self.provider()),
                ..SessionPatch::default()
            };
            self.facts.session(self.session, patch);
        }
        self.facts.message(self.session, patch);
    }

    /// What the response has used, if that can be read; else it is kept as it stands.
    fn used(&mut self) -> bool {
        let Some(tokens) = self.info.get("tokens") else {
            return true;
        };
        let paths: [&[&str]; 6] = [
            &["input"],
            &["output"],
            &["reasoning"],
            &["cache", "read"],
            &["cache", "write"],
            &["total"],
        ];
        let Some([input, output, reasoning, read, written, total]) = counts(tokens, paths) else {
            let (id, said) = (format!("{}.usage", self.id), self.info.to_string());
            self.facts.raw(self.session, &id, &said, self.order);
            return false;
        };
        // Thoughts are told beside the output, unless a total says that they are in it.
        let parts = [input, output, read, written].into_iter();
        let inside = total > 0 && total == parts.fold(0, u64::saturating_add);
        let usage = Usage {
            id: owned(self.id),
            order: self.order,
            message_id: Some(owned(self.id)),
            model: self.model().map(owned),
            provider: self.provider().map(owned),
            at: time_of_millis(number(self.info, &["time", "created"]).map(|time| time as i64)),
            input,
            output: match inside {
                true => output,
                false => output.saturating_add(reasoning),
            },
            cache_read: read,
            cache_write_5m: written,
            reasoning,
            // Of a subscription nothing is told.
            cost_nanos: number(self.info, &["cost"])
                .filter(|cost| *cost > 0.0)
                .and_then(nanos_of_dollars),
            ..Usage::default()
        };
        self.facts.say(self.session, Piece::Usage(usage));
        true
    }

    /// Says what went wrong: of the message itself, or of a try before it.
    fn failed(&mut self, id: &str, error: &Value, at: Option<i64>) {
        let Some(whole) = plain(error) else {
            return;
        };
        let message = text(error, &["data", "message"]).or_else(|| text(error, &["message"]));
        let kind = text(error, &["name"]);
        let message = message.or(kind.is_none().then_some(&whole));
        let patch = ErrorPatch {
            id: owned(id),
            kind: set_some(kind),
            message: set_some(message),
            message_id: set(self.id),
            at: time_of_millis(at).into(),
            order: Some(self.order).into(),
            ..ErrorPatch::default()
        };
        self.facts.say(self.session, Piece::Error(patch));
    }

    /// Says a part; whether it is of a kind that is known.
    fn part(&mut self, part: &Value) -> bool {
        self.order += 1;
        let id = text(part, &["id"]).unwrap_or_default();
        let kind = kind(part);
        let (word, said) = match (kind, part["text"].as_str()) {
            // What the agent adds to a person's words.
            ("text", Some(said)) if part["synthetic"] == true && self.is_of_person => {
                (words::RAW, said)
            }
            ("text", Some(said)) => (words::TEXT, said),
            ("reasoning", Some(said)) => (words::THINKING, said),
            ("file", _) if part["url"].is_string() => {
                self.file(part, id);
                return true;
            }
            ("tool", _) => {
                self.tool(part);
                return true;
            }
            ("compaction", _) => {
                self.compaction(part, id);
                return true;
            }
            ("retry", _) if part["error"].is_object() => {
                let at = number(part, &["time", "created"]).map(|time| time as i64);
                self.failed(id, &part["error"], at);
                return true;
            }
            ("step-start" | "step-finish" | "snapshot" | "patch" | "agent", _) => return true,
            _ => {
                self.say_part(id, words::RAW, &part.to_string());
                return false;
            }
        };
        self.say_part(id, word, said);
        true
    }

    fn say_part(&mut self, id: &str, kind: &'static str, said: &str) {
        let part = Part {
            message_id: owned(self.id),
            id: owned(id),
            kind: kind.into(),
            order: self.order,
            text: owned(said),
            ..Part::default()
        };
        self.facts.part(self.session, part);
        self.leave_room(said);
    }

    fn leave_room(&mut self, said: &str) {
        let pieces = (said.len() / TEXT_CHARS_MAX) as i64;
        self.order += if pieces > 0 { pieces + 1 } else { 0 };
    }

    fn file(&mut self, part: &Value, id: &str) {
        let url = text(part, &["url"]).unwrap_or_default();
        let media_type = text(part, &["mime"]);
        let is_image = media_type.is_some_and(|kind| kind.starts_with("image/"));
        let part = Part {
            message_id: owned(self.id),
            id: owned(id),
            kind: if is_image { words::IMAGE } else { words::FILE }.into(),
            order: self.order,
            media_type: media_type.map(owned),
            reference: Some(reference::of_address(url).into()),
            ..Part::default()
        };
        self.facts.part(self.session, part);
    }

    fn tool(&mut self, part: &Value) {
        let id = text(part, &["callID"]).or_else(|| text(part, &["id"]));
        let id = id.unwrap_or_default();
        let name = text(part, &["tool"]).unwrap_or_default();
        let state = &part["state"];
        let time = |name| number(state, &["time", name]).map(|time| time as i64);
        let (start, end) = (time("start"), time("end"));
        let took = start.zip(end).map(|(start, end)| end.saturating_sub(start));
        let status = text(state, &["status"]);
        let success = match status {
            Some("completed") => Some(true),
            Some("error") => Some(false),
            _ => None,
        };
        let path = text(state, &["input", "filePath"]).or_else(|| text(state, &["input", "path"]));
        let files = action_of_tool(name).zip(path).map(|(action, path)| {
            vec![FileTouch {
                path: owned(path),
                action: action.into(),
            }]
        });
        let child = text(state, &["metadata", "sessionId"]);
        let child = child.map(|child| SessionKey::plain(child).id(AGENT).to_string());
        let patch = ToolPatch {
            id: owned(id),
            message_id: set(self.id),
            name: set(name),
            at: time_of_millis(start).into(),
            completed_at: time_of_millis(end).into(),
            duration_ms: took.and_then(|took| u64::try_from(took).ok()).into(),
            status: set_some(status),
            success: success.into(),
            exit_code: state["metadata"]["exit"].as_i64().into(),
            error: set_some(text(state, &["error"])),
            files: files.into(),
            child_session: set_some(child.as_deref()),
            order: Some(self.order).into(),
            ..ToolPatch::default()
        };
        self.facts.tool(self.session, patch);
        let output = text(state, &["output"]).or_else(|| text(state, &["error"]));
        let attached = state["attachments"].as_array().into_iter().flatten();
        let attached = attached.filter_map(|file| {
            let kind = text(file, &["mime"]).unwrap_or("file");
            Some(reference::address_in_output(kind, text(file, &["url"])?))
        });
        let output: Vec<_> = output
            .map(str::to_owned)
            .into_iter()
            .chain(attached)
            .collect();
        let output = (!output.is_empty()).then(|| output.join("\n"));
        let input = state.get("input").map(Value::to_string);
        let said = [
            (words::TOOL_INPUT, input.as_deref()),
            (words::TOOL_OUTPUT, output.as_deref()),
        ];
        for (kind, said) in said {
            if let Some(said) = said {
                self.facts
                    .tool_text(self.session, id, kind, said.to_owned(), self.order);
                self.leave_room(said);
            }
        }
    }

    fn compaction(&mut self, part: &Value, id: &str) {
        let patch = CompactionPatch {
            id: owned(id),
            trigger: set(if part["auto"] == true {
                "auto"
            } else {
                "manual"
            }),
            at: time_of_millis(number(self.info, &["time", "created"]).map(|time| time as i64))
                .into(),
            order: Some(self.order).into(),
            ..CompactionPatch::default()
        };
        self.facts.say(self.session, Piece::Compaction(patch));
    }
}

fn kind(part: &Value) -> &str {
    text(part, &["type"]).unwrap_or_default()
}
