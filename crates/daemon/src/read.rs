//! What plugins ask about sessions. Names are those that they tell sessions by; times are milliseconds
//! since 1970, costs dollars.

mod shape;

use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use serde_json::{Value, json};
use syncline_model::Timestamp;
use syncline_replica::Replica;
use syncline_store::search::{PartFilter, SessionQuery, SnippetStyle, search_sessions};
use syncline_store::sessions::{
    Event, EventCursor, PriceTable, ResolvedSession, Session, SessionFilter, StatGroup, StatSpan,
    Which, figures, list_sessions, read_events, resolve_session, session_stats, sessions_among,
};
use syncline_store::{StoreError, TenantFile};

use crate::record::internal;
use crate::rpc::RpcError;
use crate::service::read_params;

/// The most rows of an answer, and how many there are where nobody asks for more.
const ROWS_MAX: u64 = 1_000;
const ROWS: u64 = 50;
/// After so many bytes of texts an answer ends, and names where to go on.
const TEXT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How many events are read at once.
const EVENTS: u64 = 500;

/// A method that reads.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Read {
    GetSession,
    ListSessions,
    ListMessages,
    Search,
    Stats,
}

impl Read {
    /// The method of this name; none: it reads nothing.
    pub(crate) fn named(method: &str) -> Option<Self> {
        Some(match method {
            "getSession" => Self::GetSession,
            "listSessions" => Self::ListSessions,
            "listMessages" => Self::ListMessages,
            "search" => Self::Search,
            "stats" => Self::Stats,
            _ => return None,
        })
    }
}

/// Answers what plugins ask.
#[derive(Debug)]
pub(crate) struct Reader {
    replica: Mutex<Replica>,
}

impl Reader {
    pub(crate) fn new(replica: Replica) -> Self {
        Self {
            replica: Mutex::new(replica),
        }
    }

    pub(crate) fn read(
        &self,
        read: Read,
        params: Value,
        prices: &PriceTable,
    ) -> Result<Value, RpcError> {
        crate::plugin::envelope(&params)?;
        let mut replica = self.replica.lock().unwrap_or_else(PoisonError::into_inner);
        let view = replica.view().map_err(|error| internal(&error))?;
        match read {
            Read::GetSession => get_session(view, read_params(params)?, prices),
            Read::ListSessions => list(view, &read_params(params)?, prices),
            Read::ListMessages => list_messages(view, &read_params(params)?, prices),
            Read::Search => search(view, &read_params(params)?, prices),
            Read::Stats => stats(view, &read_params(params)?, prices),
        }
    }

    /// Where the file is that holds the view.
    pub(crate) fn database(&self) -> String {
        let replica = self.replica.lock().unwrap_or_else(PoisonError::into_inner);
        replica.tenant_path().display().to_string()
    }
}

#[derive(Deserialize)]
struct GetSession {
    id: String,
    agent: Option<String>,
}

fn get_session(
    view: &TenantFile,
    params: GetSession,
    prices: &PriceTable,
) -> Result<Value, RpcError> {
    let session = find(view, &params.id, params.agent.as_deref())?;
    let figures = figures(view.connection(), session.session_id, prices).map_err(failed)?;
    Ok(json!({ "session": shape::session(&session, &figures) }))
}

/// The session that an id names.
fn find(view: &TenantFile, id: &str, agent: Option<&str>) -> Result<Session, RpcError> {
    match resolve_session(view.connection(), id, agent).map_err(failed)? {
        ResolvedSession::Found(session) => Ok(*session),
        ResolvedSession::Ambiguous(sessions) => {
            let agents: Vec<_> = sessions.iter().map(|session| &session.agent).collect();
            let error = RpcError::new(RpcError::AMBIGUOUS, "several sessions have this id");
            Err(error.with(json!({ "agents": agents })))
        }
        ResolvedSession::Unknown => Err(RpcError::new(RpcError::NO_SESSION, "no such session")),
    }
}

/// Which sessions are asked for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chosen {
    agent: Option<String>,
    project: Option<String>,
    machine: Option<String>,
    branch: Option<String>,
    model: Option<String>,
    since: Option<i64>,
    until: Option<i64>,
    has_error: Option<bool>,
}

impl Chosen {
    fn filter(&self) -> Result<SessionFilter<'_>, RpcError> {
        Ok(SessionFilter {
            agent: self.agent.as_deref(),
            project: self.project.as_deref(),
            machine: self.machine.as_deref(),
            branch: self.branch.as_deref(),
            model: self.model.as_deref(),
            since: time("since", self.since)?,
            until: time("until", self.until)?,
            has_error: self.has_error,
            cost_nanos_min: None,
            among: None,
            which: Which::Whole,
        })
    }
}

fn time(name: &str, millis: Option<i64>) -> Result<Option<Timestamp>, RpcError> {
    let time = millis.map(Timestamp::from_millis).transpose();
    time.map_err(|_| bad(format!("{name} is not a time in milliseconds since 1970")))
}

