//! What Syncline does with the changes, in memory.

use std::time::Instant;

use anyhow::ensure;
use syncline_model::list::{Command, Planning, Source, plan};
use syncline_model::{
    ActorId, ClientId, Clock, Cursor, Epoch, LoggedOp, Mark, Op, OpKey, Place, Row, ServerSeq, fold,
};
use syncline_protocol::{PullPage, PushRequest};

use super::changes::{Kind, Workload, list};
use super::memory::{Memory, Written};
use crate::input::Chance;

/// A replica in memory: its view, and the log that made it.
#[derive(Debug, Clone)]
pub(super) struct Replica {
    pub(super) view: Memory,
    actor: ActorId,
    client: ClientId,
    clock: u64,
    /// Where the log stands.
    pub(super) at: Cursor,
}

/// A replica with the list as it is before all changes, and the ops of it.
pub(super) struct Beginning {
    pub(super) replica: Replica,
    pub(super) page: PullPage,
}

/// Changes that a replica has made, and how fast.
pub(super) struct Made {
    /// Commands a second.
    pub(super) rate: f64,
    /// The ops of them, as they are pulled.
    pub(super) page: PullPage,
}

impl Beginning {
    pub(super) fn of(workload: &Workload) -> anyhow::Result<Self> {
        let mut replica = Replica {
            view: Memory::default(),
            actor: ActorId::new("0191d1c2-0000-4000-8000-000000000002")?,
            client: ClientId::new("0191d1c2-0000-4000-8000-000000000003")?,
            clock: 0,
            at: Cursor {
                server_seq: ServerSeq::ZERO,
                mark: Mark::origin([7; 16]),
            },
        };
        let page = replica.make(&workload.beginning())?.page;
        Ok(Self { replica, page })
    }
}

/// The epoch of the log.
pub(super) fn epoch() -> Epoch {
    Epoch::new(uuid::Uuid::nil())
}

impl Replica {
    /// Carries out one command after the other, each encoded for the server; gives the ops.
    fn make(&mut self, commands: &[Command]) -> anyhow::Result<Made> {
        let mut chance = Chance::new(7);
        let (mut ops, mut bytes) = (Vec::new(), 0);
        let begun = Instant::now();
        for command in commands {
            bytes += self.carry_out(command, &mut chance, &mut ops)?.len();
        }
        let seconds = begun.elapsed().as_secs_f64();
        ensure!(bytes > 0, "changes have bytes");
        Ok(Made {
            rate: commands.len() as f64 / seconds,
            page: self.log(ops),
        })
    }

    /// Makes the changes, and looks whether they are what they are to be.
    pub(super) fn make_kind(&mut self, kind: &Kind) -> anyhow::Result<Made> {
        let made = self.make(&kind.commands)?;
        self.expect(kind)?;
        Ok(made)
    }

    /// From a command to the rows that it changes, and to the bytes of a push.
    fn carry_out(
        &mut self,
        command: &Command,
        chance: &mut Chance,
        ops: &mut Vec<Op>,
    ) -> anyhow::Result<Vec<u8>> {
        let jitter = (chance.next() as u32).to_le_bytes();
        let planning = Planning {
            source: Source::Person,
            actor: Some(&self.actor),
            jitter,
            lists_collected: false,
        };
        let planned = plan(&self.view, command, planning)?.ops;
        let mut request = PushRequest {
            client_id: self.client.clone(),
            epoch: None,
            cursor: None,
            heal: None,
            ops: Vec::with_capacity(planned.len()),
        };
        for planned in planned {
            self.clock += 1;
            let op = Op {
                key: OpKey {
                    actor: self.actor.clone(),
                    clock: Clock::new(self.clock)?,
                    scope: planned.scope,
                    resource: planned.resource,
                },
                payload: planned.payload,
            };
            op.fold_pending(&mut self.view, self.clock)?;
            ops.push(op.clone());
            request.ops.push(op.into());
        }
        Ok(request.encode())
    }

    /// The ops as a page of the log that goes on from here.
    fn log(&mut self, ops: Vec<Op>) -> PullPage {
        let logged = ops.into_iter().map(|op| {
            let payload_hash = op.payload.hash();
            self.at.server_seq = self.at.server_seq.next();
            self.at.mark = self.at.mark.next(&op.key, &payload_hash);
            LoggedOp {
                seq: self.at.server_seq,
                key: op.key,
                payload: Some(op.payload),
                payload_hash,
            }
        });
        PullPage {
            epoch: epoch(),
            floor: ServerSeq::ZERO,
            ops: logged.collect(),
            server_seq: self.at.server_seq,
            cursor: self.at,
            has_more: false,
            sight: None,
            collections: None,
        }
    }

    /// Reads a page and folds it; gives ops a second.
    pub(super) fn apply(&mut self, page: &[u8]) -> anyhow::Result<f64> {
        let begun = Instant::now();
        let page = PullPage::decode(page)?;
        for op in &page.ops {
            fold(
                &mut self.view,
                &op.key,
                op.payload.as_ref(),
                Place::Confirmed(op.seq),
            )?;
        }
        Ok(page.ops.len() as f64 / begun.elapsed().as_secs_f64())
    }

    /// Fails unless the list shows what it is to show after these changes.
    pub(super) fn expect(&self, kind: &Kind) -> anyhow::Result<()> {
        let texts = self.view.texts(&list());
        let differs = texts.iter().zip(&kind.texts).position(|(a, b)| a != b);
        ensure!(
            texts == kind.texts,
            "{}: the list went wrong at {differs:?}",
            kind.name
        );
        Ok(())
    }
}

/// The rows of items that the ops write, one after the other.
pub(super) fn written(mut view: Memory, page: &PullPage) -> anyhow::Result<Vec<Row>> {
    let mut written = Written {
        view: &mut view,
        rows: Vec::new(),
    };
    for op in &page.ops {
        let payload = op.payload.as_ref();
        fold(&mut written, &op.key, payload, Place::Confirmed(op.seq))?;
    }
    Ok(written.rows)
}
