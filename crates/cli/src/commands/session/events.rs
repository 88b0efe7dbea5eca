//! What happened in a session, as `--json` tells it and as it is read page by page.

use serde::Serialize;
use syncline_model::Timestamp;
use syncline_model::session::SessionId;
use syncline_store::TenantFile;
use syncline_store::sessions::{
    Event, PriceTable, SessionCompaction, SessionError, SessionMessage, SessionPart, SessionTool,
    SessionUsage, read_events,
};

use super::shown::{CostShown, TokensShown};

use crate::failure::Outcome;

/// How many events are in memory at once.
const PAGE_EVENTS: u64 = 200;

/// Passes on all that happened in a session, first things first.
pub(super) fn each_event(
    view: &TenantFile,
    session: SessionId,
    prices: &PriceTable,
    mut with: impl FnMut(&Event) -> Outcome,
) -> Outcome {
    let mut after = None;
    loop {
        let page = read_events(
            view.connection(),
            session,
            after.as_ref(),
            PAGE_EVENTS,
            prices,
        )?;
        page.events.iter().try_for_each(&mut with)?;
        if !page.more {
            return Ok(());
        }
        after = page.last;
    }
}

/// Something that happened; `type` tells what.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum EventShown<'a> {
    Message(MessageShown<'a>),
    Tool(ToolShown<'a>),
    Error(ErrorShown<'a>),
    Compaction(CompactionShown<'a>),
    Raw(PartShown<'a>),
    /// Of a response that is no message.
    Usage(UsageShown<'a>),
}

#[derive(Debug, Serialize)]
pub(super) struct MessageShown<'a> {
    id: &'a str,
    role: Option<&'a str>,
    kind: Option<&'a str>,
    parent_id: Option<&'a str>,
    model: Option<&'a str>,
    provider: Option<&'a str>,
    at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
    duration_ms: Option<i64>,
    stop_reason: Option<&'a str>,
    is_sidechain: bool,
    rewound: bool,
    copied_from: Option<&'a str>,
    position: i64,
    parts: Vec<PartShown<'a>>,
    usage: Option<UsageShown<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct UsageShown<'a> {
    id: &'a str,
    model: Option<&'a str>,
    provider: Option<&'a str>,
    at: Option<Timestamp>,
    position: i64,
    #[serde(flatten)]
    tokens: TokensShown,
    #[serde(flatten)]
    cost: CostShown,
    copied: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct PartShown<'a> {
    id: &'a str,
    kind: &'a str,
    text: &'a str,
    media_type: Option<&'a str>,
    reference: Option<&'a str>,
    position: i64,
}

#[derive(Debug, Serialize)]
pub(super) struct ToolShown<'a> {
    id: &'a str,
    message_id: Option<&'a str>,
    name: Option<&'a str>,
    at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
    duration_ms: Option<i64>,
    status: Option<&'a str>,
    success: Option<bool>,
    exit_code: Option<i64>,
    error: Option<&'a str>,
    files: Vec<FileShown<'a>>,
    child_session: Option<&'a str>,
    position: i64,
    parts: Vec<PartShown<'a>>,
}

#[derive(Debug, Serialize)]
struct FileShown<'a> {
    path: &'a str,
    action: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct ErrorShown<'a> {
    id: &'a str,
    kind: Option<&'a str>,
    message: Option<&'a str>,
    at: Option<Timestamp>,
    position: i64,
}

#[derive(Debug, Serialize)]
pub(super) struct CompactionShown<'a> {
    id: &'a str,
    trigger: Option<&'a str>,
    summary: Option<&'a str>,
    tokens_before: Option<i64>,
    tokens_after: Option<i64>,
    at: Option<Timestamp>,
    position: i64,
}

impl<'a> From<&'a Event> for EventShown<'a> {
    fn from(event: &'a Event) -> Self {
        match event {
            Event::Message(message) => Self::Message(message.into()),
            Event::Tool(tool) => Self::Tool(tool.into()),
            Event::Error(error) => Self::Error(error.into()),
            Event::Compaction(compaction) => Self::Compaction(compaction.into()),
            Event::Raw(line) => Self::Raw(line.into()),
            Event::Usage(usage) => Self::Usage(usage.into()),
        }
    }
}

fn parts(parts: &[SessionPart]) -> Vec<PartShown<'_>> {
    parts.iter().map(PartShown::from).collect()
}

impl<'a> From<&'a SessionPart> for PartShown<'a> {
    fn from(part: &'a SessionPart) -> Self {
        Self {
            id: &part.id,
            kind: &part.kind,
            text: &part.text,
            media_type: part.media_type.as_deref(),
            reference: part.reference.as_deref(),
            position: part.position,
        }
    }
}

impl<'a> From<&'a SessionMessage> for MessageShown<'a> {
    fn from(message: &'a SessionMessage) -> Self {
        Self {
            id: &message.id,
            role: message.role.as_deref(),
            kind: message.kind.as_deref(),
            parent_id: message.parent_id.as_deref(),
            model: message.model.as_deref(),
            provider: message.provider.as_deref(),
            at: message.at,
            completed_at: message.completed_at,
            duration_ms: message.duration_ms,
            stop_reason: message.stop_reason.as_deref(),
            is_sidechain: message.is_sidechain,
            rewound: message.rewound,
            copied_from: message.copied_from.as_deref(),
            position: message.position,
            parts: parts(&message.parts),
            usage: message.usage.as_ref().map(UsageShown::from),
        }
    }
}

impl<'a> From<&'a SessionUsage> for UsageShown<'a> {
    fn from(usage: &'a SessionUsage) -> Self {
        Self {
            id: &usage.id,
            model: usage.model.as_deref(),
            provider: usage.provider.as_deref(),
            at: usage.at,
            position: usage.position,
            tokens: usage.tokens.into(),
            cost: usage.cost.into(),
            copied: usage.copied,
        }
    }
}

impl<'a> From<&'a SessionTool> for ToolShown<'a> {
    fn from(tool: &'a SessionTool) -> Self {
        let files = tool.files.iter();
        Self {
            id: &tool.id,
            message_id: tool.message_id.as_deref(),
            name: tool.name.as_deref(),
            at: tool.at,
            completed_at: tool.completed_at,
            duration_ms: tool.duration_ms,
            status: tool.status.as_deref(),
            success: tool.success,
            exit_code: tool.exit_code,
            error: tool.error.as_deref(),
            files: files
                .map(|(path, action)| FileShown { path, action })
                .collect(),
            child_session: tool.child_session.as_deref(),
            position: tool.position,
            parts: parts(&tool.parts),
        }
    }
}

impl<'a> From<&'a SessionError> for ErrorShown<'a> {
    fn from(error: &'a SessionError) -> Self {
        Self {
            id: &error.id,
            kind: error.kind.as_deref(),
            message: error.message.as_deref(),
            at: error.at,
            position: error.position,
        }
    }
}

impl<'a> From<&'a SessionCompaction> for CompactionShown<'a> {
    fn from(compaction: &'a SessionCompaction) -> Self {
        Self {
            id: &compaction.id,
            trigger: compaction.trigger.as_deref(),
            summary: compaction.summary.as_deref(),
            tokens_before: compaction.tokens_before,
            tokens_after: compaction.tokens_after,
            at: compaction.at,
            position: compaction.position,
        }
    }
}
