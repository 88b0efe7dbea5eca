//! What the ops of the outbox, and those that a sync brings, are about, in the words of who wrote them:
//! sessions and messages, threads and entries, lists and items.

use std::borrow::Borrow;
use std::collections::HashSet;

use syncline_model::list::ListOp;
use syncline_model::registry::RegistryOp;
use syncline_model::session::SessionOp;
use syncline_model::thread::ThreadOp;
use syncline_model::{Epoch, OpKey, Payload, Scope, ServerSeq};
use syncline_store::local::{Cut, OutboxRow, OutboxState};
use syncline_store::{PageLimit, ViewTotals};

use super::Replica;
use super::read::OpState;
use super::reconcile::Logged;
use crate::ReplicaError;

/// How many ops are in memory at once.
const STEP_OPS: usize = 256;
const STEP: PageLimit = PageLimit {
    ops: STEP_OPS,
    bytes: 1 << 20,
};

/// How many things ops are about, each counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Things {
    pub sessions: u64,
    /// Of those sessions.
    pub messages: u64,
    pub threads: u64,
    /// Of those threads.
    pub entries: u64,
    pub lists: u64,
    /// Of those lists.
    pub items: u64,
    /// Ops of other scopes.
    pub others: u64,
}

/// What the pending ops of one moment are about, op by op.
#[derive(Debug, Clone, Default)]
pub struct PendingThings(Vec<OpThings>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Thing {
    Session(String),
    Message(String, String),
    Thread(String),
    Entry(String),
    List(String),
    Item(String, String),
    Other(OpKey),
}

/// A replica as it was before a sync.
#[derive(Debug)]
pub struct BeforeSync {
    pending: PendingThings,
    /// None where the log could not be read: a sync may put a whole one in its place.
    log: Option<LogBefore>,
    cut: Option<Cut>,
    healed_ops: u64,
}

#[derive(Debug)]
enum LogBefore {
    /// Nothing was fetched yet: so much the view had of what waits.
    Empty(ViewTotals),
    At {
        epoch: Epoch,
        through: ServerSeq,
    },
}

/// What a sync did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SyncedThings {
    /// What the server has now of what waited.
    pub sent: Things,
    /// What others wrote; on the first sync all that there is. Nothing where the server has begun a new
    /// epoch: what was there before has other places in its log.
    pub received: Things,
    /// How many changes that were here went with what was cut off the server's log on purpose.
    pub cut_ops: u64,
    /// How many changes the server had lost, and has taken from here.
    pub healed_ops: u64,
}

type OpThings = (OpKey, Vec<Thing>);

impl BeforeSync {
    /// What became other since, in a replica that was synced.
    pub fn compare(&self, synced: &mut Replica) -> Result<SyncedThings, ReplicaError> {
        let sent = self.pending.sent(synced)?;
        let cut = synced.local.last_cut().map_err(ReplicaError::Local)?;
        let cut = cut.filter(|_| cut != self.cut);
        let healed = synced.local.healed_ops().map_err(ReplicaError::Local)?;
        Ok(SyncedThings {
            sent: count(sent.into_iter()),
            received: match &self.log {
                Some(log) => log.received(&self.pending, synced)?,
                None => Things::default(),
            },
            cut_ops: cut.map_or(0, |cut| cut.ops),
            healed_ops: healed.saturating_sub(self.healed_ops),
        })
    }
}

impl LogBefore {
    /// What others wrote.
    fn received(
        &self,
        pending: &PendingThings,
        synced: &mut Replica,
    ) -> Result<Things, ReplicaError> {
        let log = synced.view()?;
        let mut since = match *self {
            Self::Empty(before) => {
                let totals = log.view_totals().map_err(ReplicaError::Tenant)?;
                return Ok(grown(before, totals));
            }
            Self::At { epoch, through } => {
                if log.head().map_err(ReplicaError::Tenant)?.epoch != epoch {
                    return Ok(Things::default());
                }
                through
            }
        };
        let waited: HashSet<&OpKey> = pending.0.iter().map(|(key, _)| key).collect();
        let ours = synced.local.identity().map_err(ReplicaError::Local)?.actor;
        let mut come = HashSet::new();
        loop {
            let ops = synced.tenant.ops_after(since, STEP);
            let ops = ops.map_err(ReplicaError::Tenant)?;
            let Some(last) = ops.last() else {
                return Ok(counts_of(&come));
            };
            since = last.seq;
            let others = ops
                .iter()
                .filter(|op| op.key.actor != ours && !waited.contains(&op.key));
            come.extend(others.flat_map(|op| things_of(&op.key, op.payload.as_ref())));
        }
    }
}

/// What a view has more than before.
fn grown(before: ViewTotals, now: ViewTotals) -> Things {
    Things {
        sessions: now.sessions.saturating_sub(before.sessions),
        messages: now.messages.saturating_sub(before.messages),
        threads: now.threads.saturating_sub(before.threads),
        entries: now.entries.saturating_sub(before.entries),
        lists: now.lists.saturating_sub(before.lists),
        items: now.items.saturating_sub(before.items),
        others: 0,
    }
}

impl PendingThings {
    /// All of them together.
    pub fn count(&self) -> Things {
        count(self.0.iter())
    }

    /// Those of the ops that the server has by now.
    fn sent(&self, replica: &Replica) -> Result<Vec<&OpThings>, ReplicaError> {
        let mut sent = Vec::new();
        for op in &self.0 {
            match replica.state_of(&op.0)? {
                OpState::Acknowledged(_) | OpState::Pulled(_) => sent.push(op),
                OpState::Unknown if replica.came_otherwise(&op.0)? => sent.push(op),
                OpState::Pending | OpState::Quarantined | OpState::Unknown => {}
            }
        }
        Ok(sent)
    }
}

