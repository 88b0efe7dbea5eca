//! Items of the conversation: what the model said and thought, its calls and their results.

use serde_json::value::RawValue;
use syncline_model::session::{FileTouch, MessagePatch, Part, ToolPatch, words};

use super::line::{Block, Item};
use super::output::Output;
use super::prompt::is_injected;
use super::{Owner, Reader};
use crate::facts::{Verdict, owned, set, set_some};
use crate::reference;

/// What the tool that changes files takes.
const PATCH_MARKS: [(&str, &str); 3] = [
    ("*** Add File: ", words::WRITE),
    ("*** Update File: ", words::EDIT),
    ("*** Delete File: ", words::DELETE),
];

impl Reader<'_, '_> {
    pub(super) fn item(&mut self, owner: Owner, payload: &str) -> Verdict {
        let Ok(item) = serde_json::from_str::<Item<'_>>(payload) else {
            return self.unknown(owner);
        };
        match item.kind.as_deref() {
            Some("message") => self.message(owner, &item),
            Some("reasoning") => self.reasoning(owner, &item),
            Some("function_call" | "custom_tool_call" | "local_shell_call" | "web_search_call") => {
                self.call(owner, &item)
            }
            Some("function_call_output" | "custom_tool_call_output") => self.result(owner, &item),
            Some("ghost_snapshot") => Verdict::Idle,
            _ => self.unknown(owner),
        }
    }

    fn message(&mut self, owner: Owner, item: &Item<'_>) -> Verdict {
        let role = item.role.as_deref().unwrap_or_default();
        let blocks = Block::all_of(item.content);
        if role == words::ASSISTANT {
            let message = self.speaking(owner);
            return self.blocks(owner, &message, words::TEXT, &blocks);
        }
        // What the model was told besides is kept apart.
        let is_context = role != words::USER || blocks.iter().any(is_injected);
        if !is_context {
            let verdict = self.prompted_by_item(owner, item, &blocks);
            return match blocks.iter().all(Block::is_understood) {
                true => verdict,
                false => self.unknown(owner),
            };
        }
        let id = self.id_of("context");
        let order = self.next_order("");
        let patch = MessagePatch {
            id: owned(&id),
            role: set(role),
            kind: set("meta"),
            at: self.at.into(),
            copied_from: Self::copied(owner),
            order: Some(order).into(),
            ..MessagePatch::default()
        };
        self.facts.message(owner.id, patch);
        self.blocks(owner, &id, words::TEXT, &blocks)
    }

    /// The message that the model is speaking: all that it says between two results of tools.
    fn speaking(&mut self, owner: Owner) -> String {
        if let Some(message) = &self.memory.speaking {
            return message.clone();
        }
        self.answer_prompts();
        let id = self.id_of("assistant");
        if let Some(turn) = self.memory.turns.back_mut() {
            turn.push(id.clone());
        }
        let order = self.next_order("");
        let model = Some(self.memory.model.as_str());
        let patch = MessagePatch {
            id: owned(&id),
            role: set(words::ASSISTANT),
            model: set_some(model),
            provider: set_some(Some(&self.memory.provider)),
            at: self.at.into(),
            copied_from: Self::copied(owner),
            order: Some(order).into(),
            ..MessagePatch::default()
        };
        self.facts.message(owner.id, patch);
        self.memory.speaking = Some(id.clone());
        self.memory.spoken = Some(id.clone());
        id
    }

    fn reasoning(&mut self, owner: Owner, item: &Item<'_>) -> Verdict {
        let mut thoughts = Block::all_of(item.summary);
        thoughts.extend(Block::all_of(item.content));
        let message = self.speaking(owner);
        self.blocks(owner, &message, words::THINKING, &thoughts)
    }

    fn blocks(
        &mut self,
        owner: Owner,
        message: &str,
        kind: &'static str,
        blocks: &[Block<'_>],
    ) -> Verdict {
        for block in blocks {
            let image = block.image_url.as_deref().map(reference::of_address);
            let (kind, text) = match (&image, &block.text) {
                (Some(_), text) => (words::IMAGE, text.as_deref().unwrap_or_default()),
                (None, Some(text)) => (kind, text.as_ref()),
                (None, None) => (words::RAW, block.raw),
            };
            self.memory.counted += 1;
            let part = Part {
                message_id: owned(message),
                // Counted in the file, so that a copy of it counts alike.
                id: format!("{}", self.memory.counted).into(),
                kind: kind.into(),
                order: self.next_order(text),
                text: owned(text),
                reference: image.map(Into::into),
                ..Part::default()
            };
            self.facts.part(owner.id, part);
        }
        match blocks.iter().all(Block::is_understood) {
            true => Verdict::New,
            false => Verdict::NotUnderstood,
        }
    }

    fn call(&mut self, owner: Owner, item: &Item<'_>) -> Verdict {
        let message = self.speaking(owner);
        let id = match item.call_id.as_deref() {
            Some(id) => id.to_owned(),
            None => self.id_of("call"),
        };
        let name = match (item.name.as_deref(), item.kind.as_deref()) {
            (Some(name), _) => name.to_owned(),
            (None, kind) => kind
                .unwrap_or_default()
                .trim_end_matches("_call")
                .to_owned(),
        };
        let input = item.arguments.as_deref().or(item.input.as_deref());
        let input = input.or(item.action.map(RawValue::get)).unwrap_or_default();
        let order = self.next_order(input);
        self.begin_call(&id);
        let patch = ToolPatch {
            id: owned(&id),
            message_id: set(&message),
            name: set(&name),
            at: self.at.into(),
            status: set_some(item.status.as_deref()),
            files: files_of_patch(input).into(),
            copied_from: Self::copied(owner),
            order: Some(order).into(),
            ..ToolPatch::default()
        };
        self.facts.tool(owner.id, patch);
        self.facts
            .tool_text(owner.id, &id, words::TOOL_INPUT, input.to_owned(), order);
        Verdict::New
    }

    fn result(&mut self, owner: Owner, item: &Item<'_>) -> Verdict {
        let Some(id) = item.call_id.as_deref() else {
            return self.unknown(owner);
        };
        let result = Output::of(item.output);
        let order = self.next_order(&result.text);
        // Lines that are repeated in a fork are all of one time.
        let measured = self.end_call(id);
        let failed =
            result.exit_code.is_some_and(|code| code != 0) || result.success == Some(false);
        let patch = ToolPatch {
            id: owned(id),
            completed_at: self.at.into(),
            duration_ms: result.duration_ms.or(measured).into(),
            success: Some(!failed).into(),
            exit_code: result.exit_code.into(),
            error: set_some(failed.then_some(result.text.as_str())),
            ..ToolPatch::default()
        };
        self.facts.tool(owner.id, patch);
        self.facts
            .tool_text(owner.id, id, words::TOOL_OUTPUT, result.text, order);
        // What the model says next is another response.
        self.memory.speaking = None;
        Verdict::New
    }
}

/// The files that a patch names.
fn files_of_patch(input: &str) -> Option<Vec<FileTouch<'static>>> {
    if !input.contains("*** Begin Patch") {
        return None;
    }
    // In a command's arguments, line breaks are written as escapes.
    let lines = input.split('\n').flat_map(|line| line.split("\\n"));
    let files = lines.filter_map(|line| {
        let (mark, action) = PATCH_MARKS
            .iter()
            .find(|(mark, _)| line.starts_with(mark))?;
        Some(FileTouch {
            path: owned(line[mark.len()..].trim()),
            action: (*action).into(),
        })
    });
    Some(files.collect())
}
