//! Messages that several sessions count as their own.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension};
use syncline_model::ActorId;
use syncline_model::session::{
    Change, CompactionPatch, ErrorPatch, MessagePatch, Piece, SessionId, SessionPatch, ToolPatch,
    Usage, words,
};

use crate::StoreError;

/// How many sessions that were forked from each other are followed.
const FORKS_MAX: u64 = 64;

/// A session that counts a message as its own, and what tells whether others' is the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaidBy {
    pub session: SessionId,
    pub agent: String,
    pub role: String,
    /// Whether the actor that was asked for has written the message.
    pub is_ours: bool,
}

/// The sessions that count a message with this id as their own.
pub fn sessions_that_count(
    connection: &Connection,
    message: &str,
    actor: &ActorId,
) -> Result<Vec<SaidBy>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT m.session_id, coalesce(s.agent, ''), coalesce(m.role, ''), instr(m.versions, ?2) > 0 \
         FROM session_messages AS m JOIN sessions AS s ON s.session_id = m.session_id \
         WHERE m.message_id = ?1 AND m.copied_from IS NULL",
    )?;
    let mut rows = statement.query((message, actor.as_str()))?;
    let mut said_by = Vec::new();
    while let Some(row) = rows.next()? {
        said_by.push(SaidBy {
            session: id(&row.get::<_, String>(0)?)?,
            agent: row.get(1)?,
            role: row.get(2)?,
            is_ours: row.get(3)?,
        });
    }
    Ok(said_by)
}

/// The sessions that one was forked from, as far as that is known.
pub fn forked_from(
    connection: &Connection,
    session: SessionId,
) -> Result<Vec<SessionId>, StoreError> {
    let mut statement = connection.prepare_cached(
        "WITH RECURSIVE up(id, height) AS (VALUES (?1, 0) UNION \
         SELECT s.parent_session, up.height + 1 FROM up JOIN sessions AS s ON s.session_id = up.id \
         WHERE s.parent_kind = 'fork' AND s.parent_session IS NOT NULL AND up.height < ?2) \
         SELECT id FROM up WHERE height > 0",
    )?;
    let ids = statement.query_map((session.to_string(), FORKS_MAX as i64), |row| {
        row.get::<_, String>(0)
    })?;
    ids.map(|text| id(&text?)).collect()
}

/// The sessions that are known to have been forked from one.
pub fn forks_of(connection: &Connection, session: SessionId) -> Result<Vec<SessionId>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT session_id FROM sessions WHERE parent_session = ? AND +parent_kind = 'fork'",
    )?;
    let ids = statement.query_map([session.to_string()], |row| row.get::<_, String>(0))?;
    ids.map(|text| id(&text?)).collect()
}

/// What makes these messages of a session, with all that belongs to them, copies of those that `origin`
/// holds. Where nothing tells what a session came from, it is what it begins with.
pub fn copies(
    connection: &Connection,
    session: SessionId,
    origin: SessionId,
    messages: &BTreeSet<String>,
) -> Result<Vec<Piece<'static>>, StoreError> {
    let things = Things {
        connection,
        session: session.to_string(),
        origin: origin.to_string(),
        messages,
    };
    let from = || Change::Set(origin.to_string().into());
    let mut pieces: Vec<Piece<'static>> = Vec::new();
    pieces.extend(messages.iter().map(|message| {
        Piece::Message(MessagePatch {
            id: message.clone().into(),
            copied_from: from(),
            ..MessagePatch::default()
        })
    }));
    pieces.extend(things.of(TOOLS)?.into_iter().map(|(id, _)| {
        Piece::Tool(Box::new(ToolPatch {
            id: id.into(),
            copied_from: from(),
            ..ToolPatch::default()
        }))
    }));
    // A snapshot that says no more than whose the response is: whatever is known of it stays.
    pieces.extend(things.of(USAGE)?.into_iter().map(|(id, order)| {
        Piece::Usage(Usage {
            id: id.into(),
            order,
            copied: true,
            ..Usage::default()
        })
    }));
    pieces.extend(things.of(ERRORS)?.into_iter().map(|(id, _)| {
        Piece::Error(ErrorPatch {
            id: id.into(),
            copied_from: from(),
            ..ErrorPatch::default()
        })
    }));
    pieces.extend(things.of(COMPACTIONS)?.into_iter().map(|(id, _)| {
        Piece::Compaction(CompactionPatch {
            id: id.into(),
            copied_from: from(),
            ..CompactionPatch::default()
        })
    }));
    if things.has_no_parent()? && things.begins_with_them()? {
        pieces.push(Piece::Session(Box::new(SessionPatch {
            parent_session: from(),
            parent_kind: Change::Set(words::FORK.into()),
            ..SessionPatch::default()
        })));
    }
    Ok(pieces)
}

// Of things that count in session ?1: the id, where they stand, the message that they belong to, and whether
// session ?2 holds one with the same id.
const TOOLS: &str = "SELECT t.tool_id, t.position, t.message_id, 0 FROM session_tools AS t \
     WHERE t.session_id = ?1 AND t.copied_from IS NULL AND ?2 IS NOT NULL";
const USAGE: &str = "SELECT u.usage_id, u.position, coalesce(u.message_id, u.usage_id), 0 \
     FROM session_usage AS u WHERE u.session_id = ?1 AND u.copied = 0 AND EXISTS (SELECT 1 \
     FROM session_usage AS o WHERE o.session_id = ?2 AND o.usage_id = u.usage_id)";
const ERRORS: &str = "SELECT e.error_id, e.position, e.message_id, EXISTS (SELECT 1 \
     FROM session_errors AS o WHERE o.session_id = ?2 AND o.error_id = e.error_id) \
     FROM session_errors AS e WHERE e.session_id = ?1 AND e.copied_from IS NULL";
const COMPACTIONS: &str = "SELECT c.compaction_id, c.position, NULL, EXISTS (SELECT 1 \
     FROM session_compactions AS o WHERE o.session_id = ?2 AND o.compaction_id = c.compaction_id) \
     FROM session_compactions AS c WHERE c.session_id = ?1 AND c.copied_from IS NULL";

/// The things of a session that repeats messages of another.
struct Things<'a> {
    connection: &'a Connection,
    session: String,
    origin: String,
    messages: &'a BTreeSet<String>,
}

impl Things<'_> {
    /// Those of a table that are repeated too, with where they stand.
    fn of(&self, sql: &str) -> Result<Vec<(String, i64)>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query((&self.session, &self.origin))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let message: Option<String> = row.get(2)?;
            let belongs = message.is_some_and(|message| self.messages.contains(&message));
            if belongs || row.get(3)? {
                found.push((row.get(0)?, row.get(1)?));
            }
        }
        Ok(found)
    }

    fn has_no_parent(&self) -> Result<bool, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT 1 FROM sessions WHERE session_id = ? AND parent_session IS NULL",
        )?;
        Ok(statement.exists([&self.session])?)
    }

    fn begins_with_them(&self) -> Result<bool, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT message_id FROM session_messages WHERE session_id = ? ORDER BY position LIMIT 1",
        )?;
        let first = statement.query_row([&self.session], |row| row.get::<_, String>(0));
        Ok(first
            .optional()?
            .is_some_and(|first| self.messages.contains(&first)))
    }
}

fn id(text: &str) -> Result<SessionId, StoreError> {
    let id = text.parse();
    id.map_err(|_| StoreError::damaged("a session's id is no UUID"))
}
