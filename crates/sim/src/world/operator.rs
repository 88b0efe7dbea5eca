//! What an operator does to the server: backs it up, puts it back, restores it, resets it, loses it.

use std::collections::{BTreeMap, BTreeSet};

use syncline_model::planted::play;
use syncline_model::{Epoch, EpochMode, Lineage, Mark, ServerSeq};
use syncline_protocol::{PullPage, ReceivedOp, ReceivedPush};
use syncline_replica::AnswerBody;
use syncline_simdisk::Snapshot;
use syncline_store::{Durability, FileOptions, LogStart, TenantFile};
use uuid::Uuid;

use super::transport::Purpose;
use super::{Event, World};
use crate::coverage::Happening;
use crate::oracle::{Digest, Excuse, Holdings, OutboxKind, digest};
use crate::server::HOME;

/// Backups kept of a machine.
const BACKUPS_MAX: usize = 3;

impl World {
    pub(super) fn back_up_server(&mut self) {
        let snapshot = self.disk.snapshot(HOME);
        keep(&mut self.server_backups, snapshot);
    }

    pub(super) fn roll_back_server(&mut self, restored: Option<EpochMode>) {
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
        // While somebody is away, the log grows again past its cursor.
        if self.chance.percent(50) {
            self.part();
        }
        if restored == Some(EpochMode::Follow) {
            self.discard(&before, last, &cut);
        } else if self.tells_of_discarding(&before) {
            self.discard(&before, ServerSeq::ZERO, &cut);
            self.oracle.lift_bans();
        }
        self.excuse_lost(&before);
        self.oracle.replace_log(&cut.log);
        self.start_server_later();
    }

    /// Whether what was put back says of an epoch that somebody is in that it was left, to be
    /// discarded. A reset that was undone by an older copy comes into force again with a younger one,
    /// and what that epoch has acknowledged between the two is not told from what was reset.
    fn tells_of_discarding(&mut self, before: &BTreeMap<usize, Holdings>) -> bool {
        let lineage = self.server_lineage();
        let discards = |step: &Lineage| {
            let parent = step.parent.as_ref();
            parent.is_some_and(|parent| parent.mode == EpochMode::Follow)
        };
        let Some((_, left)) = lineage.split_last() else {
            return false;
        };
        let mut epochs = before.values().filter_map(|held| held.epoch);
        let is_left = epochs.any(|epoch| left.iter().any(|step| step.epoch == epoch));
        is_left && lineage.iter().any(discards)
    }

    pub(super) fn take_backup(&mut self) -> Option<Snapshot> {
        if self.server_backups.is_empty() {
            return None;
        }
        let choice = self.chance.below(self.server_backups.len());
        Some(self.server_backups[choice].clone())
    }

    /// The epochs that the server's log knows of.
    pub(super) fn server_lineage(&mut self) -> Vec<Lineage> {
        let file = TenantFile::open("server/tenant.db".as_ref(), &self.operators_options());
        file.ok()
            .and_then(|file| file.lineage().ok())
            .unwrap_or_default()
    }

    pub(super) fn operators_options(&self) -> FileOptions {
        play(self.server_binary);
        FileOptions {
            vfs: Some(self.disk.vfs_name().to_owned()),
            durability: Durability::Full,
        }
    }

