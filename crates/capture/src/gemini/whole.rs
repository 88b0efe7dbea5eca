//! Files that are one value.

use syncline_model::session::order_after;

use super::{Memory, Reader, enter_named};
use crate::facts::{Facts, Kept, Known, Verdict, keep_damaged, time_of};
use crate::import::Tally;
use crate::privacy::is_marked_within;
use crate::value::{Held, text, text_in_torn};

/// What the name of a file stands behind that is kept as it stands.
const FILE: &str = "file/";

/// Reads a file that is one value.
pub(crate) fn read_whole(
    bytes: &[u8],
    memory: &mut Memory,
    known: &mut dyn Known,
    facts: &mut Facts,
    tally: &mut Tally<'_>,
) {
    let held = Held::of_bytes(bytes);
    // A session may have several files.
    let file = tally.path.file_stem().unwrap_or_default();
    let file = file.to_string_lossy();
    if held.mended {
        tally.mended("", None);
    }
    let value = match held.value {
        Ok(value) => value,
        Err(fault) => {
            tally.count(Verdict::Damaged(fault), None);
            // Which of its prompts is marked can't be read: all of it may be what is not to be kept.
            if held.text.trim().is_empty() || is_marked_within(&held.text) {
                return;
            }
            known.found_torn();
            let native = text_in_torn(&held.text, "sessionId");
            if let Some(session) = enter_named(native, memory, known, facts) {
                let last = &mut memory.order;
                let name = format!("{FILE}{file}");
                keep_damaged(session, (&name, &held.text), last, known, facts);
            }
            return;
        }
    };
    let from = facts.0.len();
    let mut reader = Reader {
        memory,
        known,
        facts,
    };
    for message in value["messages"].as_array().into_iter().flatten() {
        reader.locate(message);
    }
    let verdict = reader.header(&value);
    tally.count(verdict, None);
    if let Some(session) = reader.session()
        && Kept::of(session, reader.known).take_back(FILE, &file, reader.facts)
    {
        tally.count(Verdict::New, None);
    }
    for message in value["messages"].as_array().into_iter().flatten() {
        let verdict = reader.message(message);
        tally.count(verdict, None);
    }
    let updated = time_of(text(&value, &["lastUpdated"]));
    let order = updated.map(|at| order_after(None, Some(at)));
    facts.come_up_to(from, order);
}