fn rows(limit: Option<u64>) -> u64 {
    limit.unwrap_or(ROWS).clamp(1, ROWS_MAX)
}

#[derive(Deserialize)]
struct ListSessions {
    #[serde(flatten)]
    chosen: Chosen,
    limit: Option<u64>,
    after: Option<String>,
}

fn list(view: &TenantFile, params: &ListSessions, prices: &PriceTable) -> Result<Value, RpcError> {
    let after = params.after.as_deref().map(str::parse).transpose();
    let after = after.map_err(|error| bad(format!("{error}")))?;
    let filter = params.chosen.filter()?;
    let limit = rows(params.limit);
    let page = list_sessions(view.connection(), &filter, after, limit, prices).map_err(failed)?;
    let sessions = page.sessions.iter();
    let sessions = sessions.map(|listed| shape::session(&listed.session, &listed.figures));
    Ok(json!({
        "sessions": sessions.collect::<Vec<_>>(),
        "next": page.next.map(|next| next.to_string()),
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListMessages {
    session_id: String,
    agent: Option<String>,
    limit: Option<u64>,
    after: Option<String>,
}

fn list_messages(
    view: &TenantFile,
    params: &ListMessages,
    prices: &PriceTable,
) -> Result<Value, RpcError> {
    let session = find(view, &params.session_id, params.agent.as_deref())?;
    let after = params.after.as_deref().map(str::parse).transpose();
    let mut after: Option<EventCursor> = after.map_err(|error| bad(format!("{error}")))?;
    let limit = usize::try_from(rows(params.limit)).unwrap_or(usize::MAX);
    let mut messages = Vec::new();
    let mut bytes = 0;
    // One event at a time counts, so that the page ends where it is full and not behind.
    loop {
        let wanted = EVENTS.min((limit - messages.len()) as u64);
        let page = read_events(
            view.connection(),
            session.session_id,
            after.as_ref(),
            wanted,
            prices,
        )
        .map_err(failed)?;
        for event in &page.events {
            if let Event::Message(message) = event {
                let parts = message.parts.iter();
                bytes += parts.map(|part| part.text.len()).sum::<usize>();
                messages.push(shape::message(&session, message));
            }
        }
        after = page.last.or(after);
        let full = messages.len() >= limit || bytes >= TEXT_BYTES_MAX;
        if full || !page.more {
            let next = after.filter(|_| page.more);
            return Ok(json!({
                "messages": messages,
                "next": next.map(|next| next.to_string()),
            }));
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Search {
    query: String,
    session_id: Option<String>,
    agent: Option<String>,
    project: Option<String>,
    kind: Option<String>,
    limit: Option<u64>,
    offset: Option<u64>,
}

fn search(view: &TenantFile, params: &Search, prices: &PriceTable) -> Result<Value, RpcError> {
    let agent = params.agent.as_deref();
    let session = params.session_id.as_deref();
    let session = session.map(|id| find(view, id, agent)).transpose()?;
    let query = SessionQuery {
        text: &params.query,
        filter: PartFilter {
            session: session.map(|session| session.session_id),
            agent,
            project: params.project.as_deref(),
            kind: params.kind.as_deref(),
            ..PartFilter::default()
        },
        limit: rows(params.limit),
        offset: params.offset.unwrap_or(0),
        snippet: SnippetStyle::Plain,
        prices,
    };
    let found = search_sessions(view.connection(), &query).map_err(failed)?;
    let results: Vec<_> = found.hits.iter().map(shape::hit).collect();
    Ok(json!({ "results": results, "total": found.total }))
}

#[derive(Deserialize)]
struct Stats {
    #[serde(flatten)]
    chosen: Chosen,
    by: Option<By>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum By {
    Day,
    Project,
    Model,
    Agent,
}

fn stats(view: &TenantFile, params: &Stats, prices: &PriceTable) -> Result<Value, RpcError> {
    let filter = params.chosen.filter()?;
    let among = sessions_among(view.connection(), &filter, prices).map_err(failed)?;
    let filter = SessionFilter {
        among: among.as_deref(),
        ..filter
    };
    let span = StatSpan {
        since: filter.since,
        until: filter.until,
        offset_minutes: 0,
    };
    let group = match params.by.unwrap_or(By::Day) {
        By::Day => StatGroup::Day,
        By::Project => StatGroup::Project,
        By::Model => StatGroup::Model,
        By::Agent => StatGroup::Agent,
    };
    let stats = session_stats(view.connection(), &filter, span, group, prices).map_err(failed)?;
    let rows: Vec<_> = stats.iter().map(shape::stat).collect();
    Ok(json!({ "rows": rows }))
}

fn bad(message: String) -> RpcError {
    RpcError::new(RpcError::INVALID_PARAMS, message)
}

fn failed(error: StoreError) -> RpcError {
    internal(&error)
}
