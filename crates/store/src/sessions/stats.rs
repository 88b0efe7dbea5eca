//! What was used and done, put together by day, project, model or agent.

mod reports;

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, Statement, ToSql};
use syncline_model::Timestamp;

use super::figures::{Cost, Tokens, count_cell, tokens_cells};
use super::list::{SessionFilter, matching, named};
use super::prices::PriceTable;
use crate::StoreError;
use crate::snapshot::snapshot;
use crate::threads::row::sql_count;
use reports::Reports;

/// By what figures are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatGroup {
    /// By the day of each message, tool call and response. What is told of a session as a whole counts on
    /// the day that it last told of itself.
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
    /// In how many sessions anything was said, or told of them as a whole; a subagent is part of the session
    /// that called it.
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
        self.tokens.add(&other.tokens);
        self.cost.reported_nanos += other.cost.reported_nanos;
        self.cost.computed_nanos += other.cost.computed_nanos;
        self.cost.unpriced += other.cost.unpriced;
    }
}

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
    /// What agents tell of sessions as a whole.
    Reports,
}

impl Of {
    fn key(self, group: StatGroup) -> String {
        match group {
            StatGroup::Day => {
                let at = self.at();
                format!("coalesce(date({at} / 1000 + :offset * 60, 'unixepoch'), '')")
            }
            StatGroup::Project => PROJECT.to_owned(),
            StatGroup::Model if self == Self::Tools => TOOL_MODEL.to_owned(),
            StatGroup::Model => MODEL.to_owned(),
            StatGroup::Agent => AGENT.to_owned(),
        }
    }

    const fn at(self) -> &'static str {
        match self {
            Self::Messages | Self::Usage => "x.at",
            Self::Tools => "coalesce(x.at, x.completed_at)",
            Self::Reports => "nullif(x.last_at, 0)",
        }
    }

    /// Its rows `x` in sessions `s` that a filter passes, within a span.
    fn rows(self) -> String {
        let (table, counts) = match self {
            Self::Messages => ("session_messages", "x.counted = 1"),
            Self::Tools => ("session_tools", "x.counted = 1"),
            Self::Usage => ("session_usage", "x.copied = 0"),
            Self::Reports => (
                "sessions",
                "x.session_id IN (SELECT value FROM json_each(:reporting))",
            ),
        };
        format!(
            "FROM sessions AS s JOIN {table} AS x ON x.session_id = s.session_id WHERE {} AND {counts} {}",
            matching!(),
            within(self.at())
        )
    }

    fn sql(self, group: StatGroup) -> String {
        let (columns, by) = match self {
            Self::Messages => (
                "count(*), count(*) FILTER (WHERE x.role = 'user' \
                 AND s.parent_kind IS NOT 'subagent')",
                "",
            ),
            Self::Tools => ("count(*), sum(x.failed)", ""),
            Self::Usage => (
                "coalesce(x.model, ''), min(x.at), count(*), sum(x.input_tokens), \
                 sum(x.output_tokens), sum(x.cache_read_tokens), sum(x.cache_write_5m_tokens), \
                 sum(x.cache_write_1h_tokens), sum(x.reasoning_tokens), x.cost_nanos IS NULL, \
                 sum(x.cost_nanos), x.session_id IN (SELECT value FROM json_each(:paid)) AS paid",
                ", coalesce(x.model, ''), x.at / 86400000, x.cost_nanos IS NULL, paid",
            ),
            Self::Reports => ("x.session_id", ", x.session_id"),
        };
        let (key, rows) = (self.key(group), self.rows());
        format!("SELECT {key}, {columns} {rows} GROUP BY {key}{by}")
    }
}

fn within(at: &str) -> String {
    format!(
        "AND (:from IS NULL OR {at} >= :from) AND (:to IS NULL OR {at} < :to) AND :offset IS NOT NULL"
    )
}

/// Figures by `group`, of the sessions that a filter passes, within a span. Of the filter its model,
/// its error, its cost and its choice of subagents play no part: [`super::sessions_among`] makes out the first three.
pub fn session_stats(
    connection: &Connection,
    filter: &SessionFilter<'_>,
    span: StatSpan,
    group: StatGroup,
    prices: &PriceTable,
) -> Result<Vec<StatRow>, StoreError> {
    let _snapshot = snapshot(connection)?;
    let reports = Reports::read(connection)?;
    let mut stats: BTreeMap<String, StatRow> = BTreeMap::new();
    let mut each = |of: Of, add: &mut dyn FnMut(&mut StatRow, &Row<'_>) -> rusqlite::Result<()>| {
        let mut statement = connection.prepare_cached(&of.sql(group))?;
        let mut rows = query(&mut statement, filter, span, &reports.parameters(of))?;
        while let Some(row) = rows.next()? {
            let key: String = row.get(0)?;
            let stat = stats.entry(key.clone()).or_default();
            stat.key = key;
            add(stat, row)?;
        }
        Ok::<_, StoreError>(())
    };
    each(Of::Messages, &mut |stat, row| {
        stat.messages += count_cell(row, 1)?;
        stat.prompts += count_cell(row, 2)?;
        Ok(())
    })?;
    each(Of::Tools, &mut |stat, row| {
        stat.tool_calls += count_cell(row, 1)?;
        stat.tool_errors += count_cell(row, 2)?;
        Ok(())
    })?;
    each(Of::Usage, &mut |stat, row| add_usage(stat, row, prices))?;
    each(Of::Reports, &mut |stat, row| {
        reports.add(&row.get::<_, String>(1)?, stat);
        Ok(())
    })?;
    count_sessions(connection, filter, span, group, &reports, &mut stats)?;
    Ok(stats.into_values().collect())
}

