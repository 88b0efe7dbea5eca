//! A world: some machines with replicas, a server, a network between them, and what befalls all.
//!
//! One thread runs it, event by event, in simulated time. Everything that chance decides follows
//! from the seed; whatever happens goes into the trace.

mod apart;
mod blows;
mod compaction;
mod disks;
mod faults;
mod inventory;
mod lists;
mod operator;
mod people;
mod process;
mod rest;
mod service;
mod streams;
mod transport;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use syncline_model::planted::{Binary, play};
use syncline_model::{OpKey, ServerSeq, TenantId, UserId};
use syncline_replica::{CallId, Engine, EngineEvent, Replica, StreamId};
use syncline_server::tenant::Compacting;
use syncline_simdisk::{Disk, Process, Snapshot};

use crate::chance::Chance;
use crate::coverage::{Coverage, Happening};
use crate::dials::{Dials, Weather};
use crate::host::WallClock;
use crate::oracle::{Archive, Digest, Oracle, Violation};
use crate::runner::Outcome;
use crate::schedule::Schedule;
use crate::server::SimServer;
use crate::trace::{Sink, Trace};
use crate::workload::Numbers;

use service::Seat;
use streams::ServerStream;
use transport::Flight;

/// When worlds begin: 2026-01-01T00:00:00Z, in milliseconds since 1970.
const BEGINNING_UNIX_MS: i64 = 1_767_225_600_000;
/// Machines that a world has at most; copies of replicas go to those that are left.
const MACHINES_MAX: usize = 6;
/// Events of a world at most: one that needs more does not come to rest.
const EVENTS_MAX: u64 = 60_000;

/// A process: a machine, and which of its processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pid {
    pub(crate) machine: usize,
    pub(crate) slot: usize,
}

impl std::fmt::Display for Pid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "r{}.{}", self.machine, self.slot)
    }
}

/// A life of a process: what is meant for an earlier one is not for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Life {
    pub(crate) pid: Pid,
    pub(crate) number: u32,
}

/// What a process does.
pub(crate) enum Doing {
    /// Dead, or not started yet.
    Nothing,
    /// It reads and writes; another one syncs.
    Writing(Box<Replica>),
    Syncing(Box<Engine>),
}

pub(crate) struct SimProcess {
    process: Option<Arc<Process>>,
    doing: Doing,
    life: u32,
    binary: Binary,
    /// The call whose answer is waited for.
    out: Option<CallId>,
    stream: Option<ClientStream>,
    /// How often the engine has asked to be woken: only the last time counts.
    timers: u64,
    /// Whether the process of an earlier life held the sync lease.
    once_synced: bool,
}

/// The client's end of a stream.
pub(crate) struct ClientStream {
    id: StreamId,
    heard_at: u64,
}

/// A machine with a replica.
pub(crate) struct Machine {
    /// The prefix of its files.
    home: String,
    user: UserId,
    clock: Arc<WallClock>,
    skew_ms: i64,
    /// Until when it can't reach the server.
    cut_off_until: u64,
    authorized: bool,
    processes: Vec<SimProcess>,
    /// How often its disk was put back.
    era: u32,
    backups: Vec<Snapshot>,
    /// Ops written before this may have left its disk, which was put back or damaged.
    holds_since: u64,
    /// Its disk has been set to fail: a write may not be done.
    is_shaky: bool,
    /// The number of the last request that arrived from it.
    arrived: u64,
    /// A change of lists has failed on it: what that would have written may show later, as a disk may
    /// keep what it was not told to.
    list_call_failed: bool,
}

