//! The prepared tenant file: a compact, compressed copy that a new replica takes instead of the log.

use std::error::Error;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use syncline_model::Cursor;
use syncline_store::{Head, TenantFile};
use tokio::sync::{Mutex as AsyncMutex, Semaphore};

use super::Tenant;
use crate::http::zstandard;
use crate::tenant::Refused;

/// The file is made again once the log has grown past it by this share of its length, and by
/// [`TAIL_MIN`] ops: until then, what it lacks is pulled faster than it would be made.
const TAIL_SHARE: u64 = 4;
const TAIL_MIN: u64 = 10_000;
/// Files that are made at once, over all tenants: each takes 8 MB, and a core for as long as it takes
/// to compress a whole log.
const MAKING_MAX: usize = 2;

static MAKING: Semaphore = Semaphore::const_new(MAKING_MAX);

/// The prepared file of one tenant.
#[derive(Debug)]
pub(crate) struct Prepared {
    path: PathBuf,
    /// Where builds before kept it, as gzip. It is not read any more.
    former: PathBuf,
    /// Rises when something was taken out of the log: what was made before holds it still.
    erasures: AtomicU64,
    /// Held while it is made, so that all who ask meanwhile share one.
    made: Arc<AsyncMutex<Option<Made>>>,
}

#[derive(Debug, Clone, Copy)]
struct Made {
    head: Head,
    bytes: u64,
    /// The count of erasures before the log was read.
    erasures: u64,
}

/// A prepared file, open: it may be replaced meanwhile.
#[derive(Debug)]
pub(crate) struct PreparedFile {
    pub(crate) file: File,
    /// Bytes of the file, which is Zstandard.
    pub(crate) bytes: u64,
    /// Where the log stood when it was made.
    pub(crate) cursor: Cursor,
}

impl Prepared {
    /// A file that an earlier run has left is not used: nothing says what it holds.
    pub(crate) fn new(path: PathBuf, former: PathBuf) -> Self {
        Self {
            path,
            former,
            erasures: AtomicU64::new(0),
            made: Arc::default(),
        }
    }

    /// Something was taken out of the log for good: a file made before is not served any more, and
    /// is removed, also one that an earlier run has left.
    pub(crate) fn erase(&self) {
        self.erasures.fetch_add(1, SeqCst);
        for path in [&self.path, &self.former] {
            if let Err(error) = remove(path) {
                tracing::error!(
                    error = &error as &dyn Error,
                    "could not remove a prepared file that holds what was erased"
                );
            }
        }
        // What a run that was cut short has left; one that is under way sees to its own.
        if let Ok(_nobody_makes_it) = self.made.try_lock() {
            for leftover in unfinished(&self.path) {
                let _ = remove(&leftover);
            }
        }
    }

    /// The prepared file, made if there is none that is of use.
    pub(crate) async fn open(&self, tenant: &Arc<Tenant>) -> Result<PreparedFile, Refused> {
        let head = tenant.head().await?;
        let mut made = Arc::clone(&self.made).lock_owned().await;
        let erasures = self.erasures.load(SeqCst);
        if let Some(known) = made.filter(|known| known.serves(&head, erasures))
            && let Ok(file) = File::open(&self.path)
        {
            return Ok(known.opened(file));
        }
        *made = None;
        // By a task of its own: who asked may go before it is made, and the next to ask must not
        // begin another in the same place.
        let tenant = Arc::clone(tenant);
        let making = tokio::spawn(async move {
            let _turn = MAKING.acquire().await.expect("it is never closed");
            let prepared = Arc::clone(&tenant.shared.prepared);
            let work = move |file: &TenantFile| make(file, &prepared, erasures);
            let (file, known) = tenant.read(work).await?;
            *made = Some(known);
            Ok(known.opened(file))
        });
        making.await.unwrap_or(Err(Refused::Panicked))
    }
}

impl Made {
    fn serves(&self, head: &Head, erasures: u64) -> bool {
        let (ours, now) = (
            self.head.cursor.server_seq.get(),
            head.cursor.server_seq.get(),
        );
        let tail = now.saturating_sub(ours);
        self.erasures == erasures
            && self.head.epoch == head.epoch
            && self.head.floor == head.floor
            && now >= ours
            && (tail <= TAIL_MIN || tail <= ours / TAIL_SHARE)
    }

    fn opened(self, file: File) -> PreparedFile {
        PreparedFile {
            file,
            bytes: self.bytes,
            cursor: self.head.cursor,
        }
    }
}

/// What stands beside a prepared file while it is made: the copy that it is packed from, what is packed of it, and
/// what SQLite keeps beside the copy.
pub(crate) fn unfinished(path: &Path) -> [PathBuf; 3] {
    ["copy", "part", "copy-journal"].map(|end| path.with_extension(end))
}

fn make(log: &TenantFile, prepared: &Prepared, erasures: u64) -> Result<(File, Made), Refused> {
    let path = &prepared.path;
    let [copy, packed, journal] = unfinished(path);
    // What a run that was cut short has left stands in the way, and what a build before has left
    // stands for nothing.
    for leftover in [&copy, &packed, &journal, &prepared.former] {
        remove(leftover)?;
    }
    // Read before the copy: the copy holds this place, and perhaps more.
    let head = log.head()?;
    log.write_prepared(&copy)?;
    let bytes = pack(&copy, &packed).map_err(Refused::File)?;
    remove(&copy)?;
    // Opened before it has its name: an erasure removes what has.
    let file = File::open(&packed).map_err(Refused::File)?;
    fs::rename(&packed, path).map_err(Refused::File)?;
    // What was erased while it was made may be in it: it is for who asked before, and nobody else.
    if prepared.erasures.load(SeqCst) != erasures {
        remove(path)?;
    }
    let made = Made {
        head,
        bytes,
        erasures,
    };
    Ok((file, made))
}

fn pack(copy: &Path, packed: &Path) -> io::Result<u64> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let source = File::open(copy)?;
    let bytes = source.metadata()?.len();
    let file = zstandard::pack(source, bytes, options.open(packed)?)?;
    // Not synced: it can be made again, and an unsound one is refused by who adopts it.
    Ok(file.metadata()?.len())
}

fn remove(path: &Path) -> Result<(), Refused> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Refused::File(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A way to the prepared file from an open tenant.
impl Tenant {
    pub(crate) async fn prepared(self: &Arc<Self>) -> Result<PreparedFile, Refused> {
        self.shared.prepared.open(self).await
    }
}

#[cfg(test)]
mod tests;
