//! Sessions as stories: what happens, what is done about it, where that leads.

use std::time::Duration;

use syncline_protocol::session::{
    Action, Applied, Delivery, Event, Failure, PullReply, Session, Settings, Settled, State,
};
use syncline_protocol::{RetryClass, WAIT_MAX};

pub(crate) const INTERVAL: Duration = Duration::from_secs(5);
pub(crate) const PAGE: Event = Event::PullAnswered(PullReply::Page);
pub(crate) const CAUGHT_UP: Event = Event::Applied(Applied::CaughtUp);

pub(crate) fn on(delivery: Delivery) -> Event {
    Event::Configured(Settings::On(delivery))
}

pub(crate) fn live() -> Event {
    on(Delivery::Live { interval: INTERVAL })
}

pub(crate) fn retry(class: RetryClass) -> Failure {
    Failure::Retry { class, after: None }
}

/// Tells the session each event, and checks the names of the actions and of the state after it.
pub(crate) fn tell(session: &mut Session, story: &[(Event, &str, &str)]) -> Vec<Action> {
    let mut last = Vec::new();
    for (event, actions, state) in story {
        last = session.handle(event.clone());
        let names: Vec<&str> = last.iter().map(Action::name).collect();
        assert_eq!(
            (names.join(" ").as_str(), session.state().name()),
            (*actions, *state),
            "{event:?}"
        );
    }
    last
}

/// A session whose stream is open.
pub(crate) fn live_session() -> Session {
    let mut session = Session::new(7);
    tell(
        &mut session,
        &[
            (live(), "Push", "Pushing"),
            (Event::NothingToPush, "Pull", "Pulling"),
            (PAGE, "Apply", "Applying"),
            (CAUGHT_UP, "Push", "Pushing"),
            (Event::NothingToPush, "OpenStream SetTimer", "Live"),
            (Event::StreamOpened, "", "Live"),
        ],
    );
    session
}

#[test]
fn one_sync_pushes_until_the_outbox_is_empty_and_pulls_until_the_log_is() {
    let mut session = Session::new(1);
    tell(
        &mut session,
        &[
            (on(Delivery::Once), "Push", "Pushing"),
            (Event::PushAnswered, "Settle", "Settling"),
            (Event::Settled(Settled::Done), "Push", "Pushing"),
            (Event::NothingToPush, "Pull", "Pulling"),
            (PAGE, "Apply", "Applying"),
            (Event::Applied(Applied::More), "Push", "Pushing"),
            (Event::NothingToPush, "Pull", "Pulling"),
            (PAGE, "Apply", "Applying"),
            (CAUGHT_UP, "Push", "Pushing"),
            (Event::NothingToPush, "Finished", "Idle"),
            (Event::LocalWrite, "Push", "Pushing"),
        ],
    );
}

#[test]
fn a_write_during_a_pull_is_pushed_before_the_next_page() {
    let mut session = Session::new(1);
    tell(
        &mut session,
        &[
            (on(Delivery::Once), "Push", "Pushing"),
            (Event::NothingToPush, "Pull", "Pulling"),
            (Event::LocalWrite, "", "Pulling"),
            (PAGE, "Apply", "Applying"),
            (Event::Applied(Applied::More), "Push", "Pushing"),
            (Event::PushAnswered, "Settle", "Settling"),
            (Event::Settled(Settled::Done), "Push", "Pushing"),
            (Event::NothingToPush, "Pull", "Pulling"),
            (PAGE, "Apply", "Applying"),
            (Event::LocalWrite, "", "Applying"),
            (CAUGHT_UP, "Push", "Pushing"),
        ],
    );
}

#[test]
fn pages_are_applied_while_a_push_is_out() {
    tell(
        &mut live_session(),
        &[
            (Event::LocalWrite, "Push", "LivePushing"),
            (Event::StreamPage, "Apply", "LivePushing"),
            (CAUGHT_UP, "", "LivePushing"),
            (Event::LocalWrite, "", "LivePushing"),
            (Event::PushAnswered, "Settle", "LiveSettling"),
            (Event::Settled(Settled::Done), "Push", "LivePushing"),
            (Event::PushAnswered, "Settle", "LiveSettling"),
            (Event::Settled(Settled::Done), "Push", "LivePushing"),
            (Event::NothingToPush, "", "Live"),
            (Event::StreamPage, "Apply", "Live"),
            (CAUGHT_UP, "Push", "LivePushing"),
            (Event::NothingToPush, "", "Live"),
        ],
    );
}

#[test]
fn an_op_that_a_page_puts_back_into_the_outbox_is_pushed() {
    let mut session = Session::new(1);
    tell(
        &mut session,
        &[
            (live(), "Push", "Pushing"),
            (Event::NothingToPush, "Pull", "Pulling"),
            (PAGE, "Apply", "Applying"),
            (CAUGHT_UP, "Push", "Pushing"),
            (Event::PushAnswered, "Settle", "Settling"),
            (Event::Settled(Settled::Done), "Push", "Pushing"),
            (Event::NothingToPush, "Pull", "Pulling"),
        ],
    );
    tell(
        &mut live_session(),
        &[
            (Event::StreamPage, "Apply", "Live"),
            (CAUGHT_UP, "Push", "LivePushing"),
            (Event::PushAnswered, "Settle", "LiveSettling"),
        ],
    );
}

