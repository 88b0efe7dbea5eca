//! The log of one tenant as a server keeps it: requests in, verdicts out, nothing of HTTP.
//!
//! Several requests commit together under one sync of the disk, and each gets its own verdict. Times
//! and random numbers are arguments, so that the simulator drives this very code.

mod commit;
mod compaction;
mod members;
mod pull;
mod push;
mod records;
mod refused;
mod requests;
mod rows;
mod schema;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use syncline_model::{ActorId, Epoch, Mark, Timestamp};
use syncline_protocol::Claims;
use syncline_store::shapes::{Making, NewShape};
use syncline_store::{
    Durability, FileOptions, Head, LogStart, OpenError, PageLimit, Stepped, StoreError, TenantFile,
};

pub use commit::{Committed, Decide, NewOp, Outcome, Write};
pub use compaction::{Bounds, CompactReport, Compacting, Due, Keep, Liveness, Rewrite};
pub(crate) use compaction::{before, with_room};
pub use members::ClientNote;
use members::Members;
pub use pull::{Page, Reader, check_sight, read_page, read_page_for};
pub use push::{Push, Pushed, op_error_of};
pub use records::Standing;
pub(crate) use records::op_error;
pub use refused::{FULL_RETRY_AFTER, Refused, UNAVAILABLE_RETRY_AFTER};
pub use requests::{RecordChange, RecordWrite, Recorded, RepeatKey};
pub use rows::{
    Aim, AimedWrite, Extent, ShownRow, WrittenRow, decision_of, is_within, written_row,
};

/// How a log that is not there yet begins, and who this server is in it.
#[derive(Debug, Clone)]
pub struct Birth {
    pub epoch: Epoch,
    /// The mark of place 0, random.
    pub origin: Mark,
    /// The actor of ops that are made here; a new one at each start of the server.
    pub actor: ActorId,
}

/// One tenant's log, open for writing.
#[derive(Debug)]
pub struct TenantLog {
    /// None after a failure that leaves the connection in doubt: it is opened again.
    file: Option<TenantFile>,
    path: PathBuf,
    options: FileOptions,
    birth: Birth,
    members: Members,
    checkpoints: Checkpoints,
}

/// Who moves the write-ahead log into the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Checkpoints {
    /// A commit, now and then.
    InCommits,
    /// The owner, by [`TenantLog::checkpoint`].
    ByHand,
}

impl TenantLog {
    /// Opens the tenant file at `path`, or makes it.
    pub fn open(path: &Path, options: &FileOptions, birth: Birth) -> Result<Self, OpenError> {
        let mut log = Self {
            file: None,
            path: path.to_owned(),
            options: options.clone(),
            birth,
            members: Members::default(),
            checkpoints: Checkpoints::InCommits,
        };
        log.reopen()?;
        Ok(log)
    }

    /// Where the log stands.
    pub fn head(&mut self) -> Result<Head, Refused> {
        Ok(self.file()?.head()?)
    }

    /// The file, for queries on the view.
    pub fn file(&mut self) -> Result<&mut TenantFile, Refused> {
        if self.file.is_none() {
            self.reopen()?;
        }
        Ok(self.file.as_mut().expect("it was opened just now"))
    }

    fn reopen(&mut self) -> Result<(), OpenError> {
        // The old connection goes first: what it believes about the file is what is in doubt.
        self.file = None;
        self.members.forget();
        let start = || (self.birth.epoch, self.birth.origin);
        let file = TenantFile::open_or_create(&self.path, &self.options, start)?;
        // What a process that died, or a commit that failed, has left in the write-ahead log can be
        // read, and may not be on the disk: it must be before anything in it is called a duplicate.
        file.checkpoint().map_err(|source| OpenError::Store {
            path: self.path.clone(),
            source,
        })?;
        if self.checkpoints == Checkpoints::ByHand {
            let path = self.path.clone();
            file.checkpoint_by_hand()
                .map_err(|source| OpenError::Store { path, source })?;
        }
        self.file = Some(file);
        Ok(())
    }

    /// From now on no commit does a checkpoint.
    pub fn checkpoint_by_hand(&mut self) -> Result<(), Refused> {
        self.checkpoints = Checkpoints::ByHand;
        Ok(self.file()?.checkpoint_by_hand()?)
    }

    /// Moves the write-ahead log into the file; gives the pages that could not be moved yet.
    pub fn checkpoint(&mut self) -> Result<u64, Refused> {
        Ok(self.file()?.checkpoint()?)
    }

