//! What a message says, with its thoughts, its calls and what it used.

use serde_json::Value;
use syncline_model::Timestamp;
use syncline_model::session::{
    ErrorPatch, FileTouch, MessagePatch, Part, Piece, SessionId, SessionPatch, TEXT_CHARS_MAX,
    ToolPatch, Usage, words,
};

use super::AGENT;
use super::content::Content;
use crate::facts::{Facts, SessionKey, action_of_tool, owned, set, set_some, time_of};
use crate::reference;
use crate::value::{counts, plain, text};

/// A message on its way to its facts.
pub(super) struct Message<'a> {
    pub(super) session: SessionId,
    pub(super) id: &'a str,
    pub(super) value: &'a Value,
    pub(super) at: Option<Timestamp>,
    pub(super) order: i64,
    /// Whether all of it goes where it belongs; what does not is kept as it stands.
    pub(super) understood: bool,
    pub(super) facts: &'a mut Facts,
}

impl Message<'_> {
    pub(super) fn say(&mut self, role: &str, kind: Option<&str>, content: &Content<'_>) {
        let model = text(self.value, &["model"]);
        let patch = MessagePatch {
            id: owned(self.id),
            role: set(role),
            kind: set_some(kind),
            model: set_some(model),
            at: self.at.into(),
            order: Some(self.order).into(),
            ..MessagePatch::default()
        };
        self.facts.message(self.session, patch);
        if let Some(model) = model {
            let patch = SessionPatch {
                model: set(model),
                ..SessionPatch::default()
            };
            self.facts.session(self.session, patch);
        }
        let thoughts = self.value["thoughts"].as_array();
        for (place, thought) in thoughts.into_iter().flatten().enumerate() {
            let id = format!("thought-{place}");
            let (subject, about) = (thought["subject"].as_str(), thought["description"].as_str());
            if subject.or(about).is_none() {
                self.keep(&id, thought);
                continue;
            }
            let [subject, about] = [subject, about].map(Option::unwrap_or_default);
            let said = format!("{subject}\n{about}");
            self.part(&id, words::THINKING, said.trim());
        }
        if !content.text.is_empty() {
            self.part("text", words::TEXT, &content.text);
        }
        for (place, part) in content.rest.iter().enumerate() {
            self.attached(place, part);
        }
    }

    /// Says what is no text in a content: what stands for a file's bytes, or for the file.
    fn attached(&mut self, place: usize, part: &Value) {
        let told = ["inlineData", "fileData"].into_iter().find_map(|name| {
            let reference = match name {
                "inlineData" => reference::of_bytes(text(part, &[name, "data"])?),
                _ => reference::of_address(text(part, &[name, "fileUri"])?),
            };
            Some((reference, text(part, &[name, "mimeType"])))
        });
        let Some((reference, media_type)) = told else {
            return self.keep(&format!("raw-{place}"), part);
        };
        let is_image = media_type.is_some_and(|kind| kind.starts_with("image/"));
        self.order += 1;
        let part = Part {
            message_id: owned(self.id),
            id: format!("file-{place}").into(),
            kind: if is_image { words::IMAGE } else { words::FILE }.into(),
            order: self.order,
            media_type: media_type.map(owned),
            reference: Some(reference.into()),
            ..Part::default()
        };
        self.facts.part(self.session, part);
    }

    /// Keeps what can't be named as it stands.
    pub(super) fn keep(&mut self, id: &str, value: &Value) {
        self.understood = false;
        self.part(id, words::RAW, &value.to_string());
    }

    fn part(&mut self, id: &str, kind: &'static str, said: &str) {
        self.order += 1;
        let part = Part {
            message_id: owned(self.id),
            id: owned(id),
            kind: kind.into(),
            order: self.order,
            text: owned(said),
            ..Part::default()
        };
        self.facts.part(self.session, part);
        let pieces = (said.len() / TEXT_CHARS_MAX) as i64;
        self.order += if pieces > 0 { pieces + 1 } else { 0 };
    }

    /// Says what the model has answered.
    pub(super) fn answer(&mut self, content: &Content<'_>) {
        let order = self.order;
        self.say(words::ASSISTANT, None, content);
        self.used(order);
        let calls = self.value["toolCalls"].as_array();
        for (place, call) in calls.into_iter().flatten().enumerate() {
            self.call(place, call);
        }
    }

    /// What the response has used, if that can be read; else it is kept as it stands.
    fn used(&mut self, order: i64) {
        let tokens = &self.value["tokens"];
        if !tokens.is_object() {
            return;
        }
        let names = ["input", "output", "cached", "thoughts", "tool"];
        let Some([input, output, cached, thoughts, tool]) =
            counts(tokens, names.each_ref().map(std::slice::from_ref))
        else {
            let id = format!("{}.usage", self.id);
            self.facts
                .raw(self.session, &id, &tokens.to_string(), order);
            self.understood = false;
            return;
        };
        let usage = Usage {
            id: owned(self.id),
            order,
            message_id: Some(owned(self.id)),
            model: text(self.value, &["model"]).map(owned),
            at: self.at,
            // The input includes what came from the cache; thoughts are told beside the output.
            input: input.saturating_sub(cached).saturating_add(tool),
            output: output.saturating_add(thoughts),
            cache_read: cached,
            reasoning: thoughts,
            ..Usage::default()
        };
        self.facts.say(self.session, Piece::Usage(usage));
    }

    fn call(&mut self, place: usize, call: &Value) {
        let by_place = format!("{}.{place}", self.id);
        let id = text(call, &["id"]).unwrap_or(&by_place);
        self.order += 1;
        let name = text(call, &["name"]).unwrap_or_default();
        let status = text(call, &["status"]);
        let success = match status {
            Some("success") => Some(true),
            Some("error" | "cancelled") => Some(false),
            _ => None,
        };
        let paths = ["file_path", "absolute_path", "path"];
        let path = paths.iter().find_map(|name| text(call, &["args", name]));
        let files = action_of_tool(name).zip(path).map(|(action, path)| {
            vec![FileTouch {
                path: owned(path),
                action: action.into(),
            }]
        });
        let child = text(call, &["agentId"]);
        let child = child.map(|child| SessionKey::plain(child).id(AGENT).to_string());
        let output = output_of(call);
        let patch = ToolPatch {
            id: owned(id),
            message_id: set(self.id),
            name: set(name),
            at: time_of(text(call, &["timestamp"])).or(self.at).into(),
            status: set_some(status),
            success: success.into(),
            error: set_some(output.as_deref().filter(|_| success == Some(false))),
            files: files.into(),
            child_session: set_some(child.as_deref()),
            order: Some(self.order).into(),
            ..ToolPatch::default()
        };
        self.facts.tool(self.session, patch);
        let input = call.get("args").map(Value::to_string);
        for (kind, said) in [(words::TOOL_INPUT, input), (words::TOOL_OUTPUT, output)] {
            if let Some(said) = said {
                self.order += (said.len() / TEXT_CHARS_MAX) as i64;
                self.facts
                    .tool_text(self.session, id, kind, said, self.order);
            }
        }
    }

    pub(super) fn failed(&mut self, content: &Content<'_>) {
        for (place, part) in content.rest.iter().enumerate() {
            self.keep(&format!("raw-{place}"), part);
        }
        let patch = ErrorPatch {
            id: owned(self.id),
            message: set_some(Some(&content.text)),
            at: self.at.into(),
            order: Some(self.order).into(),
            ..ErrorPatch::default()
        };
        self.facts.say(self.session, Piece::Error(patch));
    }
}

/// What a call has given: what the model was told, else what the person was shown.
fn output_of(call: &Value) -> Option<String> {
    let told = match &call["result"] {
        Value::Array(results) => results.iter().flat_map(given).collect(),
        result => plain(result).into_iter().collect::<Vec<_>>(),
    };
    match told.is_empty() {
        false => Some(told.join("\n")),
        true => plain(&call["resultDisplay"]),
    }
}

/// What a part of a result says, with what is in it.
fn given(result: &Value) -> Vec<String> {
    if let Some(data) = text(result, &["inlineData", "data"]) {
        let kind = text(result, &["inlineData", "mimeType"]).unwrap_or("file");
        return vec![reference::bytes_in_output(kind, data)];
    }
    let Some(response) = result["functionResponse"].get("response") else {
        return plain(result.get("text").unwrap_or(result))
            .into_iter()
            .collect();
    };
    let output = text(response, &["output"]).or_else(|| text(response, &["error"]));
    let output = output.map_or_else(|| response.to_string(), str::to_owned);
    let parts = result["functionResponse"]["parts"].as_array();
    let parts = parts.into_iter().flatten().flat_map(given);
    std::iter::once(output).chain(parts).collect()
}