/// Something that is to happen.
pub(crate) enum Event {
    /// Somebody writes.
    Write,
    /// A user of this machine writes.
    WriteOn(usize),
    /// A caller without a replica pushes.
    BareWrite,
    Blow,
    Start(Life),
    /// A process without the lease looks whether it is free.
    SeekLease(Life),
    Timer(Life, u64),
    /// A process is told something by its own machine.
    Tell(Life, EngineEvent),
    /// Somebody asks for a sync.
    Wake,
    Arrival(Box<Flight>),
    Reply(Box<transport::Reply>),
    GiveUp(Life, CallId),
    StreamStart(Life, StreamId),
    StreamBytes(Life, StreamId, Vec<u8>),
    StreamEnd(Life, StreamId),
    Silence(Life, StreamId),
    StartServer(u32),
    Commit(u32),
    SyncLate(u32),
    Heartbeat,
    OpenGate(u32),
    LiftQuota(String),
    /// The power of the machine whose files begin so goes, some time after a sync of it has failed.
    CutPower(String),
    Login(usize),
    /// The server begins to compact its log.
    BeginCompaction,
    /// The server goes on with a compaction.
    Compact(u32),
    /// Somebody may have time for what can wait.
    Rest,
    /// The world heals.
    Heal,
    /// Whether the healed world is at rest.
    Look,
}

/// How far a world has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Trouble,
    Healing,
}

pub(crate) struct World {
    dials: Dials,
    chance: Chance,
    disk: Disk,
    schedule: Schedule<Event>,
    trace: Trace,
    coverage: Coverage,
    oracle: Oracle,
    archive: Archive,
    numbers: Numbers,
    weather: Weather,
    phase: Phase,
    tenant: TenantId,
    machines: Vec<Machine>,
    server: Option<SimServer>,
    server_life: u32,
    server_binary: Binary,
    server_clock: WallClock,
    server_skew_ms: i64,
    server_backups: Vec<Snapshot>,
    /// The compaction of the server's log that is under way.
    compacting: Option<Compacting>,
    /// The highest floor that the server's log has had.
    highest_floor: ServerSeq,
    /// Pushes that wait for the next commit.
    seats: Vec<Seat>,
    streams: BTreeMap<(Life, StreamId), ServerStream>,
    bare: people::BareCaller,
    arrivals: u64,
    writes_left: u32,
    blows_left: u32,
    healed_at: u64,
    clocks_leapt: bool,
    /// What is armed to strike, by the prefix of the files that it is armed for.
    armed: BTreeMap<String, Happening>,
    /// Ops that stood in replicas' logs alone when the server's was last put back. Those logs don't
    /// wait for the disk: what the server no longer has may go with a replica's power.
    orphans: BTreeSet<Digest>,
    /// Whether everybody has written once more after the world was healed.
    last_words: bool,
    /// The keys of all list ops that were seen in outboxes.
    list_keys: BTreeSet<OpKey>,
    apart: apart::Apart,
}

impl World {
    pub(crate) fn new(seed: u64, sink: Option<Sink>) -> Self {
        let mut chance = Chance::new(seed);
        let dials = Dials::drawn(&mut chance);
        let disk = Disk::new(chance.seed());
        let server_binary = Binary {
            age: i64::from(dials.older_server),
            panics: dials.server_panics,
        };
        let mut world = Self {
            weather: dials.weather,
            writes_left: dials.writes,
            blows_left: dials.blows,
            server_binary,
            dials,
            chance,
            disk,
            schedule: Schedule::new(),
            trace: Trace::new(sink),
            coverage: Coverage::default(),
            oracle: Oracle::default(),
            archive: Archive::default(),
            numbers: Numbers::default(),
            phase: Phase::Trouble,
            tenant: TenantId::new("tenant").expect(NAME),
            machines: Vec::new(),
            server: None,
            server_life: 0,
            server_clock: WallClock::default(),
            server_skew_ms: 0,
            server_backups: Vec::new(),
            compacting: None,
            highest_floor: ServerSeq::ZERO,
            seats: Vec::new(),
            streams: BTreeMap::new(),
            bare: people::BareCaller::default(),
            arrivals: 0,
            healed_at: 0,
            clocks_leapt: false,
            armed: BTreeMap::new(),
            orphans: BTreeSet::new(),
            last_words: false,
            list_keys: BTreeSet::new(),
            apart: apart::Apart::default(),
        };
        world.populate();
        world
    }

