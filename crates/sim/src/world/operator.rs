// tidy: long because it lists every fault that an operator can make
//! Blows: what fails, and what people do to machines.

use std::collections::{BTreeMap, BTreeSet};

use syncline_model::planted::play;
use syncline_model::{Epoch, EpochMode, Lineage, Mark, ServerSeq};
use syncline_replica::EngineEvent;
use syncline_simdisk::{Fault, Snapshot, Verb};
use syncline_store::{Durability, FileOptions, LogStart, TenantFile};
use uuid::Uuid;

use super::{Doing, Event, MACHINES_MAX, Phase, Pid, World};
use crate::coverage::Happening;
use crate::dials::{Side, Trouble};
use crate::oracle::{Digest, Excuse, Holdings, OutboxKind, Violation};
use crate::server::{Gate, HOME};

/// Where copies of disks are looked at.
const ASIDE: &str = "aside/";
/// The server's place among the holdings of all disks.
const SERVER: usize = usize::MAX;
/// Ten years.
const DECADE_MS: u64 = 10 * 365 * 24 * 60 * 60 * 1000;
/// How far a clock may lead the log's; see the protocol's rules.
const LEAP: u64 = 1 << 32;
/// Backups kept of a machine.
const BACKUPS_MAX: usize = 3;

impl World {
    pub(super) fn blow(&mut self) -> Result<(), Violation> {
        if self.phase != Phase::Trouble {
            return Ok(());
        }
        let troubles = self.dials.troubles.clone();
        let trouble = *self.chance.pick(&troubles);
        self.note(format_args!("{trouble:?}"));
        match trouble {
            Trouble::PowerLoss(Side::Replica) => self.cut_power_of_replica(),
            Trouble::PowerLoss(Side::Server) => {
                self.count(Happening::ServerPowerLoss);
                self.disk.crash(HOME);
            }
            Trouble::PowerLossAtChange(side) => self.arm_death(side, Fault::power_loss_at),
            Trouble::Kill(Side::Replica) => self.kill_replica(),
            Trouble::Kill(Side::Server) => {
                self.count(Happening::ServerKill);
                self.disk.kill(HOME);
            }
            Trouble::KillAtChange(side) => self.arm_death(side, Fault::kill_at),
            Trouble::Restart => self.restart(),
            Trouble::Partition => self.part(),
            Trouble::ClockJump => self.jump(),
            Trouble::DiskFull(side) => self.fill_disk(side),
            Trouble::Failure(side, verb) => self.arm_failure(side, verb),
            Trouble::Backup(Side::Server) => self.back_up_server(),
            Trouble::Backup(Side::Replica) => self.back_up_replica(),
            Trouble::RollBackServer => self.roll_back_server(None),
            Trouble::RestoreToHeal => self.roll_back_server(Some(EpochMode::Heal)),
            Trouble::RestoreToFollow => self.roll_back_server(Some(EpochMode::Follow)),
            Trouble::LoseServer => self.lose_server(),
            Trouble::Reset => self.reset(),
            Trouble::CopyReplica => self.copy_replica(),
            Trouble::RollBackReplica => self.roll_back_replica(),
            Trouble::DamageTenantFile => self.damage_tenant_file(),
            Trouble::TokenExpiry => self.expire_token(),
            Trouble::RateLimit => self.shut_gate(Gate::RateLimited),
            Trouble::Maintenance => self.shut_gate(Gate::Maintenance),
            Trouble::Upgrade => self.upgrade_somebody(),
            Trouble::ClockLeap => self.leap(),
            Trouble::Checkpoint => self.checkpoint(),
        }
        self.bury_the_dead();
        Ok(())
    }

    fn some_machine(&mut self) -> usize {
        self.chance.below(self.machines.len())
    }

    fn some_pid(&mut self) -> Pid {
        let pids = self.pids();
        *self.chance.pick(&pids)
    }

    fn cut_power_of_replica(&mut self) {
        let machine = self.some_machine();
        if self.machines[machine].sync_failed {
            return;
        }
        self.count(Happening::ReplicaPowerLoss);
        self.disk.crash(&self.machines[machine].home);
    }

    fn kill_replica(&mut self) {
        let pid = self.some_pid();
        if let Some(process) = &self.process(pid).process {
            process.kill();
            self.count(Happening::ReplicaKill);
        }
    }

