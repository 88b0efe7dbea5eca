//! Lines of users and of the model.

use serde_json::value::RawValue;
use syncline_model::session::{
    ErrorPatch, FileTouch, MessagePatch, Part, Piece, SessionPatch, ToolPatch, words,
};

use super::line::{Block, Content, FilesOfInput, Message, Spent, ToolUseResult};
use super::output::{is_failure, output_of, reference_of, words_of};
use super::{Owner, Reader, copied};
use crate::facts::{TitleRank, Verdict, action_of_tool, owned, set, set_some};
use crate::prompt::{is_told, title_of};

/// What the model's name is where a line was not written by one.
const NO_MODEL: &str = "<synthetic>";

impl<'l> Reader<'_, 'l> {
    pub(super) fn spoken(mut self) -> Verdict {
        let message: Option<Message<'l>> = self
            .line
            .message
            .and_then(|raw| serde_json::from_str(raw.get()).ok());
        let Some(mut message) = message else {
            return self.unknown();
        };
        let Some(content) = message.content.take() else {
            return self.unknown();
        };
        let Some(key) = self.session() else {
            return Verdict::Damaged("it names no session".to_owned());
        };
        let said = match self.line.kind.as_deref() {
            Some("assistant") => self.response(&message),
            _ => self.line.uuid.as_deref().unwrap_or_default().to_owned(),
        };
        let owner = self.take(key, Some(&said));
        self.about_session(&owner);
        let understood = match self.line.kind.as_deref() {
            Some("assistant") => self.answered(&owner, &message, &content),
            _ => self.asked(&owner, &content),
        };
        owner.verdict(match understood {
            true => Verdict::New,
            false => Verdict::NotUnderstood,
        })
    }

    /// What tells a response from all others of its session.
    fn response(&self, message: &Message<'_>) -> String {
        let uuid = self.line.uuid.as_deref().unwrap_or_default();
        match (&message.id, &self.line.request_id) {
            (Some(id), Some(request)) => format!("{id}:{request}"),
            (Some(id), None) => id.to_string(),
            (None, _) => uuid.to_owned(),
        }
    }

    /// Says what the model has answered; whether all of it is understood.
    fn answered(&mut self, owner: &Owner, message: &Message<'l>, content: &Content<'l>) -> bool {
        let response = self.response(message);
        let (order, at) = (self.next_order(), self.at());
        let model = message.model.as_deref().filter(|model| *model != NO_MODEL);
        let mut patch = MessagePatch {
            id: owned(&response),
            stop_reason: set_some(message.stop_reason.as_deref()),
            completed_at: at.into(),
            ..MessagePatch::default()
        };
        if self.memory.begins(&response) {
            patch.role = set(words::ASSISTANT);
            patch.parent_id = set_some(self.line.parent_uuid.as_deref());
            patch.model = set_some(model);
            patch.at = at.into();
            patch.response_id = set(&response);
            patch.is_sidechain = self.line.is_sidechain.filter(|is| *is).into();
            patch.copied_from = copied(owner);
            patch.order = Some(order).into();
            self.memory.said(owner, &response, None);
        }
        self.facts.message(owner.id, patch);
        if let Some(model) = model
            && self.memory.takes_model(owner.id, model)
        {
            let patch = SessionPatch {
                model: set(model),
                ..SessionPatch::default()
            };
            self.facts.session(owner.id, patch);
        }
        let spent = self.spent(owner, message, &response, order);
        self.failed(owner, content, &response, order);
        self.contents(owner, &response, content) && spent
    }

    /// What the response has used up to this line, if that can be read; else it is kept as it stands. Snapshots
    /// grow, and the last one counts.
    fn spent(&mut self, owner: &Owner, message: &Message<'_>, response: &str, order: i64) -> bool {
        let Some(raw) = message.usage else {
            return true;
        };
        let spent = match Spent::of(raw) {
            Ok(Some(spent)) => spent,
            Ok(None) => return true,
            Err(raw) => {
                let id = format!("{}.usage", self.line.uuid.as_deref().unwrap_or(response));
                self.facts.raw(owner.id, &id, raw, order);
                return false;
            }
        };
        // A message that no model wrote was paid for by nobody.
        let model = message.model.as_deref();
        if model == Some(NO_MODEL) || !self.memory.takes_usage(response, &spent) {
            return true;
        }
        self.counts(owner, response);
        let mut usage = spent.usage();
        usage.id = owned(response);
        usage.order = order;
        usage.message_id = Some(owned(response));
        usage.model = model.map(owned);
        usage.at = self.at();
        usage.copied = owner.copied_from.is_some();
        self.facts.say(owner.id, Piece::Usage(usage));
        true
    }

    fn failed(&mut self, owner: &Owner, content: &Content<'_>, response: &str, order: i64) {
        if self.line.is_api_error_message != Some(true) {
            return;
        }
        let error = ErrorPatch {
            id: owned(self.line.uuid.as_deref().unwrap_or(response)),
            kind: set("api_error"),
            message: set_some(texts(content).next()),
            message_id: set(response),
            at: self.at().into(),
            copied_from: copied(owner),
            order: Some(order).into(),
        };
        self.facts.say(owner.id, Piece::Error(error));
    }

    /// Says what stands where a person speaks; whether all of it is understood.
    fn asked(&mut self, owner: &Owner, content: &Content<'l>) -> bool {
        let (order, at) = (self.next_order(), self.at());
        let results =
            matches!(content, Content::Blocks(blocks) if blocks.iter().any(Block::is_result));
        let speaks = match content {
            Content::Text(_) => true,
            Content::Blocks(blocks) => !blocks.iter().all(Block::is_result),
        };
        let id = self.line.uuid.as_deref().unwrap_or_default().to_owned();
        if speaks {
            let kind = if self.line.is_compact_summary == Some(true) {
                Some("summary")
            } else if self.line.is_meta == Some(true) || results || is_all_told(content) {
                Some("meta")
            } else {
                None
            };
            let patch = MessagePatch {
                id: owned(&id),
                role: set(words::USER),
                kind: set_some(kind),
                parent_id: set_some(self.line.parent_uuid.as_deref()),
                at: at.into(),
                is_sidechain: self.line.is_sidechain.filter(|is| *is).into(),
                copied_from: copied(owner),
                order: Some(order).into(),
                ..MessagePatch::default()
            };
            if kind.is_none() {
                self.went_back(owner, &id);
            }
            let after = self.line.parent_uuid.as_deref();
            let after = after.filter(|_| kind.is_none());
            self.memory.said(owner, &id, after);
            self.leave_queue(owner, content);
            self.facts.message(owner.id, patch);
            if kind.is_none()
                && let Some(title) = texts(content).find_map(title_of)
            {
                self.entitle(owner.id, &title, TitleRank::Prompt);
            }
        }
        self.contents(owner, &id, content)
    }

    /// Says what a person has taken back with this prompt: it follows the line that an earlier one followed.
    /// One that follows none takes nothing back: so begins also what was resumed or cleared.
    fn went_back(&mut self, owner: &Owner, prompt: &str) {
        let Some(after) = self.line.parent_uuid.as_deref() else {
            return;
        };
        for id in self.memory.go_back(owner.id, prompt, after) {
            let patch = MessagePatch {
                id: id.into(),
                rewound: Some(true).into(),
                ..MessagePatch::default()
            };
            self.facts.message(owner.id, patch);
        }
    }

    /// Says what a content holds; whether all of it is understood.
    pub(super) fn contents(&mut self, owner: &Owner, message: &str, content: &Content<'l>) -> bool {
        let blocks = match content {
            Content::Text(text) => {
                self.text(owner, message, 0, words::TEXT, text);
                return true;
            }
            Content::Blocks(blocks) => blocks,
        };
        let mut understood = true;
        for (place, block) in blocks.iter().enumerate() {
            if self.block(owner, message, place, block).is_none() {
                self.unnamed(owner, message, place, block);
                understood = false;
            }
        }
        understood
    }

    /// Says what a block holds; none: it is of no kind that is known, or has not what its kind must have.
    fn block(
        &mut self,
        owner: &Owner,
        message: &str,
        place: usize,
        block: &Block<'l>,
    ) -> Option<()> {
        match block.kind.as_deref() {
            Some("text") => self.text(owner, message, place, words::TEXT, block.text.as_deref()?),
            Some("thinking") => {
                let text = block.thinking.as_deref()?;
                self.text(owner, message, place, words::THINKING, text);
            }
            // What is hidden from us too.
            Some("redacted_thinking") => self.text(owner, message, place, words::THINKING, ""),
            Some("image" | "document") => return self.image(owner, message, place, block),
            Some(_) if block.is_call() => return self.call(owner, message, block),
            Some(_) if block.is_result() => return self.result(owner, block),
            _ => return None,
        }
        Some(())
    }

    /// Keeps a block as it stands: with its message, which one of results alone does not make.
    fn unnamed(&mut self, owner: &Owner, message: &str, place: usize, block: &Block<'l>) {
        if !block.is_result() {
            return self.text(owner, message, place, words::RAW, block.raw);
        }
        let order = self.next_order();
        self.facts
            .raw(owner.id, &self.part_id(place), block.raw, order);
        self.leave_room(block.raw);
    }

    /// The id of a part: lines of one response each begin at place 0.
    fn part_id(&self, place: usize) -> String {
        format!("{}.{place}", self.line.uuid.as_deref().unwrap_or_default())
    }

    fn text(&mut self, owner: &Owner, message: &str, place: usize, kind: &'static str, text: &str) {
        let part = Part {
            message_id: owned(message),
            id: self.part_id(place).into(),
            kind: kind.into(),
            order: self.next_order(),
            text: owned(text),
            ..Part::default()
        };
        self.facts.part(owner.id, part);
        self.leave_room(text);
    }

    fn image(
        &mut self,
        owner: &Owner,
        message: &str,
        place: usize,
        block: &Block<'_>,
    ) -> Option<()> {
        let source = block.source.as_ref()?;
        let reference = reference_of(source);
        let said = words_of(block);
        if reference.is_none() && said.is_empty() {
            return None;
        }
        let is_image = block.kind.as_deref() == Some("image");
        let part = Part {
            message_id: owned(message),
            id: self.part_id(place).into(),
            kind: if is_image { words::IMAGE } else { words::FILE }.into(),
            order: self.next_order(),
            media_type: source.media_type.as_deref().map(owned),
            reference: reference.map(Into::into),
            text: owned(&said),
            ..Part::default()
        };
        self.facts.part(owner.id, part);
        self.leave_room(&said);
        Some(())
    }

    fn call(&mut self, owner: &Owner, message: &str, block: &Block<'_>) -> Option<()> {
        let (order, at) = (self.next_order(), self.at());
        let id = block.id.as_deref()?;
        let name = block.name.as_deref().unwrap_or_default();
        let input = block.input.map(RawValue::get).unwrap_or_default();
        if let Some(at) = at {
            self.memory.begin_call(id, at);
        }
        let patch = ToolPatch {
            id: owned(id),
            message_id: set(message),
            name: set(name),
            at: at.into(),
            files: files(name, input).into(),
            copied_from: copied(owner),
            order: Some(order).into(),
            ..ToolPatch::default()
        };
        self.facts.tool(owner.id, patch);
        let input = input.to_owned();
        self.facts
            .tool_text(owner.id, id, words::TOOL_INPUT, input, order);
        Some(())
    }

    fn result(&mut self, owner: &Owner, block: &Block<'_>) -> Option<()> {
        let (order, at) = (self.next_order(), self.at());
        let id = block.tool_use_id.as_deref()?;
        let about = self.line.tool_use_result.and_then(ToolUseResult::of);
        let told = about
            .as_ref()
            .and_then(|about| about.duration_ms.or(about.total_duration_ms));
        let measured = at.and_then(|at| self.memory.end_call(id, at));
        let failed = block.is_error == Some(true) || block.content.is_some_and(is_failure);
        let output = block.content.map(output_of).unwrap_or_default();
        let child = about.as_ref().and_then(|about| about.agent_id.as_deref());
        let child = child.map(|agent| self.called(owner, agent).to_string());
        let patch = ToolPatch {
            id: owned(id),
            completed_at: at.into(),
            duration_ms: told.or(measured).into(),
            success: Some(!failed).into(),
            error: set_some(failed.then_some(output.as_str())),
            child_session: set_some(child.as_deref()),
            ..ToolPatch::default()
        };
        self.facts.tool(owner.id, patch);
        self.facts
            .tool_text(owner.id, id, words::TOOL_OUTPUT, output, order);
        Some(())
    }
}

pub(super) fn texts<'c>(content: &'c Content<'_>) -> impl Iterator<Item = &'c str> {
    let (text, blocks) = match content {
        Content::Text(text) => (Some(&**text), &[][..]),
        Content::Blocks(blocks) => (None, blocks.as_slice()),
    };
    let blocks = blocks.iter().filter_map(|block| block.text.as_deref());
    text.into_iter().chain(blocks)
}

/// Whether nothing of a content was said by a person, though it stands where one speaks.
fn is_all_told(content: &Content<'_>) -> bool {
    let is_text = |block: &Block<'_>| block.kind.as_deref() == Some("text") && block.text.is_some();
    let only_texts = match content {
        Content::Text(_) => true,
        Content::Blocks(blocks) => !blocks.is_empty() && blocks.iter().all(is_text),
    };
    only_texts && texts(content).all(is_told)
}

/// The files that a call names.
fn files(name: &str, input: &str) -> Option<Vec<FileTouch<'static>>> {
    let action = action_of_tool(name)?;
    let input: FilesOfInput<'_> = serde_json::from_str(input).ok()?;
    let path = input.file_path.or(input.notebook_path)?;
    Some(vec![FileTouch {
        path: owned(&path),
        action: action.into(),
    }])
}
