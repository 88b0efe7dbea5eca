//! Running worlds: one, or many on several threads.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::thread;

use syncline_model::planted::{Binary, Defect, PANIC_MESSAGE, plant, play};

use crate::coverage::Coverage;
use crate::oracle::{Tally, Violation};
use crate::trace::Sink;
use crate::world::World;

/// A world that broke a promise.
#[derive(Debug, Clone)]
pub struct Failure {
    pub seed: u64,
    pub violation: Violation,
}

/// What became of a world.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Two runs of one seed have the same.
    pub digest: u64,
    pub coverage: Coverage,
    pub tally: Tally,
    pub violation: Option<Violation>,
}

/// What many worlds came to.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Worlds that were run to their end.
    pub histories: u64,
    /// Of the worlds that failed, that with the lowest seed.
    pub failure: Option<Failure>,
    pub coverage: Coverage,
    pub tally: Tally,
}

/// Runs the world of a seed, with a defect planted in the code that it tests, if any.
pub fn run(seed: u64, defect: Option<Defect>) -> Outcome {
    run_with(seed, defect, None)
}

/// Runs the world of a seed, and tells its history as it goes.
pub fn run_traced(seed: u64, defect: Option<Defect>, sink: Sink) -> Outcome {
    run_with(seed, defect, Some(sink))
}

fn run_with(seed: u64, defect: Option<Defect>, sink: Option<Sink>) -> Outcome {
    quiet_planted_panics();
    plant(defect);
    let outcome = catch_unwind(AssertUnwindSafe(|| World::new(seed, sink).run()));
    plant(None);
    play(Binary::default());
    outcome.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Outcome {
            digest: 0,
            coverage: Coverage::default(),
            tally: Tally::default(),
            violation: Some(Violation(format!(
                "a panic: {}",
                text.unwrap_or("of no text")
            ))),
        }
    })
}

/// Runs the worlds of `seeds` on `threads` threads, up to the first that fails.
pub fn run_many(seeds: Range<u64>, threads: usize, defect: Option<Defect>) -> Report {
    let (next, failed) = (AtomicU64::new(seeds.start), AtomicBool::new(false));
    let report = Mutex::new(Report::default());
    let work = || {
        while !failed.load(Ordering::SeqCst) {
            let seed = next.fetch_add(1, Ordering::SeqCst);
            if seed >= seeds.end {
                break;
            }
            let outcome = run(seed, defect);
            let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
            report.histories += 1;
            report.coverage += &outcome.coverage;
            report.tally += outcome.tally;
            if let Some(violation) = outcome.violation {
                failed.store(true, Ordering::SeqCst);
                // A thread that was given a lower seed may end after one with a higher.
                if report
                    .failure
                    .as_ref()
                    .is_none_or(|failure| seed < failure.seed)
                {
                    report.failure = Some(Failure { seed, violation });
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(work);
        }
    });
    report.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps panics that worlds plant in folds out of the error output; others are shown as ever.
fn quiet_planted_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let payload = panic.payload();
            let text = payload.downcast_ref::<String>().map(String::as_str);
            if text.or_else(|| payload.downcast_ref::<&str>().copied()) != Some(PANIC_MESSAGE) {
                others(panic);
            }
        }));
    });
}
