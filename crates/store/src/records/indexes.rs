//! The indexes that records are looked up by: they come and go with the schema.

use rusqlite::{Connection, ErrorCode};
use syncline_model::schema::{Entity, FieldKind, Schema};

use super::compared::compared;
use super::filter::{is_looked_up, kind_of};
use super::history;
use super::stored::literal;
use crate::StoreError;
use crate::tenant::requests;

/// What the names of indexes on values begin with. They come and go with the schema, and are no part
/// of what two files of one format share.
pub(crate) const INDEX_PREFIX: &str = "records_by_";

/// Why the indexes of a schema are not there.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// SQLite takes none of this form, or not with the records that there are: asking again is of no use.
    #[error("an index that the schema asks for can't be made")]
    Unfit(#[source] rusqlite::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for IndexError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<IndexError> for StoreError {
    fn from(error: IndexError) -> Self {
        match error {
            IndexError::Unfit(error) => error.into(),
            IndexError::Store(error) => error,
        }
    }
}

/// Drops the indexes on values from a copy: whoever takes it makes those that it needs, and an index on what a
/// function gives can't be written to by a version that lacks the function.
pub(crate) fn drop_indexes(connection: &Connection) -> Result<(), StoreError> {
    for name in known(connection)? {
        connection.execute_batch(&format!("DROP INDEX {name}"))?;
    }
    Ok(())
}

/// The names of the indexes on values.
fn known(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT name FROM sqlite_schema WHERE type = 'index' AND substr(name, 1, ?) = ?",
    )?;
    let length = INDEX_PREFIX.len() as i64;
    let names = statement.query_map((length, INDEX_PREFIX), |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// Tells an index that can't be from a disk that fails.
fn of_making(error: rusqlite::Error) -> IndexError {
    let is_of_values = match error.sqlite_error_code() {
        // Plain `SQLITE_ERROR` is what it says of a statement, and of the values that it meets.
        Some(code) => matches!(code, ErrorCode::Unknown | ErrorCode::TooBig),
        None => false,
    };
    match error {
        rusqlite::Error::SqlInputError { .. } | rusqlite::Error::NulError(_) => {
            IndexError::Unfit(error)
        }
        _ if is_of_values => IndexError::Unfit(error),
        _ => error.into(),
    }
}

/// Makes the indexes that a schema's look-ups need, and drops those that none needs any more: of
/// fields whose values are one record's alone, that name another record, or that give roles; of
/// requests by what they are called; and of ops on several records.
///
/// # Errors
/// Where one can't be made, those that the schema doesn't need are still there, and some that it does.
pub fn keep_indexes(connection: &Connection, schema: &Schema) -> Result<(), IndexError> {
    let mut wanted: Vec<(String, String)> = Vec::new();
    if !schema.entities.is_empty() {
        wanted.extend(requests::indexes(INDEX_PREFIX));
        wanted.push(history::index(INDEX_PREFIX));
    }
    for entity in &schema.entities {
        for value in looked_up(schema, entity) {
            let name = index_name(&entity.name, &value);
            let sql = format!(
                "CREATE INDEX IF NOT EXISTS {name} ON records ({value}) WHERE entity = {}",
                literal(&entity.name)
            );
            wanted.push((name, sql));
        }
    }
    let known = known(connection)?;
    for (_, sql) in wanted.iter().filter(|(name, _)| !known.contains(name)) {
        connection.execute_batch(sql).map_err(of_making)?;
    }
    for name in known {
        if wanted.iter().all(|(wanted, _)| *wanted != name) {
            connection.execute_batch(&format!("DROP INDEX {name}"))?;
        }
    }
    Ok(())
}

/// What records of an entity are found by, as SQL.
fn looked_up(schema: &Schema, entity: &Entity) -> Vec<String> {
    let columns = entity.fields.iter().map(|field| &*field.name);
    let of_own_kind = columns
        .filter(|column| is_looked_up(entity, column))
        .map(|column| compared(kind_of(entity, column), column));
    let all = schema.entities.iter();
    let given = all.filter_map(|other| Some((other, other.access.role_via.as_ref()?)));
    let given = given.filter(|(_, via)| via.entity == entity.name);
    // A membership is looked for by the value of the record that asks for it, and so as its kind.
    let given = given.flat_map(|(other, via)| {
        [
            compared(kind_of(other, &via.field), &via.entity_field),
            compared(&FieldKind::Text, &via.user_field),
        ]
    });
    let mut values: Vec<String> = of_own_kind.chain(given).collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// A name that follows from what the index is of, and that needs no quotes.
fn index_name(entity: &str, value: &str) -> String {
    let of = syncline_model::PayloadHash::of(&format!("{entity}\0{value}"));
    format!("{INDEX_PREFIX}{of}")
}
