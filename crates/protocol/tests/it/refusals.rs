//! Refused pushes as stories: what is held back, and what goes on.

use syncline_protocol::RetryClass;
use syncline_protocol::session::{Delivery, Event, Failure, Session, Settled};

use crate::sessions::{CAUGHT_UP, INTERVAL, PAGE, live, live_session, on, retry, tell};

#[test]
fn a_full_server_holds_pushes_back_and_others_writes_still_come() {
    let full = Event::CallFailed(retry(RetryClass::StorageFull));
    tell(
        &mut live_session(),
        &[
            (Event::LocalWrite, "Push", "LivePushing"),
            (full.clone(), "SetTimer", "LiveHolding"),
            (Event::LocalWrite, "", "LiveHolding"),
            (Event::StreamPage, "Apply", "LiveHolding"),
            (CAUGHT_UP, "", "LiveHolding"),
            (Event::TimerFired, "Push", "LivePushing"),
            (Event::PushAnswered, "Settle", "LiveSettling"),
        ],
    );
    let mut session = Session::new(1);
    tell(
        &mut session,
        &[
            (live(), "Push", "Pushing"),
            (full, "Pull", "Pulling"),
            (PAGE, "Apply", "Applying"),
            (CAUGHT_UP, "OpenStream SetTimer", "LiveHolding"),
            (Event::TimerFired, "Push", "LivePushing"),
        ],
    );
}

#[test]
fn a_token_that_may_only_read_still_reads() {
    let mut session = Session::new(1);
    tell(
        &mut session,
        &[
            (on(Delivery::Poll { interval: INTERVAL }), "Push", "Pushing"),
            (Event::CallFailed(Failure::Forbidden), "Pull", "Pulling"),
            (PAGE, "Apply", "Applying"),
            (CAUGHT_UP, "SetTimer", "Polling"),
            (Event::TimerFired, "Push", "Pushing"),
            (Event::CallFailed(Failure::Forbidden), "Pull", "Pulling"),
            (
                Event::CallFailed(Failure::Forbidden),
                "SetTimer",
                "LoggedOut",
            ),
        ],
    );
}

#[test]
fn after_a_401_a_new_login_goes_on_with_the_outbox() {
    let mut session = live_session();
    tell(
        &mut session,
        &[
            (Event::LocalWrite, "Push", "LivePushing"),
            (
                Event::CallFailed(Failure::Unauthorized),
                "CloseStream SetTimer",
                "LoggedOut",
            ),
            (Event::LocalWrite, "", "LoggedOut"),
            (Event::LoginChanged, "Push", "Pushing"),
            (
                Event::CallFailed(Failure::Unauthorized),
                "SetTimer",
                "LoggedOut",
            ),
            (Event::TimerFired, "Push", "Pushing"),
        ],
    );
    let mut session = live_session();
    tell(
        &mut session,
        &[(
            Event::StreamEnded(Failure::Unauthorized),
            "SetTimer",
            "LoggedOut",
        )],
    );
}

#[test]
fn a_batch_that_is_too_large_is_halved() {
    let mut session = Session::new(1);
    tell(
        &mut session,
        &[
            (live(), "Push", "Pushing"),
            (
                Event::CallFailed(Failure::TooLarge),
                "ShrinkBatch Push",
                "Pushing",
            ),
            (Event::PushAnswered, "Settle", "Settling"),
        ],
    );
}

#[test]
fn a_new_actor_pulls_first_and_slows_down_when_it_helps_not() {
    let mut session = Session::new(1);
    tell(&mut session, &[(on(Delivery::Once), "Push", "Pushing")]);
    for _ in 0..3 {
        tell(
            &mut session,
            &[
                (Event::PushAnswered, "Settle", "Settling"),
                (Event::Settled(Settled::Renewed), "Pull", "Pulling"),
                (PAGE, "Apply", "Applying"),
                (CAUGHT_UP, "Push", "Pushing"),
            ],
        );
    }
    tell(
        &mut session,
        &[
            (Event::PushAnswered, "Settle", "Settling"),
            (Event::Settled(Settled::Renewed), "SetTimer", "BackingOff"),
            (Event::TimerFired, "Push", "Pushing"),
            (Event::PushAnswered, "Settle", "Settling"),
            (Event::Settled(Settled::Done), "Push", "Pushing"),
        ],
    );
}
