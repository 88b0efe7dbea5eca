//! What sessions are linked to.

use rusqlite::Connection;
use syncline_model::session::SessionId;

use crate::StoreError;

/// A link from a session to something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionLink {
    /// `thread`, `commit`, `url`, …
    pub kind: String,
    /// What it points to: the id of a thread, a commit, an address.
    pub target: String,
    pub note: Option<String>,
}

/// The links of a session that stand, by kind and target.
pub fn session_links(
    connection: &Connection,
    session: SessionId,
) -> Result<Vec<SessionLink>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT kind, target, note FROM session_links \
         WHERE session_id = ? AND present = 1 ORDER BY kind, target",
    )?;
    let links = statement.query_map([session.to_string()], |row| {
        Ok(SessionLink {
            kind: row.get(0)?,
            target: row.get(1)?,
            note: row.get(2)?,
        })
    })?;
    Ok(links.collect::<Result<_, _>>()?)
}
