//! What was used and done, put together by day, project, model or agent.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, Statement, named_params};
use syncline_model::Timestamp;

use super::figures::{Cost, Tokens, count_cell, tokens_cells};
use super::list::{SessionFilter, matching};
use super::prices::PriceTable;
use crate::StoreError;
use crate::snapshot::snapshot;
use crate::threads::row::sql_count;

/// By what figures are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatGroup {
    /// By the day of each message, tool call and response.
    Day,
    Project,
    Model,
    Agent,
}

/// Over which time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StatSpan {
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// How far the clocks are ahead of UTC where days begin and end.
    pub offset_minutes: i32,
}

/// The figures of one day, project, model or agent; copies are counted where they came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatRow {
    /// A day is written `2026-01-31`; empty is what is not known.
    pub key: String,
    /// In how many sessions, subagents with them, anything was said or used.
    pub sessions: u64,
    pub messages: u64,
    pub prompts: u64,
    pub tool_calls: u64,
    pub tool_errors: u64,
    pub tokens: Tokens,
    pub cost: Cost,
}

impl StatRow {
    /// Adds the figures of another row, of other sessions.
    pub fn add(&mut self, other: &Self) {
        self.sessions += other.sessions;
        self.messages += other.messages;
        self.prompts += other.prompts;
        self.tool_calls += other.tool_calls;
        self.tool_errors += other.tool_errors;
        self.tokens.input += other.tokens.input;
        self.tokens.output += other.tokens.output;
        self.tokens.cache_read += other.tokens.cache_read;
        self.tokens.cache_write_5m += other.tokens.cache_write_5m;
        self.tokens.cache_write_1h += other.tokens.cache_write_1h;
        self.tokens.reasoning += other.tokens.reasoning;
        self.cost.reported_nanos += other.cost.reported_nanos;
        self.cost.computed_nanos += other.cost.computed_nanos;
        self.cost.unpriced += other.cost.unpriced;
    }
}

const DAY: &str = "coalesce(date(x.at / 1000 + :offset * 60, 'unixepoch'), '')";
const PROJECT: &str = "coalesce(s.project_name, s.project_path, '')";
const MODEL: &str = "coalesce(x.model, s.model, '')";
const TOOL_MODEL: &str = "coalesce((SELECT m.model FROM session_messages AS m \
     WHERE m.session_id = x.session_id AND m.message_id = x.message_id), s.model, '')";
const AGENT: &str = "coalesce(s.agent, '')";

/// What figures are made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Messages,
    Tools,
    Usage,
}

impl Of {
    fn sql(self, group: StatGroup) -> String {
        let key = match group {
            StatGroup::Day => DAY,
            StatGroup::Project => PROJECT,
            StatGroup::Model if self == Self::Tools => TOOL_MODEL,
            StatGroup::Model => MODEL,
            StatGroup::Agent => AGENT,
        };
        let (columns, table, counts, by) = match self {
            Self::Messages => (
                "count(*), count(*) FILTER (WHERE x.role = 'user')",
                "session_messages",
                "x.counted = 1",
                "",
            ),
            Self::Tools => (
                "count(*), sum(x.failed)",
                "session_tools",
                "x.counted = 1",
                "",
            ),
            Self::Usage => (
                "coalesce(x.model, ''), min(x.at), count(*), sum(x.input_tokens), \
                 sum(x.output_tokens), sum(x.cache_read_tokens), sum(x.cache_write_5m_tokens), \
                 sum(x.cache_write_1h_tokens), sum(x.reasoning_tokens), x.cost_nanos IS NULL, \
                 sum(x.cost_nanos)",
                "session_usage",
                "x.copied = 0",
                ", coalesce(x.model, ''), x.at / 86400000, x.cost_nanos IS NULL",
            ),
        };
        format!(
            "SELECT {key}, {columns} FROM sessions AS s JOIN {table} AS x \
             ON x.session_id = s.session_id WHERE {} AND {counts} {SPAN} GROUP BY {key}{by}",
            matching!()
        )
    }
}

const SPAN: &str = "AND (:from IS NULL OR x.at >= :from) AND (:to IS NULL OR x.at < :to) \
     AND :offset IS NOT NULL";

/// Figures by `group`, of the sessions that a filter passes, within a span. Of the filter its error,
/// its cost and its choice of subagents play no part.
pub fn session_stats(
    connection: &Connection,
    filter: &SessionFilter<'_>,
    span: StatSpan,
    group: StatGroup,
    prices: &PriceTable,
) -> Result<Vec<StatRow>, StoreError> {
    let _snapshot = snapshot(connection)?;
    let mut stats: BTreeMap<String, StatRow> = BTreeMap::new();
    let mut each = |of: Of, add: &mut dyn FnMut(&mut StatRow, &Row<'_>) -> rusqlite::Result<()>| {
        let mut statement = connection.prepare_cached(&of.sql(group))?;
        let mut rows = query(&mut statement, filter, span)?;
        while let Some(row) = rows.next()? {
            let key: String = row.get(0)?;
            let stat = stats.entry(key.clone()).or_default();
            stat.key = key;
            add(stat, row)?;
        }
        Ok::<_, StoreError>(())
    };
    each(Of::Messages, &mut |stat, row| {
        stat.messages = count_cell(row, 1)?;
        stat.prompts = count_cell(row, 2)?;
        Ok(())
    })?;
    each(Of::Tools, &mut |stat, row| {
        stat.tool_calls = count_cell(row, 1)?;
        stat.tool_errors = count_cell(row, 2)?;
        Ok(())
    })?;
    each(Of::Usage, &mut |stat, row| add_usage(stat, row, prices))?;
    count_sessions(connection, filter, span, group, &mut stats)?;
    Ok(stats.into_values().collect())
}

