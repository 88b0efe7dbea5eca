//! What is known of sessions, for those who bring news of them.

use rusqlite::{Connection, OptionalExtension, params_from_iter};
use syncline_model::session::{Piece, SessionId, news_of};
use syncline_model::{Row, Table, Value};

use crate::StoreError;
use crate::schema::sql_of;
use crate::view::{cells, read_row};

/// What of `piece` is not in the view yet, pending ops with it; none if all of it is.
pub fn news<'p>(
    connection: &Connection,
    session: SessionId,
    piece: Piece<'p>,
) -> Result<Option<Piece<'p>>, StoreError> {
    let mut find = |table: &'static Table, key: &[Value]| -> Result<Option<Row>, StoreError> {
        let mut statement = connection.prepare_cached(&sql_of(table).select)?;
        let row = statement.query_row(params_from_iter(cells(key)), |row| read_row(row, table));
        Ok(row.optional()?)
    };
    news_of(&mut find, session, piece)
}

/// Whether anything is known of a session: also that it was deleted.
pub fn is_known(connection: &Connection, session: SessionId) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM sessions WHERE session_id = ?")?;
    Ok(statement.exists([session.to_string()])?)
}

/// The sessions that have a message with this id of the agent's, those that are no copies first.
pub fn sessions_with_message(
    connection: &Connection,
    message: &str,
) -> Result<Vec<SessionId>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT session_id FROM session_messages WHERE message_id = ? \
         ORDER BY copied_from IS NOT NULL, position, session_id",
    )?;
    let ids = statement.query_map([message], |row| row.get::<_, String>(0))?;
    ids.map(|id| {
        id?.parse()
            .map_err(|_| StoreError::damaged("a session's id is no UUID"))
    })
    .collect()
}
