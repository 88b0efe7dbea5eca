//! What is known of sessions, for those who bring news of them.

use std::borrow::Cow;

use rusqlite::{Connection, OptionalExtension, params_from_iter};
use syncline_model::session::{Part, Piece, Precedence, SessionId, news_of, session_id, words};
use syncline_model::{Row, Table, Value};

use crate::StoreError;
use crate::schema::sql_of;
use crate::view::{cells, read_row};

/// What of `piece` is not in the view yet, pending ops with it, nor below what is; none if nothing.
pub fn news<'p>(
    connection: &Connection,
    session: SessionId,
    piece: Piece<'p>,
    precedence: Precedence,
) -> Result<Option<Piece<'p>>, StoreError> {
    let mut find = |table: &'static Table, key: &[Value]| -> Result<Option<Row>, StoreError> {
        let mut statement = connection.prepare_cached(&sql_of(table).select)?;
        let row = statement.query_row(params_from_iter(cells(key)), |row| read_row(row, table));
        Ok(row.optional()?)
    };
    news_of(&mut find, session, piece, precedence)
}

/// Whether anything is known of a session: also that it was deleted.
pub fn is_known(connection: &Connection, session: SessionId) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM sessions WHERE session_id = ?")?;
    Ok(statement.exists([session.to_string()])?)
}

/// Whether a session was deleted.
pub fn is_deleted(connection: &Connection, session: SessionId) -> Result<bool, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT 1 FROM sessions WHERE session_id = ? AND deleted_at IS NOT NULL")?;
    Ok(statement.exists([session.to_string()])?)
}

/// Whether any session is known.
pub fn is_any_known(connection: &Connection) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM sessions LIMIT 1")?;
    Ok(statement.exists([])?)
}

/// The directories that sessions are known to have worked in, each once.
pub fn directories(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT project_path FROM sessions WHERE project_path IS NOT NULL \
         UNION SELECT cwd FROM sessions WHERE cwd IS NOT NULL",
    )?;
    let directories = statement.query_map([], |row| row.get(0))?;
    Ok(directories.collect::<Result<_, _>>()?)
}

/// What is known of a message of a session: the session that it was copied from, if it is a copy. None:
/// the message is not known.
pub fn origin_of_message(
    connection: &Connection,
    session: SessionId,
    message: &str,
) -> Result<Option<Option<SessionId>>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT copied_from FROM session_messages WHERE session_id = ? AND message_id = ?",
    )?;
    let row = statement.query_row((session.to_string(), message), |row| {
        row.get::<_, Option<String>>(0)
    });
    let copied_from = row.optional()?;
    Ok(copied_from.map(|from| from.and_then(|from| from.parse().ok())))
}

/// The session of an agent that has a message with this id of the agent's and is not known to have
/// copied it. A response whose usage it does not hold may count for another one.
pub fn session_that_said(
    connection: &Connection,
    agent: &str,
    message: &str,
) -> Result<Option<SessionId>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT said.session_id FROM session_messages AS said \
         JOIN sessions AS s ON s.session_id = said.session_id \
         WHERE said.message_id = ? AND said.copied_from IS NULL AND s.agent = ? \
         AND (said.role = 'user' OR EXISTS (SELECT 1 FROM session_usage AS u \
         WHERE u.session_id = said.session_id AND u.usage_id = said.message_id)) \
         ORDER BY said.position, said.session_id LIMIT 1",
    )?;
    let id = statement.query_row((message, agent), |row| row.get::<_, String>(0));
    let Some(id) = id.optional()? else {
        return Ok(None);
    };
    let id = id.parse();
    id.map(Some)
        .map_err(|_| StoreError::damaged("a session's id is no UUID"))
}

/// The agent of the session to which an agent gave this id, where any is known; of several that of the
/// one that told of itself last.
pub fn agent_of_native(
    connection: &Connection,
    native: &str,
) -> Result<Option<String>, StoreError> {
    // Agents are few, and found one after another in the index that begins with them.
    let mut statement = connection.prepare_cached(
        "WITH RECURSIVE agents(agent) AS (SELECT min(agent) FROM sessions UNION ALL \
         SELECT (SELECT min(s.agent) FROM sessions AS s WHERE s.agent > agents.agent) \
         FROM agents WHERE agents.agent IS NOT NULL) \
         SELECT s.agent FROM agents CROSS JOIN sessions AS s ON s.agent = agents.agent \
         WHERE s.native_id = ? AND s.deleted_at IS NULL \
         ORDER BY s.last_at DESC, s.session_id LIMIT 1",
    )?;
    let agent = statement.query_row([native], |row| row.get(0));
    Ok(agent.optional()?)
}

/// The id of the session that `agent` calls `native`: that which follows from both, or, where nothing is
/// known of it, that of the session which was told of under this name before anybody said whose it is. That
/// one stays what it is when it is deleted: what is told of it later brings nothing back.
pub fn session_of_native(
    connection: &Connection,
    agent: &str,
    native: &str,
) -> Result<SessionId, StoreError> {
    let own = session_id(agent, native, "");
    let told = session_id(words::NOBODY, native, "");
    if own == told || is_known(connection, own)? {
        return Ok(own);
    }
    let mut statement = connection.prepare_cached(
        "SELECT 1 FROM sessions WHERE session_id = ? AND (agent IN (?, ?) OR deleted_at IS NOT NULL)",
    )?;
    let is_its = statement.exists((told.to_string(), words::NOBODY, agent))?;
    Ok(if is_its { told } else { own })
}

/// The ids of a session's own parts that were kept as they stood.
pub fn own_raw_parts(
    connection: &Connection,
    session: SessionId,
) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT part_id FROM session_parts \
         WHERE session_id = ? AND owner = 'session' AND owner_id = '' AND kind = ?",
    )?;
    let ids = statement.query_map((session.to_string(), words::RAW), |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// The parts of a session that were kept as they stood and whose texts hold `sign`.
pub fn raw_parts_with(
    connection: &Connection,
    session: SessionId,
    sign: &str,
) -> Result<Vec<Part<'static>>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT owner, owner_id, part_id, kind, position, continues, media_type, reference, text \
         FROM session_parts WHERE session_id = ?1 AND kind = ?2 AND text LIKE '%' || ?3 || '%'",
    )?;
    let parts = statement.query_map((session.to_string(), words::RAW, sign), |row| {
        let (owner, owner_id): (String, String) = (row.get(0)?, row.get(1)?);
        let of = |kind: &str| match owner == kind {
            true => owner_id.clone().into(),
            false => Cow::Borrowed(""),
        };
        Ok(Part {
            message_id: of("message"),
            tool_id: of("tool"),
            id: row.get::<_, String>(2)?.into(),
            kind: row.get::<_, String>(3)?.into(),
            order: row.get(4)?,
            continues: row.get(5)?,
            media_type: row.get::<_, Option<String>>(6)?.map(Cow::Owned),
            reference: row.get::<_, Option<String>>(7)?.map(Cow::Owned),
            text: row.get::<_, String>(8)?.into(),
            removed: false,
        })
    })?;
    Ok(parts.collect::<Result<_, _>>()?)
}
