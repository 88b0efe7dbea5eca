//! Calls of tools, and what they have given.

use serde_json::Value;
use syncline_model::session::{FileTouch, ToolPatch, words};

use super::Reader;
use crate::facts::{action_of_tool, owned, set, set_some};
use crate::value::text;

impl Reader<'_> {
    pub(super) fn call(&mut self, number: &str, place: usize, block: &Value) {
        let name = text(block, &["name"]).unwrap_or_default();
        let own = format!("{number}.{place}");
        let id = text(block, &["id"]).unwrap_or(&own);
        let paths = ["path", "file_path", "target_file"];
        let path = paths.iter().find_map(|name| text(block, &["input", name]));
        let files = action_of_tool(name).zip(path).map(|(action, path)| {
            vec![FileTouch {
                path: owned(path),
                action: action.into(),
            }]
        });
        let input = block.get("input").map(Value::to_string).unwrap_or_default();
        let order = self.next_order(&input);
        let patch = ToolPatch {
            id: owned(id),
            message_id: set(number),
            name: set(name),
            at: self.at().into(),
            files: files.into(),
            order: Some(order).into(),
            ..ToolPatch::default()
        };
        self.facts.tool(self.session, patch);
        self.facts
            .tool_text(self.session, id, words::TOOL_INPUT, input, order);
        self.memory.unanswered.push_back(id.to_owned());
    }

    /// Says what a call has given: the one that is named, else the first that nothing has answered yet. Where
    /// there is none, it is kept as it stands.
    pub(super) fn result(&mut self, number: &str, place: usize, block: &Value) -> bool {
        let unanswered = &mut self.memory.unanswered;
        let id = match text(block, &["tool_use_id"]) {
            Some(id) => {
                unanswered.retain(|call| call != id);
                Some(id.to_owned())
            }
            None => unanswered.pop_front(),
        };
        let Some(id) = id.as_deref() else {
            let said = block.to_string();
            let order = self.next_order(&said);
            let id = format!("{number}.{place}");
            self.facts.raw(self.session, &id, &said, order);
            return false;
        };
        let output = match &block["content"] {
            Value::Null => String::new(),
            Value::String(said) => said.clone(),
            Value::Array(blocks) => blocks.iter().map(shown).collect::<Vec<_>>().join("\n"),
            other => other.to_string(),
        };
        let failed = block["is_error"] == true;
        let patch = ToolPatch {
            id: owned(id),
            success: Some(!failed).into(),
            error: set_some(failed.then_some(output.as_str())),
            ..ToolPatch::default()
        };
        self.facts.tool(self.session, patch);
        let order = self.next_order(&output);
        self.facts
            .tool_text(self.session, id, words::TOOL_OUTPUT, output, order);
        true
    }
}

/// What a block of an output says; one that is no text stays as it stands.
fn shown(block: &Value) -> String {
    text(block, &["text"]).map_or_else(|| block.to_string(), str::to_owned)
}
