//! The rows of the full-text index that an expression matches and a filter passes.

use rusqlite::{Connection, Params};
use syncline_model::thread::Status;

use super::SearchFilter;
use crate::StoreError;
use crate::threads::row::count_cell;

/// How many entries are ranked, the newest ones first. A query that matches more says little, and
/// what lies beyond comes after them, newest first.
pub(super) const RANKED_MAX: usize = 10_000;

/// Up to how many matches are looked up one by one to see whether a filter passes them; beyond,
/// gathering all entries that it passes costs less.
const LOOKED_UP_MAX: u64 = 20_000;

const COUNT: &str = "SELECT count(*) FROM entries_fts WHERE entries_fts MATCH ?";
const NEWEST: &str = "SELECT rowid FROM entries_fts WHERE entries_fts MATCH ? \
     AND rowid BETWEEN ? AND ? ORDER BY rowid DESC";
const RELEVANCES: &str = "SELECT rowid, -bm25(entries_fts) FROM entries_fts \
     WHERE entries_fts MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid DESC";

/// The index, narrowed to what a filter passes.
pub(super) struct Index<'c> {
    connection: &'c Connection,
    passing: Passing,
}

/// The rows that a filter passes, gathered once.
enum Passing {
    All,
    Some(RowSet),
}

impl<'c> Index<'c> {
    /// The index under a filter, for expressions that match no more than `widest` does; none if the
    /// filter passes nothing.
    pub(super) fn open(
        connection: &'c Connection,
        filter: &SearchFilter<'_>,
        widest: &str,
    ) -> Result<Option<Self>, StoreError> {
        let mut index = Self {
            connection,
            passing: Passing::All,
        };
        if *filter == SearchFilter::default() {
            return Ok(Some(index));
        }
        let few = filter.thread.is_none() && index.count(widest)? <= LOOKED_UP_MAX;
        let ids = if few {
            passing_matches(connection, filter, widest)?
        } else {
            passing_entries(connection, filter)?
        };
        Ok(RowSet::new(&ids).map(|rows| {
            index.passing = Passing::Some(rows);
            index
        }))
    }

    /// How many rows match.
    pub(super) fn count(&self, expression: &str) -> Result<u64, StoreError> {
        match &self.passing {
            Passing::All => {
                let mut statement = self.connection.prepare_cached(COUNT)?;
                statement.query_row([expression], |row| Ok(count_cell(row, 0)))?
            }
            Passing::Some(rows) => {
                let mut count = 0;
                self.each(NEWEST, (expression, rows.first, rows.last()), |id, _| {
                    count += u64::from(rows.has(id));
                    Ok(Go::On)
                })?;
                Ok(count)
            }
        }
    }

    /// The rows that match, newest first: `limit` of them after `offset`.
    pub(super) fn newest(
        &self,
        expression: &str,
        offset: u64,
        limit: usize,
    ) -> Result<Vec<i64>, StoreError> {
        let (first, last) = self.bounds();
        let (mut skipped, mut ids) = (0, Vec::new());
        self.each(NEWEST, (expression, first, last), |id, _| {
            if self.passes(id) && skipped < offset {
                skipped += 1;
            } else if self.passes(id) {
                ids.push(id);
            }
            Ok(if ids.len() < limit { Go::On } else { Go::Stop })
        })?;
        Ok(ids)
    }

    /// The newest rows that match, newest first, each with its relevance: greater is better.
    pub(super) fn relevances(&self, expression: &str) -> Result<Vec<(i64, f64)>, StoreError> {
        let (mut first, last) = self.bounds();
        if matches!(self.passing, Passing::Some(_)) {
            // Relevance costs more than the walk: it is computed only as far back as is needed.
            let newest = self.newest(expression, 0, RANKED_MAX)?;
            first = newest.last().copied().unwrap_or(last);
        }
        let mut rows = Vec::new();
        self.each(RELEVANCES, (expression, first, last), |id, row| {
            if self.passes(id) {
                rows.push((id, row.get(1)?));
            }
            Ok(if rows.len() < RANKED_MAX {
                Go::On
            } else {
                Go::Stop
            })
        })?;
        Ok(rows)
    }

    fn bounds(&self) -> (i64, i64) {
        match &self.passing {
            Passing::All => (i64::MIN, i64::MAX),
            Passing::Some(rows) => (rows.first, rows.last()),
        }
    }

    fn passes(&self, id: i64) -> bool {
        match &self.passing {
            Passing::All => true,
            Passing::Some(rows) => rows.has(id),
        }
    }

    fn each(
        &self,
        sql: &str,
        params: impl Params,
        mut visit: impl FnMut(i64, &rusqlite::Row<'_>) -> Result<Go, StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        while let Some(row) = rows.next()? {
            match visit(row.get(0)?, row)? {
                Go::On => {}
                Go::Stop => break,
            }
        }
        Ok(())
    }
}

enum Go {
    On,
    Stop,
}

/// The matches of `expression` that a filter of project and status passes.
fn passing_matches(
    connection: &Connection,
    filter: &SearchFilter<'_>,
    expression: &str,
) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT f.rowid FROM entries_fts AS f CROSS JOIN entries AS e ON e.id = f.rowid \
         CROSS JOIN threads AS t ON t.thread_id = e.thread_id WHERE f.entries_fts MATCH ?1 \
         AND (?2 IS NULL OR t.project = ?2) AND (?3 IS NULL OR t.status = ?3)",
    )?;
    let status = filter.status.map(Status::as_str);
    let rows = statement.query_map((expression, filter.project, status), |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// All entries that a filter passes, from an index that holds no text.
fn passing_entries(
    connection: &Connection,
    filter: &SearchFilter<'_>,
) -> Result<Vec<i64>, StoreError> {
    const ENTRIES: &str = "SELECT e.id FROM threads AS t CROSS JOIN entries AS e \
         ON e.thread_id = t.thread_id WHERE (?1 IS NULL OR t.project = ?1) \
         AND (?2 IS NULL OR t.status = ?2)";
    let status = filter.status.map(Status::as_str);
    let mut statement;
    let rows = match filter.thread {
        Some(thread) => {
            statement = connection.prepare_cached(&format!("{ENTRIES} AND t.thread_id = ?3"))?;
            statement.query((filter.project, status, thread.to_string()))?
        }
        None => {
            statement = connection.prepare_cached(ENTRIES)?;
            statement.query((filter.project, status))?
        }
    };
    let ids = rows.mapped(|row| row.get(0));
    Ok(ids.collect::<Result<_, _>>()?)
}

/// A set of row ids, as bits between the first and the last.
struct RowSet {
    first: i64,
    bits: Vec<u64>,
}

impl RowSet {
    /// The set of `ids`; none if there are none.
    fn new(ids: &[i64]) -> Option<Self> {
        let (first, last) = (*ids.iter().min()?, *ids.iter().max()?);
        let mut bits = vec![0; (last - first) as usize / 64 + 1];
        for id in ids {
            let at = (id - first) as usize;
            bits[at / 64] |= 1 << (at % 64);
        }
        Some(Self { first, bits })
    }

    fn has(&self, id: i64) -> bool {
        let Ok(at) = usize::try_from(id.saturating_sub(self.first)) else {
            return false;
        };
        let word = self.bits.get(at / 64).copied().unwrap_or_default();
        word >> (at % 64) & 1 == 1
    }

    /// An id that none of the set is above.
    fn last(&self) -> i64 {
        self.first + self.bits.len() as i64 * 64 - 1
    }
}
