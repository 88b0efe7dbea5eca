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

/// A part of an item's content: a text, an image, or what is neither and stays as it stands.
#[derive(Debug, Default)]
pub(super) struct Block<'l> {
    pub text: Option<Cow<'l, str>>,
    pub image_url: Option<Cow<'l, str>>,
    pub raw: &'l str,
}

impl<'l> Block<'l> {
    /// The parts of a content: a list of them, or one alone. What is null says nothing.
    pub(super) fn all_of(content: Option<&'l RawValue>) -> Vec<Self> {
        let content = content.map(RawValue::get).unwrap_or_default();
        let listed: Option<Vec<&RawValue>> = serde_json::from_str(content).ok();
        let all = listed.map_or_else(
            || vec![content],
            |listed| listed.into_iter().map(RawValue::get).collect(),
        );
        let told = all.into_iter().filter(|raw| !["", "null"].contains(raw));
        told.map(Self::of).collect()
    }

    fn of(raw: &'l str) -> Self {
        let fields: Fields<'_> = match serde_json::from_str(raw) {
            Ok(text) => Fields {
                text: Some(text),
                image_url: None,
            },
            Err(_) => serde_json::from_str(raw).unwrap_or_default(),
        };
        Self {
            text: fields.text,
            image_url: fields.image_url,
            raw,
        }
    }

    /// Whether it is a text or an image.
    pub(super) fn is_understood(&self) -> bool {
        self.text.is_some() || self.image_url.is_some()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fields<'l> {
    #[serde(borrow)]
    text: Option<Cow<'l, str>>,
    #[serde(borrow)]
    image_url: Option<Cow<'l, str>>,
}

/// A compaction.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Compacted<'l> {
    #[serde(borrow)]
    pub message: Option<Cow<'l, str>>,
}
