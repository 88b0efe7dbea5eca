//! Compaction of this replica's tenant file, below the floor that the server has told.
//!
//! What goes are ops that no row needs. Everything by which a server that was put back can be healed
//! stays: the op that won each part of a row, also of a tombstone, with its mark; whatever the outbox
//! still writes to; and the op at the floor itself.

use syncline_model::ServerSeq;
use syncline_model::planted::{Defect, is_planted};
use syncline_store::local::CompactionNote;
use syncline_store::{Collecting, Compaction, Stepped};

use super::Replica;
use crate::ReplicaError;

/// Pages given back to the system in one step.
const SHRINK_PAGES: u32 = 128;

/// A compaction under way; what it has reached is noted in the local file.
#[derive(Debug)]
pub(crate) struct Compacting {
    /// The tenant file that it is of: after a rebuild there is another.
    file: String,
    run: Compaction,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Drop,
    /// Free pages go back to the system.
    Shrink,
}

impl Compacting {
    /// Ops dropped so far.
    pub(crate) fn dropped(&self) -> u64 {
        self.run.totals().dropped
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

    /// The compaction that is due: one that was begun and not ended, or a new one where the floor has
    /// risen by `from` ops since the last.
    pub(crate) fn due_compaction(&self, from: u64) -> Result<Option<Compacting>, ReplicaError> {
        let floor = self.told_floor()?;
        let noted = self.local.compaction(&self.tenant_name);
        let noted = noted.map_err(ReplicaError::Local)?;
        let (floor, reached) = if noted.reached < noted.floor {
            (noted.floor, noted.reached)
        } else if floor.get() >= noted.floor.get() + from.max(1) {
            (floor, ServerSeq::ZERO)
        } else {
            return Ok(None);
        };
        let run = Compaction::begin(&self.tenant, floor, Collecting::Nothing);
        Ok(Some(Compacting {
            file: self.tenant_name.clone(),
            run: run.map_err(ReplicaError::Tenant)?.after(reached),
            phase: Phase::Drop,
        }))
    }

    /// Judges up to `count` ops more, in one transaction, or gives some pages back.
    pub(crate) fn compact_step(
        &mut self,
        compacting: &mut Compacting,
        count: usize,
    ) -> Result<Stepped, ReplicaError> {
        if compacting.file != self.tenant_name {
            return Ok(Stepped::Done);
        }
        match compacting.phase {
            Phase::Drop => {
                let run = &mut compacting.run;
                let stepped = self.tenant.compact_step(run, count, &self.local);
                if stepped.map_err(ReplicaError::Tenant)? == Stepped::Done {
                    compacting.phase = Phase::Shrink;
                }
                let (floor, reached) = (run.floor(), run.reached());
                self.local
                    .note_compaction(&compacting.file, CompactionNote { floor, reached })
                    .map_err(ReplicaError::Local)?;
                Ok(Stepped::More)
            }
            Phase::Shrink => {
                let left = self.tenant.shrink_step(SHRINK_PAGES);
                match left.map_err(ReplicaError::Tenant)? {
                    0 => Ok(Stepped::Done),
                    _ => Ok(Stepped::More),
                }
            }
        }
    }
}
