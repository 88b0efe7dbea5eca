//! Compaction: ops that no row needs leave the log, in small steps beside whatever else is done.
//!
//! A run has a floor, and goes over the log below it twice: first it drops the ops that are covered,
//! then it collects the tombstones of which nothing else is left. Last it forgets of requests whose ops
//! were dropped all but the newest. The op at the floor itself always
//! stays: the replica that stands there shows its mark. Each step is one transaction, and a run that
//! is cut short anywhere leaves a log that folds to the same rows.

mod collect;
mod dropped;
mod forget;
mod judging;
mod ops;
mod shrink;
mod survey;

pub(super) use dropped::{collected_clock, is_pruned, may_be_collected};
pub use forget::{EmptyTries, Forgetting, LogLeft};
pub use shrink::Fill;
pub use survey::OneIn;

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::{Connection, TransactionBehavior};
use syncline_model::compaction::{Coverage, coverage, would_matter};
use syncline_model::planted::{Defect, is_planted};
use syncline_model::{Epoch, LoggedOp, OpKey, Payload, Place, Rows, Scope, ServerSeq, Value};

use self::dropped::Dropped;
use self::survey::{Survey, Surveyed};
use super::batch::write_head;
use super::requests::OldRequests;
use super::upkeep::owe_traces;
use super::{Head, Outbox, TenantFile, read_head};
use crate::file::StoreError;
use crate::view::{Layer, View};
use crate::{schema, shapes};

/// Whether a run collects tombstones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collecting {
    /// In a server's log: it refuses the late ops that would find them missing.
    Tombstones,
    /// In a replica's log, which keeps the ops that made them for a server that was put back to a
    /// place before those.
    Nothing,
}

/// What one step has done, and which phase it leads to, if to another.
struct Advanced {
    next: Option<Phase>,
    totals: Compacted,
    dropped: Dropped,
}

impl Collecting {
    /// What comes after the ops.
    fn phase(self) -> Phase {
        if self == Self::Tombstones || is_planted(Defect::CollectInReplica) {
            Phase::Rows {
                table: 0,
                after: Vec::new(),
            }
        } else {
            Phase::Requests(OldRequests::default())
        }
    }
}

/// A run of compaction, between its steps. It ends early where the log begins another epoch.
#[derive(Debug)]
pub struct Compaction {
    epoch: Epoch,
    floor: ServerSeq,
    collecting: Collecting,
    phase: Phase,
    totals: Compacted,
    memory: ops::Memory,
    collecting_memory: collect::Memory,
}

#[derive(Debug)]
enum Phase {
    /// What is to go is found out first, and then goes at once.
    Survey(Survey),
    /// The ops after this place are to be judged, and what is covered goes in the same step.
    Ops {
        after: i64,
    },
    /// Rows after this key of the table with this number are to be judged.
    Rows {
        table: usize,
        after: Vec<Value>,
    },
    /// What is remembered of requests is to go, but for the newest.
    Requests(OldRequests),
    Done,
}

/// What a run has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Ops judged.
    pub judged: u64,
    /// Ops dropped.
    pub dropped: u64,
    /// Tombstones collected.
    pub collected: u64,
}

/// What a step has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stepped {
    More,
    /// The run has ended.
    Done,
}

impl Compaction {
    /// A run over the log below `floor`, as it stands in `file` now.
    pub fn begin(
        file: &TenantFile,
        floor: ServerSeq,
        collecting: Collecting,
    ) -> Result<Self, StoreError> {
        let head = file.head()?;
        Ok(Self {
            epoch: head.epoch,
            floor: floor.min(head.cursor.server_seq),
            collecting,
            phase: Phase::Ops { after: 0 },
            totals: Compacted::default(),
            memory: ops::Memory::default(),
            collecting_memory: collect::Memory::default(),
        })
    }

    /// Goes on where an earlier run up to the same floor has stopped: the ops up to `reached` were
    /// judged by it.
    #[must_use]
    pub fn after(mut self, reached: ServerSeq) -> Self {
        let after = reached.min(self.floor).get() as i64;
        self.phase = Phase::Ops { after };
        self
    }

