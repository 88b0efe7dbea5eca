//! The thread that writes one tenant's log.
//!
//! It takes what waits and commits it together; it never sleeps to fill a group.

use std::error::Error;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use syncline_model::schema::Schema;
use syncline_model::{Epoch, Mark, Timestamp};
use syncline_store::Head;
use syncline_store::shapes::{MadeShape, NewShape};
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot, watch};

use super::checkpoint::{Checkpointer, Due, WalGauge};
use super::compacting::{Order, Orders};
use super::making::Makings;
use super::pages::Pages;
use super::prepared::Prepared;
use super::served::put_where_none_stands;
use super::sight::KnownSchema;
use crate::http::HeldBytes;
use crate::metrics::Metrics;
use crate::shapes::Hub;
use crate::tenant::{ClientNote, Committed, Outcome, Refused, TenantLog, Write};

/// Requests that wait for one tenant's writer. Further ones wait before they are taken in.
pub(super) const JOBS_MAX: usize = 1_024;
/// Requests of one group.
const GROUP_REQUESTS_MAX: usize = 1_024;
/// Bytes of one group's bodies: what a commit has in memory, and how long its callers wait for each
/// other.
const GROUP_BYTES_MAX: usize = 16 << 20;
/// What an op takes in the write-ahead log beside its bytes: index pages, view rows.
const WAL_FACTOR: u64 = 3;
/// What a commit counts for beside its ops, however few: some pages of each index that it changes. With ops
/// of a few bytes a checkpoint is due after 512 commits, each of which writes about 24 kB.
const WAL_BYTES_PER_COMMIT: u64 = 8 << 10;

/// Something for the writer to do.
pub(super) enum Job {
    Write(WriteJob),
    Reset {
        expected: Epoch,
        next: Epoch,
        origin: Mark,
        /// Keeps the log as it is; what fails here leaves it as it is.
        keep: Box<dyn FnOnce() -> Result<(), Refused> + Send>,
        reply: oneshot::Sender<Result<Head, Refused>>,
    },
    /// Write down what clients have said of themselves.
    Notes {
        reply: oneshot::Sender<()>,
    },
    /// Make or delete a shape.
    Shape(ShapeJob),
    /// Compact the log, in steps beside the writes.
    Compact(Order),
    /// Let go of the places of clients that have been idle for this long.
    Expire {
        idle: Duration,
        reply: oneshot::Sender<Result<usize, Refused>>,
    },
}

/// Whether texts were erased that may still be read in the file's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Erasing {
    No,
    Yes,
}

/// What is to be done with a shape, and who waits for it.
pub(super) enum ShapeJob {
    Make(
        NewShape,
        oneshot::Sender<Result<Option<MadeShape>, Refused>>,
    ),
    Delete(String, oneshot::Sender<Result<bool, Refused>>),
}

/// A request, its share of the memory for bodies, and who waits for it.
pub(super) struct WriteJob {
    pub(super) write: Write,
    pub(super) held: Arc<HeldBytes>,
    pub(super) reply: oneshot::Sender<(Write, Result<Outcome, Refused>)>,
}

/// What the writer shares with who asks it.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) path: PathBuf,
    /// Where the log stands; the sender outlives the open file, for the streams.
    pub(super) head: Arc<watch::Sender<Option<Head>>>,
    pub(super) pages: Pages,
    pub(super) prepared: Arc<Prepared>,
    pub(super) hub: Arc<Hub>,
    pub(super) notes: Mutex<Vec<ClientNote>>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) schema: KnownSchema,
    pub(super) wal: Arc<WalGauge>,
    pub(super) checkpointer: Checkpointer,
    /// Where requests wait for their answers.
    pub(super) runtime: Handle,
    pub(super) now: fn() -> Timestamp,
    pub(super) shapes_max: usize,
    /// The schema that the server was started with.
    pub(super) served: Option<Arc<Schema>>,
}

impl Shared {
    /// Payloads were erased, or the log was reset: what was made of it before is no good.
    pub(super) fn erased(&self) {
        self.pages.invalidate();
        self.schema.forget();
        self.prepared.erase();
        self.hub.cache_is_stale();
    }