    fn arm_death(&mut self, side: Side, fault: impl Fn(u64) -> Fault) {
        let change = match self.chance.below(3) {
            0 => self.chance.between(1, 6),
            1 => self.chance.between(1, 30),
            _ => self.chance.between(1, 120),
        };
        let fault = fault(change);
        let is_power = fault == Fault::power_loss_at(change);
        let (prefix, happening) = match side {
            Side::Server if is_power => (HOME.to_owned(), Happening::ServerPowerLossAtChange),
            Side::Server => (HOME.to_owned(), Happening::ServerKillAtChange),
            Side::Replica => {
                let machine = self.some_machine();
                let machine = &self.machines[machine];
                if machine.sync_failed && is_power {
                    return;
                }
                let happening = if is_power {
                    Happening::ReplicaPowerLossAtChange
                } else {
                    Happening::ReplicaKillAtChange
                };
                (machine.home.clone(), happening)
            }
        };
        self.arm(prefix, fault, happening);
    }

    fn arm_failure(&mut self, side: Side, verb: Verb) {
        let nth = self.chance.between(1, 25);
        let fault = Fault::failure_at(verb, nth);
        let (prefix, happening) = match (side, verb) {
            (Side::Server, Verb::Read) => (HOME.to_owned(), Happening::ServerReadFailure),
            (Side::Server, Verb::Write) => (HOME.to_owned(), Happening::ServerWriteFailure),
            (Side::Server, _) => (HOME.to_owned(), Happening::ServerSyncFailure),
            (Side::Replica, verb) => {
                let machine = self.some_machine();
                let machine = &mut self.machines[machine];
                machine.is_shaky = true;
                let happening = match verb {
                    Verb::Read => Happening::ReplicaReadFailure,
                    Verb::Write => Happening::ReplicaWriteFailure,
                    Verb::Sync | Verb::Change => {
                        machine.sync_failed = true;
                        Happening::ReplicaSyncFailure
                    }
                };
                (machine.home.clone(), happening)
            }
        };
        self.arm(prefix, fault, happening);
    }

    fn arm(&mut self, prefix: String, fault: Fault, happening: Happening) {
        if self.armed.contains_key(&prefix) {
            return;
        }
        self.disk.arm(&prefix, fault);
        self.armed.insert(prefix, happening);
    }

    /// Counts the armed faults that have struck.
    pub(super) fn count_struck(&mut self) {
        let struck: Vec<String> = self
            .armed
            .keys()
            .filter(|prefix| !self.disk.is_armed(prefix))
            .cloned()
            .collect();
        for prefix in struck {
            if let Some(happening) = self.armed.remove(&prefix) {
                self.note(format_args!("{prefix} is struck: {happening:?}"));
                self.count(happening);
            }
        }
    }

