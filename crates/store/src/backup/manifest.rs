//! What a backup says of itself.

use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use syncline_model::{Epoch, Mark, ServerSeq, Timestamp};

use super::{BackupError, io_error};

/// The name of the file that says what a backup holds.
pub const MANIFEST_NAME: &str = "backup.json";
/// Raised with each change of what a backup holds.
const FORMAT: u32 = 1;

/// Whose backup it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackupKind {
    /// A server's whole data directory.
    Server,
    /// One tenant of a server.
    Tenant,
    /// A replica.
    Replica,
}

impl fmt::Display for BackupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server => "server",
            Self::Tenant => "tenant",
            Self::Replica => "replica",
        })
    }
}

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    /// The version of syncline that made it.
    pub version: String,
    pub kind: BackupKind,
    pub made_at: Timestamp,
    /// The server that it was made of, where that has a name: others may keep theirs beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    pub files: Vec<BackupFile>,
    /// The ops that waited for the server in the outbox of a replica; none of a server's backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<u64>,
    /// Files that could not be copied, and are not in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// A file that a backup lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The path that it would have in the backup.
    pub name: String,
    /// Why, outermost first.
    pub causes: Vec<String>,
}

/// One file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupFile {
    /// Its path in the backup, parts joined by `/`.
    pub name: String,
    pub bytes: u64,
    /// The SHA-256 of its bytes, in lower-case hexadecimal digits.
    pub sha256: String,
    /// The log that it holds; none if it is no tenant file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<BackupLog>,
}

/// Where a log stood when it was backed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupLog {
    pub epoch: Epoch,
    pub server_seq: ServerSeq,
    pub mark: Mark,
    pub floor: ServerSeq,
    /// The ops that it holds.
    pub ops: u64,
}

impl Manifest {
    pub(super) fn new(kind: BackupKind, made_at: Timestamp, files: Vec<BackupFile>) -> Self {
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            kind,
            made_at,
            server: None,
            files,
            pending: None,
            left_out: Vec::new(),
        }
    }

    /// Reads what the backup in `directory` says of itself.
    pub fn read(directory: &Path) -> Result<Self, BackupError> {
        let path = directory.join(MANIFEST_NAME);
        let text = std::fs::read(&path).map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => BackupError::Missing {
                path: directory.to_owned(),
            },
            _ => io_error("read", &path)(error),
        })?;
        let foreign = |source| BackupError::Foreign {
            path: directory.to_owned(),
            source,
        };
        // The format first: a newer one may say the rest otherwise.
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let Format { format } =
            serde_json::from_slice(&text).map_err(|error| foreign(Some(error)))?;
        if format > FORMAT {
            return Err(BackupError::NewerFormat {
                found: format,
                known: FORMAT,
            });
        }
        let manifest: Self = serde_json::from_slice(&text).map_err(|error| foreign(Some(error)))?;
        // A name that leads elsewhere is not one that we have written.
        if manifest.files.iter().any(|file| !is_plain(&file.name)) {
            return Err(foreign(None));
        }
        Ok(manifest)
    }

    pub(super) fn write(&self, directory: &Path) -> Result<(), BackupError> {
        let path = directory.join(MANIFEST_NAME);
        let mut text = serde_json::to_vec_pretty(self).expect("a manifest is plain data");
        text.push(b'\n');
        let mut file = File::create_new(&path).map_err(io_error("make", &path))?;
        file.write_all(&text)
            .and_then(|()| file.sync_all())
            .map_err(io_error("write", &path))
    }

    /// Bytes of all its files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// Whether `name` stays below the directory that it is joined to.
fn is_plain(name: &str) -> bool {
    !name.contains('\\')
        && Path::new(name)
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)))
        && !name.is_empty()
}
