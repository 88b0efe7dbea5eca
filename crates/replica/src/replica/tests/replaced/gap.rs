//! Who opens a replica, or has it open, while a restore in another process exchanges its files.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use syncline_model::Timestamp;
use syncline_store::backup::finish_replica_restore;

use super::*;
use crate::{FileIdentity, Host, Lease, RealHost};

/// Where what a restore has made waits for it to be decided.
const HELD: &str = "held";

/// The machine, on which a restore goes on in another process while a replica is opened.
#[derive(Debug)]
struct Restoring {
    real: RealHost,
    directory: PathBuf,
    looks: AtomicU32,
}

impl Restoring {
    /// Does what a restore does before the log that is put back is in its place, if it need not wait.
    fn decide(&self) {
        let lock = fs::File::create(self.directory.join("restore.lock")).unwrap();
        if lock.try_lock().is_err() {
            return;
        }
        let decided = self.directory.join("restored");
        fs::rename(self.directory.join(HELD), &decided).unwrap();
        let aside = fs::read_to_string(decided.join("replaces")).unwrap();
        for name in databases(&self.directory, "tenant-") {
            let moved = self.directory.join(&aside).join(&name);
            fs::rename(self.directory.join(name), moved).unwrap();
        }
    }
}

impl Host for Restoring {
    fn now(&self) -> Timestamp {
        self.real.now()
    }

    fn random(&self) -> [u8; 16] {
        finish_replica_restore(&self.directory).unwrap();
        self.real.random()
    }

    fn identity(&self, path: &Path) -> io::Result<Option<FileIdentity>> {
        let found = self.real.identity(path);
        if path.ends_with(LOCAL_FILE_NAME) && self.looks.fetch_add(1, Ordering::Relaxed) == 1 {
            // The local file is open, the log is not.
            self.decide();
        }
        found
    }

    fn try_lease(&self, path: &Path) -> io::Result<Option<Lease>> {
        self.real.try_lease(path)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.real.remove(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.real.rename(from, to)
    }

    fn write(&self, path: &Path, content: &mut dyn io::Read) -> io::Result<()> {
        self.real.write(path, content)
    }
}

/// The files of `directory` whose names begin so.
fn databases(directory: &Path, prefix: &str) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(prefix)).collect()
}

/// A replica as it is when a restore of it is about to be decided.
fn about_to_be_restored(place: &Place) -> PathBuf {
    let (open, copy) = backed_up(place);
    drop(open);
    let path = place.path("a");
    let restored = restore(&path, &copy, |_| ()).unwrap();
    let (aside, held) = (restored.aside.unwrap(), path.join(HELD));
    fs::create_dir(&held).unwrap();
    fs::write(
        held.join("replaces"),
        aside.file_name().unwrap().to_str().unwrap(),
    )
    .unwrap();
    for prefix in [LOCAL_FILE_NAME, "tenant-"] {
        for name in databases(&path, prefix) {
            fs::rename(path.join(&name), held.join(name)).unwrap();
        }
        for name in databases(&aside, prefix) {
            fs::rename(aside.join(&name), path.join(name)).unwrap();
        }
    }
    path
}

#[test]
fn who_opens_a_replica_as_a_restore_exchanges_its_files_sets_nothing_aside() {
    let place = Place::new();
    let path = about_to_be_restored(&place);
    let host = Arc::new(Restoring {
        real: RealHost::new(),
        directory: path.clone(),
        looks: AtomicU32::new(0),
    });
    let options = ReplicaOptions {
        host: Arc::<Restoring>::clone(&host),
        vfs: None,
    };
    let mut open = Replica::open(&path, options).unwrap();
    assert_eq!(databases(&path, "damaged-"), [] as [String; 0]);
    if path.join(HELD).exists() {
        // It had to wait.
        host.decide();
        finish_replica_restore(&path).unwrap();
    }
    assert_eq!(contents(&mut open), ["one"]);
    assert_eq!(contents(&mut place.open("a")), ["one"]);
    assert_eq!(databases(&path, "damaged-"), [] as [String; 0]);
    assert_eq!(open.status().unwrap().notes.last_error, None);
}
