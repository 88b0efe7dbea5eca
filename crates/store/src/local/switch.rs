//! The switch to another tenant file, in one transaction.

use rusqlite::Transaction;
use syncline_model::{Cursor, LoggedOp, OpKey, PayloadHash, ServerSeq, Timestamp};

use super::rows::{NewRow, insert, key_columns};
use super::{LocalFile, StoreError, read_identity};

/// The exchange of one tenant file for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch<'a> {
    /// The file that is to be left; where another process has left it already, nothing happens.
    pub from: &'a str,
    /// The file that is to be taken. It must be whole, and on the disk.
    pub to: &'a str,
    pub old_file: OldFile,
    /// The last common place of the old log and the new one; every op offered again names it. None:
    /// nothing is offered again.
    pub heal: Option<Cursor>,
    pub acknowledged: AcknowledgedOps,
    /// How many ops of the old log went with what was cut off it on purpose.
    pub cut: u64,
    /// The last of them: where a log has it again, it has all.
    pub cut_end: Option<(OpKey, PayloadHash)>,
    /// The highest clock of the old log: the replica's own goes on above it.
    pub clock_seen: u64,
    pub now: Timestamp,
}

/// What becomes of the file that is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldFile {
    /// It is removed, now or, where a process still has it open, later.
    Remove,
    /// It is damaged, and kept for its user to look at.
    SetAside,
}

/// What becomes of ops that the server has acknowledged and that were not pulled yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcknowledgedOps {
    /// The new log is the same history: they are in it.
    Keep,
    /// The new log may lack them: they are pending again.
    OfferAgain,
    /// The log was cut at this place on purpose: those above it went with it, and so did what waits
    /// to be offered again for an earlier log's sake. Others are pending again.
    DiscardAbove(ServerSeq),
}

/// Why a switch was not made; nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum SwitchError {
    #[error("another process has switched to {current} already")]
    Moved { current: String },
    #[error("could not switch to the new tenant file")]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for SwitchError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl LocalFile {
    /// Notes a file that is about to be made, so that it is removed if it is never switched to.
    pub fn note_leftover(&mut self, name: &str) -> Result<(), StoreError> {
        self.durable(|transaction| {
            transaction.execute(
                "INSERT OR IGNORE INTO leftover_files (name) VALUES (?)",
                [name],
            )?;
            Ok(())
        })
    }

    /// The files that are to be removed, never the current one.
    pub fn leftovers(&self) -> Result<Vec<String>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT name FROM leftover_files \
             WHERE name NOT IN (SELECT tenant_file FROM identity) ORDER BY name",
        )?;
        let names = statement.query_map([], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// Notes that a file is gone.
    pub fn forget_leftover(&mut self, name: &str) -> Result<(), StoreError> {
        self.relaxed(|transaction| {
            transaction.execute("DELETE FROM leftover_files WHERE name = ?", [name])?;
            Ok(())
        })
    }

    /// Settles what was acknowledged when the log begins a new epoch that the current tenant file is
    /// a part of. Done again, it changes nothing.
    pub fn begin_epoch(
        &mut self,
        acknowledged: AcknowledgedOps,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.durable(|transaction| {
            let cut = settle_acknowledged(transaction, acknowledged)?;
            note_cut(transaction, cut, None, now)
        })
    }

    /// Switches to another tenant file. `offers` are the ops that the old log held above the common
    /// place and the new one lacks, in the old order; they go before what the outbox holds. Gives
    /// their number.
    pub fn switch(
        &mut self,
        switch: &Switch<'_>,
        offers: impl Iterator<Item = Result<LoggedOp, StoreError>>,
    ) -> Result<usize, SwitchError> {
        self.durable(|transaction| {
            let identity = read_identity(transaction)?;
            if identity.tenant_file != switch.from {
                return Err(SwitchError::Moved {
                    current: identity.tenant_file,
                });
            }
            let discarded = settle_acknowledged(transaction, switch.acknowledged)?;
            let cut = switch.cut + discarded;
            note_cut(transaction, cut, switch.cut_end.as_ref(), switch.now)?;
            let offered = match switch.heal {
                Some(heal) => offer(transaction, heal, switch.now, offers)?,
                None => 0,
            };
            transaction.execute(
                "UPDATE identity SET tenant_file = ?, clock = max(clock, ?)",
                (switch.to, switch.clock_seen as i64),
            )?;
            transaction.execute("UPDATE sync_notes SET head_heard = NULL", [])?;
            transaction.execute("DELETE FROM leftover_files WHERE name = ?", [switch.to])?;
            if switch.old_file == OldFile::Remove {
                transaction.execute(
                    "INSERT OR IGNORE INTO leftover_files (name) VALUES (?)",
                    [switch.from],
                )?;
            }
            Ok(offered)
        })
    }
}

