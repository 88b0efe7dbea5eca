//! The shapes of lines. What is not named here is passed over.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use syncline_model::session::Usage;

use crate::value::count_if_any;

/// A line of any kind.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Line<'l> {
    #[serde(rename = "type", borrow)]
    pub kind: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub subtype: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub uuid: Option<Cow<'l, str>>,
    /// What a fork calls a line that goes by what its origin calls it.
    #[serde(skip)]
    pub own_uuid: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub parent_uuid: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub session_id: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub timestamp: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub cwd: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub version: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub git_branch: Option<Cow<'l, str>>,
    pub is_sidechain: Option<bool>,
    #[serde(borrow)]
    pub agent_id: Option<Cow<'l, str>>,
    pub is_meta: Option<bool>,
    pub is_compact_summary: Option<bool>,
    pub is_api_error_message: Option<bool>,
    #[serde(borrow)]
    pub request_id: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub permission_mode: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub message: Option<&'l RawValue>,
    #[serde(borrow)]
    pub tool_use_result: Option<&'l RawValue>,
    #[serde(borrow)]
    pub error: Option<&'l RawValue>,
    /// What the agent itself says, or a person has queued.
    #[serde(borrow)]
    pub content: Option<&'l RawValue>,
    /// What is done to the queue of prompts.
    #[serde(borrow)]
    pub operation: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub attachment: Option<&'l RawValue>,
    #[serde(borrow)]
    pub compact_metadata: Option<CompactMetadata<'l>>,
    #[serde(borrow)]
    pub summary: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub leaf_uuid: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub custom_title: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub forked_from: Option<ForkedFrom<'l>>,
    #[serde(borrow)]
    pub ai_title: Option<Cow<'l, str>>,
}

impl Line<'_> {
    /// What an error of the service says.
    pub(super) fn error_text(&self) -> Option<String> {
        let raw = self.error?.get();
        let text = serde_json::from_str::<String>(raw).ok();
        Some(text.unwrap_or_else(|| raw.to_owned()))
    }
}

/// Where a line stood that a fork repeats.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ForkedFrom<'l> {
    #[serde(borrow)]
    pub session_id: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub message_uuid: Option<Cow<'l, str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct CompactMetadata<'l> {
    #[serde(borrow)]
    pub trigger: Option<Cow<'l, str>>,
    #[serde(deserialize_with = "count_if_any")]
    pub pre_tokens: Option<u64>,
}

/// What was put beside a conversation.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Attachment<'l> {
    #[serde(rename = "type", borrow)]
    pub kind: Option<Cow<'l, str>>,
    /// What was in the queue: `prompt`, or what the agent itself has put there.
    #[serde(borrow)]
    pub command_mode: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub prompt: Option<Content<'l>>,
}

/// The message of a `user` or `assistant` line.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message<'l> {
    #[serde(borrow)]
    pub id: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub model: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub content: Option<Content<'l>>,
    #[serde(borrow)]
    pub stop_reason: Option<Cow<'l, str>>,
    /// Read apart: what can't be read of it takes nothing from what was said.
    #[serde(borrow)]
    pub usage: Option<&'l RawValue>,
}

/// The content of a message, or of what a tool has given.
#[derive(Debug)]
pub(super) enum Content<'l> {
    Text(Cow<'l, str>),
    Blocks(Vec<Block<'l>>),
}

impl<'de: 'l, 'l> Deserialize<'de> for Content<'l> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor(PhantomData))
    }
}

struct ContentVisitor<'l>(PhantomData<Content<'l>>);

impl<'de: 'l, 'l> Visitor<'de> for ContentVisitor<'l> {
    type Value = Content<'l>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, or blocks")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Content<'l>, E> {
        Ok(Content::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Content<'l>, E> {
        Ok(Content::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut blocks: A) -> Result<Content<'l>, A::Error> {
        let mut all = Vec::new();
        // What is null in a list says nothing, and takes nothing from what is beside it.
        while let Some(block) = blocks.next_element::<Option<&'de RawValue>>()? {
            all.extend(block.map(|raw| Block::of(raw.get())));
        }
        Ok(Content::Blocks(all))
    }
}

/// What a response has used, as far as a line knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Spent {
    #[serde(deserialize_with = "count_if_any")]
    input_tokens: Option<u64>,
    #[serde(deserialize_with = "count_if_any")]
    output_tokens: Option<u64>,
    #[serde(deserialize_with = "count_if_any")]
    cache_creation_input_tokens: Option<u64>,
    #[serde(deserialize_with = "count_if_any")]
    cache_read_input_tokens: Option<u64>,
    cache_creation: Option<CacheCreation>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct CacheCreation {
    #[serde(deserialize_with = "count_if_any")]
    ephemeral_5m_input_tokens: Option<u64>,
    #[serde(deserialize_with = "count_if_any")]
    ephemeral_1h_input_tokens: Option<u64>,
}

