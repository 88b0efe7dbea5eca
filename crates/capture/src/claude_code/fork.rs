//! Lines that a fork repeats, and that its origin has said.

use std::borrow::Cow;

use syncline_model::session::{
    CompactionPatch, ErrorPatch, MessagePatch, Piece, SessionId, ToolPatch, Usage,
};

use crate::facts::{Fact, Facts, set};

/// For which session a line was taken, as it is noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) by: SessionId,
    /// The session that it was repeated from, where that was not read yet: it is taken for that one then.
    pub(super) until: Option<SessionId>,
}

impl Taken {
    pub(super) fn by(session: SessionId) -> Self {
        Self {
            by: session,
            until: None,
        }
    }

    pub(super) fn of(note: &[u8]) -> Option<Self> {
        let mut ids = std::str::from_utf8(note).ok()?.split(' ');
        Some(Self {
            by: ids.next()?.parse().ok()?,
            until: ids.next().and_then(|id| id.parse().ok()),
        })
    }

    pub(super) fn note(&self) -> Vec<u8> {
        let until = self.until.map(|until| format!(" {until}"));
        format!("{}{}", self.by, until.unwrap_or_default()).into_bytes()
    }
}

/// Says of what was said since `from` that a fork has it from there: it has counted for the fork.
pub(super) fn give_way(fork: SessionId, from: usize, facts: &mut Facts) {
    let copies = facts.0[from..].iter().filter_map(copy_of);
    let copies: Vec<_> = copies.collect();
    for piece in copies {
        facts.say(fork, piece);
    }
}

/// What makes a copy of a thing; none: it counts for nobody.
fn copy_of(fact: &Fact) -> Option<Piece<'static>> {
    let copied_from = set(&fact.session.to_string());
    let id = |id: &Cow<'static, str>| id.clone();
    Some(match &fact.piece {
        Piece::Message(message) => Piece::Message(MessagePatch {
            id: id(&message.id),
            copied_from,
            ..MessagePatch::default()
        }),
        Piece::Tool(call) if !call.name.is_keep() => Piece::Tool(Box::new(ToolPatch {
            id: id(&call.id),
            copied_from,
            ..ToolPatch::default()
        })),
        Piece::Error(error) => Piece::Error(ErrorPatch {
            id: id(&error.id),
            copied_from,
            ..ErrorPatch::default()
        }),
        Piece::Compaction(compaction) => Piece::Compaction(CompactionPatch {
            id: id(&compaction.id),
            copied_from,
            ..CompactionPatch::default()
        }),
        Piece::Usage(usage) => Piece::Usage(Usage {
            copied: true,
            ..usage.clone()
        }),
        Piece::Tool(_) | Piece::Session(_) | Piece::Part(_) | Piece::Link(_) => return None,
    })
}
