//! The handle on a replica's sync: a thread of its own does the work.

use std::io;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use syncline_replica::Replica;

use crate::driver::{self, Driver, Manner};
use crate::inbox::{Inbox, Waiter, Wishes};
use crate::status::Board;
use crate::{Phase, Remote, SyncFailure, SyncSettings, SyncStatus};

/// Beyond its deadline, how long a caller waits for the sync thread to say how far it came: that
/// thread may be in the middle of a write.
const REPLY_GRACE: Duration = Duration::from_millis(50);

/// Why sync could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("could not start a thread for sync")]
    Thread(#[source] io::Error),
    #[error("could not start the event loop of sync")]
    Runtime(#[source] io::Error),
}

/// How a call that waits for sync ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncOutcome {
    pub end: SyncEnd,
    /// Ops that the server has not acknowledged.
    pub pending: u64,
    /// Ops that the server has, and that were not pulled back yet.
    pub acknowledged: u64,
    /// Ops that the server refused.
    pub quarantined: u64,
}

/// Whether everything is synced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncEnd {
    /// Everything written before the call is in the server's log and pulled back, or in quarantine.
    Synced,
    /// Sync is off.
    Off,
    /// The deadline has passed; sync goes on.
    OutOfTime,
    /// Sync stands still for now; what is pending stays so.
    Failed(SyncFailure),
}

/// Runs a replica's sync until it is stopped, or dropped.
#[derive(Debug)]
pub struct SyncHandle {
    inbox: Arc<Inbox>,
    board: Arc<Board>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Starts to sync `replica` on a thread of its own.
///
/// Give it a handle of its own ([`Replica::another`]): subscribers of the others then hear what
/// comes from the server. Where another process syncs the same replica already, this one waits to
/// take over, and makes no call.
pub fn start(replica: Replica, settings: SyncSettings) -> Result<SyncHandle, StartError> {
    let inbox = Arc::new(Inbox::default());
    let board = Arc::new(Board::new(replica.now()));
    inbox.wish(|wishes| wishes.settings = Some(settings));
    let runtime = driver::runtime().map_err(StartError::Runtime)?;
    let driver = Driver::new(replica, Manner::Lasting, Arc::clone(&board));
    let wishes = Arc::clone(&inbox);
    let thread = std::thread::Builder::new()
        .name("syncline-sync".to_owned())
        .spawn(move || {
            // The files are closed here, when sync has ended.
            drop(runtime.block_on(driver.run(&wishes)));
            // Name look-ups may still be under way; nobody waits for them.
            runtime.shutdown_background();
        })
        .map_err(StartError::Thread)?;
    Ok(SyncHandle {
        inbox,
        board,
        thread: Mutex::new(Some(thread)),
    })
}

/// Pushes what waits in a replica's outbox and pulls what the server has, once, on this thread: for
/// a command where nothing else syncs. Gives the replica back, and says how far it came.
///
/// It returns as soon as everything is synced or can't be for now, and after `patience` at the
/// latest. What becomes of single ops, [`Replica::state_of`] tells. Where another process syncs the
/// replica at this moment, it waits for that one's work.
pub fn sync_once(
    replica: Replica,
    remote: Remote,
    patience: Duration,
) -> Result<(Replica, SyncOutcome), StartError> {
    run_once(replica, remote, patience, Manner::Once)
}

/// As [`sync_once`], for a command whose purpose that is: where everything is synced, it goes on for
/// a moment to make the replica's file smaller.
pub fn sync_once_and_compact(
    replica: Replica,
    remote: Remote,
    patience: Duration,
) -> Result<(Replica, SyncOutcome), StartError> {
    run_once(replica, remote, patience, Manner::OnceAndRest)
}

fn run_once(
    replica: Replica,
    remote: Remote,
    patience: Duration,
    manner: Manner,
) -> Result<(Replica, SyncOutcome), StartError> {
    let runtime = driver::runtime().map_err(StartError::Runtime)?;
    let deadline = Instant::now() + patience;
    let board = Arc::new(Board::new(replica.now()));
    let inbox = Arc::new(Inbox::default());
    let (reply, outcome) = sync_channel(1);
    inbox.wish(|wishes| {
        wishes.settings = Some(SyncSettings::On(remote));
        wishes.waiters.push(Waiter { deadline, reply });
    });
    let driver = Driver::new(replica, manner, Arc::clone(&board));
    let replica = runtime.block_on(driver.run(&inbox));
    runtime.shutdown_background();
    let outcome = outcome
        .try_recv()
        .unwrap_or_else(|_| board.outcome(SyncEnd::OutOfTime));
    Ok((replica, outcome))
}

impl SyncHandle {
    /// Says that something was written, or should be tried now.
    pub fn wake(&self) {
        self.inbox.wish(Wishes::wake);
    }

    /// Waits, `patience` at most, until everything written before this call is synced, or until
    /// sync can't go on.
    pub fn sync_now(&self, patience: Duration) -> SyncOutcome {
        if self.status().phase == Phase::Stopped {
            return self.unanswered();
        }
        let deadline = Instant::now() + patience;
        let (reply, outcome) = sync_channel(1);
        self.inbox
            .wish(|wishes| wishes.waiters.push(Waiter { deadline, reply }));
        outcome
            .recv_timeout(patience + REPLY_GRACE)
            .unwrap_or_else(|_| self.unanswered())
    }

    /// Follows other settings from now on, also a new token alone.
    pub fn configure(&self, settings: SyncSettings) {
        self.inbox.wish(|wishes| wishes.settings = Some(settings));
    }

    /// What sync is doing.
    pub fn status(&self) -> SyncStatus {
        self.board.read()
    }

    /// Finishes the write under way, ends sync, and closes the replica's files. May be called more
    /// than once; each call returns when it is done.
    pub fn stop(&self) {
        self.inbox.wish(Wishes::stop);
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the sync thread has panicked");
        }
    }

    /// The outcome where the sync thread is busy, or gone.
    fn unanswered(&self) -> SyncOutcome {
        let end = match self.status().phase {
            Phase::Stopped => SyncEnd::Off,
            Phase::Off
            | Phase::Elsewhere
            | Phase::Introducing
            | Phase::OtherTenant
            | Phase::LoggedOut
            | Phase::Apart
            | Phase::Syncing
            | Phase::Live
            | Phase::Polling
            | Phase::BackingOff
            | Phase::Recovering => SyncEnd::OutOfTime,
        };
        self.board.outcome(end)
    }
}

impl Drop for SyncHandle {
    fn drop(&mut self) {
        self.stop();
    }
}
