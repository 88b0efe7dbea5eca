//! Full-text search over thread entries.
//!
//! What a user types is never read as query syntax: it is taken apart into words here, and only those
//! reach the index, each one quoted. Entries with all of the words come first, then those with any.
//!
//! A hit's score is between 0 and 1. The upper half is for entries with all words, the lower for
//! those with some. Within its half, four fifths of the score are the entry's relevance (BM25,
//! relative to the best hit's), one fifth is its recency, which halves in [`RECENCY_DAYS`].

mod query;
mod snippet;
#[cfg(test)]
mod tests;
mod words;

use std::collections::HashMap;

use rusqlite::{Connection, ToSql};
use syncline_model::Timestamp;
use syncline_model::thread::{EntryId, Status, ThreadId};

use crate::StoreError;
use crate::snapshot::snapshot;
use crate::threads::row::{
    count_cell, entry_id_cell, place_cells, sql_count, thread_id_cell, time_cell,
};
use crate::threads::{EntryPlace, thread};
use query::Query;

pub use snippet::SnippetStyle;
pub(crate) use words::index_text;

/// How many entries are ranked, the newest ones first. A query that matches more says little, and
/// what lies beyond comes after them, newest first.
const RANKED_MAX: u64 = 10_000;
/// The age, in days, at which an entry's recency counts half.
pub const RECENCY_DAYS: f64 = 30.0;
const RECENCY_SHARE: f64 = 0.2;

/// What to search for, and where.
#[derive(Debug, Clone, Copy)]
pub struct SearchQuery<'a> {
    /// As the user typed it. Text in double quotes is a phrase; everything else that is no letter or
    /// digit parts words. The last word may be the beginning of one.
    pub text: &'a str,
    pub filter: SearchFilter<'a>,
    pub limit: u64,
    pub offset: u64,
    /// The time by which recency is counted.
    pub now: Timestamp,
    pub snippet: SnippetStyle<'a>,
}

/// Which entries to search; what is none matches all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SearchFilter<'a> {
    pub project: Option<&'a str>,
    pub thread: Option<ThreadId>,
    pub status: Option<Status>,
}

/// A page of hits, best first.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchPage {
    pub hits: Vec<Hit>,
    /// How many entries match, on all pages.
    pub total: u64,
}

/// An entry that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    pub thread_id: ThreadId,
    /// The thread's key as it is shown, its project and its name.
    pub thread_key: String,
    pub project: String,
    pub thread_name: String,
    pub entry_id: EntryId,
    pub place: EntryPlace,
    pub author: String,
    pub timestamp: Timestamp,
    /// The part of the content where most words are.
    pub snippet: String,
    /// Between 0 and 1, see the module.
    pub score: f64,
    pub matched: Matched,
}

/// How much of the query an entry has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matched {
    AllWords,
    SomeWords,
}

/// Searches entries. A text without a word finds nothing.
pub fn search(connection: &Connection, query: &SearchQuery<'_>) -> Result<SearchPage, StoreError> {
    let words = Query::parse(query.text);
    let Some(all) = words.all() else {
        return Ok(SearchPage {
            hits: Vec::new(),
            total: 0,
        });
    };
    let _snapshot = snapshot(connection)?;
    let searcher = Searcher::new(connection, query)?;
    let with_all = searcher.count(&all)?;
    let (some, total) = match words.any() {
        Some(any) => (Some(format!("({any}) NOT ({all})")), searcher.count(&any)?),
        None => (None, with_all),
    };
    let mut found = searcher.page(&all, Matched::AllWords, query.offset, query.limit)?;
    if let Some(some) = some {
        let offset = query.offset.saturating_sub(with_all);
        let limit = query.limit - found.len() as u64;
        found.extend(searcher.page(&some, Matched::SomeWords, offset, limit)?);
    }
    Ok(SearchPage {
        hits: searcher.hits(&found, &words)?,
        total,
    })
}

/// A row of the index that is part of the answer.
struct Found {
    id: i64,
    score: f64,
    matched: Matched,
}

struct Searcher<'a> {
    connection: &'a Connection,
    query: &'a SearchQuery<'a>,
    /// The index rows between which the entries of the thread lie that is searched.
    ids: (i64, i64),
}

impl<'a> Searcher<'a> {
    fn new(connection: &'a Connection, query: &'a SearchQuery<'a>) -> Result<Self, StoreError> {
        let ids = match query.filter.thread {
            None => (i64::MIN, i64::MAX),
            Some(thread) => connection
                .prepare_cached(
                    "SELECT coalesce(min(id), 0), coalesce(max(id), -1) FROM entries WHERE thread_id = ?",
                )?
                .query_row([thread.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))?,
        };
        Ok(Self {
            connection,
            query,
            ids,
        })
    }

