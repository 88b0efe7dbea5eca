//! Shapes that were made: each one row, a definition and the place that its snapshot is of.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use syncline_model::ServerSeq;

use super::entity::schema;
use super::fill::{Filled, fill};
use super::relation::Relation;
use super::tables::{are_made, is_current, settle};
use crate::file::StoreError;
use crate::sessions::PriceTable;
use crate::tenant::{TenantFile, read_head};

/// A shape to be made.
#[derive(Debug, Clone)]
pub struct NewShape {
    pub relation: String,
    /// What tells its definition from all others of the tenant.
    pub definition: String,
    /// A name that no shape has had.
    pub handle: String,
    /// A shape of the definition that does not stand for this one.
    pub expired: Option<String>,
}

/// A shape that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeShape {
    pub handle: String,
    pub definition: String,
    /// The number that its relation's rows are kept under.
    pub relation: i64,
    /// The place that its snapshot is of.
    pub start: ServerSeq,
    /// History at or below this place is gone.
    pub trimmed: ServerSeq,
}

/// How far a shape is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Making {
    /// More rows of its table are to be read; so many bytes were written.
    More {
        bytes: u64,
    },
    Made(MadeShape),
    /// Its table is not there.
    NoTable,
}

impl MadeShape {
    /// Whether its snapshot can still be told.
    pub fn takes_readers(&self) -> bool {
        self.start >= self.trimmed
    }
}

const SELECT: &str = "SELECT s.handle, s.definition, s.relation, s.start, r.trimmed \
     FROM shapes AS s JOIN shape_relations AS r USING (relation)";

impl TenantFile {
    /// The shape of this name, if there is one.
    pub fn shape(&self, handle: &str) -> Result<Option<MadeShape>, StoreError> {
        self.find_shape(&format!("{SELECT} WHERE s.handle = ?"), handle)
    }

    /// The newest shape of this definition that new readers can begin with, if it is not the expired one.
    pub fn shape_of(
        &self,
        definition: &str,
        expired: Option<&str>,
    ) -> Result<Option<MadeShape>, StoreError> {
        let sql = format!(
            "{SELECT} WHERE s.definition = ? AND s.start >= r.trimmed ORDER BY s.start DESC, s.handle DESC LIMIT 1"
        );
        let newest = self.find_shape(&sql, definition)?;
        Ok(newest.filter(|shape| Some(&*shape.handle) != expired))
    }

    fn find_shape(&self, sql: &str, parameter: &str) -> Result<Option<MadeShape>, StoreError> {
        let connection = self.connection();
        if !are_made(connection)? || !is_current(connection, &self.head()?)? {
            return Ok(None);
        }
        let mut statement = connection.prepare_cached(sql)?;
        let found = statement.query_row([parameter], |row| {
            Ok(MadeShape {
                handle: row.get(0)?,
                definition: row.get(1)?,
                relation: row.get(2)?,
                start: ServerSeq(row.get::<_, i64>(3)? as u64),
                trimmed: ServerSeq(row.get::<_, i64>(4)? as u64),
            })
        });
        Ok(found.optional()?)
    }

    /// How many shapes there are.
    pub fn shape_count(&self) -> Result<u64, StoreError> {
        if !are_made(self.connection())? {
            return Ok(0);
        }
        let sql = "SELECT count(*) FROM shapes";
        let count: i64 = self.connection().query_row(sql, [], |row| row.get(0))?;
        Ok(count as u64)
    }

