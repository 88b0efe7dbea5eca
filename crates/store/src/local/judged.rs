//! What is done here by what a tenant file says: only while that file is the current one.
//!
//! A process that has a tenant file open learns of a switch when it next looks. What the old log holds is then
//! offered again, and is not to be taken for pulled by who still reads the old log. So the name is asked for within
//! the transaction.

use rusqlite::Transaction;
use syncline_model::ClockError;

use super::{LocalFile, StoreError, read_identity};

/// The local file, for who has judged by a tenant file.
#[derive(Debug)]
pub struct Judged<'a> {
    local: &'a mut LocalFile,
    tenant_file: &'a str,
}

/// Why what a tenant file has led to was not done; nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum JudgedError {
    #[error("another tenant file was put in the place of the one that this was judged by")]
    Exchanged,
    #[error("the clock has reached its end")]
    ClockEnd(#[from] ClockError),
    #[error("could not write to the local file")]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for JudgedError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl LocalFile {
    /// The file, for changes that follow from what the tenant file of this name holds.
    pub fn judged_by<'a>(&'a mut self, tenant_file: &'a str) -> Judged<'a> {
        Judged {
            local: self,
            tenant_file,
        }
    }
}

impl Judged<'_> {
    /// As [`LocalFile::durable`].
    pub(super) fn durable<T>(
        self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, JudgedError>,
    ) -> Result<T, JudgedError> {
        let name = self.tenant_file;
        self.local.durable(|transaction| {
            require_current(transaction, name)?;
            work(transaction)
        })
    }

    /// As [`LocalFile::relaxed`].
    pub(super) fn relaxed<T>(
        self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, JudgedError>,
    ) -> Result<T, JudgedError> {
        let name = self.tenant_file;
        self.local.relaxed(|transaction| {
            require_current(transaction, name)?;
            work(transaction)
        })
    }
}

fn require_current(transaction: &Transaction<'_>, name: &str) -> Result<(), JudgedError> {
    if read_identity(transaction)?.tenant_file == name {
        Ok(())
    } else {
        Err(JudgedError::Exchanged)
    }
}
