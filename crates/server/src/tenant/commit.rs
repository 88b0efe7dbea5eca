//! Group commit: several requests in one transaction, each with its own verdict.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use syncline_model::planted::{Defect, is_planted};
use syncline_model::{ActorId, Payload, ResourceId, Scope, ServerSeq, Timestamp};
use syncline_store::shapes::ShapeChanges;
use syncline_store::{Head, StoreError, TenantFile};

use super::push::{Judge, Poisoned, Push, Pushed};
use super::records::UndoneOps;
use super::requests::{RecordChange, RecordWrite, Recorded};
use super::{Refused, TenantLog};

/// A request that may write to the log.
pub enum Write {
    Push(Push),
    /// Something that reads the view, and then writes ops of this server's own actor.
    Decide(Box<dyn Decide>),
    /// Records, or a schema, to be decided and written as an op of this server's.
    Record(Box<RecordWrite>),
}

impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Push(push) => f
                .debug_tuple("Push")
                .field(&push.received.ops.len())
                .finish(),
            Self::Decide(_) => f.write_str("Decide"),
            Self::Record(_) => f.write_str("Record"),
        }
    }
}

impl Write {
    /// Whether another schema may stand after it.
    pub fn may_change_schema(&self) -> bool {
        match self {
            Self::Push(push) => push.received.ops.iter().any(|op| match op {
                syncline_protocol::ReceivedOp::Readable(op) => {
                    op.key.scope.as_str() == Scope::SCHEMA
                }
                syncline_protocol::ReceivedOp::Refused { .. } => false,
            }),
            Self::Decide(_) => false,
            Self::Record(write) => matches!(write.change, RecordChange::Schema { .. }),
        }
    }
}

/// A decision on the view as it stands when the request's turn comes.
pub trait Decide: Send {
    /// Whose the ops are; none: this server's.
    fn actor(&self) -> Option<&ActorId> {
        None
    }

    /// Says which ops to write; none where the request is refused or asks for nothing. May be asked
    /// again where a batch has to be run again, and keeps its answer of the last time.
    fn decide(&mut self, view: &TenantFile) -> Result<Vec<NewOp>, StoreError>;
}

/// An op that this server writes.
#[derive(Debug, Clone)]
pub struct NewOp {
    pub scope: Scope,
    pub resource: ResourceId,
    pub payload: Payload,
}

/// What became of a request that took part in a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Pushed(Pushed),
    /// The places of the ops decided on, in order.
    Decided(Vec<ServerSeq>),
    Recorded(Recorded),
}

/// What a commit came to.
#[derive(Debug)]
pub struct Committed {
    /// In the order of the requests.
    pub outcomes: Vec<Result<Outcome, Refused>>,
    /// Where the log stands; none where nothing could be read.
    pub head: Option<Head>,
    /// Whether payloads of earlier ops were erased, so that pages read before are no good.
    pub erased: bool,
    /// Ops refused because their fold panicked.
    pub panics: usize,
    /// Commits that failed.
    pub failures: usize,
    /// What has changed of tables with shapes.
    pub shapes: ShapeChanges,
    /// Whether the disk has taken something.
    pub taken: bool,
}

/// One try at a set of requests.
struct Tried {
    outcomes: Vec<Result<Outcome, Refused>>,
    head: Head,
    erased: bool,
    shapes: ShapeChanges,
    taken: bool,
}

impl TenantLog {
    /// Runs `writes` in order and commits them together. An error of one request leaves the others
    /// as they are; where the whole commit fails, nothing of it is in the log.
    pub fn commit(&mut self, writes: &mut [Write], now: Timestamp) -> Committed {
        let mut committed = Committed {
            outcomes: Vec::with_capacity(writes.len()),
            head: None,
            erased: false,
            panics: 0,
            failures: 0,
            shapes: ShapeChanges::default(),
            taken: false,
        };
        match self.try_group(writes, &Poisoned::new(), now, &Cell::new(None)) {
            Some(Ok(tried)) => committed.take(tried),
            // A panic is of one request; a full disk may still have room for the smaller ones.
            None | Some(Err(Refused::StorageFull(_))) => {
                for write in writes {
                    self.commit_alone(write, now, &mut committed);
                }
            }
            Some(Err(error)) => {
                committed.failures += 1;
                // The first keeps the cause; the others learn that they were part of it.
                let others = std::iter::repeat_with(|| Err(Refused::NotCommitted));
                let all = std::iter::once(Err(error)).chain(others);
                committed.outcomes.extend(all.take(writes.len()));
            }
        }
        committed
    }

