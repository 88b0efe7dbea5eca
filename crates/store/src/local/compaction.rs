//! How far the replica's tenant file is compacted. Losing it at a power cut does no harm: what was
//! gone over is gone over again.

use rusqlite::OptionalExtension;
use syncline_model::ServerSeq;

use super::switch::place_column;
use super::{LocalFile, StoreError};

/// How far a tenant file is compacted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CompactionNote {
    /// The floor that the last run went up to.
    pub floor: ServerSeq,
    /// The place up to which it has judged ops; below the floor, it has not ended.
    pub reached: ServerSeq,
}

impl LocalFile {
    /// How far the tenant file of this name is compacted.
    pub fn compaction(&self, tenant_file: &str) -> Result<CompactionNote, StoreError> {
        let noted = self
            .connection
            .prepare_cached("SELECT floor, reached FROM compaction WHERE tenant_file = ?")?
            .query_row([tenant_file], |row| {
                Ok(CompactionNote {
                    floor: ServerSeq(row.get::<_, i64>(0)? as u64),
                    reached: ServerSeq(row.get::<_, i64>(1)? as u64),
                })
            })
            .optional()?;
        Ok(noted.unwrap_or_default())
    }

    /// Notes how far the tenant file of this name is compacted.
    pub fn note_compaction(
        &mut self,
        tenant_file: &str,
        note: CompactionNote,
    ) -> Result<(), StoreError> {
        self.relaxed(|transaction| {
            transaction
                .prepare_cached("UPDATE compaction SET tenant_file = ?, floor = ?, reached = ?")?
                .execute((
                    tenant_file,
                    place_column(note.floor),
                    place_column(note.reached),
                ))?;
            Ok(())
        })
    }
}
