//! Compaction beside the commits: one step after each group, and as many as fit while nothing waits.

use std::collections::VecDeque;
use std::error::Error;
use std::time::{Duration, Instant};

use syncline_store::Stepped;
use tokio::sync::{oneshot, watch};

use super::writer::{Shared, publish};
use crate::tenant::{CompactReport, Compacting, Due, Keep, Refused, Rewrite, TenantLog};

/// How long a step may take while nobody waits: as long as a push that comes meanwhile may be late.
const STEP_IDLE: Duration = Duration::from_millis(15);
/// Of the time of the last commit, what a step may take while others wait: pushes keep more than
/// half of their rate.
const STEP_BUSY_SHARE: f64 = 0.4;
/// Ops or pages of a step: its first, its fewest and its most.
const COUNT_FIRST: usize = 128;
const COUNT_MIN: usize = 16;
const COUNT_MAX: usize = 16_384;
/// What an op that is dropped takes in the write-ahead log: pages that it is taken out of.
const WAL_BYTES_PER_DROPPED: u64 = 512;

/// When an order is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Now,
    /// Where there is enough to gain.
    Due,
    /// What was erased is made unreadable, and nothing else is done.
    Erased,
}

/// A compaction that somebody asks for.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) keep: Keep,
    pub(super) rewrite: Rewrite,
    pub(super) when: When,
    pub(super) progress: watch::Sender<Option<CompactReport>>,
    pub(super) reply: oneshot::Sender<Result<Option<CompactReport>, Refused>>,
}

/// The compactions that a writer has to do, one after another.
#[derive(Debug, Default)]
pub(super) struct Orders {
    waiting: VecDeque<Order>,
    under_way: Option<UnderWay>,
    last_step: Option<(usize, Duration)>,
}

/// A compaction between its steps.
#[derive(Debug)]
struct UnderWay {
    compacting: Compacting,
    order: Order,
    /// Whether readers know the floor that it has raised.
    is_told: bool,
}

impl Orders {
    pub(super) fn add(&mut self, order: Order) {
        self.waiting.push_back(order);
    }

    /// Has what was just erased made unreadable: a text that somebody has deleted is not to be read in
    /// the file until a compaction comes by. Several erasures that wait are one run.
    pub(super) fn add_forgetting(&mut self) {
        if self.waiting.iter().any(|order| order.when == When::Erased) {
            return;
        }
        self.add(Order {
            keep: Keep::default(),
            rewrite: Rewrite::UpTo(0),
            when: When::Erased,
            progress: watch::Sender::new(None),
            reply: oneshot::channel().0,
        });
    }

    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.under_way.is_none()
    }

    /// Does one step of what is to be done; `last_commit` is what the group just before it took, if
    /// there was one.
    pub(super) fn step(
        &mut self,
        log: &mut TenantLog,
        shared: &Shared,
        last_commit: Option<Duration>,
    ) {
        if self.under_way.is_none() {
            let Some(order) = self.waiting.pop_front() else {
                return;
            };
            match begin(log, &order, shared) {
                Ok(Some(compacting)) => {
                    self.under_way = Some(UnderWay {
                        compacting,
                        order,
                        is_told: false,
                    });
                }
                // Who asked may have gone.
                Ok(None) => drop(order.reply.send(Ok(None))),
                Err(error) => drop(order.reply.send(Err(error))),
            }
            return;
        }
        let Some(under_way) = &mut self.under_way else {
            return;
        };
        let compacting = &mut under_way.compacting;
        let count = step_count(self.last_step, COUNT_FIRST, last_commit);
        let started = Instant::now();
        let before = compacting.report().totals;
        let stepped = log.compact_step(compacting, count);
        let report = compacting.report();
        self.last_step = Some((count, started.elapsed()));
        shared.wrote_beside(
            (report.totals.dropped - before.dropped) * WAL_BYTES_PER_DROPPED,
            log,
        );
        if report.totals.collected > before.collected {
            // A fetch that meets a page from before it begins anew, and would meet it again.
            shared.pages.invalidate();
        }
        match stepped {
            Ok(Stepped::More) => {
                under_way.order.progress.send_replace(Some(report));
                if report.totals.dropped > 0 && !under_way.is_told {
                    under_way.is_told = true;
                    // From the first op on that is gone: pages and a prepared file from below the
                    // floor would send who takes them to rebuild, again and again.
                    tell_floor(log, shared);
                }
            }
            Ok(Stepped::Done) => self.finish(Ok(Some(report)), log, shared),
            Err(error) => {
                tracing::error!(error = &error as &dyn Error, "a step of compaction failed");
                self.finish(Err(error), log, shared);
            }
        }
    }

    fn finish(
        &mut self,
        result: Result<Option<CompactReport>, Refused>,
        log: &mut TenantLog,
        shared: &Shared,
    ) {
        let Some(UnderWay { order, .. }) = self.under_way.take() else {
            return;
        };
        self.last_step = None;
        tell_floor(log, shared);
        // Who asked may have gone; what was dropped stays dropped.
        let _ = order.reply.send(result);
    }
}

