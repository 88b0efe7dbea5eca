//! What shapes have told of a record.

use rusqlite::{Connection, OptionalExtension};
use syncline_model::ServerSeq;
use syncline_model::shape::CellSource;

use super::cells::{ShapeCells, key_of};
use super::relation::Relation;
use super::tables::are_made;
use crate::file::StoreError;

/// Changes of one record that are looked through: a record that is written more often while its history is
/// kept is told as one of which nothing is.
const CHANGES_MAX: i64 = 100;

/// A write of a record, as far as shapes are concerned.
#[derive(Debug, Clone)]
pub struct RecordTouch<'t> {
    pub entity: &'t str,
    pub id: &'t str,
    /// The columns that it named, whatever became of them.
    pub columns: Vec<&'t str>,
    /// Its place, where that is known.
    pub seq: Option<ServerSeq>,
}

/// The place by which readers of an entity's shapes have what a write of a record came to: its own, if they are
/// told of it. Where they are not, since it changed nothing, that of the last change of a column which it
/// named: its writer's shape tells of those. Where no such change is kept, that at which the first of the
/// shapes began, which every snapshot holds. None where the entity has no shapes: one that is made later
/// begins with the record.
pub fn record_told(
    connection: &Connection,
    touch: &RecordTouch<'_>,
) -> Result<Option<ServerSeq>, StoreError> {
    if !are_made(connection)? {
        return Ok(None);
    }
    let mut statement = connection.prepare_cached(
        "SELECT relation, columns, (SELECT min(start) FROM shapes AS s \
         WHERE s.relation = r.relation) FROM shape_relations AS r WHERE r.name = ?",
    )?;
    let found = statement.query_row([touch.entity], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    });
    let found: Option<(i64, String, Option<i64>)> = found.optional()?;
    let Some((number, columns, start)) = found else {
        return Ok(None);
    };
    let relation = Relation::from_text(touch.entity, &columns)?;
    let change = last_change(connection, number, &relation, touch)?;
    Ok(change.or(start.map(|seq| ServerSeq(seq as u64))))
}

fn last_change(
    connection: &Connection,
    number: i64,
    relation: &Relation,
    touch: &RecordTouch<'_>,
) -> Result<Option<ServerSeq>, StoreError> {
    let columns = touch.columns.iter();
    let columns: Vec<usize> = columns.filter_map(|name| relation.column(name)).collect();
    let key = key_of(&[Some(touch.id.to_owned())], &[0]);
    let mut statement = connection.prepare_cached(
        "SELECT server_seq, row_before, row_after FROM shape_history \
         WHERE relation = ?1 AND row_key = ?2 ORDER BY server_seq DESC, ordinal DESC LIMIT ?3",
    )?;
    let mut rows = statement.query((number, key, CHANGES_MAX))?;
    while let Some(row) = rows.next()? {
        let seq = ServerSeq(row.get::<_, i64>(0)? as u64);
        let (before, after): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
        let is_other = match (&before, &after) {
            (Some(before), Some(after)) => {
                let width = relation.columns.len();
                let before = ShapeCells::read(before, width)?;
                let after = ShapeCells::read(after, width)?;
                columns.iter().any(|n| before.cell(*n) != after.cell(*n))
            }
            // The whole row has come, or gone.
            (None, _) | (_, None) => true,
        };
        if is_other || touch.seq == Some(seq) {
            return Ok(Some(seq));
        }
    }
    Ok(None)
}
