//! Recoveries as stories: the search for the last common place, and the rebuild.

use syncline_model::{Cursor, Epoch, EpochMode, Mark, ServerSeq};
use syncline_protocol::session::{
    Action, Applied, Common, Event, Failure, FileReply, LocalFailure, Plan, PullReply, Session,
    Settings,
};
use syncline_protocol::{EpochChange, Kinship};

use crate::sessions::{CAUGHT_UP, PAGE, live, live_session, tell};

const DIVERGED: Event = Event::Applied(Applied::Diverged);

fn at(place: u64) -> Cursor {
    Cursor {
        server_seq: ServerSeq(place),
        mark: Mark::origin([place as u8; 16]),
    }
}

fn epoch() -> Epoch {
    "00000000-0000-0000-0000-000000000007".parse().unwrap()
}

#[test]
fn an_empty_replica_makes_its_file_from_the_servers() {
    let mut session = Session::new(1);
    let actions = tell(
        &mut session,
        &[
            (live(), "Push", "Pushing"),
            (Event::NothingToPush, "Pull", "Pulling"),
            (
                Event::PullAnswered(PullReply::StartFresh),
                "BeginRebuild FetchFile",
                "FetchingFile",
            ),
        ],
    );
    assert_eq!(actions[0], Action::BeginRebuild(Plan::NOTHING_LACKS));
    tell(
        &mut session,
        &[
            (Event::LocalWrite, "", "FetchingFile"),
            (
                Event::FileAnswered(FileReply::Adopted),
                "FetchPage",
                "FetchingPages",
            ),
            (PAGE, "ApplyFetched", "Filling"),
            (Event::Applied(Applied::More), "FetchPage", "FetchingPages"),
            (PAGE, "ApplyFetched", "Filling"),
            (CAUGHT_UP, "Switch", "Switching"),
            (Event::Switched, "Push", "Pushing"),
        ],
    );
}

#[test]
fn a_prepared_file_that_keeps_failing_is_given_up_for_pages() {
    let mut session = Session::new(1);
    let failed = Event::CallFailed(Failure::TRANSPORT);
    tell(
        &mut session,
        &[
            (live(), "Push", "Pushing"),
            (
                Event::CallFailed(Failure::RebuildRequired),
                "BeginRebuild FetchFile",
                "FetchingFile",
            ),
            (failed.clone(), "SetTimer", "BackingOff"),
            (Event::TimerFired, "FetchFile", "FetchingFile"),
            (failed.clone(), "SetTimer", "BackingOff"),
            (Event::TimerFired, "FetchPage", "FetchingPages"),
            (failed, "SetTimer", "BackingOff"),
            (Event::TimerFired, "FetchPage", "FetchingPages"),
        ],
    );
}

#[test]
fn a_fetch_whose_floor_moves_begins_again_with_the_same_plan() {
    let mut session = Session::new(1);
    tell(
        &mut session,
        &[
            (live(), "Push", "Pushing"),
            (
                Event::CallFailed(Failure::LogDiverged {
                    head: Some(ServerSeq(4)),
                }),
                "FindMark",
                "Searching",
            ),
            (Event::MarkFound(at(9)), "FindMark", "Searching"),
            (Event::MarkFound(at(4)), "Probe", "Probing"),
        ],
    );
    let begun = tell(
        &mut session,
        &[(
            Event::ProbeAnswered,
            "BeginRebuild FetchFile",
            "FetchingFile",
        )],
    );
    let again = tell(
        &mut session,
        &[
            (
                Event::FileAnswered(FileReply::Unfit),
                "FetchPage",
                "FetchingPages",
            ),
            (
                Event::CallFailed(Failure::RebuildRequired),
                "AbandonRebuild SetTimer",
                "BackingOff",
            ),
            (Event::TimerFired, "BeginRebuild FetchFile", "FetchingFile"),
        ],
    );
    let Action::BeginRebuild(plan) = &begun[0] else {
        panic!("no plan")
    };
    assert_eq!(
        (plan.common, plan.mode),
        (Common::At(at(4)), EpochMode::Heal)
    );
    assert_eq!(again[0], begun[0]);
}

