//! Which session a person means.

use rusqlite::Connection;

use super::list::named;
use super::row::{Session, read_session, session_columns};
use crate::StoreError;

/// How many sessions an ambiguous reference lists.
const CANDIDATES_MAX: usize = 20;

/// What a reference to a session stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResolvedSession {
    Found(Box<Session>),
    /// Several, of which the reference says too little; the first few of them.
    Ambiguous(Vec<Session>),
    Unknown,
}

const EXACT: &str = concat!(
    "SELECT ",
    session_columns!(),
    " FROM sessions AS s WHERE s.deleted_at IS NULL AND (s.session_id = ?1 OR s.native_id = ?1) \
     AND (?2 IS NULL OR ",
    named!("s.agent", "?2"),
    ") ORDER BY s.last_at DESC LIMIT ?3"
);
const PART: &str = concat!(
    "SELECT ",
    session_columns!(),
    " FROM sessions AS s WHERE s.deleted_at IS NULL AND (substr(s.session_id, 1, length(?1)) = ?1 \
     OR substr(s.native_id, 1, length(?1)) = ?1 OR (length(?1) >= 4 \
     AND (substr(s.session_id, -length(?1)) = ?1 OR substr(s.native_id, -length(?1)) = ?1))) \
     AND (?2 IS NULL OR ",
    named!("s.agent", "?2"),
    ") ORDER BY s.last_at DESC LIMIT ?3"
);

/// Finds the session that `reference` names: its id here, the agent's own id, the beginning of
/// either, or four or more of its last characters. An agent tells equal ones apart, where it is given.
/// An empty reference, which all ids begin with, names none.
pub fn resolve_session(
    connection: &Connection,
    reference: &str,
    agent: Option<&str>,
) -> Result<ResolvedSession, StoreError> {
    if reference.is_empty() {
        return Ok(ResolvedSession::Unknown);
    }
    for sql in [EXACT, PART] {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query((reference, agent, CANDIDATES_MAX as i64))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read_session(row)?);
        }
        if found.len() > 1 {
            return Ok(ResolvedSession::Ambiguous(found));
        }
        if let Some(session) = found.pop() {
            return Ok(ResolvedSession::Found(Box::new(session)));
        }
    }
    Ok(ResolvedSession::Unknown)
}
