//! Summaries: titles of the sessions that hold the lines which they end with.
//!
//! One that becomes no title is kept nowhere: whose it is is not known, or it is of a session that is left out or was
//! deleted, and what sums that up must not stand in another.

use super::fork::Taken;
use super::{AGENT, Owner, Reader, line_key};
use crate::facts::{SessionKey, TitleRank, UnitKey, Verdict};

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
        let taken = self.known.noted(line_key(&leaf));
        let Some(taken) = taken.and_then(|note| Taken::of(&note)) else {
            self.memory.wait_for(leaf, summary);
            return Verdict::Idle;
        };
        match own == Some(taken.by) {
            true => {
                self.next_order();
                self.entitle(taken.by, &summary, TitleRank::Model);
            }
            false => self.entitle(taken.by, &summary, TitleRank::Elsewhere),
        }
        let key = UnitKey::of(&["claude-code summary", &leaf, &summary]);
        let known = self.known.noted(key).is_some();
        if !known {
            self.known.note(key, &[]);
        }
        match known {
            true => Verdict::Known,
            false => Verdict::New,
        }
    }

    /// Gives the session of a line the title that has waited for it.
    pub(super) fn entitle_by_summary(&mut self, owner: &Owner) {
        let leaf = self.line.own_uuid.as_deref();
        let leaf = leaf.or(self.line.uuid.as_deref());
        if let Some(summary) = leaf.and_then(|leaf| self.memory.summary_of(leaf)) {
            self.entitle(owner.id, &summary, TitleRank::Model);
        }
    }
}
