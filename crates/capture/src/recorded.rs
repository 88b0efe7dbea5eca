//! What recorders of sessions say in rows, named as the columns of clankers: in its store, and over the
//! control socket.
//!
//! A field that is not there is left as it is, one that is null is emptied. Ids are the agents' own where
//! they have any. Of Claude Code a recorder numbers messages itself, one person's and one model's for a
//! whole session: these are kept, and not counted, so that what the transcript says counts alone; what
//! a recorder sums up is shown where nothing better is known.

use std::borrow::Cow;

use serde_json::Value;
use syncline_model::Timestamp;
use syncline_model::session::{
    Change, CompactionPatch, ErrorPatch, FileTouch, MessagePatch, Part, Piece, SessionId,
    SessionPatch, ToolPatch, Usage, order_after, session_id, words,
};

use crate::agent::Agent;
use crate::facts::{Facts, action_of_tool, nanos_of_dollars, owned, set, time_of_millis};
use crate::value::{count, text};

/// The part that holds what a recorder gives as a message's text.
const TEXT_PART: &str = "clankers";
/// What a recorder calls a session that it knows no title of.
const NO_TITLE: &str = "Untitled Session";

/// What a row tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    Sessions,
    Messages,
    Tools,
    SessionErrors,
    CompactionEvents,
}

impl Table {
    pub(crate) const ALL: [Self; 5] = [
        Self::Sessions,
        Self::Messages,
        Self::Tools,
        Self::SessionErrors,
        Self::CompactionEvents,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Messages => "messages",
            Self::Tools => "tools",
            Self::SessionErrors => "session_errors",
            Self::CompactionEvents => "compaction_events",
        }
    }

    /// The column that names the session.
    pub(crate) const fn session_column(self) -> &'static str {
        match self {
            Self::Sessions => "id",
            Self::Messages | Self::Tools | Self::SessionErrors | Self::CompactionEvents => {
                "session_id"
            }
        }
    }
}

/// The session that a row is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whose<'a> {
    pub(crate) agent: &'a str,
    /// What the agent calls the session.
    pub(crate) native: &'a str,
}

impl Whose<'_> {
    pub(crate) fn id(self) -> SessionId {
        session_id(self.agent, self.native, "")
    }
}

/// Says what a row says; `source` is where it is from. None: it has no id.
pub(crate) fn take(
    table: Table,
    row: &Value,
    whose: Whose<'_>,
    source: &'static str,
    facts: &mut Facts,
) -> Option<()> {
    match table {
        Table::Sessions => session(row, whose, source, facts),
        Table::Messages => message(row, whose, facts)?,
        Table::Tools => tool(row, whose, facts)?,
        Table::SessionErrors => error(row, whose, facts)?,
        Table::CompactionEvents => compaction(row, whose, facts)?,
    }
    Some(())
}

/// Says whose a session is of which there is no row, only what it holds.
pub(crate) fn name(whose: Whose<'_>, facts: &mut Facts) {
    let patch = SessionPatch {
        agent: set(whose.agent),
        native_id: set(whose.native),
        ..SessionPatch::default()
    };
    facts.session(whose.id(), patch);
}

fn session(row: &Value, whose: Whose<'_>, source: &'static str, facts: &mut Facts) {
    let title = match texts(row, "title") {
        Change::Set(title) if title == NO_TITLE => Change::Keep,
        title => title,
    };
    let cost = change(row, "cost", |cost| {
        cost.as_f64()
            .filter(|cost| *cost > 0.0)
            .and_then(nanos_of_dollars)
    });
    let project = texts(row, "project_path");
    let patch = SessionPatch {
        agent: set(whose.agent),
        native_id: set(whose.native),
        title,
        cwd: project.clone(),
        project_path: project,
        project_name: texts(row, "project_name"),
        model: texts(row, "model"),
        provider: texts(row, "provider"),
        status: texts(row, "status"),
        source: set(source),
        permission_mode: texts(row, "permission_mode"),
        started_at: time(row, "created_at"),
        updated_at: time(row, "updated_at"),
        ended_at: time(row, "ended_at"),
        reported_input_tokens: counted(row, "prompt_tokens"),
        reported_output_tokens: counted(row, "completion_tokens"),
        reported_cost_nanos: cost,
        reported_message_count: counted(row, "message_count"),
        reported_tool_call_count: counted(row, "tool_call_count"),
        ..SessionPatch::default()
    };
    facts.session(whose.id(), patch);
}

