//! Lists of sessions, a page at a time.

use std::fmt;

use rusqlite::{Connection, named_params};
use syncline_model::Timestamp;
use syncline_model::session::SessionId;
use uuid::Uuid;

use super::figures::{Figures, TREE_IDS, figures, tree};
use super::prices::PriceTable;
use super::row::{Session, read_session, session_columns};
use crate::StoreError;
use crate::snapshot::snapshot;

/// Which sessions to list; what is none matches all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SessionFilter<'a> {
    /// An agent, by its name or what stands before a `-` in it: `claude` is claude-code.
    pub agent: Option<&'a str>,
    /// A project's name, or its path.
    pub project: Option<&'a str>,
    pub machine: Option<&'a str>,
    pub branch: Option<&'a str>,
    /// A model that the session, one of its responses or one of its subagents used: its name or what stands
    /// before a `-` in it, so that one goes without its date.
    pub model: Option<&'a str>,
    /// Sessions that told of themselves at this time or later.
    pub since: Option<Timestamp>,
    /// Sessions that began before this time.
    pub until: Option<Timestamp>,
    /// Some: whether there was an error, of the agent or of a tool.
    pub has_error: Option<bool>,
    /// The least that it cost, in billionths of a dollar.
    pub cost_nanos_min: Option<u64>,
    /// These alone: a JSON array of ids, as [`sessions_among`] gives it.
    pub among: Option<&'a str>,
    pub which: Which,
}

/// Whether subagents are listed too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Which {
    /// Sessions, each with the figures of its subagents in its own. A subagent whose parent is not
    /// known is listed as a session.
    #[default]
    Whole,
    /// Subagents too, each by itself.
    All,
}

/// A place in a list of sessions; its text is opaque and safe in a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionCursor {
    last_at: Timestamp,
    session_id: SessionId,
}

/// A text that is no cursor of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cursor is not one that a list of sessions gave")]
pub struct CursorError;

impl fmt::Display for SessionCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.last_at.as_millis();
        write!(f, "{millis}.{}", self.session_id.uuid().simple())
    }
}

impl std::str::FromStr for SessionCursor {
    type Err = CursorError;
    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (millis, id) = text.split_once('.').ok_or(CursorError)?;
        let millis = millis.parse().map_err(|_| CursorError)?;
        Ok(Self {
            last_at: Timestamp::from_millis(millis).map_err(|_| CursorError)?,
            session_id: Uuid::try_parse(id).map_err(|_| CursorError)?.into(),
        })
    }
}

/// Sessions, the one that told of itself last first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionPage {
    pub sessions: Vec<ListedSession>,
    /// Where the next page begins; none on the last.
    pub next: Option<SessionCursor>,
}

/// A session in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSession {
    pub session: Session,
    pub figures: Figures,
}

/// Whether a column holds a name, or one that goes on with a `-` behind it.
macro_rules! named {
    ($column:literal, $name:literal) => {
        concat!(
            "(",
            $column,
            " = ",
            $name,
            " OR substr(",
            $column,
            ", 1, length(",
            $name,
            ") + 1) = ",
            $name,
            " || '-')"
        )
    };
}
pub(crate) use named;

/// The sessions that a filter passes, but for what is told of each with its subagents: see [`sessions_among`].
macro_rules! matching {
    () => {
        concat!(
            " s.deleted_at IS NULL AND (:agent IS NULL OR ",
            named!("s.agent", ":agent"),
            ") AND (:project IS NULL OR s.project_name = :project OR s.project_path = :project) \
             AND (:machine IS NULL OR s.machine = :machine) \
             AND (:branch IS NULL OR s.git_branch = :branch) \
             AND (:since IS NULL OR s.last_at >= :since) \
             AND (:until IS NULL OR coalesce(s.started_at, s.last_at) < :until) \
             AND (:among IS NULL OR s.session_id IN (SELECT value FROM json_each(:among))) "
        )
    };
}
pub(crate) use matching;

