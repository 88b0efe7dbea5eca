//! The view tables of sessions.
//!
//! Columns of times are milliseconds since 1970, those of costs billionths of a dollar. `versions`
//! says who wrote each field last.

use super::stamps::{Fields, Stamps};
use crate::{Column, Row, Table, Value};

const fn text(name: &'static str) -> Column {
    Column {
        name,
        sql_type: "TEXT",
        nullable: false,
    }
}

const fn text_or_null(name: &'static str) -> Column {
    Column {
        nullable: true,
        ..text(name)
    }
}

const fn integer(name: &'static str) -> Column {
    Column {
        name,
        sql_type: "INTEGER",
        nullable: false,
    }
}

const fn integer_or_null(name: &'static str) -> Column {
    Column {
        nullable: true,
        ..integer(name)
    }
}

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
        text("session_id"),
        text_or_null("agent"),
        text_or_null("native_id"),
        text_or_null("title"),
        text_or_null("project_path"),
        text_or_null("project_name"),
        text_or_null("agent_version"),
        text_or_null("model"),
        text_or_null("provider"),
        text_or_null("status"),
        text_or_null("source"),
        text_or_null("machine"),
        text_or_null("git_branch"),
        text_or_null("git_commit"),
        text_or_null("git_remote"),
        text_or_null("cwd"),
        text_or_null("parent_session"),
        text_or_null("parent_kind"),
        text_or_null("parent_tool"),
        text_or_null("parent_message"),
        text_or_null("permission_mode"),
        integer_or_null("started_at"),
        integer_or_null("updated_at"),
        integer_or_null("ended_at"),
        integer_or_null("reported_input_tokens"),
        integer_or_null("reported_output_tokens"),
        integer_or_null("reported_cache_read_tokens"),
        integer_or_null("reported_cache_write_tokens"),
        integer_or_null("reported_reasoning_tokens"),
        integer_or_null("reported_cost_nanos"),
        integer_or_null("reported_message_count"),
        integer_or_null("reported_tool_call_count"),
        integer("last_at"),
        integer("message_count"),
        integer("prompt_count"),
        integer("tool_call_count"),
        integer("tool_error_count"),
        integer("error_count"),
        integer("compaction_count"),
        integer("response_count"),
        integer("input_tokens"),
        integer("output_tokens"),
        integer("cache_read_tokens"),
        integer("cache_write_5m_tokens"),
        integer("cache_write_1h_tokens"),
        integer("reasoning_tokens"),
        integer("cost_nanos"),
        integer("costed_count"),
        integer_or_null("deleted_at"),
        text("versions"),
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
        text("session_id"),
        text("message_id"),
        text_or_null("role"),
        text_or_null("kind"),
        text_or_null("parent_id"),
        text_or_null("model"),
        text_or_null("provider"),
        integer_or_null("at"),
        integer_or_null("completed_at"),
        integer_or_null("duration_ms"),
        text_or_null("stop_reason"),
        text_or_null("response_id"),
        integer_or_null("is_sidechain"),
        integer_or_null("rewound"),
        text_or_null("copied_from"),
        integer_or_null("ordinal"),
        integer("position"),
        integer("counted"),
        text("versions"),
    ],
    key_columns: 2,
    searched: None,
    indexes: &[&["session_id", "position"], &["message_id"]],
};

/// One row per tool call. `failed` is 1 if it counts and did not succeed.
pub static TOOLS: Table = Table {
    name: "session_tools",
    columns: &[
        text("session_id"),
        text("tool_id"),
        text_or_null("message_id"),
        text_or_null("name"),
        integer_or_null("at"),
        integer_or_null("completed_at"),
        integer_or_null("duration_ms"),
        text_or_null("status"),
        integer_or_null("success"),
        integer_or_null("exit_code"),
        text_or_null("error"),
        text_or_null("files"),
        text_or_null("child_session"),
        text_or_null("copied_from"),
        integer_or_null("ordinal"),
        integer("position"),
        integer("counted"),
        integer("failed"),
        text("versions"),
    ],
    key_columns: 2,
    searched: None,
    indexes: &[&["session_id", "position"], &["tool_id"]],
};

/// One row per error of the agent.
pub static ERRORS: Table = Table {
    name: "session_errors",
    columns: &[
        text("session_id"),
        text("error_id"),
        text_or_null("kind"),
        text_or_null("message"),
        text_or_null("message_id"),
        integer_or_null("at"),
        text_or_null("copied_from"),
        integer_or_null("ordinal"),
        integer("position"),
        integer("counted"),
        text("versions"),
    ],
    key_columns: 2,
    searched: None,
    indexes: &[],
};

/// One row per compaction.
pub static COMPACTIONS: Table = Table {
    name: "session_compactions",
    columns: &[
        text("session_id"),
        text("compaction_id"),
        text_or_null("trigger"),
        text_or_null("summary"),
        integer_or_null("tokens_before"),
        integer_or_null("tokens_after"),
        integer_or_null("messages_before"),
        integer_or_null("messages_after"),
        integer_or_null("at"),
        text_or_null("copied_from"),
        integer_or_null("ordinal"),
        integer("position"),
        integer("counted"),
        text("versions"),
    ],
    key_columns: 2,
    searched: None,
    indexes: &[],
};

/// One row per link ever made.
pub static SESSION_LINKS: Table = Table {
    name: "session_links",
    columns: &[
        text("session_id"),
        text("kind"),
        text("target"),
        text_or_null("note"),
        integer_or_null("present"),
        text("versions"),
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
        text("session_id"),
        text("usage_id"),
        integer("position"),
        integer("output_tokens"),
        integer("input_tokens"),
        integer("cache_read_tokens"),
        integer("cache_write_5m_tokens"),
        integer("cache_write_1h_tokens"),
        integer("reasoning_tokens"),
        integer_or_null("cost_nanos"),
        integer_or_null("at"),
        text_or_null("model"),
        text_or_null("provider"),
        text_or_null("message_id"),
        integer("copied"),
    ],
    key_columns: 2,
    searched: None,
    indexes: &[],
};

/// All that was said and done, as texts: one row per part of a message (`owner` is `message`), of a
/// tool call (`tool`) or of the session itself (`session`). What is text in other tables has a row
/// here beside, to be found: `title`, `error`, `tool_error`, `compaction`. Text comes last: what
/// stands behind a long text is slow to reach.
pub static PARTS: Table = Table {
    name: "session_parts",
    columns: &[
        text("session_id"),
        text("owner"),
        text("owner_id"),
        text("part_id"),
        text("kind"),
        integer("position"),
        integer("continues"),
        text_or_null("media_type"),
        text_or_null("reference"),
        integer("clock"),
        text("actor"),
        text("text"),
    ],
    key_columns: 4,
    searched: Some(11),
    indexes: &[],
};

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