fn message(row: &Value, whose: Whose<'_>, facts: &mut Facts) -> Option<()> {
    let id = text(row, &["id"])?;
    let invented =
        whose.agent == Agent::ClaudeCode.as_str() && id.starts_with(&format!("{}-", whose.native));
    let apart = invented.then(|| owned("recorded"));
    let patch = MessagePatch {
        id: owned(id),
        role: texts(row, "role"),
        model: texts(row, "model"),
        kind: apart.into(),
        at: time(row, "created_at"),
        completed_at: time(row, "completed_at"),
        duration_ms: counted(row, "duration_ms"),
        ..MessagePatch::default()
    };
    facts.message(whose.id(), patch);
    // A transcript has the same text in parts of their own ids.
    let said = match row.get("text_content") {
        None => None,
        Some(Value::Null) => Some(""),
        Some(said) => said.as_str().filter(|said| !said.is_empty()),
    };
    if let Some(said) = said {
        let part = Part {
            message_id: owned(id),
            id: TEXT_PART.into(),
            kind: words::TEXT.into(),
            text: owned(said),
            removed: said.is_empty(),
            ..Part::default()
        };
        facts.part(whose.id(), part);
    }
    let (input, output) = (
        count(row, &["prompt_tokens"]),
        count(row, &["completion_tokens"]),
    );
    if !invented && (input > 0 || output > 0) {
        // Before all orders: what a transcript tells of the response counts instead.
        let usage = Usage {
            id: owned(id),
            order: 0,
            message_id: Some(owned(id)),
            model: text(row, &["model"]).map(owned),
            at: time_of_millis(row.get("created_at").and_then(Value::as_i64)),
            input,
            output,
            ..Usage::default()
        };
        facts.say(whose.id(), Piece::Usage(usage));
    }
    Some(())
}

fn tool(row: &Value, whose: Whose<'_>, facts: &mut Facts) -> Option<()> {
    let name = text(row, &["tool_name"]).unwrap_or_default();
    let id = text(row, &["id"])?;
    // The agent's own id stands behind the session's, and the tool's name.
    let own = id.strip_prefix(&format!("{}-", whose.native)).unwrap_or(id);
    let own = own.strip_prefix(&format!("{name}-")).unwrap_or(own);
    let files = change(row, "file_path", |path| {
        let path = path.as_str().filter(|path| !path.is_empty())?;
        Some(vec![FileTouch {
            path: owned(path),
            action: action_of_tool(name).unwrap_or(words::READ).into(),
        }])
    });
    let patch = ToolPatch {
        id: owned(own),
        message_id: texts(row, "message_id"),
        name: texts(row, "tool_name"),
        completed_at: time(row, "created_at"),
        // Without it a call that nobody else tells of would stand before all that was said.
        order: change(row, "created_at", |at| {
            time_of_millis(at.as_i64()).map(|at| order_after(None, Some(at)))
        }),
        duration_ms: counted(row, "duration_ms"),
        success: change(row, "success", |success| match success {
            Value::Bool(success) => Some(*success),
            other => other.as_i64().map(|success| success != 0),
        }),
        error: texts(row, "error_message"),
        files,
        ..ToolPatch::default()
    };
    facts.tool(whose.id(), patch);
    let said = [
        (words::TOOL_INPUT, text(row, &["tool_input"])),
        (words::TOOL_OUTPUT, text(row, &["tool_output"])),
    ];
    for (kind, said) in said {
        if let Some(said) = said {
            facts.tool_text(whose.id(), own, kind, said.to_owned(), 0);
        }
    }
    Some(())
}

fn error(row: &Value, whose: Whose<'_>, facts: &mut Facts) -> Option<()> {
    let patch = ErrorPatch {
        id: owned(text(row, &["id"])?),
        kind: texts(row, "error_type"),
        message: texts(row, "error_message"),
        at: time(row, "created_at"),
        ..ErrorPatch::default()
    };
    facts.say(whose.id(), Piece::Error(patch));
    Some(())
}

fn compaction(row: &Value, whose: Whose<'_>, facts: &mut Facts) -> Option<()> {
    let patch = CompactionPatch {
        id: owned(text(row, &["id"])?),
        tokens_before: counted(row, "tokens_before"),
        tokens_after: counted(row, "tokens_after"),
        messages_before: counted(row, "messages_before"),
        messages_after: counted(row, "messages_after"),
        at: time(row, "created_at"),
        ..CompactionPatch::default()
    };
    facts.say(whose.id(), Piece::Compaction(patch));
    Some(())
}

/// What a row says of a field; a value that can't be read says nothing.
fn change<T>(row: &Value, column: &str, read: impl FnOnce(&Value) -> Option<T>) -> Change<T> {
    match row.get(column) {
        None => Change::Keep,
        Some(Value::Null) => Change::Clear,
        Some(value) => read(value).into(),
    }
}

/// An empty text says nothing: recorders write it for what they don't know.
fn texts(row: &Value, column: &str) -> Change<Cow<'static, str>> {
    change(row, column, |value| {
        value.as_str().filter(|text| !text.is_empty()).map(owned)
    })
}

fn counted(row: &Value, column: &str) -> Change<u64> {
    change(row, column, Value::as_u64)
}

fn time(row: &Value, column: &str) -> Change<Timestamp> {
    change(row, column, |value| time_of_millis(value.as_i64()))
}