    /// Runs `SELECT selected` over the entries that match and pass the filter. Tables that no filter
    /// needs are left out: each costs a seek per match.
    fn select<T>(
        &self,
        selected: &str,
        rest: &str,
        expression: &str,
        limits: (u64, u64),
        mut read: impl FnMut(&rusqlite::Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let filter = &self.query.filter;
        let thread = filter.thread.map(|id| id.to_string());
        let status = filter.status.map(Status::as_str);
        let by_thread = filter.project.is_some() || status.is_some();
        let mut sql = format!("SELECT {selected} FROM entries_fts AS f");
        if thread.is_some() || by_thread || selected.contains("e.") {
            sql.push_str(" CROSS JOIN entries AS e ON e.id = f.rowid");
        }
        if by_thread {
            sql.push_str(" CROSS JOIN threads AS t ON t.thread_id = e.thread_id");
        }
        sql.push_str(" WHERE f.entries_fts MATCH :text AND f.rowid BETWEEN :first AND :last");
        let (limit, offset) = (sql_count(limits.0), sql_count(limits.1));
        let mut values: Vec<(&str, &dyn ToSql)> = vec![
            (":text", &expression),
            (":first", &self.ids.0),
            (":last", &self.ids.1),
        ];
        if let Some(thread) = &thread {
            sql.push_str(" AND e.thread_id = :thread");
            values.push((":thread", thread));
        }
        if let Some(project) = &filter.project {
            sql.push_str(" AND t.project = :project");
            values.push((":project", project));
        }
        if let Some(status) = &status {
            sql.push_str(" AND t.status = :status");
            values.push((":status", status));
        }
        sql.push_str(rest);
        if rest.contains(":limit") {
            values.extend([
                (":limit", &limit as &dyn ToSql),
                (":offset", &offset as &dyn ToSql),
            ]);
        }
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(values.as_slice())?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(read(row)?);
        }
        Ok(all)
    }

    fn count(&self, expression: &str) -> Result<u64, StoreError> {
        let counts = self.select("count(*)", "", expression, (0, 0), |row| count_cell(row, 0))?;
        Ok(counts.into_iter().sum())
    }

    fn page(
        &self,
        expression: &str,
        matched: Matched,
        offset: u64,
        limit: u64,
    ) -> Result<Vec<Found>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        if offset < RANKED_MAX {
            let ranked = self.ranked(expression, matched)?;
            found.extend(
                ranked
                    .into_iter()
                    .skip(offset as usize)
                    .take(usize::try_from(limit).unwrap_or(usize::MAX)),
            );
        }
        let beyond = offset.saturating_add(found.len() as u64).max(RANKED_MAX);
        let left = limit - found.len() as u64;
        if left > 0 {
            let newest = " ORDER BY f.rowid DESC LIMIT :limit OFFSET :offset";
            let rest = self.select("f.rowid", newest, expression, (left, beyond), |row| {
                Ok(Found {
                    id: row.get(0)?,
                    score: matched.base(),
                    matched,
                })
            })?;
            found.extend(rest);
        }
        Ok(found)
    }

    /// The newest matches, best first.
    fn ranked(&self, expression: &str, matched: Matched) -> Result<Vec<Found>, StoreError> {
        let mut rows = self.select(
            "f.rowid, -bm25(entries_fts), e.timestamp",
            " ORDER BY f.rowid DESC LIMIT :limit OFFSET :offset",
            expression,
            (RANKED_MAX, 0),
            |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, f64>(1)?,
                    time_cell(row, 2)?,
                ))
            },
        )?;
        let best = rows
            .iter()
            .map(|row| row.1)
            .fold(f64::MIN_POSITIVE, f64::max);
        let now = self.query.now;
        let score = |relevance: f64, at: Timestamp| {
            let strength =
                relevance / best * (1.0 - RECENCY_SHARE) + recency(now, at) * RECENCY_SHARE;
            matched.base() + 0.5 * strength.clamp(0.0, 1.0)
        };
        let mut ranked: Vec<Found> = rows
            .drain(..)
            .map(|(id, relevance, at)| Found {
                id,
                score: score(relevance, at),
                matched,
            })
            .collect();
        // Rows come newest first, and the sort keeps that where scores are equal.
        ranked.sort_by(|a, b| b.score.total_cmp(&a.score));
        Ok(ranked)
    }

    fn hits(&self, found: &[Found], words: &Query<'_>) -> Result<Vec<Hit>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT thread_id, entry_id, sequence_id, pending_order, author, timestamp, content \
             FROM entries WHERE id = ?",
        )?;
        let mut threads = HashMap::new();
        let mut hits = Vec::with_capacity(found.len());
        let mut contents = Vec::with_capacity(found.len());
        for found in found {
            let mut rows = statement.query([found.id])?;
            let row = rows
                .next()?
                .ok_or(StoreError::damaged("an indexed entry is not there"))?;
            let thread_id = thread_id_cell(row, 0)?;
            if let std::collections::hash_map::Entry::Vacant(place) = threads.entry(thread_id) {
                let thread = thread(self.connection, thread_id)?;
                place.insert(thread.ok_or(StoreError::damaged("an entry's thread is not there"))?);
            }
            let thread = &threads[&thread_id];
            contents.push(row.get::<_, String>(6)?);
            hits.push(Hit {
                thread_id,
                thread_key: thread.key.clone(),
                project: thread.project.clone(),
                thread_name: thread.name.clone(),
                entry_id: entry_id_cell(row, 1)?
                    .ok_or(StoreError::damaged("an entry has no id"))?,
                place: place_cells(row, 2)?,
                author: row.get(4)?,
                timestamp: time_cell(row, 5)?,
                snippet: String::new(),
                score: found.score,
                matched: found.matched,
            });
        }
        let snippets = snippet::snippets(&contents, words, self.query.snippet)?;
        for (hit, snippet) in hits.iter_mut().zip(snippets) {
            hit.snippet = snippet;
        }
        Ok(hits)
    }
}

impl Matched {
    /// Where the half of the scores begins that is for such entries.
    const fn base(self) -> f64 {
        match self {
            Self::AllWords => 0.5,
            Self::SomeWords => 0.0,
        }
    }
}

fn recency(now: Timestamp, at: Timestamp) -> f64 {
    const DAY_MILLIS: f64 = 86_400_000.0;
    let age_days = now.as_millis().saturating_sub(at.as_millis()).max(0) as f64 / DAY_MILLIS;
    1.0 / (1.0 + age_days / RECENCY_DAYS)
}