#[test]
fn a_restored_server_is_healed_above_the_common_place() {
    let mut session = live_session();
    let change = EpochChange {
        epoch: epoch(),
        common_at_most: ServerSeq(6),
        offer_up_to: ServerSeq(u64::MAX),
        mode: EpochMode::Heal,
        kinship: Kinship::Same,
    };
    let probe = tell(
        &mut session,
        &[
            (
                Event::StreamEnded(Failure::EpochChanged(change)),
                "FindMark",
                "Searching",
            ),
            (Event::MarkFound(at(10)), "FindMark", "Searching"),
            (Event::MarkFound(at(6)), "Probe", "Probing"),
        ],
    );
    let Action::Probe(probe) = probe[0] else {
        panic!("no probe")
    };
    assert_eq!((probe.place, probe.epoch), (at(6), Some(epoch())));
    let begun = tell(
        &mut session,
        &[(
            Event::ProbeAnswered,
            "BeginRebuild FetchFile",
            "FetchingFile",
        )],
    );
    let plan = Plan {
        epoch: Some(epoch()),
        common: Common::At(at(6)),
        offer_up_to: ServerSeq(u64::MAX),
        mode: EpochMode::Heal,
        kinship: Kinship::Same,
    };
    assert_eq!(begun[0], Action::BeginRebuild(plan));
}

#[test]
fn a_replica_that_lags_behind_a_restore_takes_the_new_epoch_as_it_is() {
    let mut session = live_session();
    let change = EpochChange {
        epoch: epoch(),
        common_at_most: ServerSeq(6),
        offer_up_to: ServerSeq(6),
        mode: EpochMode::Heal,
        kinship: Kinship::Same,
    };
    let actions = tell(
        &mut session,
        &[
            (Event::LocalWrite, "Push", "LivePushing"),
            (
                Event::CallFailed(Failure::EpochChanged(change)),
                "CloseStream FindMark",
                "Searching",
            ),
            (Event::MarkFound(at(5)), "FindMark", "Searching"),
            (Event::MarkFound(at(5)), "Probe", "Probing"),
            (Event::ProbeAnswered, "AdoptEpoch Push", "Pushing"),
        ],
    );
    assert_eq!(
        actions[0],
        Action::AdoptEpoch {
            epoch: epoch(),
            mode: EpochMode::Heal
        }
    );
}

/// What a discarded delete has erased is fetched again.
#[test]
fn a_replica_that_follows_makes_its_file_anew_also_on_the_common_place() {
    let mut session = live_session();
    let change = EpochChange {
        epoch: epoch(),
        common_at_most: ServerSeq(6),
        offer_up_to: ServerSeq(6),
        mode: EpochMode::Follow,
        kinship: Kinship::Same,
    };
    let changed = Event::CallFailed(Failure::EpochChanged(change));
    tell(
        &mut session,
        &[
            (Event::LocalWrite, "Push", "LivePushing"),
            (changed, "CloseStream FindMark", "Searching"),
            (Event::MarkFound(at(5)), "FindMark", "Searching"),
            (Event::MarkFound(at(5)), "Probe", "Probing"),
            (
                Event::ProbeAnswered,
                "BeginRebuild FetchFile",
                "FetchingFile",
            ),
        ],
    );
}