    fn restart(&mut self) {
        let pid = self.some_pid();
        self.stop(pid);
        self.start_later(pid, 10, 3_000);
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

    fn part(&mut self) {
        let machine = self.some_machine();
        let length = self.chance.between(1_000, 40_000);
        self.machines[machine].cut_off_until = self.now() + length;
        self.count(Happening::Partition);
    }

    fn jump(&mut self) {
        self.count(Happening::ClockJump);
        let far = self.chance.between(1_000, DECADE_MS) as i64;
        let skew = if self.chance.percent(50) { far } else { -far };
        if self.chance.percent(20) {
            self.server_skew_ms = skew;
        } else {
            let machine = self.some_machine();
            self.machines[machine].skew_ms = skew;
        }
    }

    fn fill_disk(&mut self, side: Side) {
        let prefix = match side {
            Side::Server => HOME.to_owned(),
            Side::Replica => {
                self.count(Happening::ReplicaDiskFull);
                let machine = self.some_machine();
                self.machines[machine].is_shaky = true;
                self.machines[machine].home.clone()
            }
        };
        let room = self.chance.between(0, 30_000);
        self.disk.set_quota(&prefix, self.disk.used(&prefix) + room);
        let length = self.chance.between(1_000, 15_000);
        self.schedule.set(length, Event::LiftQuota(prefix));
    }

    fn back_up_server(&mut self) {
        let snapshot = self.disk.snapshot(HOME);
        keep(&mut self.server_backups, snapshot);
    }

    fn back_up_replica(&mut self) {
        let machine = self.some_machine();
        let snapshot = self.disk.snapshot(&self.machines[machine].home);
        keep(&mut self.machines[machine].backups, snapshot);
    }

    fn expire_token(&mut self) {
        let machine = self.some_machine();
        self.count(Happening::TokenExpired);
        self.machines[machine].authorized = false;
        self.end_streams_of(machine);
        let length = self.chance.between(500, 15_000);
        self.schedule.set(length, Event::Login(machine));
    }

    pub(super) fn login(&mut self, machine: usize) {
        self.machines[machine].authorized = true;
        self.count(Happening::Login);
        for pid in self.pids().into_iter().filter(|pid| pid.machine == machine) {
            self.tell(pid, EngineEvent::LoginChanged);
            self.bury_the_dead();
        }
    }

    fn shut_gate(&mut self, gate: Gate) {
        let length = self.chance.between(500, 8_000);
        let life = self.server_life;
        if let Some(server) = &mut self.server {
            server.gate = gate;
            self.schedule.set(length, Event::OpenGate(life));
        }
    }

    fn upgrade_somebody(&mut self) {
        if self.server_binary.age > 0 && self.chance.percent(30) {
            self.upgrade_server();
            return;
        }
        let older: Vec<Pid> = self.pids();
        let older: Vec<Pid> = older
            .into_iter()
            .filter(|pid| self.process(*pid).binary.age > 0)
            .collect();
        if older.is_empty() {
            return;
        }
        let pid = *self.chance.pick(&older);
        self.stop(pid);
        self.upgrade(pid);
        self.start_later(pid, 10, 1_000);
    }

    pub(super) fn upgrade_server(&mut self) {
        self.end_server();
        self.server_binary.age = 0;
        self.start_server_later();
    }

    fn leap(&mut self) {
        if self.bare.is_busy() {
            return;
        }
        self.clocks_leapt = true;
        self.begin_bare(LEAP);
        self.try_bare();
    }

    fn checkpoint(&mut self) {
        self.enter_server();
        let now = self.server_clock.now();
        let Some(server) = &mut self.server else {
            return;
        };
        let done = server.checkpoint(now);
        self.note(format_args!("checkpoint: {done}"));
        self.count(Happening::Checkpoint);
    }

    fn roll_back_server(&mut self, restored: Option<EpochMode>) {
        let Some(snapshot) = self.take_backup() else {
            return self.back_up_server();
        };
        // Whoever restores sees to it that the disk works.
        self.disk.disarm(HOME);
        self.disk.lift_quota(HOME);
        self.armed.remove(HOME);
        let before = self.all_holdings();
        let left_behind = self.server_lineage();
        self.end_server();
        self.disk.roll_back(HOME, &snapshot);
        let cut = self.server_holdings();
        let happening = match restored {
            None => Happening::ServerRolledBack,
            Some(EpochMode::Heal) => Happening::RestoredToHeal,
            Some(EpochMode::Follow) => Happening::RestoredToFollow,
        };
        self.count(happening);
        self.oracle.lift_bans();
        let last = cut.log.keys().next_back().copied().unwrap_or_default();
        if let Some(mode) = restored {
            self.begin_epoch(mode, &left_behind);
        }
        if restored == Some(EpochMode::Follow) {
            self.discard(&before, last, &cut);
        }
        self.excuse_lost(&before);
        self.oracle.replace_log(&cut.log);
        self.start_server_later();
    }

    fn take_backup(&mut self) -> Option<Snapshot> {
        if self.server_backups.is_empty() {
            return None;
        }
        let choice = self.chance.below(self.server_backups.len());
        Some(self.server_backups[choice].clone())
    }

    /// The epochs that the server's log knows of.
    fn server_lineage(&mut self) -> Vec<Lineage> {
        let file = TenantFile::open("server/tenant.db".as_ref(), &self.operators_options());
        file.ok()
            .and_then(|file| file.lineage().ok())
            .unwrap_or_default()
    }

    fn operators_options(&self) -> FileOptions {
        play(self.server_binary);
        FileOptions {
            vfs: Some(self.disk.vfs_name().to_owned()),
            durability: Durability::Full,
        }
    }

    /// What a restore from a backup does to the log before the server is started.
    fn begin_epoch(&mut self, mode: EpochMode, left_behind: &[Lineage]) {
        let options = self.operators_options();
        let next = Epoch::new(Uuid::from_bytes(self.chance.bytes()));
        let file = TenantFile::open("server/tenant.db".as_ref(), &options);
        let done = file
            .map_err(|error| error.to_string())
            .and_then(|mut file| {
                let head = file.head().map_err(|error| error.to_string())?;
                let remembered = file.remember_epochs(left_behind);
                remembered.map_err(|error| error.to_string())?;
                let started = file.start_epoch(head.epoch, next, LogStart::Restored(mode));
                started.map(|_| ()).map_err(|error| error.to_string())
            });
        self.note(format_args!("epoch {next} begins: {done:?}"));
    }

    fn lose_server(&mut self) {
        self.count(Happening::ServerLost);
        let before = self.all_holdings();
        self.end_server();
        self.disk.copy("nothing/", HOME);
        self.oracle.lift_bans();
        self.excuse_lost(&before);
        self.oracle.replace_log(&BTreeMap::new());
        self.start_server_later();
    }

    fn reset(&mut self) {
        let before = self.all_holdings();
        let Some(expected) = self.server_head().map(|head| head.epoch) else {
            return;
        };
        let next = Epoch::new(Uuid::from_bytes(self.chance.bytes()));
        let origin = Mark::origin(self.chance.bytes());
        let Some(server) = &mut self.server else {
            return;
        };
        let done = server
            .log()
            .and_then(|log| log.reset(expected, next, origin));
        let is_done = done.is_ok();
        self.note(format_args!("reset to {next}: {is_done}"));
        // Where it failed, it may have happened or not.
        self.discard(&before, ServerSeq::ZERO, &Holdings::default());
        if is_done {
            self.count(Happening::Reset);
        } else {
            self.oracle.lift_bans();
        }
        self.oracle.replace_log(&BTreeMap::new());
        self.bury_the_dead();
        self.pump_streams();
    }

    /// The log is cut behind `last` on purpose, and `kept` is what is left of it.
    fn discard(&mut self, before: &BTreeMap<usize, Holdings>, last: ServerSeq, kept: &Holdings) {
        // What is under way is of connections that end with the server.
        self.schedule
            .forget(|event| matches!(event, Event::Arrival(_)));
        let (mut discarded, mut waiting) = (BTreeSet::new(), BTreeSet::new());
        for held in before.values() {
            discarded.extend(held.log.values());
            // On a side branch, what stands at such a place may be common or not.
            let below = held.log.iter().filter(|(seq, _)| **seq <= last);
            waiting.extend(below.map(|(_, digest)| *digest));
            for (digest, kind) in &held.outbox {
                match kind {
                    OutboxKind::Offer => {
                        discarded.insert(*digest);
                    }
                    OutboxKind::Acknowledged => {
                        discarded.insert(*digest);
                        waiting.insert(*digest);
                    }
                    OutboxKind::Pending => {
                        waiting.insert(*digest);
                    }
                }
            }
            waiting.extend(&held.quarantine);
        }
        let kept: BTreeSet<Digest> = kept.log.values().copied().collect();
        let gone: Vec<Digest> = discarded
            .into_iter()
            .filter(|digest| !kept.contains(digest))
            .collect();
        self.oracle.excuse(gone.iter().copied(), Excuse::Discarded);
        // Of an epoch that the log has no word of, everything is offered again.
        let lineage = self.server_lineage();
        let known = |epoch: &Epoch| lineage.iter().any(|step| step.epoch == *epoch);
        let all_known = before
            .values()
            .all(|held| held.epoch.as_ref().is_none_or(known));
        let bare = |digest: &Digest| {
            self.oracle
                .find(digest)
                .is_some_and(|written| written.writer.machine.is_none())
        };
        let banned: Vec<Digest> = gone
            .into_iter()
            .filter(|digest| all_known && !waiting.contains(digest) && !bare(digest))
            .collect();
        self.note(format_args!("{} ops are to stay away", banned.len()));
        self.oracle.ban(banned);
    }

    fn copy_replica(&mut self) {
        if self.machines.len() >= MACHINES_MAX {
            return;
        }
        self.count(Happening::ReplicaCopied);
        let source = self.some_machine();
        let held = self.holdings_of(source);
        self.double(&held);
        let copy = self.add_machine();
        self.machines[copy].user = self.machines[source].user.clone();
        self.disk
            .copy(&self.machines[source].home, &self.machines[copy].home);
        self.note(format_args!("r{source} is copied to r{copy}"));
    }

    fn roll_back_replica(&mut self) {
        let machine = self.some_machine();
        let Some(snapshot) = self.machines[machine].backups.pop() else {
            return self.back_up_replica();
        };
        self.count(Happening::ReplicaRolledBack);
        let before = self.all_holdings();
        self.end_machine(machine);
        self.disk.roll_back(&self.machines[machine].home, &snapshot);
        self.machines[machine].era += 1;
        self.machines[machine].holds_since = self.oracle.newest_order();
        self.note(format_args!("r{machine} is put back"));
        let held = self.holdings_of(machine);
        self.double(&held);
        self.excuse_lost(&before);
    }

    /// What a disk holds as unsent is held twice from now on.
    fn double(&mut self, held: &Holdings) {
        let unsent: Vec<Digest> = held.outbox.iter().map(|(digest, _)| *digest).collect();
        self.oracle.lift_bans_of(&unsent);
        self.oracle
            .let_double(unsent.into_iter().chain(held.quarantine.iter().copied()));
    }

    fn damage_tenant_file(&mut self) {
        let machine = self.some_machine();
        let before = self.all_holdings();
        self.end_machine(machine);
        self.machines[machine].holds_since = self.oracle.newest_order();
        let home = self.machines[machine].home.clone();
        let files = self
            .disk
            .operator()
            .list(&format!("{home}tenant-"))
            .unwrap_or_default();
        for path in files.iter().filter(|path| path.ends_with(".db")) {
            let Ok(mut bytes) = self.disk.operator().read(path) else {
                continue;
            };
            let end = bytes.len().min(4_096);
            bytes[..end].fill(0xA5);
            let written = self.disk.operator().write_durably(path, &bytes);
            let _gone = self.disk.operator().remove(&format!("{path}-wal"));
            self.note(format_args!("{path} is damaged: {}", written.is_ok()));
            self.count(Happening::TenantFileDamaged);
        }
        self.excuse_lost(&before);
    }

    /// Ends the processes of a machine at once; they start again later.
    fn end_machine(&mut self, machine: usize) {
        for pid in self.pids().into_iter().filter(|pid| pid.machine == machine) {
            self.end_process(pid);
            self.start_later(pid, 50, 5_000);
        }
    }

    /// The ops on every disk; the server's stand behind those of the machines.
    pub(super) fn all_holdings(&mut self) -> BTreeMap<usize, Holdings> {
        let machines = 0..self.machines.len();
        let mut all: BTreeMap<usize, Holdings> = machines
            .map(|machine| (machine, self.holdings_of(machine)))
            .collect();
        all.insert(SERVER, self.server_holdings());
        all
    }

    /// Excuses what some disk held before, and no disk holds now.
    fn excuse_lost(&mut self, before: &BTreeMap<usize, Holdings>) {
        let after = self.all_holdings();
        let held: BTreeSet<Digest> = after.values().flat_map(Holdings::all).copied().collect();
        let lost: BTreeSet<Digest> = before
            .values()
            .flat_map(Holdings::all)
            .filter(|digest| !held.contains(*digest))
            .copied()
            .collect();
        self.note(format_args!("{} ops are lost with a disk", lost.len()));
        self.excuse_unheld(lost);
        let server = &after[&SERVER].log;
        let server: BTreeSet<Digest> = server.values().copied().collect();
        self.orphans = held.difference(&server).copied().collect();
    }

    /// After a machine's death: excuses what its log alone may have held, not yet on its disk.
    pub(super) fn excuse_orphans(&mut self) {
        if self.orphans.is_empty() {
            return;
        }
        let now = self.all_holdings();
        let held: BTreeSet<Digest> = now.values().flat_map(Holdings::all).copied().collect();
        let (kept, lost) = self
            .orphans
            .iter()
            .partition(|digest| held.contains(*digest));
        self.orphans = kept;
        self.excuse_unheld(lost);
    }

    /// Excuses ops that no disk holds; but a machine whose disk was never put back holds its own.
    fn excuse_unheld(&mut self, lost: BTreeSet<Digest>) {
        let may_lack = |digest: &Digest| {
            let written = self.oracle.find(digest);
            written.is_none_or(|written| match written.writer.machine {
                Some(machine) => written.order <= self.machines[machine].holds_since,
                None => true,
            })
        };
        let lost: Vec<Digest> = lost.into_iter().filter(may_lack).collect();
        self.oracle.excuse(lost, Excuse::LostWithDisk);
    }

    /// Copies a machine's disk, to be looked at; gives the copy's prefix.
    pub(super) fn copy_aside(&mut self, prefix: &str) -> String {
        self.disk.copy(prefix, ASIDE);
        ASIDE.to_owned()
    }

    pub(super) fn forget_aside(&mut self, prefix: &str) {
        self.disk.copy("nothing/", prefix);
    }
}

/// Keeps a backup, in the place of the oldest where there are enough.
fn keep(backups: &mut Vec<Snapshot>, snapshot: Snapshot) {
    if backups.len() == BACKUPS_MAX {
        backups.remove(0);
    }
    backups.push(snapshot);
}
