//! The views of coding sessions.
//!
//! `session_id` is the agent's own id in all of them, and `agent` tells equal ones of several agents apart:
//! views are joined by both.
//!
//! A subagent is part of the session that started it: its messages, tool calls, errors and figures
//! are that session's, so that nothing is added up twice. Times are milliseconds since 1970 here, as
//! agents write them; costs are dollars.
//!
//! What a `WITH` names reads the tables in its own name, so that it bears the views' secret too.
//!
//! Each is written down twice: for the rows of one session, which asks for what stands above and below
//! it, and for all rows, which first finds out once which session each is part of. A query that joins two
//! views asks that of every row.

use super::{SqlView, column};

/// Every session that is shown, with its subagents and theirs: `id` is part of `whole`.
macro_rules! trees {
    () => {
        "WITH RECURSIVE {secret}_tree(id, whole) AS (\
         SELECT s.session_id, s.session_id FROM main.sessions AS s WHERE s.deleted_at IS NULL \
         AND (s.parent_kind IS NOT 'subagent' OR s.parent_session = s.session_id \
         OR NOT EXISTS (SELECT 1 FROM main.sessions AS p \
         WHERE p.session_id = s.parent_session AND p.deleted_at IS NULL)) \
         UNION SELECT k.session_id, tree.whole FROM {secret}_tree AS tree \
         CROSS JOIN main.sessions AS k ON k.parent_session = tree.id \
         WHERE +k.parent_kind = 'subagent' AND k.deleted_at IS NULL)"
    };
}

mod parts;

pub(crate) use parts::{COMPACTION_EVENTS, MESSAGES, PARTS, SESSION_ERRORS, TOOLS};

/// A figure of session `s` with its subagents: a sum over `c` or `u`. The sign before `parent_kind` and
/// the order of the joins keep SQLite from making an index of its own for each row.
macro_rules! in_tree {
    ($sum:expr, $from:literal) => {
        concat!(
            "(WITH RECURSIVE {secret}_tree(id) AS (VALUES (s.session_id) \
             UNION SELECT k.session_id FROM {secret}_tree AS tree \
             CROSS JOIN main.sessions AS k ON k.parent_session = tree.id \
             WHERE +k.parent_kind = 'subagent' AND k.deleted_at IS NULL) SELECT coalesce(sum(",
            $sum,
            "), 0) FROM {secret}_tree AS tree CROSS JOIN ",
            $from,
            ")"
        )
    };
}

/// The prompts of session `c`: those of a subagent are the model's.
macro_rules! prompts {
    () => {
        "iif(c.parent_kind IS 'subagent', 0, c.prompt_count)"
    };
}

/// The sum of a column of one session and its subagents.
macro_rules! sum_of_one {
    ("prompt_count") => {
        in_tree!(prompts!(), "main.sessions AS c ON c.session_id = tree.id")
    };
    ($column:literal) => {
        in_tree!(
            concat!("c.", $column),
            "main.sessions AS c ON c.session_id = tree.id"
        )
    };
}

/// The same, where all sessions are read.
macro_rules! sum_of_all {
    ($column:literal) => {
        concat!("f.", $column)
    };
}

/// What responses cost of which no cost is reported.
macro_rules! computed {
    () => {
        "iif(u.cost_nanos IS NULL, usage_cost(u.model, u.at, u.input_tokens, u.output_tokens, \
         u.cache_read_tokens, u.cache_write_5m_tokens, u.cache_write_1h_tokens), 0)"
    };
}

/// What was said, where anything was, else what the agent reports.
macro_rules! or_reported {
    ($sum:ident, $count:literal, $column:literal, $reported:literal) => {
        concat!(
            "iif(",
            $sum!($count),
            " > 0, ",
            $sum!($column),
            ", coalesce(s.",
            $reported,
            ", 0)) AS ",
            $column,
            ", "
        )
    };
}

