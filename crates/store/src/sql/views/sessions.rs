//! The views of coding sessions.
//!
//! A subagent is part of the session that started it: its messages, tool calls, errors and figures
//! are that session's, so that nothing is added up twice. Times are milliseconds since 1970 here, as
//! agents write them; costs are dollars.
//!
//! What a `WITH` names reads the tables in its own name, so that it bears the views' secret too.

use super::{SqlView, column};

/// The session of a row `x`: the one that its subagents belong to, by resource id.
macro_rules! whole {
    () => {
        "(CASE WHEN s.parent_kind IS NOT 'subagent' THEN s.session_id ELSE (\
         WITH RECURSIVE {secret}_up(id, parent, kind, height) AS (\
         VALUES (s.session_id, s.parent_session, s.parent_kind, 0) \
         UNION SELECT p.session_id, p.parent_session, p.parent_kind, height + 1 FROM {secret}_up AS up \
         JOIN main.sessions AS p ON p.session_id = up.parent \
         WHERE up.kind = 'subagent' AND p.deleted_at IS NULL AND height < 64) \
         SELECT id FROM {secret}_up ORDER BY height DESC LIMIT 1) END)"
    };
}

/// The agent's own id of the session that a row is of.
macro_rules! native {
    () => {
        concat!(
            "(SELECT coalesce(w.native_id, w.session_id) FROM main.sessions AS w \
              WHERE w.session_id = ",
            whole!(),
            ")"
        )
    };
}

/// The agent's own id of the subagent that a row is of; null where it is of none.
macro_rules! subagent {
    () => {
        "iif(s.parent_kind = 'subagent', coalesce(s.native_id, s.session_id), NULL)"
    };
}

