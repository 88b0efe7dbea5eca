//! What the ops of the outbox are about, in the words of who wrote them: sessions and messages, threads
//! and entries, lists and items.

use std::collections::HashSet;

use syncline_model::list::ListOp;
use syncline_model::registry::RegistryOp;
use syncline_model::session::SessionOp;
use syncline_model::thread::ThreadOp;
use syncline_model::{OpKey, Payload, Scope};
use syncline_store::local::{OutboxRow, OutboxState};

use super::Replica;
use super::read::OpState;
use crate::ReplicaError;

/// How many ops are in memory at once.
const STEP_OPS: usize = 256;

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
pub struct PendingThings(Vec<(OpKey, Vec<Thing>)>);

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

impl PendingThings {
    /// All of them together.
    pub fn count(&self) -> Things {
        count(self.0.iter())
    }

    /// Those of the ops that the server has by now.
    pub fn sent(&self, replica: &Replica) -> Result<Things, ReplicaError> {
        let mut sent = Vec::new();
        for op in &self.0 {
            match replica.state_of(&op.0)? {
                OpState::Acknowledged(_) | OpState::Pulled(_) => sent.push(op),
                OpState::Pending | OpState::Quarantined | OpState::Unknown => {}
            }
        }
        Ok(count(sent.into_iter()))
    }
}

fn count<'t>(ops: impl Iterator<Item = &'t (OpKey, Vec<Thing>)>) -> Things {
    let things: HashSet<&Thing> = ops.flat_map(|(_, things)| things).collect();
    let mut counts = Things::default();
    for thing in things {
        *match thing {
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
    /// What waits to be sent.
    pub fn pending_things(&self) -> Result<PendingThings, ReplicaError> {
        let (mut things, mut order) = (PendingThings::default(), 0);
        loop {
            let rows = self.local.outbox_after(order, STEP_OPS);
            let rows = rows.map_err(ReplicaError::Local)?;
            let Some(last) = rows.last() else {
                return Ok(things);
            };
            order = last.order;
            let pending = rows.iter().filter(|row| row.state == OutboxState::Pending);
            things
                .0
                .extend(pending.map(|row| (row.key.clone(), things_of(row))));
        }
    }
}

fn things_of(row: &OutboxRow) -> Vec<Thing> {
    let resource = row.key.resource.to_string();
    let payload = row.payload.as_ref();
    match row.key.scope.as_str() {
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
            None => vec![Thing::Other(row.key.clone())],
        },
        _ => vec![Thing::Other(row.key.clone())],
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