/// The rows: the first parts name how a figure is had, and where from.
macro_rules! select {
    ($with:expr, $id:literal, $sum:ident, $computed:expr, $subagents:expr, $from:literal) => {
        concat!(
            $with,
            "{secret}_whole AS (SELECT s.session_id, ",
            $id,
            " AS id, s.title, s.project_path, s.project_name, s.agent, s.model, s.provider, s.source, \
             s.status, s.machine, s.git_branch, s.git_commit, s.cwd, s.permission_mode, \
             s.agent_version, s.started_at, s.updated_at, s.ended_at, s.parent_kind, ",
            or_reported!($sum, "message_count", "message_count", "reported_message_count"),
            $sum!("prompt_count"),
            " AS prompt_count, ",
            or_reported!($sum, "tool_call_count", "tool_call_count", "reported_tool_call_count"),
            $sum!("tool_error_count"),
            " AS tool_error_count, ",
            $sum!("error_count"),
            " AS error_count, ",
            $sum!("compaction_count"),
            " AS compaction_count, ",
            or_reported!($sum, "response_count", "input_tokens", "reported_input_tokens"),
            or_reported!($sum, "response_count", "output_tokens", "reported_output_tokens"),
            or_reported!($sum, "response_count", "cache_read_tokens", "reported_cache_read_tokens"),
            or_reported!(
                $sum,
                "response_count",
                "cache_write_5m_tokens",
                "reported_cache_write_tokens"
            ),
            $sum!("cache_write_1h_tokens"),
            " AS cache_write_1h_tokens, ",
            or_reported!($sum, "response_count", "reasoning_tokens", "reported_reasoning_tokens"),
            or_reported!($sum, "costed_count", "cost_nanos", "reported_cost_nanos"),
            "iif(coalesce(s.reported_cost_nanos, 0) > 0 AND ",
            $sum!("costed_count"),
            " = 0, 0, ",
            $computed,
            ") AS computed_nanos, ",
            $subagents,
            " AS subagent_count, (SELECT coalesce(p.native_id, p.session_id) FROM main.sessions AS p \
             WHERE p.session_id = s.parent_session) AS parent_id FROM ",
            $from,
            ") SELECT id, title, project_path, project_name, agent, model, \
             provider, agent, status, machine, git_branch, git_commit, cwd, permission_mode, \
             agent_version, started_at, started_at, updated_at, ended_at, message_count, prompt_count, \
             tool_call_count, tool_error_count, error_count, compaction_count, input_tokens, \
             output_tokens, cache_read_tokens, cache_write_5m_tokens + cache_write_1h_tokens, \
             cache_write_5m_tokens, cache_write_1h_tokens, reasoning_tokens, \
             input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens, \
             output_tokens, nullif(cost_nanos + computed_nanos, 0) / 1e9, \
             CASE WHEN cost_nanos > 0 AND computed_nanos > 0 THEN 'mixed' \
             WHEN cost_nanos > 0 THEN 'reported' WHEN computed_nanos > 0 THEN 'computed' END, \
             subagent_count, parent_id, parent_kind, id, source, session_id FROM {secret}_whole"
        )
    };
}

