//! The machine under a simulated process: its files, its wall clock, its randomness.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use syncline_model::Timestamp;
use syncline_replica::{FileIdentity, Host, Lease};
use syncline_simdisk::{FileError, Process};

use crate::chance::Chance;

/// A machine's wall clock, in milliseconds since 1970. Who runs the world sets it.
#[derive(Debug, Default)]
pub(crate) struct WallClock(AtomicI64);

impl WallClock {
    pub(crate) fn set(&self, unix_ms: i64) {
        self.0.store(unix_ms, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> Timestamp {
        let unix_ms = self.0.load(Ordering::Relaxed);
        Timestamp::from_millis(unix_ms).expect("clocks jump by decades, not by millennia")
    }
}

/// A replica's host over a process of the simulated disk.
pub(crate) struct SimHost {
    process: Arc<Process>,
    machine: String,
    clock: Arc<WallClock>,
    chance: Mutex<Chance>,
}

impl SimHost {
    pub(crate) fn new(
        process: &Arc<Process>,
        machine: &str,
        clock: &Arc<WallClock>,
        chance: Chance,
    ) -> Self {
        Self {
            process: Arc::clone(process),
            machine: machine.to_owned(),
            clock: Arc::clone(clock),
            chance: Mutex::new(chance),
        }
    }
}

impl Host for SimHost {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn random(&self) -> [u8; 16] {
        // A fold that panics may unwind through a call; the choices to come are still good.
        let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
        chance.bytes()
    }

    fn identity(&self, path: &Path) -> io::Result<Option<FileIdentity>> {
        let found = self.process.identity(text(path))?;
        Ok(found.map(|file| FileIdentity {
            machine: self.machine.clone(),
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

impl fmt::Debug for SimHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimHost({})", self.machine)
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the world names its files in ASCII")
}
