//! Summaries: titles of the sessions that hold the lines which they end with. One that becomes no title is kept in
//! the session of its file.

use serde_json::json;
use syncline_model::session::{SessionId, TEXT_CHARS_MAX, order_after};

use super::fork::Taken;
use super::line::Line;
use super::{AGENT, Memory, Owner, Reader, line_key};
use crate::facts::{Facts, Known, SessionKey, TitleRank, UnitKey, Verdict};

/// What is noted of a summary that is a title, or was kept. Of others earlier builds have noted that they were met.
const KEPT: &[u8] = b"kept";

impl Reader<'_, '_> {
    /// A summary names the last line of what it sums up, which may be in another session.
    pub(super) fn summary(mut self) -> Verdict {
        // Before any line has named its session, the file does.
        let of_file = self.memory.file.as_deref().map(SessionKey::plain);
        let own = self.session().or(of_file).map(|key| key.id(AGENT));
        let (Some(summary), Some(leaf)) = (&self.line.summary, &self.line.leaf_uuid) else {
            return self.unknown();
        };
        let (summary, leaf) = (summary.to_string(), leaf.to_string());
        let key = key_of(&leaf, &summary);
        let known = self.known.noted(key).is_some();
        let said_before = self.facts.0.len();
        let taken = self.known.noted(line_key(&leaf));
        let taken = taken.and_then(|note| Taken::of(&note));
        match &taken {
            Some(taken) if own == Some(taken.by) => {
                self.next_order();
                self.entitle(taken.by, &summary, TitleRank::Model);
            }
            Some(taken) => self.entitle(taken.by, &summary, TitleRank::Elsewhere),
            None => {}
        }
        // What another file calls a session may give way to what that is called by itself, or by a person.
        let is_elsewhere = taken.is_some_and(|taken| own != Some(taken.by));
        let is_title = self.facts.0.len() > said_before && !is_elsewhere;
        if !known {
            self.known.note(key, if is_title { KEPT } else { &[] });
        }
        if !is_title && let Some((leaf, summary)) = self.memory.wait_for(leaf, summary) {
            keep(&leaf, &summary, self.memory, self.known, self.facts);
        }
        match known {
            true => Verdict::Known,
            false => Verdict::New,
        }
    }

    /// Gives the session of a line the title that has waited for it.
    pub(super) fn entitle_by_summary(&mut self, owner: &Owner) {
        let leaf = self.line.own_uuid.as_deref();
        let Some(leaf) = leaf.or(self.line.uuid.as_deref()) else {
            return;
        };
        let Some(summary) = self.memory.summary_of(leaf) else {
            return;
        };
        let leaf = leaf.to_owned();
        let said_before = self.facts.0.len();
        self.entitle(owner.id, &summary, TitleRank::Model);
        if self.facts.0.len() > said_before && !owner.known {
            self.memory.take_summary(Some(&leaf));
            self.known.note(key_of(&leaf, &summary), KEPT);
        }
    }
}

/// Keeps the summaries that have become no title: a line that is not in the file is of another one.
pub(crate) fn end(memory: &mut Memory, known: &mut dyn Known, facts: &mut Facts) {
    while let Some((leaf, summary)) = memory.take_summary(None) {
        keep(&leaf, &summary, memory, known, facts);
    }
}

/// Keeps a summary, once among all files that hold it.
fn keep(leaf: &str, summary: &str, memory: &mut Memory, known: &mut dyn Known, facts: &mut Facts) {
    let key = key_of(leaf, summary);
    if known.noted(key).as_deref() == Some(KEPT) {
        return;
    }
    // For what has been offered to another session as its title no session is made.
    let session = match known.noted(line_key(leaf)) {
        Some(_) => memory.named(),
        None => session_of_file(memory, facts),
    };
    let Some(session) = session else {
        return;
    };
    known.note(key, KEPT);
    let text = json!({"type": "summary", "summary": summary, "leafUuid": leaf}).to_string();
    let order = order_after(memory.order, None);
    memory.order = Some(order.saturating_add((text.len() / TEXT_CHARS_MAX) as i64));
    facts.raw(session, &format!("summary-{}", key.hex()), &text, order);
}

/// The session that the lines of a file have told of, or that its name tells.
fn session_of_file(memory: &mut Memory, facts: &mut Facts) -> Option<SessionId> {
    if let Some(named) = memory.named() {
        return Some(named);
    }
    let key = SessionKey::plain(memory.file.as_deref()?);
    let session = key.id(AGENT);
    let patch = memory.envelope(session, &key, &Line::default());
    facts.session(session, patch);
    Some(session)
}

fn key_of(leaf: &str, summary: &str) -> UnitKey {
    UnitKey::of(&["claude-code summary", leaf, summary])
}
