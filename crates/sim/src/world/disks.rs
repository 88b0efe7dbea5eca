//! What people do to the disks of replicas: copy them, put them back, damage them.

use super::operator::keep;
use super::{Event, MACHINES_MAX, World};
use crate::coverage::Happening;
use crate::oracle::{Digest, Holdings};

impl World {
    pub(super) fn back_up_replica(&mut self) {
        for machine in &mut self.machines {
            keep(&mut machine.backups, self.disk.snapshot(&machine.home));
        }
    }

    pub(super) fn copy_replica(&mut self) {
        if self.machines.len() >= MACHINES_MAX {
            return;
        }
        self.count(Happening::ReplicaCopied);
        let source = self.some_machine();
        let held = self.holdings_of(source);
        self.double(&held);
        let copy = self.add_machine();
        self.machines[copy].user = self.machines[source].user.clone();
        self.machines[copy].list_call_failed = self.machines[source].list_call_failed;
        self.disk
            .copy(&self.machines[source].home, &self.machines[copy].home);
        self.note(format_args!("r{source} is copied to r{copy}"));
    }

    pub(super) fn roll_back_replica(&mut self) {
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
        if self.chance.percent(60) {
            self.forget_and_write(machine);
        }
        let held = self.holdings_of(machine);
        self.double(&held);
        self.excuse_lost(&before);
    }

    /// A machine that was put back writes again before it hears of what it has forgotten.
    fn forget_and_write(&mut self, machine: usize) {
        let away = self.chance.between(5_000, 20_000);
        self.machines[machine].cut_off_until = self.now() + away;
        for _ in 0..self.chance.between(1, 5) {
            let delay = self.chance.between(1_000, 8_000);
            self.schedule.set(delay, Event::WriteOn(machine));
        }
    }

    /// What a disk holds as unsent is held twice from now on.
    pub(super) fn double(&mut self, held: &Holdings) {
        let unsent: Vec<Digest> = held.outbox.iter().map(|(digest, _)| *digest).collect();
        self.oracle.lift_bans_of(&unsent);
        self.oracle
            .let_double(unsent.into_iter().chain(held.quarantine.iter().copied()));
    }

    pub(super) fn damage_tenant_file(&mut self) {
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
    pub(super) fn end_machine(&mut self, machine: usize) {
        for pid in self.pids().into_iter().filter(|pid| pid.machine == machine) {
            self.end_process(pid);
            self.start_later(pid, 50, 5_000);
        }
    }
}
