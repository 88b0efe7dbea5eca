//! Looking after this replica's tenant file: what was taken out of it is made unreadable, and what no
//! row needs goes, below the floor that the server has told.
//!
//! Everything by which a server that was put back can be healed stays: the op that won each part of a
//! row, also of a tombstone, with its mark; whatever the outbox still writes to; and the op at the
//! floor itself.
//!
//! What was erased was also in the local file, as an op of the outbox, and is in its write-ahead log
//! until that is emptied: it counts as owed to the tenant file until both are.

use syncline_model::planted::{Defect, is_planted};
use syncline_model::session::SessionOp;
use syncline_model::thread::ThreadOp;
use syncline_model::{OpKey, Scope, ServerSeq};
use syncline_store::local::{CompactionNote, OutboxRow};
use syncline_store::{Collecting, Compaction, EmptyTries, Forgetting, Stepped};

use super::Replica;
use crate::ReplicaError;

/// How often it is tried to empty a write-ahead log before it is left for another time: some hundred
/// milliseconds, which a command that reads hardly takes.
const EMPTY_TRIES: EmptyTries = EmptyTries(20);

/// Pages that are made unreadable in one step where nobody else is waited for.
const ERASE_PAGES: usize = 4_096;

/// Work on the files under way; what a compaction has reached is noted in the local file.
#[derive(Debug)]
pub(crate) struct Compacting {
    /// The tenant file that it is of: after a rebuild there is another.
    file: String,
    dropped: u64,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Drop(Box<Compaction>),
    /// What was taken out of the files is made unreadable.
    Forget(Forgetting),
}

impl Compacting {
    /// Ops dropped so far.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl Replica {
    /// The place below which the server lets go of ops, as far as this replica has its log.
    fn told_floor(&self) -> Result<ServerSeq, ReplicaError> {
        let head = self.tenant.head().map_err(ReplicaError::Tenant)?;
        Ok(if is_planted(Defect::CompactAboveFloor) {
            head.cursor.server_seq
        } else {
            head.floor
        })
    }

    /// Whether texts were erased that may still be read in this replica's files.
    pub fn owes_erasure(&self) -> Result<bool, ReplicaError> {
        let owed = self.tenant.owed().map_err(ReplicaError::Tenant)?;
        Ok(owed.words > 0)
    }

    /// Whether something was taken out of this replica's files that may still be read in them.
    pub(crate) fn is_owing(&self) -> Result<bool, ReplicaError> {
        let owed = self.tenant.owed().map_err(ReplicaError::Tenant)?;
        Ok(!owed.is_nothing())
    }

    /// Writes down that something has left the local file that may be erased elsewhere. Where that
    /// fails, its bytes stay until the write-ahead log is next used up.
    pub(crate) fn owe_traces(&self) {
        if let Err(error) = self.tenant.owe_traces() {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(
                error,
                "could not note that a write-ahead log is to be emptied"
            );
        }
    }

    /// Lets go of what was written to deleted resources and has never left this machine: no server will
    /// ever give it back to be erased. It is made unreadable in this replica's files; where others are in
    /// the way, with what is next. `deletes` are the ops that delete.
    pub fn erase_unsent(&mut self, deletes: &[OpKey]) -> Result<(), ReplicaError> {
        let mut erased = 0;
        for key in deletes {
            let row = self.local.outbox_row(key).map_err(ReplicaError::Local)?;
            if row.is_some_and(|row| deletes_its_resource(&row)) {
                let forgotten = self.local.forget_unoffered_before(key);
                erased += forgotten.map_err(ReplicaError::Local)?;
            }
        }
        if erased == 0 {
            return Ok(());
        }
        self.refresh()?;
        self.tenant.owe_words().map_err(ReplicaError::Tenant)?;
        let mut forgetting = self.forgetting()?;
        while self.compact_step(&mut forgetting, ERASE_PAGES)? == Stepped::More {}
        Ok(())
    }

    /// The work that is due. What was erased is seen to first; then a compaction that was begun and
    /// not ended, or a new one where the floor has risen by `from` ops since the last; then what such
    /// a one has left behind.
    pub(crate) fn due_compaction(&self, from: u64) -> Result<Option<Compacting>, ReplicaError> {
        if self.owes_erasure()? {
            return self.forgetting().map(Some);
        }
        let floor = self.told_floor()?;
        let noted = self.local.compaction(&self.tenant_name);
        let noted = noted.map_err(ReplicaError::Local)?;
        let (floor, reached) = if noted.reached < noted.floor {
            (noted.floor, noted.reached)
        } else if floor.get() >= noted.floor.get() + from.max(1) {
            (floor, ServerSeq::ZERO)
        } else if self.is_owing()? {
            return self.forgetting().map(Some);
        } else {
            return Ok(None);
        };
        let run = Compaction::begin(&self.tenant, floor, Collecting::Nothing);
        let run = run.map_err(ReplicaError::Tenant)?.after(reached);
        Ok(Some(self.begin(Phase::Drop(Box::new(run)))))
    }

    fn forgetting(&self) -> Result<Compacting, ReplicaError> {
        let run = Forgetting::begin(&self.tenant, EMPTY_TRIES);
        Ok(self.begin(Phase::Forget(run.map_err(ReplicaError::Tenant)?)))
    }

    fn begin(&self, phase: Phase) -> Compacting {
        Compacting {
            file: self.tenant_name.clone(),
            dropped: 0,
            phase,
        }
    }

    /// Judges up to `count` ops more, in one transaction, or makes some pages unreadable.
    pub(crate) fn compact_step(
        &mut self,
        compacting: &mut Compacting,
        count: usize,
    ) -> Result<Stepped, ReplicaError> {
        if compacting.file != self.tenant_name {
            return Ok(Stepped::Done);
        }
        match &mut compacting.phase {
            Phase::Drop(run) => {
                let stepped = self.tenant.compact_step(run, count, &self.local);
                let stepped = stepped.map_err(ReplicaError::Tenant)?;
                compacting.dropped = run.totals().dropped;
                let (floor, reached) = (run.floor(), run.reached());
                self.local
                    .note_compaction(&compacting.file, CompactionNote { floor, reached })
                    .map_err(ReplicaError::Local)?;
                if stepped == Stepped::Done {
                    compacting.phase = self.forgetting()?.phase;
                }
                Ok(Stepped::More)
            }
            Phase::Forget(run) => {
                let stepped = self.tenant.forget_step(run, count);
                let stepped = stepped.map_err(ReplicaError::Tenant)?;
                if stepped == Stepped::Done
                    && self.local.empty_log().map_err(ReplicaError::Local)?
                {
                    self.tenant
                        .settle_owed(run.done())
                        .map_err(ReplicaError::Tenant)?;
                }
                Ok(stepped)
            }
        }
    }
}

/// Whether an op erases all that was written to its resource before.
fn deletes_its_resource(row: &OutboxRow) -> bool {
    let Some(payload) = &row.payload else {
        return false;
    };
    match row.key.scope.as_str() {
        Scope::SESSION => matches!(SessionOp::read(payload), Some(SessionOp::Delete(_))),
        Scope::THREAD => matches!(ThreadOp::read(payload), Some(ThreadOp::Delete(_))),
        _ => false,
    }
}
