//! The lives of processes: started, told what happens, killed, buried.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use syncline_model::UserId;
use syncline_model::planted::{Binary, panics, play};
use syncline_protocol::limits::STREAM_SILENCE_MAX;
use syncline_protocol::session::{Delivery, Settings, State};
use syncline_replica::{Engine, EngineEvent, Output, Replica, ReplicaError, ReplicaOptions, Start};

use super::{ClientStream, Doing, Event, Life, Machine, NAME, Phase, Pid, SimProcess, World};
use crate::coverage::Happening;
use crate::host::{SimHost, WallClock};
use crate::oracle::Violation;

/// How long a transport waits for an answer, in milliseconds.
const PATIENCE_MS: u64 = 20_000;

impl World {
    /// Adds a machine whose replica is new.
    pub(super) fn add_machine(&mut self) -> usize {
        let machine = self.machines.len();
        let user = format!("user-{}", machine % 2);
        let processes = if self.chance.percent(self.dials.second_process_percent) {
            2
        } else {
            1
        };
        self.machines.push(Machine {
            home: format!("r{machine}/"),
            user: UserId::new(user).expect(NAME),
            clock: Arc::new(WallClock::default()),
            skew_ms: 0,
            cut_off_until: 0,
            authorized: true,
            processes: Vec::new(),
            era: 0,
            backups: Vec::new(),
            holds_since: 0,
            is_shaky: false,
            arrived: 0,
            list_call_failed: false,
        });
        for slot in 0..processes {
            let older = self.chance.percent(self.dials.older_percent);
            let panics = older && self.chance.percent(50);
            self.machines[machine].processes.push(SimProcess {
                process: None,
                doing: Doing::Nothing,
                life: 0,
                binary: Binary {
                    age: i64::from(older),
                    panics,
                },
                out: None,
                stream: None,
                timers: 0,
                once_synced: false,
            });
            let life = Life {
                pid: Pid { machine, slot },
                number: 0,
            };
            let delay = self.chance.between(1, 800);
            self.schedule.set(delay, Event::Start(life));
        }
        machine
    }

    pub(super) fn process(&mut self, pid: Pid) -> &mut SimProcess {
        &mut self.machines[pid.machine].processes[pid.slot]
    }

    pub(super) fn life_of(&self, pid: Pid) -> Life {
        let number = self.machines[pid.machine].processes[pid.slot].life;
        Life { pid, number }
    }

    pub(super) fn is_current(&self, life: Life) -> bool {
        self.life_of(life.pid) == life
    }

    pub(super) fn pids(&self) -> Vec<Pid> {
        let machines = self.machines.iter().enumerate();
        machines
            .flat_map(|(machine, it)| {
                (0..it.processes.len()).map(move |slot| Pid { machine, slot })
            })
            .collect()
    }

    /// Sets clock and binary for a process that is about to act.
    pub(super) fn enter(&mut self, pid: Pid) {
        let machine = &self.machines[pid.machine];
        self.set_clock(&machine.clock, machine.skew_ms);
        play(machine.processes[pid.slot].binary);
    }

    pub(super) fn start_process(&mut self, life: Life) -> Result<(), Violation> {
        let pid = life.pid;
        if !self.is_current(life) || !matches!(self.process(pid).doing, Doing::Nothing) {
            return Ok(());
        }
        self.enter(pid);
        let chance = self.chance.split();
        let machine = &self.machines[pid.machine];
        let process = Arc::new(self.disk.process(&machine.home));
        let host = SimHost::new(&process, &machine.home, &machine.clock, chance);
        let options = ReplicaOptions {
            host: Arc::new(host),
            vfs: Some(process.vfs_name().to_owned()),
        };
        let (directory, user) = (machine.home.clone(), machine.user.clone());
        self.process(pid).process = Some(process);
        let opened = Replica::open(Path::new(&directory), options).and_then(|mut replica| {
            replica.belong_to(&self.tenant, &user)?;
            Ok(replica)
        });
        match opened {
            Ok(replica) => {
                self.note(format_args!("{pid} starts"));
                self.process(pid).doing = Doing::Writing(Box::new(replica));
                if self.process(pid).binary.age > 0 {
                    self.count(Happening::OlderBinary);
                }
                if self.machines[pid.machine].list_call_failed {
                    self.learn_list_ops(pid.machine, &BTreeSet::new());
                    self.machines[pid.machine].list_call_failed = false;
                }
                self.check_survived(pid.machine)?;
                self.seek_lease(life);
            }
            Err(error) => self.not_started(pid, &error),
        }
        Ok(())
    }

