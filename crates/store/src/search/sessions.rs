//! Full-text search over all that was said and done in coding sessions: texts, thoughts, what went
//! into tools and what came out, titles, errors, summaries.
//!
//! Hits are ranked by relevance alone (BM25); those with all of the words come before those with any.

use rusqlite::{Connection, named_params};
use syncline_model::Timestamp;
use syncline_model::session::SessionId;

use super::Matched;
use super::query::Query;
use super::snippet::{SnippetStyle, snippets};
use crate::StoreError;
use crate::sessions::row::{id_cell, time_cell};
use crate::sessions::{PriceTable, SessionFilter, matching, named, sessions_among};
use crate::snapshot::snapshot;
use crate::threads::row::sql_count;

/// What to search for, and where.
#[derive(Debug, Clone, Copy)]
pub struct SessionQuery<'a> {
    /// As the user typed it, see [`super::SearchQuery::text`].
    pub text: &'a str,
    pub filter: PartFilter<'a>,
    pub limit: u64,
    pub offset: u64,
    pub snippet: SnippetStyle<'a>,
    /// What the cost of sessions is computed from where agents report none.
    pub prices: &'a PriceTable,
}

/// Which texts to search; what is none matches all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PartFilter<'a> {
    pub session: Option<SessionId>,
    pub agent: Option<&'a str>,
    /// A project's name, or its path.
    pub project: Option<&'a str>,
    pub machine: Option<&'a str>,
    pub branch: Option<&'a str>,
    /// A model that the whole session used.
    pub model: Option<&'a str>,
    /// `text`, `thinking`, `tool_input`, `tool_output`, `title`, `error`, …; `tool_error` is also the output
    /// of a call that tells its error there.
    pub kind: Option<&'a str>,
    /// Sessions that told of themselves at this time or later.
    pub since: Option<Timestamp>,
    /// Sessions that began before this time.
    pub until: Option<Timestamp>,
    /// Some: whether there was an error in the whole session, of the agent or of a tool.
    pub has_error: Option<bool>,
    /// The least that the whole session cost, in billionths of a dollar.
    pub cost_nanos_min: Option<u64>,
}

/// A page of hits, best first.
#[derive(Debug, Clone, PartialEq)]
pub struct PartHits {
    pub hits: Vec<PartHit>,
    /// How many texts match, on all pages.
    pub total: u64,
}

/// A text that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct PartHit {
    pub session_id: SessionId,
    pub agent: Option<String>,
    pub native_id: Option<String>,
    pub title: Option<String>,
    /// Of what it is a part: `message`, `tool`, `session`, `title`, `tool_error`, `error`,
    /// `compaction`; and the id of that.
    pub owner: String,
    pub owner_id: String,
    pub kind: String,
    /// When it was said, where that is known, else the session's last time.
    pub at: Option<Timestamp>,
    pub snippet: String,
    /// The relevance: greater is better, within one search.
    pub relevance: f64,
    pub matched: Matched,
}

const MATCHING: &str = "FROM session_parts_fts AS f WHERE f.session_parts_fts MATCH :words \
     AND :session IS NULL AND :agent IS NULL AND :project IS NULL AND :machine IS NULL \
     AND :branch IS NULL AND :kind IS NULL AND :since IS NULL AND :until IS NULL \
     AND :among IS NULL";
/// An error that the output of its call tells is found there alone, also by the kind of errors.
const PASSING: &str = concat!(
    "FROM session_parts_fts AS f \
     CROSS JOIN session_parts AS p ON p.id = f.rowid \
     CROSS JOIN sessions AS s ON s.session_id = p.session_id \
     WHERE f.session_parts_fts MATCH :words \
     AND (:session IS NULL OR p.session_id = :session) AND (:kind IS NULL OR p.kind = :kind \
     OR :kind = 'tool_error' AND p.kind = 'tool_output' AND EXISTS (SELECT 1 FROM session_parts AS e \
     JOIN session_tools AS t ON t.session_id = e.session_id AND t.tool_id = e.owner_id \
     WHERE e.session_id = p.session_id AND e.owner = 'tool_error' AND e.owner_id = p.owner_id \
     AND e.part_id = '' AND e.text = '' AND t.error <> '')) \
     AND",
    matching!()
);

