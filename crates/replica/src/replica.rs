//! A replica: its local file, its tenant file, and what keeps the two in step.
//!
//! # Two files, and a crash between any two of their transactions
//!
//! | first | then | a crash between them |
//! |---|---|---|
//! | local: a write, on the disk | tenant: it is folded on top | the tenant file notes up to which order it has folded; the next open folds the rest |
//! | tenant: a page, with ops of the outbox, on the disk | local: those ops leave the outbox, and those whose keys are others' are written anew | an op that the log holds is never folded as pending; the next open removes it, or writes it anew |
//! | local: a refused op moves to quarantine, its resource is noted as due | tenant: the resource is folded again without it, on the disk; local: it is no longer due | the next open folds it again; doing so twice changes nothing |
//! | local: an acknowledgement, or the removal of a pulled op, not waited for | anything | a power cut takes it back: the op is pushed again, and answered as a duplicate |
//! | local: a new actor | tenant: the page that called for it | a new actor that nobody needed |
//! | local: what was acknowledged in the old epoch is pending again | tenant: the new epoch | the server answers with the new epoch again, and it is done again |
//! | local: the name of a new tenant file, noted as left over | the file is made, filled, on the disk | it is removed by the next process that takes the sync lease |
//! | local: the switch (name, and the ops offered again) | tenant: the outbox is folded on the new file; the old one is removed | the next open folds it; the old one is noted as left over |
//! | tenant: a step of compaction, not waited for | local: how far it has come | it goes over the same ops again, or, after a power cut, not before the next run |
//!
//! So the local file is always right, and the tenant file is the log up to its own cursor with as
//! much of the outbox on top as it says. A power cut may take the tenant file's last transactions
//! back: its cursor goes back with them, and they are pulled again. Only what the local file has let
//! go of must not be lost there, so a page with ops of the outbox waits for the disk.
//!
//! # Many processes
//!
//! A write takes the local file's write lock for as long as its own commit, and never waits for the
//! tenant file under it: one of lists or records is decided on what it reads there. The fold on top reads the local file inside the tenant file's transaction,
//! so whoever folds, folds everything that is durable. Only the process with the sync lease pushes,
//! applies pages, and exchanges the tenant file; the others notice by its name. Until they do, they have a log open
//! that may hold what is offered again since: what they do to the local file because of what the tenant file holds
//! is done only if that one is still named there, as the transaction itself finds.
//!
//! A restore exchanges both files, while nobody syncs or imports. Whoever has them open notices by the
//! local file's place in the file system: before a use, and after the commit of a write, which is done
//! again in the file that is there now if it went into the one that was moved aside. What goes by the files' names,
//! as opening both does and setting one aside, is done while no restore can exchange them.

mod apply;
mod compact;
mod deciding;
mod follow;
mod foreign;
mod import;
mod lists;
mod open;
mod planted;
mod read;
mod rebuild;
mod reconcile;
mod records;
mod repeated;
#[cfg(test)]
mod tests;
mod things;
mod write;

use std::sync::Arc;

use syncline_store::local::LocalFile;
use syncline_store::{Durability, TenantFile};

use crate::changes::{Subscribers, Subscription};
use crate::place::{NamedFile, Place};
use crate::{Changes, FileIdentity, Host, ReplicaError};

pub(crate) use apply::{NewClock, PageError};
pub(crate) use compact::Compacting;
pub use lists::{ListError, ListHistory, ListsChanged, ListsReversed};
pub use open::ReplicaOptions;
pub use read::{OpState, ScopeStatus, Status};
pub(crate) use rebuild::{Fitness, Offer, Rebuild};
pub(crate) use reconcile::Depth;
pub use records::{RecordChange, RecordError, RecordOutcome, RecordsWritten};
pub use things::{BeforeSync, PendingThings, SyncedThings, Things};
pub use write::{LaterWords, Retried, WriteWithError, Written};

/// A handle on a replica. Each thread has its own ([`Replica::another`]); they share subscribers.
#[derive(Debug)]
pub struct Replica {
    pub(crate) place: Place,
    pub(crate) local: LocalFile,
    /// Which file `local` is.
    local_at: FileIdentity,
    pub(crate) tenant: TenantFile,
    /// The name of `tenant` in the local file.
    pub(crate) tenant_name: String,
    pub(crate) subscribers: Arc<Subscribers>,
    /// The tenant file's data version when this handle last looked for others' changes; none: it has not looked at
    /// this file.
    seen_version: Option<i64>,
    /// Whether a commit that was to be on the disk has failed since the file was last known to be.
    tenant_in_doubt: bool,
}

impl Replica {
    /// The view: the log with every durable local write folded on top.
    pub fn view(&mut self) -> Result<&TenantFile, ReplicaError> {
        self.refresh()?;
        Ok(&self.tenant)
    }

    /// This replica's machine.
    pub fn host(&self) -> &Arc<dyn Host> {
        &self.place.host
    }

    /// The file that holds log and view; a restore or a reset of the server puts another in its place.
    pub fn tenant_path(&self) -> std::path::PathBuf {
        self.place.path_of(&self.tenant_name)
    }

    /// Another handle on the same replica, for another thread.
    pub fn another(&self) -> Result<Self, ReplicaError> {
        Self::open_at(self.place.clone(), Arc::clone(&self.subscribers))
    }

    /// Tells, from now on, what changes through any handle of this process.
    pub fn subscribe(&self) -> Subscription {
        self.subscribers.subscribe(|| {})
    }

