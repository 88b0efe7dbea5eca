//! The shapes of lines. What is not named here is passed over.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::value::count_or_none;

/// A line of any kind.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Line<'l> {
    #[serde(borrow)]
    pub timestamp: Option<Cow<'l, str>>,
    #[serde(rename = "type", borrow)]
    pub kind: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub record_type: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub id: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub payload: Option<&'l RawValue>,
}

/// The header of a session.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Meta<'l> {
    #[serde(borrow)]
    pub id: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub session_id: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub forked_from_id: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub timestamp: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub cwd: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub originator: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub cli_version: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub model_provider: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub source: Option<&'l RawValue>,
    #[serde(borrow)]
    pub git: Option<Git<'l>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Git<'l> {
    #[serde(borrow)]
    pub commit_hash: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub branch: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub repository_url: Option<Cow<'l, str>>,
}

impl Meta<'_> {
    /// Whether the session is that of a subagent.
    pub(super) fn is_subagent(&self) -> bool {
        let source = self.source.map(RawValue::get).unwrap_or_default();
        source.contains("subagent")
    }

    /// The session that it was forked from, or that has called it.
    pub(super) fn parent(&self) -> Option<String> {
        if let Some(parent) = &self.forked_from_id {
            return Some(parent.to_string());
        }
        let source = self.source.map(RawValue::get).unwrap_or_default();
        let source: serde_json::Value = serde_json::from_str(source).ok()?;
        parent_in(&source).map(str::to_owned)
    }
}

/// The thread that a source names as its parent, at whatever depth.
fn parent_in(source: &serde_json::Value) -> Option<&str> {
    let fields = source.as_object()?;
    let named = fields.get("parent_thread_id").and_then(|id| id.as_str());
    named.or_else(|| fields.values().find_map(parent_in))
}

/// What a turn begins with.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TurnContext<'l> {
    #[serde(borrow)]
    pub model: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub cwd: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub approval_policy: Option<Cow<'l, str>>,
}

/// A running total of tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Totals {
    #[serde(deserialize_with = "count_or_none")]
    pub input_tokens: u64,
    #[serde(deserialize_with = "count_or_none")]
    pub cached_input_tokens: u64,
    #[serde(deserialize_with = "count_or_none")]
    pub output_tokens: u64,
    #[serde(deserialize_with = "count_or_none")]
    pub reasoning_output_tokens: u64,
}

impl Totals {
    /// What has come since `before`. A total that has shrunk began anew.
    pub(super) fn since(&self, before: &Self) -> Self {
        let shrunk =
            self.input_tokens < before.input_tokens || self.output_tokens < before.output_tokens;
        if shrunk {
            return *self;
        }
        Self {
            input_tokens: self.input_tokens - before.input_tokens,
            cached_input_tokens: self
                .cached_input_tokens
                .saturating_sub(before.cached_input_tokens),
            output_tokens: self.output_tokens - before.output_tokens,
            reasoning_output_tokens: self
                .reasoning_output_tokens
                .saturating_sub(before.reasoning_output_tokens),
        }
    }
}

/// An event, of any kind.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event<'l> {
    #[serde(rename = "type", borrow)]
    pub kind: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub message: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub images: Option<Vec<Cow<'l, str>>>,
    #[serde(borrow)]
    pub local_images: Option<Vec<Cow<'l, str>>>,
    pub info: Option<Info>,
    #[serde(borrow)]
    pub call_id: Option<Cow<'l, str>>,
    pub exit_code: Option<i64>,
    pub success: Option<bool>,
    #[serde(borrow)]
    pub changes: Option<&'l RawValue>,
    pub num_turns: Option<usize>,
    #[serde(borrow)]
    pub reason: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub item: Option<&'l RawValue>,
}

/// An item that an event says is whole.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DoneItem<'l> {
    #[serde(rename = "type", borrow)]
    pub kind: Option<Cow<'l, str>>,
    /// Of a command, that of its call.
    #[serde(borrow)]
    pub id: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub content: Option<Vec<PromptPart<'l>>>,
    pub exit_code: Option<i64>,
}

/// A part of a prompt.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PromptPart<'l> {
    #[serde(borrow)]
    pub text: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub image_url: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub path: Option<Cow<'l, str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Info {
    pub total_token_usage: Option<Totals>,
}

/// An item of a conversation, of any kind.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Item<'l> {
    #[serde(rename = "type", borrow)]
    pub kind: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub role: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub content: Option<&'l RawValue>,
    #[serde(borrow)]
    pub summary: Option<&'l RawValue>,
    #[serde(borrow)]
    pub name: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub arguments: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub input: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub call_id: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub status: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub action: Option<&'l RawValue>,
    #[serde(borrow)]
    pub output: Option<&'l RawValue>,
}

/// A part of an item's content.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Block<'l> {
    #[serde(rename = "type", borrow)]
    pub kind: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub text: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub image_url: Option<Cow<'l, str>>,
}

/// A compaction.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Compacted<'l> {
    #[serde(borrow)]
    pub message: Option<Cow<'l, str>>,
}
