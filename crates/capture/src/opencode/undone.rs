//! What a person has undone. OpenCode deletes it once something else is said in its place, and writes down
//! nothing of it: it is known by what was read before.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use syncline_model::session::{MessagePatch, SessionId};
use syncline_redact::read_json;

use crate::facts::{Facts, Known, UnitKey, Verdict};
use crate::import::Tally;
use crate::value::text;

/// The messages of a session by their ids, which ascend, as they are noted of where they were read.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    said: BTreeSet<String>,
    undone: BTreeSet<String>,
}

/// What a reading of a session finds of its messages.
pub(super) struct Found<'f> {
    /// Where it was read. A copy elsewhere tells nothing of what was undone here.
    pub(super) path: &'f Path,
    /// The messages that are there.
    pub(super) here: BTreeSet<String>,
    /// The first of those that are hidden, which a person may still have back.
    pub(super) hidden_from: Option<String>,
}

impl Found<'_> {
    /// Whether a message that was there was undone since. What is lacking behind the last one was not: where a
    /// session was put back as it was earlier, that is lacking, too.
    fn lacks(&self, id: &String) -> bool {
        let is_hidden = self.hidden_from.as_ref().is_some_and(|from| id >= from);
        is_hidden || (!self.here.contains(id) && self.here.last().is_some_and(|last| id < last))
    }
}

/// Takes back what was undone since the session was read there, and brings back what is there again.
pub(super) fn take_back(
    session: SessionId,
    found: Found<'_>,
    known: &mut dyn Known,
    facts: &mut Facts,
    tally: &mut Tally<'_>,
) {
    let place = found.path.to_string_lossy();
    let key = UnitKey::of(&["opencode messages at", &place, &session.to_string()]);
    let note = known.noted(key);
    let before = note.as_deref().map_or(Ok(Told::default()), |note| {
        serde_json::from_slice::<Told>(note)
    });
    let before = before.unwrap_or_else(|error| {
        let cause = format!("which messages were there is noted unreadably: {error}");
        tally.count(Verdict::Damaged(cause), None);
        Told::default()
    });
    let mut now = Told::default();
    let said = before.said.union(&before.undone).chain(&found.here);
    for id in said.collect::<BTreeSet<_>>() {
        let was_undone = before.undone.contains(id);
        let is_undone = found.lacks(id) || (was_undone && !found.here.contains(id));
        let told = match is_undone {
            true => &mut now.undone,
            false => &mut now.said,
        };
        told.insert(id.clone());
        if !is_undone && !was_undone {
            continue;
        }
        let patch = MessagePatch {
            id: id.clone().into(),
            rewound: Some(is_undone).into(),
            ..MessagePatch::default()
        };
        facts.message(session, patch);
        if is_undone != was_undone {
            tally.count(Verdict::New, None);
        }
    }
    let now = serde_json::to_vec(&now).expect("texts are written as JSON");
    if note.is_none_or(|note| note != now) {
        known.note(key, &now);
    }
}

/// The first message of a session that is hidden since a person went back behind it: until something else
/// is said, they may have it back. Where it was kept in part, the one after it.
pub(super) fn hidden_from(session: &Value) -> Option<String> {
    let revert = match session.get("revert")? {
        Value::String(text) => &read_json::<Value>(text.as_bytes()).ok()?,
        revert => revert,
    };
    let from = text(revert, &["messageID"])?;
    Some(match text(revert, &["partID"]) {
        // Sorts right behind it.
        Some(_) => format!("{from}\0"),
        None => from.to_owned(),
    })
}