pub(crate) const SESSIONS: SqlView = SqlView {
    name: "sessions",
    meaning: "a coding session with its subagents",
    columns: &[
        column("id", "the agent's own id"),
        column("title", "its title"),
        column("project_path", "the project's directory"),
        column("project_name", "the project's name"),
        column("agent", "who ran it: claude-code, codex, …"),
        column("model", "the model that it used last"),
        column("provider", "who runs the model"),
        column("source", "who ran it, as agent"),
        column("status", "in the agent's words"),
        column("machine", "the machine that it ran on"),
        column("git_branch", "the branch"),
        column("git_commit", "the commit"),
        column("cwd", "the working directory"),
        column("permission_mode", "what it was allowed to do"),
        column("agent_version", "the agent's version"),
        column("created_at", "when it began"),
        column("started_at", "when it began"),
        column("updated_at", "when it last told of itself"),
        column("ended_at", "when it ended"),
        column("message_count", "messages of users and models"),
        column(
            "prompt_count",
            "messages of users, none of them to a subagent",
        ),
        column("tool_call_count", "tool calls"),
        column("tool_error_count", "tool calls that failed"),
        column("error_count", "errors of the agent"),
        column("compaction_count", "compactions"),
        column("input_tokens", "input that no cache had or took"),
        column("output_tokens", "output, thoughts with it"),
        column("cache_read_tokens", "input read from a cache"),
        column("cache_write_tokens", "input written to a cache"),
        column("cache_write_5m_tokens", "of that, for five minutes"),
        column("cache_write_1h_tokens", "of that, for an hour"),
        column("reasoning_tokens", "thoughts, a part of output"),
        column("prompt_tokens", "all input, cached or not"),
        column("completion_tokens", "output, thoughts with it"),
        column("cost", "dollars; null where no cost is known"),
        column(
            "cost_source",
            "reported, computed or mixed; null where no cost is known",
        ),
        column("subagent_count", "subagents, and theirs"),
        column(
            "parent_id",
            "the session that it came from, by the agent's own id",
        ),
        column("parent_kind", "how: fork, resume, …"),
        column("session_id", "the agent's own id, as in the other views"),
        column("channel", "where it ran: a terminal, an editor, …"),
        column("resource_id", "its id here, unique over all agents"),
    ],
    select: select!(
        "WITH ",
        "coalesce(s.native_id, s.session_id)",
        sum_of_one,
        in_tree!(
            computed!(),
            "main.session_usage AS u ON u.session_id = tree.id AND u.copied = 0"
        ),
        in_tree!(
            "c.session_id <> s.session_id",
            "main.sessions AS c ON c.session_id = tree.id"
        ),
        "main.sessions AS s WHERE s.deleted_at IS NULL AND (s.parent_kind IS NOT 'subagent' \
         OR s.parent_session = s.session_id OR NOT EXISTS (SELECT 1 FROM main.sessions AS p \
         WHERE p.session_id = s.parent_session AND p.deleted_at IS NULL))"
    ),
    all: Some(select!(
        concat!(
            trees!(),
            ", {secret}_sums AS MATERIALIZED (SELECT t.whole AS session_id, \
             coalesce(w.native_id, w.session_id) AS id, sum(c.message_count) AS message_count, \
             sum(",
            prompts!(),
            ") AS prompt_count, sum(c.tool_call_count) AS tool_call_count, \
             sum(c.tool_error_count) AS tool_error_count, sum(c.error_count) AS error_count, \
             sum(c.compaction_count) AS compaction_count, sum(c.response_count) AS response_count, \
             sum(c.input_tokens) AS input_tokens, sum(c.output_tokens) AS output_tokens, \
             sum(c.cache_read_tokens) AS cache_read_tokens, \
             sum(c.cache_write_5m_tokens) AS cache_write_5m_tokens, \
             sum(c.cache_write_1h_tokens) AS cache_write_1h_tokens, \
             sum(c.reasoning_tokens) AS reasoning_tokens, sum(c.costed_count) AS costed_count, \
             sum(c.cost_nanos) AS cost_nanos, count(*) - 1 AS subagents \
             FROM {secret}_tree AS t CROSS JOIN main.sessions AS c ON c.session_id = t.id \
             CROSS JOIN main.sessions AS w ON w.session_id = t.whole GROUP BY t.whole), "
        ),
        "f.id",
        sum_of_all,
        concat!(
            "(SELECT coalesce(sum(",
            computed!(),
            "), 0) FROM {secret}_tree AS t CROSS JOIN main.session_usage AS u \
             ON u.session_id = t.id AND u.copied = 0 WHERE t.whole = s.session_id)"
        ),
        "f.subagents",
        "{secret}_sums AS f CROSS JOIN main.sessions AS s ON s.session_id = f.session_id"
    )),
};
