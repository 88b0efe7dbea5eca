//! What single pieces say, as far as rules and marks go by it.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::de::IgnoredAny;
use syncline_model::Timestamp;
use syncline_model::session::{Change, Part, Piece, words};

use crate::facts::{Fact, QUEUED};
use crate::privacy::{is_marked, is_marked_within};
use crate::prompt::is_said;

/// Whether the mark stands in a part. What can't be named of a prompt is JSON, as its agent wrote it.
pub(super) fn has_mark(part: &Part<'_>) -> bool {
    let is_json = |text: &str| serde_json::from_str::<IgnoredAny>(text).is_ok();
    let text = &*part.text;
    is_marked(text) || (part.kind == words::RAW && is_marked_within(text) && is_json(text))
}

/// Whether somebody speaks or acts in a piece. What a person has queued nobody has heard yet.
pub(super) fn speaks(piece: &Piece<'_>) -> bool {
    match piece {
        Piece::Message(patch) => !matches!(&patch.kind, Change::Set(kind) if *kind == QUEUED),
        Piece::Tool(_) | Piece::Error(_) | Piece::Compaction(_) | Piece::Usage(_) => true,
        Piece::Session(_) | Piece::Part(_) | Piece::Link(_) => false,
    }
}

/// Whether facts of a session have anything of what a person and an agent say to each other: titles are not, nor what the
/// model is told first, nor a person's commands about the agent itself.
pub(in crate::import) fn is_anything_said<'f>(facts: impl IntoIterator<Item = &'f Fact>) -> bool {
    let is =
        |field: &Change<Cow<'_, str>>, word: &str| matches!(field, Change::Set(set) if set == word);
    let mut asked = HashSet::new();
    let mut pieces = facts.into_iter().map(|fact| &fact.piece);
    pieces.any(|piece| match piece {
        Piece::Message(patch) if is(&patch.kind, "meta") || is(&patch.role, "system") => false,
        Piece::Message(patch) if is(&patch.role, words::USER) => {
            asked.insert(&patch.id);
            false
        }
        Piece::Part(part) if asked.contains(&part.message_id) => {
            part.kind != words::TEXT || is_said(&part.text)
        }
        Piece::Message(_) | Piece::Tool(_) | Piece::Error(_) => true,
        Piece::Compaction(_) | Piece::Usage(_) => true,
        Piece::Session(_) | Piece::Part(_) | Piece::Link(_) => false,
    })
}

/// When a piece was said.
pub(super) fn time_of(piece: &Piece<'_>) -> Option<Timestamp> {
    let set = |times: [&Change<Timestamp>; 2]| {
        times.into_iter().find_map(|time| match time {
            Change::Set(at) => Some(*at),
            Change::Keep | Change::Clear => None,
        })
    };
    match piece {
        Piece::Message(patch) => set([&patch.at, &patch.completed_at]),
        Piece::Tool(patch) => set([&patch.at, &patch.completed_at]),
        Piece::Error(patch) => set([&patch.at, &patch.at]),
        Piece::Compaction(patch) => set([&patch.at, &patch.at]),
        Piece::Usage(usage) => usage.at,
        Piece::Session(_) | Piece::Part(_) | Piece::Link(_) => None,
    }
}
