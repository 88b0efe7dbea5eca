//! Whether an op that a log does not hold would change what the log shows.

use super::{Coverage, coverage, makes};
use crate::limits::CLOCK_MAX;
use crate::{
    ActorId, Clock, OpKey, Payload, Place, Row, Rows, Scope, Table, Value, fold, planted, session,
    thread,
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
    if is_erased(rows, key)? {
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
        // There the op that comes last wins: on trial it would, however old it is.
        Coverage::Covered if matches!(key.scope.as_str(), Scope::RECORD | Scope::SCHEMA) => {
            return Ok(false);
        }
        Coverage::Covered => {}
    }
    let mut trial = Trial::new(rows);
    fold(&mut trial, key, payload, place)?;
    Ok(trial.has_changed)
}

/// A cell that others have written later than an op, in other words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outdone {
    pub table: &'static str,
    /// Which row of the op's thread or session it is in, by its own key; empty in the thread's or session's own row,
    /// and in that of the one item or list that an op is of.
    pub row: Vec<Value>,
    pub column: &'static str,
    /// What the op would write there.
    pub mine: Value,
    /// What would stand there all the same, had the op come in its time.
    pub theirs: Value,
}

/// What others have said since an op was written that is in no log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaidSince {
    /// Nothing that it would write over: it can be written anew.
    NothingElse,
    /// All that it says, or what it makes is there, as others have left it.
    There,
    /// Other words, which it would write over.
    Outdone(Vec<Outdone>),
    /// The thread or session was deleted: logs take the op, and erase what it holds.
    Gone,
}

/// Columns that tell when, and by whom, the words of a row were written.
const STAMPS: [&str; 6] = [
    "versions",
    "updated_at",
    "last_at",
    "rank",
    "clock",
    "actor",
];

/// Says what stands in the way of `actor`, who would write an op anew that is in no log. Nothing does of another
/// scope than `registry`, `list`, `thread` and `session`: a record is judged when it comes, and no row shows another
/// scope. What an agent tells of a session is not judged: it weighs by how far the transcript had come, whenever it
/// is written.
pub fn said_since<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    payload: &Payload,
    actor: &ActorId,
    place: Place,
) -> Result<SaidSince, R::Error> {
    let has_place = match key.scope.as_str() {
        _ if is_erased(rows, key)? => {
            return Ok(match deletes_all(&key.scope, payload) {
                true => SaidSince::There,
                false => SaidSince::Gone,
            });
        }
        Scope::REGISTRY | Scope::LIST => would_matter(rows, key, Some(payload), place)?,
        // None of them is given up unasked: entries are their writer's own words.
        Scope::THREAD => true,
        Scope::SESSION if session::is_decided(payload) => true,
        _ => return Ok(SaidSince::NothingElse),
    };
    if !has_place && makes(&key.scope, payload) {
        return Ok(SaidSince::There);
    }
    let outdone = outdone(rows, key, payload, actor, place)?;
    Ok(match outdone.is_empty() {
        false => SaidSince::Outdone(outdone),
        true if has_place => SaidSince::NothingElse,
        true => SaidSince::There,
    })
}

/// Whether an op takes all that was said in its thread or session with it.
pub fn deletes_all(scope: &Scope, payload: &Payload) -> bool {
    match scope.as_str() {
        Scope::THREAD => thread::is_delete(payload),
        Scope::SESSION => session::is_delete(payload),
        _ => false,
    }
}

/// Whether the op's thread or session was deleted.
fn is_erased<R: Rows>(rows: &mut R, key: &OpKey) -> Result<bool, R::Error> {
    match key.scope.as_str() {
        Scope::THREAD => thread::is_erased(rows, key.resource.as_str()),
        Scope::SESSION => session::is_erased(rows, key.resource.as_str()),
        _ => Ok(false),
    }
}

/// The cells that the op would write if `actor` wrote it now, and does not win with its own key.
fn outdone<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    payload: &Payload,
    actor: &ActorId,
    place: Place,
) -> Result<Vec<Outdone>, R::Error> {
    let now = OpKey {
        actor: actor.clone(),
        clock: Clock::new(CLOCK_MAX).expect("the highest clock is one"),
        ..key.clone()
    };
    let over = written(rows, &now, payload, place)?;
    let in_time = written(rows, key, payload, place)?;
    let is_of_one = matches!(key.scope.as_str(), Scope::REGISTRY | Scope::LIST);
    let mut all = Vec::new();
    for (table, mine) in over {
        if session::repeats_a_field(table, &mine) {
            continue;
        }
        let row_key = &mine[..table.key_columns];
        let mut in_time = in_time.iter();
        let theirs = in_time.find(|(of, row)| of.name == table.name && row.starts_with(row_key));
        let theirs = match theirs {
            Some((_, row)) => Some(row.clone()),
            None => rows.get(table, row_key)?,
        };
        let theirs = theirs.unwrap_or_else(|| mine.clone());
        let row = match is_of_one {
            true => Vec::new(),
            false => row_key[1..].to_vec(),
        };
        let cells = table.columns.iter().zip(mine.into_iter().zip(theirs));
        let others = cells
            .filter(|(column, (mine, theirs))| !STAMPS.contains(&column.name) && mine != theirs);
        all.extend(others.map(|(column, (mine, theirs))| Outdone {
            table: table.name,
            row: row.clone(),
            column: column.name,
            mine,
            theirs,
        }));
    }
    Ok(all)
}

/// The rows that an op writes, as it leaves them.
fn written<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    payload: &Payload,
    place: Place,
) -> Result<Vec<(&'static Table, Row)>, R::Error> {
    let mut trial = Trial::new(rows);
    fold(&mut trial, key, Some(payload), place)?;
    Ok(trial.written)
}

/// Rows that are only read; what is written to them is kept beside.
struct Trial<'a, R> {
    rows: &'a mut R,
    /// Each row once, as it was written last.
    written: Vec<(&'static Table, Row)>,
    has_changed: bool,
}

impl<'a, R> Trial<'a, R> {
    fn new(rows: &'a mut R) -> Self {
        Self {
            rows,
            written: Vec::new(),
            has_changed: false,
        }
    }
}

impl<R: Rows> Rows for Trial<'_, R> {
    type Error = R::Error;

    fn get(&mut self, table: &'static Table, key: &[Value]) -> Result<Option<Row>, R::Error> {
        let mut written = self.written.iter();
        let own = written.find(|(of, row)| of.name == table.name && row.starts_with(key));
        match own {
            Some((_, row)) => Ok(Some(row.clone())),
            None => self.rows.get(table, key),
        }
    }

    fn put(&mut self, table: &'static Table, row: Row) -> Result<(), R::Error> {
        let key = &row[..table.key_columns];
        let before = self.get(table, key)?;
        self.has_changed |= before.is_none_or(|before| differs(table, &before, &row));
        self.written
            .retain(|(of, written)| of.name != table.name || !written.starts_with(key));
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
