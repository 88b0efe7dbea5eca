//! What can't be read, kept as it stands.

use syncline_model::session::{SessionId, TEXT_CHARS_MAX, order_after};

use super::{Facts, Known, UnitKey, take_unit};

/// Keeps a line of a transcript; `last` is the last place that was given in the order of that. However often it is
/// met, it is one.
pub(crate) fn keep_damaged_line(
    session: SessionId,
    text: &str,
    last: &mut Option<i64>,
    facts: &mut Facts,
) {
    keep(session, &UnitKey::of(&[text]).hex(), text, last, facts);
}

/// Keeps what stands in a file or a row of this name, which is read again whenever it has changed.
pub(crate) fn keep_damaged(
    session: SessionId,
    (name, text): (&str, &str),
    last: &mut Option<i64>,
    known: &mut dyn Known,
    facts: &mut Facts,
) {
    let key = UnitKey::of(&["damaged", &session.to_string(), name]);
    if !text.trim().is_empty() && take_unit(known, key, &[text]) {
        keep(session, name, text, last, facts);
    }
}

fn keep(session: SessionId, name: &str, text: &str, last: &mut Option<i64>, facts: &mut Facts) {
    let order = order_after(*last, None);
    *last = Some(order.saturating_add((text.len() / TEXT_CHARS_MAX) as i64));
    facts.raw(session, &format!("damaged-{name}"), text, order);
}