/// Searches sessions. A text without a word finds nothing.
pub fn search_sessions(
    connection: &Connection,
    query: &SessionQuery<'_>,
) -> Result<PartHits, StoreError> {
    let words = Query::parse(query.text);
    let Some(all) = words.all() else {
        return Ok(PartHits {
            hits: Vec::new(),
            total: 0,
        });
    };
    let _snapshot = snapshot(connection)?;
    let from = match query.filter == PartFilter::default() {
        true => MATCHING,
        false => PASSING,
    };
    let figures = SessionFilter {
        model: query.filter.model,
        has_error: query.filter.has_error,
        cost_nanos_min: query.filter.cost_nanos_min,
        ..SessionFilter::default()
    };
    let search = Search {
        connection,
        filter: query.filter,
        from,
        among: sessions_among(connection, &figures, query.prices)?,
    };
    let with_all = search.count(&all)?;
    let mut found = search.page(&all, query.offset, query.limit, Matched::AllWords)?;
    let mut total = with_all;
    if let Some(any) = words.any() {
        total = search.count(&any)?;
        let some = format!("({any}) NOT ({all})");
        let offset = query.offset.saturating_sub(with_all);
        let limit = query.limit - found.len() as u64;
        found.extend(search.page(&some, offset, limit, Matched::SomeWords)?);
    }
    let mut hits = Vec::with_capacity(found.len());
    let mut texts = Vec::with_capacity(found.len());
    for (id, relevance, matched) in found {
        let (hit, text) = hit(connection, id, relevance, matched)?;
        hits.push(hit);
        texts.push(text);
    }
    for (hit, snippet) in hits
        .iter_mut()
        .zip(snippets(&texts, &words, query.snippet)?)
    {
        hit.snippet = snippet;
    }
    Ok(PartHits { hits, total })
}

struct Search<'c> {
    connection: &'c Connection,
    filter: PartFilter<'c>,
    from: &'static str,
    among: Option<String>,
}

impl Search<'_> {
    fn count(&self, words: &str) -> Result<u64, StoreError> {
        let rows = self.query(&format!("SELECT count(*), 0.0 {}", self.from), words)?;
        Ok(rows.first().map_or(0, |(count, _)| *count as u64))
    }

    fn page(
        &self,
        words: &str,
        offset: u64,
        limit: u64,
        matched: Matched,
    ) -> Result<Vec<(i64, f64, Matched)>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT f.rowid, -f.rank {} ORDER BY f.rank LIMIT {} OFFSET {}",
            self.from,
            sql_count(limit),
            sql_count(offset)
        );
        let rows = self.query(&sql, words)?.into_iter();
        Ok(rows
            .map(|(id, relevance)| (id, relevance, matched))
            .collect())
    }

    fn query(&self, sql: &str, words: &str) -> Result<Vec<(i64, f64)>, StoreError> {
        let filter = &self.filter;
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(
            named_params! {
                ":words": words,
                ":session": filter.session.map(|id| id.to_string()),
                ":agent": filter.agent,
                ":project": filter.project,
                ":machine": filter.machine,
                ":branch": filter.branch,
                ":kind": filter.kind,
                ":since": filter.since.map(Timestamp::as_millis),
                ":until": filter.until.map(Timestamp::as_millis),
                ":among": self.among,
            },
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn hit(
    connection: &Connection,
    id: i64,
    relevance: f64,
    matched: Matched,
) -> Result<(PartHit, String), StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT p.session_id, s.agent, s.native_id, s.title, p.owner, p.owner_id, p.kind, \
         coalesce((SELECT m.at FROM session_messages AS m WHERE p.owner = 'message' \
              AND m.session_id = p.session_id AND m.message_id = p.owner_id), \
             (SELECT t.at FROM session_tools AS t WHERE p.owner IN ('tool', 'tool_error') \
              AND t.session_id = p.session_id AND t.tool_id = p.owner_id), nullif(s.last_at, 0)), p.text \
         FROM session_parts AS p JOIN sessions AS s ON s.session_id = p.session_id WHERE p.id = ?",
    )?;
    let mut rows = statement.query([id])?;
    let row = rows
        .next()?
        .ok_or(StoreError::damaged("an indexed part is not there"))?;
    let hit = PartHit {
        session_id: id_cell(row, 0)?,
        agent: row.get(1)?,
        native_id: row.get(2)?,
        title: row.get(3)?,
        owner: row.get(4)?,
        owner_id: row.get(5)?,
        kind: row.get(6)?,
        at: time_cell(row, 7)?,
        snippet: String::new(),
        relevance,
        matched,
    };
    Ok((hit, row.get(8)?))
}
