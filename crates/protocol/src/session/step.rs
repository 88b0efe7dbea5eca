//! One cell of the table: where a session goes, and what it asks for on the way.

use super::action::Action;
use super::event::Event;
use super::state::State;

/// What an event leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing, and why that is right.
    Ignore(&'static str),
    /// The state stays, and the session remembers something.
    Note(&'static str),
    Go {
        next: State,
        held: Held,
        actions: Vec<Action>,
    },
}

/// What becomes of the call, the stream and the rebuild that the old state holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// They go on, or the actions end them.
    Kept,
    /// They are let go of, but for what the next state holds too.
    Released,
}

impl Step {
    /// Goes to `next`, which takes over what this state holds.
    pub(super) fn to(next: State, actions: impl Into<Vec<Action>>) -> Self {
        Self::Go {
            next,
            held: Held::Kept,
            actions: actions.into(),
        }
    }

    /// Goes to `next`, and lets go of what this state holds.
    pub(super) fn leave(next: State, actions: impl Into<Vec<Action>>) -> Self {
        Self::Go {
            next,
            held: Held::Released,
            actions: actions.into(),
        }
    }

    /// The same step, letting go of what this state holds.
    pub(super) fn released(self) -> Self {
        match self {
            Self::Go {
                next,
                held: _,
                actions,
            } => Self::leave(next, actions),
            still @ (Self::Ignore(_) | Self::Note(_)) => still,
        }
    }
}

/// What `before` holds and is to be let go of on the way to `next`; what the event itself has ended
/// is gone already.
pub(super) fn release(before: &State, event: &Event, next: &State) -> Vec<Action> {
    let mut actions = Vec::new();
    if before.has_call() && !event.ends_call() {
        actions.push(Action::CancelCall);
    }
    if before.has_stream() && !next.has_stream() && !event.ends_stream() {
        actions.push(Action::CloseStream);
    }
    if before.has_rebuild() && !next.has_rebuild() {
        actions.push(Action::AbandonRebuild);
    }
    actions
}