    /// Goes on to make a shape, unless one of its definition is there that takes new readers: reads up
    /// to so many rows of its table, if those are not kept yet, and makes it at the head once all are.
    ///
    /// Between two steps the log may go on: what was read is kept up by each op, and the rest is read as
    /// it is then.
    pub fn make_shape(&mut self, new: &NewShape, rows_max: usize) -> Result<Making, StoreError> {
        if let Some(found) = self.shape_of(&new.definition, new.expired.as_deref())? {
            return Ok(Making::Made(found));
        }
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let head = read_head(&transaction)?;
        settle(&transaction, &head)?;
        let Some((number, relation)) = kept_relation(&transaction, &new.relation)? else {
            return Ok(Making::NoTable);
        };
        if let Filled::Part { bytes } = fill(&transaction, number, &relation, rows_max)? {
            transaction.commit()?;
            return Ok(Making::More { bytes });
        }
        let start = head.cursor.server_seq;
        transaction.execute(
            "INSERT INTO shapes (handle, definition, relation, start) VALUES (?, ?, ?, ?)",
            (&new.handle, &new.definition, number, start.get() as i64),
        )?;
        transaction.commit()?;
        let made = self.shape(&new.handle)?;
        Ok(made.map_or(Making::NoTable, Making::Made))
    }

    /// The names of all shapes, those that were made first before the others.
    pub fn shape_handles(&self) -> Result<Vec<String>, StoreError> {
        if !are_made(self.connection())? {
            return Ok(Vec::new());
        }
        let sql = "SELECT handle FROM shapes ORDER BY start, handle";
        let mut statement = self.connection().prepare_cached(sql)?;
        let handles = statement.query_map([], |row| row.get(0))?;
        Ok(handles.collect::<Result<_, _>>()?)
    }

    /// Forgets shapes: their readers begin anew.
    pub fn delete_shapes(&mut self, handles: &[String]) -> Result<(), StoreError> {
        let transaction = self.connection.transaction()?;
        for handle in handles {
            let sql = "DELETE FROM shapes WHERE handle = ?";
            transaction.prepare_cached(sql)?.execute([handle])?;
        }
        Ok(transaction.commit()?)
    }

    /// Forgets a shape: its readers begin anew. Says whether it was there.
    pub fn delete_shape(&mut self, handle: &str) -> Result<bool, StoreError> {
        if !are_made(&self.connection)? {
            return Ok(false);
        }
        let sql = "DELETE FROM shapes WHERE handle = ?";
        Ok(self.connection.execute(sql, [handle])? == 1)
    }
}

/// A relation whose rows are kept from now on, and its number; none where it isn't declared.
fn kept_relation(
    connection: &Connection,
    name: &str,
) -> Result<Option<(i64, Relation)>, StoreError> {
    let schema = schema(connection)?;
    let Some(declared) = Relation::declared(schema.as_ref(), name) else {
        return Ok(None);
    };
    if let Some((number, kept)) = Relation::kept(connection, name)? {
        if kept.grown(&declared).is_some() {
            return Ok(Some((number, kept)));
        }
        forget_relation(connection, number)?;
    }
    connection.execute(
        "INSERT INTO shape_relations (name, columns, trimmed) VALUES (?, ?, 0)",
        (name, declared.to_text()),
    )?;
    let number = connection.last_insert_rowid();
    connection.execute(
        "INSERT INTO shape_filling (relation, reached) VALUES (?, '')",
        [number],
    )?;
    Ok(Some((number, declared)))
}

/// Drops what is kept of a relation, and its shapes.
pub(super) fn forget_relation(connection: &Connection, number: i64) -> Result<(), StoreError> {
    for table in [
        "shapes",
        "shape_history",
        "shape_rows",
        "shape_filling",
        "shape_relations",
    ] {
        let sql = format!("DELETE FROM {table} WHERE relation = ?");
        connection.execute(&sql, [number])?;
    }
    Ok(())
}

/// Registers the functions that the views are made with, unless the connection has them.
pub(super) fn register_functions(connection: &Connection) -> Result<(), StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM pragma_function_list WHERE name = 'shown_title')";
    let is_there: bool = connection
        .prepare_cached(sql)?
        .query_row([], |row| row.get(0))?;
    if !is_there {
        crate::sql::register_functions(connection, &PriceTable::built_in())?;
    }
    Ok(())
}