    /// Counts bytes that went into the write-ahead log, and sees to what is due then.
    pub(super) fn wrote_beside(&self, bytes: u64, log: &mut TenantLog) {
        match self.wal.wrote(bytes) {
            Due::Nothing => {}
            Due::Beside => {
                let gauge = Arc::clone(&self.wal);
                self.checkpointer.ask(self.path.clone(), gauge);
            }
            Due::Now => match log.checkpoint() {
                Ok(left) => self.wal.checkpointed(left),
                Err(error) => tracing::warn!(error = &error as &dyn Error, "checkpoint failed"),
            },
        }
    }
}

/// Works until nobody can ask any more.
pub(super) fn run(mut log: TenantLog, mut jobs: mpsc::Receiver<Job>, shared: &Shared) {
    let mut next = None;
    let mut orders = Orders::default();
    let mut makings = Makings::default();
    loop {
        let job = match next.take() {
            Some(job) => Some(job),
            None if orders.is_idle() && makings.is_idle() => match jobs.blocking_recv() {
                Some(job) => Some(job),
                None => break,
            },
            None => match jobs.try_recv() {
                Ok(job) => Some(job),
                Err(TryRecvError::Empty) => None,
                // A compaction that is cut short goes on with the next one.
                Err(TryRecvError::Disconnected) => break,
            },
        };
        let mut last_commit = None;
        match job {
            None => {}
            Some(Job::Write(first)) => {
                let group;
                (group, next) = collect(first, &mut jobs);
                let started = Instant::now();
                let erasing = commit(&mut log, group, shared);
                last_commit = Some(started.elapsed());
                if erasing == Erasing::Yes {
                    orders.add_forgetting();
                }
            }
            Some(Job::Compact(order)) => {
                // What clients have said of themselves counts for the floor.
                commit(&mut log, Vec::new(), shared);
                orders.add(order);
            }
            Some(Job::Shape(ShapeJob::Make(new, reply))) => makings.add(new, reply),
            Some(other) => {
                let erasing = run_other(&mut log, other, shared);
                if erasing == Erasing::Yes {
                    orders.add_forgetting();
                }
            }
        }
        makings.step(&mut log, shared, last_commit);
        orders.step(&mut log, shared, last_commit);
    }
    commit(&mut log, Vec::new(), shared);
    // How far the log has come by now is known while it is closed.
    if let Err(error) = log.note_time((shared.now)()) {
        let error = &error as &dyn Error;
        tracing::warn!(error, "could not note how far a log has come");
    }
}

/// Does what is done at once, and is no write.
fn run_other(log: &mut TenantLog, job: Job, shared: &Shared) -> Erasing {
    let mut erasing = Erasing::No;
    match job {
        Job::Reset {
            expected,
            next,
            origin,
            keep,
            reply,
        } => {
            // A reset for another epoch does nothing, and has nothing to keep.
            let is_current = shared
                .head
                .borrow()
                .is_some_and(|head| head.epoch == expected);
            let kept = if is_current { keep() } else { Ok(()) };
            let reset = kept.and_then(|()| log.reset(expected, next, origin));
            let result = reset.map(|head| begin_anew(log, head, shared));
            if let Ok(head) = result {
                shared.erased();
                erasing = Erasing::Yes;
                publish(&shared.head, head);
                shared.hub.wake_all();
            }
            // Who asked may have gone; the reset stands.
            let _ = reply.send(result);
        }
        Job::Notes { reply } => {
            erasing = commit(log, Vec::new(), shared);
            // Who asked may have gone.
            let _ = reply.send(());
        }
        Job::Shape(ShapeJob::Delete(handle, reply)) => {
            let deleted = log.delete_shape(&handle);
            shared.hub.wake_all();
            // Who asked may have gone; it is deleted.
            let _ = reply.send(deleted);
        }
        Job::Expire { idle, reply } => {
            // Who has said meanwhile that it moved is not idle.
            erasing = commit(log, Vec::new(), shared);
            let expired = log.expire(idle, (shared.now)());
            // Who asked may have gone.
            let _ = reply.send(expired);
        }
        Job::Write(_) | Job::Compact(_) | Job::Shape(ShapeJob::Make(..)) => {
            unreachable!("these are the loop's")
        }
    }
    erasing
}

/// Has the schema stand that the server was started with, in a log that holds nothing; gives its head.
fn begin_anew(log: &mut TenantLog, head: Head, shared: &Shared) -> Head {
    let Some(schema) = &shared.served else {
        return head;
    };
    let put = put_where_none_stands(log, schema, (shared.now)());
    put.and_then(|()| log.head()).unwrap_or_else(|error| {
        // The reset stands, and so does what is opened next.
        let error = &error as &dyn Error;
        tracing::error!(
            error,
            "a log that was reset has no schema until it is opened again"
        );
        head
    })
}

