//! A session that gets any answer at any time: it never waits for nothing, never has two calls out,
//! and never leaves a stream or a rebuild behind.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use syncline_model::{Cursor, Epoch, EpochMode, Mark, ServerSeq};
use syncline_protocol::session::{
    Action, Applied, Delivery, Event, Failure, FileReply, LocalFailure, PullReply, Session,
    Settings, Settled, State,
};
use syncline_protocol::{EpochChange, Kinship, RetryClass, WAIT_MAX};

const INTERVAL: Duration = Duration::from_secs(60);

/// The call that is out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Push,
    Pull,
    Probe,
    File,
    Page,
}

/// A driver that performs actions on nothing, and lets chance decide what comes of them.
struct World {
    session: Session,
    chance: Chance,
    call: Option<Call>,
    stream: bool,
    timer: bool,
    rebuild: bool,
    /// Whether something pending has not been looked at since it came.
    pending: bool,
    /// Results of local actions, to be told before anything else.
    told: Vec<Event>,
    seen: BTreeSet<&'static str>,
}

/// Choices made from a list of random numbers; zeros when it is used up.
struct Chance(std::vec::IntoIter<u32>);

impl Chance {
    fn of(&mut self, sides: usize) -> usize {
        self.0.next().unwrap_or_default() as usize % sides
    }

    fn pick<T>(&mut self, from: impl IntoIterator<Item = T>) -> T {
        let mut from: Vec<T> = from.into_iter().collect();
        let at = self.of(from.len());
        from.swap_remove(at)
    }
}

impl World {
    fn tell(&mut self, event: Event) {
        self.pending |= match &event {
            Event::CallFailed(_) => self.call == Some(Call::Push),
            // A batch may be less than all, and a page may put ops back.
            Event::LocalWrite
            | Event::PushAnswered
            | Event::Settled(Settled::Renewed)
            | Event::Applied(_)
            | Event::Switched => true,
            _ => false,
        };
        match &event {
            Event::CallFailed(_)
            | Event::PushAnswered
            | Event::PullAnswered(_)
            | Event::ProbeAnswered
            | Event::FileAnswered(_) => self.call = None,
            Event::StreamEnded(_) => self.stream = false,
            Event::TimerFired => self.timer = false,
            _ => {}
        }
        let before = self.session.state();
        let actions = self.session.handle(event.clone());
        for action in &actions {
            self.perform(action, &format!("{before:?} + {event:?} = {actions:?}"));
        }
        let state = self.session.state();
        self.seen.insert(state.name());
        assert_eq!(
            state.has_stream(),
            self.stream,
            "{before:?} + {event:?} = {actions:?}"
        );
        assert_eq!(
            state.has_rebuild(),
            self.rebuild,
            "{before:?} + {event:?} = {actions:?}"
        );
        if !state.has_call() {
            assert_eq!(self.call, None, "{before:?} + {event:?} = {actions:?}");
        }
    }

    fn perform(&mut self, action: &Action, context: &str) {
        let local = |world: &mut Self, event| {
            let failed = Event::LocalFailed(match action {
                Action::Switch(_) => world
                    .chance
                    .pick([LocalFailure::Disk, LocalFailure::Foreign]),
                _ => world
                    .chance
                    .pick([LocalFailure::Disk, LocalFailure::Damaged]),
            });
            let event = if world.chance.of(12) == 1 {
                failed
            } else {
                event
            };
            world.told.push(event);
        };
        match action {
            Action::Push => self.push(context),
            Action::Pull => self.send(Call::Pull, context),
            Action::Probe(_) => self.send(Call::Probe, context),
            Action::FetchFile => self.send(Call::File, context),
            Action::FetchPage => self.send(Call::Page, context),
            Action::OpenStream => {
                assert!(!self.stream, "{context}");
                self.stream = true;
            }
            Action::CloseStream => {
                assert!(self.stream, "{context}");
                self.stream = false;
            }
            // The batch may have been empty: then there is no call to cancel.
            Action::CancelCall => {
                self.pending |= self.call == Some(Call::Push);
                self.call = None;
            }
            Action::SetTimer(wait) => {
                assert!(*wait <= WAIT_MAX || *wait == INTERVAL, "{context}");
                self.timer = true;
            }
            Action::Settle => {
                let settled = self
                    .chance
                    .pick([Settled::Done, Settled::Done, Settled::Renewed]);
                local(self, Event::Settled(settled));
            }
            Action::Apply | Action::ApplyFetched => {
                assert_eq!(self.rebuild, *action == Action::ApplyFetched, "{context}");
                let applied =
                    self.chance
                        .pick([Applied::CaughtUp, Applied::More, Applied::Diverged]);
                local(self, Event::Applied(applied));
            }
            Action::FindMark { at_or_below } => {
                let place = at_or_below.get().min(1_000);
                let place = place - place.min(self.chance.of(20) as u64);
                local(self, Event::MarkFound(cursor(place)));
            }
            Action::BeginRebuild(_) => self.rebuild = true,
            Action::Switch(_) => {
                assert!(self.rebuild, "{context}");
                local(self, Event::Switched);
            }
            Action::AbandonRebuild => {
                assert!(self.rebuild, "{context}");
                self.rebuild = false;
            }
            Action::AdoptEpoch { .. } | Action::ShrinkBatch | Action::Finished => {}
        }
    }

    fn push(&mut self, context: &str) {
        self.pending = false;
        if self.chance.of(3) == 0 {
            assert_eq!(self.call, None, "{context}");
            self.told.push(Event::NothingToPush);
        } else {
            self.send(Call::Push, context);
        }
    }

