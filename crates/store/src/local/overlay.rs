//! What of the outbox is folded on top of the log, and what no longer is.

use std::collections::HashSet;

use rusqlite::Connection;
use syncline_model::{OpKey, ResourceId, Scope, touches_several};

use super::outbox::newest_order;
use super::rows::{
    COLUMNS, acknowledge, actor_columns, key_columns, outbox_row, pending_op, remove,
    remove_to_refold,
};
use super::{Judged, JudgedError, LocalFile, LostEdit, StoreError, lost};
use crate::tenant::{Outbox, PendingOp, ResourceKey};

impl LocalFile {
    /// The resources of the ops after `order`.
    pub fn resources_after(&self, order: u64) -> Result<Vec<ResourceKey>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT scope, resource_id FROM outbox WHERE ordinal > ?1 \
                 UNION SELECT scope, resource_id FROM outbox_touches WHERE ordinal > ?1",
        )?;
        let mut rows = statement.query([order as i64])?;
        let mut resources = Vec::new();
        while let Some(row) = rows.next()? {
            let damaged = |_| StoreError::damaged("a resource is not one");
            let scope = Scope::new(row.get::<_, String>(0)?).map_err(damaged)?;
            resources.push((
                scope,
                ResourceId::new(row.get::<_, String>(1)?).map_err(damaged)?,
            ));
        }
        Ok(resources)
    }

    /// Removes ops that the log has held and compaction has dropped, since they win no part of the
    /// view; their resources are due to be folded again without them.
    pub fn forget_covered(&mut self, keys: &[OpKey]) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        self.relaxed(|transaction| {
            for key in keys {
                remove_to_refold(transaction, key)?;
            }
            Ok(())
        })
    }

    /// Removes what was written to the resource of an op of the outbox before that op and was never
    /// offered, so that it is in no log; the resource is due to be folded again without it. Gives how many
    /// ops that were.
    pub fn forget_unoffered_before(&mut self, key: &OpKey) -> Result<usize, StoreError> {
        self.durable(|transaction| {
            let mut statement = transaction.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM outbox WHERE resource_id = ?1 AND scope = ?2 \
                 AND acknowledged_seq IS NULL AND heal_seq IS NULL \
                 AND ordinal > (SELECT offered FROM identity) \
                 AND ordinal < (SELECT ordinal FROM outbox \
                 WHERE resource_id = ?1 AND scope = ?2 AND actor = ?3 AND clock = ?4)"
            ))?;
            let (actor, clock) = actor_columns(&key.actor, key.clock.get());
            let (resource, scope) = (key.resource.as_str(), key.scope.as_str());
            let mut rows = statement.query((resource, scope, actor, clock))?;
            let mut unoffered = Vec::new();
            while let Some(row) = rows.next()? {
                unoffered.push(outbox_row(row)?.key);
            }
            for key in &unoffered {
                remove_to_refold(transaction, key)?;
            }
            Ok(unoffered.len())
        })
    }

    /// The resources whose outbox has lost ops since they were folded, and the token that settles
    /// them. Folding them again is idempotent, so a crash before [`Judged::refolded`] costs only
    /// doing it again.
    pub fn refolds_due(&self) -> Result<Option<(Vec<ResourceKey>, i64)>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id, scope, resource_id FROM refolds_due")?;
        let mut rows = statement.query([])?;
        let (mut due, mut last) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            last = last.max(row.get::<_, i64>(0)?);
            let damaged = |_| StoreError::damaged("a resource is not one");
            let scope = Scope::new(row.get::<_, String>(1)?).map_err(damaged)?;
            due.push((
                scope,
                ResourceId::new(row.get::<_, String>(2)?).map_err(damaged)?,
            ));
        }
        due.sort();
        due.dedup();
        Ok((!due.is_empty()).then_some((due, last)))
    }
}

impl Judged<'_> {
    /// Removes ops that the log holds, and notes what they have lost. What the view shows of them is the
    /// log's from now on. One that was never offered by this replica was by another life of it, and so was
    /// what stands before it. What another process has removed meanwhile has had its losses noted by it.
    pub fn forget_pulled(
        self,
        keys: &[OpKey],
        lost: &[(OpKey, LostEdit)],
    ) -> Result<(), JudgedError> {
        if keys.is_empty() {
            return Ok(());
        }
        self.relaxed(|transaction| {
            let mut removed = HashSet::new();
            for key in keys {
                transaction
                    .prepare_cached(
                        "UPDATE identity SET offered = ordinal FROM outbox \
                         WHERE resource_id = ? AND outbox.actor = ? AND outbox.clock = ? AND scope = ? \
                         AND ordinal > offered",
                    )?
                    .execute(key_columns(key))?;
                if remove(transaction, key)? {
                    removed.insert(key);
                }
            }
            let lost = lost.iter().filter(|(key, _)| removed.contains(key));
            Ok(lost::note(transaction, lost)?)
        })
    }

    /// Counts ops as pending again that the server said it has, and that its log does not hold.
    pub fn offer_again(self, keys: &[OpKey]) -> Result<(), JudgedError> {
        if keys.is_empty() {
            return Ok(());
        }
        self.relaxed(|transaction| {
            for key in keys {
                acknowledge(transaction, key, None)?;
            }
            Ok(())
        })
    }

    /// Notes that what was due up to `token` is folded again.
    pub fn refolded(self, token: i64) -> Result<(), JudgedError> {
        self.relaxed(|transaction| {
            transaction.execute("DELETE FROM refolds_due WHERE id <= ?", [token])?;
            Ok(())
        })
    }
}

impl Outbox for LocalFile {
    fn after(&self, order: u64) -> Result<Vec<PendingOp>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM outbox WHERE ordinal > ? ORDER BY ordinal"
        ))?;
        let mut rows = statement.query([order as i64])?;
        let mut pending = Vec::new();
        while let Some(row) = rows.next()? {
            pending.extend(pending_op(row)?);
        }
        Ok(pending)
    }

    fn is_empty(&self) -> Result<bool, StoreError> {
        Ok(self.newest_order()? == 0)
    }

    fn of_resources(&self, resources: &[ResourceKey]) -> Result<Vec<PendingOp>, StoreError> {
        pending_of(&self.connection, resources)
    }
}

/// The ops that touch any of these resources, oldest first.
pub(super) fn pending_of(
    connection: &Connection,
    resources: &[ResourceKey],
) -> Result<Vec<PendingOp>, StoreError> {
    if newest_order(connection)? == 0 {
        return Ok(Vec::new());
    }
    let mut own = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM outbox WHERE resource_id = ? AND scope = ?"
    ))?;
    let mut touching = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM outbox WHERE ordinal IN \
         (SELECT ordinal FROM outbox_touches WHERE resource_id = ? AND scope = ?)"
    ))?;
    let mut pending = Vec::new();
    for (scope, resource) in resources {
        let mut rows = own.query((resource.as_str(), scope.as_str()))?;
        while let Some(row) = rows.next()? {
            pending.extend(pending_op(row)?);
        }
        if touches_several(scope) {
            let mut rows = touching.query((resource.as_str(), scope.as_str()))?;
            while let Some(row) = rows.next()? {
                pending.extend(pending_op(row)?);
            }
        }
    }
    pending.sort_by_key(|op: &PendingOp| op.order);
    pending.dedup_by_key(|op| op.order);
    Ok(pending)
}
