//! Files that are one value.

use syncline_model::session::order_after;

use super::{Memory, Reader, enter_named};
use crate::facts::{Facts, Kept, Known, Verdict, keep_damaged, time_of};
use crate::import::Tally;
use crate::value::{Held, text};

/// Reads a file that is one value.
pub(crate) fn read_whole(
    bytes: &[u8],
    memory: &mut Memory,
    known: &mut dyn Known,
    facts: &mut Facts,
    tally: &mut Tally<'_>,
) {
    let held = Held::of_bytes(bytes);
    if held.mended {
        tally.mended("", None);
    }
    let value = match held.value {
        Ok(value) => value,
        Err(fault) => {
            tally.count(Verdict::Damaged(fault), None);
            if let Some(session) = enter_named(session_in(&held.text), memory, known, facts) {
                let last = &mut memory.order;
                keep_damaged(session, ("file", &held.text), last, known, facts);
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
        && Kept::of(session, reader.known).take_back("file", "", reader.facts)
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

/// The session that a text which can't be read names.
fn session_in(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("\"sessionId\"")?;
    let rest = rest.trim_start().strip_prefix(':')?;
    let mut values = serde_json::Deserializer::from_str(rest).into_iter();
    values.next()?.ok()
}