    fn populate(&mut self) {
        let dials = format!("{:?}", self.dials);
        self.note(format_args!("{dials}"));
        self.schedule.set(0, Event::StartServer(0));
        for _ in 0..self.dials.replicas {
            self.add_machine();
        }
        self.schedule.set(20, Event::Write);
        let leaps = self
            .dials
            .troubles
            .contains(&crate::dials::Trouble::ClockLeap);
        if self.dials.bare_percent > 0 || leaps {
            self.schedule.set(500, Event::BareWrite);
        }
        self.schedule.set(1_000, Event::Heartbeat);
        if self.dials.compact_from < 1_000 {
            self.schedule.set(1_000, Event::Rest);
        }
        let length = u64::from(self.dials.writes) * self.dials.write_gap_ms;
        for _ in 0..self.blows_left {
            let at = self.chance.between(length / 10, length.max(2_000));
            self.schedule.set(at, Event::Blow);
        }
        for _ in 0..self.dials.compactions {
            let at = self.chance.between(length / 10, length.max(2_000));
            self.schedule.set(at, Event::BeginCompaction);
        }
    }

    /// Runs the world to its end.
    pub(crate) fn run(mut self) -> Outcome {
        let violation = self.live().err();
        self.note(format_args!("end: {violation:?}"));
        play(Binary::default());
        let counters = self.disk.counters();
        self.note(format_args!("disk: {counters:?}"));
        Outcome {
            digest: self.trace.digest(),
            coverage: self.coverage,
            tally: self.oracle.tally(),
            violation,
        }
    }

    fn live(&mut self) -> Result<(), Violation> {
        let mut events = 0;
        while let Some(event) = self.schedule.next() {
            events += 1;
            if events > EVENTS_MAX {
                return Err(Violation("the world does not come to rest".to_owned()));
            }
            if matches!(event, Event::Look) {
                if self.is_at_rest()? {
                    return self.check_end();
                }
                continue;
            }
            self.happen(event)?;
            self.bury_the_dead();
            self.count_struck();
            self.apart.judged()?;
        }
        unreachable!("a healed world looks until it is at rest")
    }

    fn happen(&mut self, event: Event) -> Result<(), Violation> {
        match event {
            Event::Write => self.somebody_writes()?,
            Event::WriteOn(machine) => self.write_on(machine)?,
            Event::BareWrite => self.bare_write(),
            Event::Blow => self.blow()?,
            Event::Start(life) => self.start_process(life)?,
            Event::SeekLease(life) => self.seek_lease(life),
            Event::Timer(life, number) => self.timer(life, number),
            Event::Tell(life, event) => self.tell_life(life, event),
            Event::Wake => self.wake_all(),
            Event::Arrival(flight) => self.arrive(*flight)?,
            Event::Reply(reply) => self.deliver(*reply)?,
            Event::GiveUp(life, call) => self.give_up(life, call),
            Event::StreamStart(life, stream) => self.stream_start(life, stream),
            Event::StreamBytes(life, stream, bytes) => self.stream_bytes(life, stream, bytes),
            Event::StreamEnd(life, stream) => self.stream_end(life, stream),
            Event::Silence(life, stream) => self.silence(life, stream),
            Event::StartServer(life) => self.start_server(life)?,
            Event::Commit(life) => self.commit(life)?,
            Event::SyncLate(life) => self.sync_late(life),
            Event::Heartbeat => self.heartbeat(),
            Event::OpenGate(life) => self.open_gate(life),
            Event::LiftQuota(prefix) => self.lift_quota(&prefix),
            Event::CutPower(prefix) => self.cut_power_after_failed_sync(&prefix),
            Event::Login(machine) => self.login(machine),
            Event::BeginCompaction => self.compact_server()?,
            Event::Compact(life) => self.compact_step(life),
            Event::Rest => self.rest(),
            Event::Heal => self.heal(),
            Event::Look => unreachable!("looked at by the caller"),
        }
        Ok(())
    }

    fn now(&self) -> u64 {
        self.schedule.now()
    }

    fn note(&mut self, what: std::fmt::Arguments<'_>) {
        self.trace.note(self.schedule.now(), what);
    }

    fn count(&mut self, happening: Happening) {
        self.coverage.count(happening);
    }

    /// Sets the clocks that code on a machine reads.
    fn set_clock(&self, clock: &WallClock, skew_ms: i64) {
        let unix_ms = BEGINNING_UNIX_MS + self.now() as i64 + skew_ms;
        clock.set(unix_ms);
        self.disk.set_clock(unix_ms);
    }
}

const NAME: &str = "the world's names are names";
