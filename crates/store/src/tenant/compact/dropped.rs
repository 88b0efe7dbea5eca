//! What the log remembers of the ops that it drops.

use std::collections::HashMap;

use rusqlite::Connection;
use syncline_model::OpKey;
use syncline_model::planted::{Defect, is_planted};

use crate::file::StoreError;

/// What one step has dropped, for the log's memory of it.
#[derive(Debug, Default)]
pub(super) struct Dropped {
    pub(super) ops: u64,
    /// The highest dropped clock by `actor \0 scope \0 resource`, none of which has a null in it.
    pruned: HashMap<String, i64>,
    /// The last such key, for its memory.
    key: String,
}

impl Dropped {
    pub(super) fn note(&mut self, key: &OpKey) {
        let clock = key.clock.get() as i64;
        let scope = key.scope.as_str();
        self.note_parts(scope, key.resource.as_str(), key.actor.as_str(), clock);
    }

    pub(super) fn note_parts(&mut self, scope: &str, resource: &str, actor: &str, clock: i64) {
        self.ops += 1;
        self.key.clear();
        for part in [actor, "\0", scope, "\0", resource] {
            self.key.push_str(part);
        }
        match self.pruned.get_mut(&self.key) {
            Some(highest) => *highest = clock.max(*highest),
            None => _ = self.pruned.insert(self.key.clone(), clock),
        }
    }

    /// How many clocks there are to be remembered.
    pub(super) fn clocks(&self) -> usize {
        self.pruned.len()
    }

    /// Writes down which keys count as taken.
    pub(super) fn remember(&self, connection: &Connection) -> Result<(), StoreError> {
        if is_planted(Defect::ForgetPruned) {
            return Ok(());
        }
        let mut statement = connection.prepare_cached(
            "INSERT INTO pruned (actor, scope, resource_id, clock) VALUES (?, ?, ?, ?) \
             ON CONFLICT (actor, scope, resource_id) DO UPDATE SET clock = max(clock, excluded.clock)",
        )?;
        let mut pruned: Vec<_> = self.pruned.iter().collect();
        pruned.sort_unstable();
        for (key, clock) in pruned {
            let mut parts = key.splitn(3, '\0');
            let (actor, scope, resource) = (parts.next(), parts.next(), parts.next());
            statement.execute((actor, scope, resource, clock))?;
        }
        Ok(())
    }
}
