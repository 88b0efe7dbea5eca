//! Reading ahead: while batches are folded into the view, the next is read on a thread of its own, and
//! written to the outbox, which waits for the disk.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};

use syncline_model::session::SessionId;
use syncline_replica::Replica;

use super::{ImportBatch, ImportError, Importer};
use crate::facts::UnitKey;

/// How many batches are kept that may not be in the view yet. Batches differ in what it takes to read
/// and to fold them: with one, who is quicker with it waits for the other each time.
const BATCHES_BEHIND: usize = 3;

/// The batches before the one that is being read, as far as they may not be in the view yet, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Behind(VecDeque<BatchBehind>);

#[derive(Debug)]
struct BatchBehind {
    /// Tells that it is in the view.
    shown: Receiver<()>,
    /// What it notes.
    noted: HashMap<UnitKey, Vec<u8>>,
    /// The sessions of which it says something.
    sessions: HashSet<SessionId>,
}

impl Behind {
    pub(super) fn noted(&self, key: &UnitKey) -> Option<&Vec<u8>> {
        self.0.iter().rev().find_map(|batch| batch.noted.get(key))
    }

    /// Waits until the view holds what the batches say of a session.
    pub(super) fn wait_for(&mut self, session: &SessionId) {
        let says = |batch: &BatchBehind| batch.sessions.contains(session);
        if let Some(last) = self.0.iter().rposition(says) {
            self.wait(last + 1);
        }
    }

    /// Waits until the view holds all that the batches say.
    pub(super) fn wait_for_all(&mut self) {
        self.wait(self.0.len());
    }

    /// Takes one more, when there is room for it.
    fn push(&mut self, batch: BatchBehind) {
        if self.0.len() == BATCHES_BEHIND {
            self.wait(1);
        }
        self.0.push_back(batch);
    }

    /// Waits until so many batches, the oldest, are in the view, or never will be.
    fn wait(&mut self, count: usize) {
        for batch in self.0.drain(..count) {
            // Who shows it is gone where this fails, and takes no further batch.
            let _ = batch.shown.recv();
        }
    }
}

/// A batch that is on the disk, and whom to tell that the view holds it.
struct Kept {
    batch: ImportBatch,
    shown: Sender<()>,
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
            keep(&first, replica)?;
            replica.show_imported(&first.ops);
            told(first);
            return Ok(());
        }
        let reading = replica.another().map_err(ImportError::Replica)?;
        let shown = replica.showing_many(|replica| self.write_ahead(reading, first, replica, told));
        shown.map_err(ImportError::Replica)?
    }

    /// Shows batch after batch, while the next are read.
    fn write_ahead(
        self,
        reading: Replica,
        first: ImportBatch,
        replica: &mut Replica,
        mut told: impl FnMut(ImportBatch),
    ) -> Result<(), ImportError> {
        let (sender, batches) = mpsc::sync_channel(BATCHES_BEHIND);
        std::thread::scope(|scope| {
            let reader = scope.spawn(move || self.read_ahead(reading, first, &sender));
            // By value: a panic lets go of the channel too, so that the reader does not wait for ever.
            for kept in batches {
                replica.show_imported(&kept.batch.ops);
                // A reader that has failed waits for nothing.
                let _ = kept.shown.send(());
                told(kept.batch);
            }
            let read = reader.join();
            read.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Writes batch after batch to the outbox, and gives each to be shown.
    fn read_ahead(
        mut self,
        mut replica: Replica,
        first: ImportBatch,
        batches: &SyncSender<Kept>,
    ) -> Result<(), ImportError> {
        let mut next = Some(first);
        while let Some(batch) = next {
            keep(&batch, &mut replica)?;
            let (sender, shown) = mpsc::channel();
            self.remembered.behind.push(BatchBehind {
                shown,
                noted: std::mem::take(&mut self.remembered.noted),
                sessions: sessions_of(&batch),
            });
            let kept = Kept {
                batch,
                shown: sender,
            };
            if batches.send(kept).is_err() {
                break;
            }
            next = self.next_batch(&replica)?;
        }
        Ok(())
    }
}

fn keep(batch: &ImportBatch, replica: &mut Replica) -> Result<(), ImportError> {
    let kept = replica.keep_imported(&batch.ops, &batch.notes);
    kept.map(drop).map_err(ImportError::Write)
}

fn sessions_of(batch: &ImportBatch) -> HashSet<SessionId> {
    let sessions = batch.ops.iter().map(|op| op.resource.as_str().parse());
    sessions.filter_map(Result::ok).collect()
}
