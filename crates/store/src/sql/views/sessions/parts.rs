//! What is in a session: messages, tool calls, errors and compactions.

use super::super::{SqlView, column};

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
macro_rules! native_of_one {
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

/// Which session each session is part of, by the agent's own id; one of subagents that began each other is
/// part of itself.
macro_rules! wholes {
    () => {
        concat!(
            trees!(),
            ", {secret}_whole AS MATERIALIZED (\
             SELECT t.id AS session_id, coalesce(w.native_id, w.session_id) AS id \
             FROM {secret}_tree AS t CROSS JOIN main.sessions AS w ON w.session_id = t.whole \
             UNION ALL SELECT s.session_id, coalesce(s.native_id, s.session_id) \
             FROM main.sessions AS s WHERE s.session_id NOT IN (SELECT id FROM {secret}_tree)) "
        )
    };
}

/// Whether nobody else shows a row: it is no copy, or of a session that is not here, or here no more.
macro_rules! is_own {
    ($row:literal) => {
        concat!(
            "(",
            $row,
            ".copied_from IS NULL OR NOT EXISTS (SELECT 1 FROM main.sessions AS o \
             WHERE o.session_id = ",
            $row,
            ".copied_from AND o.deleted_at IS NULL))"
        )
    };
}

/// The texts of a kind that a message or call `x` has, as one: a blank line between them, and nothing
/// between the pieces of a long one.
macro_rules! text {
    ($owner:literal, $id:literal, $kind:literal) => {
        concat!(
            "(SELECT substr(group_concat(iif(p.continues, '', char(10, 10)) || p.text, '' \
             ORDER BY p.position, p.part_id), 3) \
             FROM main.session_parts AS p WHERE p.session_id = x.session_id AND p.owner = '",
            $owner,
            "' AND p.owner_id = x.",
            $id,
            " AND p.kind = '",
            $kind,
            "')"
        )
    };
}

/// The rows of one session.
macro_rules! of_one {
    ($select:ident) => {
        $select!("", native_of_one!(), "main.sessions AS s")
    };
}

/// All rows.
macro_rules! of_all {
    ($select:ident) => {
        Some($select!(
            wholes!(),
            "w.id",
            "{secret}_whole AS w JOIN main.sessions AS s ON s.session_id = w.session_id"
        ))
    };
}

macro_rules! messages {
    ($with:expr, $native:expr, $sessions:literal) => {
        concat!(
            $with,
            "SELECT x.message_id, ",
            $native,
            ", s.agent, x.role, x.kind, ",
            text!("message", "message_id", "text"),
            ", ",
            text!("message", "message_id", "thinking"),
            ", x.model, s.agent, \
             u.input_tokens + u.cache_read_tokens + u.cache_write_5m_tokens \
             + u.cache_write_1h_tokens, u.output_tokens, u.input_tokens, u.output_tokens, \
             u.cache_read_tokens, u.cache_write_5m_tokens + u.cache_write_1h_tokens, \
             u.reasoning_tokens, x.duration_ms, x.at, x.completed_at, x.position, x.parent_id, \
             coalesce(x.rewound, 0), ",
            subagent!(),
            ", s.source FROM ",
            $sessions,
            " JOIN main.session_messages AS x ON x.session_id = s.session_id \
             LEFT JOIN main.session_usage AS u ON u.session_id = x.session_id \
             AND u.usage_id = coalesce(x.response_id, x.message_id) AND u.copied = 0 WHERE ",
            is_own!("x")
        )
    };
}

pub(crate) const MESSAGES: SqlView = SqlView {
    name: "messages",
    meaning: "a message of a coding session, copies of other sessions' left out while those are here",
    columns: &[
        column("id", "the agent's own id"),
        column("session_id", "its session, by the agent's own id"),
        column("agent", "who ran the session"),
        column("role", "user, assistant, …"),
        column("kind", "what kind, where no person and no model wrote it"),
        column("text_content", "its text: a blank line between its parts"),
        column("thinking", "what the model thought"),
        column("model", "the model"),
        column("source", "who ran the session, as agent"),
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
        column("channel", "where the session ran: a terminal, an editor, …"),
    ],
    select: of_one!(messages),
    all: of_all!(messages),
};

macro_rules! tools {
    ($with:expr, $native:expr, $sessions:literal) => {
        concat!(
            $with,
            "SELECT x.tool_id, ",
            $native,
            ", x.message_id, s.agent, x.name, ",
            text!("tool", "tool_id", "tool_input"),
            ", ",
            text!("tool", "tool_id", "tool_output"),
            ", x.files ->> '$[0].path', x.files, x.success, x.exit_code, x.error, x.status, \
             x.duration_ms, coalesce(x.at, x.completed_at), x.completed_at, x.position, ",
            subagent!(),
            " FROM ",
            $sessions,
            " JOIN main.session_tools AS x ON x.session_id = s.session_id \
             WHERE ",
            is_own!("x")
        )
    };
}

pub(crate) const TOOLS: SqlView = SqlView {
    name: "tools",
    meaning: "a tool call of a coding session, copies of other sessions' left out while those are here",
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
    select: of_one!(tools),
    all: of_all!(tools),
};

macro_rules! parts {
    ($with:expr, $native:expr, $sessions:literal) => {
        concat!(
            $with,
            "SELECT p.part_id, ",
            $native,
            ", CASE p.owner WHEN 'message' THEN p.owner_id ELSE t.message_id END, t.tool_id, s.agent, \
             p.kind, p.text || coalesce((SELECT group_concat(c.text, '' ORDER BY c.position, c.part_id) \
             FROM main.session_parts AS c WHERE c.session_id = p.session_id AND c.owner = p.owner \
             AND c.owner_id = p.owner_id AND c.part_id BETWEEN p.part_id || '+' AND p.part_id || ',' \
             AND c.continues = 1), ''), p.media_type, p.reference, p.position, ",
            subagent!(),
            " FROM ",
            $sessions,
            " JOIN main.session_parts AS p ON p.session_id = s.session_id \
             LEFT JOIN main.session_messages AS m ON p.owner = 'message' \
             AND m.session_id = p.session_id AND m.message_id = p.owner_id \
             LEFT JOIN main.session_tools AS t ON p.owner = 'tool' \
             AND t.session_id = p.session_id AND t.tool_id = p.owner_id \
             WHERE p.owner IN ('message', 'tool', 'session') AND p.continues = 0 \
             AND p.kind <> 'removed' AND ",
            is_own!("m"),
            " AND ",
            is_own!("t")
        )
    };
}

pub(crate) const PARTS: SqlView = SqlView {
    name: "parts",
    meaning: "a part of a message or tool call; `position` orders those of one message, around its calls",
    columns: &[
        column("id", "its id, unique within what it is part of"),
        column("session_id", "its session, by the agent's own id"),
        column(
            "message_id",
            "the message that it is of, or that made the call",
        ),
        column("tool_id", "the tool call that it is of"),
        column("agent", "who ran the session"),
        column(
            "kind",
            "text, thinking, image, file, tool_input, tool_output or raw",
        ),
        column("text", "its text"),
        column("media_type", "what is referred to"),
        column(
            "reference",
            "what is not kept itself: a path, a URL, a digest",
        ),
        column(
            "position",
            "what it is ordered by in its session, with messages and tool calls",
        ),
        column(
            "subagent",
            "the subagent that it is of, by the agent's own id",
        ),
    ],
    select: of_one!(parts),
    all: of_all!(parts),
};

macro_rules! session_errors {
    ($with:expr, $native:expr, $sessions:literal) => {
        concat!(
            $with,
            "SELECT x.error_id, ",
            $native,
            ", x.kind, x.message, x.at, x.message_id, s.agent, ",
            subagent!(),
            " FROM ",
            $sessions,
            " JOIN main.session_errors AS x ON x.session_id = s.session_id \
             WHERE ",
            is_own!("x")
        )
    };
}

pub(crate) const SESSION_ERRORS: SqlView = SqlView {
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
    select: of_one!(session_errors),
    all: of_all!(session_errors),
};

macro_rules! compaction_events {
    ($with:expr, $native:expr, $sessions:literal) => {
        concat!(
            $with,
            "SELECT x.compaction_id, ",
            $native,
            ", x.tokens_before, x.tokens_after, x.messages_before, x.messages_after, x.at, \
             x.\"trigger\", coalesce(x.summary, (\
             SELECT substr(group_concat(iif(p.continues, '', char(10, 10)) || p.text, '' \
             ORDER BY p.position, p.part_id), 3) FROM main.session_messages AS m CROSS JOIN main.session_parts AS p \
             ON p.session_id = m.session_id AND p.owner = 'message' AND p.owner_id = m.message_id \
             WHERE m.session_id = x.session_id AND m.kind = 'summary' \
             AND m.parent_id = x.compaction_id AND p.kind = 'text')), s.agent, ",
            subagent!(),
            " FROM ",
            $sessions,
            " JOIN main.session_compactions AS x ON x.session_id = s.session_id \
             WHERE ",
            is_own!("x")
        )
    };
}

pub(crate) const COMPACTION_EVENTS: SqlView = SqlView {
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
    select: of_one!(compaction_events),
    all: of_all!(compaction_events),
};
