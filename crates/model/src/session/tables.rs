//! The view tables of sessions.
//!
//! Columns of times are milliseconds since 1970, those of costs billionths of a dollar. `versions`
//! says who wrote what stands in each field.

use super::stamps::{Fields, Stamps};
use crate::{Column, Row, Table, Value};

/// One row per session of which anything is known; `deleted_at` is set in tombstones alone.
///
/// `last_at` is the last time that the session tells of itself. The counts are of the rows of its own
/// tables that count: no copies of another session's, no messages that were rewound or are of a kind
/// apart. `prompt_count` counts those of the user. `response_count` and the tokens are sums over the
/// rows of [`USAGE`] that are no copies; `cost_nanos` adds up what the agent reports of the
/// `costed_count` responses of which it reports a cost.
pub static SESSIONS: Table = Table {
    name: "sessions",
    columns: &[
        Column::text("session_id"),
        Column::text("agent").or_null(),
        Column::text("native_id").or_null(),
        Column::text("title").or_null(),
        Column::text("project_path").or_null(),
        Column::text("project_name").or_null(),
        Column::text("agent_version").or_null(),
        Column::text("model").or_null(),
        Column::text("provider").or_null(),
        Column::text("status").or_null(),
        Column::text("source").or_null(),
        Column::text("machine").or_null(),
        Column::text("git_branch").or_null(),
        Column::text("git_commit").or_null(),
        Column::text("git_remote").or_null(),
        Column::text("cwd").or_null(),
        Column::text("parent_session").or_null(),
        Column::text("parent_kind").or_null(),
        Column::text("parent_tool").or_null(),
        Column::text("parent_message").or_null(),
        Column::text("permission_mode").or_null(),
        Column::integer("started_at").or_null(),
        Column::integer("updated_at").or_null(),
        Column::integer("ended_at").or_null(),
        Column::integer("reported_input_tokens").or_null(),
        Column::integer("reported_output_tokens").or_null(),
        Column::integer("reported_cache_read_tokens").or_null(),
        Column::integer("reported_cache_write_tokens").or_null(),
        Column::integer("reported_reasoning_tokens").or_null(),
        Column::integer("reported_cost_nanos").or_null(),
        Column::integer("reported_message_count").or_null(),
        Column::integer("reported_tool_call_count").or_null(),
        Column::integer("last_at"),
        Column::integer("message_count"),
        Column::integer("prompt_count"),
        Column::integer("tool_call_count"),
        Column::integer("tool_error_count"),
        Column::integer("error_count"),
        Column::integer("compaction_count"),
        Column::integer("response_count"),
        Column::integer("input_tokens"),
        Column::integer("output_tokens"),
        Column::integer("cache_read_tokens"),
        Column::integer("cache_write_5m_tokens"),
        Column::integer("cache_write_1h_tokens"),
        Column::integer("reasoning_tokens"),
        Column::integer("cost_nanos"),
        Column::integer("costed_count"),
        Column::integer("deleted_at").or_null(),
        Column::text("versions"),
    ],
    key_columns: 1,
    searched: None,
    indexes: &[
        &["agent", "native_id"],
        &["last_at", "session_id"],
        &["parent_session"],
    ],
};

/// One row per message. `position` is where it stands; `counted` is 1 if it is one of the session's
/// own that count.
pub static MESSAGES: Table = Table {
    name: "session_messages",
    columns: &[
        Column::text("session_id"),
        Column::text("message_id"),
        Column::text("role").or_null(),
        Column::text("kind").or_null(),
        Column::text("parent_id").or_null(),
        Column::text("model").or_null(),
        Column::text("provider").or_null(),
        Column::integer("at").or_null(),
        Column::integer("completed_at").or_null(),
        Column::integer("duration_ms").or_null(),
        Column::text("stop_reason").or_null(),
        Column::text("response_id").or_null(),
        Column::integer("is_sidechain").or_null(),
        Column::integer("rewound").or_null(),
        Column::text("copied_from").or_null(),
        Column::integer("ordinal").or_null(),
        Column::integer("position"),
        Column::integer("counted"),
        Column::text("versions"),
    ],
    key_columns: 2,
    searched: None,
    indexes: &[&["session_id", "position"], &["message_id"]],
};

/// One row per tool call. One whose own line is not there has the `position` of its result. `failed` is 1 if it counts and did not succeed.
pub static TOOLS: Table = Table {
    name: "session_tools",
    columns: &[
        Column::text("session_id"),
        Column::text("tool_id"),
        Column::text("message_id").or_null(),
        Column::text("name").or_null(),
        Column::integer("at").or_null(),
        Column::integer("completed_at").or_null(),
        Column::integer("duration_ms").or_null(),
        Column::text("status").or_null(),
        Column::integer("success").or_null(),
        Column::integer("exit_code").or_null(),
        Column::text("error").or_null(),
        Column::text("files").or_null(),
        Column::text("child_session").or_null(),
        Column::text("copied_from").or_null(),
        Column::integer("ordinal").or_null(),
        Column::integer("position"),
        Column::integer("counted"),
        Column::integer("failed"),
        Column::text("versions"),
    ],
    key_columns: 2,
    searched: None,
    indexes: &[&["session_id", "position"], &["tool_id"]],
};

