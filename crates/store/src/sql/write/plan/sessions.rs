//! What can be said anew of a session, and of what is in it.

use std::borrow::Cow;

use rusqlite::types::Value;
use syncline_model::session::{
    Batch, Change, CompactionPatch, ErrorPatch, MessagePatch, Piece, Precedence, SessionId,
    SessionPatch, ToolPatch,
};
use syncline_model::{Scope, Timestamp};

use super::{Field, Planner, RowChange, WritePlanError};
use crate::StoreError;
use crate::local::NewOp;
use crate::sessions::news;

/// What is said to be instead of what an agent told.
const INSTEAD: &str =
    "syncline session delete SESSION, which erases it whole; what an agent told is not rewritten";

impl<'a> Planner<'a> {
    /// Of a session, or of what is in one. What a person says stands over what agents tell, before and after.
    pub(super) fn update_session(
        &self,
        row: &'a RowChange,
        said: &[Field<'a>],
    ) -> Result<Vec<NewOp>, WritePlanError> {
        if said.is_empty() {
            return Ok(Vec::new());
        }
        let mut batch = Batch::of(Precedence::Decided);
        batch.push(&self.piece(row, said)?)?;
        let payload = batch.finish()?.expect("one piece is in it");
        let ops = self.owners(row)?.into_iter().map(|session| NewOp {
            scope: Scope::session(),
            resource: session.into(),
            payload: payload.clone(),
        });
        Ok(ops.collect())
    }

    /// Whether what a column is set to, which is what it shows, stands by the word of an agent alone. What
    /// can't be set is what it is.
    pub(super) fn is_told(
        &self,
        row: &'a RowChange,
        field: Field<'a>,
    ) -> Result<bool, WritePlanError> {
        let Ok(piece) = self.piece(row, &[field]) else {
            return Ok(false);
        };
        for session in self.owners(row)? {
            let news = news(self.connection, session, piece.clone(), Precedence::Decided)?;
            if news.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn piece(&self, row: &'a RowChange, fields: &[Field<'a>]) -> Result<Piece<'a>, WritePlanError> {
        let id: Cow<'a, str> = self.old(row, "id").unwrap_or_default().into();
        match self.changes.view.name {
            "sessions" => of_session(fields),
            "messages" => of_message(id, fields),
            "tools" => of_tool(id, fields),
            "session_errors" => of_error(id, fields),
            _ => of_compaction(id, fields),
        }
    }

    /// The sessions that have the row: of its agent, under the id that it shows, or its subagent's.
    fn owners(&self, row: &'a RowChange) -> Result<Vec<SessionId>, WritePlanError> {
        let (table, key) = match self.changes.view.name {
            "sessions" => return Ok(vec![self.id(row, "resource_id")?]),
            "messages" => ("session_messages", "message_id"),
            "tools" => ("session_tools", "tool_id"),
            "session_errors" => ("session_errors", "error_id"),
            _ => ("session_compactions", "compaction_id"),
        };
        let native = self.old(row, "subagent").or(self.old(row, "session_id"));
        let sql = format!(
            "SELECT x.session_id FROM {table} AS x JOIN sessions AS s ON s.session_id = x.session_id \
             WHERE x.{key} = ?1 AND coalesce(s.native_id, s.session_id) IS ?2 AND s.agent IS ?3 \
             AND (x.copied_from IS NULL OR NOT EXISTS (SELECT 1 FROM sessions AS o \
             WHERE o.session_id = x.copied_from AND o.deleted_at IS NULL))"
        );
        let find = || -> rusqlite::Result<Vec<String>> {
            let mut statement = self.connection.prepare_cached(&sql)?;
            let parameters = (self.old(row, "id"), native, self.old(row, "agent"));
            let ids = statement.query_map(parameters, |row| row.get(0))?;
            ids.collect()
        };
        let ids = find().map_err(StoreError::from)?;
        Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
    }
}

fn of_session<'a>(fields: &[Field<'a>]) -> Result<Piece<'a>, WritePlanError> {
    let mut patch = SessionPatch::default();
    for field in fields {
        let target = match field.column {
            "title" => &mut patch.title,
            "project_path" => &mut patch.project_path,
            "project_name" => &mut patch.project_name,
            "model" => &mut patch.model,
            "provider" => &mut patch.provider,
            "channel" => &mut patch.source,
            "status" => &mut patch.status,
            "machine" => &mut patch.machine,
            "git_branch" => &mut patch.git_branch,
            "git_commit" => &mut patch.git_commit,
            "cwd" => &mut patch.cwd,
            "permission_mode" => &mut patch.permission_mode,
            "agent_version" => &mut patch.agent_version,
            "created_at" | "started_at" => {
                patch.started_at = field.time()?;
                continue;
            }
            "updated_at" => {
                patch.updated_at = field.time()?;
                continue;
            }
            "ended_at" => {
                patch.ended_at = field.time()?;
                continue;
            }
            _ => return Err(field.forbidden(INSTEAD)),
        };
        *target = field.change()?;
    }
    Ok(Piece::Session(Box::new(patch)))
}