fn query<'s>(
    statement: &'s mut Statement<'_>,
    filter: &SessionFilter<'_>,
    span: StatSpan,
    more: &[(&str, &dyn ToSql)],
) -> rusqlite::Result<rusqlite::Rows<'s>> {
    let [since, until, from, to] = [filter.since, filter.until, span.since, span.until]
        .map(|time| time.map(Timestamp::as_millis));
    let mut parameters: Vec<(&str, &dyn ToSql)> = vec![
        (":agent", &filter.agent),
        (":project", &filter.project),
        (":machine", &filter.machine),
        (":branch", &filter.branch),
        (":since", &since),
        (":until", &until),
        (":among", &filter.among),
        (":from", &from),
        (":to", &to),
        (":offset", &span.offset_minutes),
    ];
    parameters.extend(more);
    statement.query(&*parameters)
}

fn add_usage(stat: &mut StatRow, row: &Row<'_>, prices: &PriceTable) -> rusqlite::Result<()> {
    let model: String = row.get(1)?;
    let used = Tokens {
        reasoning: count_cell(row, 9)?,
        ..tokens_cells(row, 4)?
    };
    stat.tokens.add(&used);
    let (is_priced, is_paid): (bool, bool) = (row.get(10)?, row.get(12)?);
    if !is_priced {
        stat.cost.reported_nanos += count_cell(row, 11)?;
    } else if !is_paid {
        let responses = count_cell(row, 3)?;
        stat.cost
            .add_computed(prices, &model, row.get(2)?, responses, &used);
    }
    Ok(())
}

/// The session that each is part of: its own, or that which called it as a subagent.
const WHOLES: &str = "WITH RECURSIVE wholes(id, whole) AS (\
     SELECT s.session_id, s.session_id FROM sessions AS s WHERE s.parent_kind IS NOT 'subagent' \
     OR NOT EXISTS (SELECT 1 FROM sessions AS p WHERE p.session_id = s.parent_session \
     AND p.deleted_at IS NULL) \
     UNION SELECT c.session_id, wholes.whole FROM wholes \
     CROSS JOIN sessions AS c ON c.parent_session = wholes.id WHERE +c.parent_kind = 'subagent')";

/// In how many sessions there was a message of each key, or is told of the whole.
fn count_sessions(
    connection: &Connection,
    filter: &SessionFilter<'_>,
    span: StatSpan,
    group: StatGroup,
    reports: &Reports,
    stats: &mut BTreeMap<String, StatRow>,
) -> Result<(), StoreError> {
    let of = |of: Of| {
        format!(
            "SELECT {} AS key, x.session_id {}",
            of.key(group),
            of.rows()
        )
    };
    let sql = format!(
        "{WHOLES} SELECT key, count(DISTINCT coalesce(wholes.whole, session_id)) FROM ({} UNION {}) \
         LEFT JOIN wholes ON wholes.id = session_id GROUP BY key",
        of(Of::Messages),
        of(Of::Reports)
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = query(
        &mut statement,
        filter,
        span,
        &reports.parameters(Of::Reports),
    )?;
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
         {} GROUP BY 1 ORDER BY calls DESC, 1 LIMIT {}",
        Of::Tools.rows(),
        sql_count(limit)
    );
    let mut statement = connection.prepare(&sql)?;
    let rows = query(&mut statement, filter, span, &[])?.mapped(|row| {
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
         FROM (SELECT x.files {}) AS x JOIN json_each(x.files) AS f \
         GROUP BY 1 ORDER BY touches DESC, 1 LIMIT {}",
        Of::Tools.rows(),
        sql_count(limit)
    );
    let mut statement = connection.prepare(&sql)?;
    let rows = query(&mut statement, filter, span, &[])?.mapped(|row| {
        Ok(FileCount {
            path: row.get(0)?,
            touches: count_cell(row, 1)?,
            changes: count_cell(row, 2)?,
        })
    });
    Ok(rows.collect::<Result<_, _>>()?)
}
