//! The rows of the outbox.

use rusqlite::{Connection, OptionalExtension, Row, Transaction};
use syncline_model::{
    ActorId, Clock, Cursor, Op, OpKey, Payload, PayloadHash, ResourceId, Scope, ServerSeq,
    Timestamp, touched, touches_several,
};

use super::columns::{clock, cursor, op_columns, timestamp};
use super::{OutboxRow, OutboxState, StoreError};
use crate::tenant::PendingOp;

pub(super) const COLUMNS: &str = "ordinal, scope, resource_id, actor, clock, payload, \
                                  payload_hash, written_at, acknowledged_seq, heal_seq, heal_mark, \
                                  coalesce(first_ordinal, ordinal), \
                                  coalesce(first_clock, clock)";

/// An op to be put in the outbox.
pub(super) struct NewRow<'a> {
    pub key: &'a OpKey,
    pub payload: Option<&'a Payload>,
    pub payload_hash: PayloadHash,
    pub written_at: Timestamp,
    pub heal: Option<Cursor>,
    /// Its order when it was written; none: it is written now.
    pub first_order: Option<u64>,
    /// The lowest clock that it had; none: that of its key.
    pub first_clock: Option<Clock>,
}

/// Puts an op at the end of the outbox; gives its order.
pub(super) fn insert(transaction: &Transaction<'_>, row: &NewRow<'_>) -> Result<u64, StoreError> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO outbox (scope, resource_id, actor, clock, payload, payload_hash, written_at, \
         heal_seq, heal_mark, first_ordinal, first_clock) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
        row.first_order.map(|order| order as i64),
        row.first_clock.map(|clock| clock.get() as i64),
    ))?;
    let order = transaction.last_insert_rowid();
    if touches_several(&row.key.scope) {
        note_touches(transaction, order, row)?;
    }
    Ok(order as u64)
}

/// Notes which resources an op touches beside that of its key.
fn note_touches(
    transaction: &Transaction<'_>,
    order: i64,
    row: &NewRow<'_>,
) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(
        "INSERT OR IGNORE INTO outbox_touches (ordinal, scope, resource_id) VALUES (?, ?, ?)",
    )?;
    for (scope, resource) in touched(row.key, row.payload).into_iter().skip(1) {
        statement.execute((order, scope.as_str(), resource.as_str()))?;
    }
    Ok(())
}

/// Takes an op out of the outbox; gives whether it was there.
pub(super) fn remove(transaction: &Transaction<'_>, key: &OpKey) -> Result<bool, StoreError> {
    if touches_several(&key.scope) {
        transaction
            .prepare_cached(
                "DELETE FROM outbox_touches WHERE ordinal IN (SELECT ordinal FROM outbox \
                 WHERE resource_id = ? AND actor = ? AND clock = ? AND scope = ?)",
            )?
            .execute(key_columns(key))?;
    }
    let removed = transaction
        .prepare_cached(
            "DELETE FROM outbox WHERE resource_id = ? AND actor = ? AND clock = ? AND scope = ?",
        )?
        .execute(key_columns(key))?;
    Ok(removed > 0)
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

/// Takes an op out of the outbox that is in no log, and notes that the resources which it touches are
/// to be folded again without it.
pub(super) fn remove_to_refold(
    transaction: &Transaction<'_>,
    key: &OpKey,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached("INSERT INTO refolds_due (scope, resource_id) VALUES (?, ?)")?
        .execute((key.scope.as_str(), key.resource.as_str()))?;
    if touches_several(&key.scope) {
        transaction
            .prepare_cached(
                "INSERT INTO refolds_due (scope, resource_id) \
                 SELECT t.scope, t.resource_id FROM outbox AS o JOIN outbox_touches AS t USING (ordinal) \
                 WHERE o.resource_id = ? AND o.actor = ? AND o.clock = ? AND o.scope = ?",
            )?
            .execute(key_columns(key))?;
    }
    remove(transaction, key)?;
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

/// The pending ops of a resource that were written from `first_order` on and are no offer of others' ops.
pub(super) fn own_pending_of(
    connection: &Connection,
    scope: &Scope,
    resource: &ResourceId,
    first_order: u64,
) -> Result<Vec<OutboxRow>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM outbox WHERE resource_id = ? AND scope = ? \
         AND coalesce(first_ordinal, ordinal) >= ? AND acknowledged_seq IS NULL AND heal_seq IS NULL"
    ))?;
    let mut rows = statement.query((resource.as_str(), scope.as_str(), first_order as i64))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(outbox_row(row)?);
    }
    Ok(found)
}

pub(super) fn actor_columns(actor: &ActorId, clock: u64) -> (&str, i64) {
    (actor.as_str(), clock as i64)
}

pub(super) fn key_columns(key: &OpKey) -> (&str, &str, i64, &str) {
    (
        key.resource.as_str(),
        key.actor.as_str(),
        key.clock.get() as i64,
        key.scope.as_str(),
    )
}

pub(super) fn outbox_row(row: &Row<'_>) -> Result<OutboxRow, StoreError> {
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
        first_order: row.get::<_, i64>(11)? as u64,
        first_clock: clock(row.get(12)?)?,
    })
}

/// The op as it is folded; none for an erased one, which changes nothing.
pub(super) fn pending_op(row: &Row<'_>) -> Result<Option<PendingOp>, StoreError> {
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