fn of_message<'a>(id: Cow<'a, str>, fields: &[Field<'a>]) -> Result<Piece<'a>, WritePlanError> {
    let mut message = MessagePatch {
        id,
        ..MessagePatch::default()
    };
    for field in fields {
        match field.column {
            "role" => message.role = field.change()?,
            "kind" => message.kind = field.change()?,
            "model" => message.model = field.change()?,
            "parent_id" => message.parent_id = field.change()?,
            "duration_ms" => message.duration_ms = field.count()?,
            "created_at" => message.at = field.time()?,
            "completed_at" => message.completed_at = field.time()?,
            "rewound" => message.rewound = field.flag()?,
            _ => return Err(field.forbidden(INSTEAD)),
        }
    }
    Ok(Piece::Message(message))
}

fn of_tool<'a>(id: Cow<'a, str>, fields: &[Field<'a>]) -> Result<Piece<'a>, WritePlanError> {
    let mut tool = ToolPatch {
        id,
        ..ToolPatch::default()
    };
    for field in fields {
        match field.column {
            "message_id" => tool.message_id = field.change()?,
            "tool_name" => tool.name = field.change()?,
            "success" => tool.success = field.flag()?,
            "exit_code" => tool.exit_code = field.integer()?,
            "error_message" => tool.error = field.change()?,
            "status" => tool.status = field.change()?,
            "duration_ms" => tool.duration_ms = field.count()?,
            "created_at" => tool.at = field.time()?,
            "completed_at" => tool.completed_at = field.time()?,
            _ => return Err(field.forbidden(INSTEAD)),
        }
    }
    Ok(Piece::Tool(Box::new(tool)))
}

fn of_error<'a>(id: Cow<'a, str>, fields: &[Field<'a>]) -> Result<Piece<'a>, WritePlanError> {
    let mut error = ErrorPatch {
        id,
        ..ErrorPatch::default()
    };
    for field in fields {
        match field.column {
            "error_type" => error.kind = field.change()?,
            "error_message" => error.message = field.change()?,
            "message_id" => error.message_id = field.change()?,
            "created_at" => error.at = field.time()?,
            _ => return Err(field.forbidden(INSTEAD)),
        }
    }
    Ok(Piece::Error(error))
}

fn of_compaction<'a>(id: Cow<'a, str>, fields: &[Field<'a>]) -> Result<Piece<'a>, WritePlanError> {
    let mut compaction = CompactionPatch {
        id,
        ..CompactionPatch::default()
    };
    for field in fields {
        match field.column {
            "tokens_before" => compaction.tokens_before = field.count()?,
            "tokens_after" => compaction.tokens_after = field.count()?,
            "messages_before" => compaction.messages_before = field.count()?,
            "messages_after" => compaction.messages_after = field.count()?,
            "cause" => compaction.trigger = field.change()?,
            "summary" => compaction.summary = field.change()?,
            "created_at" => compaction.at = field.time()?,
            _ => return Err(field.forbidden(INSTEAD)),
        }
    }
    Ok(Piece::Compaction(compaction))
}

impl<'a> Field<'a> {
    fn change(self) -> Result<Change<Cow<'a, str>>, WritePlanError> {
        match self.value {
            Value::Null => Ok(Change::Clear),
            Value::Text(text) => Ok(Change::Set(text.into())),
            Value::Integer(_) | Value::Real(_) | Value::Blob(_) => {
                Err(self.expected("a text or NULL"))
            }
        }
    }

    fn integer(self) -> Result<Change<i64>, WritePlanError> {
        match self.value {
            Value::Null => Ok(Change::Clear),
            Value::Integer(number) => Ok(Change::Set(*number)),
            Value::Text(_) | Value::Real(_) | Value::Blob(_) => {
                Err(self.expected("a whole number or NULL"))
            }
        }
    }

    fn count(self) -> Result<Change<u64>, WritePlanError> {
        let number = self.integer()?;
        if matches!(number, Change::Set(..0)) {
            return Err(self.expected("0 or more, or NULL"));
        }
        Ok(number.map(i64::unsigned_abs))
    }

    fn flag(self) -> Result<Change<bool>, WritePlanError> {
        match self.integer()? {
            Change::Set(0) => Ok(Change::Set(false)),
            Change::Set(1) => Ok(Change::Set(true)),
            Change::Clear => Ok(Change::Clear),
            Change::Keep | Change::Set(_) => Err(self.expected("0, 1 or NULL")),
        }
    }

    /// Milliseconds since 1970.
    fn time(self) -> Result<Change<Timestamp>, WritePlanError> {
        match self.integer()? {
            Change::Set(millis) => match Timestamp::from_millis(millis) {
                Ok(time) => Ok(Change::Set(time)),
                Err(_) => Err(self.expected("milliseconds since 1970, or NULL")),
            },
            Change::Keep | Change::Clear => Ok(Change::Clear),
        }
    }
}