#[test]
fn who_asks_during_a_pull_gets_another_pull() {
    let mut session = Session::new(1);
    tell(
        &mut session,
        &[
            (on(Delivery::Once), "Push", "Pushing"),
            (Event::NothingToPush, "Pull", "Pulling"),
            (Event::Wake, "", "Pulling"),
            (PAGE, "Apply", "Applying"),
            (CAUGHT_UP, "Push", "Pushing"),
            (Event::NothingToPush, "Push", "Pushing"),
            (Event::NothingToPush, "Pull", "Pulling"),
        ],
    );
}

#[test]
fn a_stream_that_ends_is_polled_over_and_opened_again() {
    let mut session = live_session();
    let ended = Event::StreamEnded(Failure::TRANSPORT);
    let waits: Vec<Duration> = (0..6)
        .map(|_| {
            let actions = tell(&mut session, &[(ended.clone(), "SetTimer", "Polling")]);
            tell(
                &mut session,
                &[
                    (Event::TimerFired, "Push", "Pushing"),
                    (Event::NothingToPush, "Pull", "Pulling"),
                    (PAGE, "Apply", "Applying"),
                    (CAUGHT_UP, "Push", "Pushing"),
                    (Event::NothingToPush, "OpenStream SetTimer", "Live"),
                ],
            );
            waited(&actions)
        })
        .collect();
    assert!(waits[0] <= Duration::from_millis(250), "{waits:?}");
    assert!(
        waits[4] > waits[0] && waits.iter().all(|wait| *wait <= INTERVAL),
        "{waits:?}"
    );
    tell(&mut session, &[(Event::TimerFired, "", "Live")]);
    let actions = tell(&mut session, &[(ended, "SetTimer", "Polling")]);
    assert!(
        waited(&actions) <= Duration::from_millis(250),
        "a proven stream starts over"
    );
}

fn waited(actions: &[Action]) -> Duration {
    let waits = actions.iter().find_map(|action| match action {
        Action::SetTimer(wait) => Some(*wait),
        _ => None,
    });
    waits.expect("a timer is set")
}

#[test]
fn a_stream_that_ends_under_a_push_leaves_the_push_alone() {
    tell(
        &mut live_session(),
        &[
            (Event::LocalWrite, "Push", "LivePushing"),
            (Event::StreamEnded(Failure::TRANSPORT), "", "Pushing"),
            (Event::PushAnswered, "Settle", "Settling"),
            (Event::Settled(Settled::Done), "Push", "Pushing"),
            (Event::NothingToPush, "Pull", "Pulling"),
        ],
    );
}

#[test]
fn what_the_stream_cannot_carry_is_pulled() {
    tell(
        &mut live_session(),
        &[
            (Event::StreamHint, "CloseStream Pull", "Pulling"),
            (PAGE, "Apply", "Applying"),
            (CAUGHT_UP, "Push", "Pushing"),
            (Event::NothingToPush, "OpenStream SetTimer", "Live"),
            (Event::LocalWrite, "Push", "LivePushing"),
            (Event::StreamHint, "CloseStream", "Pushing"),
            (Event::PushAnswered, "Settle", "Settling"),
        ],
    );
}

#[test]
fn waits_grow_stay_within_their_bounds_and_start_over_after_a_success() {
    let mut session = Session::new(3);
    tell(&mut session, &[(live(), "Push", "Pushing")]);
    let failed = Event::CallFailed(Failure::TRANSPORT);
    let mut waits = Vec::new();
    for _ in 0..12 {
        waits.push(waited(&tell(
            &mut session,
            &[(failed.clone(), "SetTimer", "BackingOff")],
        )));
        tell(&mut session, &[(Event::Wake, "Push", "Pushing")]);
    }
    assert!(waits[0] <= Duration::from_millis(250), "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= WAIT_MAX), "{waits:?}");
    assert!(waits[11] >= WAIT_MAX / 2, "{waits:?}");
    let asked = Failure::Retry {
        class: RetryClass::RateLimited,
        after: Some(Duration::from_secs(20)),
    };
    tell(
        &mut session,
        &[
            (Event::PushAnswered, "Settle", "Settling"),
            (Event::Settled(Settled::Done), "Push", "Pushing"),
        ],
    );
    let wait = waited(&tell(
        &mut session,
        &[(Event::CallFailed(asked), "SetTimer", "BackingOff")],
    ));
    assert_eq!(wait, Duration::from_secs(20));
}

#[test]
fn sync_that_is_off_makes_no_call_and_a_stopped_session_none_ever() {
    let mut session = live_session();
    tell(
        &mut session,
        &[
            (Event::Configured(Settings::Off), "CloseStream", "Disabled"),
            (Event::Wake, "", "Disabled"),
            (Event::TimerFired, "", "Disabled"),
            (live(), "Push", "Pushing"),
            (live(), "CancelCall Push", "Pushing"),
            (Event::Stopped, "CancelCall", "Stopped"),
            (live(), "", "Stopped"),
        ],
    );
    assert_eq!(session.state(), State::Stopped);
}
