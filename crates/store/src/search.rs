//! Full-text search over thread entries, and over what was said and done in coding sessions.
//!
//! What a user types is never read as query syntax: it is taken apart into words here, and only those
//! reach the index, each one quoted. Entries with all of the words come first, then those with any.
//!
//! A hit's score is between 0 and 1. The upper half is for entries with all words, the lower for
//! those with some. Within its half, four fifths of the score are the entry's relevance (BM25,
//! relative to the best hit's), one fifth is its recency, which halves in [`RECENCY_DAYS`].

mod index;
mod query;
mod sessions;
mod snippet;
#[cfg(test)]
mod tests;
mod words;

use std::collections::HashMap;
use std::collections::hash_map::Entry::Vacant;

use rusqlite::Connection;
use syncline_model::Timestamp;
use syncline_model::thread::{EntryId, Status, ThreadId};

use crate::StoreError;
use crate::snapshot::snapshot;
use crate::threads::row::{entry_id_cell, place_cells, thread_id_cell, time_cell};
use crate::threads::{EntryPlace, Thread, thread};
use index::{Index, RANKED_MAX};
use query::Query;

pub use sessions::{PartFilter, PartHit, PartHits, SessionQuery, search_sessions};
pub use snippet::SnippetStyle;
pub(crate) use words::indexed;

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
    let any = words.any();
    let widest = any.as_deref().unwrap_or(&all);
    let Some(index) = Index::open(connection, &query.filter, widest)? else {
        return Ok(SearchPage {
            hits: Vec::new(),
            total: 0,
        });
    };
    let with_all = index.count(&all)?;
    let (some, total) = match &any {
        Some(any) => (Some(format!("({any}) NOT ({all})")), index.count(any)?),
        None => (None, with_all),
    };
    let ranking = Ranking {
        connection,
        index,
        now: query.now,
    };
    let mut found = ranking.page(&all, Matched::AllWords, query.offset, query.limit)?;
    if let Some(some) = some {
        let offset = query.offset.saturating_sub(with_all);
        let limit = query.limit - found.len() as u64;
        found.extend(ranking.page(&some, Matched::SomeWords, offset, limit)?);
    }
    Ok(SearchPage {
        hits: hits(connection, &found, &words, query.snippet)?,
        total,
    })
}

/// An entry that is part of the answer, by its row of the index.
struct Found {
    id: i64,
    score: f64,
    matched: Matched,
}

/// The matches of one query, ranked.
struct Ranking<'c> {
    connection: &'c Connection,
    index: Index<'c>,
    now: Timestamp,
}

impl Ranking<'_> {
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
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        if offset < RANKED_MAX as u64 {
            let ranked = self.ranked(expression, matched)?;
            found.extend(ranked.into_iter().skip(offset as usize).take(limit));
        }
        let beyond = offset.saturating_add(found.len() as u64);
        if found.len() < limit && beyond >= RANKED_MAX as u64 {
            let rest = self.index.newest(expression, beyond, limit - found.len())?;
            found.extend(rest.into_iter().map(|id| Found {
                id,
                score: matched.base(),
                matched,
            }));
        }
        Ok(found)
    }

    /// The newest matches, best first.
    fn ranked(&self, expression: &str, matched: Matched) -> Result<Vec<Found>, StoreError> {
        let mut time_of = self
            .connection
            .prepare_cached("SELECT timestamp FROM entries WHERE id = ?")?;
        let rows = self.index.relevances(expression)?;
        let best = rows
            .iter()
            .map(|row| row.1)
            .fold(f64::MIN_POSITIVE, f64::max);
        let mut ranked = Vec::with_capacity(rows.len());
        for (id, relevance) in rows {
            let at = time_of.query_row([id], |row| Ok(time_cell(row, 0)))??;
            let strength =
                relevance / best * (1.0 - RECENCY_SHARE) + recency(self.now, at) * RECENCY_SHARE;
            ranked.push(Found {
                id,
                score: matched.base() + 0.5 * strength.clamp(0.0, 1.0),
                matched,
            });
        }
        // Rows come newest first, and the sort keeps that where scores are equal.
        ranked.sort_by(|a, b| b.score.total_cmp(&a.score));
        Ok(ranked)
    }
}

fn hits(
    connection: &Connection,
    found: &[Found],
    words: &Query<'_>,
    style: SnippetStyle<'_>,
) -> Result<Vec<Hit>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT thread_id, entry_id, sequence_id, pending_order, author, timestamp, content \
         FROM entries WHERE id = ?",
    )?;
    let mut threads: HashMap<ThreadId, Thread> = HashMap::new();
    let mut hits = Vec::with_capacity(found.len());
    let mut contents = Vec::with_capacity(found.len());
    for found in found {
        let mut rows = statement.query([found.id])?;
        let row = rows
            .next()?
            .ok_or(StoreError::damaged("an indexed entry is not there"))?;
        let thread_id = thread_id_cell(row, 0)?;
        if let Vacant(place) = threads.entry(thread_id) {
            let thread = thread(connection, thread_id)?;
            place.insert(thread.ok_or(StoreError::damaged("an entry's thread is not there"))?);
        }
        let thread = &threads[&thread_id];
        contents.push(row.get::<_, String>(6)?);
        hits.push(Hit {
            thread_id,
            thread_key: thread.key.clone(),
            project: thread.project.clone(),
            thread_name: thread.name.clone(),
            entry_id: entry_id_cell(row, 1)?.ok_or(StoreError::damaged("an entry has no id"))?,
            place: place_cells(row, 2)?,
            author: row.get(4)?,
            timestamp: time_cell(row, 5)?,
            snippet: String::new(),
            score: found.score,
            matched: found.matched,
        });
    }
    let snippets = snippet::snippets(&contents, words, style)?;
    for (hit, snippet) in hits.iter_mut().zip(snippets) {
        hit.snippet = snippet;
    }
    Ok(hits)
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