/// Whether a model was used in a session `s`, by itself or by its subagents.
macro_rules! used_model {
    () => {
        concat!(
            " (:model IS NULL OR EXISTS (",
            tree!("s.session_id"),
            "SELECT 1 FROM tree CROSS JOIN sessions AS t ON t.session_id = tree.id WHERE ",
            named!("t.model", ":model"),
            " OR EXISTS (SELECT 1 FROM session_usage AS u WHERE u.session_id = t.session_id AND ",
            named!("u.model", ":model"),
            "))) "
        )
    };
}

/// A session that is shown by itself: no subagent, or one whose parent is not known.
macro_rules! stands_alone {
    () => {
        " (s.parent_kind IS NOT 'subagent' OR s.parent_session = s.session_id \
          OR NOT EXISTS (SELECT 1 FROM sessions AS p WHERE p.session_id = s.parent_session \
                         AND p.deleted_at IS NULL)) "
    };
}
pub(super) use stands_alone;

const PAGE: &str = concat!(
    "SELECT ",
    session_columns!(),
    " FROM sessions AS s WHERE",
    matching!(),
    "AND",
    used_model!(),
    "AND (:all OR",
    stands_alone!(),
    ") AND s.last_at <= :last_at AND (s.last_at < :last_at OR s.session_id < :session_id) \
     ORDER BY s.last_at DESC, s.session_id DESC"
);

/// Sorts after every id.
const LAST_TEXT: &str = "~";

/// Lists sessions, the one that told of itself last first, each with its figures.
pub fn list_sessions(
    connection: &Connection,
    filter: &SessionFilter<'_>,
    after: Option<SessionCursor>,
    limit: u64,
    prices: &PriceTable,
) -> Result<SessionPage, StoreError> {
    let _snapshot = snapshot(connection)?;
    let mut statement = connection.prepare_cached(PAGE)?;
    let mut rows = statement.query(named_params! {
        ":agent": filter.agent,
        ":project": filter.project,
        ":machine": filter.machine,
        ":branch": filter.branch,
        ":model": filter.model,
        ":since": filter.since.map(Timestamp::as_millis),
        ":until": filter.until.map(Timestamp::as_millis),
        ":among": filter.among,
        ":all": filter.which == Which::All,
        ":last_at": after.map_or(i64::MAX, |cursor| cursor.last_at.as_millis()),
        ":session_id": after.map_or(LAST_TEXT.to_owned(), |cursor| cursor.session_id.to_string()),
    })?;
    let mut sessions: Vec<ListedSession> = Vec::new();
    let mut next = None;
    while let Some(row) = rows.next()? {
        let session = read_session(row)?;
        let figures = figures(connection, session.session_id, prices)?;
        if !passes(filter, &figures) {
            continue;
        }
        if sessions.len() as u64 == limit {
            next = sessions.last().map(|last| SessionCursor {
                last_at: last.session.last_at,
                session_id: last.session.session_id,
            });
            break;
        }
        sessions.push(ListedSession { session, figures });
    }
    Ok(SessionPage { sessions, next })
}

/// The ids of the sessions that a filter's model, error and cost choose, each with its subagents, as a JSON
/// array; none: it asks for none of them. A subagent's figures are those of the session that it belongs to.
pub fn sessions_among(
    connection: &Connection,
    filter: &SessionFilter<'_>,
    prices: &PriceTable,
) -> Result<Option<String>, StoreError> {
    let by_figures = SessionFilter {
        model: filter.model,
        has_error: filter.has_error,
        cost_nanos_min: filter.cost_nanos_min,
        ..SessionFilter::default()
    };
    if by_figures == SessionFilter::default() {
        return Ok(None);
    }
    let page = list_sessions(connection, &by_figures, None, u64::MAX, prices)?;
    let mut statement = connection.prepare_cached(TREE_IDS)?;
    let mut ids: Vec<String> = Vec::new();
    for listed in page.sessions {
        let tree =
            statement.query_map([listed.session.session_id.to_string()], |row| row.get(0))?;
        for id in tree {
            ids.push(id?);
        }
    }
    Ok(Some(serde_json::json!(ids).to_string()))
}

fn passes(filter: &SessionFilter<'_>, figures: &Figures) -> bool {
    let failed = figures.errors + figures.tool_errors > 0;
    filter.has_error.is_none_or(|wanted| failed == wanted)
        && filter
            .cost_nanos_min
            .is_none_or(|least| figures.cost.nanos() >= least)
}
