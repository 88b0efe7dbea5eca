//! Planted defects, and the seeds that find them.

use std::ops::Range;

use syncline_model::planted::Defect;

use crate::oracle::Violation;
use crate::runner::run_many;

/// A defect that was found.
#[derive(Debug, Clone)]
pub struct Found {
    pub seed: u64,
    pub violation: Violation,
}

/// The defect of this name.
pub fn defect_named(name: &str) -> Option<Defect> {
    Defect::ALL
        .into_iter()
        .chain(Defect::OF_LISTS)
        .find(|defect| format!("{defect:?}").eq_ignore_ascii_case(name))
}

/// The first of `seeds` whose world finds the defect.
pub fn first_seed_that_finds(defect: Defect, seeds: Range<u64>, threads: usize) -> Option<Found> {
    let failure = run_many(seeds, threads, Some(defect)).failure?;
    Some(Found {
        seed: failure.seed,
        violation: failure.violation,
    })
}
