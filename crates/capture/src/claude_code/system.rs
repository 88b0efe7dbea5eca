//! Lines of the agent itself.

use serde_json::value::RawValue;
use syncline_model::session::{CompactionPatch, ErrorPatch, MessagePatch, Piece, words};

use super::line::Attachment;
use super::{Owner, Reader, copied};
use crate::facts::{Verdict, owned, set, set_some};

impl Reader<'_, '_> {
    pub(super) fn system(mut self) -> Verdict {
        let told = self.line.content.map(RawValue::get);
        let told: Option<String> = told.and_then(|raw| serde_json::from_str(raw).ok());
        match (self.line.subtype.as_deref(), &told) {
            (Some("compact_boundary" | "api_error"), _) => {}
            (Some("local_command" | "informational"), Some(_)) => {}
            (Some("turn_duration" | "stop_hook_summary" | "microcompact_boundary"), _) => {
                return Verdict::Idle;
            }
            _ => return self.unknown(),
        }
        let order = self.next_order();
        let Some(key) = self.session() else {
            return Verdict::Damaged("it names no session".to_owned());
        };
        let owner = self.take(key, None);
        self.about_session(&owner);
        match self.line.subtype.as_deref() {
            Some("compact_boundary") => self.compacted(&owner, order),
            Some("api_error") => self.not_served(&owner, order),
            _ => {
                let kind = self.line.subtype.as_deref().unwrap_or_default().to_owned();
                self.told(&owner, order, ("system", &kind), &told.unwrap_or_default());
            }
        }
        owner.verdict(Verdict::New)
    }

    fn compacted(&mut self, owner: &Owner, order: i64) {
        let about = self.line.compact_metadata.as_ref();
        let patch = CompactionPatch {
            id: owned(self.line.uuid.as_deref().unwrap_or_default()),
            trigger: set_some(about.and_then(|about| about.trigger.as_deref())),
            tokens_before: about.and_then(|about| about.pre_tokens).into(),
            at: self.at().into(),
            copied_from: copied(owner),
            order: Some(order).into(),
            ..CompactionPatch::default()
        };
        self.facts.say(owner.id, Piece::Compaction(patch));
    }

    fn not_served(&mut self, owner: &Owner, order: i64) {
        let patch = ErrorPatch {
            id: owned(self.line.uuid.as_deref().unwrap_or_default()),
            kind: set("api_error"),
            message: set_some(self.line.error_text().as_deref()),
            at: self.at().into(),
            copied_from: copied(owner),
            order: Some(order).into(),
            ..ErrorPatch::default()
        };
        self.facts.say(owner.id, Piece::Error(patch));
    }

    /// What a person has typed while the model worked. It may come into the turn under way, and be told by no other
    /// line; where one does, that one counts.
    pub(super) fn queued(self) -> Verdict {
        let text = self.line.content.map(RawValue::get);
        let text = text.and_then(|raw| serde_json::from_str::<String>(raw).ok());
        match (self.line.operation.as_deref(), text) {
            (Some("enqueue"), Some(text)) => self.prompted(&text),
            _ => Verdict::Idle,
        }
    }

    /// What was put beside a conversation: of newer versions what was queued, too.
    pub(super) fn attached(self) -> Verdict {
        let attachment = self.line.attachment.map(RawValue::get);
        let attachment: Option<Attachment<'_>> =
            attachment.and_then(|raw| serde_json::from_str(raw).ok());
        match attachment {
            Some(Attachment {
                kind: Some(kind),
                prompt: Some(prompt),
            }) if kind == "queued_command" => self.prompted(&prompt),
            _ => self.unknown(),
        }
    }

    fn prompted(mut self, text: &str) -> Verdict {
        let order = self.next_order();
        let Some(key) = self.session() else {
            return self.unknown();
        };
        let owner = self.take(key, None);
        self.about_session(&owner);
        self.told(&owner, order, (words::USER, "queued"), text);
        owner.verdict(Verdict::New)
    }

    /// Says what is a message of neither a person's turn nor a model's: a command of the agent's that a person has
    /// typed, and what it printed; a remark; a prompt in a queue.
    fn told(&mut self, owner: &Owner, order: i64, (role, kind): (&str, &str), text: &str) {
        let id = match self.line.uuid.as_deref() {
            Some(uuid) => uuid.to_owned(),
            None => self.nameless(&owner.key, owner.id).hex(),
        };
        let patch = MessagePatch {
            id: owned(&id),
            role: set(role),
            kind: set(kind),
            parent_id: set_some(self.line.parent_uuid.as_deref()),
            at: self.at().into(),
            is_sidechain: self.line.is_sidechain.filter(|is| *is).into(),
            copied_from: copied(owner),
            order: Some(order).into(),
            ..MessagePatch::default()
        };
        self.memory.said(owner, &id, None);
        self.facts.message(owner.id, patch);
        self.text(owner, &id, 0, words::TEXT, text);
    }
}
