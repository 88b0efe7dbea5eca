//! The outbox: ops written here, and ops offered again, until the log gives them back.

use rusqlite::{Connection, OptionalExtension, Row, Transaction};
use syncline_model::{
    ActorId, Clock, ClockError, Cursor, Op, OpKey, Payload, PayloadHash, ResourceId, Scope,
    ServerSeq, Timestamp,
};

use super::row::{cursor, op_columns, timestamp};
use super::{LocalFile, StoreError, read_identity};
use crate::tenant::{Outbox, PageLimit, PendingOp, ResourceKey};

const COLUMNS: &str = "ordinal, scope, resource_id, actor, clock, payload, payload_hash, \
                       written_at, acknowledged_seq, heal_seq, heal_mark";

/// A change that is to become an op.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOp {
    pub scope: Scope,
    pub resource: ResourceId,
    pub payload: Payload,
}

/// What a write made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub ops: Vec<PendingOp>,
    /// The name of the tenant file at the moment of the write.
    pub tenant_file: String,
}

/// Why a write was not done; nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("the clock has reached its end")]
    ClockEnd(#[from] ClockError),
    #[error("could not write to the local file")]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for WriteError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Whether the server has an op of the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboxState {
    Pending,
    /// It said so, and gave this place.
    Acknowledged(ServerSeq),
}

/// An op of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its place in the outbox; rises with each write, and is never used again.
    pub order: u64,
    pub key: OpKey,
    /// None for an op that was erased and is offered again.
    pub payload: Option<Payload>,
    /// Of the payload as first sent.
    pub payload_hash: PayloadHash,
    pub written_at: Timestamp,
    pub state: OutboxState,
    /// For an op that is offered again after the log has lost it: the last common place.
    pub heal: Option<Cursor>,
}

impl OutboxRow {
    /// The place that the server gave this op; none: it is pending.
    pub fn acknowledged_at(&self) -> Option<ServerSeq> {
        match self.state {
            OutboxState::Pending => None,
            OutboxState::Acknowledged(seq) => Some(seq),
        }
    }
}

/// What goes out in one push: ops with one heal cursor, or without any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxBatch {
    pub heal: Option<Cursor>,
    /// In the order of the outbox.
    pub ops: Vec<OutboxRow>,
}

/// The ops of one scope in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxCount {
    pub scope: Scope,
    pub pending: u64,
    pub acknowledged: u64,
    pub oldest_pending_at: Option<Timestamp>,
}

impl LocalFile {
    /// Writes ops, each with the next clock. They are on the disk when this returns.
    ///
    /// `clock_seen` gives the highest clock of the tenant file. It is asked inside the transaction,
    /// so that no write takes a clock at or below one that its writer could have seen.
    pub fn write(
        &mut self,
        ops: &[NewOp],
        clock_seen: impl FnOnce() -> Result<u64, StoreError>,
        now: Timestamp,
    ) -> Result<Written, WriteError> {
        self.durable(|transaction| {
            let identity = read_identity(transaction)?;
            let mut clock = identity.clock.max(clock_seen()?);
            let mut written = Vec::with_capacity(ops.len());
            for op in ops {
                let taken = Clock::after(clock)?;
                clock = taken.get();
                let op = Op {
                    key: OpKey {
                        actor: identity.actor.clone(),
                        clock: taken,
                        scope: op.scope.clone(),
                        resource: op.resource.clone(),
                    },
                    payload: op.payload.clone(),
                };
                let row = NewRow {
                    key: &op.key,
                    payload: Some(&op.payload),
                    payload_hash: op.payload.hash(),
                    written_at: now,
                    heal: None,
                };
                written.push(PendingOp {
                    order: insert(transaction, &row)?,
                    op,
                });
            }
            transaction.execute("UPDATE identity SET clock = ?", [clock as i64])?;
            Ok(Written {
                ops: written,
                tenant_file: identity.tenant_file,
            })
        })
    }

    /// The next ops to push, oldest first; none when nothing is pending.
    ///
    /// Notes how far the outbox has been offered: an op that never was can't be in any log.
    pub fn next_batch(&mut self, limit: PageLimit) -> Result<Option<OutboxBatch>, StoreError> {
        let Some(batch) = read_batch(&self.connection, limit)? else {
            return Ok(None);
        };
        let last = batch.ops.last().map_or(0, |row| row.order) as i64;
        let offered: i64 =
            self.connection
                .query_row("SELECT offered FROM identity", [], |row| row.get(0))?;
        if offered < last {
            self.relaxed(|transaction| {
                transaction.execute("UPDATE identity SET offered = max(offered, ?)", [last])?;
                Ok(())
            })?;
        }
        Ok(Some(batch))
    }

    /// The op of the outbox with this key.
    pub fn outbox_row(&self, key: &OpKey) -> Result<Option<OutboxRow>, StoreError> {
        row_of(&self.connection, key)
    }