    /// What a restore from a backup does to the log before the server is started.
    pub(super) fn begin_epoch(&mut self, mode: EpochMode, left_behind: &[Lineage]) {
        let here = self.server_lineage();
        let left = [here.last(), left_behind.last()].into_iter().flatten();
        let options = self.operators_options();
        let next = Epoch::new(Uuid::from_bytes(self.chance.bytes()));
        self.apart.begins(next, left.map(|step| step.epoch));
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

    pub(super) fn lose_server(&mut self) {
        self.count(Happening::ServerLost);
        let before = self.all_holdings();
        self.end_server();
        self.disk.copy("nothing/", HOME);
        self.oracle.lift_bans();
        self.excuse_lost(&before);
        self.oracle.replace_log(&BTreeMap::new());
        self.start_server_later();
    }

    pub(super) fn reset(&mut self) {
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
        self.apart.begins(next, [expected]);
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
    pub(super) fn discard(
        &mut self,
        before: &BTreeMap<usize, Holdings>,
        last: ServerSeq,
        kept: &Holdings,
    ) {
        // What is under way is of connections that end with the server.
        self.schedule
            .forget(|event| matches!(event, Event::Arrival(_)));
        let (mut discarded, mut waiting) = (BTreeSet::new(), BTreeSet::new());
        for (machine, held) in before {
            let on_the_way = self.told_on_the_way(*machine);
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
                        if on_the_way.contains(digest) {
                            discarded.insert(*digest);
                        }
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
        for _ in &banned {
            self.count(Happening::Discarded);
        }
        self.oracle.ban(banned);
    }

    /// The ops of which answers on their way to a machine say that the log has them. Where it hears that
    /// before it hears of the cut, they went with it, and else they are offered anew.
    fn told_on_the_way(&self, machine: usize) -> BTreeSet<Digest> {
        let mut told = BTreeSet::new();
        for event in self.schedule.events() {
            let Event::Reply(reply) = event else {
                continue;
            };
            let is_meant =
                matches!(&reply.purpose, Purpose::Call(life, _) if life.pid.machine == machine);
            let Ok(answer) = &reply.answer else {
                continue;
            };
            if !is_meant || answer.status != 200 {
                continue;
            }
            let pushed = reply.request.body.as_deref().unwrap_or_default();
            if let Ok(pushed) = ReceivedPush::decode(pushed, &self.dials.limits) {
                let readable = pushed.ops.iter().filter_map(|op| match op {
                    ReceivedOp::Readable(op) => Some(digest(&op.payload_hash)),
                    ReceivedOp::Refused { .. } => None,
                });
                let is_acknowledged = |digest: &Digest| {
                    let written = self.oracle.find(digest);
                    written.is_some_and(|written| written.acknowledged)
                };
                told.extend(readable.filter(is_acknowledged));
            }
            if let AnswerBody::Bytes(page) = &answer.body
                && let Ok(page) = PullPage::decode(page)
            {
                told.extend(page.ops.iter().map(|op| digest(&op.payload_hash)));
            }
        }
        told
    }
}

/// Keeps a backup, in the place of the oldest where there are enough.
pub(super) fn keep(backups: &mut Vec<Snapshot>, snapshot: Snapshot) {
    if backups.len() == BACKUPS_MAX {
        backups.remove(0);
    }
    backups.push(snapshot);
}

#[cfg(test)]
mod tests {
    use syncline_model::{ActorId, ClientId, Clock, Op, OpKey, Payload, ResourceId, Scope};
    use syncline_protocol::{OfferedOp, PushRequest};
    use syncline_replica::{Answer, Call, CallId, Method, NewOp};

    use super::*;
    use crate::oracle::Writer;
    use crate::workload::{Effect, Flavor, OPAQUE_SCOPE, Wish};
    use crate::world::transport::Reply;
    use crate::world::{Life, Pid};

    const OWN: &str = "{\"n\":1}";

    fn wish() -> Wish {
        Wish {
            op: NewOp {
                scope: Scope::new(OPAQUE_SCOPE).unwrap(),
                resource: ResourceId::new("one").unwrap(),
                payload: Payload::parse(OWN).unwrap(),
            },
            effect: Effect::Other,
            flavor: Flavor::Opaque,
        }
    }

    fn push() -> Call {
        let NewOp {
            scope,
            resource,
            payload,
        } = wish().op;
        let key = OpKey {
            actor: ActorId::new("a").unwrap(),
            clock: Clock::new(1).unwrap(),
            scope,
            resource,
        };
        let request = PushRequest {
            client_id: ClientId::new("r").unwrap(),
            epoch: None,
            cursor: None,
            heal: None,
            ops: vec![OfferedOp::from(Op { key, payload })],
        };
        Call {
            method: Method::Post,
            path: "sync/push",
            query: String::new(),
            accept: "application/json",
            body: Some(request.encode()),
            save_to: None,
            answer_bytes_max: 1_000,
        }
    }

    fn answered(call: Call, machine: usize) -> Event {
        let pid = Pid { machine, slot: 0 };
        let life = Life { pid, number: 0 };
        let answer = Answer {
            status: 200,
            media_type: None,
            retry_after: None,
            body: AnswerBody::Bytes(Vec::new()),
        };
        Event::Reply(Box::new(Reply {
            purpose: Purpose::Call(life, CallId(1)),
            request: call,
            answer: Ok(answer),
        }))
    }

    /// World 6272: the answer said that an op is in the log, and came after that log was cut on purpose.
    #[test]
    fn what_was_acknowledged_to_who_has_not_heard_of_it_may_go_with_what_is_cut() {
        for (told, is_excused) in [(0, true), (1, false)] {
            let mut world = World::new(1, None);
            let writer = Writer {
                machine: Some(0),
                era: 0,
            };
            world.oracle.begin(&wish(), writer);
            let own = digest(&wish().op.payload.hash());
            world.oracle.acknowledged(ServerSeq(1), own).unwrap();
            world.schedule.set(9, answered(push(), told));
            let held = Holdings {
                outbox: vec![(own, OutboxKind::Pending)],
                ..Holdings::default()
            };
            let before = BTreeMap::from([(0, held)]);
            world.discard(&before, ServerSeq::ZERO, &Holdings::default());
            assert_eq!(world.oracle.is_excused(&own), is_excused);
        }
    }
}
