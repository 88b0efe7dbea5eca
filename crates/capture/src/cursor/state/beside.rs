//! What goes with what was said: what a person attached, a call, an error.

use serde_json::{Map, Value};
use syncline_model::Timestamp;
use syncline_model::session::{Change, ErrorPatch, FileTouch, Part, Piece, ToolPatch, words};

use super::Place;
use crate::facts::{action_of_tool, owned, set, set_some};
use crate::reference;
use crate::value::{plain, text};

/// Where attached images and files are listed, and what they are.
const ATTACHED: [(&[&str], &str); 4] = [
    (&["images"], words::IMAGE),
    (&["context", "selectedImages"], words::IMAGE),
    (&["context", "fileSelections"], words::FILE),
    (&["context", "selections"], words::FILE),
];
/// Where an attached thing tells what it is, the best first.
const NAMES: [&[&str]; 6] = [
    &["path"],
    &["uri", "fsPath"],
    &["uri", "path"],
    &["url"],
    &["data"],
    &["uuid"],
];

impl Place<'_> {
    /// What stands for what was attached; of the selected lines of a file, the lines too.
    pub(super) fn attached(
        &mut self,
        message: &str,
        bubble: &Value,
        at: Option<Timestamp>,
    ) -> Vec<Part<'static>> {
        let mut parts: Vec<Part<'static>> = Vec::new();
        for (path, kind) in ATTACHED {
            let listed = path.iter().fold(bubble, |value, name| &value[*name]);
            for thing in listed.as_array().into_iter().flatten() {
                let reference = reference_of(thing);
                let said = text(thing, &["text"]).unwrap_or_default();
                let is_listed =
                    |part: &Part<'_>| part.reference.as_deref() == Some(reference.as_str());
                if said.is_empty() && parts.iter().any(is_listed) {
                    continue;
                }
                parts.push(Part {
                    message_id: owned(message),
                    id: format!("attached-{}", parts.len()).into(),
                    kind: kind.into(),
                    order: self.next_order(at, said),
                    text: owned(said),
                    reference: Some(reference.into()),
                    ..Part::default()
                });
            }
        }
        parts
    }

    /// Says what the editor shows to have gone wrong.
    pub(super) fn failed(
        &mut self,
        message: &str,
        bubble: &Value,
        order: i64,
        at: Option<Timestamp>,
    ) {
        let error = &bubble["errorDetails"];
        let said = ["message", "detail", "error"];
        let said = said.iter().find_map(|name| text(error, &[name]));
        let said = said.map(str::to_owned).or_else(|| plain(error));
        let Some(said) = said.filter(|said| said != "{}") else {
            return;
        };
        let patch = ErrorPatch {
            id: owned(message),
            kind: set_some(text(error, &["title"])),
            message: set(&said),
            message_id: set(message),
            at: at.into(),
            order: Some(order).into(),
            ..ErrorPatch::default()
        };
        self.facts.say(self.session, Piece::Error(patch));
    }

    /// Says what was called; whether it is known what that was.
    pub(super) fn tool(
        &mut self,
        message: &str,
        bubble: &Value,
        order: i64,
        at: Option<Timestamp>,
    ) -> bool {
        let call = &bubble["toolFormerData"];
        let numbered = call["tool"].as_i64().map(|number| format!("tool-{number}"));
        let Some(name) = text(call, &["name"]).or(numbered.as_deref()) else {
            let is_empty = call.as_object().is_none_or(Map::is_empty);
            if is_empty {
                return true;
            }
            let id = format!("{message}.call");
            self.facts.raw(self.session, &id, &call.to_string(), order);
            return false;
        };
        let id = text(call, &["toolCallId"]).unwrap_or(message);
        let status = text(call, &["status"]);
        // A command that has failed is completed all the same.
        let outcome = text(call, &["additionalData", "status"]);
        let success = match (status, outcome) {
            (_, Some("error" | "rejected")) | (Some("error" | "cancelled"), _) => Some(false),
            (Some("completed"), _) => Some(true),
            _ => None,
        };
        let input = plain(&call["rawArgs"]).or_else(|| plain(&call["params"]));
        let arguments = input.as_deref().map(serde_json::from_str::<Value>);
        let arguments = arguments.and_then(Result::ok).unwrap_or_default();
        let paths = ["target_file", "file_path", "path", "relativeWorkspacePath"];
        let path = paths.iter().find_map(|name| text(&arguments, &[name]));
        let files = action_of_tool(name).zip(path).map(|(action, path)| {
            vec![FileTouch {
                path: owned(path),
                action: action.into(),
            }]
        });
        let patch = ToolPatch {
            id: owned(id),
            message_id: set(message),
            name: set(name),
            at: at.into(),
            status: set_some(status),
            success: success.into(),
            error: set_some(error_of(call).as_deref()),
            files: files.into(),
            // A transcript that has given way may have told of it by the same id.
            copied_from: Change::Clear,
            order: Some(order).into(),
            ..ToolPatch::default()
        };
        self.facts.tool(self.session, patch);
        let output = plain(&call["result"]);
        for (kind, said) in [(words::TOOL_INPUT, input), (words::TOOL_OUTPUT, output)] {
            if let Some(said) = said {
                self.facts.tool_text(self.session, id, kind, said, order);
            }
        }
        true
    }
}

/// The path or address of an attached thing, or else what stands for its bytes.
fn reference_of(thing: &Value) -> String {
    let named = NAMES.iter().find_map(|path| text(thing, path));
    match named.or(thing.as_str()) {
        Some(data) if text(thing, &["data"]) == Some(data) => reference::of_bytes(data),
        Some(named) => reference::of_address(named),
        None => reference::of_bytes(&thing.to_string()),
    }
}

/// Why a call failed: what the editor shows of it, where that is told apart.
fn error_of(call: &Value) -> Option<String> {
    let error = plain(&call["error"])?;
    let told: Value = serde_json::from_str(&error).unwrap_or_default();
    let shown = ["clientVisibleErrorMessage", "modelVisibleErrorMessage"];
    let shown = shown.iter().find_map(|name| text(&told, &[name]));
    Some(shown.map_or_else(|| error.clone(), str::to_owned))
}
