//! What `status` says of the last sync. Losing it at a power cut does no harm.

use syncline_model::{Epoch, OpKey, PayloadHash, ServerSeq, Timestamp};

use super::columns::{op_columns, timestamp};
use super::{LocalFile, StoreError};

/// What is known of the last sync.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncNotes {
    /// The head of the server's log, as last heard of.
    pub head_heard: Option<ServerSeq>,
    /// When the replica last held all of the log and had nothing pending.
    pub last_sync_at: Option<Timestamp>,
    /// Why sync stands still; none: it does not.
    pub last_error: Option<SyncError>,
    /// Up to which place of the log of which epoch sessions were compared for what they repeat.
    pub compared: Option<(Epoch, ServerSeq)>,
}

/// A failure of sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncError {
    pub code: String,
    pub message: String,
    pub at: Timestamp,
}

/// That the server's log was cut on purpose: reset, or put back to an earlier state to discard what came
/// later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// When this replica followed.
    pub at: Timestamp,
    /// How many changes this replica held that went with it.
    pub ops: u64,
}

impl LocalFile {
    /// The last cut that took something from here; none: nothing was ever taken, or it is here again.
    pub fn last_cut(&self) -> Result<Option<Cut>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT cut_at, cut_ops FROM sync_notes")?;
        let cut: (Option<String>, Option<i64>) =
            statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (Some(at), Some(ops)) = cut else {
            return Ok(None);
        };
        Ok(Some(Cut {
            at: timestamp(&at)?,
            ops: ops as u64,
        }))
    }

    /// The last op that went with the last cut; none: nothing did, or it is not known.
    pub fn cut_end(&self) -> Result<Option<(OpKey, PayloadHash)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, cut_scope, cut_resource_id, cut_actor, cut_clock, NULL, cut_hash \
             FROM sync_notes WHERE cut_hash IS NOT NULL",
        )?;
        let mut rows = statement.query([])?;
        let end = rows.next()?.map(op_columns).transpose()?;
        Ok(end.map(|end| (end.key, end.payload_hash)))
    }

    /// Forgets the last cut: what it took is here again.
    pub fn forget_cut(&mut self) -> Result<(), StoreError> {
        self.relaxed(|transaction| {
            transaction.execute(
                "UPDATE sync_notes SET cut_at = NULL, cut_ops = NULL, cut_hash = NULL",
                [],
            )?;
            Ok(())
        })
    }

    /// How many ops the server's log has ever taken from here that it had lost.
    pub fn healed_ops(&self) -> Result<u64, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT healed_ops FROM sync_notes")?;
        Ok(statement.query_row([], |row| row.get::<_, i64>(0))? as u64)
    }

    /// Counts ops that the server's log has taken from here, and had lost.
    pub fn note_healed(&mut self, ops: u64) -> Result<(), StoreError> {
        self.relaxed(|transaction| {
            transaction.execute(
                "UPDATE sync_notes SET healed_ops = healed_ops + ?",
                [ops as i64],
            )?;
            Ok(())
        })
    }

    /// Notes the epoch of a log that has nothing of this replica's.
    pub fn note_foreign(&mut self, epoch: Epoch) -> Result<(), StoreError> {
        self.relaxed(|transaction| {
            transaction.execute(
                "UPDATE sync_notes SET foreign_epoch = ?",
                [epoch.to_string()],
            )?;
            Ok(())
        })
    }

    /// Notes that the log which was last found to have nothing of this replica's is to be taken all the
    /// same, and to be given what is here.
    pub fn join_foreign(&mut self) -> Result<(), StoreError> {
        self.durable(|transaction| {
            transaction.execute("UPDATE sync_notes SET joined_epoch = foreign_epoch", [])?;
            Ok(())
        })
    }

    /// Whether a log of this epoch is to be taken, whatever it holds.
    pub fn is_joined(&self, epoch: Epoch) -> Result<bool, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT joined_epoch IS ? FROM sync_notes")?;
        Ok(statement.query_row([epoch.to_string()], |row| row.get(0))?)
    }

    /// What the server has said of the sight that the log here was pulled with; none: nothing.
    pub fn sight(&self) -> Result<Option<String>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT sight FROM sync_notes")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    /// Notes the sight that the log here was pulled with. One that is lost, or older than the log, makes
    /// the server ask for a rebuild at most.
    pub fn note_sight(&mut self, sight: Option<&str>) -> Result<(), StoreError> {
        self.relaxed(|transaction| {
            transaction.execute("UPDATE sync_notes SET sight = ?", [sight])?;
            Ok(())
        })
    }

    /// Reads the notes.
    pub fn sync_notes(&self) -> Result<SyncNotes, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT head_heard, last_sync_at, last_error_code, last_error, last_error_at, \
             compared_epoch, compared_seq FROM sync_notes",
        )?;
        let mut rows = statement.query([])?;
        let Some(row) = rows.next()? else {
            return Ok(SyncNotes::default());
        };
        let (code, message, at): (Option<String>, Option<String>, Option<String>) =
            (row.get(2)?, row.get(3)?, row.get(4)?);
        let last_error = match (code, message, at) {
            (Some(code), Some(message), Some(at)) => Some(SyncError {
                code,
                message,
                at: timestamp(&at)?,
            }),
            (_, _, _) => None,
        };
        let compared: (Option<String>, Option<i64>) = (row.get(5)?, row.get(6)?);
        Ok(SyncNotes {
            // What can't be read is compared again.
            compared: match compared {
                (Some(epoch), Some(seq)) => epoch.parse().ok().zip(Some(ServerSeq(seq as u64))),
                (_, _) => None,
            },
            head_heard: row
                .get::<_, Option<i64>>(0)?
                .map(|seq| ServerSeq(seq as u64)),
            last_sync_at: row
                .get::<_, Option<String>>(1)?
                .map(|text| timestamp(&text))
                .transpose()?,
            last_error,
        })
    }

    /// Writes the notes.
    pub fn note_sync(&mut self, notes: &SyncNotes) -> Result<(), StoreError> {
        let error = notes.last_error.as_ref();
        self.relaxed(|transaction| {
            transaction
                .prepare_cached(
                    "UPDATE sync_notes SET head_heard = ?, last_sync_at = ?, \
                     last_error_code = ?, last_error = ?, last_error_at = ?, \
                     compared_epoch = ?, compared_seq = ?",
                )?
                .execute((
                    notes.head_heard.map(|seq| seq.get() as i64),
                    notes.last_sync_at.map(|at| at.to_string()),
                    error.map(|error| error.code.as_str()),
                    error.map(|error| error.message.as_str()),
                    error.map(|error| error.at.to_string()),
                    notes.compared.map(|(epoch, _)| epoch.to_string()),
                    notes.compared.map(|(_, seq)| seq.get() as i64),
                ))?;
            Ok(())
        })
    }
}