    /// Lets the run drop all that is covered at once, where no more of the log `stays`: a fraction of the
    /// work, but nobody else writes meanwhile, which is about as long as it takes to read the log's
    /// pages. What is covered is known by then, from steps in which nothing was written.
    #[must_use]
    pub fn at_once(mut self, stays: OneIn) -> Self {
        if let Phase::Ops { after: 0 } = self.phase {
            self.phase = Phase::Survey(Survey::begin(stays));
        }
        self
    }

    /// Goes on step by step where there is no room to drop all at once. What a step that failed has
    /// looked at is looked at again.
    pub fn in_small_steps(&mut self) {
        if let Phase::Survey(_) = self.phase {
            self.phase = Phase::Ops { after: 0 };
        }
        self.memory = ops::Memory::default();
        self.collecting_memory = collect::Memory::default();
    }

    /// The epoch whose ops it judges.
    pub(super) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The place below which covered ops go.
    pub fn floor(&self) -> ServerSeq {
        self.floor
    }

    /// What was done so far.
    pub fn totals(&self) -> Compacted {
        self.totals
    }

    /// The place up to which ops were judged.
    pub fn reached(&self) -> ServerSeq {
        match self.phase {
            Phase::Ops { after } => ServerSeq(after as u64),
            // It may be to be judged again.
            Phase::Survey(_) => ServerSeq::ZERO,
            Phase::Rows { .. } | Phase::Requests(_) | Phase::Done => self.floor,
        }
    }

    /// Does what one step does to the log's ops and rows.
    fn advance(
        &mut self,
        connection: &Connection,
        head: ServerSeq,
        count: usize,
        outbox: &(impl Outbox + ?Sized),
    ) -> Result<Advanced, StoreError> {
        let mut totals = self.totals;
        let mut dropped = Dropped::default();
        let floor = self.floor;
        let ops_after = |after| ops::Step {
            connection,
            after,
            floor,
            count,
        };
        let next = match &mut self.phase {
            Phase::Survey(survey) => {
                let step = ops_after(survey.after());
                match survey.step(&step, head, &mut self.memory, outbox)? {
                    Surveyed::More => None,
                    Surveyed::NotWorthIt => Some(Phase::Ops { after: 0 }),
                    Surveyed::Dropped { judged, ops } => {
                        totals.judged += judged;
                        dropped = ops;
                        Some(self.collecting.phase())
                    }
                }
            }
            Phase::Ops { after } => {
                let judged = ops_after(*after).run(&mut self.memory, outbox, &mut dropped)?;
                totals.judged += judged.ops;
                Some(match judged.last {
                    Some(after) => Phase::Ops { after },
                    None => self.collecting.phase(),
                })
            }
            Phase::Rows { table, after } => {
                let step = collect::Step {
                    connection,
                    table: *table,
                    after,
                    floor,
                    count,
                };
                let (next, collected) = step.run(&mut self.collecting_memory, &mut dropped)?;
                totals.collected += collected;
                let last = || Phase::Requests(OldRequests::default());
                Some(next.map_or_else(last, |(table, after)| Phase::Rows { table, after }))
            }
            Phase::Requests(old) => {
                let left = old.forget(connection, count)?;
                Some(left.map_or(Phase::Done, Phase::Requests))
            }
            Phase::Done => None,
        };
        Ok(Advanced {
            next,
            totals,
            dropped,
        })
    }
}

impl TenantFile {
    /// Judges up to `count` ops or rows more, in one transaction. Ops of resources that the outbox
    /// writes to stay: they are looked at again by the next run.
    ///
    /// Pages that become free keep what they held until the file is made smaller, which is what comes
    /// after a run, and is owed until then: to overwrite each before that would write most of the file
    /// twice.
    pub fn compact_step(
        &mut self,
        run: &mut Compaction,
        count: usize,
        outbox: &(impl Outbox + ?Sized),
    ) -> Result<Stepped, StoreError> {
        if !shrink::gives_pages_back(&self.connection)? {
            return self.step(run, count, outbox);
        }
        self.connection
            .pragma_update(None, "secure_delete", "FAST")?;
        let was_surveyed = matches!(run.phase, Phase::Survey(_));
        let stepped = self.step(run, count, outbox);
        self.connection.pragma_update(None, "secure_delete", "ON")?;
        if was_surveyed && !matches!(run.phase, Phase::Survey(_)) {
            survey::give_memory_back(&self.connection)?;
        }
        stepped
    }