    /// Runs one request until no fold panics; each op at fault is found, and refused in the next
    /// run.
    fn commit_alone(&mut self, write: &mut Write, now: Timestamp, committed: &mut Committed) {
        let mut poisoned = Poisoned::new();
        loop {
            let folding = Cell::new(None);
            let writes = std::slice::from_mut(write);
            match self.try_group(writes, &poisoned, now, &folding) {
                Some(Ok(tried)) => {
                    committed.panics += poisoned.len();
                    return committed.take(tried);
                }
                Some(Err(error)) => {
                    committed.failures += 1;
                    return committed.outcomes.push(Err(error));
                }
                None => {
                    let at_fault = folding.get().filter(|_| matches!(write, Write::Push(_)));
                    let is_known =
                        |op: &usize| poisoned.contains(op) || is_planted(Defect::RetryPanickedFold);
                    let Some(op) = at_fault.filter(|op| !is_known(op)) else {
                        committed.panics += 1;
                        return committed.outcomes.push(Err(Refused::Panicked));
                    };
                    poisoned.insert(op);
                }
            }
        }
    }

    /// Runs a group in one transaction; none where something in it panicked, and then nothing of it
    /// is in the log, and the file is open anew.
    fn try_group(
        &mut self,
        writes: &mut [Write],
        poisoned: &Poisoned,
        now: Timestamp,
        folding: &Cell<Option<usize>>,
    ) -> Option<Result<Tried, Refused>> {
        let run = AssertUnwindSafe(|| self.run_group(writes, poisoned, now, folding));
        let result = catch_unwind(run);
        if !matches!(result, Ok(Ok(_))) {
            self.members.forget();
        }
        match result {
            Ok(Err(error @ Refused::StorageFull(_))) => Some(Err(error)),
            Ok(Err(error)) => {
                // What is on the disk is not known: the next use opens the file and reads it.
                self.file = None;
                Some(Err(error))
            }
            Ok(Ok(tried)) => Some(Ok(tried)),
            Err(_panic) => {
                self.file = None;
                None
            }
        }
    }

    fn run_group(
        &mut self,
        writes: &mut [Write],
        poisoned: &Poisoned,
        now: Timestamp,
        folding: &Cell<Option<usize>>,
    ) -> Result<Tried, Refused> {
        let actor = self.birth.actor.clone();
        self.file()?;
        let file = self.file.as_mut().expect("it was opened just now");
        let mut batch = file.begin()?;
        let refusals = batch.has_refusals()?;
        let mut judge = Judge {
            batch: &mut batch,
            members: &mut self.members,
            now,
            wrote: false,
            erased: false,
            refusals,
            members_moved: false,
            undone: UndoneOps::default(),
            behind: HashSet::new(),
            own: &actor,
            told_anew: false,
            folding,
        };
        let mut outcomes = Vec::with_capacity(writes.len());
        for write in writes {
            let outcome = match write {
                Write::Push(push) => judge.push(push, poisoned).map(Outcome::Pushed),
                Write::Decide(decide) => {
                    judge.batch.flush()?;
                    let ops = decide.decide(judge.batch.file())?;
                    let actor = decide.actor().unwrap_or(&actor);
                    judge.own_ops(actor, &ops).map(Outcome::Decided)
                }
                Write::Record(write) => judge.write_record(&actor, write).map(Outcome::Recorded),
            };
            outcomes.push(verdict_or_failure(outcome)?);
        }
        let (wrote, erased, members_moved) = (judge.wrote, judge.erased, judge.members_moved);
        let noted = self.members.record_notes(&batch)?;
        let (head, mut shapes) = if wrote || noted {
            let committed = batch.commit_telling()?;
            self.members.committed();
            committed
        } else {
            // Nothing to make durable: what is a duplicate was committed before.
            (*batch.head(), ShapeChanges::default())
        };
        // Who waits for rows that they see by a membership asks again what they see.
        shapes.rotated |= members_moved;
        Ok(Tried {
            outcomes,
            head,
            erased,
            shapes,
            taken: wrote || noted,
        })
    }
}

impl Committed {
    fn take(&mut self, tried: Tried) {
        self.outcomes.extend(tried.outcomes);
        self.head = Some(tried.head);
        self.erased |= tried.erased;
        self.taken |= tried.taken;
        self.shapes.rows.extend(tried.shapes.rows);
        self.shapes.rotated |= tried.shapes.rotated;
    }
}

/// Tells a verdict on one request from a failure that ends the whole batch.
fn verdict_or_failure(
    outcome: Result<Outcome, Refused>,
) -> Result<Result<Outcome, Refused>, Refused> {
    match outcome {
        Ok(_)
        | Err(
            Refused::EpochChanged { .. }
            | Refused::LogDiverged { .. }
            | Refused::RebuildRequired { .. }
            | Refused::ForeignClient
            | Refused::EpochMismatch { .. }
            | Refused::ClocksExhausted
            | Refused::Panicked
            | Refused::NotCommitted,
        ) => Ok(outcome),
        Err(
            failure @ (Refused::StorageFull(_)
            | Refused::Unavailable(_)
            | Refused::Unread(_)
            | Refused::Open(_)
            | Refused::Damaged(_)
            | Refused::Thread(_)
            | Refused::File(_)
            | Refused::NotKept(_)),
        ) => Err(failure),
    }
}
