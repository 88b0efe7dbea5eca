//! Reading ahead: while a batch is written, the next is read on a thread of its own.

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};

use syncline_model::session::SessionId;
use syncline_replica::Replica;

use super::{ImportBatch, ImportError, Importer};
use crate::facts::UnitKey;

/// The batch before the one that is being read, as far as it may not be in the replica yet.
#[derive(Debug, Default)]
pub(super) struct Behind {
    /// Tells of its end; none: it has been written.
    written: Option<Receiver<()>>,
    /// What it notes.
    noted: HashMap<UnitKey, Vec<u8>>,
    /// The sessions of which it says something.
    sessions: HashSet<SessionId>,
}

impl Behind {
    pub(super) fn noted(&self, key: &UnitKey) -> Option<&Vec<u8>> {
        self.noted.get(key)
    }

    /// Waits until the replica holds what the batch says of a session.
    pub(super) fn wait_for(&mut self, session: &SessionId) {
        if self.sessions.contains(session) {
            self.wait();
        }
    }

    /// Waits until the batch is written, or never will be.
    fn wait(&mut self) {
        if let Some(written) = self.written.take() {
            // Who writes has failed where this fails, and takes no further batch.
            let _ = written.recv();
        }
        self.noted.clear();
        self.sessions.clear();
    }
}

/// A batch that was read, and whom to tell that it has been written.
struct Read {
    batch: ImportBatch,
    written: Sender<()>,
}

impl Importer {
    /// Has all batches written to the replica, and tells of each that was.
    ///
    /// # Errors
    /// What was written before one stays, and the next import goes on there.
    pub fn write_all(
        mut self,
        replica: &mut Replica,
        mut told: impl FnMut(ImportBatch),
    ) -> Result<(), ImportError> {
        let Some(first) = self.next_batch(replica)? else {
            return Ok(());
        };
        if self.is_idle() {
            write(&first, replica)?;
            told(first);
            return Ok(());
        }
        let reading = replica.another().map_err(ImportError::Replica)?;
        // Two batches are held at most: the one that is written, and the next.
        let (sender, batches) = mpsc::sync_channel(0);
        std::thread::scope(|scope| {
            let reader = scope.spawn(move || self.read_ahead(&reading, first, &sender));
            let mut written = Ok(());
            for read in &batches {
                written = write(&read.batch, replica);
                if written.is_err() {
                    break;
                }
                let _ = read.written.send(());
                told(read.batch);
            }
            // A reader that waits to be rid of a batch is let go.
            drop(batches);
            let read = reader.join();
            let read = read.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            written.and(read)
        })
    }

    /// Gives batch after batch, each when the one before has been written.
    fn read_ahead(
        mut self,
        replica: &Replica,
        first: ImportBatch,
        batches: &SyncSender<Read>,
    ) -> Result<(), ImportError> {
        let mut next = Some(first);
        while let Some(batch) = next {
            self.remembered.behind.wait();
            let (sender, written) = mpsc::channel();
            self.remembered.behind = Behind {
                written: Some(written),
                noted: std::mem::take(&mut self.remembered.noted),
                sessions: sessions_of(&batch),
            };
            let read = Read {
                batch,
                written: sender,
            };
            if batches.send(read).is_err() {
                break;
            }
            next = self.next_batch(replica)?;
        }
        Ok(())
    }
}

fn write(batch: &ImportBatch, replica: &mut Replica) -> Result<(), ImportError> {
    let written = replica.write_imported(&batch.ops, &batch.notes);
    written.map(drop).map_err(ImportError::Write)
}

fn sessions_of(batch: &ImportBatch) -> HashSet<SessionId> {
    let sessions = batch.ops.iter().map(|op| op.resource.as_str().parse());
    sessions.filter_map(Result::ok).collect()
}
