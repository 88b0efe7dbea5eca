//! Whether an op that a log does not hold would change what the log shows.

use super::{Coverage, coverage};
use crate::{
    OpKey, Payload, Place, Row, Rows, Scope, Table, Value, fold, planted, session, thread,
};

/// Whether a row needs this op, which the rows have not seen, or have seen and outlived: an op that
/// was dropped as covered is not needed, and one that never came before may be.
///
/// A thread's last time is no part that is won: it is that of the op which came last, and would be
/// another one each time that a dropped op came again.
pub fn would_matter<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    payload: Option<&Payload>,
    place: Place,
) -> Result<bool, R::Error> {
    // Erased ops are covered, also those that no fold of this version reads.
    let resource = key.resource.as_str();
    let is_erased = match key.scope.as_str() {
        Scope::THREAD => thread::is_erased(rows, resource)?,
        Scope::SESSION => session::is_erased(rows, resource)?,
        _ => false,
    };
    if is_erased {
        return Ok(false);
    }
    // Others that it does not read are kept, so that they were never dropped.
    let coverage = match payload {
        Some(payload) if key.scope.as_str() == Scope::THREAD && planted::can_fold(payload) => {
            thread::coverage_of_absent(rows, key, payload)?
        }
        Some(_) | None => coverage(rows, key, payload)?,
    };
    match coverage {
        Coverage::Needed => return Ok(true),
        Coverage::Opaque => return Ok(false),
        Coverage::Covered => {}
    }
    let mut trial = Trial {
        rows,
        written: Vec::new(),
        has_changed: false,
    };
    fold(&mut trial, key, payload, place)?;
    Ok(trial.has_changed)
}

/// Rows that are only read; what is written to them is kept beside.
struct Trial<'a, R> {
    rows: &'a mut R,
    written: Vec<(&'static Table, Row)>,
    has_changed: bool,
}

impl<R: Rows> Rows for Trial<'_, R> {
    type Error = R::Error;

    fn get(&mut self, table: &'static Table, key: &[Value]) -> Result<Option<Row>, R::Error> {
        let mut written = self.written.iter().rev();
        let own = written.find(|(of, row)| of.name == table.name && row.starts_with(key));
        match own {
            Some((_, row)) => Ok(Some(row.clone())),
            None => self.rows.get(table, key),
        }
    }

    fn put(&mut self, table: &'static Table, row: Row) -> Result<(), R::Error> {
        let before = self.get(table, &row[..table.key_columns])?;
        self.has_changed |= before.is_none_or(|before| differs(table, &before, &row));
        self.written.push((table, row));
        Ok(())
    }

    fn insert(&mut self, table: &'static Table, row: Row) -> Result<bool, R::Error> {
        if self.get(table, &row[..table.key_columns])?.is_some() {
            return Ok(false);
        }
        self.put(table, row)?;
        Ok(true)
    }

    fn clear(&mut self, _: &'static Table, _: &str) -> Result<(), R::Error> {
        self.has_changed = true;
        Ok(())
    }
}

fn differs(table: &'static Table, one: &Row, other: &Row) -> bool {
    let counts = |column: &usize| {
        table.name != thread::THREADS.name || table.columns[*column].name != "updated_at"
    };
    let mut columns = (0..table.columns.len()).filter(counts);
    columns.any(|column| one[column] != other[column])
}