    fn not_started(&mut self, pid: Pid, error: &ReplicaError) {
        self.note(format_args!("{pid} can't start: {}", chain(error)));
        if !self.is_alive(pid) {
            return;
        }
        let newer = matches!(
            error,
            ReplicaError::OpenTenant(syncline_store::OpenError::NewerFormat { .. })
        );
        if newer {
            self.count(Happening::NewerFilesRefused);
        }
        self.end_process(pid);
        // Whoever is told to update does, some time.
        if newer && self.chance.percent(30) {
            self.upgrade(pid);
        }
        self.start_later(pid, 400, 4_000);
    }

    pub(super) fn seek_lease(&mut self, life: Life) {
        let pid = life.pid;
        if !self.is_current(life) {
            return;
        }
        let Doing::Writing(replica) =
            std::mem::replace(&mut self.process(pid).doing, Doing::Nothing)
        else {
            unreachable!("a process that syncs does not seek the lease");
        };
        self.enter(pid);
        match Engine::start(*replica) {
            Ok(Start::Busy(replica)) => {
                self.process(pid).doing = Doing::Writing(replica);
                let delay = self.chance.between(1_000, 6_000);
                self.schedule.set(delay, Event::SeekLease(life));
            }
            Ok(Start::Ready(mut engine)) => {
                self.note(format_args!("{pid} syncs"));
                engine.fetch_file_from(self.dials.prepared_file_from);
                engine.compact_from(self.dials.compact_from);
                self.process(pid).doing = Doing::Syncing(engine);
                let others = self.machines[pid.machine].processes.iter();
                let taken_over = others
                    .enumerate()
                    .any(|(slot, it)| slot != pid.slot && it.once_synced);
                if taken_over {
                    self.count(Happening::LeaseTakenOver);
                }
                self.process(pid).once_synced = true;
                let settings = self.settings();
                self.tell(pid, EngineEvent::Configured(settings));
            }
            Err(not_started) => {
                self.note(format_args!(
                    "{pid} can't sync: {}",
                    chain(&not_started.error)
                ));
                self.process(pid).doing = Doing::Writing(not_started.replica);
                let delay = self.chance.between(300, 3_000);
                self.schedule.set(delay, Event::SeekLease(life));
            }
        }
    }

    pub(super) fn settings(&mut self) -> Settings {
        let interval = Duration::from_millis(self.chance.between(1_000, 6_000));
        let delivery = match self.chance.below(5) {
            0 => Delivery::Poll { interval },
            1 => Delivery::Once,
            _ => Delivery::Live { interval },
        };
        Settings::On(delivery)
    }

    pub(super) fn tell_life(&mut self, life: Life, event: EngineEvent) {
        if self.is_current(life) {
            self.tell(life.pid, event);
        }
    }

    /// Tells a process's engine of an event, and carries what it asks for.
    pub(super) fn tell(&mut self, pid: Pid, event: EngineEvent) {
        self.enter(pid);
        let Doing::Syncing(engine) = &mut self.process(pid).doing else {
            return;
        };
        let (before, panics_before) = (engine.state(), panics());
        let outputs = engine.handle(event);
        let after = engine.state();
        if panics() > panics_before {
            self.count(Happening::FoldPanicOnReplica);
        }
        if before != after {
            self.note(format_args!("{pid} {} -> {}", before.name(), after.name()));
        }
        if !before.has_rebuild() && after.has_rebuild() {
            self.count(Happening::Rebuild);
            self.meet_log(pid);
        }
        if before.has_rebuild() && after == State::Apart {
            self.judge_apart(pid);
        }
        if !self.is_alive(pid) {
            return;
        }
        for output in outputs {
            self.carry(pid, output);
        }
        if after == State::Apart {
            self.join(pid);
        }
    }