    fn send(&mut self, call: Call, context: &str) {
        assert_eq!(self.call, None, "{context}");
        self.call = Some(call);
    }

    /// Tells the results of local actions, until there are none.
    fn settle(&mut self) {
        while !self.told.is_empty() {
            let event = self.told.remove(0);
            if event == Event::Switched {
                self.rebuild = false;
            }
            self.tell(event);
        }
    }

    /// Something waits to happen that will bring the session on.
    fn waits_for_something(&self) -> bool {
        match self.session.state() {
            State::Stopped | State::Disabled => true,
            State::Idle => !self.pending,
            State::LoggedOut | State::Apart | State::Polling | State::BackingOff(_) => self.timer,
            State::Live => self.stream && !self.pending,
            State::LiveHolding => self.stream && self.timer,
            State::Pushing
            | State::Pulling
            | State::LivePushing
            | State::Probing(_)
            | State::FetchingFile(_)
            | State::FetchingPages(_) => self.call.is_some(),
            State::Settling
            | State::Applying
            | State::LiveSettling
            | State::Searching(_)
            | State::Filling(_)
            | State::Switching(_) => false,
        }
    }

    fn something_happens(&mut self) {
        let event = match self.chance.of(10) {
            0..4 if self.call.is_some() => self.answer(),
            4 | 5 if self.stream => self.stream_event(),
            6 | 7 if self.timer => Event::TimerFired,
            8 => self
                .chance
                .pick([Event::LocalWrite, Event::Wake, Event::LoginChanged]),
            9 if self.chance.of(6) == 1 => Event::Configured(self.settings()),
            _ => Event::LocalWrite,
        };
        self.tell(event);
        self.settle();
    }

    fn answer(&mut self) -> Event {
        if self.chance.of(3) == 1 {
            return Event::CallFailed(self.failure());
        }
        match self.call.expect("a call is out") {
            Call::Push => Event::PushAnswered,
            Call::Pull => Event::PullAnswered(self.chance.pick([
                PullReply::Page,
                PullReply::Page,
                PullReply::StartFresh,
            ])),
            Call::Page => Event::PullAnswered(PullReply::Page),
            Call::Probe => Event::ProbeAnswered,
            Call::File => {
                Event::FileAnswered(self.chance.pick([FileReply::Adopted, FileReply::Unfit]))
            }
        }
    }

    fn stream_event(&mut self) -> Event {
        let failure = self.failure();
        self.chance.pick([
            Event::StreamOpened,
            Event::StreamPage,
            Event::StreamPage,
            Event::StreamHint,
            Event::StreamEnded(failure),
        ])
    }

    fn failure(&mut self) -> Failure {
        let after = self.chance.pick([None, Some(Duration::from_secs(3_600))]);
        let class = self.chance.pick(RetryClass::ALL);
        let change = EpochChange {
            epoch: epoch(),
            common_at_most: ServerSeq(self.chance.of(2_000) as u64),
            offer_up_to: ServerSeq(u64::MAX),
            mode: EpochMode::Heal,
            kinship: Kinship::Same,
        };
        self.chance.pick([
            Failure::Unauthorized,
            Failure::Forbidden,
            Failure::EpochChanged(change),
            Failure::LogDiverged { head: None },
            Failure::LogDiverged {
                head: Some(ServerSeq(10)),
            },
            Failure::RebuildRequired,
            Failure::TooLarge,
            Failure::Refused,
            Failure::Retry { class, after },
            Failure::Retry { class, after },
        ])
    }

    fn settings(&mut self) -> Settings {
        let interval = INTERVAL;
        self.chance.pick([
            Settings::Off,
            Settings::On(Delivery::Once),
            Settings::On(Delivery::Poll { interval }),
            Settings::On(Delivery::Live { interval }),
            Settings::On(Delivery::Live { interval }),
        ])
    }
}

fn epoch() -> Epoch {
    "00000000-0000-0000-0000-000000000007".parse().unwrap()
}

fn cursor(place: u64) -> Cursor {
    Cursor {
        server_seq: ServerSeq(place),
        mark: Mark::origin([7; 16]),
    }
}

fn world(seed: u64, chances: Vec<u32>) -> World {
    World {
        session: Session::new(seed),
        chance: Chance(chances.into_iter()),
        call: None,
        stream: false,
        timer: false,
        rebuild: false,
        pending: false,
        told: Vec::new(),
        seen: BTreeSet::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_session_always_waits_for_something(
        seed in any::<u64>(),
        chances in prop::collection::vec(any::<u32>(), 50..600),
    ) {
        let mut world = world(seed, chances);
        world.tell(Event::Configured(Settings::On(Delivery::Live { interval: INTERVAL })));
        world.settle();
        while world.chance.0.len() > 0 {
            world.something_happens();
            prop_assert!(world.waits_for_something(), "stuck in {:?}", world.session.state());
        }
        world.tell(Event::Stopped);
        prop_assert_eq!((world.call, world.stream, world.rebuild), (None, false, false));
        prop_assert_eq!(world.session.state(), State::Stopped);
    }
}

#[test]
fn chance_brings_a_session_into_every_state() {
    let mut seen = BTreeSet::new();
    let mut random = 1_u64;
    for seed in 0..200 {
        let chances = (0..400).map(|_| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as u32
        });
        let mut world = world(seed, chances.collect());
        world.seen.insert(world.session.state().name());
        world.tell(Event::Configured(Settings::On(Delivery::Live {
            interval: INTERVAL,
        })));
        world.settle();
        while world.chance.0.len() > 0 {
            world.something_happens();
        }
        world.tell(Event::Stopped);
        seen.append(&mut world.seen);
    }
    assert_eq!(seen.len(), 21, "{seen:?}");
}
