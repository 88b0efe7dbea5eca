//! What happened in a session, in order, a page at a time.

use std::fmt;

use rusqlite::{Connection, Rows};
use serde_json::Value as Json;
use syncline_model::Timestamp;
use syncline_model::session::SessionId;

use super::list::CursorError;
use super::row::time_cell;
use crate::StoreError;
use crate::hex::{Hex, unhex};
use crate::snapshot::snapshot;
use crate::threads::row::sql_count;

/// Something that happened in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Message(SessionMessage),
    Tool(SessionTool),
    Error(SessionError),
    Compaction(SessionCompaction),
    /// A line of a transcript that no importer could name, as it stands there.
    Raw(SessionPart),
}

/// A message with its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionMessage {
    pub id: String,
    pub role: Option<String>,
    /// What kind of message this is, where no person and no model wrote it.
    pub kind: Option<String>,
    pub parent_id: Option<String>,
    pub model: Option<String>,
    pub at: Option<Timestamp>,
    pub duration_ms: Option<i64>,
    pub is_sidechain: bool,
    pub rewound: bool,
    /// The session, by resource id, that it is a copy of.
    pub copied_from: Option<String>,
    pub parts: Vec<SessionPart>,
}

/// A part of a message, or of a tool call. Parts that go on each other are one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionPart {
    pub id: String,
    pub kind: String,
    pub text: String,
    pub media_type: Option<String>,
    /// What is not kept itself: a path, a URL, a digest.
    pub reference: Option<String>,
}

/// A tool call, with what went in and what came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionTool {
    pub id: String,
    pub message_id: Option<String>,
    pub name: Option<String>,
    pub at: Option<Timestamp>,
    pub duration_ms: Option<i64>,
    pub status: Option<String>,
    pub success: Option<bool>,
    pub exit_code: Option<i64>,
    pub error: Option<String>,
    /// The files that it touched: path, and what was done.
    pub files: Vec<(String, String)>,
    /// The session that it started, by resource id.
    pub child_session: Option<String>,
    pub parts: Vec<SessionPart>,
}

/// An error of the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionError {
    pub id: String,
    pub kind: Option<String>,
    pub message: Option<String>,
    pub at: Option<Timestamp>,
}

/// A compaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionCompaction {
    pub id: String,
    pub trigger: Option<String>,
    pub summary: Option<String>,
    pub tokens_before: Option<i64>,
    pub tokens_after: Option<i64>,
    pub at: Option<Timestamp>,
}

/// A place in a session; its text is opaque and safe in a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventCursor {
    position: i64,
    rank: i64,
    id: String,
}

impl fmt::Display for EventCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.", self.position, self.rank)?;
        Hex(&self.id).fmt(f)
    }
}

impl std::str::FromStr for EventCursor {
    type Err = CursorError;
    fn from_str(text: &str) -> Result<Self, CursorError> {
        let mut words = text.splitn(3, '.');
        let mut number = || words.next()?.parse().ok();
        let (position, rank) = (number().ok_or(CursorError)?, number().ok_or(CursorError)?);
        let id = words.next().and_then(unhex);
        Ok(Self {
            position,
            rank,
            id: id.ok_or(CursorError)?,
        })
    }
}

/// A page of what happened, first things first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    pub events: Vec<Event>,
    /// Where the last event stands: what comes later comes after it, also what is written later.
    pub last: Option<EventCursor>,
    /// Whether there is more now.
    pub more: bool,
}

const PLACES: &str = "SELECT position, rank, id FROM (\
     SELECT position, 0 AS rank, message_id AS id FROM session_messages WHERE session_id = ?1 \
     UNION ALL SELECT position, 1, tool_id FROM session_tools WHERE session_id = ?1 \
     UNION ALL SELECT position, 2, error_id FROM session_errors WHERE session_id = ?1 \
     UNION ALL SELECT position, 3, compaction_id FROM session_compactions WHERE session_id = ?1 \
     UNION ALL SELECT position, 4, part_id FROM session_parts WHERE session_id = ?1 \
     AND owner = 'session' AND owner_id = '' AND kind <> 'removed' AND continues = 0) \
     WHERE (position, rank, id) > (?2, ?3, ?4) ORDER BY position, rank, id LIMIT ?5";

/// Reads what happened in a session after `after`: messages with their parts, tool calls with input
/// and output, errors, compactions, and lines that could not be named.
pub fn read_events(
    connection: &Connection,
    session: SessionId,
    after: Option<&EventCursor>,
    limit: u64,
) -> Result<EventPage, StoreError> {
    let _snapshot = snapshot(connection)?;
    let id = session.to_string();
    let (position, rank, last_id) = after.map_or((i64::MIN, 0, ""), |cursor| {
        (cursor.position, cursor.rank, &*cursor.id)
    });
    let mut statement = connection.prepare_cached(PLACES)?;
    let one_more = sql_count(limit.saturating_add(1));
    let places = statement.query_map((&id, position, rank, last_id, one_more), |row| {
        Ok(EventCursor {
            position: row.get(0)?,
            rank: row.get(1)?,
            id: row.get(2)?,
        })
    })?;
    let mut places = places.collect::<Result<Vec<_>, _>>()?;
    let more = places.len() as u64 > limit;
    places.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let mut events = Vec::with_capacity(places.len());
    for place in &places {
        events.push(match place.rank {
            0 => Event::Message(message(connection, &id, &place.id)?),
            1 => Event::Tool(tool(connection, &id, &place.id)?),
            2 => Event::Error(error(connection, &id, &place.id)?),
            3 => Event::Compaction(compaction(connection, &id, &place.id)?),
            _ => Event::Raw(raw(connection, &id, &place.id)?),
        });
    }
    Ok(EventPage {
        events,
        last: places.pop(),
        more,
    })
}

