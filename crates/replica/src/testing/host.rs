//! A replica's host on the simulated disk.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use syncline_model::Timestamp;
use syncline_simdisk::{FileError, Process};
use uuid::Uuid;

use crate::{FileIdentity, Host, Lease, ReplicaOptions};

/// A machine on the simulated disk.
#[derive(Debug)]
pub(crate) struct DiskHost {
    process: Arc<Process>,
    drawn: AtomicU64,
}

impl DiskHost {
    pub(crate) fn options(process: &Arc<Process>) -> ReplicaOptions {
        let host = Self {
            process: Arc::clone(process),
            drawn: AtomicU64::new(0),
        };
        ReplicaOptions {
            host: Arc::new(host),
            vfs: Some(process.vfs_name().to_owned()),
        }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

impl Host for DiskHost {
    fn now(&self) -> Timestamp {
        let drawn = self.drawn.load(Ordering::Relaxed) as i64;
        Timestamp::from_millis(1_700_000_000_000 + drawn).unwrap()
    }

    fn random(&self) -> [u8; 16] {
        self.drawn.fetch_add(1, Ordering::Relaxed);
        *Uuid::now_v7().as_bytes()
    }

    fn identity(&self, path: &Path) -> io::Result<Option<FileIdentity>> {
        let found = self.process.identity(text(path))?;
        Ok(found.map(|file| FileIdentity {
            machine: "sim".to_owned(),
            device: 1,
            inode: file.get(),
        }))
    }

    fn try_lease(&self, path: &Path) -> io::Result<Option<Lease>> {
        Ok(self.process.try_lock(text(path))?.map(Lease::new))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match self.process.remove(text(path)) {
            Err(FileError::Missing { .. }) => Ok(()),
            done => Ok(done?),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Ok(self.process.rename(text(from), text(to))?)
    }

    fn write(&self, path: &Path, content: &mut dyn io::Read) -> io::Result<()> {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        Ok(self.process.write_durably(text(path), &bytes)?)
    }
}
