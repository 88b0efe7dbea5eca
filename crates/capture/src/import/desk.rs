//! What readers ask about units, and what is noted of them.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use syncline_model::Timestamp;
use syncline_model::session::SessionId;
use syncline_replica::{Replica, ReplicaError};
use syncline_store::local::ImportedUnit;

use super::adopted::Adopted;
use super::ahead::Behind;
use super::rest::has_rested;
use super::run::Sink;
use crate::agent::Agent;
use crate::facts::{Known, Reading, UnitKey};
use crate::gemini::digest_of;

/// What a run remembers between its batches.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    /// What was noted and is not yet in the replica.
    pub(super) noted: HashMap<UnitKey, Vec<u8>>,
    /// Whether the replica knew any session when the run began.
    pub(super) any_known: bool,
    /// Sessions of which nothing was known when this run came to them.
    pub(super) begun: HashSet<SessionId>,
    /// Sessions of which something was.
    pub(super) met: HashSet<SessionId>,
    /// Sessions that are known as others.
    pub(super) adopted: Adopted,
    /// What may be on its way into the replica.
    pub(super) behind: Behind,
    /// Directories that rules of the user name.
    pub(super) named: Vec<String>,
    /// Those, and the ones that sessions are known to have worked in, by their digests; none: nobody has
    /// asked yet.
    pub(super) directories: Option<HashMap<String, String>>,
}

impl Remembered {
    /// Whether all that is known of a session is what this run has read of it.
    pub(super) fn is_begun(
        &mut self,
        replica: &Replica,
        session: SessionId,
    ) -> Result<bool, ReplicaError> {
        if self.begun.contains(&session) {
            return Ok(true);
        }
        if self.met.contains(&session) {
            return Ok(false);
        }
        let is_known = self.any_known && replica.has_session(session)?;
        match is_known {
            true => self.met.insert(session),
            false => self.begun.insert(session),
        };
        Ok(!is_known)
    }
}

/// Where something that was read begins in its batch.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Since {
    pub(super) fact: usize,
    pub(super) unit: usize,
}

impl Since {
    pub(super) fn of(sink: &Sink<'_, '_>) -> Self {
        Self {
            fact: sink.facts.0.len(),
            unit: sink.desk.units.len(),
        }
    }
}

/// Answers readers from the replica, and from what this run has noted.
pub(super) struct Desk<'r> {
    pub(super) replica: &'r Replica,
    pub(super) remembered: &'r mut Remembered,
    /// What this batch notes.
    pub(super) units: Vec<ImportedUnit>,
    /// The keys of those that were noted with something of a session.
    pub(super) whose: HashMap<SessionId, Vec<[u8; 16]>>,
    /// How the file is read that is read now.
    pub(super) reading: Reading,
    /// Whether it is damaged as a whole.
    pub(super) torn: bool,
    /// Whether a file that is read with it is damaged, and may be whole in a moment.
    pub(super) settles: bool,
    /// Where what may be taken back of it begins.
    pub(super) since: Since,
    pub(super) failed: Option<ReplicaError>,
}

impl Desk<'_> {
    /// Forgets what was noted since there were `length` units: what it stands for is not taken.
    pub(super) fn forget_since(&mut self, length: usize) {
        for unit in self.units.drain(length..) {
            self.remembered.noted.remove(&UnitKey(unit.key));
        }
    }

    /// Says that what was noted since there were `length` units was noted with something of a session.
    pub(super) fn noted_for(&mut self, session: SessionId, length: usize) {
        let keys = self.units[length..].iter().map(|unit| unit.key);
        self.whose.entry(session).or_default().extend(keys);
    }

    /// Forgets what this batch has noted with something of a session, of which nothing is taken.
    pub(super) fn forget_all_of(&mut self, session: SessionId) {
        let Some(keys) = self.whose.remove(&session) else {
            return;
        };
        let keys: HashSet<_> = keys.into_iter().collect();
        let is_of_it = |unit: &ImportedUnit| keys.contains(&unit.key);
        let before = self.units[..self.since.unit].iter();
        self.since.unit -= before.filter(|unit| is_of_it(unit)).count();
        self.units.retain(|unit| !is_of_it(unit));
        for key in keys {
            self.remembered.noted.remove(&UnitKey(key));
        }
    }

    pub(super) fn asked<T>(&mut self, answer: Result<T, ReplicaError>) -> Option<T> {
        answer.map_err(|error| self.failed = Some(error)).ok()
    }
}

impl Known for Desk<'_> {
    fn noted(&mut self, key: UnitKey) -> Option<Vec<u8>> {
        let Remembered { noted, behind, .. } = &*self.remembered;
        if let Some(note) = noted.get(&key).or_else(|| behind.noted(&key)) {
            return Some(note.clone());
        }
        let note = self.replica.imported_unit(&key.0);
        self.asked(note).flatten()
    }

    fn note(&mut self, key: UnitKey, note: &[u8]) {
        self.remembered.noted.insert(key, note.to_owned());
        self.units.push(ImportedUnit {
            key: key.0,
            note: note.to_owned(),
        });
    }

    fn origin(&mut self, session: SessionId, message: &str) -> Option<Option<SessionId>> {
        let session = self.known_as(session);
        let begun = self.remembered.is_begun(self.replica, session);
        if self.asked(begun)? {
            return None;
        }
        self.remembered.behind.wait_for(&session);
        let origin = self.replica.origin_of_message(session, message);
        self.asked(origin).flatten()
    }

    fn found_torn(&mut self) {
        self.torn = true;
    }

    fn is_settling(&mut self, path: &Path) -> bool {
        let written = std::fs::metadata(path).and_then(|file| file.modified());
        let settles = !has_rested(written.ok(), self.now());
        self.settles |= settles;
        settles
    }

    fn now(&self) -> Timestamp {
        self.replica.now()
    }

    fn reading(&self) -> Reading {
        self.reading
    }

    fn directory_of(&mut self, digest: &str) -> Option<String> {
        if self.remembered.directories.is_none() {
            self.remembered.behind.wait_for_all();
            let known = self.replica.session_directories();
            let known = self.asked(known)?.into_iter();
            let all = known.chain(self.remembered.named.iter().cloned());
            let by_digest = all.map(|directory| (digest_of(&directory), directory));
            self.remembered.directories = Some(by_digest.collect());
        }
        self.remembered.directories.as_ref()?.get(digest).cloned()
    }

    fn is_fork_of(&mut self, fork: SessionId, origin: SessionId) -> bool {
        let (fork, origin) = (self.known_as(fork), self.known_as(origin));
        let forked_from = self.replica.session_forked_from(fork);
        self.asked(forked_from)
            .is_some_and(|sessions| sessions.contains(&origin))
    }

    fn kept_raw(&mut self, session: SessionId) -> Vec<String> {
        let session = self.known_as(session);
        self.remembered.behind.wait_for(&session);
        let kept = self.replica.own_raw_parts(session);
        self.asked(kept).unwrap_or_default()
    }

    fn is_deleted(&mut self, session: SessionId) -> bool {
        let session = self.known_as(session);
        let deleted = self.replica.is_session_deleted(session);
        self.asked(deleted).unwrap_or(false)
    }

    fn said_first(&mut self, agent: Agent, message: &str) -> Option<SessionId> {
        if !self.remembered.any_known {
            return None;
        }
        let said = self.replica.session_that_said(agent.as_str(), message);
        let said = self.asked(said).flatten()?;
        let own = self.own_id(said);
        self.asked(own)
    }
}
