//! A few hundred worlds with every test run; `cargo xtask sim` runs as many as wanted.

use syncline_model::planted::Defect;
use syncline_sim::{Happening, Report, first_seed_that_finds, run, run_many};

/// Worlds that every test run sees.
const WORLDS: u64 = 200;
/// Of a hundred ops that were promised to be there, those that may be excused.
const EXCUSED_PERCENT_MAX: u64 = 10;

fn first_worlds() -> Report {
    let report = run_many(0..WORLDS, 2, None);
    if let Some(failure) = report.failure {
        panic!(
            "{}; replay: cargo xtask sim --seeds 1 --from {}",
            failure.violation, failure.seed
        );
    }
    assert_eq!(report.histories, WORLDS);
    report
}

#[test]
fn the_first_worlds_keep_every_promise_and_know_every_trouble() {
    let report = first_worlds();
    let unknown = Happening::ALL
        .iter()
        .filter(|happening| report.coverage.of(**happening) == 0);
    let unknown: Vec<_> = unknown.collect();
    assert!(unknown.is_empty(), "never befell a world: {unknown:?}");
    let tally = report.tally;
    assert!(
        tally.excused * 100 <= tally.reported * EXCUSED_PERCENT_MAX,
        "too much is excused: {tally:?}"
    );
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

#[test]
fn a_replica_that_keeps_away_from_what_is_its_own_is_found() {
    assert!(first_seed_that_finds(Defect::KeepApartFromOwn, 0..200, 1).is_some());
}

/// Seeds within which each of these is found; others need more, see `cargo xtask sim --defects`: of
/// `NoFloorCheck` most that it would do is mended by fetches that begin anew, and `collected.rs` tells a world.
const SEEDS_MAX: u64 = 200;

#[test]
fn what_is_planted_in_compaction_is_found() {
    let defects = [
        Defect::FloorPastTheLaziest,
        Defect::CollectAboveFloor,
        Defect::DropTheCovering,
        Defect::ForgetPruned,
        Defect::DropOnRebuild,
        Defect::CompactAboveFloor,
        Defect::DropAtFloor,
    ];
    let missed = defects
        .into_iter()
        .filter(|defect| first_seed_that_finds(*defect, 0..SEEDS_MAX, 2).is_none());
    let missed: Vec<_> = missed.collect();
    assert!(missed.is_empty(), "never found: {missed:?}");
}
