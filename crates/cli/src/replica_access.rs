//! The replica of the profile in use: opening it, writing to it, and telling why that failed.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use syncline_model::{OpKey, Scope, TenantId};
use syncline_replica::{
    DAEMON_LOCK_NAME, LOCAL_FILE_NAME, NewOp, OpState, Replica, ReplicaError, ReplicaOptions,
    WriteError,
};
use syncline_store::backup::{BackupError, BackupKind, MANIFEST_NAME};
use syncline_store::local::LocalFile;
use syncline_store::threads::PlannedOp;
use syncline_store::{FileOptions, OpenError, StoreError};

use crate::atomic_file::create_private_dir;
use crate::context::Context;
use crate::failure::{Failure, is_damaged};
use crate::logging;
use crate::server_data::is_backup;
use crate::wording::quoted;

/// Opens the replica of the profile in use, and makes it if there is none.
pub(crate) fn open(context: &Context) -> Result<Replica, Failure> {
    // What goes wrong without failing the command is to be found later.
    logging::to_files(
        &context.paths()?.log_dir,
        context.log_level()?.for_a_moment(),
    );
    let mut replica = Replica::open(&make_dir(context)?, ReplicaOptions::default())?;
    if replica.has_lost_its_log()? {
        context.has_lost_log.set(true);
        context.output.warn(
            "the file with what the server has was damaged or gone, so it is not shown here: `syncline sync` \
             fetches it again. What you wrote and have not sent is here",
        );
    }
    Ok(replica)
}

/// The directory of the replica of the profile in use; made if it is not there.
pub(crate) fn make_dir(context: &Context) -> Result<PathBuf, Failure> {
    let dir = context.replica_dir()?;
    if dir.join(MANIFEST_NAME).exists() {
        return Err(is_backup(&dir, BackupKind::Replica));
    }
    create_private_dir(&dir).map_err(|error| {
        Failure::new("data_unusable", format!("could not make {}", dir.display()))
            .because(error)
            .state("nothing was read or written")
            .fix("see to the owner and mode of the directory, or name another with --data-dir DIR")
    })?;
    Ok(dir)
}

/// The tenant that the replica holds; none: it has never synced, or there is no replica.
pub(crate) fn held_tenant(context: &Context) -> Result<Option<TenantId>, Failure> {
    let path = context.replica_dir()?.join(LOCAL_FILE_NAME);
    let member = match LocalFile::open(&path, &FileOptions::default()) {
        Ok(local) => local.identity()?.member,
        Err(OpenError::Missing { .. }) => None,
        Err(error) => return Err(ReplicaError::OpenLocal(error).into()),
    };
    Ok(member.map(|(tenant, _)| tenant))
}

/// The command that sends what the replica that a restore has moved to `aside` had not sent.
pub(crate) fn to_send_replaced(aside: &Path, context: &Context) -> Result<String, Failure> {
    let profile = context.profile()?.value;
    let aside = quoted(&aside.display().to_string());
    // Where there is an ASIDE it fails, and moves nothing into the replica in it.
    Ok(format!(
        "mkdir ASIDE ASIDE/profiles && mv {aside} ASIDE/profiles/{profile} && \
         syncline --data-dir ASIDE --profile {profile} sync"
    ))
}

/// Where the replica's own processes meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meeting {
    /// The control socket of the daemon, or its named pipe.
    pub(crate) socket: PathBuf,
    /// The file whose lock the daemon holds.
    pub(crate) lock: PathBuf,
}

/// Where the daemon of the profile in use is met.
pub(crate) fn meeting(context: &Context) -> Result<Meeting, Failure> {
    let dir = context.replica_dir()?;
    let profile = context.profile()?.value;
    // Two replicas of one profile name may lie in two data directories.
    let path = dir.as_os_str().as_encoded_bytes();
    let digest = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, path)
        .simple()
        .to_string();
    let name = format!("{profile}-{}", &digest[..8]);
    let socket = if cfg!(windows) {
        PathBuf::from(format!(r"\\.\pipe\syncline-{name}"))
    } else {
        context.paths()?.runtime_dir.join(format!("{name}.sock"))
    };
    let lock = dir.join(DAEMON_LOCK_NAME);
    Ok(Meeting { socket, lock })
}

