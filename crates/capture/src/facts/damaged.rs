//! What can't be read, kept as it stands.

use syncline_model::session::{SessionId, TEXT_CHARS_MAX, order_after};

use super::{Facts, Known, UnitKey, take_unit};

/// What the ids of parts begin with that could not be read.
const DAMAGED: &str = "damaged-";

/// What the digest of what stood there comes behind in such an id. What was taken back once is not kept again under
/// the same id, and may be torn again with other words.
const DIGEST: char = '@';

/// What was kept of a session as it stood, in a file or a row that is written anew in its place.
pub(crate) struct Kept {
    session: SessionId,
    /// The ids of the parts.
    parts: Vec<String>,
}

impl Kept {
    pub(crate) fn of(session: SessionId, known: &mut dyn Known) -> Self {
        Self {
            session,
            parts: known.kept_raw(session),
        }
    }

    /// Takes back what was kept of the thing of this kind and id, as it is told now; whether anything was.
    pub(crate) fn take_back(&self, kind: &str, id: &str, facts: &mut Facts) -> bool {
        let from = facts.0.len();
        for part in &self.parts {
            let name = part.strip_prefix(DAMAGED).unwrap_or(part);
            let behind = name
                .strip_prefix(kind)
                .and_then(|behind| behind.strip_prefix(id));
            // A long text is kept in pieces.
            if behind.is_some_and(|behind| behind.is_empty() || behind.starts_with([DIGEST, '+'])) {
                facts.take_back_raw(self.session, part);
            }
        }
        facts.0.len() > from
    }
}

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
        let name = format!("{name}{DIGEST}{}", UnitKey::of(&[text]).hex());
        keep(session, &name, text, last, facts);
    }
}

fn keep(session: SessionId, name: &str, text: &str, last: &mut Option<i64>, facts: &mut Facts) {
    let order = order_after(*last, None);
    *last = Some(order.saturating_add((text.len() / TEXT_CHARS_MAX) as i64));
    facts.raw(session, &format!("{DAMAGED}{name}"), text, order);
}
