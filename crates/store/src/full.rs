//! A disk that is full.

use std::io;

use crate::file::{OpenError, StoreError};

impl OpenError {
    /// Whether the disk is full.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Store { source, .. } => matches!(source, StoreError::Full(_)),
            Self::Private { source, .. } => source.kind() == io::ErrorKind::StorageFull,
            Self::Missing { .. }
            | Self::NewerFormat { .. }
            | Self::Exists { .. }
            | Self::Foreign { .. }
            | Self::OldSqlite { .. } => false,
        }
    }
}
