//! Several reads that see one state.

use rusqlite::{Connection, Transaction};

use crate::StoreError;

/// Begins a read transaction that ends when it is dropped; none where the caller is in one, whose
/// reads see one state already.
pub(crate) fn snapshot(connection: &Connection) -> Result<Option<Transaction<'_>>, StoreError> {
    if connection.is_autocommit() {
        Ok(Some(connection.unchecked_transaction()?))
    } else {
        Ok(None)
    }
}
