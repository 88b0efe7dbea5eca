//! What happened in a session, as it is answered.

use serde_json::{Value, json};
use syncline_model::session::SessionId;
use syncline_store::sessions::{
    Event, EventCursor, PriceTable, SessionPart, SessionTool, read_events,
};
use syncline_store::{StoreError, TenantFile};

use super::json::usage_json;

/// Bytes of texts at which a page ends: one event always fits.
const PAGE_BYTES: usize = 4 << 20;
/// Events that are read at a time.
const STEP: u64 = 32;

/// A page of what happened, by kind, each in order.
#[derive(Debug, Default)]
pub(super) struct EventsJson {
    pub(super) messages: Vec<Value>,
    pub(super) tools: Vec<Value>,
    pub(super) errors: Vec<Value>,
    pub(super) compactions: Vec<Value>,
    /// Lines that no importer could name.
    pub(super) raw: Vec<Value>,
    /// Of responses that are no message.
    pub(super) usage: Vec<Value>,
    /// None: these were the last.
    pub(super) next: Option<EventCursor>,
    bytes: usize,
}

/// What happened after `after`, `limit` events at most.
pub(super) fn read(
    file: &TenantFile,
    session: SessionId,
    mut after: Option<EventCursor>,
    limit: u64,
    prices: &PriceTable,
) -> Result<EventsJson, StoreError> {
    let (mut shown, mut left) = (EventsJson::default(), limit);
    loop {
        let page = read_events(
            file.connection(),
            session,
            after.as_ref(),
            left.min(STEP),
            prices,
        )?;
        left -= page.events.len() as u64;
        page.events.into_iter().for_each(|event| shown.add(event));
        if !page.more {
            return Ok(shown);
        }
        after = page.last;
        if left == 0 || shown.bytes >= PAGE_BYTES {
            shown.next = after;
            return Ok(shown);
        }
    }
}

impl EventsJson {
    fn add(&mut self, event: Event) {
        match event {
            Event::Message(message) => {
                let parts = self.parts(&message.parts);
                self.messages.push(json!({
                    "id": message.id,
                    "role": message.role,
                    "kind": message.kind,
                    "parent_id": message.parent_id,
                    "model": message.model,
                    "provider": message.provider,
                    "at": message.at,
                    "completed_at": message.completed_at,
                    "duration_ms": message.duration_ms,
                    "stop_reason": message.stop_reason,
                    "is_sidechain": message.is_sidechain,
                    "rewound": message.rewound,
                    "copied_from": message.copied_from,
                    "position": message.position,
                    "parts": parts,
                    "usage": message.usage.as_ref().map(usage_json),
                }));
            }
            Event::Tool(tool) => self.tool(&tool),
            Event::Error(error) => {
                self.bytes += error.message.as_ref().map_or(0, String::len);
                self.errors.push(json!({
                    "id": error.id,
                    "kind": error.kind,
                    "message": error.message,
                    "at": error.at,
                    "position": error.position,
                }));
            }
            Event::Compaction(compaction) => {
                self.bytes += compaction.summary.as_ref().map_or(0, String::len);
                self.compactions.push(json!({
                    "id": compaction.id,
                    "trigger": compaction.trigger,
                    "summary": compaction.summary,
                    "tokens_before": compaction.tokens_before,
                    "tokens_after": compaction.tokens_after,
                    "at": compaction.at,
                    "position": compaction.position,
                }));
            }
            Event::Raw(line) => {
                let line = self.parts(&[line]);
                self.raw.extend(line);
            }
            Event::Usage(usage) => self.usage.push(usage_json(&usage)),
        }
    }

    fn tool(&mut self, tool: &SessionTool) {
        let parts = self.parts(&tool.parts);
        let files = tool.files.iter();
        let files: Vec<Value> = files
            .map(|(path, action)| json!({"path": path, "action": action}))
            .collect();
        self.tools.push(json!({
            "id": tool.id,
            "message_id": tool.message_id,
            "name": tool.name,
            "at": tool.at,
            "completed_at": tool.completed_at,
            "duration_ms": tool.duration_ms,
            "status": tool.status,
            "success": tool.success,
            "exit_code": tool.exit_code,
            "error": tool.error,
            "files": files,
            "child_session": tool.child_session,
            "position": tool.position,
            "parts": parts,
        }));
    }

    fn parts(&mut self, parts: &[SessionPart]) -> Vec<Value> {
        self.bytes += parts.iter().map(|part| part.text.len()).sum::<usize>();
        let parts = parts.iter();
        parts
            .map(|part| {
                json!({
                    "id": part.id,
                    "kind": part.kind,
                    "text": part.text,
                    "media_type": part.media_type,
                    "reference": part.reference,
                    "position": part.position,
                })
            })
            .collect()
    }
}