    /// The ops of the outbox after `order`, oldest first, `limit` at most.
    pub fn outbox_after(&self, order: u64, limit: usize) -> Result<Vec<OutboxRow>, StoreError> {
        self.outbox_where("ordinal > ?1 ORDER BY ordinal LIMIT ?2", order, limit)
    }

    /// The acknowledged ops whose place is at or below `seq`, `limit` at most.
    pub fn acknowledged_through(
        &self,
        seq: ServerSeq,
        limit: usize,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        self.outbox_where(
            "acknowledged_seq <= ?1 ORDER BY acknowledged_seq LIMIT ?2",
            seq.get(),
            limit,
        )
    }

    fn outbox_where(
        &self,
        condition: &str,
        number: u64,
        limit: usize,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM outbox WHERE {condition}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query((number as i64, limit as i64))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(outbox_row(row)?);
        }
        Ok(found)
    }

    /// The order of the newest op of the outbox; 0: it is empty.
    pub fn newest_order(&self) -> Result<u64, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT coalesce(max(ordinal), 0) FROM outbox")?;
        Ok(statement.query_row([], |row| row.get::<_, i64>(0))? as u64)
    }

    /// The resources of the ops after `order`.
    pub fn resources_after(&self, order: u64) -> Result<Vec<ResourceKey>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT DISTINCT scope, resource_id FROM outbox WHERE ordinal > ?")?;
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

    /// Whether any op waits to be pushed.
    pub fn has_pending(&self) -> Result<bool, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM outbox WHERE acknowledged_seq IS NULL)",
        )?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    /// Up to which order the outbox has been in a push, whatever came of it.
    pub fn offered_order(&self) -> Result<u64, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT offered FROM identity")?;
        Ok(statement.query_row([], |row| row.get::<_, i64>(0))? as u64)
    }

    /// What the outbox holds, scope by scope.
    pub fn count_outbox(&self) -> Result<Vec<OutboxCount>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT scope, count(*) FILTER (WHERE acknowledged_seq IS NULL), \
             count(acknowledged_seq), min(written_at) FILTER (WHERE acknowledged_seq IS NULL) \
             FROM outbox GROUP BY scope ORDER BY scope",
        )?;
        let mut rows = statement.query([])?;
        let mut counts = Vec::new();
        while let Some(row) = rows.next()? {
            let oldest: Option<String> = row.get(3)?;
            counts.push(OutboxCount {
                scope: Scope::new(row.get::<_, String>(0)?)
                    .map_err(|_| StoreError::damaged("a scope is not one"))?,
                pending: row.get::<_, i64>(1)? as u64,
                acknowledged: row.get::<_, i64>(2)? as u64,
                oldest_pending_at: oldest.map(|text| timestamp(&text)).transpose()?,
            });
        }
        Ok(counts)
    }

    /// Removes ops that the log holds. What the view shows of them is the log's from now on.
    pub fn forget_pulled(&mut self, keys: &[OpKey]) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        self.relaxed(|transaction| keys.iter().try_for_each(|key| remove(transaction, key)))
    }

    /// Removes ops that the log has held and compaction has dropped, since they win no part of the
    /// view; their resources are due to be folded again without them.
    pub fn forget_covered(&mut self, keys: &[OpKey]) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        self.relaxed(|transaction| {
            for key in keys {
                remove(transaction, key)?;
                note_refold(transaction, key)?;
            }
            Ok(())
        })
    }

    /// Counts ops as pending again that the server said it has, and that its log does not hold.
    pub fn offer_again(&mut self, keys: &[OpKey]) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        self.relaxed(|transaction| {
            keys.iter()
                .try_for_each(|key| acknowledge(transaction, key, None))
        })
    }

    /// The resources whose outbox has lost ops since they were folded, and the token that settles
    /// them. Folding them again is idempotent, so a crash before [`LocalFile::refolded`] costs only
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

    /// Notes that what was due up to `token` is folded again.
    pub fn refolded(&mut self, token: i64) -> Result<(), StoreError> {
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

    fn of_resources(&self, resources: &[ResourceKey]) -> Result<Vec<PendingOp>, StoreError> {
        if self.newest_order()? == 0 {
            return Ok(Vec::new());
        }
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM outbox WHERE resource_id = ? AND scope = ?"
        ))?;
        let mut pending = Vec::new();
        for (scope, resource) in resources {
            let mut rows = statement.query((resource.as_str(), scope.as_str()))?;
            while let Some(row) = rows.next()? {
                pending.extend(pending_op(row)?);
            }
        }
        pending.sort_by_key(|op: &PendingOp| op.order);
        Ok(pending)
    }
}

/// An op to be put in the outbox.
pub(super) struct NewRow<'a> {
    pub key: &'a OpKey,
    pub payload: Option<&'a Payload>,
    pub payload_hash: PayloadHash,
    pub written_at: Timestamp,
    pub heal: Option<Cursor>,
}

