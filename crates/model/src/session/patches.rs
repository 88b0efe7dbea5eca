//! What an op may say of each thing in a session.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::Change;
use super::fields::{EachText, FileTouch, IntoCell, is_id};
use crate::{Timestamp, Value};

/// Makes a patch: its key, and fields that merge one by one, in the order of its table's columns.
macro_rules! patch {
    (
        $(#[$doc:meta])*
        $type:ident [$($(#[$key_doc:meta])* $key:ident),*] {
            $($(#[$field_doc:meta])* $field:ident: $kind:ty,)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $type<'a> {
            $($(#[$key_doc])* pub $key: Cow<'a, str>,)*
            $(
                $(#[$field_doc])*
                #[serde(default, skip_serializing_if = "Change::is_keep")]
                pub $field: Change<$kind>,
            )+
        }

        impl<'a> $type<'a> {
            /// The names of the fields, which are those of the columns of its table.
            pub const FIELDS: &'static [&'static str] = &[$(stringify!($field)),+];

            /// Whether it says nothing of any field.
            pub fn is_empty(&self) -> bool {
                true $(&& self.$field.is_keep())+
            }

            /// What both say together: `later`, where it says anything.
            pub fn then(&mut self, later: Self) {
                $(self.$field.then(later.$field);)+
            }

            /// Leaves out the fields for which `keeps` is false, asked by their places.
            pub fn retain(&mut self, mut keeps: impl FnMut(usize) -> bool) {
                let mut place = 0;
                $(
                    if !keeps(place) {
                        self.$field = Change::Keep;
                    }
                    place += 1;
                )+
                debug_assert_eq!(place, Self::FIELDS.len());
            }

            /// Shows each text that is no id to `visit`, which may change it.
            pub fn each_text(&mut self, visit: &mut impl FnMut(&mut Cow<'a, str>)) {
                $(if !is_id(stringify!($key)) {
                    self.$key.each_text(visit);
                })*
                $(if !is_id(stringify!($field)) {
                    self.$field.each_text(visit);
                })+
            }

            /// The key cells below the session's, and what is said of each field.
            pub fn into_cells(self) -> (Vec<Value>, Vec<Change<Value>>) {
                let key = vec![$(Value::Text(self.$key.into_owned())),*];
                (key, vec![$(self.$field.map(IntoCell::into_cell)),+])
            }
        }
    };
}

patch! {
    /// What is said of the session itself.
    SessionPatch [] {
        /// Who ran it: `claude-code`, `codex`, …
        agent: Cow<'a, str>,
        /// What the agent calls it.
        native_id: Cow<'a, str>,
        title: Cow<'a, str>,
        project_path: Cow<'a, str>,
        project_name: Cow<'a, str>,
        agent_version: Cow<'a, str>,
        /// The model that it was begun or last set to use; what was used is in messages and usage.
        model: Cow<'a, str>,
        provider: Cow<'a, str>,
        /// In the agent's words: `active`, `ended`, …
        status: Cow<'a, str>,
        /// Where it ran, as the agent or the importer names it.
        source: Cow<'a, str>,
        machine: Cow<'a, str>,
        git_branch: Cow<'a, str>,
        git_commit: Cow<'a, str>,
        git_remote: Cow<'a, str>,
        cwd: Cow<'a, str>,
        /// The session that it came from, by its resource id.
        parent_session: Cow<'a, str>,
        /// How it came from there: `subagent`, `fork`, `resume`.
        parent_kind: Cow<'a, str>,
        /// The tool call there that started it.
        parent_tool: Cow<'a, str>,
        /// The message there after which it goes its own way.
        parent_message: Cow<'a, str>,
        permission_mode: Cow<'a, str>,
        started_at: Timestamp,
        updated_at: Timestamp,
        ended_at: Timestamp,
        /// The following are totals that the agent itself reports. They are shown where no usage of
        /// single responses, and no message, is known.
        reported_input_tokens: u64,
        reported_output_tokens: u64,
        reported_cache_read_tokens: u64,
        reported_cache_write_tokens: u64,
        reported_reasoning_tokens: u64,
        /// In billionths of a dollar.
        reported_cost_nanos: u64,
        reported_message_count: u64,
        reported_tool_call_count: u64,
    }
}

patch! {
    /// What is said of a message: what a person said, or all that the model said in one response.
    MessagePatch [/** The agent's own id, or what stands for it; unique within the session. */ id] {
        /// `user`, `assistant`, or the agent's word.
        role: Cow<'a, str>,
        /// What kind of message this is, where it is none that a person or the model wrote: `meta`,
        /// `summary`, … Such a message is kept, and not counted.
        kind: Cow<'a, str>,
        /// The message that it answers.
        parent_id: Cow<'a, str>,
        model: Cow<'a, str>,
        provider: Cow<'a, str>,
        at: Timestamp,
        completed_at: Timestamp,
        duration_ms: u64,
        stop_reason: Cow<'a, str>,
        /// The response whose usage is its own.
        response_id: Cow<'a, str>,
        is_sidechain: bool,
        /// Whether a person went back behind it: it is kept, its usage counts, itself doesn't.
        rewound: bool,
        /// The session, by resource id, of which this is a copy: it is kept, and counted there alone.
        copied_from: Cow<'a, str>,
        /// Where it stands, see [`super::order_after`].
        order: i64,
    }
}

patch! {
    /// What is said of a tool call. Its input and output are parts.
    ToolPatch [/** The agent's own id of the call; unique within the session. */ id] {
        /// The message that made it.
        message_id: Cow<'a, str>,
        name: Cow<'a, str>,
        at: Timestamp,
        completed_at: Timestamp,
        duration_ms: u64,
        /// In the agent's words: `running`, `completed`, …
        status: Cow<'a, str>,
        success: bool,
        exit_code: i64,
        error: Cow<'a, str>,
        files: Vec<FileTouch<'a>>,
        /// The session that it started, by resource id.
        child_session: Cow<'a, str>,
        copied_from: Cow<'a, str>,
        order: i64,
    }
}

patch! {
    /// What is said of an error of the agent: not of a tool.
    ErrorPatch [/** Unique within the session. */ id] {
        kind: Cow<'a, str>,
        message: Cow<'a, str>,
        /// The message that it befell.
        message_id: Cow<'a, str>,
        at: Timestamp,
        copied_from: Cow<'a, str>,
        order: i64,
    }
}

patch! {
    /// What is said of a compaction: the agent put a summary in place of what was said before.
    CompactionPatch [/** Unique within the session. */ id] {
        /// `auto`, `manual`, …
        trigger: Cow<'a, str>,
        summary: Cow<'a, str>,
        tokens_before: u64,
        tokens_after: u64,
        messages_before: u64,
        messages_after: u64,
        at: Timestamp,
        copied_from: Cow<'a, str>,
        order: i64,
    }
}

patch! {
    /// A link from the session to something else that a person or an importer set.
    LinkPatch [/** `thread`, `commit`, `session`, `url`, … */ kind, target] {
        note: Cow<'a, str>,
        present: bool,
    }
}

/// A part of a message, of a tool call, or of the session itself; the smallest thing, written whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Part<'a> {
    /// The message that it is part of; empty where it is none's.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub message_id: Cow<'a, str>,
    /// The tool call that it is input or output of; empty where it is none's.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub tool_id: Cow<'a, str>,
    /// Unique within what it is part of.
    pub id: Cow<'a, str>,
    /// A word of [`super::words`], or another.
    pub kind: Cow<'a, str>,
    /// Where it stands among the others.
    pub order: i64,
    /// At most [`super::TEXT_CHARS_MAX`] characters: a longer text is several parts.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub text: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<Cow<'a, str>>,
    /// What is not kept here itself: a path, a URL, a digest of the bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Cow<'a, str>>,
    /// Whether its text goes on that of the part before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub continues: bool,
    /// Whether the agent took it back: its text is forgotten in the view.
    #[serde(default, skip_serializing_if = "is_false")]
    pub removed: bool,
}

/// What one response has used, as one line of a transcript tells it. Of several lines the one with
/// the greatest `order` counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage<'a> {
    /// The response, by what tells it from all others of the session.
    pub id: Cow<'a, str>,
    /// Where the line stands, see [`super::order_after`].
    pub order: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Tokens of the input that were neither read from a cache nor written to one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub input: u64,
    /// All tokens that the model wrote, thoughts with them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub output: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cache_read: u64,
    /// Written to a cache that lasts five minutes, or as long as is not told.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cache_write_5m: u64,
    /// Written to a cache that lasts an hour.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cache_write_1h: u64,
    /// Tokens of thoughts: a part of `output`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reasoning: u64,
    /// The cost as the agent reports it, in billionths of a dollar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_nanos: Option<u64>,
    /// Whether this is a copy of another session's response, and counted there alone. Once said, it
    /// stays so.
    #[serde(default, skip_serializing_if = "is_false")]
    pub copied: bool,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

pub(super) fn is_false(flag: &bool) -> bool {
    !*flag
}
