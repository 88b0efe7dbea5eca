//! Noticing that a restore has put another replica in the place of the one that is open.

use std::mem;

use syncline_store::TenantFile;
use syncline_store::local::{Judged, LocalFile, WriteError};

use super::Replica;
use super::reconcile::Depth;
use crate::place::Opened;
use crate::{Changes, ReplicaError};

/// How often something is done again because a file was replaced as it was done: each time a person has restored a
/// backup, or another process has finished a rebuild.
const TRIES: u32 = 8;

/// What the place of a replica holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Followed {
    /// What is open.
    Same,
    /// Another replica, which is open now.
    Another,
}

impl Replica {
    /// Whether the local file that is open is the one that others find.
    pub(super) fn is_in_place(&self) -> Result<bool, ReplicaError> {
        Ok(self.place.local_at()?.as_ref() == Some(&self.local_at))
    }

    /// Opens what is in the place of this replica now, if that is another one.
    pub(super) fn follow_restore(&mut self) -> Result<Followed, ReplicaError> {
        if self.is_in_place()? {
            return Ok(Followed::Same);
        }
        tracing::warn!("a backup was put back; the replica that it replaces is let go of");
        let Opened { local, tenant } = self.place.open()?;
        self.local = local.file;
        let left = mem::replace(&mut self.local_at, local.at);
        self.turn_to(tenant);
        self.tenant_in_doubt = false;
        if let Err(error) = self.reconcile(Depth::Recent) {
            // It is not followed before it is compared: the next use does so again.
            self.local_at = left;
            return Err(error);
        }
        self.subscribers.tell(&Changes::Unknown);
        Ok(Followed::Another)
    }

    /// Does what goes by the names of the files that are open, while no restore can exchange them; where one has
    /// done so, what is in their place is opened instead.
    pub(super) fn on_kept_files(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<(), ReplicaError>,
    ) -> Result<(), ReplicaError> {
        let kept = self.place.keep_from_restores()?;
        if self.is_in_place()? {
            return work(self);
        }
        drop(kept);
        self.follow_restore()?;
        Ok(())
    }

    /// Whether another tenant file was put in the place of the one that is open.
    pub(super) fn is_exchanged(&self) -> Result<bool, ReplicaError> {
        let identity = self.local.identity().map_err(ReplicaError::Local)?;
        Ok(identity.tenant_file != self.tenant_name)
    }

    /// Opens the tenant file that was put in the place of the one that is open, if one was: one that was
    /// fetched, or an empty one in place of one that is damaged.
    pub(super) fn follow_exchange(&mut self) -> Result<(), ReplicaError> {
        if self.is_exchanged()? {
            self.on_kept_files(Self::reopen_tenant)?;
            self.subscribers.tell(&Changes::Unknown);
        }
        Ok(())
    }

    /// Turns to the files that are in the place of this replica now.
    pub(crate) fn follow(&mut self) -> Result<(), ReplicaError> {
        self.follow_restore()?;
        self.follow_exchange()
    }

    /// The local file, for what follows from what the tenant file says that is open.
    pub(super) fn judged(&mut self) -> Judged<'_> {
        self.local.judged_by(&self.tenant_name)
    }

    /// Does what judges by the tenant file that is open, and again by the one that was put in its place meanwhile.
    pub(super) fn on_current_file<T>(
        &mut self,
        mut work: impl FnMut(&mut Self) -> Result<T, ReplicaError>,
    ) -> Result<T, ReplicaError> {
        for _ in 0..TRIES {
            match work(self) {
                Err(ReplicaError::Exchanged) => self.follow_exchange()?,
                done => return done,
            }
        }
        Err(ReplicaError::Restless)
    }

    /// Opens what is in the place of this replica now, and refuses a write that was made from what was
    /// there before.
    pub(super) fn refuse_if_replaced(&mut self) -> Result<(), WriteError> {
        match self.follow_restore().map_err(replaced)? {
            Followed::Same => Ok(()),
            Followed::Another => Err(WriteError::Replaced { source: None }),
        }
    }

    /// Does a write to the local file, in the one that others find.
    pub(super) fn write_in_place<T>(
        &mut self,
        mut write: impl FnMut(&mut LocalFile, &TenantFile) -> Result<T, WriteError>,
    ) -> Result<T, WriteError> {
        for _ in 0..TRIES {
            self.follow_restore().map_err(replaced)?;
            let written = write(&mut self.local, &self.tenant)?;
            if self.still_in_place() {
                return Ok(written);
            }
        }
        Err(replaced(ReplicaError::Restless))
    }

    /// Whether what was just committed is where others find it. Where that can't be seen it is on the
    /// disk all the same.
    pub(super) fn still_in_place(&self) -> bool {
        self.is_in_place().unwrap_or_else(|error| {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "could not look whether the replica was replaced"
            );
            true
        })
    }
}

fn replaced(error: ReplicaError) -> WriteError {
    WriteError::Replaced {
        source: Some(Box::new(error)),
    }
}
