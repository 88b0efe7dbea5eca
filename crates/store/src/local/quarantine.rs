//! The quarantine: ops that the server will never take, with its reason, until their user decides.

use rusqlite::{Connection, OptionalExtension, Row, Transaction};
use syncline_model::{Clock, OpKey, Payload, PayloadHash, Timestamp};

use super::columns::{clock, op_columns, timestamp};
use super::outbox::{OutboxRow, WriteError};
use super::rows::{NewRow, insert, key_columns};
use super::{Desk, Judged, JudgedError, LocalFile, StoreError, read_identity};

const COLUMNS: &str = "id, scope, resource_id, actor, clock, payload, payload_hash, written_at, \
                       refused_at, code, message, details, coalesce(first_clock, clock)";

/// Names an op in quarantine; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuarantineId(pub u64);

/// An op in quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantinedOp {
    pub id: QuarantineId,
    pub key: OpKey,
    pub payload: Option<Payload>,
    pub payload_hash: PayloadHash,
    pub written_at: Timestamp,
    pub refused_at: Timestamp,
    /// The stable code of the refusal, and the server's sentence.
    pub code: String,
    pub message: String,
    /// What a program needs of the reason, as JSON: of a record's op the fields that are wrong, or base,
    /// mine and theirs of each column in conflict.
    pub details: Option<String>,
    /// The lowest clock that it had: of two that were written here, the older one's is the lower, however often
    /// they were refused, and in whatever order.
    pub first_clock: Clock,
}

/// Why an op is put in quarantine.
pub(super) struct Reason<'a> {
    pub code: &'a str,
    pub message: &'a str,
    pub details: Option<&'a str>,
}

impl LocalFile {
    /// Everything in quarantine, oldest refusal first.
    pub fn quarantined(&self) -> Result<Vec<QuarantinedOp>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM quarantine ORDER BY id");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(quarantined_op(row)?);
        }
        Ok(found)
    }

    /// How many ops are in quarantine.
    pub fn count_quarantined(&self) -> Result<u64, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT count(*) FROM quarantine")?;
        Ok(statement.query_row([], |row| row.get::<_, i64>(0))? as u64)
    }

    /// One op in quarantine; none: no op has this id.
    pub fn quarantined_op(&self, id: QuarantineId) -> Result<Option<QuarantinedOp>, StoreError> {
        one(&self.connection, id)
    }

    /// The keys of what is in quarantine, each with the hash of its payload.
    pub fn quarantined_keys(&self) -> Result<Vec<(OpKey, PayloadHash)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, scope, resource_id, actor, clock, NULL, payload_hash FROM quarantine ORDER BY id",
        )?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let op = op_columns(row)?;
            found.push((op.key, op.payload_hash));
        }
        Ok(found)
    }

    /// The op in quarantine that was written with this key.
    pub fn quarantined_with_key(&self, key: &OpKey) -> Result<Option<QuarantinedOp>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM quarantine \
             WHERE scope = ? AND resource_id = ? AND actor = ? AND clock = ?"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let columns = (
            key.scope.as_str(),
            key.resource.as_str(),
            key.actor.as_str(),
            key.clock.get() as i64,
        );
        statement
            .query_row(columns, |row| Ok(quarantined_op(row)))
            .optional()?
            .transpose()
    }

    /// Drops an op of the quarantine for good; gives what it was.
    pub fn drop_quarantined(
        &mut self,
        id: QuarantineId,
    ) -> Result<Option<QuarantinedOp>, StoreError> {
        self.durable(|transaction| {
            let op = one(transaction, id)?;
            delete(transaction, id)?;
            Ok(op)
        })
    }
}

