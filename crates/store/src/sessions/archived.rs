//! What is kept of each agent.

use rusqlite::Connection;
use syncline_model::Timestamp;

use super::figures::count_cell;
use super::row::time_cell;
use crate::StoreError;
use crate::snapshot::snapshot;

/// What is kept of one agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// Its name; empty where it is not known.
    pub agent: String,
    /// Subagents with them.
    pub sessions: u64,
    pub messages: u64,
    /// Sessions that a person began, and of which nothing tells in which directory.
    pub unplaced: u64,
    /// When the oldest session began, or told of itself where its begin is not known; none: no session tells
    /// a time.
    pub oldest: Option<Timestamp>,
}

/// What is kept, agent by agent.
pub fn archived(connection: &Connection) -> Result<Vec<Archived>, StoreError> {
    let _snapshot = snapshot(connection)?;
    let mut statement = connection.prepare_cached(
        "SELECT coalesce(s.agent, ''), count(*), coalesce(sum((SELECT count(*) \
         FROM session_messages AS m WHERE m.session_id = s.session_id)), 0), \
         min(coalesce(s.started_at, nullif(s.last_at, 0))), \
         sum(s.project_path IS NULL AND s.cwd IS NULL AND s.parent_session IS NULL) \
         FROM sessions AS s WHERE s.deleted_at IS NULL GROUP BY 1 ORDER BY 1",
    )?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(Archived {
            agent: row.get(0)?,
            sessions: count_cell(row, 1)?,
            messages: count_cell(row, 2)?,
            oldest: time_cell(row, 3)?,
            unplaced: count_cell(row, 4)?,
        });
    }
    Ok(all)
}
