//! The rebuild: a new tenant file beside the old one, filled, and switched to in one transaction.

use std::collections::VecDeque;

use syncline_model::planted::{Defect, is_planted};
use syncline_model::record::is_restricted;
use syncline_model::{Cursor, Epoch, EpochMode, LoggedOp, ServerSeq};
use syncline_protocol::session::Common;
use syncline_store::local::{AcknowledgedOps, OldFile, Switch};
use syncline_store::{
    Applied, ApplyError, LogStart, PageLimit, PendingOp, PulledPage, StoreError, TenantFile,
};

use super::Replica;
use super::apply::PageError;
use super::reconcile::Depth;
use crate::place::{NO_EPOCH, NamedFile};
use crate::{Changes, ReplicaError};

/// How much of the old log is read at a time for what is offered again.
const OFFER_PAGE: PageLimit = PageLimit {
    ops: 1000,
    bytes: 4 * 1024 * 1024,
};

/// A new tenant file, begun and not yet switched to. Its name is noted as left over, so a crash
/// leaves nothing behind for long.
#[derive(Debug)]
pub(crate) struct Rebuild {
    name: String,
    /// None: nothing has been fetched yet.
    pub(super) file: Option<TenantFile>,
    /// The floor of the first page; later pages name it.
    pub(crate) floor: Option<ServerSeq>,
    /// How many tombstones the log had collected when its first page was read.
    collections: Option<u64>,
}

/// What a switch does with ops that the new log may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offer {
    /// The last common place.
    pub common: Cursor,
    /// Ops of the old log above the common place and at or below this one are offered again.
    pub up_to: ServerSeq,
    pub mode: EpochMode,
}

impl Offer {
    fn acknowledged(&self) -> AcknowledgedOps {
        match self.mode {
            EpochMode::Heal => AcknowledgedOps::OfferAgain,
            EpochMode::Follow => AcknowledgedOps::DiscardAbove(self.up_to),
        }
    }
}

impl Rebuild {
    /// The new file's cursor, once it has one.
    pub(crate) fn cursor(&self) -> Result<Cursor, ReplicaError> {
        match &self.file {
            Some(file) => Ok(file.head().map_err(ReplicaError::Tenant)?.cursor),
            None => Ok(Cursor::ORIGIN),
        }
    }

    /// Whether a page that begins after `since` belongs with those before it. Below the floor a log
    /// that has collected a tombstone between two pages has perhaps given what it hid with the one, and
    /// not the tombstone with the other.
    pub(crate) fn goes_on_with(&mut self, since: ServerSeq, collections: Option<u64>) -> bool {
        if since == ServerSeq::ZERO {
            self.collections = collections;
        }
        let is_whole = self.floor.is_none_or(|floor| since >= floor);
        is_whole || self.collections == collections
    }

    /// The new file's epoch, once it has one.
    pub(crate) fn epoch(&self) -> Result<Option<Epoch>, ReplicaError> {
        match &self.file {
            Some(file) => Ok(Some(file.head().map_err(ReplicaError::Tenant)?.epoch)),
            None => Ok(None),
        }
    }
}

impl Replica {
    /// Begins a new tenant file.
    pub(crate) fn begin_rebuild(&mut self) -> Result<Rebuild, ReplicaError> {
        let name = self.place.new_name();
        self.local
            .note_leftover(&name)
            .map_err(ReplicaError::Local)?;
        Ok(Rebuild {
            name,
            file: None,
            floor: None,
            collections: None,
        })
    }

    /// Where the prepared file is to be written.
    pub(crate) fn path_of(&self, rebuild: &Rebuild) -> std::path::PathBuf {
        self.place.path_of(&rebuild.name)
    }

    /// Takes the fetched file as the new tenant file; says whether it is fit to be.
    ///
    /// `epoch` is the one that was asked for, if any.
    pub(crate) fn adopt_fetched(
        &mut self,
        rebuild: &mut Rebuild,
        epoch: Option<Epoch>,
    ) -> Result<Fitness, ReplicaError> {
        match TenantFile::adopt(&self.path_of(rebuild), &self.place.files) {
            Ok(file) => {
                let head = file.head().map_err(ReplicaError::Tenant)?;
                if epoch.is_none_or(|epoch| epoch == head.epoch) {
                    // No floor is named for the pages after it: below its cursor it is whole.
                    rebuild.file = Some(file);
                    return Ok(Fitness::Fit);
                }
                tracing::info!(epoch = %head.epoch, "the prepared file is of another epoch");
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the prepared file is not fit to be used");
            }
        }
        self.restart_rebuild(rebuild)?;
        Ok(Fitness::Unfit)
    }