/// Begins what was ordered; none where it is not due.
fn begin(
    log: &mut TenantLog,
    order: &Order,
    shared: &Shared,
) -> Result<Option<Compacting>, Refused> {
    let now = (shared.now)();
    log.note_time(now)?;
    let due = match order.when {
        When::Now => Due::Compaction,
        When::Due => order.keep.due(log.file()?, now)?,
        When::Erased if log.file()?.owed()?.is_nothing() => Due::Nothing,
        When::Erased => Due::Forgetting,
    };
    match due {
        Due::Compaction => log
            .begin_compaction(&order.keep, order.rewrite, now)
            .map(Some),
        Due::Forgetting => log.begin_forgetting().map(Some),
        Due::Nothing | Due::NothingBefore(_) => Ok(None),
    }
}

/// Lets go of what was made of the log before, which holds what is gone, and says where the log stands.
fn tell_floor(log: &mut TenantLog, shared: &Shared) {
    shared.erased();
    if let Ok(head) = log.head() {
        publish(&shared.head, head);
    }
}

/// The size of a step: the first, or by what the last one's size was and how long that took. It is asked
/// when it begins: while nothing waits it may be larger than it may be between two groups.
pub(super) fn step_count(
    last_step: Option<(usize, Duration)>,
    first: usize,
    last_commit: Option<Duration>,
) -> usize {
    last_step.map_or(first, |(count, took)| {
        next_count(count, took, step_limit(last_commit))
    })
}

/// How long a step may take after the group that took `last_commit`, if there was one.
fn step_limit(last_commit: Option<Duration>) -> Duration {
    last_commit.map_or(STEP_IDLE, |commit| {
        commit.mul_f64(STEP_BUSY_SHARE).min(STEP_IDLE)
    })
}

/// The size of the next step, after one of `count` that took `took` where `limit` was allowed.
fn next_count(count: usize, took: Duration, limit: Duration) -> usize {
    let fits = limit.as_secs_f64() / took.as_secs_f64().max(1e-6);
    let next = count as f64 * fits.clamp(0.1, 2.0);
    (next as usize).clamp(COUNT_MIN, COUNT_MAX)
}

#[cfg(test)]
mod tests {
    use syncline_model::{
        ActorId, Clock, Op, OpKey, Payload, ResourceId, Scope, ServerSeq, TenantId,
    };
    use syncline_store::FileOptions;
    use syncline_store::control::DataDirectory;

    use super::*;
    use crate::auth::{AuthMode, Exposure};
    use crate::config::ServeConfig;
    use crate::log::Tenants;
    use crate::metrics::Metrics;
    use crate::server::now;

    fn replacing(clock: u64) -> Op {
        Op {
            key: OpKey {
                actor: ActorId::new("a").unwrap(),
                clock: Clock::new(clock).unwrap(),
                scope: Scope::new("note").unwrap(),
                resource: ResourceId::new("n").unwrap(),
            },
            payload: Payload::parse(r#"{"replaces":true}"#).unwrap(),
        }
    }

    #[tokio::test]
    async fn who_reads_while_a_log_is_compacted_knows_the_floor_from_the_first_op_that_goes() {
        let root = tempfile::TempDir::new().unwrap();
        let exposure = Exposure::LoopbackOnly;
        let config = ServeConfig::new(root.path(), AuthMode::None { exposure });
        let directory = DataDirectory::open(root.path()).unwrap();
        let actor = ActorId::new("server-1").unwrap();
        let metrics = std::sync::Arc::new(Metrics::new());
        let tenants = Tenants::start(&config, directory, actor, metrics, now).unwrap();
        let tenant = tenants.open(&TenantId::new("acme").unwrap()).await.unwrap();
        let shared = &tenant.shared;
        // In the writer's stead, which has nothing to do.
        let birth = tenants.birth();
        let mut log = TenantLog::open(&shared.path, &FileOptions::default(), birth).unwrap();
        let mut batch = log.file().unwrap().begin().unwrap();
        for op in (1..=10 * COUNT_FIRST as u64).map(replacing) {
            let payload = Some(&op.payload);
            batch.append(&op.key, payload, op.payload.hash()).unwrap();
        }
        publish(&shared.head, batch.commit().unwrap());
        let mut orders = Orders::default();
        orders.add(Order {
            keep: Keep {
                retention: Duration::ZERO,
                ..Keep::default()
            },
            rewrite: Rewrite::Always,
            when: When::Now,
            progress: watch::Sender::new(None),
            reply: oneshot::channel().0,
        });
        let floor = loop {
            orders.step(&mut log, shared, None);
            let floor = log.head().unwrap().floor;
            if floor > ServerSeq::ZERO {
                break floor;
            }
        };
        assert!(!orders.is_idle());
        assert_eq!(shared.head.borrow().unwrap().floor, floor);
    }

    #[test]
    fn steps_grow_and_shrink_with_the_time_that_they_take() {
        let limit = Duration::from_millis(10);
        let next = |count, took| next_count(count, Duration::from_millis(took), limit);
        assert_eq!(next(100, 10), 100);
        assert_eq!(next(100, 1), 200);
        assert_eq!(next(100, 20), 50);
        assert_eq!(next(20, 5_000), COUNT_MIN);
        assert_eq!(next(COUNT_MAX, 0), COUNT_MAX);
    }

    #[test]
    fn a_step_between_two_groups_is_small_also_after_one_that_had_all_the_time() {
        let last = Some((1_500, STEP_IDLE));
        let after = |commit| step_count(last, COUNT_FIRST, commit);
        assert_eq!(after(None), 1_500);
        assert!(after(Some(Duration::from_millis(10))) < 1_000);
    }
}
