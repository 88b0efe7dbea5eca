//! What happened in a session, in order, a page at a time.

mod rows;

use std::fmt;

use rusqlite::Connection;
use syncline_model::Timestamp;
use syncline_model::session::SessionId;

use super::figures::{Cost, Tokens};
use super::list::CursorError;
use super::prices::PriceTable;
use crate::StoreError;
use crate::hex::{Hex, unhex};
use crate::snapshot::snapshot;
use crate::threads::row::sql_count;
use rows::Reader;

/// Something that happened in a session. Whatever has a `position` is ordered by it, alike in all of them:
/// of a message that says something, calls a tool and goes on, the parts stand around the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Message(SessionMessage),
    Tool(SessionTool),
    Error(SessionError),
    Compaction(SessionCompaction),
    /// A line of a transcript that no importer could name, as it stands there.
    Raw(SessionPart),
    /// What a response has used that is no message: the model called tools, and said nothing.
    Usage(SessionUsage),
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
    pub provider: Option<String>,
    pub at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
    pub duration_ms: Option<i64>,
    pub stop_reason: Option<String>,
    pub is_sidechain: bool,
    pub rewound: bool,
    /// The session, by resource id, that it is a copy of.
    pub copied_from: Option<String>,
    pub position: i64,
    pub parts: Vec<SessionPart>,
    /// What its response has used.
    pub usage: Option<SessionUsage>,
}

/// What a response has used, and what that cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionUsage {
    pub id: String,
    pub model: Option<String>,
    pub provider: Option<String>,
    pub at: Option<Timestamp>,
    pub position: i64,
    pub tokens: Tokens,
    pub cost: Cost,
    /// Whether it is another session's response, and counts there alone.
    pub copied: bool,
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
    pub position: i64,
}

/// A tool call, with what went in and what came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionTool {
    pub id: String,
    pub message_id: Option<String>,
    pub name: Option<String>,
    pub at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
    pub duration_ms: Option<i64>,
    pub status: Option<String>,
    pub success: Option<bool>,
    pub exit_code: Option<i64>,
    pub error: Option<String>,
    /// The files that it touched: path, and what was done.
    pub files: Vec<(String, String)>,
    /// The session that it started, by resource id.
    pub child_session: Option<String>,
    pub position: i64,
    pub parts: Vec<SessionPart>,
}

/// An error of the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionError {
    pub id: String,
    pub kind: Option<String>,
    pub message: Option<String>,
    pub at: Option<Timestamp>,
    pub position: i64,
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
    pub position: i64,
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
     AND owner = 'session' AND owner_id = '' AND kind <> 'removed' AND continues = 0 \
     UNION ALL SELECT position, 5, usage_id FROM session_usage WHERE session_id = ?1 AND usage_id NOT IN (\
     SELECT coalesce(response_id, message_id) FROM session_messages WHERE session_id = ?1)) \
     WHERE (position, rank, id) > (?2, ?3, ?4) ORDER BY position, rank, id LIMIT ?5";

/// Reads what happened in a session after `after`: messages with their parts, tool calls with input
/// and output, errors, compactions, lines that could not be named, and what responses without a message
/// have used.
pub fn read_events(
    connection: &Connection,
    session: SessionId,
    after: Option<&EventCursor>,
    limit: u64,
    prices: &PriceTable,
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
    let reader = Reader {
        connection,
        session: &id,
        prices,
    };
    for place in &places {
        let id = &place.id;
        events.push(match place.rank {
            0 => Event::Message(reader.message(id)?),
            1 => Event::Tool(reader.tool(id)?),
            2 => Event::Error(reader.error(id)?),
            3 => Event::Compaction(reader.compaction(id)?),
            4 => Event::Raw(reader.raw(id)?),
            _ => Event::Usage(reader.usage(id)?),
        });
    }
    Ok(EventPage {
        events,
        last: places.pop(),
        more,
    })
}