    /// Applies a page to the new file; the first one makes it.
    pub(crate) fn apply_fetched(
        &mut self,
        rebuild: &mut Rebuild,
        page: &PulledPage,
    ) -> Result<Applied, PageError> {
        let file = match &mut rebuild.file {
            Some(file) => file,
            none => {
                let made = TenantFile::create(
                    &self.place.path_of(&rebuild.name),
                    &self.place.files,
                    page.epoch,
                    Cursor::ORIGIN.mark,
                );
                rebuild.floor = Some(page.floor);
                none.insert(made.map_err(ReplicaError::OpenTenant)?)
            }
        };
        // The outbox is folded on top once the file is the current one.
        let nothing: &[PendingOp] = &[];
        file.apply(page, nothing).map_err(|error| match error {
            ApplyError::Store(source) => PageError::Replica(ReplicaError::Tenant(source)),
            unfit => PageError::of_tenant(unfit),
        })
    }

    /// Lets go of what was fetched, and keeps the place for it.
    pub(crate) fn restart_rebuild(&mut self, rebuild: &mut Rebuild) -> Result<(), ReplicaError> {
        rebuild.file = None;
        rebuild.floor = None;
        self.place.remove(&rebuild.name)
    }

    /// Removes the new file.
    pub(crate) fn abandon_rebuild(&mut self, mut rebuild: Rebuild) -> Result<(), ReplicaError> {
        self.restart_rebuild(&mut rebuild)?;
        self.local
            .forget_leftover(&rebuild.name)
            .map_err(ReplicaError::Local)
    }

    /// The last common place of the current file and the new one. The server has perhaps verified one
    /// before its log was put back to where it has another: then what was fetched since tells.
    pub(crate) fn common(&self, rebuild: &Rebuild, common: Common) -> Result<Cursor, ReplicaError> {
        let Some(new) = &rebuild.file else {
            return Ok(Cursor::ORIGIN);
        };
        if let Common::At(place) = common {
            let mark = new.mark_at(place.server_seq);
            let mark = mark.map_err(ReplicaError::Tenant)?;
            if place.server_seq == ServerSeq::ZERO || mark == Some(place.mark) {
                return Ok(place);
            }
        }
        self.tenant.last_common(new).map_err(ReplicaError::Tenant)
    }

    /// Makes the new file the current one, in one transaction with what is offered again; gives the
    /// number of those ops. Where that fails, the new file is still there.
    pub(crate) fn switch(
        &mut self,
        rebuild: &mut Rebuild,
        offer: Offer,
    ) -> Result<usize, ReplicaError> {
        const EMPTY: StoreError = StoreError::Damaged {
            what: "nothing was fetched",
            source: None,
        };
        let file = rebuild.file.as_mut().ok_or(ReplicaError::Tenant(EMPTY))?;
        file.accept_erasures_of(&self.tenant)
            .map_err(ReplicaError::Tenant)?;
        let file = &*file;
        file.write_through().map_err(ReplicaError::Tenant)?;
        self.check_own_ops(file)?;
        // An op that the old log holds and the outbox still lists is offered once.
        self.try_reconcile(Depth::All)?;
        let old = &self.tenant;
        let head = old.head().map_err(ReplicaError::Tenant)?;
        let cut = match offer.mode {
            EpochMode::Heal => 0,
            EpochMode::Follow => old.count_after(offer.up_to).map_err(ReplicaError::Tenant)?,
        };
        let cut_end = match cut {
            0 => None,
            _ => old
                .op_at(head.cursor.server_seq)
                .map_err(ReplicaError::Tenant)?,
        };
        let switch = Switch {
            from: &self.tenant_name,
            to: &rebuild.name,
            old_file: OldFile::Remove,
            heal: Some(offer.common).filter(|_| !is_planted(Defect::NoOfferAgain)),
            acknowledged: offer.acknowledged(),
            cut,
            cut_end: cut_end.map(|op| (op.key, op.payload_hash)),
            clock_seen: head.clock_max,
            now: self.place.host.now(),
        };
        let offers = Offers::new(old, file, offer)?;
        let offered = self
            .local
            .switch(&switch, offers)
            .map_err(ReplicaError::Switch)?;
        tracing::info!(
            ops.offered = offered,
            ops.cut = cut,
            "switched to a new tenant file"
        );
        if let Some(file) = rebuild.file.take() {
            let name = rebuild.name.clone();
            self.turn_to(NamedFile { name, file });
            // What leaves the outbox now may be erased in the new log.
            self.owe_traces();
        }
        // The switch is made: what fails now is done by the next use of the replica.
        let settled = self
            .reconcile(Depth::All)
            .and_then(|()| self.refresh())
            .and_then(|()| self.remove_leftovers());
        if let Err(error) = settled {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the new tenant file lags behind the outbox");
        }
        self.subscribers.tell(&Changes::Unknown);
        Ok(offered)
    }

