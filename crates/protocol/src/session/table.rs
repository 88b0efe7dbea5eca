//! The table of states and events, printed from the machine itself.
//!
//! Each cell is what the machine does in samples that differ in everything else that it remembers:
//! the settings, what waits, what has failed before.

use std::fmt::Write as _;
use std::time::Duration;

use syncline_model::{Cursor, Epoch, EpochMode, Mark, ServerSeq};

use super::event::{
    Applied, Delivery, Event, Failure, FileReply, LocalFailure, PullReply, Settings, Settled,
};
use super::search::{Cause, Next, Search};
use super::state::{Fetch, Resume, State};
use super::step::Step;
use super::{Again, Plan, Pulled, RENEWALS_MAX, Session};
use crate::{Backoff, EpochChange, Kinship, RetryClass};

/// The table as Markdown: for each state every event, those with one outcome in one row.
pub(crate) fn print() -> String {
    let mut out = String::from("| state | event | what happens |\n|---|---|---|\n");
    for states in states() {
        let name = states[0].name();
        let mut rows: Vec<(String, Vec<&'static str>)> = Vec::new();
        for (label, events) in events() {
            let outcome = cell(&states, &events);
            match rows.iter_mut().find(|(known, _)| *known == outcome) {
                Some((_, labels)) => labels.push(label),
                None => rows.push((outcome, vec![label])),
            }
        }
        for (outcome, labels) in rows {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "| **{name}** | {} | {outcome} |", short(&labels));
        }
    }
    out
}

