//! Blows: what befalls a world, one by one.

use syncline_model::EpochMode;
use syncline_protocol::session::Settings;
use syncline_replica::EngineEvent;
use syncline_simdisk::Fault;

use super::{Event, Phase, Pid, World};
use crate::coverage::Happening;
use crate::dials::{Side, Trouble};
use crate::oracle::Violation;
use crate::server::{Gate, HOME};

/// Ten years.
const DECADE_MS: u64 = 10 * 365 * 24 * 60 * 60 * 1000;
/// How far a clock may lead the log's; see the protocol's rules.
const LEAP: u64 = 1 << 32;

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
            Trouble::Reconfigure => self.reconfigure(),
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
            Trouble::Sleep => self.sleep(),
        }
        self.bury_the_dead();
        Ok(())
    }

    pub(super) fn some_machine(&mut self) -> usize {
        self.chance.below(self.machines.len())
    }

    pub(super) fn some_pid(&mut self) -> Pid {
        let pids = self.pids();
        *self.chance.pick(&pids)
    }

    pub(super) fn restart(&mut self) {
        let pid = self.some_pid();
        self.stop(pid);
        self.start_later(pid, 10, 3_000);
    }

    pub(super) fn reconfigure(&mut self) {
        let pid = self.some_pid();
        self.count(Happening::Reconfigured);
        let settings = self.settings();
        if self.chance.percent(40) {
            let (life, length) = (self.life_of(pid), self.chance.between(500, 8_000));
            self.tell(pid, EngineEvent::Configured(Settings::Off));
            let on = EngineEvent::Configured(settings);
            self.schedule.set(length, Event::Tell(life, on));
        } else {
            self.tell(pid, EngineEvent::Configured(settings));
        }
    }

    pub(super) fn part(&mut self) {
        let machine = self.some_machine();
        let length = self.chance.between(1_000, 40_000);
        self.machines[machine].cut_off_until = self.now() + length;
        self.count(Happening::Partition);
    }

    pub(super) fn jump(&mut self) {
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

    pub(super) fn expire_token(&mut self) {
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

    pub(super) fn shut_gate(&mut self, gate: Gate) {
        let length = self.chance.between(500, 8_000);
        let life = self.server_life;
        if let Some(server) = &mut self.server {
            server.gate = gate;
            self.schedule.set(length, Event::OpenGate(life));
        }
    }

    pub(super) fn open_gate(&mut self, life: u32) {
        if let Some(server) = self.server.as_mut().filter(|_| life == self.server_life) {
            server.gate = Gate::Open;
        }
    }

    pub(super) fn upgrade_somebody(&mut self) {
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

    pub(super) fn leap(&mut self) {
        if self.bare.is_busy() {
            return;
        }
        // What is put back to before the leap has a log that the clocks of others lead by too much.
        self.back_up_server();
        self.clocks_leapt = true;
        self.begin_bare(LEAP);
        self.try_bare();
    }

    pub(super) fn checkpoint(&mut self) {
        self.enter_server();
        let now = self.server_clock.now();
        let Some(server) = &mut self.server else {
            return;
        };
        let done = server.checkpoint(now);
        self.note(format_args!("checkpoint: {done}"));
        self.count(Happening::Checkpoint);
    }
}
