//! Lines of the agent itself.

use serde_json::value::RawValue;
use syncline_model::session::{
    Change, CompactionPatch, ErrorPatch, MessagePatch, Part, Piece, words,
};

use super::line::{Attachment, Content};
use super::speech::texts;
use super::{Owner, Reader, copied};
use crate::facts::{QUEUED, TitleRank, UnitKey, Verdict, owned, set, set_some};
use crate::prompt::{is_told, title_of};

impl<'l> Reader<'_, 'l> {
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
                let told = Content::Text(told.unwrap_or_default().into());
                self.told(&owner, order, ("system", Some(&kind)), &told);
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
        let Some(content) = self.line.content else {
            return Verdict::Idle;
        };
        if self.line.operation.as_deref() != Some("enqueue") {
            return Verdict::Idle;
        }
        match serde_json::from_str(content.get()) {
            Ok(content) => self.prompted(Some(QUEUED), &content),
            Err(_) => self.unknown(),
        }
    }

    /// What was put beside a conversation: of newer versions what was queued, too, and came into a turn.
    pub(super) fn attached(self) -> Verdict {
        let attachment = self.line.attachment.map(RawValue::get);
        let attachment: Option<Attachment<'l>> =
            attachment.and_then(|raw| serde_json::from_str(raw).ok());
        match attachment {
            Some(Attachment {
                kind: Some(kind),
                command_mode,
                prompt: Some(prompt),
            }) if kind == "queued_command" => {
                let is_told = self.line.is_meta == Some(true) || texts(&prompt).all(is_told);
                let kind = match command_mode.as_deref() {
                    None => Some(QUEUED),
                    Some("prompt") if !is_told => None,
                    Some(_) => Some("meta"),
                };
                self.prompted(kind, &prompt)
            }
            _ => self.unknown(),
        }
    }

    fn prompted(mut self, kind: Option<&str>, content: &Content<'l>) -> Verdict {
        let order = self.next_order();
        let Some(key) = self.session() else {
            return self.unknown();
        };
        let owner = self.take(key, None);
        self.about_session(&owner);
        let is_queued = self.line.operation.is_some();
        if !is_queued {
            self.leave_queue(&owner, content);
        }
        let said = self.facts.0.len();
        let understood = self.told(&owner, order, (words::USER, kind), content);
        if is_queued {
            self.memory
                .queue(owner.id, digest_of(content), &self.facts.0[said..]);
        }
        if kind.is_none()
            && let Some(title) = texts(content).find_map(title_of)
        {
            self.entitle(owner.id, &title, TitleRank::Prompt);
        }
        owner.verdict(match understood {
            true => Verdict::New,
            false => Verdict::NotUnderstood,
        })
    }

    /// Says that what was queued is no more told by the line of the queue: this line tells it.
    pub(super) fn leave_queue(&mut self, owner: &Owner, content: &Content<'_>) {
        if !self.memory.has_queue(owner.id) {
            return;
        }
        let parts = self.memory.leave_queue(owner.id, &digest_of(content));
        for (message, part) in parts {
            let part = Part {
                message_id: message.into(),
                id: part.into(),
                kind: words::TEXT.into(),
                order: self.memory.order.unwrap_or_default(),
                removed: true,
                ..Part::default()
            };
            self.facts.part(owner.id, part);
        }
    }

    /// Says what is a message of neither a person's turn nor a model's: a command of the agent's that a person has
    /// typed, and what it printed; a remark; a prompt in a queue, or out of one. Whether all of it is understood.
    fn told(
        &mut self,
        owner: &Owner,
        order: i64,
        (role, kind): (&str, Option<&str>),
        content: &Content<'l>,
    ) -> bool {
        let id = match self.line.uuid.as_deref() {
            Some(uuid) => uuid.to_owned(),
            None => self.nameless(&owner.key, owner.id).hex(),
        };
        let patch = MessagePatch {
            id: owned(&id),
            role: set(role),
            // An earlier build may have told one, such as that it is queued.
            kind: kind.map_or(Change::Clear, set),
            parent_id: set_some(self.line.parent_uuid.as_deref()),
            at: self.at().into(),
            is_sidechain: self.line.is_sidechain.filter(|is| *is).into(),
            copied_from: copied(owner),
            order: Some(order).into(),
            ..MessagePatch::default()
        };
        self.memory.said(owner, &id, None);
        self.facts.message(owner.id, patch);
        self.contents(owner, &id, content)
    }
}

/// What is known of a content in the queue, without a word of it.
fn digest_of(content: &Content<'_>) -> String {
    let texts: Vec<_> = texts(content).collect();
    UnitKey::of(&texts).hex()
}
