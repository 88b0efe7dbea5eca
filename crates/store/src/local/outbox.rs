//! The outbox: ops written here, and ops offered again, until the log gives them back.

use rusqlite::{Connection, Transaction};
use syncline_model::planted::{Defect, is_planted};
use syncline_model::{
    Clock, ClockError, Cursor, Op, OpKey, Payload, PayloadHash, ResourceId, Scope, ServerSeq,
    Timestamp,
};

use super::columns::timestamp;
use super::rows::{COLUMNS, NewRow, insert, key_columns, outbox_row, row_of};
use super::{LocalFile, StoreError, read_identity};
use crate::tenant::{PageLimit, PendingOp};

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
    /// A restore did that. Nothing was written; where there is no source, what is there now is open,
    /// and what the write was made from is to be read anew.
    #[error("another replica was put in the place of this one")]
    Replaced {
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
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
    /// The place that it was written to: a new key moves it to the end, and makes it no younger.
    pub first_order: u64,
    /// The lowest clock that it had: a new key, also one after a refusal, makes what it says no younger.
    pub first_clock: Clock,
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

/// What goes out in one push: ops with one heal cursor, or without any and with rising clocks.
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
        self.durable(|transaction| append(transaction, ops, clock_seen, now))
    }

    /// The next ops to push, oldest first; none when nothing is pending.
    ///
    /// Notes how far the outbox has been offered, on the disk: an op that never was can't be in any log,
    /// and one that a power cut made forget it would be written anew beside itself.
    pub fn next_batch(&mut self, limit: PageLimit) -> Result<Option<OutboxBatch>, StoreError> {
        let Some(batch) = read_batch(&self.connection, limit)? else {
            return Ok(None);
        };
        let last = batch.ops.last().map_or(0, |row| row.order) as i64;
        let offered: i64 =
            self.connection
                .query_row("SELECT offered FROM identity", [], |row| row.get(0))?;
        if offered < last {
            self.durable(|transaction| {
                transaction.execute("UPDATE identity SET offered = max(offered, ?)", [last])?;
                Ok::<_, StoreError>(())
            })?;
        }
        Ok(Some(batch))
    }

    /// The op of the outbox with this key.
    pub fn outbox_row(&self, key: &OpKey) -> Result<Option<OutboxRow>, StoreError> {
        row_of(&self.connection, key)
    }

    /// Whether the server has an op of the outbox that was written to the resource of another one of it
    /// after that one.
    pub fn is_followed_by_acknowledged(&self, key: &OpKey) -> Result<bool, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM outbox AS later JOIN outbox AS op \
             USING (resource_id, scope) WHERE op.resource_id = ? AND op.actor = ? AND op.clock = ? \
             AND op.scope = ? AND later.acknowledged_seq IS NOT NULL \
             AND coalesce(later.first_ordinal, later.ordinal) > coalesce(op.first_ordinal, op.ordinal))",
        )?;
        Ok(statement.query_row(key_columns(key), |row| row.get(0))?)
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

    /// The acknowledged ops whose place is above `seq`, `limit` at most.
    pub fn acknowledged_beyond(
        &self,
        seq: ServerSeq,
        limit: usize,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        self.outbox_where(
            "acknowledged_seq > ?1 ORDER BY acknowledged_seq LIMIT ?2",
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

    /// Takes back that the outbox was offered beyond `order`: the server has refused that request as a
    /// whole, and took nothing of it.
    pub fn take_back_offer(&mut self, order: u64) -> Result<(), StoreError> {
        self.relaxed(|transaction| {
            transaction.execute(
                "UPDATE identity SET offered = min(offered, ?)",
                [order as i64],
            )?;
            Ok(())
        })
    }

    /// The order of the newest op of the outbox; 0: it is empty.
    pub fn newest_order(&self) -> Result<u64, StoreError> {
        newest_order(&self.connection)
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
}

/// Puts ops at the end of the outbox, each with the next clock.
pub(super) fn append(
    transaction: &Transaction<'_>,
    ops: &[NewOp],
    clock_seen: impl FnOnce() -> Result<u64, StoreError>,
    now: Timestamp,
) -> Result<Written, WriteError> {
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
            first_order: None,
            first_clock: None,
        };
        written.push(PendingOp {
            order: insert(transaction, &row)?,
            op,
        });
    }
    if !is_planted(Defect::ReuseClock) {
        transaction.execute("UPDATE identity SET clock = ?", [clock as i64])?;
    }
    Ok(Written {
        ops: written,
        tenant_file: identity.tenant_file,
    })
}

pub(super) fn newest_order(connection: &Connection) -> Result<u64, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT coalesce(max(ordinal), 0) FROM outbox")?;
    Ok(statement.query_row([], |row| row.get::<_, i64>(0))? as u64)
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
        let last = batch.ops.last();
        // Behind one whose clock led too far may stand what was written anew since, and has a lower one:
        // taken in the same push in which that is refused, it would be undone by it.
        let falls = last.is_some_and(|last| row.heal.is_none() && row.key.clock < last.key.clock);
        if row.heal != batch.heal || falls || (bytes > limit.bytes && last.is_some()) {
            break;
        }
        batch.ops.push(row);
    }
    Ok(batch)
}
