//! Reading a relation for the first time, a part at a time, so that the log's writes go on between.

use rusqlite::{Connection, OptionalExtension};

use super::cells;
use super::entity;
use super::kept::{Grouped, read_rows, write_row};
use super::made::register_functions;
use super::relation::{Relation, Source};
use crate::file::StoreError;

/// How far a relation's rows are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filled {
    /// There are more; so many bytes were written.
    Part {
        bytes: u64,
    },
    Whole,
}

/// Reads about so many rows that are not kept yet. A group is read whole: it may hold more.
pub(super) fn fill(
    connection: &Connection,
    number: i64,
    relation: &Relation,
    rows_max: usize,
) -> Result<Filled, StoreError> {
    let reached: Option<String> = connection
        .prepare_cached("SELECT reached FROM shape_filling WHERE relation = ?")?
        .query_row([number], |row| row.get(0))
        .optional()?;
    let Some(reached) = reached else {
        return Ok(Filled::Whole);
    };
    register_functions(connection)?;
    let mut part = Part {
        connection,
        number,
        rows: 0,
        bytes: 0,
    };
    let next = match relation.source {
        Source::Entity => part.records(relation, &reached, rows_max)?,
        Source::BuiltIn(built_in) => match built_in.heads(connection, &reached, rows_max)? {
            Some(heads) => part.groups(relation, heads, rows_max)?,
            None => {
                part.group(relation, &[])?;
                None
            }
        },
    };
    match next {
        Some(next) => {
            connection
                .prepare_cached("UPDATE shape_filling SET reached = ? WHERE relation = ?")?
                .execute((next, number))?;
            Ok(Filled::Part { bytes: part.bytes })
        }
        None => {
            // Nobody has seen a state of before.
            for table in ["shape_filling", "shape_history"] {
                let sql = format!("DELETE FROM {table} WHERE relation = ?");
                connection.execute(&sql, [number])?;
            }
            Ok(Filled::Whole)
        }
    }
}

/// Rows as they are written.
struct Part<'c> {
    connection: &'c Connection,
    number: i64,
    rows: usize,
    bytes: u64,
}

impl Part<'_> {
    fn write(&mut self, key: &str, row: &Grouped) -> Result<(), StoreError> {
        let (group, text) = row;
        self.rows += 1;
        // The group is in the row and, with the key, in the index.
        let indexed = group
            .as_ref()
            .map_or(0, |group| 2 * group.len() + key.len());
        self.bytes += (key.len() + text.len() + indexed) as u64;
        write_row(self.connection, self.number, key, Some(row))
    }

    /// Reads records after one; gives the last, if there may be more.
    fn records(
        &mut self,
        relation: &Relation,
        after: &str,
        rows_max: usize,
    ) -> Result<Option<String>, StoreError> {
        let key = relation.key_columns();
        let mut last = None;
        entity::read_after(self.connection, relation, after, rows_max, |id, cells| {
            last = Some(id);
            self.write(&cells::key_of(&cells, &key), &(None, cells::print(&cells)))
        })?;
        Ok(last.filter(|_| self.rows >= rows_max))
    }

    /// Reads these groups until there are rows enough; gives the last, if there may be more.
    fn groups(
        &mut self,
        relation: &Relation,
        heads: Vec<String>,
        rows_max: usize,
    ) -> Result<Option<String>, StoreError> {
        let is_last = heads.len() < rows_max;
        let mut left = heads.len();
        for head in heads {
            self.group(relation, std::slice::from_ref(&head))?;
            left -= 1;
            if self.rows >= rows_max || left == 0 {
                return Ok(Some(head).filter(|_| left > 0 || !is_last));
            }
        }
        Ok(None)
    }

    fn group(&mut self, relation: &Relation, group: &[String]) -> Result<(), StoreError> {
        let connection = self.connection;
        read_rows(connection, relation, group, |key, row| {
            self.write(&key, &row)
        })
    }
}
