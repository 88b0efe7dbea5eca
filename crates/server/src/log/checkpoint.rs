//! Checkpoints beside the commits: what a write-ahead log holds is moved into its file by a thread
//! that no caller waits for.
//!
//! What is committed meanwhile stays in the log, and a log that holds anything goes on at its end:
//! under a load that never rests it would grow for ever, each commit into new blocks. So the writer
//! moves that little rest itself, and begins the log anew.

use std::error::Error;
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
    /// A checkpoint by the checkpointer is due or under way.
    is_queued: AtomicBool,
    /// The checkpointer is done, and has left what was committed meanwhile.
    has_rest: AtomicBool,
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
        if all > OVERDUE_AFTER_BYTES || self.has_rest.swap(false, SeqCst) {
            Due::Now
        } else if all > DUE_AFTER_BYTES && !self.is_queued.swap(true, SeqCst) {
            Due::Beside
        } else {
            Due::Nothing
        }
    }

    /// Has the writer move the rest after a checkpoint beside it that had to leave so many pages, or
    /// none where it failed.
    fn checkpointed_beside(&self, left_pages: Option<u64>) {
        if left_pages.is_some_and(|left| left <= LEFT_PAGES_MAX) {
            self.has_rest.store(true, SeqCst);
        }
        self.is_queued.store(false, SeqCst);
    }

    /// Takes up the count anew after a checkpoint by the writer that left so many pages.
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
        let checkpoint = || -> Result<u64, Box<dyn Error>> {
            Ok(TenantFile::open(&path, options)?.checkpoint()?)
        };
        let left = checkpoint();
        if let Err(error) = &left {
            tracing::warn!(error = &**error, "checkpoint failed");
        }
        gauge.checkpointed_beside(left.ok());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_writer_moves_what_a_checkpoint_beside_it_has_left_and_counts_anew() {
        let gauge = WalGauge::default();
        assert_eq!(gauge.wrote(DUE_AFTER_BYTES), Due::Nothing);
        assert_eq!(gauge.wrote(1), Due::Beside);
        assert_eq!(gauge.wrote(1), Due::Nothing, "one is under way");
        gauge.checkpointed_beside(Some(0));
        assert_eq!(gauge.wrote(1), Due::Now);
        gauge.checkpointed(0);
        assert_eq!(gauge.wrote(DUE_AFTER_BYTES), Due::Nothing);
        assert_eq!(gauge.wrote(1), Due::Beside);
    }

    #[test]
    fn a_checkpoint_that_failed_or_that_a_reader_held_up_is_tried_again_beside() {
        let gauge = WalGauge::default();
        assert_eq!(gauge.wrote(DUE_AFTER_BYTES + 1), Due::Beside);
        for left in [None, Some(LEFT_PAGES_MAX + 1)] {
            gauge.checkpointed_beside(left);
            assert_eq!(gauge.wrote(1), Due::Beside);
        }
        assert_eq!(gauge.wrote(OVERDUE_AFTER_BYTES), Due::Now);
    }
}
