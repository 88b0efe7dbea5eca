//! Rows of sessions, read into types.

use rusqlite::Connection;
use syncline_model::Timestamp;
use syncline_model::session::SessionId;

use crate::StoreError;

/// A session that is not deleted. What is none is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub session_id: SessionId,
    pub agent: Option<String>,
    /// What the agent calls it.
    pub native_id: Option<String>,
    pub title: Option<String>,
    pub project_path: Option<String>,
    pub project_name: Option<String>,
    pub agent_version: Option<String>,
    pub model: Option<String>,
    pub provider: Option<String>,
    pub status: Option<String>,
    pub source: Option<String>,
    pub machine: Option<String>,
    pub git_branch: Option<String>,
    pub git_commit: Option<String>,
    pub git_remote: Option<String>,
    pub cwd: Option<String>,
    /// The resource id of the session that it came from.
    pub parent_session: Option<String>,
    /// How: `subagent`, `fork`, `resume`.
    pub parent_kind: Option<String>,
    pub parent_tool: Option<String>,
    pub parent_message: Option<String>,
    pub permission_mode: Option<String>,
    pub started_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// The last time that it tells of itself; the beginning of 1970 where it tells none.
    pub last_at: Timestamp,
}

impl Session {
    /// The last time that it tells of itself; none: it tells of no time.
    pub fn told_at(&self) -> Option<Timestamp> {
        Some(self.last_at).filter(|at| *at != Timestamp::UNIX_EPOCH)
    }
}

/// The columns that [`read_session`] reads, of the table `s`.
macro_rules! session_columns {
    () => {
        "s.session_id, s.agent, s.native_id, s.title, s.project_path, s.project_name, \
         s.agent_version, s.model, s.provider, s.status, s.source, s.machine, s.git_branch, \
         s.git_commit, s.git_remote, s.cwd, s.parent_session, s.parent_kind, s.parent_tool, \
         s.parent_message, s.permission_mode, s.started_at, s.updated_at, s.ended_at, s.last_at"
    };
}
pub(crate) use session_columns;

/// Reads a row of [`session_columns`].
pub(crate) fn read_session(row: &rusqlite::Row<'_>) -> Result<Session, StoreError> {
    Ok(Session {
        session_id: id_cell(row, 0)?,
        agent: row.get(1)?,
        native_id: row.get(2)?,
        title: row.get(3)?,
        project_path: row.get(4)?,
        project_name: row.get(5)?,
        agent_version: row.get(6)?,
        model: row.get(7)?,
        provider: row.get(8)?,
        status: row.get(9)?,
        source: row.get(10)?,
        machine: row.get(11)?,
        git_branch: row.get(12)?,
        git_commit: row.get(13)?,
        git_remote: row.get(14)?,
        cwd: row.get(15)?,
        parent_session: row.get(16)?,
        parent_kind: row.get(17)?,
        parent_tool: row.get(18)?,
        parent_message: row.get(19)?,
        permission_mode: row.get(20)?,
        started_at: time_cell(row, 21)?,
        updated_at: time_cell(row, 22)?,
        ended_at: time_cell(row, 23)?,
        last_at: time_cell(row, 24)?.unwrap_or(Timestamp::UNIX_EPOCH),
    })
}

/// The id of a session.
pub(crate) fn id_cell(row: &rusqlite::Row<'_>, place: usize) -> Result<SessionId, StoreError> {
    let id: String = row.get(place)?;
    id.parse()
        .map_err(|_| StoreError::damaged("a session's id is no UUID"))
}

/// A time, from milliseconds.
pub(crate) fn time_cell(
    row: &rusqlite::Row<'_>,
    place: usize,
) -> Result<Option<Timestamp>, StoreError> {
    let millis: Option<i64> = row.get(place)?;
    let time = millis.map(Timestamp::from_millis).transpose();
    time.map_err(|_| StoreError::damaged("a session's time is out of range"))
}

/// The session with this id, unless it is deleted or not known.
pub fn session(connection: &Connection, id: SessionId) -> Result<Option<Session>, StoreError> {
    const ONE: &str = concat!(
        "SELECT ",
        session_columns!(),
        " FROM sessions AS s WHERE s.session_id = ? AND s.deleted_at IS NULL"
    );
    let mut statement = connection.prepare_cached(ONE)?;
    let mut rows = statement.query([id.to_string()])?;
    rows.next()?.map(read_session).transpose()
}

/// The ids of all sessions that are not deleted.
pub fn session_ids(connection: &Connection) -> Result<Vec<SessionId>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT session_id FROM sessions WHERE deleted_at IS NULL")?;
    let mut rows = statement.query([])?;
    let mut ids = Vec::new();
    while let Some(row) = rows.next()? {
        ids.push(id_cell(row, 0)?);
    }
    Ok(ids)
}

/// The sessions that tool calls of this one started, in the order in which they began.
pub fn subagents(connection: &Connection, id: SessionId) -> Result<Vec<Session>, StoreError> {
    const CHILDREN: &str = concat!(
        "SELECT ",
        session_columns!(),
        " FROM sessions AS s WHERE s.parent_session = ?1 AND s.parent_kind = 'subagent' \
         AND s.deleted_at IS NULL AND s.session_id <> ?1 ORDER BY s.started_at, s.session_id"
    );
    let mut statement = connection.prepare_cached(CHILDREN)?;
    let mut rows = statement.query([id.to_string()])?;
    let mut sessions = Vec::new();
    while let Some(row) = rows.next()? {
        sessions.push(read_session(row)?);
    }
    Ok(sessions)
}

/// How many sessions there are, and messages in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTotals {
    pub sessions: u64,
    pub messages: u64,
}

/// Counts what is not deleted: subagents are sessions here, and copies no messages.
pub fn session_totals(connection: &Connection) -> Result<SessionTotals, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT count(*), coalesce(sum(message_count), 0) FROM sessions WHERE deleted_at IS NULL",
    )?;
    Ok(statement.query_row([], |row| {
        Ok(SessionTotals {
            sessions: row.get::<_, i64>(0)?.max(0) as u64,
            messages: row.get::<_, i64>(1)?.max(0) as u64,
        })
    })?)
}
