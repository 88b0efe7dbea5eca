//! What plugins tell becomes ops, and is on the disk before it is answered.

use std::sync::{Arc, Mutex, PoisonError};

use syncline_capture::import::take_told;
use syncline_capture::told::Told;
use syncline_replica::Replica;
use syncline_store::StoreError;
use syncline_store::local::WriteError;

use crate::capture::CaptureSettings;
use crate::rpc::RpcError;

/// The settings in force, for all who go by them.
pub(crate) type InForce = Arc<Mutex<CaptureSettings>>;

/// Writes what plugins tell.
#[derive(Debug)]
pub(crate) struct Recorder {
    replica: Mutex<Replica>,
    settings: InForce,
}

impl Recorder {
    pub(crate) fn new(replica: Replica, settings: InForce) -> Self {
        Self {
            replica: Mutex::new(replica),
            settings,
        }
    }

    /// Writes what was told, in one transaction.
    pub(crate) fn record(&self, told: &[Told]) -> Result<(), RpcError> {
        let settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        let captured = settings.captured.clone();
        let privacy = settings.privacy().map_err(|error| internal(&error))?;
        drop(settings);
        let mut replica = self.replica.lock().unwrap_or_else(PoisonError::into_inner);
        let takes = |agent: &str| captured.takes(agent);
        let batch = take_told(told, takes, privacy, &mut replica);
        let batch = batch.map_err(|error| internal(&error))?;
        if !batch.marked_late.is_empty() {
            tracing::warn!(
                sessions = ?batch.marked_late,
                "sessions are not to be recorded, and some of them is"
            );
        }
        match replica.write_imported(&batch.ops, &batch.notes) {
            Ok(_) => Ok(()),
            Err(WriteError::Store(StoreError::Full(_))) => {
                tracing::warn!("no room on the disk for what a plugin told");
                Err(RpcError::new(
                    RpcError::DISK_FULL,
                    "there is no room on the disk",
                ))
            }
            Err(error) => Err(internal(&error)),
        }
    }
}

/// What the caller can do nothing about; the log has its causes.
pub(crate) fn internal(error: &(dyn std::error::Error + 'static)) -> RpcError {
    tracing::warn!(error, "a call of the control socket failed");
    RpcError::new(RpcError::INTERNAL, error.to_string())
}
