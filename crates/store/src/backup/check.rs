//! Whether a backup is whole.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};
use syncline_model::ServerSeq;

use super::{BackupError, BackupFile, BackupLog, Manifest, Reached, io_error};
use crate::file::{connect_to_read, integrity};
use crate::tenant::TenantFile;

/// Bytes read at a time.
const CHUNK: usize = 1 << 20;

/// Verifies the backup in `directory`: each file's length, digest and SQLite's own check, and of each
/// log the marks, the payloads' hashes, and the counts that were noted.
pub fn verify(directory: &Path, mut reached: impl FnMut(Reached)) -> Result<Manifest, BackupError> {
    let manifest = Manifest::read(directory)?;
    let whole = manifest.bytes();
    let mut done = 0;
    for file in &manifest.files {
        reached(Reached { done, whole });
        check_file(directory, file)?;
        done += file.bytes;
    }
    Ok(manifest)
}

fn check_file(directory: &Path, file: &BackupFile) -> Result<(), BackupError> {
    let path = directory.join(&file.name);
    let damaged = |what| BackupError::Damaged {
        name: file.name.clone(),
        what,
    };
    let (bytes, sha256) = match digest(&path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(damaged("it is missing"));
        }
        Err(error) => return Err(io_error("read", &path)(error)),
    };
    if bytes != file.bytes {
        return Err(damaged("it has another length"));
    }
    if sha256 != file.sha256 {
        return Err(damaged("it holds other bytes"));
    }
    match &file.log {
        Some(log) if census(&file.name, &path)? != *log => {
            Err(damaged("its log is not where it was noted to be"))
        }
        Some(_) => Ok(()),
        None => match whole(&path)?.as_str() {
            "ok" => Ok(()),
            _ => Err(damaged("SQLite finds a fault in it")),
        },
    }
}

/// Walks the log of the tenant file at `path`.
pub(super) fn census(name: &str, path: &Path) -> Result<BackupLog, BackupError> {
    let log = |source| BackupError::Log {
        name: name.to_owned(),
        source,
    };
    let found = TenantFile::open_to_read(path)?
        .verify(|_: ServerSeq| {})
        .map_err(log)?;
    Ok(BackupLog {
        epoch: found.head.epoch,
        server_seq: found.head.cursor.server_seq,
        mark: found.head.cursor.mark,
        floor: found.head.floor,
        ops: found.ops,
    })
}

/// What SQLite's own check says of a file that nobody writes to.
pub(super) fn whole(path: &Path) -> Result<String, BackupError> {
    Ok(integrity(&connect_to_read(path)?)?)
}

/// The length of a file, and the SHA-256 of its bytes.
pub(super) fn digest(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut chunk = vec![0; CHUNK];
    let (mut digest, mut bytes) = (Sha256::new(), 0);
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            break;
        }
        bytes += read as u64;
        digest.update(&chunk[..read]);
    }
    let digest = digest.finalize();
    Ok((
        bytes,
        digest.iter().map(|byte| format!("{byte:02x}")).collect(),
    ))
}
