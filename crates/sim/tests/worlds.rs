//! A few hundred worlds with every test run; `cargo xtask sim` runs as many as wanted.

use syncline_model::planted::Defect;
use syncline_sim::{first_seed_that_finds, run, run_many};

/// Worlds of one test; four tests share the cores.
const EACH: u64 = 50;

#[track_caller]
fn all_hold(from: u64) {
    let report = run_many(from..from + EACH, 1, None);
    if let Some(failure) = report.failure {
        panic!(
            "{}; replay: cargo xtask sim --seeds 1 --from {}",
            failure.violation.0, failure.seed
        );
    }
    assert_eq!(report.histories, EACH);
}

#[test]
fn the_first_worlds_keep_every_promise() {
    all_hold(0);
}

#[test]
fn the_second_worlds_keep_every_promise() {
    all_hold(EACH);
}

#[test]
fn the_third_worlds_keep_every_promise() {
    all_hold(2 * EACH);
}

#[test]
fn the_fourth_worlds_keep_every_promise() {
    all_hold(3 * EACH);
}

#[test]
fn a_seed_replays_exactly() {
    for seed in 0..5 {
        assert_eq!(
            run(seed, None).digest,
            run(seed, None).digest,
            "seed {seed}"
        );
    }
}

#[test]
fn a_rebuild_that_offers_nothing_again_is_found() {
    assert!(first_seed_that_finds(Defect::NoOfferAgain, 0..200, 1).is_some());
}