/// Takes what waits, up to the bounds of a group, and the job that ended it.
fn collect(first: WriteJob, jobs: &mut mpsc::Receiver<Job>) -> (Vec<WriteJob>, Option<Job>) {
    let mut bytes = first.held.count();
    let mut group = vec![first];
    while group.len() < GROUP_REQUESTS_MAX && bytes < GROUP_BYTES_MAX {
        match jobs.try_recv() {
            Ok(Job::Write(job)) => {
                bytes += job.held.count();
                group.push(job);
            }
            Ok(other) => return (group, Some(other)),
            Err(_) => break,
        }
    }
    (group, None)
}

fn commit(log: &mut TenantLog, group: Vec<WriteJob>, shared: &Shared) -> Erasing {
    let notes = std::mem::take(&mut *shared.notes.lock().expect(UNPOISONED));
    if group.is_empty() && notes.is_empty() {
        return Erasing::No;
    }
    notes.into_iter().for_each(|note| log.note(note));
    let bytes: usize = group.iter().map(|job| job.held.count()).sum();
    let (mut writes, callers): (Vec<_>, Vec<_>) = group
        .into_iter()
        .map(|job| (job.write, (job.reply, job.held)))
        .unzip();
    let started = Instant::now();
    let committed = log.commit(&mut writes, (shared.now)());
    shared.metrics.commits.observe_duration(started.elapsed());
    note_commit(&committed, &writes, shared);
    if writes.iter().any(Write::may_change_schema) {
        shared.schema.forget();
    }
    let erasing = if committed.erased {
        shared.erased();
        Erasing::Yes
    } else {
        Erasing::No
    };
    if let Some(head) = committed.head {
        publish(&shared.head, head);
        shared.hub.queue(head.cursor.server_seq, committed.shapes);
    }
    // By one task: each wake from outside the runtime would take its locks, and often a system call.
    let hub = Arc::clone(&shared.hub);
    shared.runtime.spawn(async move {
        let answers = writes.into_iter().zip(committed.outcomes);
        for ((reply, _held), answer) in callers.into_iter().zip(answers) {
            // Who asked may have gone; what was committed stands, and asking again finds it.
            let _ = reply.send(answer);
        }
        hub.publish();
    });
    shared.wrote_beside(WAL_BYTES_PER_COMMIT + bytes as u64 * WAL_FACTOR, log);
    erasing
}

/// Says where the log stands now, and wakes who waits for that.
pub(super) fn publish(sender: &watch::Sender<Option<Head>>, head: Head) {
    sender.send_if_modified(|known| {
        let moved = *known != Some(head);
        *known = Some(head);
        moved
    });
}

fn note_commit(committed: &Committed, writes: &[Write], shared: &Shared) {
    let metrics = &shared.metrics;
    let ops = writes.iter().map(|write| match write {
        Write::Push(push) => push.received.ops.len(),
        Write::Decide(_) | Write::Record(_) => 1,
    });
    metrics.group_ops.observe(ops.sum::<usize>() as f64);
    metrics.fold_panics.add(committed.panics as u64);
    metrics.commit_failures.add(committed.failures as u64);
    let accepted_before = metrics.ops_accepted.get();
    for outcome in &committed.outcomes {
        match outcome {
            Ok(Outcome::Pushed(pushed)) => metrics.count_verdicts(&pushed.verdicts),
            Ok(Outcome::Recorded(
                crate::tenant::Recorded::Written { .. } | crate::tenant::Recorded::Applied { .. },
            )) => {
                metrics.ops_accepted.add(1);
            }
            Ok(Outcome::Recorded(_)) => {}
            Ok(Outcome::Decided(places)) => metrics.ops_accepted.add(places.len() as u64),
            Err(error) if error.code().status() >= 500 => {
                tracing::error!(error = error as &dyn Error, "a request to the log failed");
            }
            Err(_) => {}
        }
    }
    if metrics.ops_accepted.get() > accepted_before {
        metrics.note_written();
    }
    if committed.taken {
        metrics.note_taken();
    }
    let refusals = committed.outcomes.iter().filter_map(|of| of.as_ref().err());
    refusals.for_each(|refused| metrics.note_refused(refused));
}

const UNPOISONED: &str = "nothing panics under this lock";
