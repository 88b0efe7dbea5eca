//! The rows of a session, put together.

use rusqlite::{Connection, Row, Rows};
use serde_json::Value as Json;

use super::super::figures::{Cost, Tokens, count_cell, tokens_cells};
use super::super::prices::PriceTable;
use super::super::row::time_cell;
use super::{
    SessionCompaction, SessionError, SessionMessage, SessionPart, SessionTool, SessionUsage,
};
use crate::StoreError;

/// Reads what is in one session.
pub(super) struct Reader<'r> {
    pub(super) connection: &'r Connection,
    pub(super) session: &'r str,
    pub(super) prices: &'r PriceTable,
}

const MESSAGE: &str = "SELECT role, kind, parent_id, model, provider, at, completed_at, duration_ms, \
     stop_reason, is_sidechain, rewound, copied_from, position, coalesce(response_id, message_id) \
     FROM session_messages WHERE session_id = ? AND message_id = ?";
const TOOL: &str = "SELECT message_id, name, at, completed_at, duration_ms, status, success, exit_code, \
     error, files, child_session, position FROM session_tools WHERE session_id = ? AND tool_id = ?";
const ERROR: &str = "SELECT kind, message, at, position FROM session_errors \
     WHERE session_id = ? AND error_id = ?";
const COMPACTION: &str = "SELECT \"trigger\", summary, tokens_before, tokens_after, at, position \
     FROM session_compactions WHERE session_id = ? AND compaction_id = ?";
const USAGE: &str = "SELECT model, provider, at, position, input_tokens, output_tokens, \
     cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, reasoning_tokens, cost_nanos, \
     copied FROM session_usage WHERE session_id = ? AND usage_id = ?";

/// What a part is made of, in the order in which parts are put together.
macro_rules! parts_where {
    ($condition:literal) => {
        concat!(
            "SELECT part_id, kind, continues, media_type, reference, position, text \
             FROM session_parts WHERE session_id = ?1 AND ",
            $condition,
            " AND kind <> 'removed' ORDER BY position, part_id"
        )
    };
}

