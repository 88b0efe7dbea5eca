//! What fails: power, processes, disks.

use syncline_simdisk::{Fault, Verb};

use super::{Event, Phase, World};
use crate::coverage::Happening;
use crate::dials::Side;
use crate::server::HOME;

impl World {
    pub(super) fn cut_power_of_replica(&mut self) {
        let machine = self.some_machine();
        self.count(Happening::ReplicaPowerLoss);
        self.disk.crash(&self.machines[machine].home);
    }

    pub(super) fn kill_replica(&mut self) {
        let pid = self.some_pid();
        if let Some(process) = &self.process(pid).process {
            process.kill();
            self.count(Happening::ReplicaKill);
        }
    }

    pub(super) fn arm_death(&mut self, side: Side, fault: impl Fn(u64) -> Fault) {
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

    pub(super) fn arm_failure(&mut self, side: Side, verb: Verb) {
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
                    Verb::Sync | Verb::Change => Happening::ReplicaSyncFailure,
                };
                (machine.home.clone(), happening)
            }
        };
        self.arm(prefix, fault, happening);
    }

    pub(super) fn arm(&mut self, prefix: String, fault: Fault, happening: Happening) {
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
                self.may_follow(prefix, happening);
            }
        }
    }

    /// After a sync that failed the power goes sooner or later: what that should have covered may be
    /// lost, and nothing that was reported as done since.
    fn may_follow(&mut self, prefix: String, happening: Happening) {
        let is_sync = matches!(
            happening,
            Happening::ReplicaSyncFailure | Happening::ServerSyncFailure
        );
        if is_sync && self.chance.percent(60) {
            let delay = self.chance.between(0, 3_000);
            self.schedule.set(delay, Event::CutPower(prefix));
        }
    }

    pub(super) fn cut_power_after_failed_sync(&mut self, prefix: &str) {
        if self.phase != Phase::Trouble {
            return;
        }
        self.note(format_args!("the power of {prefix} goes"));
        self.count(Happening::PowerLossAfterFailedSync);
        self.disk.crash(prefix);
    }

    pub(super) fn fill_disk(&mut self, side: Side) {
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

    pub(super) fn lift_quota(&mut self, prefix: &str) {
        if self.phase == Phase::Trouble {
            self.note(format_args!("there is room on {prefix} again"));
        }
        self.disk.lift_quota(prefix);
    }
}