/// Puts an op at the end of the outbox; gives its order.
pub(super) fn insert(transaction: &Transaction<'_>, row: &NewRow<'_>) -> Result<u64, StoreError> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO outbox (scope, resource_id, actor, clock, payload, payload_hash, written_at, \
         heal_seq, heal_mark) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    statement.execute((
        row.key.scope.as_str(),
        row.key.resource.as_str(),
        row.key.actor.as_str(),
        row.key.clock.get() as i64,
        row.payload.map(Payload::as_str),
        row.payload_hash.as_bytes(),
        row.written_at.to_string(),
        row.heal.map(|heal| heal.server_seq.get() as i64),
        row.heal.as_ref().map(|heal| heal.mark.as_bytes()),
    ))?;
    Ok(transaction.last_insert_rowid() as u64)
}

/// Takes an op out of the outbox.
pub(super) fn remove(transaction: &Transaction<'_>, key: &OpKey) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "DELETE FROM outbox WHERE resource_id = ? AND actor = ? AND clock = ? AND scope = ?",
        )?
        .execute(key_columns(key))?;
    Ok(())
}

/// Sets or takes back an op's acknowledgement.
pub(super) fn acknowledge(
    transaction: &Transaction<'_>,
    key: &OpKey,
    seq: Option<ServerSeq>,
) -> Result<(), StoreError> {
    let (resource, actor, clock, scope) = key_columns(key);
    transaction
        .prepare_cached(
            "UPDATE outbox SET acknowledged_seq = ? \
             WHERE resource_id = ? AND actor = ? AND clock = ? AND scope = ?",
        )?
        .execute((
            seq.map(|seq| seq.get() as i64),
            resource,
            actor,
            clock,
            scope,
        ))?;
    Ok(())
}

/// Notes that the resource of an op that left the outbox is to be folded again without it.
pub(super) fn note_refold(transaction: &Transaction<'_>, key: &OpKey) -> Result<(), StoreError> {
    transaction
        .prepare_cached("INSERT INTO refolds_due (scope, resource_id) VALUES (?, ?)")?
        .execute((key.scope.as_str(), key.resource.as_str()))?;
    Ok(())
}

/// The op with this key.
pub(super) fn row_of(
    connection: &Connection,
    key: &OpKey,
) -> Result<Option<OutboxRow>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM outbox \
         WHERE resource_id = ? AND actor = ? AND clock = ? AND scope = ?"
    ))?;
    let found = statement
        .query_row(key_columns(key), |row| Ok(outbox_row(row)))
        .optional()?;
    found.transpose()
}

/// The pending ops after `order` that are no offer of others' ops, oldest first.
pub(super) fn own_pending_after(
    connection: &Connection,
    order: u64,
) -> Result<Vec<OutboxRow>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM outbox WHERE ordinal > ? AND acknowledged_seq IS NULL \
         AND heal_seq IS NULL ORDER BY ordinal"
    ))?;
    let mut rows = statement.query([order as i64])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(outbox_row(row)?);
    }
    Ok(found)
}

pub(super) fn actor_columns(actor: &ActorId, clock: u64) -> (&str, i64) {
    (actor.as_str(), clock as i64)
}

fn key_columns(key: &OpKey) -> (&str, &str, i64, &str) {
    (
        key.resource.as_str(),
        key.actor.as_str(),
        key.clock.get() as i64,
        key.scope.as_str(),
    )
}

fn read_batch(
    connection: &Connection,
    limit: PageLimit,
) -> Result<Option<OutboxBatch>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM outbox WHERE acknowledged_seq IS NULL ORDER BY ordinal LIMIT ?"
    ))?;
    let mut rows = statement.query([limit.ops as i64])?;
    let mut batch: Option<OutboxBatch> = None;
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let row = outbox_row(row)?;
        let batch = batch.get_or_insert_with(|| OutboxBatch {
            heal: row.heal,
            ops: Vec::new(),
        });
        bytes += row
            .payload
            .as_ref()
            .map_or(0, |payload| payload.as_str().len());
        if row.heal != batch.heal || (bytes > limit.bytes && !batch.ops.is_empty()) {
            break;
        }
        batch.ops.push(row);
    }
    Ok(batch)
}

fn outbox_row(row: &Row<'_>) -> Result<OutboxRow, StoreError> {
    let op = op_columns(row)?;
    let state = match row.get::<_, Option<i64>>(8)? {
        None => OutboxState::Pending,
        Some(seq) => OutboxState::Acknowledged(ServerSeq(seq as u64)),
    };
    Ok(OutboxRow {
        order: row.get::<_, i64>(0)? as u64,
        key: op.key,
        payload: op.payload,
        payload_hash: op.payload_hash,
        written_at: timestamp(&row.get::<_, String>(7)?)?,
        state,
        heal: cursor(row.get(9)?, row.get(10)?)?,
    })
}

/// The op as it is folded; none for an erased one, which changes nothing.
fn pending_op(row: &Row<'_>) -> Result<Option<PendingOp>, StoreError> {
    let order = row.get::<_, i64>(0)? as u64;
    let op = op_columns(row)?;
    Ok(op.payload.map(|payload| PendingOp {
        order,
        op: Op {
            key: op.key,
            payload,
        },
    }))
}
