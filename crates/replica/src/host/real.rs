//! The machine itself.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::sync::OnceLock;

use rand::TryRngCore;
use rand::rngs::OsRng;
use syncline_model::Timestamp;

use super::{FileIdentity, Host, Lease};

/// Where systems keep an id of their installation.
const MACHINE_ID_FILES: [&str; 2] = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

/// Bytes that are given to the system at once.
const WRITE_BYTES: usize = 256 * 1024;

/// The machine that this process runs on.
#[derive(Debug, Default)]
pub struct RealHost {
    machine: OnceLock<String>,
}

impl RealHost {
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the directory of a replica, readable by its user alone.
    pub fn make_directory(path: &Path) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path)
    }
}

impl Host for RealHost {
    fn now(&self) -> Timestamp {
        let millis = jiff::Timestamp::now().as_millisecond();
        Timestamp::from_millis(millis).expect("the clock's years have four digits")
    }

    fn random(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        OsRng
            .try_fill_bytes(&mut bytes)
            .expect("a system without randomness can't run syncline");
        bytes
    }

    fn identity(&self, path: &Path) -> io::Result<Option<FileIdentity>> {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let (device, inode) = place_of(&metadata);
        Ok(Some(FileIdentity {
            machine: self.machine.get_or_init(machine_id).clone(),
            device,
            inode,
        }))
    }

    fn try_lease(&self, path: &Path) -> io::Result<Option<Lease>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lease::new(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn write(&self, path: &Path, content: &mut dyn io::Read) -> io::Result<()> {
        let beside = path.with_extension("part");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&beside)?;
        let written = copy(content, &mut file).and_then(|()| file.sync_all());
        if let Err(error) = written {
            drop(file);
            // The first error is the one to tell; a leftover part is overwritten by the next try.
            let _ = fs::remove_file(&beside);
            return Err(error);
        }
        drop(file);
        fs::rename(&beside, path)?;
        sync_directory(path)
    }
}

/// Writes all of `content`, in large pieces.
fn copy(content: &mut dyn io::Read, file: &mut File) -> io::Result<()> {
    let mut piece = vec![0; WRITE_BYTES];
    loop {
        match content.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(bytes) => file.write_all(&piece[..bytes])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The id of this installation. Where the system keeps none, device and inode alone tell copies.
fn machine_id() -> String {
    MACHINE_ID_FILES
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .map(|text| text.trim().to_owned())
        .find(|id| !id.is_empty())
        .unwrap_or_else(|| "machine".to_owned())
}

#[cfg(unix)]
fn place_of(metadata: &fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

/// Elsewhere the moment of a file's creation tells it from its copies.
#[cfg(not(unix))]
fn place_of(metadata: &fs::Metadata) -> (u64, u64) {
    let created = metadata
        .created()
        .ok()
        .and_then(|at| at.duration_since(std::time::SystemTime::UNIX_EPOCH).ok());
    (0, created.map_or(0, |since| since.as_nanos() as u64))
}

#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    else {
        return Ok(());
    };
    File::open(parent)?.sync_all()
}

/// Other systems write a renamed file's name with the file.
#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}
