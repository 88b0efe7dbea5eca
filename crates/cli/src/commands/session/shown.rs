//! A session as `--json` tells it.

use serde::Serialize;
use syncline_model::Timestamp;
use syncline_model::session::SessionId;
use syncline_store::sessions::{Cost, Figures, ListedSession, Session, SessionLink, Tokens};

/// A session and its figures; names and meanings are those of the SQL view `sessions`, but for `session_id`,
/// which is `resource_id` there.
#[derive(Debug, Serialize)]
pub(super) struct SessionShown {
    pub(super) session_id: SessionId,
    pub(super) id: Option<String>,
    pub(super) agent: Option<String>,
    agent_version: Option<String>,
    pub(super) title: Option<String>,
    project_name: Option<String>,
    project_path: Option<String>,
    machine: Option<String>,
    model: Option<String>,
    provider: Option<String>,
    status: Option<String>,
    /// The agent, as in the views.
    source: Option<String>,
    /// Where it ran.
    channel: Option<String>,
    git_branch: Option<String>,
    git_commit: Option<String>,
    cwd: Option<String>,
    parent_session: Option<String>,
    parent_kind: Option<String>,
    started_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    #[serde(flatten)]
    figures: FiguresShown,
}

#[derive(Debug, Serialize)]
struct FiguresShown {
    message_count: u64,
    prompt_count: u64,
    tool_call_count: u64,
    tool_error_count: u64,
    error_count: u64,
    compaction_count: u64,
    subagent_count: u64,
    #[serde(flatten)]
    tokens: TokensShown,
    #[serde(flatten)]
    cost: CostShown,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct TokensShown {
    input_tokens: u64,
    output_tokens: u64,
    cache_read_tokens: u64,
    cache_write_tokens: u64,
    cache_write_5m_tokens: u64,
    cache_write_1h_tokens: u64,
    reasoning_tokens: u64,
}

impl From<Tokens> for TokensShown {
    fn from(tokens: Tokens) -> Self {
        Self {
            input_tokens: tokens.input,
            output_tokens: tokens.output,
            cache_read_tokens: tokens.cache_read,
            cache_write_tokens: tokens.cache_write_5m + tokens.cache_write_1h,
            cache_write_5m_tokens: tokens.cache_write_5m,
            cache_write_1h_tokens: tokens.cache_write_1h,
            reasoning_tokens: tokens.reasoning,
        }
    }
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct CostShown {
    /// Dollars; null where nothing is known of any cost.
    cost: Option<f64>,
    cost_source: Option<&'static str>,
    /// How many responses have neither a reported cost nor a known price.
    unpriced_responses: u64,
}

impl From<Cost> for CostShown {
    fn from(cost: Cost) -> Self {
        let source = cost.source();
        Self {
            cost: source.map(|_| cost.nanos() as f64 / 1e9),
            cost_source: source.map(|source| source.as_str()),
            unpriced_responses: cost.unpriced,
        }
    }
}

impl From<ListedSession> for SessionShown {
    fn from(listed: ListedSession) -> Self {
        Self::new(listed.session, listed.figures)
    }
}

impl SessionShown {
    pub(super) fn new(session: Session, figures: Figures) -> Self {
        let updated_at = session.told_at();
        Self {
            session_id: session.session_id,
            id: session.native_id,
            source: session.agent.clone(),
            agent: session.agent,
            agent_version: session.agent_version,
            title: session.title,
            project_name: session.project_name,
            project_path: session.project_path,
            machine: session.machine,
            model: session.model,
            provider: session.provider,
            status: session.status,
            channel: session.source,
            git_branch: session.git_branch,
            git_commit: session.git_commit,
            cwd: session.cwd,
            parent_session: session.parent_session,
            parent_kind: session.parent_kind,
            started_at: session.started_at,
            updated_at,
            ended_at: session.ended_at,
            figures: FiguresShown {
                message_count: figures.messages,
                prompt_count: figures.prompts,
                tool_call_count: figures.tool_calls,
                tool_error_count: figures.tool_errors,
                error_count: figures.errors,
                compaction_count: figures.compactions,
                subagent_count: figures.subagents,
                tokens: figures.tokens.into(),
                cost: figures.cost.into(),
            },
        }
    }
}

/// A link from a session to something else.
#[derive(Debug, Serialize)]
pub(super) struct LinkShown {
    kind: String,
    target: String,
    note: Option<String>,
}

impl From<SessionLink> for LinkShown {
    fn from(link: SessionLink) -> Self {
        Self {
            kind: link.kind,
            target: link.target,
            note: link.note,
        }
    }
}