/// Notes that so many ops went with what was cut off the log on purpose, if any did, and the last of them.
fn note_cut(
    transaction: &Transaction<'_>,
    ops: u64,
    end: Option<&(OpKey, PayloadHash)>,
    now: Timestamp,
) -> Result<(), StoreError> {
    if ops == 0 {
        return Ok(());
    }
    transaction.execute(
        "UPDATE sync_notes SET cut_at = ?, cut_ops = ?, cut_hash = NULL",
        (now.to_string(), ops as i64),
    )?;
    if let Some((key, hash)) = end {
        let (resource, actor, clock, scope) = key_columns(key);
        transaction.execute(
            "UPDATE sync_notes SET cut_resource_id = ?, cut_actor = ?, cut_clock = ?, cut_scope = ?, \
             cut_hash = ?",
            (resource, actor, clock, scope, hash.as_bytes()),
        )?;
    }
    Ok(())
}

/// Gives the number of ops that the outbox lets go of.
fn settle_acknowledged(
    transaction: &Transaction<'_>,
    acknowledged: AcknowledgedOps,
) -> Result<u64, StoreError> {
    let discarded = match acknowledged {
        AcknowledgedOps::Keep => return Ok(0),
        AcknowledgedOps::OfferAgain => 0,
        AcknowledgedOps::DiscardAbove(place) => {
            transaction.execute(
                "INSERT INTO refolds_due (scope, resource_id) SELECT DISTINCT scope, resource_id \
                 FROM outbox WHERE acknowledged_seq > ?1 OR heal_seq IS NOT NULL",
                [place_column(place)],
            )?;
            transaction.execute(
                "DELETE FROM outbox WHERE acknowledged_seq > ?1 OR heal_seq IS NOT NULL",
                [place_column(place)],
            )?
        }
    };
    transaction.execute(
        "UPDATE outbox SET acknowledged_seq = NULL WHERE acknowledged_seq IS NOT NULL",
        [],
    )?;
    Ok(discarded as u64)
}

/// A place as SQLite holds it; one past its largest integer is past every op.
pub(super) fn place_column(place: ServerSeq) -> i64 {
    i64::try_from(place.get()).unwrap_or(i64::MAX)
}

/// Puts the offers before everything else in the outbox: what is there moves to orders above theirs.
fn offer(
    transaction: &Transaction<'_>,
    heal: Cursor,
    now: Timestamp,
    offers: impl Iterator<Item = Result<LoggedOp, StoreError>>,
) -> Result<usize, StoreError> {
    // Places noted before that are above this one may not be in the new log. Those below it are, and
    // are all that is known of where their ops were: above them, and perhaps below this one.
    transaction.execute(
        "UPDATE outbox SET heal_seq = ?1, heal_mark = ?2 WHERE heal_seq > ?1",
        (heal.server_seq.get() as i64, heal.mark.as_bytes()),
    )?;
    let before: i64 = transaction.query_row(
        "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'outbox'",
        [],
        |row| row.get(0),
    )?;
    let mut count = 0;
    for op in offers {
        let op = op?;
        let row = NewRow {
            key: &op.key,
            payload: op.payload.as_ref(),
            payload_hash: op.payload_hash,
            written_at: now,
            heal: Some(heal),
            first_order: None,
            first_clock: None,
        };
        insert(transaction, &row)?;
        count += 1;
    }
    if count > 0 {
        let shift = before + count as i64;
        transaction.execute(
            "UPDATE outbox SET ordinal = ordinal + ?1, first_ordinal = first_ordinal + ?1 \
             WHERE ordinal <= ?2",
            [shift, before],
        )?;
        transaction.execute(
            "UPDATE sqlite_sequence SET seq = ?1 + ?2 WHERE name = 'outbox'",
            [shift, before],
        )?;
        transaction.execute("UPDATE identity SET offered = offered + ?", [shift])?;
    }
    Ok(count)
}
