//! Where a replica's files are, and how they are opened, made and set aside.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use syncline_model::planted::{Defect, is_planted};
use syncline_model::{ActorId, ClientId, Cursor, Epoch, Mark};
use syncline_store::backup::{
    KeptFromRestores, drop_unfinished, is_unfinished, keep_from_restores,
};
use syncline_store::local::{
    AcknowledgedOps, Identity, LOCAL_FILE_NAME, LocalFile, OldFile, Switch, SwitchError, SyncError,
};
use syncline_store::{FileOptions, OpenError, TenantFile};
use uuid::Uuid;

use crate::{FileIdentity, Host, Lease, ReplicaError};

/// The name of the file whose lock the daemon of a replica holds, in its directory.
pub const DAEMON_LOCK_NAME: &str = "daemon.lock";
const LEASE_FILE_NAME: &str = "sync.lock";
/// The file whose lock an importer holds.
pub(crate) const IMPORT_LEASE_NAME: &str = "import.lock";
/// What SQLite keeps beside a database.
const SQLITE_SUFFIXES: [&str; 3] = ["", "-wal", "-shm"];
/// How often a file may be exchanged while it is being opened: each time another process finished a
/// rebuild or a restore, so more than a few in a row don't happen.
const OPEN_TRIES: u32 = 8;

/// The code under which `status` reports a tenant file that was set aside.
const DAMAGED_CODE: &str = "tenant_file_damaged";

/// The epoch of a tenant file that has never met a server.
pub(crate) const NO_EPOCH: Epoch = Epoch::new(Uuid::nil());

/// A replica's directory on its host.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub host: Arc<dyn Host>,
    pub directory: PathBuf,
    pub files: FileOptions,
}

/// A local file, and which file that is.
#[derive(Debug)]
pub(crate) struct PlacedLocal {
    pub at: FileIdentity,
    pub file: LocalFile,
}

/// The files of a replica.
#[derive(Debug)]
pub(crate) struct Opened {
    pub local: PlacedLocal,
    pub tenant: NamedFile,
}

/// A tenant file, and the name under which the local file knows it.
#[derive(Debug)]
pub(crate) struct NamedFile {
    pub name: String,
    pub file: TenantFile,
}