/// The labels of a row; where all that begin alike are in it, they are one.
fn short(labels: &[&str]) -> String {
    let begins = |label: &str| label.split('(').next().unwrap_or_default().to_owned();
    let mut words: Vec<String> = Vec::new();
    for label in labels {
        let begin = begins(label);
        let all = events()
            .iter()
            .filter(|(other, _)| begins(other) == begin)
            .count();
        let here = labels.iter().filter(|other| begins(other) == begin).count();
        let word = if all > 1 && all == here {
            format!("`{begin}`")
        } else {
            format!("`{label}`")
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(", ")
}

/// What the events of one row lead to from the samples of one state.
fn cell(states: &[State], events: &[Event]) -> String {
    let mut outcomes: Vec<String> = Vec::new();
    for state in states {
        for session in sessions(*state) {
            for event in events {
                let outcome = outcome(&session, event);
                if !outcomes.contains(&outcome) {
                    outcomes.push(outcome);
                }
            }
        }
    }
    outcomes.join("; or ")
}

fn outcome(session: &Session, event: &Event) -> String {
    match session.clone().step(event.clone()) {
        Step::Ignore(reason) => format!("nothing: {reason}"),
        Step::Note(note) => format!("stays: {note}"),
        Step::Go { next, .. } => {
            let actions = session.clone().handle(event.clone());
            let actions: Vec<&str> = actions.iter().map(|action| action.name()).collect();
            let next = label(&next);
            let next = if next == label(&session.state) {
                "stays".into()
            } else {
                next
            };
            let separator = if actions.is_empty() { "" } else { ": " };
            format!("{next}{separator}{}", actions.join(", "))
        }
    }
}

fn label(state: &State) -> String {
    let then = match state {
        State::BackingOff(Resume::Cycle) => ", then push",
        State::BackingOff(Resume::Search(_)) => ", then search",
        State::BackingOff(Resume::Rebuild(_)) => ", then rebuild",
        State::BackingOff(Resume::File(_)) => ", then the file",
        State::BackingOff(Resume::Pages(_)) => ", then pages",
        State::BackingOff(Resume::Switch(_)) => ", then switch",
        State::Stopped
        | State::Disabled
        | State::LoggedOut
        | State::Apart
        | State::Idle
        | State::Polling
        | State::Pushing
        | State::Settling
        | State::Pulling
        | State::Applying
        | State::Live
        | State::LivePushing
        | State::LiveSettling
        | State::LiveHolding
        | State::Searching(_)
        | State::Probing(_)
        | State::FetchingFile(_)
        | State::FetchingPages(_)
        | State::Filling(_)
        | State::Switching(_) => "",
    };
    format!("→ **{}**{then}", state.name())
}

/// Sessions in this state that differ in what they remember.
fn sessions(state: State) -> Vec<Session> {
    let mut sessions = Vec::new();
    for delivery in [
        Delivery::Live { interval: INTERVAL },
        Delivery::Poll { interval: INTERVAL },
        Delivery::Once,
    ] {
        for (again, pulled) in [
            (Again::No, Pulled::No),
            (Again::No, Pulled::Yes),
            (Again::Yes, Pulled::No),
        ] {
            for push_wait in [None, Some(INTERVAL)] {
                for (recoveries, renewals) in [(0, 0), (1, 0), (2, RENEWALS_MAX)] {
                    sessions.push(Session {
                        state,
                        settings: Settings::On(delivery),
                        again,
                        pulled,
                        push_wait,
                        backoff: Backoff::new(0),
                        call_failures: 0,
                        push_failures: 0,
                        stream_failures: 0,
                        recoveries,
                        renewals,
                        foreign: None,
                    });
                }
            }
        }
    }
    sessions
}

/// Samples of every state, in the order of the table.
fn states() -> Vec<Vec<State>> {
    let plan = Plan::NOTHING_LACKS;
    let fetch = |failed| State::FetchingFile(Fetch { plan, failed });
    vec![
        vec![State::Stopped],
        vec![State::Disabled],
        vec![State::LoggedOut],
        vec![State::Apart],
        vec![State::Idle],
        vec![State::Polling],
        [
            Resume::Cycle,
            Resume::Search(Search::begin(Cause::Diverged, None)),
            Resume::Rebuild(plan),
            Resume::File(Fetch { plan, failed: 1 }),
            Resume::Pages(plan),
            Resume::Switch(plan),
        ]
        .map(State::BackingOff)
        .into(),
        vec![State::Pushing],
        vec![State::Settling],
        vec![State::Pulling],
        vec![State::Applying],
        vec![State::Live],
        vec![State::LivePushing],
        vec![State::LiveSettling],
        vec![State::LiveHolding],
        searches().into_iter().map(State::Searching).collect(),
        probes().into_iter().map(State::Probing).collect(),
        vec![fetch(0), fetch(1)],
        vec![State::FetchingPages(plan)],
        vec![State::Filling(plan)],
        vec![State::Switching(plan)],
    ]
}

/// Searches at their beginning, in the middle and before their end.
fn searches() -> Vec<Search> {
    let mut searches = Vec::new();
    for cause in [Cause::Diverged, Cause::Epoch(change())] {
        let begun = Search::begin(cause, None);
        searches.push(begun);
        let Next::FindMark(asked, _) = begun.mark_found(cursor(TOP)) else {
            continue;
        };
        searches.push(asked);
        let Next::Probe(top, _) = asked.mark_found(cursor(TOP)) else {
            continue;
        };
        let Next::FindMark(lower, _) = top.refuted(None) else {
            continue;
        };
        searches.push(lower);
    }
    searches
}

/// Probes of the cursor itself, and of a place below it.
fn probes() -> Vec<Search> {
    let places = [TOP, TOP / 2 + 1].map(cursor);
    let found = searches()
        .into_iter()
        .flat_map(|search| places.map(|at| search.mark_found(at)));
    let probing = found.filter_map(|next| match next {
        Next::Probe(search, _) => Some(search),
        Next::FindMark(..) | Next::Found(_) => None,
    });
    probing.collect()
}

/// Samples of every event, in the order of the table. Each has its row in each state, so that a new
/// event, or a new failure, is to be named here.
fn events() -> Vec<(&'static str, Vec<Event>)> {
    let on = Settings::On(Delivery::Once);
    let mut events = vec![
        ("Configured(Off)", vec![Event::Configured(Settings::Off)]),
        ("Configured(On)", vec![Event::Configured(on)]),
        ("LoginChanged", vec![Event::LoginChanged]),
        ("Stopped", vec![Event::Stopped]),
        ("LocalWrite", vec![Event::LocalWrite]),
        ("Wake", vec![Event::Wake]),
        ("TimerFired", vec![Event::TimerFired]),
        ("NothingToPush", vec![Event::NothingToPush]),
        ("PushAnswered", vec![Event::PushAnswered]),
        ("Settled(Done)", vec![Event::Settled(Settled::Done)]),
        ("Settled(Renewed)", vec![Event::Settled(Settled::Renewed)]),
        (
            "PullAnswered(Page)",
            vec![Event::PullAnswered(PullReply::Page)],
        ),
        (
            "PullAnswered(StartFresh)",
            vec![Event::PullAnswered(PullReply::StartFresh)],
        ),
        ("Applied(CaughtUp)", vec![Event::Applied(Applied::CaughtUp)]),
        ("Applied(More)", vec![Event::Applied(Applied::More)]),
        ("Applied(Diverged)", vec![Event::Applied(Applied::Diverged)]),
    ];
    let calls = CALL_FAILED.iter().zip(failures());
    events.extend(calls.map(|(label, failure)| (*label, vec![Event::CallFailed(failure)])));
    events.extend([
        ("StreamOpened", vec![Event::StreamOpened]),
        ("StreamPage", vec![Event::StreamPage]),
        ("StreamHint", vec![Event::StreamHint]),
    ]);
    let streams = STREAM_ENDED.iter().zip(failures());
    events.extend(streams.map(|(label, failure)| (*label, vec![Event::StreamEnded(failure)])));
    let places = [0, TOP / 2, TOP].map(|place| Event::MarkFound(cursor(place)));
    events.extend([
        ("MarkFound", places.into()),
        ("ProbeAnswered", vec![Event::ProbeAnswered]),
        (
            "FileAnswered(Adopted)",
            vec![Event::FileAnswered(FileReply::Adopted)],
        ),
        (
            "FileAnswered(Unfit)",
            vec![Event::FileAnswered(FileReply::Unfit)],
        ),
        ("Switched", vec![Event::Switched]),
        (
            "LocalFailed(Disk)",
            vec![Event::LocalFailed(LocalFailure::Disk)],
        ),
        (
            "LocalFailed(Damaged)",
            vec![Event::LocalFailed(LocalFailure::Damaged)],
        ),
        (
            "LocalFailed(Foreign)",
            vec![Event::LocalFailed(LocalFailure::Foreign)],
        ),
    ]);
    events
}

const FAILURES: usize = 9;

fn failures() -> [Failure; FAILURES] {
    let retry = |class| Failure::Retry { class, after: None };
    [
        Failure::Unauthorized,
        Failure::Forbidden,
        Failure::EpochChanged(change()),
        Failure::LogDiverged { head: None },
        Failure::RebuildRequired,
        Failure::TooLarge,
        Failure::Refused,
        retry(RetryClass::StorageFull),
        retry(RetryClass::Transport),
    ]
}

const CALL_FAILED: [&str; FAILURES] = [
    "CallFailed(Unauthorized)",
    "CallFailed(Forbidden)",
    "CallFailed(EpochChanged)",
    "CallFailed(LogDiverged)",
    "CallFailed(RebuildRequired)",
    "CallFailed(TooLarge)",
    "CallFailed(Refused)",
    "CallFailed(Retry: storage full)",
    "CallFailed(Retry: any other)",
];

const STREAM_ENDED: [&str; FAILURES] = [
    "StreamEnded(Unauthorized)",
    "StreamEnded(Forbidden)",
    "StreamEnded(EpochChanged)",
    "StreamEnded(LogDiverged)",
    "StreamEnded(RebuildRequired)",
    "StreamEnded(TooLarge)",
    "StreamEnded(Refused)",
    "StreamEnded(Retry: storage full)",
    "StreamEnded(Retry: any other)",
];

const INTERVAL: Duration = Duration::from_secs(5);
const TOP: u64 = 10;

fn change() -> EpochChange {
    let epoch: Result<Epoch, _> = "00000000-0000-0000-0000-000000000001".parse();
    EpochChange {
        epoch: epoch.expect("the text is a UUID"),
        common_at_most: ServerSeq(u64::MAX),
        offer_up_to: ServerSeq(u64::MAX),
        mode: EpochMode::Heal,
        kinship: Kinship::Same,
    }
}

const fn cursor(place: u64) -> Cursor {
    Cursor {
        server_seq: ServerSeq(place),
        mark: Mark::origin([1; 16]),
    }
}