    /// As [`Replica::subscribe`]; `wake` is called on the writing thread whenever there is something
    /// to take. It must be quick, and must not use the replica.
    pub fn subscribe_with(&self, wake: impl Fn() + Send + Sync + 'static) -> Subscription {
        self.subscribers.subscribe(wake)
    }

    /// Looks for what other processes have changed, and tells subscribers; says whether anything
    /// was. Cheap enough to be called many times a second.
    pub fn look(&mut self) -> Result<Looked, ReplicaError> {
        let behind = self.is_behind()?;
        let version = self.tenant.data_version().map_err(ReplicaError::Tenant)?;
        if !behind && self.seen_version == Some(version) {
            return Ok(Looked::Same);
        }
        self.refresh()?;
        self.seen_version = Some(self.tenant.data_version().map_err(ReplicaError::Tenant)?);
        self.subscribers.tell(&Changes::Unknown);
        Ok(Looked::Changed)
    }

    /// Brings this handle up to date with the local file: the tenant file that it names, with the
    /// whole outbox on top.
    pub(crate) fn refresh(&mut self) -> Result<(), ReplicaError> {
        match self.try_refresh() {
            Err(error) if error.is_tenant_damage() => {
                self.set_aside_damaged(&error)?;
                self.try_refresh()
            }
            done => done,
        }
    }

    fn try_refresh(&mut self) -> Result<(), ReplicaError> {
        self.follow()?;
        self.fold_outbox()
    }

    /// Folds on top what the outbox has gained, and folds again what it has lost ops of.
    fn fold_outbox(&mut self) -> Result<(), ReplicaError> {
        self.on_current_file(Self::try_fold_outbox)
    }

    fn try_fold_outbox(&mut self) -> Result<(), ReplicaError> {
        let folded = self.tenant.folded_order().map_err(ReplicaError::Tenant)?;
        if self.local.newest_order().map_err(ReplicaError::Local)? > folded {
            let touched = self
                .local
                .resources_after(folded)
                .map_err(ReplicaError::Local)?;
            self.tenant
                .fold_outbox(&self.local)
                .map_err(ReplicaError::Tenant)?;
            self.subscribers
                .tell(&Changes::Named(touched.into_iter().collect()));
        }
        let Some((due, token)) = self.local.refolds_due().map_err(ReplicaError::Local)? else {
            return Ok(());
        };
        // What is no longer due must not come back with a power cut.
        self.durably(|tenant, local| tenant.refold(&due, local).map_err(ReplicaError::Tenant))?;
        self.judged().refolded(token)?;
        self.subscribers
            .tell(&Changes::Named(due.into_iter().collect()));
        Ok(())
    }

    /// Runs a transaction on the tenant file whose commit waits for the disk.
    ///
    /// A sync that failed may have lost earlier commits, and a later one behind them would be cut
    /// off with them: the file's write-ahead log is begun anew before the next.
    pub(crate) fn durably<T, E: From<ReplicaError>>(
        &mut self,
        work: impl FnOnce(&mut TenantFile, &LocalFile) -> Result<T, E>,
    ) -> Result<T, E> {
        let set = |tenant: &TenantFile, durability| {
            tenant
                .set_durability(durability)
                .map_err(ReplicaError::Tenant)
        };
        if self.tenant_in_doubt {
            self.tenant.write_through().map_err(ReplicaError::Tenant)?;
            self.tenant_in_doubt = false;
        }
        set(&self.tenant, Durability::Full)?;
        let done = work(&mut self.tenant, &self.local);
        self.tenant_in_doubt = done.is_err();
        set(&self.tenant, Durability::Normal)?;
        done
    }

    fn has_unfolded(&self) -> Result<bool, ReplicaError> {
        let newest = self.local.newest_order().map_err(ReplicaError::Local)?;
        let folded = self.tenant.folded_order().map_err(ReplicaError::Tenant)?;
        Ok(newest > folded)
    }

    fn is_behind(&self) -> Result<bool, ReplicaError> {
        Ok(!self.is_in_place()? || self.is_exchanged()? || self.has_unfolded()?)
    }

    /// Puts an empty tenant file in place of a damaged one; sync fetches the log again. The damaged
    /// one is kept beside, and `status` says so.
    pub fn set_aside_damaged(&mut self, cause: &ReplicaError) -> Result<(), ReplicaError> {
        // What a restore has put in its place may bear its name, and is whole.
        self.on_kept_files(|replica| {
            if !replica.is_exchanged()? {
                let name = replica.tenant_name.clone();
                replica.place.set_aside(&mut replica.local, &name, cause)?;
            }
            replica.reopen_tenant()
        })
    }

    /// Opens the tenant file that the local file names, while no restore can exchange the two.
    fn reopen_tenant(&mut self) -> Result<(), ReplicaError> {
        let opened = self.place.open_tenant(&mut self.local)?;
        self.turn_to(opened);
        Ok(())
    }

    /// Turns to another tenant file.
    fn turn_to(&mut self, to: NamedFile) {
        self.tenant = to.file;
        self.tenant_name = to.name;
        self.seen_version = None;
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.local.leave_small_log();
        // One that is in doubt is moved into its file by SQLite, as far as the disk allows.
        if !self.tenant_in_doubt {
            self.tenant.leave_small_log();
        }
    }
}

/// Whether there was anything to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    Same,
    Changed,
}