/// A figure of session `s` with its subagents: a sum over `c` or `u`. The sign before `parent_kind` and
/// the order of the joins keep SQLite from making an index of its own for each row.
macro_rules! tree {
    ($sum:literal, $from:literal) => {
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

/// A sum over the rows of sessions.
macro_rules! sum {
    ($sum:literal) => {
        tree!($sum, "main.sessions AS c ON c.session_id = tree.id")
    };
}

/// A sum over the rows of usage that are no copies.
macro_rules! used {
    ($sum:literal) => {
        tree!(
            $sum,
            "main.session_usage AS u ON u.session_id = tree.id AND u.copied = 0"
        )
    };
}

/// What was said, where anything was, else what the agent reports.
macro_rules! or_reported {
    ($count:literal, $sum:literal, $reported:literal) => {
        concat!(
            "iif(",
            sum!($count),
            " > 0, ",
            sum!($sum),
            ", coalesce(s.",
            $reported,
            ", 0))"
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
        column("model", "the model that it was begun with"),
        column("provider", "who runs the model"),
        column("source", "where it ran"),
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
        column("prompt_count", "messages of users"),
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
        column("cost", "dollars"),
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
        column("session_id", "its id here, unique over all agents"),
    ],
    select: concat!(
        "WITH {secret}_whole AS (SELECT s.session_id, s.native_id, \
         s.title, s.project_path, s.project_name, s.agent, s.model, s.provider, s.source, s.status, \
         s.machine, s.git_branch, s.git_commit, s.cwd, s.permission_mode, s.agent_version, \
         s.started_at, s.updated_at, s.ended_at, s.parent_kind, ",
        or_reported!(
            "c.message_count",
            "c.message_count",
            "reported_message_count"
        ),
        " AS message_count, ",
        sum!("c.prompt_count"),
        " AS prompt_count, ",
        or_reported!(
            "c.tool_call_count",
            "c.tool_call_count",
            "reported_tool_call_count"
        ),
        " AS tool_call_count, ",
        sum!("c.tool_error_count"),
        " AS tool_error_count, ",
        sum!("c.error_count"),
        " AS error_count, ",
        sum!("c.compaction_count"),
        " AS compaction_count, ",
        or_reported!(
            "c.response_count",
            "c.input_tokens",
            "reported_input_tokens"
        ),
        " AS input_tokens, ",
        or_reported!(
            "c.response_count",
            "c.output_tokens",
            "reported_output_tokens"
        ),
        " AS output_tokens, ",
        or_reported!(
            "c.response_count",
            "c.cache_read_tokens",
            "reported_cache_read_tokens"
        ),
        " AS cache_read_tokens, ",
        or_reported!(
            "c.response_count",
            "c.cache_write_5m_tokens",
            "reported_cache_write_tokens"
        ),
        " AS cache_write_5m_tokens, ",
        sum!("c.cache_write_1h_tokens"),
        " AS cache_write_1h_tokens, ",
        or_reported!(
            "c.response_count",
            "c.reasoning_tokens",
            "reported_reasoning_tokens"
        ),
        " AS reasoning_tokens, ",
        or_reported!("c.costed_count", "c.cost_nanos", "reported_cost_nanos"),
        " AS reported_nanos, iif(coalesce(s.reported_cost_nanos, 0) > 0 AND ",
        sum!("c.costed_count"),
        " = 0, 0, ",
        used!(
            "iif(u.cost_nanos IS NULL, usage_cost(u.model, u.at, u.input_tokens, u.output_tokens, \
             u.cache_read_tokens, u.cache_write_5m_tokens, u.cache_write_1h_tokens), 0)"
        ),
        ") AS computed_nanos, ",
        sum!("c.session_id <> s.session_id"),
        " AS subagent_count, (SELECT coalesce(p.native_id, p.session_id) FROM main.sessions AS p \
         WHERE p.session_id = s.parent_session) AS parent_id \
         FROM main.sessions AS s WHERE s.deleted_at IS NULL AND (s.parent_kind IS NOT 'subagent' \
         OR s.parent_session = s.session_id OR NOT EXISTS (SELECT 1 FROM main.sessions AS p \
         WHERE p.session_id = s.parent_session AND p.deleted_at IS NULL))) SELECT coalesce(native_id, session_id), title, project_path, project_name, agent, model, \
         provider, source, status, machine, git_branch, git_commit, cwd, permission_mode, \
         agent_version, started_at, started_at, updated_at, ended_at, message_count, prompt_count, \
         tool_call_count, tool_error_count, error_count, compaction_count, input_tokens, \
         output_tokens, cache_read_tokens, cache_write_5m_tokens + cache_write_1h_tokens, \
         cache_write_5m_tokens, cache_write_1h_tokens, reasoning_tokens, \
         input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens, \
         output_tokens, (reported_nanos + computed_nanos) / 1e9, \
         CASE WHEN reported_nanos > 0 AND computed_nanos > 0 THEN 'mixed' \
         WHEN reported_nanos > 0 THEN 'reported' WHEN computed_nanos > 0 THEN 'computed' END, \
         subagent_count, parent_id, parent_kind, session_id FROM {secret}_whole"
    ),
};

pub(crate) const MESSAGES: SqlView = SqlView {
    name: "messages",
    meaning: "a message of a coding session, copies of other sessions' left out",
    columns: &[
        column("id", "the agent's own id"),
        column("session_id", "its session, by the agent's own id"),
        column("agent", "who ran the session"),
        column("role", "user, assistant, …"),
        column("kind", "what kind, where no person and no model wrote it"),
        column("text_content", "its text"),
        column("thinking", "what the model thought"),
        column("model", "the model"),
        column("source", "where the session ran"),
        column("prompt_tokens", "all input of its response, cached or not"),
        column("completion_tokens", "output of its response"),
        column("input_tokens", "input that no cache had or took"),
        column("output_tokens", "output, thoughts with it"),
        column("cache_read_tokens", "input read from a cache"),
        column("cache_write_tokens", "input written to a cache"),
        column("reasoning_tokens", "thoughts, a part of output"),
        column("duration_ms", "how long it took"),
        column("created_at", "when it was said"),
        column("completed_at", "when it was said whole"),
        column("position", "what it is ordered by in its session"),
        column("parent_id", "the message that it answers"),
        column("rewound", "1 if a person went back behind it"),
        column(
            "subagent",
            "the subagent that it is of, by the agent's own id",
        ),
    ],
    select: concat!(
        "SELECT x.message_id, ",
        native!(),
        ", s.agent, x.role, x.kind, ",
        "(SELECT group_concat(p.text, '' ORDER BY p.position, p.part_id) FROM main.session_parts AS p \
          WHERE p.session_id = x.session_id AND p.owner = 'message' AND p.owner_id = x.message_id \
          AND p.kind = 'text'), \
         (SELECT group_concat(p.text, '' ORDER BY p.position, p.part_id) FROM main.session_parts AS p \
          WHERE p.session_id = x.session_id AND p.owner = 'message' AND p.owner_id = x.message_id \
          AND p.kind = 'thinking'), x.model, s.source, \
         u.input_tokens + u.cache_read_tokens + u.cache_write_5m_tokens + u.cache_write_1h_tokens, \
         u.output_tokens, u.input_tokens, u.output_tokens, u.cache_read_tokens, \
         u.cache_write_5m_tokens + u.cache_write_1h_tokens, u.reasoning_tokens, x.duration_ms, x.at, \
         x.completed_at, x.position, x.parent_id, coalesce(x.rewound, 0), ",
        subagent!(),
        " FROM main.session_messages AS x JOIN main.sessions AS s ON s.session_id = x.session_id \
         LEFT JOIN main.session_usage AS u ON u.session_id = x.session_id \
         AND u.usage_id = x.response_id WHERE x.copied_from IS NULL"
    ),
};

pub(crate) const TOOLS: SqlView = SqlView {
    name: "tools",
    meaning: "a tool call of a coding session, copies of other sessions' left out",
    columns: &[
        column("id", "the agent's own id"),
        column("session_id", "its session, by the agent's own id"),
        column("message_id", "the message that made it"),
        column("agent", "who ran the session"),
        column("tool_name", "the tool"),
        column("tool_input", "what went in"),
        column("tool_output", "what came out"),
        column("file_path", "the first file that it touched"),
        column(
            "files",
            "a JSON array of the files that it touched, each with path and action",
        ),
        column(
            "success",
            "1 if it succeeded, 0 if not, null where that is not known",
        ),
        column("exit_code", "the exit code"),
        column("error_message", "why it failed"),
        column("status", "in the agent's words"),
        column("duration_ms", "how long it took"),
        column(
            "created_at",
            "when it was called, or ended where no more is known",
        ),
        column("completed_at", "when it ended"),
        column("position", "what it is ordered by in its session"),
        column(
            "subagent",
            "the subagent that it is of, by the agent's own id",
        ),
    ],
    select: concat!(
        "SELECT x.tool_id, ",
        native!(),
        ", x.message_id, s.agent, x.name, ",
        "(SELECT group_concat(p.text, '' ORDER BY p.position, p.part_id) FROM main.session_parts AS p \
          WHERE p.session_id = x.session_id AND p.owner = 'tool' AND p.owner_id = x.tool_id \
          AND p.kind = 'tool_input'), \
         (SELECT group_concat(p.text, '' ORDER BY p.position, p.part_id) FROM main.session_parts AS p \
          WHERE p.session_id = x.session_id AND p.owner = 'tool' AND p.owner_id = x.tool_id \
          AND p.kind = 'tool_output'), x.files ->> '$[0].path', x.files, x.success, x.exit_code, \
         x.error, x.status, x.duration_ms, coalesce(x.at, x.completed_at), x.completed_at, x.position, ",
        subagent!(),
        " FROM main.session_tools AS x JOIN main.sessions AS s ON s.session_id = x.session_id \
         WHERE x.copied_from IS NULL"
    ),
};

pub(super) const SESSION_ERRORS: SqlView = SqlView {
    name: "session_errors",
    meaning: "an error of an agent",
    columns: &[
        column("id", "its id"),
        column("session_id", "its session, by the agent's own id"),
        column("error_type", "what kind"),
        column("error_message", "what it says"),
        column("created_at", "when it befell"),
        column("message_id", "the message that it befell"),
        column("agent", "who ran the session"),
        column(
            "subagent",
            "the subagent that it is of, by the agent's own id",
        ),
    ],
    select: concat!(
        "SELECT x.error_id, ",
        native!(),
        ", x.kind, x.message, x.at, x.message_id, s.agent, ",
        subagent!(),
        " FROM main.session_errors AS x JOIN main.sessions AS s ON s.session_id = x.session_id \
         WHERE x.copied_from IS NULL"
    ),
};

pub(super) const COMPACTION_EVENTS: SqlView = SqlView {
    name: "compaction_events",
    meaning: "a compaction of a session's context",
    columns: &[
        column("id", "its id"),
        column("session_id", "its session, by the agent's own id"),
        column("tokens_before", "tokens before it"),
        column("tokens_after", "tokens after it"),
        column("messages_before", "messages before it"),
        column("messages_after", "messages after it"),
        column("created_at", "when it was"),
        column("cause", "auto, manual, …"),
        column("summary", "what stands in place of what was said"),
        column("agent", "who ran the session"),
        column(
            "subagent",
            "the subagent that it is of, by the agent's own id",
        ),
    ],
    select: concat!(
        "SELECT x.compaction_id, ",
        native!(),
        ", x.tokens_before, x.tokens_after, x.messages_before, x.messages_after, x.at, \
         x.\"trigger\", x.summary, s.agent, ",
        subagent!(),
        " FROM main.session_compactions AS x JOIN main.sessions AS s \
         ON s.session_id = x.session_id WHERE x.copied_from IS NULL"
    ),
};
