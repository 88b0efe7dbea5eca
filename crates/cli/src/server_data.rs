//! The data directory of a server: `--data`, which server-side commands take.

use std::path::{Path, PathBuf};

use clap::Args;
use syncline_store::backup::{BackupKind, MANIFEST_NAME};
use syncline_store::control::{ControlFile, ControlOpenError, DataDirectory, DataDirectoryError};

use crate::context::Context;
use crate::environment::variable;
use crate::failure::Failure;
use crate::wording::quoted;

/// The flag by which a server-side command is told where the server's data is.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServerDataArgs {
    /// The server's data directory
    /// [default: $SYNCLINE_SERVER_DATA, or `server` below the data directory]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl ServerDataArgs {
    /// Where the data is, whether or not it is there.
    pub(crate) fn path(&self, context: &Context) -> Result<PathBuf, Failure> {
        match &self.data {
            Some(path) => Ok(path.clone()),
            None => match context.path(None, variable::SERVER_DATA)? {
                Some(path) => Ok(path),
                None => Ok(context.paths()?.data_dir.join("server")),
            },
        }
    }

    /// The flag, with a space before it, that names the directory again; empty where it was not given.
    pub(crate) fn again(&self) -> String {
        let data = self.data.as_ref();
        data.map_or_else(String::new, |data| {
            format!(" --data {}", quoted(&data.display().to_string()))
        })
    }

    /// The directory, made if it is missing.
    pub(crate) fn open(&self, context: &Context) -> Result<DataDirectory, Failure> {
        DataDirectory::open(self.path(context)?).map_err(Failure::from)
    }

    /// The control file of the directory, made if it is missing.
    pub(crate) fn control(&self, context: &Context) -> Result<ControlFile, Failure> {
        ControlFile::open(&self.open(context)?).map_err(Failure::from)
    }

    /// The directory, in which a server must have kept its data.
    pub(crate) fn existing(&self, context: &Context) -> Result<DataDirectory, Failure> {
        existing(&self.path(context)?)
    }

    /// The control file of a directory in which a server must have kept its data.
    pub(crate) fn existing_control(&self, context: &Context) -> Result<ControlFile, Failure> {
        ControlFile::open(&self.existing(context)?).map_err(Failure::from)
    }
}

/// The directory at `path`, in which a server must have kept its data: whoever only looks, or copies, makes
/// nothing in a directory that is somebody else's.
pub(crate) fn existing(path: &Path) -> Result<DataDirectory, Failure> {
    DataDirectory::find(path)?.ok_or_else(|| {
        let message = format!("no server keeps its data in {}", path.display());
        Failure::new("data_missing", message)
            .state("nothing was changed")
            .fix("name the directory that `syncline serve` was given, with --data DIR")
    })
}

/// Whoever only looks into a backup changes its files, and it can't be put back any more.
pub(crate) fn is_backup(path: &Path, kind: BackupKind) -> Failure {
    let word = quoted(&path.display().to_string());
    let restore = match kind {
        BackupKind::Replica => format!("syncline --data-dir NEW restore {word}"),
        BackupKind::Server | BackupKind::Tenant => format!("syncline restore {word} --data NEW"),
    };
    Failure::new("data_is_backup", format!("{} is a backup", path.display()))
        .state("nothing was changed, and it is whole")
        .fix(format!("{restore}, and use what that makes"))
        .fix(format!(
            "syncline backup --verify {word}, to see what is in it"
        ))
        .fix(format!(
            "rm {}, where it was used as data before",
            quoted(&path.join(MANIFEST_NAME).display().to_string())
        ))
}

impl From<DataDirectoryError> for Failure {
    fn from(error: DataDirectoryError) -> Self {
        let (code, fix) = match &error {
            DataDirectoryError::Backup { path } => return is_backup(path, BackupKind::Server),
            DataDirectoryError::Make { .. } => {
                ("data_unusable", "name another directory with --data DIR")
            }
            DataDirectoryError::Restore { .. } => (
                "restore_unfinished",
                "see to the cause, and start `syncline serve` again",
            ),
            DataDirectoryError::Locked { .. } => (
                "data_locked",
                "stop that server, or name another directory with --data DIR",
            ),
        };
        let state = match &error {
            DataDirectoryError::Make { .. }
            | DataDirectoryError::Locked { .. }
            | DataDirectoryError::Backup { .. } => "nothing was changed",
            DataDirectoryError::Restore { .. } => {
                "the restore is decided, and goes on by itself; nothing is lost"
            }
        };
        Self::new(code, "could not use the server's data directory")
            .because(error)
            .state(state)
            .fix(fix)
    }
}

impl From<ControlOpenError> for Failure {
    fn from(error: ControlOpenError) -> Self {
        let (code, fix) = match error {
            ControlOpenError::Directory(error) => return error.into(),
            ControlOpenError::NewerFormat { .. } => ("format_newer", "use a newer syncline"),
            ControlOpenError::Sqlite { .. } if error.is_disk_full() => {
                ("disk_full", "free 1 MB on that disk, and try again")
            }
            ControlOpenError::Foreign { .. } | ControlOpenError::Sqlite { .. } => (
                "data_unusable",
                "name the directory that `syncline serve` was given, with --data DIR",
            ),
        };
        Self::new(code, "could not open the server's control file")
            .because(error)
            .state("nothing was changed")
            .fix(fix)
    }
}
