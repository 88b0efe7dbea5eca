//! Many pieces of a session put together into few ops.

use serde::Serialize;

use super::ops::{PATCH_CLOSE, PATCH_OPEN};
use super::precedence::Precedence;
use super::{
    CompactionPatch, ErrorPatch, LinkPatch, MessagePatch, Part, SessionPatch, ToolPatch, Usage,
};
use crate::{Payload, PayloadError};

/// How large a payload of a batch grows, in bytes of JSON, unless one piece alone is larger. Large
/// enough that an op's own cost is small beside its content's, small enough that a page holds several.
pub const CHUNK_BYTES: usize = 256 * 1024;
/// The longest text of a part, in characters. Whatever they are, its payload is no larger than one
/// may be.
pub const TEXT_CHARS_MAX: usize = 100_000;

/// One thing that is said of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    Session(Box<SessionPatch<'a>>),
    Message(MessagePatch<'a>),
    Part(Part<'a>),
    Tool(Box<ToolPatch<'a>>),
    Usage(Usage<'a>),
    Error(ErrorPatch<'a>),
    Compaction(CompactionPatch<'a>),
    Link(LinkPatch<'a>),
}

const NAMES: [&str; 7] = [
    "messages",
    "parts",
    "tools",
    "usage",
    "errors",
    "compactions",
    "links",
];

/// Pieces of one session on their way into payloads. Each is written as JSON once.
#[must_use = "what was pushed last is had from `finish`"]
#[derive(Debug, Default)]
pub struct Batch {
    precedence: Precedence,
    session: String,
    lists: [String; NAMES.len()],
}

impl Batch {
    /// A batch of pieces that all weigh so much.
    pub fn of(precedence: Precedence) -> Self {
        Self {
            precedence,
            ..Self::default()
        }
    }

    /// Adds a piece; gives the payload of those before it, where that would grow too large with it.
    pub fn push(&mut self, piece: &Piece<'_>) -> Result<Option<Payload>, PayloadError> {
        let (list, text) = match piece {
            Piece::Session(piece) => (None, json(piece)?),
            Piece::Message(piece) => (Some(0), json(piece)?),
            Piece::Part(piece) => (Some(1), json(piece)?),
            Piece::Tool(piece) => (Some(2), json(piece)?),
            Piece::Usage(piece) => (Some(3), json(piece)?),
            Piece::Error(piece) => (Some(4), json(piece)?),
            Piece::Compaction(piece) => (Some(5), json(piece)?),
            Piece::Link(piece) => (Some(6), json(piece)?),
        };
        let is_second_session = list.is_none() && !self.session.is_empty();
        let full = match is_second_session || self.len() + text.len() > CHUNK_BYTES {
            true => std::mem::replace(self, Self::of(self.precedence)).finish()?,
            false => None,
        };
        match list {
            None => self.session = text,
            Some(list) => {
                let list = &mut self.lists[list];
                if !list.is_empty() {
                    list.push(',');
                }
                list.push_str(&text);
            }
        }
        Ok(full)
    }

    /// The payload of what is left; none if nothing is.
    pub fn finish(self) -> Result<Option<Payload>, PayloadError> {
        if self.len() == 0 {
            return Ok(None);
        }
        let mut text = String::with_capacity(self.len() + 256);
        text.push_str(PATCH_OPEN);
        text.push('{');
        match self.precedence {
            Precedence::Unknown => {}
            Precedence::UpTo(order) => text.push_str(&format!(r#""upTo":{order}"#)),
            Precedence::Decided => text.push_str(r#""decided":true"#),
        }
        if !self.session.is_empty() {
            if !text.ends_with('{') {
                text.push(',');
            }
            text.push_str(r#""session":"#);
            text.push_str(&self.session);
        }
        let lists = NAMES.iter().zip(&self.lists);
        for (name, list) in lists.filter(|(_, list)| !list.is_empty()) {
            if !text.ends_with('{') {
                text.push(',');
            }
            text.push('"');
            text.push_str(name);
            text.push_str("\":[");
            text.push_str(list);
            text.push(']');
        }
        text.push('}');
        text.push_str(PATCH_CLOSE);
        Payload::within_limits(&text).map(Some)
    }

    fn len(&self) -> usize {
        let lists = self.lists.iter().map(String::len);
        self.session.len() + lists.sum::<usize>()
    }
}

fn json(piece: &impl Serialize) -> Result<String, PayloadError> {
    serde_json::to_string(piece).map_err(PayloadError::Syntax)
}

/// Cuts a text into pieces of at most [`TEXT_CHARS_MAX`] characters; an empty one is one piece.
pub fn pieces_of_text(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        // No character has more than four bytes: most texts are short enough at a glance.
        let cut = match text.len() <= TEXT_CHARS_MAX {
            true => None,
            false => text.char_indices().nth(TEXT_CHARS_MAX).map(|(at, _)| at),
        };
        let (piece, behind) = text.split_at(cut.unwrap_or(text.len()));
        rest = cut.map(|_| behind);
        Some(piece)
    })
}