fn count<'t>(ops: impl Iterator<Item = &'t OpThings>) -> Things {
    counts_of(&ops.flat_map(|(_, things)| things).collect())
}

fn counts_of<T: Borrow<Thing>>(things: &HashSet<T>) -> Things {
    let mut counts = Things::default();
    for thing in things {
        *match thing.borrow() {
            Thing::Session(_) => &mut counts.sessions,
            Thing::Message(..) => &mut counts.messages,
            Thing::Thread(_) => &mut counts.threads,
            Thing::Entry(_) => &mut counts.entries,
            Thing::List(_) => &mut counts.lists,
            Thing::Item(..) => &mut counts.items,
            Thing::Other(_) => &mut counts.others,
        } += 1;
    }
    counts
}

impl Replica {
    /// Notes how things are, so that it can be told what a sync did.
    pub fn before_sync(&mut self) -> Result<BeforeSync, ReplicaError> {
        let log = self.log_before();
        if let Err(error) = &log {
            tracing::warn!(%error, "what this sync brings can't be told: the log could not be read");
        }
        Ok(BeforeSync {
            pending: self.pending_things()?,
            log: log.ok(),
            cut: self.local.last_cut().map_err(ReplicaError::Local)?,
            healed_ops: self.local.healed_ops().map_err(ReplicaError::Local)?,
        })
    }

    fn log_before(&mut self) -> Result<LogBefore, ReplicaError> {
        let log = self.view()?;
        let head = log.head().map_err(ReplicaError::Tenant)?;
        let through = head.cursor.server_seq;
        Ok(match through {
            // Only then is the whole view counted, which takes its time where there is much.
            ServerSeq::ZERO => LogBefore::Empty(log.view_totals().map_err(ReplicaError::Tenant)?),
            _ => LogBefore::At {
                epoch: head.epoch,
                through,
            },
        })
    }

    /// What waits to be sent.
    pub fn pending_things(&self) -> Result<PendingThings, ReplicaError> {
        let mut things = PendingThings::default();
        self.each_in_outbox(|row| {
            if row.state == OutboxState::Pending {
                let about = things_of(&row.key, row.payload.as_ref());
                things.0.push((row.key, about));
            }
        })?;
        Ok(things)
    }

    /// Passes on what the outbox holds, in its order.
    pub(in crate::replica) fn each_in_outbox(
        &self,
        mut see: impl FnMut(OutboxRow),
    ) -> Result<(), ReplicaError> {
        let mut order = 0;
        loop {
            let rows = self.local.outbox_after(order, STEP_OPS);
            let rows = rows.map_err(ReplicaError::Local)?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            order = last.order;
            rows.into_iter().for_each(&mut see);
        }
    }

    /// Forgets that changes went with what was cut off the log, where that was put back and they are here.
    /// What compaction has dropped is not asked: it remembers the highest clock of an actor and a resource, and
    /// would take for put back what its actor has written over since.
    pub(crate) fn forget_undone_cut(&mut self) -> Result<(), ReplicaError> {
        let end = self.local.cut_end().map_err(ReplicaError::Local)?;
        let Some((key, hash)) = end else {
            return Ok(());
        };
        if self.logged(&key, hash)? == Logged::Yes {
            self.local.forget_cut().map_err(ReplicaError::Local)?;
        }
        Ok(())
    }
}

fn things_of(key: &OpKey, payload: Option<&Payload>) -> Vec<Thing> {
    let resource = key.resource.to_string();
    match key.scope.as_str() {
        Scope::SESSION => of_session(resource, payload),
        Scope::THREAD => {
            let op = payload.and_then(ThreadOp::read);
            let mut things = vec![Thing::Thread(resource)];
            if let Some(ThreadOp::Entry(entry)) = op {
                things.push(Thing::Entry(entry.entry_id.to_string()));
            }
            things
        }
        Scope::LIST => of_list(resource, payload),
        Scope::REGISTRY => match payload.and_then(RegistryOp::read) {
            Some(op) => vec![Thing::List(list_of(&op))],
            None => vec![Thing::Other(key.clone())],
        },
        _ => vec![Thing::Other(key.clone())],
    }
}

fn of_session(session: String, payload: Option<&Payload>) -> Vec<Thing> {
    let mut things = vec![Thing::Session(session.clone())];
    if let Some(SessionOp::Patch(patch)) = payload.and_then(SessionOp::read) {
        let said = patch.messages.iter().map(|message| &message.id);
        let parts = patch.parts.iter().map(|part| &part.message_id);
        let ids = said.chain(parts.filter(|id| !id.is_empty()));
        let ids: HashSet<&str> = ids.map(|id| &**id).collect();
        let messages = ids.into_iter();
        things.extend(messages.map(|id| Thing::Message(session.clone(), id.to_owned())));
    }
    things
}

fn of_list(list: String, payload: Option<&Payload>) -> Vec<Thing> {
    let item = match payload.and_then(ListOp::read) {
        Some(
            ListOp::Insert { item, .. }
            | ListOp::Update { item, .. }
            | ListOp::Move { item, .. }
            | ListOp::Remove { item }
            | ListOp::Restore { item, .. },
        ) => Some(item),
        Some(ListOp::RenameList { .. }) | None => None,
    };
    let item = item.map(|item| Thing::Item(list.clone(), item.to_string()));
    std::iter::once(Thing::List(list)).chain(item).collect()
}

fn list_of(op: &RegistryOp<'_>) -> String {
    match op {
        RegistryOp::Create { list, .. }
        | RegistryOp::Remove { list }
        | RegistryOp::Restore { list, .. }
        | RegistryOp::Reorder { list, .. }
        | RegistryOp::Rename { list, .. } => list.to_string(),
    }
}
