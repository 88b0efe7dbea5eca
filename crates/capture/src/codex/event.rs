//! Events: prompts, what was used, how calls ended, what went wrong.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use syncline_model::session::{
    CompactionPatch, ErrorPatch, FileTouch, MessagePatch, Piece, ToolPatch, Usage, words,
};

use super::line::{Compacted, DoneItem, Event, PromptPart, Totals};
use super::{Owner, Reader};
use crate::facts::{Verdict, owned, set, set_some};

impl Reader<'_, '_> {
    pub(super) fn event(&mut self, owner: Owner, payload: &str) -> Verdict {
        let Ok(event) = serde_json::from_str::<Event<'_>>(payload) else {
            return self.unknown(owner);
        };
        match event.kind.as_deref() {
            Some("user_message") => self.prompted(owner, &event),
            Some("item_completed") => self.item_done(owner, &event),
            Some("token_count") => self.used(owner, &event),
            Some("exec_command_end" | "mcp_tool_call_end") => self.ended(owner, &event),
            Some("patch_apply_end") => self.patched(owner, &event),
            Some("error" | "stream_error") => self.failed(owner, &event, "error"),
            Some("thread_rolled_back") => self.rolled_back(owner, &event),
            Some("turn_aborted") => self.failed(owner, &event, "turn_aborted"),
            // What an item says too, or what is of use while it happens alone.
            Some(
                "agent_message"
                | "agent_reasoning"
                | "agent_reasoning_raw_content"
                | "agent_reasoning_section_break"
                | "task_started"
                | "task_complete"
                | "turn_started"
                | "turn_complete"
                | "exec_command_begin"
                | "exec_command_output_delta"
                | "patch_apply_begin"
                | "mcp_tool_call_begin"
                | "web_search_begin"
                | "web_search_end"
                | "context_compacted"
                | "turn_diff"
                | "background_event"
                | "session_configured"
                | "thread_name_updated"
                | "thread_settings_applied",
            ) => Verdict::Idle,
            _ => self.unknown(owner),
        }
    }

    /// Versions of 2026 tell of prompts, and of how commands ended, as of items.
    fn item_done(&mut self, owner: Owner, event: &Event<'_>) -> Verdict {
        let item = event.item.map(|item| serde_json::from_str(item.get()));
        let Some(Ok(item)) = item else {
            return self.unknown(owner);
        };
        let DoneItem {
            kind,
            id,
            content,
            exit_code,
        } = item;
        match kind.as_deref() {
            Some("UserMessage") => {
                let parts = content.unwrap_or_default();
                let texts = parts.iter().filter_map(|part| part.text.as_deref());
                let images = parts.iter().filter_map(|part| {
                    let image = part.image_url.as_ref().or(part.path.as_ref());
                    image.filter(|_| part.text.is_none()).cloned()
                });
                let told = |part: &PromptPart<'_>| {
                    part.text.is_some() || part.image_url.is_some() || part.path.is_some()
                };
                let understood = parts.iter().all(told);
                let event = Event {
                    kind: event.kind.clone(),
                    message: Some(texts.collect::<Vec<_>>().join("\n").into()),
                    images: Some(images.collect()),
                    ..Event::default()
                };
                let verdict = self.prompted(owner, &event);
                match understood {
                    true => verdict,
                    false => self.unknown(owner),
                }
            }
            Some("CommandExecution") => {
                let event = Event {
                    call_id: id,
                    exit_code,
                    ..Event::default()
                };
                self.ended(owner, &event)
            }
            // What an item of the conversation says too.
            Some(
                "AgentMessage" | "Reasoning" | "FileChange" | "McpToolCall" | "WebSearch"
                | "ContextCompaction" | "HookPrompt" | "ImageView",
            ) => Verdict::Idle,
            _ => self.unknown(owner),
        }
    }

    /// Takes back the latest turns, each a prompt with what follows.
    fn rolled_back(&mut self, owner: Owner, event: &Event<'_>) -> Verdict {
        let count = event.num_turns.unwrap_or_default();
        let turns = &mut self.memory.turns;
        let first = turns.len().saturating_sub(count);
        let ids: Vec<String> = turns.drain(first..).flatten().collect();
        self.memory.speaking = None;
        if ids.is_empty() {
            return Verdict::Idle;
        }
        for id in ids {
            let patch = MessagePatch {
                id: id.into(),
                rewound: Some(true).into(),
                ..MessagePatch::default()
            };
            self.facts.message(owner.id, patch);
        }
        Verdict::New
    }

    /// The difference to the total before is what the latest response has used.
    fn used(&mut self, owner: Owner, event: &Event<'_>) -> Verdict {
        let total = event.info.as_ref().and_then(|info| info.total_token_usage);
        let Some(total) = total else {
            return Verdict::Idle;
        };
        let spent = total.since(&self.memory.total);
        self.memory.total = total;
        if spent == Totals::default() {
            return Verdict::Idle;
        }
        // A response is told of when it has ended: what the model says next is another.
        self.memory.speaking = None;
        let spoken = self.memory.spoken.take();
        if !owner.counts {
            return Verdict::Idle;
        }
        let model = Some(self.memory.model.as_str()).filter(|model| !model.is_empty());
        let usage = Usage {
            model: model.map(owned),
            provider: Some(owned(&self.memory.provider)),
            message_id: spoken.as_deref().map(owned),
            id: self.id_of("usage").into(),
            order: self.next_order(""),
            at: self.at,
            input: spent.input_tokens.saturating_sub(spent.cached_input_tokens),
            output: spent.output_tokens,
            cache_read: spent.cached_input_tokens,
            reasoning: spent.reasoning_output_tokens,
            copied: owner.copied_from.is_some(),
            ..Usage::default()
        };
        if let Some(message) = spoken {
            let patch = MessagePatch {
                id: message.into(),
                response_id: set(&usage.id),
                ..MessagePatch::default()
            };
            self.facts.message(owner.id, patch);
        }
        self.facts.say(owner.id, Piece::Usage(usage));
        Verdict::New
    }

    fn ended(&mut self, owner: Owner, event: &Event<'_>) -> Verdict {
        let Some(id) = event.call_id.as_deref() else {
            return self.unknown(owner);
        };
        let success = event.success.or(event.exit_code.map(|code| code == 0));
        let patch = ToolPatch {
            id: owned(id),
            exit_code: event.exit_code.into(),
            success: success.into(),
            ..ToolPatch::default()
        };
        if patch.is_empty() {
            return Verdict::Idle;
        }
        self.facts.tool(owner.id, patch);
        Verdict::New
    }

    fn patched(&mut self, owner: Owner, event: &Event<'_>) -> Verdict {
        let Some(id) = event.call_id.as_deref() else {
            return self.unknown(owner);
        };
        let changes: Option<BTreeMap<String, ChangeKind>> = event
            .changes
            .and_then(|changes| serde_json::from_str(changes.get()).ok());
        let files = changes.map(|changes| {
            let files = changes.into_iter().map(|(path, change)| FileTouch {
                path: path.into(),
                action: change.action().into(),
            });
            files.collect()
        });
        let patch = ToolPatch {
            id: owned(id),
            success: event.success.into(),
            files: files.into(),
            ..ToolPatch::default()
        };
        self.facts.tool(owner.id, patch);
        Verdict::New
    }

    fn failed(&mut self, owner: Owner, event: &Event<'_>, kind: &str) -> Verdict {
        let message = event.message.as_deref().or(event.reason.as_deref());
        let error = ErrorPatch {
            id: self.id_of("error").into(),
            kind: set(kind),
            message: set_some(message),
            at: self.at.into(),
            copied_from: Self::copied(owner),
            order: Some(self.next_order("")).into(),
            ..ErrorPatch::default()
        };
        self.facts.say(owner.id, Piece::Error(error));
        Verdict::New
    }

    pub(super) fn compacted(&mut self, owner: Owner, payload: &str) -> Verdict {
        let Ok(compacted) = serde_json::from_str::<Compacted<'_>>(payload) else {
            return self.unknown(owner);
        };
        let patch = CompactionPatch {
            id: self.id_of("compaction").into(),
            summary: set_some(compacted.message.as_deref()),
            at: self.at.into(),
            copied_from: Self::copied(owner),
            order: Some(self.next_order("")).into(),
            ..CompactionPatch::default()
        };
        self.facts.say(owner.id, Piece::Compaction(patch));
        Verdict::New
    }
}

/// What a patch does to a file.
#[derive(Debug, serde::Deserialize)]
#[serde(untagged)]
enum ChangeKind {
    Tagged {
        #[serde(rename = "type")]
        kind: String,
    },
    Keyed(BTreeMap<String, IgnoredAny>),
}

impl ChangeKind {
    fn action(&self) -> &'static str {
        let kind = match self {
            Self::Tagged { kind } => kind.as_str(),
            Self::Keyed(fields) => fields.keys().next().map_or("", String::as_str),
        };
        match kind {
            "add" => words::WRITE,
            "delete" => words::DELETE,
            _ => words::EDIT,
        }
    }
}
