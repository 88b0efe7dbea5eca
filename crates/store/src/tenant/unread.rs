//! Ops that the log holds, and that no view shows because this version can't read them.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};

use syncline_model::{Folded, LoggedOp, Place, Row, Rows, SkipReason, Table, Value, fold};

use super::TenantFile;
use super::read::{logged, raw};
use crate::file::StoreError;

impl TenantFile {
    /// How many ops of the log, of scopes that are folded here, this version passes over: their payloads
    /// are of a form that it can't read, or their folds panic. They are delivered all the same, and a
    /// version that can read them folds them. Reads the whole log.
    pub fn count_unread(&self) -> Result<u64, StoreError> {
        let mut statement = self.connection.prepare(
            "SELECT server_seq, scope, resource_id, actor, clock, payload, payload_hash FROM ops",
        )?;
        let mut rows = statement.query([])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            count += u64::from(is_unread(&logged(&raw(row)?)?));
        }
        Ok(count)
    }
}

/// Whether the fold of the op's scope passes over it: that hangs on its payload, whatever the rows are.
fn is_unread(op: &LoggedOp) -> bool {
    let fold = || {
        fold(
            &mut NoRows,
            &op.key,
            op.payload.as_ref(),
            Place::Confirmed(op.seq),
        )
    };
    match catch_unwind(AssertUnwindSafe(fold)) {
        Ok(Ok(Folded::Skipped(SkipReason::Unreadable))) | Err(_) => true,
        Ok(Ok(
            Folded::Applied
            | Folded::Deleted
            | Folded::AfterDelete
            | Folded::Skipped(SkipReason::Erased)
            | Folded::Opaque,
        )) => false,
    }
}

/// An empty view, which keeps nothing that is written to it.
struct NoRows;

impl Rows for NoRows {
    type Error = Infallible;

    fn get(&mut self, _: &'static Table, _: &[Value]) -> Result<Option<Row>, Infallible> {
        Ok(None)
    }

    fn put(&mut self, _: &'static Table, _: Row) -> Result<(), Infallible> {
        Ok(())
    }

    fn insert(&mut self, _: &'static Table, _: Row) -> Result<bool, Infallible> {
        Ok(true)
    }

    fn clear(&mut self, _: &'static Table, _: &str) -> Result<(), Infallible> {
        Ok(())
    }
}