/// One row per error of the agent.
pub static ERRORS: Table = Table {
    name: "session_errors",
    columns: &[
        Column::text("session_id"),
        Column::text("error_id"),
        Column::text("kind").or_null(),
        Column::text("message").or_null(),
        Column::text("message_id").or_null(),
        Column::integer("at").or_null(),
        Column::text("copied_from").or_null(),
        Column::integer("ordinal").or_null(),
        Column::integer("position"),
        Column::integer("counted"),
        Column::text("versions"),
    ],
    key_columns: 2,
    searched: None,
    indexes: &[],
};

/// One row per compaction.
pub static COMPACTIONS: Table = Table {
    name: "session_compactions",
    columns: &[
        Column::text("session_id"),
        Column::text("compaction_id"),
        Column::text("trigger").or_null(),
        Column::text("summary").or_null(),
        Column::integer("tokens_before").or_null(),
        Column::integer("tokens_after").or_null(),
        Column::integer("messages_before").or_null(),
        Column::integer("messages_after").or_null(),
        Column::integer("at").or_null(),
        Column::text("copied_from").or_null(),
        Column::integer("ordinal").or_null(),
        Column::integer("position"),
        Column::integer("counted"),
        Column::text("versions"),
    ],
    key_columns: 2,
    searched: None,
    indexes: &[],
};

/// One row per link ever made.
pub static SESSION_LINKS: Table = Table {
    name: "session_links",
    columns: &[
        Column::text("session_id"),
        Column::text("kind"),
        Column::text("target"),
        Column::text("note").or_null(),
        Column::integer("present").or_null(),
        Column::text("versions"),
    ],
    key_columns: 3,
    searched: None,
    indexes: &[&["target"]],
};

/// One row per response: the last of the snapshots of what it used, in the order by which that one is
/// found. `copied` is 1 if it is another session's, and counts there.
pub static USAGE: Table = Table {
    name: "session_usage",
    columns: &[
        Column::text("session_id"),
        Column::text("usage_id"),
        Column::integer("position"),
        Column::integer("output_tokens"),
        Column::integer("input_tokens"),
        Column::integer("cache_read_tokens"),
        Column::integer("cache_write_5m_tokens"),
        Column::integer("cache_write_1h_tokens"),
        Column::integer("reasoning_tokens"),
        Column::integer("cost_nanos").or_null(),
        Column::integer("at").or_null(),
        Column::text("model").or_null(),
        Column::text("provider").or_null(),
        Column::text("message_id").or_null(),
        Column::integer("copied"),
    ],
    key_columns: 2,
    searched: None,
    indexes: &[],
};

/// All that was said and done, as texts: one row per part of a message (`owner` is `message`), of a
/// tool call (`tool`) or of the session itself (`session`). What is text in other tables has a row
/// here beside, to be found: `title`, `error`, `tool_error`, `compaction`; that of a `tool_error` is empty
/// where the output of the call begins with it. Text comes last: what stands behind a long text is slow
/// to reach.
pub static PARTS: Table = Table {
    name: "session_parts",
    columns: &[
        Column::text("session_id"),
        Column::text("owner"),
        Column::text("owner_id"),
        Column::text("part_id"),
        Column::text("kind"),
        Column::integer("position"),
        Column::integer("continues"),
        Column::text("media_type").or_null(),
        Column::text("reference").or_null(),
        Column::integer("rank"),
        Column::integer("clock"),
        Column::text("actor"),
        Column::text("text"),
    ],
    key_columns: 4,
    searched: Some(12),
    indexes: &[],
};

/// Whether a row holds only the text of a field that has a place in another table, to be found.
pub(crate) fn repeats_a_field(table: &Table, row: &[Value]) -> bool {
    let is = |name: &str| cell(table, row, name).as_text().unwrap_or_default();
    table.name == PARTS.name && is("owner") == is("kind")
}

/// The columns of a part that say who wrote it: rank, clock, actor.
pub(super) const STAMP: std::ops::Range<usize> = 9..12;

/// All of them.
pub static TABLES: &[&Table] = &[
    &SESSIONS,
    &MESSAGES,
    &TOOLS,
    &ERRORS,
    &COMPACTIONS,
    &SESSION_LINKS,
    &USAGE,
    &PARTS,
];

/// The tables whose rows go with their session; [`SESSIONS`] keeps the tombstone.
pub(super) static CONTENTS: &[&Table] = TABLES.split_at(1).1;

/// The place of a column, by its name.
pub(super) fn place(table: &Table, name: &str) -> usize {
    let mut columns = table.columns.iter();
    columns
        .position(|column| column.name == name)
        .expect("the tables of sessions have the columns that their fold names")
}

/// The cell of a row, by its column's name.
pub(super) fn cell<'r>(table: &Table, row: &'r [Value], name: &str) -> &'r Value {
    &row[place(table, name)]
}

/// A row in which no field was ever written.
pub(super) fn blank(table: &Table, key: &[Value]) -> Row {
    let cells = table.columns[key.len()..].iter();
    let cells = cells.map(|column| match column {
        Column { nullable: true, .. } => Value::Null,
        Column {
            sql_type: "TEXT", ..
        } => Value::from(""),
        Column { .. } => Value::Integer(0),
    });
    key.iter().cloned().chain(cells).collect()
}

/// Who wrote the fields of a row of a table whose last column says it.
pub(super) fn stamps(row: &[Value]) -> Stamps {
    let versions = row.last().and_then(Value::as_text);
    Stamps::of_text(versions.unwrap_or_default())
}

/// The set of the fields whose places are named.
pub(super) fn fields(places: impl Iterator<Item = usize>) -> Fields {
    places.fold(0, |all, place| all | 1 << place)
}
