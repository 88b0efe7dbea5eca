//! Checkpoints beside the commits: what a write-ahead log holds is moved into its file by a thread
//! that no caller waits for.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::mpsc;
use std::thread;

use syncline_store::{FileOptions, TenantFile};

/// Bytes written after which a checkpoint is due; SQLite's own rule of thumb, a thousand pages.
const DUE_AFTER_BYTES: u64 = 4 << 20;
/// Bytes written since the last whole checkpoint after which the writer does one itself: readers and
/// writers that never rest would let the write-ahead log grow without end.
const OVERDUE_AFTER_BYTES: u64 = 128 << 20;
/// Pages that a checkpoint may leave and still count as whole.
const LEFT_PAGES_MAX: u64 = 1_000;

/// What one tenant has written since its last whole checkpoint.
#[derive(Debug, Default)]
pub(super) struct WalGauge {
    bytes: AtomicU64,
    is_queued: AtomicBool,
}

/// What is to be done about a write-ahead log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    /// By the checkpointer.
    Beside,
    /// By the writer, before its next commit.
    Now,
}

impl WalGauge {
    /// Counts bytes written, and says what is due.
    pub(super) fn wrote(&self, bytes: u64) -> Due {
        let all = self.bytes.fetch_add(bytes, SeqCst) + bytes;
        if all > OVERDUE_AFTER_BYTES {
            Due::Now
        } else if all > DUE_AFTER_BYTES && !self.is_queued.swap(true, SeqCst) {
            Due::Beside
        } else {
            Due::Nothing
        }
    }

    /// Takes up the count anew after a checkpoint that left so many pages.
    pub(super) fn checkpointed(&self, left_pages: u64) {
        if left_pages <= LEFT_PAGES_MAX {
            self.bytes.store(0, SeqCst);
        }
    }
}

/// The thread that does checkpoints for all tenants, one after another.
#[derive(Debug, Clone)]
pub(super) struct Checkpointer {
    queue: mpsc::Sender<Request>,
}

struct Request {
    path: PathBuf,
    gauge: Arc<WalGauge>,
}

impl Checkpointer {
    /// Starts the thread; it ends when the last handle is dropped.
    pub(super) fn start(options: FileOptions) -> std::io::Result<Self> {
        let (queue, requests) = mpsc::channel();
        thread::Builder::new()
            .name("checkpoints".into())
            .spawn(move || run(&requests, &options))?;
        Ok(Self { queue })
    }

    /// Asks for a checkpoint of the file at `path`. Each tenant is queued once at most.
    pub(super) fn ask(&self, path: PathBuf, gauge: Arc<WalGauge>) {
        // Without the thread the writers do their checkpoints themselves when overdue.
        let _ = self.queue.send(Request { path, gauge });
    }
}

fn run(requests: &mpsc::Receiver<Request>, options: &FileOptions) {
    while let Ok(Request { path, gauge }) = requests.recv() {
        gauge.is_queued.store(false, SeqCst);
        let left = TenantFile::open(&path, options).map(|file| file.checkpoint());
        match left {
            Ok(Ok(left)) => gauge.checkpointed(left),
            Ok(Err(error)) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "checkpoint failed"
                );
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "checkpoint failed"
                );
            }
        }
    }
}