impl Place {
    pub(crate) fn path_of(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// A name that no file here has had.
    pub(crate) fn new_name(&self) -> String {
        format!("tenant-{}.db", self.new_id().simple())
    }

    pub(crate) fn new_actor(&self) -> ActorId {
        ActorId::new(self.new_id().hyphenated().to_string()).expect(UUID_IS_ID)
    }

    fn new_id(&self) -> Uuid {
        syncline_model::mint(self.host.now(), self.host.random())
    }

    /// Takes the right to sync this replica; none: another process has it.
    pub(crate) fn try_lease(&self) -> Result<Option<Lease>, ReplicaError> {
        self.try_named_lease(LEASE_FILE_NAME)
    }

    /// Takes the lease whose file has this name; none: another process has it.
    pub(crate) fn try_named_lease(&self, name: &str) -> Result<Option<Lease>, ReplicaError> {
        let path = self.path_of(name);
        self.host
            .try_lease(&path)
            .map_err(|source| failed("take the lease", path, source))
    }

    /// Finishes a restore that is decided, and lets no other exchange the replica's files as long as what this
    /// gives is there. Who holds it asks for no second, nor waits for who does.
    pub(crate) fn keep_from_restores(&self) -> Result<Option<KeptFromRestores>, ReplicaError> {
        // Nothing is put back on a simulated disk.
        if self.files.vfs.is_some() {
            return Ok(None);
        }
        let kept = keep_from_restores(&self.directory).map_err(ReplicaError::Restore)?;
        Ok(Some(kept))
    }

    /// Opens local file and tenant file, or makes them, as those of one replica.
    pub(crate) fn open(&self) -> Result<Opened, ReplicaError> {
        let kept = self.keep_from_restores()?;
        if kept.is_some() {
            self.drop_unfinished_restore()?;
        }
        let mut local = self.open_local()?;
        self.check_copy(&mut local)?;
        let tenant = self.open_tenant(&mut local.file)?;
        Ok(Opened { local, tenant })
    }

    /// Removes what a restore has left that was killed; one that is being made has the lease.
    fn drop_unfinished_restore(&self) -> Result<(), ReplicaError> {
        if is_unfinished(&self.directory)
            && let Some(_lease) = self.try_lease()?
        {
            drop_unfinished(&self.directory);
        }
        Ok(())
    }

    /// Opens the local file, or makes it, and says which file that is: a restore puts another there.
    pub(crate) fn open_local(&self) -> Result<PlacedLocal, ReplicaError> {
        for _ in 0..OPEN_TRIES {
            let before = self.local_at()?;
            let file = self.open_or_make_local()?;
            match before {
                Some(at) if self.local_at()?.as_ref() == Some(&at) => {
                    return Ok(PlacedLocal { at, file });
                }
                // It was made just now.
                Some(_) | None => {}
            }
        }
        Err(ReplicaError::Restless)
    }

    /// Which file the local file is now; none: there is none.
    pub(crate) fn local_at(&self) -> Result<Option<FileIdentity>, ReplicaError> {
        self.identity_of(&self.path_of(LOCAL_FILE_NAME))
    }

    /// Opens the local file, or makes it and the tenant file that it names.
    ///
    /// The tenant file comes first, so that a local file always names one that is whole. A crash
    /// between the two leaves a small file that nothing names.
    fn open_or_make_local(&self) -> Result<LocalFile, ReplicaError> {
        let path = self.path_of(LOCAL_FILE_NAME);
        match LocalFile::open(&path, &self.files) {
            Err(OpenError::Missing { .. }) => {}
            opened => return opened.map_err(ReplicaError::OpenLocal),
        }
        let fresh = self.make_tenant()?;
        let identity = Identity {
            replica: self.new_replica(),
            actor: self.new_actor(),
            clock: 0,
            host: None,
            member: None,
            tenant_file: fresh.name.clone(),
        };
        drop(fresh.file);
        let local = LocalFile::open_or_create(&path, &self.files, &identity)
            .map_err(ReplicaError::OpenLocal)?;
        let current = local.identity().map_err(ReplicaError::Local)?.tenant_file;
        if current != fresh.name {
            self.remove(&fresh.name)?;
        }
        Ok(local)
    }

    /// Gives the file a new replica and actor if it is a copy: on another machine, device or inode.
    fn check_copy(&self, placed: &mut PlacedLocal) -> Result<(), ReplicaError> {
        let PlacedLocal { at, file: local } = placed;
        let here = at.to_string();
        let identity = local.identity().map_err(ReplicaError::Local)?;
        match identity.host {
            None => local.note_host(&here).map_err(ReplicaError::Local),
            Some(noted) if noted == here || is_planted(Defect::KeepActorOfCopy) => Ok(()),
            Some(noted) => {
                let replica = self.new_replica();
                tracing::warn!(
                    replica.old = %identity.replica, replica.new = %replica, file.noted = noted,
                    file.here = here, "the local file was copied; it is a new replica from now on"
                );
                local
                    .become_replica(&identity.replica, &replica, &self.new_actor(), &here)
                    .map_err(ReplicaError::Local)
            }
        }
    }

    /// Opens the tenant file that the local file names. A damaged one is set aside, and an empty one
    /// takes its place until the log is fetched again. No restore may exchange the files meanwhile: a log that
    /// is put back has the name of the one that it replaces.
    pub(crate) fn open_tenant(&self, local: &mut LocalFile) -> Result<NamedFile, ReplicaError> {
        for _ in 0..OPEN_TRIES {
            let name = local.identity().map_err(ReplicaError::Local)?.tenant_file;
            let path = self.path_of(&name);
            let error = match TenantFile::open(&path, &self.files) {
                Ok(file) => return Ok(NamedFile { name, file }),
                Err(error) => error,
            };
            let gone =
                matches!(error, OpenError::Missing { .. }) && self.identity_of(&path)?.is_none();
            if !gone && !error.is_damage() {
                return Err(ReplicaError::OpenTenant(error));
            }
            // Where another process has exchanged the file meanwhile, the new one is opened.
            if local.identity().map_err(ReplicaError::Local)?.tenant_file == name {
                self.set_aside(local, &name, &error)?;
            }
        }
        Err(ReplicaError::Restless)
    }

    /// Puts an empty tenant file in place of a damaged one, which is kept under another name.
    ///
    /// The replica takes a new actor: with the log gone, nobody can tell any more whether a pulled op
    /// of the old one was written here.
    pub(crate) fn set_aside(
        &self,
        local: &mut LocalFile,
        name: &str,
        cause: &(dyn std::error::Error + 'static),
    ) -> Result<(), ReplicaError> {
        let empty = self.make_tenant()?;
        drop(empty.file);
        let identity = local.identity().map_err(ReplicaError::Local)?;
        let is_member = identity.member.is_some();
        local
            .take_actor(&identity.actor, &self.new_actor())
            .map_err(ReplicaError::Local)?;
        let switch = Switch {
            from: name,
            to: &empty.name,
            old_file: OldFile::SetAside,
            heal: None,
            acknowledged: AcknowledgedOps::Keep,
            cut: 0,
            cut_end: None,
            clock_seen: 0,
            now: self.host.now(),
        };
        match local.switch(&switch, std::iter::empty()) {
            Ok(_) => {}
            Err(SwitchError::Moved { .. }) => return self.remove(&empty.name),
            Err(error) => return Err(ReplicaError::Switch(error)),
        }
        let kept = format!("damaged-{name}");
        tracing::error!(
            error = cause,
            file.kept = kept,
            "the tenant file is damaged; it is set aside and fetched again from the server"
        );
        self.rename(name, &kept)?;
        if !is_member {
            // All of it is in the outbox.
            return Ok(());
        }
        let mut notes = local.sync_notes().map_err(ReplicaError::Local)?;
        notes.last_error = Some(SyncError {
            code: DAMAGED_CODE.to_owned(),
            message: format!(
                "the tenant file was damaged; it is kept as {kept} and is fetched again from the \
                 server, unsent writes are safe"
            ),
            at: self.host.now(),
        });
        local.note_sync(&notes).map_err(ReplicaError::Local)
    }

    /// Makes the tenant file of a replica that has not met a server.
    fn make_tenant(&self) -> Result<NamedFile, ReplicaError> {
        let name = self.new_name();
        let origin: Mark = Cursor::ORIGIN.mark;
        let file = TenantFile::create(&self.path_of(&name), &self.files, NO_EPOCH, origin)
            .map_err(ReplicaError::OpenTenant)?;
        file.write_through().map_err(ReplicaError::Tenant)?;
        Ok(NamedFile { name, file })
    }

    /// Removes a database and what SQLite keeps beside it.
    pub(crate) fn remove(&self, name: &str) -> Result<(), ReplicaError> {
        for suffix in SQLITE_SUFFIXES {
            let path = self.path_of(&format!("{name}{suffix}"));
            self.host
                .remove(&path)
                .map_err(|source| failed("remove", path, source))?;
        }
        Ok(())
    }

    /// Renames a database with its write-ahead log.
    fn rename(&self, from: &str, to: &str) -> Result<(), ReplicaError> {
        for suffix in SQLITE_SUFFIXES {
            let path = self.path_of(&format!("{from}{suffix}"));
            if self.identity_of(&path)?.is_some() {
                self.host
                    .rename(&path, &self.path_of(&format!("{to}{suffix}")))
                    .map_err(|source| failed("rename", path, source))?;
            }
        }
        Ok(())
    }

    pub(crate) fn new_replica(&self) -> ClientId {
        ClientId::new(self.new_id().hyphenated().to_string()).expect(UUID_IS_ID)
    }

    fn identity_of(&self, path: &Path) -> Result<Option<FileIdentity>, ReplicaError> {
        self.host
            .identity(path)
            .map_err(|source| failed("look at", path.to_owned(), source))
    }
}

const UUID_IS_ID: &str = "a UUID's text is short and printable";

fn failed(attempt: &'static str, path: PathBuf, source: std::io::Error) -> ReplicaError {
    ReplicaError::File {
        attempt,
        path,
        source,
    }
}