    /// Reads the page after the place that `claims` name, as the JSON that answers it, and learns from `note` what the
    /// client says it has applied.
    pub fn pull(
        &mut self,
        claims: &Claims,
        note: Option<ClientNote>,
        limit: PageLimit,
    ) -> Result<(Page, Vec<u8>), Refused> {
        let page = read_page(self.file()?, claims, limit)?;
        if let Some(note) = note {
            self.note(note);
        }
        Ok(page)
    }

    /// Keeps what a client says of itself for the next commit; losing it does no harm.
    pub fn note(&mut self, note: ClientNote) {
        self.members.note(note);
    }

    /// Notes that the log has reached its head by this time: what retention goes by.
    pub fn note_time(&mut self, now: Timestamp) -> Result<(), Refused> {
        Ok(with_room(self.file()?, |file| file.note_time(now))?)
    }

    /// Begins a compaction up to the floor that `keep` allows now.
    pub fn begin_compaction(
        &mut self,
        keep: &Keep,
        rewrite: Rewrite,
        now: Timestamp,
    ) -> Result<Compacting, Refused> {
        Ok(Compacting::begin(self.file()?, keep, rewrite, now)?)
    }

    /// Begins what makes unreadable what was taken out of the log already.
    pub fn begin_forgetting(&mut self) -> Result<Compacting, Refused> {
        Ok(Compacting::begin_forgetting(self.file()?)?)
    }

    /// Does one step of a compaction, which need not be on the disk when this returns.
    pub fn compact_step(
        &mut self,
        compacting: &mut Compacting,
        count: usize,
    ) -> Result<Stepped, Refused> {
        self.beside(|file| compacting.step(file, count))
    }

    /// Goes on to make a shape at the head, unless one of its definition takes readers: reads so many
    /// rows of its table, where those are not kept yet. It need not be on the disk when this returns:
    /// readers of a shape that is gone begin anew.
    pub fn make_shape(&mut self, new: &NewShape, rows_max: usize) -> Result<Making, Refused> {
        self.beside(|file| file.make_shape(new, rows_max))
    }

    /// Does work whose commits wait for no disk: the next one of the log takes them along, and without
    /// them nothing is lost.
    fn beside<T>(
        &mut self,
        work: impl FnOnce(&mut TenantFile) -> Result<T, StoreError>,
    ) -> Result<T, Refused> {
        let durability = self.options.durability;
        let file = self.file()?;
        file.set_durability(Durability::Normal)?;
        let done = work(file);
        let restored = file.set_durability(durability);
        let done = done.and_then(|done| restored.map(|()| done));
        if done.is_err() {
            self.file = None;
        }
        Ok(done?)
    }

    /// Makes room for another shape where there are as many as may be: of all there are, `choose` says
    /// which so many go. Gives for how many there is room, and how many went.
    pub fn make_room_for_shapes(
        &mut self,
        shapes_max: usize,
        choose: impl FnOnce(Vec<String>, usize) -> Vec<String>,
    ) -> Result<(usize, usize), Refused> {
        let shapes_max = shapes_max.max(1);
        let file = self.file()?;
        let count = usize::try_from(file.shape_count()?).unwrap_or(usize::MAX);
        if count < shapes_max {
            return Ok((shapes_max - count, 0));
        }
        // A tenth at once, so that this is not done for each.
        let room = (shapes_max / 10).max(1);
        let gone = choose(file.shape_handles()?, room + count - shapes_max);
        file.delete_shapes(&gone)?;
        Ok((room, gone.len()))
    }

    /// Forgets a shape; says whether it was there.
    pub fn delete_shape(&mut self, handle: &str) -> Result<bool, Refused> {
        Ok(self.file()?.delete_shape(handle)?)
    }

    /// Lets go of the places of clients that have been idle for as long as this, so that they hold the
    /// floor no more; gives their number.
    pub fn expire(&mut self, idle: Duration, now: Timestamp) -> Result<usize, Refused> {
        let Some(before) = before(now, idle) else {
            return Ok(0);
        };
        let expired = self.file()?.expire_clients(before)?;
        // What is remembered of them is no longer what the file says.
        self.members.forget();
        Ok(expired)
    }

    /// Begins an empty log in the epoch `next`, if the log is still in `expected`.
    pub fn reset(&mut self, expected: Epoch, next: Epoch, origin: Mark) -> Result<Head, Refused> {
        let head = self
            .file()?
            .start_epoch(expected, next, LogStart::Reset { origin });
        let head = match head {
            Ok(head) => head,
            Err(error) => {
                self.file = None;
                return Err(error.into());
            }
        };
        self.members.forget();
        if head.epoch != next {
            return Err(Refused::EpochMismatch { epoch: head.epoch });
        }
        Ok(head)
    }
}