fn query<'s>(
    statement: &'s mut Statement<'_>,
    filter: &SessionFilter<'_>,
    span: StatSpan,
) -> rusqlite::Result<rusqlite::Rows<'s>> {
    statement.query(named_params! {
        ":agent": filter.agent,
        ":project": filter.project,
        ":machine": filter.machine,
        ":branch": filter.branch,
        ":model": filter.model,
        ":since": filter.since.map(Timestamp::as_millis),
        ":until": filter.until.map(Timestamp::as_millis),
        ":from": span.since.map(Timestamp::as_millis),
        ":to": span.until.map(Timestamp::as_millis),
        ":offset": span.offset_minutes,
    })
}

fn add_usage(stat: &mut StatRow, row: &Row<'_>, prices: &PriceTable) -> rusqlite::Result<()> {
    let model: String = row.get(1)?;
    let used = tokens_cells(row, 4)?;
    let tokens = &mut stat.tokens;
    tokens.input += used.input;
    tokens.output += used.output;
    tokens.cache_read += used.cache_read;
    tokens.cache_write_5m += used.cache_write_5m;
    tokens.cache_write_1h += used.cache_write_1h;
    tokens.reasoning += count_cell(row, 9)?;
    if row.get(10)? {
        let responses = count_cell(row, 3)?;
        stat.cost
            .add_computed(prices, &model, row.get(2)?, responses, &used);
    } else {
        stat.cost.reported_nanos += count_cell(row, 11)?;
    }
    Ok(())
}

/// In how many sessions there was a message, a tool call or a response of each key.
fn count_sessions(
    connection: &Connection,
    filter: &SessionFilter<'_>,
    span: StatSpan,
    group: StatGroup,
    stats: &mut BTreeMap<String, StatRow>,
) -> Result<(), StoreError> {
    let of_messages = Of::Messages.sql(group).replace(
        "count(*), count(*) FILTER (WHERE x.role = 'user')",
        "count(DISTINCT x.session_id)",
    );
    let mut statement = connection.prepare_cached(&of_messages)?;
    let mut rows = query(&mut statement, filter, span)?;
    while let Some(row) = rows.next()? {
        let key: String = row.get(0)?;
        if let Some(stat) = stats.get_mut(&key) {
            stat.sessions = count_cell(row, 1)?;
        }
    }
    Ok(())
}

/// How often a tool was called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCount {
    pub name: String,
    pub calls: u64,
    pub errors: u64,
    /// How long the calls took together of which that is known.
    pub duration_ms: u64,
}

/// The tools that were called, most often first.
pub fn tool_counts(
    connection: &Connection,
    filter: &SessionFilter<'_>,
    span: StatSpan,
    limit: u64,
) -> Result<Vec<ToolCount>, StoreError> {
    let sql = format!(
        "SELECT coalesce(x.name, ''), count(*) AS calls, sum(x.failed), sum(x.duration_ms) \
         FROM sessions AS s JOIN session_tools AS x ON x.session_id = s.session_id \
         WHERE {} AND x.counted = 1 {SPAN} GROUP BY 1 ORDER BY calls DESC, 1 LIMIT {}",
        matching!(),
        sql_count(limit)
    );
    let mut statement = connection.prepare(&sql)?;
    let rows = query(&mut statement, filter, span)?.mapped(|row| {
        Ok(ToolCount {
            name: row.get(0)?,
            calls: count_cell(row, 1)?,
            errors: count_cell(row, 2)?,
            duration_ms: count_cell(row, 3)?,
        })
    });
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How often tools touched a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileCount {
    pub path: String,
    pub touches: u64,
    /// Those that changed it.
    pub changes: u64,
}

/// The files that tools touched, most often first.
pub fn touched_files(
    connection: &Connection,
    filter: &SessionFilter<'_>,
    span: StatSpan,
    limit: u64,
) -> Result<Vec<FileCount>, StoreError> {
    let sql = format!(
        "SELECT f.value ->> 'path', count(*) AS touches, \
         count(*) FILTER (WHERE f.value ->> 'action' <> 'read') \
         FROM sessions AS s JOIN session_tools AS x ON x.session_id = s.session_id \
         JOIN json_each(x.files) AS f \
         WHERE {} AND x.counted = 1 {SPAN} GROUP BY 1 ORDER BY touches DESC, 1 LIMIT {}",
        matching!(),
        sql_count(limit)
    );
    let mut statement = connection.prepare(&sql)?;
    let rows = query(&mut statement, filter, span)?.mapped(|row| {
        Ok(FileCount {
            path: row.get(0)?,
            touches: count_cell(row, 1)?,
            changes: count_cell(row, 2)?,
        })
    });
    Ok(rows.collect::<Result<_, _>>()?)
}