    fn step(
        &mut self,
        run: &mut Compaction,
        count: usize,
        outbox: &(impl Outbox + ?Sized),
    ) -> Result<Stepped, StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        schema::refuse_newer_fold(&transaction)?;
        let mut head = read_head(&transaction)?;
        if head.epoch != run.epoch {
            run.phase = Phase::Done;
        }
        if let Phase::Done = run.phase {
            return Ok(Stepped::Done);
        }
        let advanced = run.advance(&transaction, head.cursor.server_seq, count, outbox)?;
        let Advanced {
            next,
            mut totals,
            dropped,
        } = advanced;
        totals.dropped += dropped.ops;
        if dropped.ops > 0 {
            dropped.remember(&transaction)?;
            raise_floor(&transaction, &mut head, run.floor)?;
            owe_traces(&transaction)?;
        }
        collect::count(&transaction, totals.collected - run.totals.collected)?;
        if let Phase::Survey(_) | Phase::Ops { .. } = run.phase {
            run.memory.end_step(&transaction)?;
        }
        transaction.commit()?;
        run.totals = totals;
        if let Some(next) = next {
            run.phase = next;
        }
        Ok(match run.phase {
            Phase::Done => Stepped::Done,
            Phase::Survey(_) | Phase::Ops { .. } | Phase::Rows { .. } | Phase::Requests(_) => {
                Stepped::More
            }
        })
    }

    /// How many tombstones this log has ever collected. A fetch whose pages were read before and after
    /// one may hold what it hid, and not it.
    pub fn collections(&self) -> Result<u64, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT made FROM collections")?;
        Ok(statement.query_row([], |row| row.get::<_, i64>(0))? as u64)
    }

    /// Whether this log has collected a tombstone of this scope.
    pub fn has_collected(&self, scope: &Scope) -> Result<bool, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM collected WHERE scope = ?)")?;
        Ok(statement.query_row([scope.as_str()], |row| row.get(0))?)
    }

    /// Whether compaction has dropped an op with this key, or one of its actor and resource with a
    /// later clock.
    pub fn is_pruned(&self, key: &OpKey) -> Result<bool, StoreError> {
        is_pruned(&self.connection, key)
    }

    /// Whether this log, which does not hold the op, would count it as dropped if it were offered.
    pub fn counts_as_dropped(&self, op: &LoggedOp) -> Result<bool, StoreError> {
        if !self.is_pruned(&op.key)? {
            return Ok(false);
        }
        let mut view = View::new(&self.connection, Layer::Confirmed);
        let (key, payload) = (&op.key, op.payload.as_ref());
        let place = Place::Confirmed(self.head()?.cursor.server_seq.next());
        let judge = AssertUnwindSafe(|| {
            Ok(may_be_collected(&mut view, key, payload)?
                || !would_matter(&mut view, key, payload, place)?)
        });
        // One at which this version panics is the server's to judge.
        catch_unwind(judge).unwrap_or(Ok(false))
    }
}

fn raise_floor(
    connection: &Connection,
    head: &mut Head,
    floor: ServerSeq,
) -> Result<(), StoreError> {
    if floor > head.floor {
        head.floor = floor;
        write_head(connection, head)?;
        shapes::trim(connection, floor)?;
    }
    Ok(())
}

/// Whether the rows need the op; one at which this version panics is one that it can't judge.
pub(super) fn coverage_of<R: Rows<Error = StoreError>>(
    rows: &mut R,
    key: &OpKey,
    payload: Option<&Payload>,
) -> Result<Coverage, StoreError> {
    catch_unwind(AssertUnwindSafe(|| coverage(rows, key, payload))).unwrap_or(Ok(Coverage::Needed))
}

/// The places of ops that no fold could take, which a later version may.
fn unfolded(connection: &Connection) -> Result<HashSet<i64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT server_seq FROM unfolded")?;
    let places = statement.query_map([], |row| row.get(0))?;
    Ok(places.collect::<Result<_, _>>()?)
}
