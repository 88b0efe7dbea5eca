//! Whether a backup is of what it is to replace, and what becomes of that where it is not.

use std::path::Path;

use syncline_model::{Cursor, Epoch, ServerSeq};

use super::copy::{sync, tenant_file_of};
use super::{BackupError, BackupKind, Manifest};
use crate::file::{Durability, FileOptions, StoreError};
use crate::tenant::{AppendError, Appended, PageLimit, TenantFile};

/// How much of a log is put behind another in one transaction.
const PAGE: PageLimit = PageLimit {
    ops: 1000,
    bytes: 4 * 1024 * 1024,
};

/// What becomes of a log that has nothing in common with the backup that is put in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherLog {
    /// It stays, and nothing is put back.
    Stays,
    /// What it holds comes behind what the backup holds: a person says that others have begun it anew.
    Joins,
}

/// How many ops of a log were put behind those of the backup in its place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Joined {
    pub ops: u64,
    /// Those that could not be: a tombstone that the backup's log has collected may have covered them.
    pub left: u64,
}

/// Two logs of which nothing tells that they are of one server.
pub(super) struct Strangers {
    copy: Epoch,
    live: Epoch,
}

impl Strangers {
    pub(super) fn refused(self, kind: BackupKind, name: &str) -> BackupError {
        BackupError::OtherLog {
            kind,
            name: name.to_owned(),
            copy: self.copy,
            live: self.live,
        }
    }
}

/// The log at `copy` and that at `live`, in whose place it is to be put, where nothing tells that they are
/// of one server. A log that is gone, or can't be read, is replaced by any.
pub(super) fn strangers(copy: &Path, live: &Path) -> Result<Option<Strangers>, BackupError> {
    if !live.exists() {
        return Ok(None);
    }
    let options = FileOptions::default();
    let live = match TenantFile::open(live, &options) {
        Ok(live) => live,
        Err(error) if error.is_damage() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let copy = TenantFile::open(copy, &options)?;
    if !copy.is_foreign_to(&live)? {
        return Ok(None);
    }
    Ok(Some(Strangers {
        copy: copy.head()?.epoch,
        live: live.head()?.epoch,
    }))
}

/// Refuses to put the replica of `manifest`, its files in `copies`, in the place of that with the local
/// file `local`, where nothing tells that they are of one server.
pub(super) fn check_replica_kin(
    manifest: &Manifest,
    copies: &Path,
    local: &Path,
) -> Result<(), BackupError> {
    let log = manifest.files.iter().find(|file| file.log.is_some());
    let (Some(log), Ok(live)) = (log, tenant_file_of(local)) else {
        return Ok(());
    };
    match strangers(&copies.join(&log.name), &local.with_file_name(live))? {
        None => Ok(()),
        Some(strangers) => Err(strangers.refused(manifest.kind, &log.name)),
    }
}

/// Puts what the log at `live` holds behind what that at `copy` holds, which takes its place; gives where
/// it then ends.
pub(super) fn join(copy: &Path, live: &Path) -> Result<(Joined, Cursor), BackupError> {
    let failed = |source: StoreError| BackupError::Copy {
        path: live.to_owned(),
        source,
    };
    let options = FileOptions {
        durability: Durability::Full,
        ..FileOptions::default()
    };
    let from = TenantFile::open(live, &options)?;
    let mut to = TenantFile::open(copy, &options)?;
    let mut joined = Joined::default();
    let mut at = ServerSeq::ZERO;
    loop {
        let page = from.ops_after(at, PAGE).map_err(failed)?;
        let Some(last) = page.last() else {
            break;
        };
        at = last.seq;
        let mut batch = to.begin()?;
        for op in &page {
            // Of two logs with nothing in common, the one has never dropped what the other holds.
            let appended = batch.append_lost(&op.key, op.payload.as_ref(), op.payload_hash);
            match appended.map_err(|AppendError::Store { source, .. }| failed(source))? {
                Appended::At(..) => joined.ops += 1,
                Appended::Duplicate(_) => {}
                Appended::Conflict(_) | Appended::MaybeCovered | Appended::Behind(_) => {
                    joined.left += 1;
                }
            }
        }
        batch.commit()?;
    }
    to.write_through()?;
    let end = to.head()?.cursor;
    drop(to);
    sync(copy)?;
    Ok((joined, end))
}