/// Writes planned ops of threads, all or none; gives their keys.
pub(crate) fn write(replica: &mut Replica, ops: Vec<PlannedOp>) -> Result<Vec<OpKey>, Failure> {
    let new = |(resource, payload)| NewOp {
        scope: Scope::thread(),
        resource,
        payload,
    };
    let ops: Vec<NewOp> = ops.into_iter().map(new).collect();
    Ok(replica.write(&ops)?.keys)
}

/// What became of a write, as `--json` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WriteState {
    /// There was nothing to write.
    Unchanged,
    /// Pushed, and pulled back.
    Acknowledged,
    /// On this disk, on its way.
    Pending,
    /// The server will not take it.
    Quarantined,
}

impl WriteState {
    /// The state of the op that is worst off.
    pub(crate) fn of(replica: &Replica, keys: &[OpKey]) -> Result<Self, Failure> {
        let mut worst = Self::Unchanged;
        for key in keys {
            worst = worst.max(match replica.state_of(key)? {
                OpState::Pulled(_) => Self::Acknowledged,
                OpState::Unknown if replica.came_otherwise(key)? => Self::Acknowledged,
                OpState::Pending | OpState::Acknowledged(_) | OpState::Unknown => Self::Pending,
                OpState::Quarantined => Self::Quarantined,
            });
        }
        Ok(worst)
    }
}

impl From<ReplicaError> for Failure {
    fn from(error: ReplicaError) -> Self {
        if error.is_disk_full() {
            return disk_full(error);
        }
        let (code, fix) = match &error {
            ReplicaError::OpenLocal(OpenError::NewerFormat { .. })
            | ReplicaError::OpenTenant(OpenError::NewerFormat { .. }) => {
                ("format_newer", "use a newer syncline")
            }
            ReplicaError::Restore(BackupError::Io { source, .. })
                if source.kind() == ErrorKind::PermissionDenied =>
            {
                ("replica_failed", SEE_TO_OWNER)
            }
            ReplicaError::Restore(_) => ("restore_unfinished", "see to the cause, and try again"),
            ReplicaError::Replaced { .. } => ("replica_replaced", "try again"),
            ReplicaError::OtherTenant { .. } => (
                "other_tenant",
                "syncline config profiles create NAME, and log in with it: a profile holds one tenant",
            ),
            _ => ("replica_failed", cure_of_file(&error)),
        };
        Self::new(code, "could not use the replica")
            .because(error)
            .state("what was reported as written before is safe")
            .fix(fix)
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        if let WriteError::Store(StoreError::Full(_)) = &error {
            return disk_full(error);
        }
        let (code, fix) = match &error {
            WriteError::Replaced { source: None } => ("replica_replaced", "try again"),
            WriteError::Replaced { source: Some(_) }
            | WriteError::ClockEnd(_)
            | WriteError::Store(_) => ("write_failed", cure_of_file(&error)),
        };
        Self::new(code, "could not write to the replica")
            .because(error)
            .state("nothing of it was written; everything before is safe")
            .fix(fix)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let fix = cure_of_file(&error);
        Self::new("replica_failed", "could not read the replica")
            .because(error)
            .state("what was reported as written before is safe")
            .fix(fix)
    }
}

/// What to do where a file of the replica is another user's.
pub(crate) const SEE_TO_OWNER: &str =
    "see to the owner and mode of the data directory and its files";

/// What to type where a file of the replica could not be used.
pub(crate) fn cure_of_file(error: &(dyn std::error::Error + 'static)) -> &'static str {
    match is_damaged(error) {
        true => "syncline doctor --fix",
        false => "syncline doctor",
    }
}

fn disk_full(error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::new("disk_full", "could not write to the replica")
        .because(error)
        .state("nothing of this was written; everything before is safe")
        .fix("make room, and try again")
}