    fn carry(&mut self, pid: Pid, output: Output) {
        let life = self.life_of(pid);
        match output {
            Output::Send { call, request } => {
                self.process(pid).out = Some(call);
                self.schedule.set(PATIENCE_MS, Event::GiveUp(life, call));
                self.send(life, call, request);
            }
            Output::Cancel(call) => {
                let out = &mut self.process(pid).out;
                *out = out.filter(|waits| *waits != call);
            }
            Output::OpenStream { stream, request } => {
                let heard_at = self.now();
                self.process(pid).stream = Some(ClientStream {
                    id: stream,
                    heard_at,
                });
                self.set_silence(life, stream);
                self.send_for_stream(life, stream, request);
            }
            Output::CloseStream(stream) => self.close_stream(life, stream),
            Output::WakeAfter(time) => {
                let process = self.process(pid);
                process.timers += 1;
                let number = process.timers;
                let delay = u64::try_from(time.as_millis()).unwrap_or(u64::MAX >> 1);
                self.schedule.set(delay, Event::Timer(life, number));
            }
            Output::Finished => {}
        }
    }

    pub(super) fn set_silence(&mut self, life: Life, stream: syncline_replica::StreamId) {
        let most = u64::try_from(STREAM_SILENCE_MAX.as_millis()).unwrap_or(u64::MAX >> 1);
        self.schedule.set(most, Event::Silence(life, stream));
    }

    pub(super) fn timer(&mut self, life: Life, number: u64) {
        if self.is_current(life) && self.process(life.pid).timers == number {
            self.tell(life.pid, EngineEvent::TimerFired);
        }
    }

    pub(super) fn wake_all(&mut self) {
        for pid in self.pids() {
            self.tell(pid, EngineEvent::Wake);
            self.bury_the_dead();
        }
        if self.phase == Phase::Healing {
            self.schedule.set(5_000, Event::Wake);
        }
    }

    pub(super) fn is_alive(&self, pid: Pid) -> bool {
        let process = &self.machines[pid.machine].processes[pid.slot].process;
        process.as_ref().is_some_and(|process| process.is_alive())
    }

    /// Ends a process in order.
    pub(super) fn stop(&mut self, pid: Pid) {
        self.tell(pid, EngineEvent::Stopped);
        self.enter(pid);
        let doing = std::mem::replace(&mut self.process(pid).doing, Doing::Nothing);
        if let Doing::Syncing(engine) = doing {
            drop(engine.into_replica());
        }
        self.end_process(pid);
    }

    /// Ends a process: its files are closed, and its calls are nobody's.
    pub(super) fn end_process(&mut self, pid: Pid) {
        self.enter(pid);
        let process = self.process(pid);
        process.doing = Doing::Nothing;
        process.process = None;
        process.life += 1;
        process.out = None;
        process.stream = None;
    }

    /// Starts a process some time from now.
    pub(super) fn start_later(&mut self, pid: Pid, first_ms: u64, last_ms: u64) {
        let delay = self.chance.between(first_ms, last_ms);
        let life = self.life_of(pid);
        self.schedule.set(delay, Event::Start(life));
    }

    pub(super) fn upgrade(&mut self, pid: Pid) {
        if self.process(pid).binary.age > 0 {
            self.count(Happening::Upgraded);
        }
        self.process(pid).binary = Binary::default();
    }

    /// Closes the files of what has died, and sees to it that it comes back.
    pub(super) fn bury_the_dead(&mut self) {
        for pid in self.pids() {
            let is_dead = self.process(pid).process.is_some() && !self.is_alive(pid);
            if is_dead {
                self.note(format_args!("{pid} has died"));
                self.end_process(pid);
                self.start_later(pid, 50, 6_000);
                self.excuse_orphans();
            }
        }
        if self
            .server
            .as_ref()
            .is_some_and(|server| !server.process.is_alive())
        {
            self.note(format_args!("the server has died"));
            self.end_server();
            self.start_server_later();
        }
    }
}

/// An error with its causes.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
