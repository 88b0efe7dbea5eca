//! Which session a session came from: the one that called it, or the one that it repeats.

use std::collections::HashSet;

use syncline_model::session::{SessionId, SessionPatch, words};

use super::{AGENT, Owner, Reader};
use crate::facts::{SessionKey, UnitKey, set};

impl Reader<'_, '_> {
    /// Says in a patch about a session which one it came from, as far as that is news.
    pub(super) fn about_parent(&mut self, owner: &Owner, patch: &mut SessionPatch<'static>) {
        if !owner.key.apart.is_empty() {
            if !patch.native_id.is_keep() {
                self.known.note(named(owner.id), &[]);
                let caller = self.caller_of(owner.id);
                let parent =
                    caller.unwrap_or_else(|| SessionKey::plain(&owner.key.apart).id(AGENT));
                patch.parent_session = set(&parent.to_string());
                patch.parent_kind = set(words::SUBAGENT);
            }
            return;
        }
        let named = self.origin();
        // Where nothing names it, it is whose lines a session begins with.
        let repeated = owner
            .copied_from
            .filter(|_| !self.memory.has_spoken(owner.id));
        if named.is_none() && owner.copied_from.is_none() && self.line.uuid.is_some() {
            self.memory.speak(owner.id);
        }
        if let Some(origin) = named.or(repeated).filter(|origin| *origin != owner.id)
            && self.memory.takes_origin(owner.id)
        {
            patch.parent_session = set(&origin.to_string());
            patch.parent_kind = set(words::FORK);
        }
    }

    /// The subagent that a call of `owner` has started.
    pub(super) fn called(&mut self, owner: &Owner, agent: &str) -> SessionId {
        // Subagents of subagents, too, are told apart by the session that all of them are of.
        let whole = match owner.key.apart.as_str() {
            "" => &owner.key.native,
            apart => apart,
        };
        let key = SessionKey {
            native: agent.to_owned(),
            apart: whole.to_owned(),
        };
        let child = key.id(AGENT);
        if !owner.key.apart.is_empty() && !self.is_above(child, owner.id) {
            self.is_called(owner.id, child);
        }
        child
    }

    /// Whether a subagent is another one, or has called it, or who called that: it can't be called by it, and
    /// both would be nobody's.
    fn is_above(&mut self, agent: SessionId, other: SessionId) -> bool {
        let mut next = Some(other);
        // Earlier builds have noted some that call themselves.
        let mut seen = HashSet::new();
        while let Some(below) = next.filter(|below| seen.insert(*below)) {
            if below == agent {
                return true;
            }
            next = self.caller_of(below);
        }
        false
    }

    /// Which subagent is noted to have called a subagent.
    fn caller_of(&mut self, agent: SessionId) -> Option<SessionId> {
        let caller = self.known.noted(called_by(agent))?;
        std::str::from_utf8(&caller).ok()?.parse().ok()
    }

    /// Says that a subagent was called by another: its own lines name no more than the session of both.
    fn is_called(&mut self, caller: SessionId, child: SessionId) {
        let caller = caller.to_string();
        self.known.note(called_by(child), caller.as_bytes());
        if self.known.noted(named(child)).is_some() {
            let patch = SessionPatch {
                parent_session: set(&caller),
                parent_kind: set(words::SUBAGENT),
                ..SessionPatch::default()
            };
            self.facts.decide(child, patch);
        }
    }
}

/// The key under which it is noted which subagent has called a subagent.
fn called_by(child: SessionId) -> UnitKey {
    UnitKey::of(&["claude-code called by", &child.to_string()])
}

/// The key under which it is noted that a subagent has lines of its own.
fn named(subagent: SessionId) -> UnitKey {
    UnitKey::of(&["claude-code subagent", &subagent.to_string()])
}