fn message(connection: &Connection, session: &str, id: &str) -> Result<SessionMessage, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT role, kind, parent_id, model, at, duration_ms, is_sidechain, rewound, copied_from \
         FROM session_messages WHERE session_id = ? AND message_id = ?",
    )?;
    statement.query_row((session, id), |row| {
        let flag = |place| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(place)? == Some(1));
        let message = SessionMessage {
            id: id.to_owned(),
            role: row.get(0)?,
            kind: row.get(1)?,
            parent_id: row.get(2)?,
            model: row.get(3)?,
            at: None,
            duration_ms: row.get(5)?,
            is_sidechain: flag(6)?,
            rewound: flag(7)?,
            copied_from: row.get(8)?,
            parts: Vec::new(),
        };
        Ok(time_cell(row, 4).and_then(|at| {
            let parts = parts(connection, session, "message", id)?;
            Ok(SessionMessage {
                at,
                parts,
                ..message
            })
        }))
    })?
}

fn tool(connection: &Connection, session: &str, id: &str) -> Result<SessionTool, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT message_id, name, at, duration_ms, status, success, exit_code, error, files, \
         child_session FROM session_tools WHERE session_id = ? AND tool_id = ?",
    )?;
    statement.query_row((session, id), |row| {
        let files: Option<String> = row.get(8)?;
        let tool = SessionTool {
            id: id.to_owned(),
            message_id: row.get(0)?,
            name: row.get(1)?,
            at: None,
            duration_ms: row.get(3)?,
            status: row.get(4)?,
            success: row.get::<_, Option<i64>>(5)?.map(|success| success == 1),
            exit_code: row.get(6)?,
            error: row.get(7)?,
            files: files.map_or_else(Vec::new, |files| touched(&files)),
            child_session: row.get(9)?,
            parts: Vec::new(),
        };
        Ok(time_cell(row, 2).and_then(|at| {
            let parts = parts(connection, session, "tool", id)?;
            Ok(SessionTool { at, parts, ..tool })
        }))
    })?
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

fn error(connection: &Connection, session: &str, id: &str) -> Result<SessionError, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT kind, message, at FROM session_errors WHERE session_id = ? AND error_id = ?",
    )?;
    statement.query_row((session, id), |row| {
        let (kind, message) = (row.get(0)?, row.get(1)?);
        Ok(time_cell(row, 2).map(|at| SessionError {
            id: id.to_owned(),
            kind,
            message,
            at,
        }))
    })?
}

fn compaction(
    connection: &Connection,
    session: &str,
    id: &str,
) -> Result<SessionCompaction, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT \"trigger\", summary, tokens_before, tokens_after, at FROM session_compactions \
         WHERE session_id = ? AND compaction_id = ?",
    )?;
    statement.query_row((session, id), |row| {
        let (trigger, summary) = (row.get(0)?, row.get(1)?);
        let (tokens_before, tokens_after) = (row.get(2)?, row.get(3)?);
        Ok(time_cell(row, 4).map(|at| SessionCompaction {
            id: id.to_owned(),
            trigger,
            summary,
            tokens_before,
            tokens_after,
            at,
        }))
    })?
}

/// What a part is made of, in the order in which parts are put together.
macro_rules! parts_where {
    ($condition:literal) => {
        concat!(
            "SELECT part_id, kind, continues, media_type, reference, text FROM session_parts \
             WHERE session_id = ?1 AND ",
            $condition,
            " AND kind <> 'removed' ORDER BY position, part_id"
        )
    };
}

/// The parts of a message or tool call, in order.
fn parts(
    connection: &Connection,
    session: &str,
    owner: &str,
    id: &str,
) -> Result<Vec<SessionPart>, StoreError> {
    let of_owner = parts_where!("owner = ?2 AND owner_id = ?3");
    put_together(
        connection
            .prepare_cached(of_owner)?
            .query((session, owner, id))?,
    )
}

/// A line that is a part of the session itself. The pieces of a long one are named after the first: a `,`
/// is what sorts behind the `+` between that name and their number.
fn raw(connection: &Connection, session: &str, id: &str) -> Result<SessionPart, StoreError> {
    let of_line = parts_where!(
        "owner = 'session' AND owner_id = '' AND (part_id = ?2 \
         OR part_id BETWEEN ?2 || '+' AND ?2 || ',' AND continues = 1)"
    );
    let parts = put_together(connection.prepare_cached(of_line)?.query((session, id))?)?;
    let first = parts.into_iter().next();
    first.ok_or(StoreError::damaged("a line of a session is not there"))
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
                .push_str(row.get_ref(5)?.as_str().map_err(rusqlite::Error::from)?);
            continue;
        }
        parts.push(SessionPart {
            id: part_id,
            kind,
            text: row.get(5)?,
            media_type: row.get(3)?,
            reference: row.get(4)?,
        });
    }
    Ok(parts)
}