    /// Takes the new epoch for the tenant file as it is: its whole log is a part of the new history.
    pub(crate) fn adopt_epoch(
        &mut self,
        epoch: Epoch,
        mode: EpochMode,
    ) -> Result<(), ReplicaError> {
        let head = self.tenant.head().map_err(ReplicaError::Tenant)?;
        let up_to = head.cursor.server_seq;
        let offer = Offer {
            common: head.cursor,
            up_to,
            mode,
        };
        self.local
            .begin_epoch(offer.acknowledged(), self.place.host.now())
            .map_err(ReplicaError::Local)?;
        self.tenant
            .start_epoch(head.epoch, epoch, LogStart::Restored(mode))
            .map_err(ReplicaError::Tenant)?;
        self.refresh()
    }

    /// Removes files that no process needs any more. Only the holder of the sync lease may: another
    /// process's rebuild is in the list too.
    pub(crate) fn remove_leftovers(&mut self) -> Result<(), ReplicaError> {
        for name in self.local.leftovers().map_err(ReplicaError::Local)? {
            match self.place.remove(&name) {
                Ok(()) => self
                    .local
                    .forget_leftover(&name)
                    .map_err(ReplicaError::Local)?,
                // Some systems don't remove what another process has open; the next one will.
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::info!(
                        error,
                        file.name = name,
                        "an old tenant file is kept for now"
                    );
                }
            }
        }
        Ok(())
    }

    /// Takes a new actor if the new log holds an op of the current one that was never written here.
    fn check_own_ops(&mut self, new: &TenantFile) -> Result<(), ReplicaError> {
        // The actor of a replica that has met no server is fresh.
        if self.tenant.head().map_err(ReplicaError::Tenant)?.epoch == NO_EPOCH {
            return Ok(());
        }
        let actor = self.local.identity().map_err(ReplicaError::Local)?.actor;
        let mut ops = Vec::new();
        new.visit_ops_of(&actor, |key, hash| {
            ops.push((key, hash));
            Ok(())
        })
        .map_err(ReplicaError::Tenant)?;
        for (key, hash) in ops {
            let row = self.local.outbox_row(&key).map_err(ReplicaError::Local)?;
            if !self.wrote(row.as_ref(), &key, hash)? {
                return self.take_actor(&key);
            }
        }
        Ok(())
    }
}

/// Whether a fetched file can be the tenant file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fitness {
    Fit,
    Unfit,
}

/// The ops of the old log that the new one lacks, oldest first, read page by page.
struct Offers<'a> {
    old: &'a TenantFile,
    new: &'a TenantFile,
    up_to: ServerSeq,
    at: ServerSeq,
    page: VecDeque<LoggedOp>,
    /// Whether the new log has dropped anything above the common place.
    may_drop: bool,
}

impl<'a> Offers<'a> {
    fn new(old: &'a TenantFile, new: &'a TenantFile, offer: Offer) -> Result<Self, ReplicaError> {
        let floor = new.head().map_err(ReplicaError::Tenant)?.floor;
        Ok(Self {
            old,
            new,
            up_to: offer.up_to,
            at: offer.common.server_seq,
            page: VecDeque::new(),
            may_drop: offer.common.server_seq < floor,
        })
    }

    fn advance(&mut self) -> Result<Option<LoggedOp>, StoreError> {
        loop {
            if self.page.is_empty() {
                if self.at >= self.up_to {
                    return Ok(None);
                }
                self.page = self.old.ops_after(self.at, OFFER_PAGE)?.into();
            }
            let Some(op) = self.page.pop_front() else {
                return Ok(None);
            };
            self.at = op.seq;
            if op.seq > self.up_to {
                return Ok(None);
            }
            // Another payload under its key is the server's to judge.
            let same = |(_, hash)| hash == op.payload_hash;
            let has = self.new.find(&op.key)?.is_some_and(same);
            // Who sees a part of an op never offers it again.
            let is_part = op.payload.as_ref().is_some_and(is_restricted);
            if !is_part && !has && (!self.may_drop || !self.new.counts_as_dropped(&op)?) {
                return Ok(Some(op));
            }
        }
    }
}

impl Iterator for Offers<'_> {
    type Item = Result<LoggedOp, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}
