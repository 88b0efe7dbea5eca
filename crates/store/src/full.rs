//! A disk that is full.

use crate::file::{OpenError, StoreError};

impl OpenError {
    /// Whether the disk is full.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Store { source, .. } => matches!(source, StoreError::Full(_)),
            _ => false,
        }
    }
}