impl Spent {
    /// What `raw` says, if anything; as it stands where it can't be read.
    pub(super) fn of(raw: &RawValue) -> Result<Option<Self>, &str> {
        let raw = raw.get();
        // What is in a list would be taken for tokens by its place.
        let is_list = raw.starts_with('[');
        let spent = serde_json::from_str(raw).ok().filter(|_| !is_list);
        spent.ok_or(raw)
    }

    /// As a usage that has yet to be told whose it is.
    pub(super) fn usage(&self) -> Usage<'static> {
        let written = self.cache_creation_input_tokens.unwrap_or_default();
        let split = self.cache_creation.as_ref();
        let an_hour = split.and_then(|split| split.ephemeral_1h_input_tokens);
        let an_hour = an_hour.unwrap_or_default();
        let five_minutes = split.and_then(|split| split.ephemeral_5m_input_tokens);
        Usage {
            input: self.input_tokens.unwrap_or_default(),
            output: self.output_tokens.unwrap_or_default(),
            cache_read: self.cache_read_input_tokens.unwrap_or_default(),
            // Where the split says nothing, or less than the sum, the rest is of the usual kind.
            cache_write_5m: five_minutes
                .unwrap_or_default()
                .max(written.saturating_sub(an_hour)),
            cache_write_1h: an_hour,
            ..Usage::default()
        }
    }
}

/// A block of a message's content.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Block<'l> {
    /// All of it, as it stands.
    #[serde(skip)]
    pub raw: &'l str,
    #[serde(rename = "type", borrow)]
    pub kind: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub text: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub thinking: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub id: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub name: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub input: Option<&'l RawValue>,
    #[serde(borrow)]
    pub tool_use_id: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub content: Option<&'l RawValue>,
    pub is_error: Option<bool>,
    #[serde(borrow)]
    pub source: Option<Source<'l>>,
    /// Of a document.
    #[serde(borrow)]
    pub title: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub context: Option<Cow<'l, str>>,
}

impl<'l> Block<'l> {
    /// The block that `raw` is, read apart from those beside it. Of one that can't be read no more than its
    /// kind is told; a mere text says what a block of text does.
    fn of(raw: &'l str) -> Self {
        if raw.starts_with('"') {
            return Self {
                raw,
                kind: Some("text".into()),
                text: serde_json::from_str(raw).ok(),
                ..Self::default()
            };
        }
        // What is in a list would be taken for fields by its place.
        let is_object = raw.starts_with('{');
        match serde_json::from_str::<Self>(raw) {
            Ok(block) if is_object => Self { raw, ..block },
            _ => Self {
                raw,
                kind: kind_of(raw),
                ..Self::default()
            },
        }
    }

    /// Whether it calls a tool, of the agent's, of a server's or of the model's own service.
    pub(super) fn is_call(&self) -> bool {
        self.is_of("tool_use")
    }

    /// Whether it is what such a call has given.
    pub(super) fn is_result(&self) -> bool {
        self.is_of("tool_result")
    }

    fn is_of(&self, family: &str) -> bool {
        let kind = self.kind.as_deref().unwrap_or_default();
        let special = kind.strip_suffix(family);
        special.is_some_and(|special| special.is_empty() || special.ends_with('_'))
    }
}

/// What an object says that it is.
pub(super) fn kind_of(raw: &str) -> Option<Cow<'_, str>> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Kind<'l> {
        #[serde(rename = "type", borrow)]
        kind: Option<Cow<'l, str>>,
    }
    let kind: Kind<'_> = serde_json::from_str(raw).ok()?;
    kind.kind
}

/// Where the bytes of an image or document are, or the words of one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Source<'l> {
    #[serde(rename = "type", borrow)]
    pub kind: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub content: Option<&'l RawValue>,
    #[serde(borrow)]
    pub file_id: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub media_type: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub data: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub url: Option<Cow<'l, str>>,
}

/// What a tool call's line says beside its result.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ToolUseResult<'l> {
    #[serde(deserialize_with = "count_if_any")]
    pub duration_ms: Option<u64>,
    #[serde(deserialize_with = "count_if_any")]
    pub total_duration_ms: Option<u64>,
    #[serde(borrow)]
    pub agent_id: Option<Cow<'l, str>>,
}

impl<'l> ToolUseResult<'l> {
    /// What `raw` says; none where it is nothing, or no object. It mostly repeats the result, which is long:
    /// it is read where it has a name that counts.
    pub(super) fn of(raw: &'l RawValue) -> Option<Self> {
        const NAMES: [&[u8]; 2] = [b"urationMs\"", b"agentId\""];
        let text = raw.get().as_bytes();
        let is_there = |name: &&[u8]| memchr::memmem::find(text, name).is_some();
        NAMES.iter().any(is_there).then_some(())?;
        serde_json::from_str(raw.get()).ok()
    }
}

/// The files that a tool's input names.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FilesOfInput<'l> {
    #[serde(borrow)]
    pub file_path: Option<Cow<'l, str>>,
    #[serde(borrow)]
    pub notebook_path: Option<Cow<'l, str>>,
}