impl Reader<'_> {
    /// Reads the row of this session that has `id`, if it is there.
    fn find<T>(
        &self,
        sql: &'static str,
        id: &str,
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query((self.session, id))?;
        rows.next()?.map(read).transpose()
    }

    pub(super) fn message(&self, id: &str) -> Result<SessionMessage, StoreError> {
        let flag = |row: &Row<'_>, place| -> rusqlite::Result<bool> {
            Ok(row.get::<_, Option<i64>>(place)? == Some(1))
        };
        let found = self.find(MESSAGE, id, |row| {
            let response: String = row.get(13)?;
            Ok(SessionMessage {
                id: id.to_owned(),
                role: row.get(0)?,
                kind: row.get(1)?,
                parent_id: row.get(2)?,
                model: row.get(3)?,
                provider: row.get(4)?,
                at: time_cell(row, 5)?,
                completed_at: time_cell(row, 6)?,
                duration_ms: row.get(7)?,
                stop_reason: row.get(8)?,
                is_sidechain: flag(row, 9)?,
                rewound: flag(row, 10)?,
                copied_from: row.get(11)?,
                position: row.get(12)?,
                parts: self.parts("message", id)?,
                usage: self.find(USAGE, &response, |row| self.used(&response, row))?,
            })
        });
        found?.ok_or_else(gone)
    }

    pub(super) fn tool(&self, id: &str) -> Result<SessionTool, StoreError> {
        let found = self.find(TOOL, id, |row| {
            let files: Option<String> = row.get(9)?;
            Ok(SessionTool {
                id: id.to_owned(),
                message_id: row.get(0)?,
                name: row.get(1)?,
                at: time_cell(row, 2)?,
                completed_at: time_cell(row, 3)?,
                duration_ms: row.get(4)?,
                status: row.get(5)?,
                success: row.get::<_, Option<i64>>(6)?.map(|success| success == 1),
                exit_code: row.get(7)?,
                error: row.get(8)?,
                files: files.map_or_else(Vec::new, |files| touched(&files)),
                child_session: row.get(10)?,
                position: row.get(11)?,
                parts: self.parts("tool", id)?,
            })
        });
        found?.ok_or_else(gone)
    }

    pub(super) fn error(&self, id: &str) -> Result<SessionError, StoreError> {
        let found = self.find(ERROR, id, |row| {
            Ok(SessionError {
                id: id.to_owned(),
                kind: row.get(0)?,
                message: row.get(1)?,
                at: time_cell(row, 2)?,
                position: row.get(3)?,
            })
        });
        found?.ok_or_else(gone)
    }

    pub(super) fn compaction(&self, id: &str) -> Result<SessionCompaction, StoreError> {
        let found = self.find(COMPACTION, id, |row| {
            Ok(SessionCompaction {
                id: id.to_owned(),
                trigger: row.get(0)?,
                summary: row.get(1)?,
                tokens_before: row.get(2)?,
                tokens_after: row.get(3)?,
                at: time_cell(row, 4)?,
                position: row.get(5)?,
            })
        });
        found?.ok_or_else(gone)
    }

    pub(super) fn usage(&self, id: &str) -> Result<SessionUsage, StoreError> {
        let found = self.find(USAGE, id, |row| self.used(id, row));
        found?.ok_or_else(gone)
    }

    fn used(&self, id: &str, row: &Row<'_>) -> Result<SessionUsage, StoreError> {
        let tokens = Tokens {
            reasoning: count_cell(row, 9)?,
            ..tokens_cells(row, 4)?
        };
        let (model, at): (Option<String>, _) = (row.get(0)?, time_cell(row, 2)?);
        let reported: Option<i64> = row.get(10)?;
        let price = || self.prices.cost_nanos(model.as_deref()?, at, &tokens);
        let computed = if reported.is_none() { price() } else { None };
        Ok(SessionUsage {
            id: id.to_owned(),
            provider: row.get(1)?,
            position: row.get(3)?,
            cost: Cost {
                reported_nanos: reported.unwrap_or_default().max(0) as u64,
                computed_nanos: computed.unwrap_or_default(),
                unpriced: u64::from(reported.is_none() && computed.is_none()),
            },
            copied: row.get::<_, i64>(11)? == 1,
            tokens,
            model,
            at,
        })
    }

    /// The parts of a message or tool call, in order.
    fn parts(&self, owner: &str, id: &str) -> Result<Vec<SessionPart>, StoreError> {
        let of_owner = parts_where!("owner = ?2 AND owner_id = ?3");
        let mut statement = self.connection.prepare_cached(of_owner)?;
        put_together(statement.query((self.session, owner, id))?)
    }

    /// A line that is a part of the session itself. The pieces of a long one are named after the first: a `,`
    /// is what sorts behind the `+` between that name and their number.
    pub(super) fn raw(&self, id: &str) -> Result<SessionPart, StoreError> {
        let of_line = parts_where!(
            "owner = 'session' AND owner_id = '' AND (part_id = ?2 \
             OR part_id BETWEEN ?2 || '+' AND ?2 || ',' AND continues = 1)"
        );
        let mut statement = self.connection.prepare_cached(of_line)?;
        let parts = put_together(statement.query((self.session, id))?)?;
        parts.into_iter().next().ok_or_else(gone)
    }
}

fn gone() -> StoreError {
    StoreError::damaged("a row of a session is not there")
}

/// The files in the JSON that the fold writes.
fn touched(files: &str) -> Vec<(String, String)> {
    let files: Vec<Json> = serde_json::from_str(files).unwrap_or_default();
    let text = |file: &Json, name: &str| file[name].as_str().unwrap_or_default().to_owned();
    let files = files.iter();
    files
        .map(|f| (text(f, "path"), text(f, "action")))
        .collect()
}

/// Parts that go on each other as one.
fn put_together(mut rows: Rows<'_>) -> Result<Vec<SessionPart>, StoreError> {
    let mut parts: Vec<SessionPart> = Vec::new();
    while let Some(row) = rows.next()? {
        let (part_id, kind): (String, String) = (row.get(0)?, row.get(1)?);
        let continues = row.get::<_, i64>(2)? == 1;
        if let Some(last) = parts
            .last_mut()
            .filter(|last| continues && last.kind == kind)
        {
            last.text
                .push_str(row.get_ref(6)?.as_str().map_err(rusqlite::Error::from)?);
            continue;
        }
        parts.push(SessionPart {
            id: part_id,
            kind,
            text: row.get(6)?,
            media_type: row.get(3)?,
            reference: row.get(4)?,
            position: row.get(5)?,
        });
    }
    Ok(parts)
}