#[test]
fn a_page_that_does_not_fit_once_is_pulled_again_and_twice_is_a_rebuild() {
    let mut session = live_session();
    let search: &[(Event, &str, &str)] = &[
        (Event::MarkFound(at(5)), "FindMark", "Searching"),
        (Event::MarkFound(at(5)), "Probe", "Probing"),
    ];
    tell(
        &mut session,
        &[
            (Event::StreamPage, "Apply", "Live"),
            (DIVERGED, "CloseStream FindMark", "Searching"),
        ],
    );
    tell(&mut session, search);
    tell(
        &mut session,
        &[
            (Event::ProbeAnswered, "Push", "Pushing"),
            (Event::NothingToPush, "Pull", "Pulling"),
            (PAGE, "Apply", "Applying"),
            (DIVERGED, "SetTimer", "BackingOff"),
            (Event::TimerFired, "FindMark", "Searching"),
        ],
    );
    tell(&mut session, search);
    tell(
        &mut session,
        &[(
            Event::ProbeAnswered,
            "BeginRebuild FetchFile",
            "FetchingFile",
        )],
    );
}

#[test]
fn a_damaged_tenant_file_is_fetched_anew() {
    let mut session = live_session();
    let damaged = Event::LocalFailed(LocalFailure::Damaged);
    let actions = tell(
        &mut session,
        &[
            (Event::StreamPage, "Apply", "Live"),
            (
                damaged,
                "CloseStream BeginRebuild FetchFile",
                "FetchingFile",
            ),
        ],
    );
    assert_eq!(actions[1], Action::BeginRebuild(Plan::NOTHING_LACKS));
}

#[test]
fn a_full_disk_here_keeps_the_rebuild_for_the_switch() {
    let mut session = Session::new(1);
    tell(
        &mut session,
        &[
            (live(), "Push", "Pushing"),
            (
                Event::CallFailed(Failure::RebuildRequired),
                "BeginRebuild FetchFile",
                "FetchingFile",
            ),
            (
                Event::FileAnswered(FileReply::Unfit),
                "FetchPage",
                "FetchingPages",
            ),
            (PAGE, "ApplyFetched", "Filling"),
            (CAUGHT_UP, "Switch", "Switching"),
            (
                Event::LocalFailed(LocalFailure::Disk),
                "SetTimer",
                "BackingOff",
            ),
            (Event::TimerFired, "Switch", "Switching"),
            (
                Event::Configured(Settings::Off),
                "AbandonRebuild",
                "Disabled",
            ),
            (Event::LocalWrite, "", "Disabled"),
        ],
    );
}

#[test]
fn a_log_that_has_nothing_in_common_is_kept_away_from_until_somebody_asks() {
    let change = EpochChange {
        epoch: epoch(),
        common_at_most: ServerSeq(u64::MAX),
        offer_up_to: ServerSeq(u64::MAX),
        mode: EpochMode::Heal,
        kinship: Kinship::Unknown,
    };
    let changed = || Event::CallFailed(Failure::EpochChanged(change));
    let fetched = [
        (changed(), "FindMark", "Searching"),
        (
            Event::MarkFound(Cursor::ORIGIN),
            "BeginRebuild FetchFile",
            "FetchingFile",
        ),
        (
            Event::FileAnswered(FileReply::Adopted),
            "FetchPage",
            "FetchingPages",
        ),
        (PAGE, "ApplyFetched", "Filling"),
        (CAUGHT_UP, "Switch", "Switching"),
    ];
    let mut session = Session::new(1);
    tell(&mut session, &[(live(), "Push", "Pushing")]);
    tell(&mut session, &fetched);
    tell(
        &mut session,
        &[
            (
                Event::LocalFailed(LocalFailure::Foreign),
                "AbandonRebuild SetTimer",
                "Apart",
            ),
            (Event::LocalWrite, "", "Apart"),
            // It asks whether the log is still that one, and fetches nothing of it.
            (Event::TimerFired, "Pull", "Pulling"),
            (changed(), "SetTimer", "Apart"),
            // Who asks while it does has the log looked at anew.
            (Event::TimerFired, "Pull", "Pulling"),
            (Event::Wake, "", "Pulling"),
        ],
    );
    tell(&mut session, &fetched);
    tell(&mut session, &[(Event::Switched, "Push", "Pushing")]);
}
