//! Which ops a disk holds, and where.

use std::collections::{BTreeMap, BTreeSet};

use syncline_model::{Epoch, LoggedOp, ServerSeq};
use syncline_store::local::{LocalFile, OutboxState};
use syncline_store::{FileOptions, PageLimit, StoreError, TenantFile};
use uuid::Uuid;

use super::{Archive, Digest, WholeLog, digest};

const WHOLE: PageLimit = PageLimit {
    ops: usize::MAX >> 1,
    bytes: usize::MAX >> 1,
};

/// How an op waits in an outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutboxKind {
    Pending,
    Acknowledged,
    /// Offered again for the log's sake.
    Offer,
}

/// The ops on one disk.
#[derive(Debug, Default, Clone)]
pub(crate) struct Holdings {
    /// The epoch of the log; none: it has met no server.
    pub(crate) epoch: Option<Epoch>,
    /// With what compaction has dropped: that it held as well, in effect.
    pub(crate) log: BTreeMap<ServerSeq, Digest>,
    /// The log's ops, for those who fold it themselves.
    pub(crate) whole: WholeLog,
    pub(crate) outbox: Vec<(Digest, OutboxKind)>,
    pub(crate) quarantine: BTreeSet<Digest>,
}

impl Holdings {
    /// Reads the log of a tenant file.
    pub(crate) fn of_log(file: &TenantFile, archive: &mut Archive) -> Result<Self, StoreError> {
        let epoch = Some(file.head()?.epoch).filter(|epoch| *epoch != Epoch::new(Uuid::nil()));
        let whole = archive.whole(file)?;
        let places = whole.ops.iter();
        let digest_of = |op: &LoggedOp| digest(&op.payload_hash);
        Ok(Self {
            epoch,
            log: places.map(|(seq, op)| (*seq, digest_of(op))).collect(),
            whole,
            ..Self::default()
        })
    }

    /// Reads a replica's files under `prefix`; what can't be read is not held.
    pub(crate) fn of_replica(vfs: &str, prefix: &str, archive: &mut Archive) -> Self {
        let options = FileOptions {
            vfs: Some(vfs.to_owned()),
            ..FileOptions::default()
        };
        let local = LocalFile::open(format!("{prefix}local.db").as_ref(), &options);
        let Ok(local) = local else {
            return Self::default();
        };
        let tenant = local.identity().ok().and_then(|identity| {
            let path = format!("{prefix}{}", identity.tenant_file);
            TenantFile::open(path.as_ref(), &options).ok()
        });
        let log = tenant.and_then(|file| Self::of_log(&file, archive).ok());
        let mut held = log.unwrap_or_default();
        for row in local.outbox_after(0, WHOLE.ops).unwrap_or_default() {
            let kind = match (row.heal, row.state) {
                (Some(_), _) => OutboxKind::Offer,
                (None, OutboxState::Pending) => OutboxKind::Pending,
                (None, OutboxState::Acknowledged(_)) => OutboxKind::Acknowledged,
            };
            held.outbox.push((digest(&row.payload_hash), kind));
        }
        let quarantined = local.quarantined().unwrap_or_default();
        let digests = quarantined.iter().map(|op| digest(&op.payload_hash));
        held.quarantine.extend(digests);
        held
    }

    pub(crate) fn holds(&self, digest: &Digest) -> bool {
        self.all().any(|held| held == digest)
    }

    /// Every op, some of them twice.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Digest> {
        let outbox = self.outbox.iter().map(|(digest, _)| digest);
        self.log.values().chain(outbox).chain(&self.quarantine)
    }
}