impl Judged<'_> {
    /// Lets go of ops that the log holds after all.
    pub fn release_quarantined(self, ops: &[(OpKey, PayloadHash)]) -> Result<(), JudgedError> {
        if ops.is_empty() {
            return Ok(());
        }
        self.relaxed(|transaction| {
            let mut statement = transaction.prepare_cached(
                "DELETE FROM quarantine WHERE resource_id = ? AND actor = ? AND clock = ? AND scope = ? \
                 AND payload_hash = ?",
            )?;
            for (key, hash) in ops {
                let (resource, actor, clock, scope) = key_columns(key);
                statement.execute((resource, actor, clock, scope, hash.as_bytes()))?;
            }
            Ok(())
        })
    }
}

impl Desk<'_> {
    /// One op in quarantine; none: no op has this id.
    pub fn quarantined(&self, id: QuarantineId) -> Result<Option<QuarantinedOp>, StoreError> {
        one(self.transaction, id)
    }

    /// Lets an op of the quarantine go for good.
    pub fn drop_quarantined(&self, id: QuarantineId) -> Result<(), StoreError> {
        delete(self.transaction, id)
    }

    /// Writes an op of the quarantine anew, with a new clock, as it was written or with another payload;
    /// none: no op has this id, or its payload was erased.
    pub fn retry(
        &self,
        id: QuarantineId,
        anew: Option<&Payload>,
        clock_seen: impl FnOnce() -> Result<u64, StoreError>,
    ) -> Result<Option<OpKey>, WriteError> {
        let Some(op) = one(self.transaction, id)? else {
            return Ok(None);
        };
        let Some(payload) = &op.payload else {
            return Ok(None);
        };
        let payload = anew.unwrap_or(payload);
        let identity = read_identity(self.transaction)?;
        let clock = Clock::after(identity.clock.max(clock_seen()?))?;
        let key = OpKey {
            actor: identity.actor,
            clock,
            ..op.key
        };
        let row = NewRow {
            key: &key,
            payload: Some(payload),
            payload_hash: payload.hash(),
            written_at: op.written_at,
            heal: None,
            first_order: None,
            first_clock: Some(op.first_clock),
        };
        insert(self.transaction, &row)?;
        delete(self.transaction, id)?;
        self.transaction
            .execute("UPDATE identity SET clock = ?", [clock.get() as i64])?;
        Ok(Some(key))
    }
}

/// Puts an op of the outbox in quarantine.
pub(super) fn put_in_quarantine(
    transaction: &Transaction<'_>,
    row: &OutboxRow,
    reason: &Reason<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO quarantine (scope, resource_id, actor, clock, payload, payload_hash, \
             written_at, refused_at, code, message, details, first_clock) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute((
            row.key.scope.as_str(),
            row.key.resource.as_str(),
            row.key.actor.as_str(),
            row.key.clock.get() as i64,
            row.payload.as_ref().map(Payload::as_str),
            row.payload_hash.as_bytes(),
            row.written_at.to_string(),
            now.to_string(),
            reason.code,
            reason.message,
            reason.details,
            row.first_clock.get() as i64,
        ))?;
    Ok(())
}

fn one(connection: &Connection, id: QuarantineId) -> Result<Option<QuarantinedOp>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM quarantine WHERE id = ?");
    let found = connection
        .prepare_cached(&sql)?
        .query_row([id.0 as i64], |row| Ok(quarantined_op(row)))
        .optional()?;
    found.transpose()
}

fn delete(transaction: &Transaction<'_>, id: QuarantineId) -> Result<(), StoreError> {
    transaction
        .prepare_cached("DELETE FROM quarantine WHERE id = ?")?
        .execute([id.0 as i64])?;
    Ok(())
}

fn quarantined_op(row: &Row<'_>) -> Result<QuarantinedOp, StoreError> {
    let op = op_columns(row)?;
    Ok(QuarantinedOp {
        id: QuarantineId(row.get::<_, i64>(0)? as u64),
        key: op.key,
        payload: op.payload,
        payload_hash: op.payload_hash,
        written_at: timestamp(&row.get::<_, String>(7)?)?,
        refused_at: timestamp(&row.get::<_, String>(8)?)?,
        code: row.get(9)?,
        message: row.get(10)?,
        details: row.get(11)?,
        first_clock: clock(row.get(12)?)?,
    })
}
