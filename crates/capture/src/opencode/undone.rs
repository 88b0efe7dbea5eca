//! What a person has undone. OpenCode deletes it once something else is said in its place, and writes down
//! nothing of it: it is known by what was read before.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use syncline_model::session::{MessagePatch, SessionId};

use crate::facts::{Facts, Known, UnitKey, Verdict};
use crate::import::Tally;

/// The messages of a session by their ids, which ascend, as they are noted.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    said: BTreeSet<String>,
    undone: BTreeSet<String>,
}

/// Takes back what was read of a session and is there no more, of which `here` has all messages. What it lacks
/// behind the last of them was not undone: an older copy of the session lacks that, too. Nor does such a copy
/// bring back what has been undone.
pub(super) fn take_back(
    session: SessionId,
    here: BTreeSet<String>,
    known: &mut dyn Known,
    facts: &mut Facts,
    tally: &mut Tally<'_>,
) {
    let key = UnitKey::of(&["opencode messages", &session.to_string()]);
    let note = known.noted(key);
    let before = note.as_deref().map_or(Ok(Told::default()), |note| {
        serde_json::from_slice::<Told>(note)
    });
    let before = before.unwrap_or_else(|error| {
        let cause = format!("which messages were there is noted unreadably: {error}");
        tally.count(Verdict::Damaged(cause), None);
        Told::default()
    });
    let last = here.last().cloned().unwrap_or_default();
    let mut now = Told {
        undone: before.undone,
        said: here,
    };
    for id in before.said {
        if now.said.contains(&id) {
            continue;
        }
        if id > last {
            now.said.insert(id);
            continue;
        }
        let patch = MessagePatch {
            id: id.clone().into(),
            rewound: Some(true).into(),
            ..MessagePatch::default()
        };
        facts.message(session, patch);
        tally.count(Verdict::New, None);
        now.undone.insert(id);
    }
    now.said.retain(|id| !now.undone.contains(id));
    let now = serde_json::to_vec(&now).expect("texts are written as JSON");
    if note.is_none_or(|note| note != now) {
        known.note(key, &now);
    }
}
