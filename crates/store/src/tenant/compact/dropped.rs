//! What the log remembers of the ops that it drops, and of the tombstones that it collects.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};
use syncline_model::compaction::folds_onto_seen;
use syncline_model::planted::{Defect, is_planted};
use syncline_model::{OpKey, Payload};

use crate::file::StoreError;
use crate::tenant::requests::REQUEST_ACTOR;
use crate::view::View;

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

/// Whether compaction counts this key as taken: by its actor, or as that of one of the requests which are no longer
/// told apart.
pub(in crate::tenant) fn is_pruned(
    connection: &Connection,
    key: &OpKey,
) -> Result<bool, StoreError> {
    let actor = key.actor.as_str();
    let of_any = actor.starts_with(REQUEST_ACTOR).then_some(REQUEST_ACTOR);
    let clock: Option<i64> = connection
        .prepare_cached(
            "SELECT max(clock) FROM pruned WHERE actor IN (?, ?) AND scope = ? AND resource_id = ?",
        )?
        .query_row(
            (actor, of_any, key.scope.as_str(), key.resource.as_str()),
            |row| row.get(0),
        )?;
    Ok(clock.is_some_and(|clock| key.clock.get() <= clock as u64))
}

/// The highest clock among the collected tombstones of the op's resource; 0: there are none.
pub(in crate::tenant) fn collected_clock(
    connection: &Connection,
    key: &OpKey,
) -> Result<u64, StoreError> {
    let clock = connection
        .prepare_cached("SELECT clock FROM collected WHERE scope = ? AND resource_id = ?")?
        .query_row((key.scope.as_str(), key.resource.as_str()), |row| {
            row.get::<_, i64>(0)
        })
        .optional()?;
    Ok(clock.unwrap_or_default() as u64)
}

/// Whether a tombstone was collected that may have covered the op. It wasn't that of a row that is seen,
/// which tells by itself: what was made anew since has later words in every part.
pub(in crate::tenant) fn may_be_collected(
    view: &mut View<'_>,
    key: &OpKey,
    payload: Option<&Payload>,
) -> Result<bool, StoreError> {
    let collected = collected_clock(view.connection(), key)?;
    Ok(key.clock.get() <= collected && !folds_onto_seen(view, key, payload)?)
}
