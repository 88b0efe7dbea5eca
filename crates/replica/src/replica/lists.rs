//! Changing task lists, and taking changes back.
//!
//! A change is decided on the view with the whole outbox on top: two that add to one list at once place one
//! item behind the other. Positions may still tie with those of other replicas; ids then say the order.
//!
//! What takes a change back is on the disk with it, so that it can be undone after a restart, and by
//! any process of this replica. To undo is to write anew: what others have changed since in other
//! parts of an item stays.

mod planned;

use syncline_model::list::{
    Command, Jitter, ListView, Plan, PlanError, PlannedOp, Planning, Source, plan,
};
use syncline_model::{ActorId, Clock, ItemId, ListId, Op, OpKey, Timestamp};
use syncline_store::lists::StoredLists;
use syncline_store::local::{Desk, ListChange, ListStep, NewOp, Stack, WriteError};
use syncline_store::{StoreError, TenantFile};

use self::planned::PlannedLists;
use super::Replica;
use super::write::clock_seen;
use crate::{Host, ReplicaError};

/// Why lists were not changed; nothing was.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// It can't be done with the lists as they are; [`PlanError::code`] tells the cases apart.
    #[error(transparent)]
    Declined(PlanError<StoreError>),
    #[error("could not read the view")]
    View(#[source] ReplicaError),
    #[error("could not write the change")]
    Write(#[source] WriteError),
}

impl From<StoreError> for ListError {
    fn from(error: StoreError) -> Self {
        Self::Write(error.into())
    }
}

impl From<ReplicaError> for ListError {
    fn from(error: ReplicaError) -> Self {
        Self::View(error)
    }
}

/// A change to lists that is on the disk and in the view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListsChanged {
    /// The keys of its ops, in order; none: all was as the command wants it, and the history is as
    /// it was.
    pub keys: Vec<OpKey>,
}

/// A step of the history that was undone or done again.
#[derive(Debug)]
pub struct ListsReversed {
    /// What had been done.
    pub change: ListChange,
    /// The keys of the ops that were written; none: all was so already, or could not be done.
    pub keys: Vec<OpKey>,
    /// What of it can't be done any more, because of what others have done since.
    pub declined: Vec<PlanError<StoreError>>,
}

/// What can be undone and done again, the next to go first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListHistory {
    pub undo: Vec<ListStep>,
    pub redo: Vec<ListStep>,
}

impl Replica {
    /// An id for a new list.
    pub fn new_list_id(&self) -> ListId {
        ListId::new(self.new_id()).expect("a UUID is an id")
    }

    /// An id for a new item.
    pub fn new_item_id(&self) -> ItemId {
        ItemId::new(self.new_id()).expect("a UUID is an id")
    }

    fn new_id(&self) -> String {
        let host = &self.place.host;
        syncline_model::mint(host.now(), host.random()).to_string()
    }

    /// Carries out a command on the lists as they are now, and notes in the history what takes it
    /// back. All of its ops are written, or none; they survive a crash from the moment this returns.
    ///
    /// Read the lists with [`syncline_store::lists`] on the connection of [`Replica::view`].
    pub fn change_lists(&mut self, command: &Command) -> Result<ListsChanged, ListError> {
        let change = ListChange::of(command);
        self.change_lists_together(&change, std::slice::from_ref(command))
    }

    /// Carries out several commands as one change, which is undone as one: `change` says what it is.
    /// Each is planned on what those before it make of the lists.
    pub fn change_lists_together(
        &mut self,
        change: &ListChange,
        commands: &[Command],
    ) -> Result<ListsChanged, ListError> {
        self.change_lists_from(Source::Person, change, commands)
    }

    /// As [`Replica::change_lists_together`], by commands that a file gives: their texts may be blank, and
    /// what they make has an id that follows from the file. Who else has made it, or changed it since, is heeded.
    pub fn import_lists(
        &mut self,
        change: &ListChange,
        commands: &[Command],
    ) -> Result<ListsChanged, ListError> {
        self.change_lists_from(Source::File, change, commands)
    }

    fn change_lists_from(
        &mut self,
        source: Source,
        change: &ListChange,
        commands: &[Command],
    ) -> Result<ListsChanged, ListError> {
        let now = self.place.host.now();
        let keys = self.decide_lists(|desk, lists| {
            let whole = lists.plan_all(commands, source)?;
            if whole.ops.is_empty() {
                return Ok(Vec::new());
            }
            desk.note_done(&ListStep {
                done_at: now,
                change: change.clone(),
                back: whole.inverse,
            })?;
            lists.write(desk, whole.ops, now)
        })?;
        Ok(ListsChanged { keys })
    }

    /// Takes back the newest change to lists that was done here and not undone; none: there is none.
    ///
    /// A step of which nothing can be done any more leaves the history all the same: the next call
    /// takes the one before it.
    pub fn undo_lists(&mut self) -> Result<Option<ListsReversed>, ListError> {
        self.reverse_lists(Stack::Undo)
    }

    /// Does the change again that was undone last, unless another was done since; none: there is
    /// none.
    pub fn redo_lists(&mut self) -> Result<Option<ListsReversed>, ListError> {
        self.reverse_lists(Stack::Redo)
    }

    /// What [`Replica::undo_lists`] and [`Replica::redo_lists`] would do.
    pub fn list_history(&self) -> Result<ListHistory, ReplicaError> {
        let steps = |stack| self.local.list_steps(stack).map_err(ReplicaError::Local);
        Ok(ListHistory {
            undo: steps(Stack::Undo)?,
            redo: steps(Stack::Redo)?,
        })
    }

    fn reverse_lists(&mut self, stack: Stack) -> Result<Option<ListsReversed>, ListError> {
        let now = self.place.host.now();
        let mut reversed = None;
        let keys = self.decide_lists(|desk, lists| {
            let Some((place, step)) = desk.next_step(stack)? else {
                return Ok(Vec::new());
            };
            let Reversal {
                ops,
                back,
                declined,
            } = lists.reverse(&step)?;
            let change = step.change.clone();
            desk.reverse(&place, &ListStep { back, ..step })?;
            let keys = lists.write(desk, ops, now)?;
            reversed = Some((change, declined));
            Ok(keys)
        })?;
        Ok(reversed.map(|(change, declined)| ListsReversed {
            change,
            keys,
            declined,
        }))
    }

    /// Decides on the lists with all that was ever written here. Gives the keys of what was written.
    fn decide_lists(
        &mut self,
        mut decide: impl FnMut(&Desk<'_>, &Standing<'_>) -> Result<Vec<OpKey>, ListError>,
    ) -> Result<Vec<OpKey>, ListError> {
        self.decide(|desk, tenant, host| {
            let (actor, clock) = desk.writer()?;
            let standing = Standing {
                tenant,
                host,
                actor,
                clock: clock.max(clock_seen(tenant)?),
            };
            decide(desk, &standing)
        })
    }
}

/// The lists as they stand while a change is decided.
struct Standing<'v> {
    tenant: &'v TenantFile,
    host: &'v dyn Host,
    /// Who will write.
    actor: ActorId,
    /// The last clock before that.
    clock: u64,
}

/// What reverses a step.
#[derive(Default)]
struct Reversal {
    ops: Vec<PlannedOp>,
    back: Vec<Command>,
    declined: Vec<PlanError<StoreError>>,
}

impl Standing<'_> {
    /// Plans commands one after the other, each on what those before it make of the lists.
    fn plan_all(&self, commands: &[Command], source: Source) -> Result<Plan, ListError> {
        let mut lists = PlannedLists::new(StoredLists::new(self.tenant.connection()));
        let (mut whole, mut clock) = (Plan::default(), self.clock);
        for (number, command) in commands.iter().enumerate() {
            let Plan { ops, inverse } = self.plan(&lists, command, source)?;
            // Nobody looks at what the last one makes of them.
            let seen = if number + 1 < commands.len() {
                &ops[..]
            } else {
                &[]
            };
            for op in seen {
                clock += 1;
                lists.fold(&self.op_of(op, clock)?)?;
            }
            whole.ops.extend(ops);
            whole.inverse.extend(inverse);
        }
        Ok(whole)
    }

    /// The op that a planned one will be.
    fn op_of(&self, planned: &PlannedOp, clock: u64) -> Result<Op, ListError> {
        let clock = Clock::new(clock).map_err(|error| ListError::Write(error.into()))?;
        Ok(Op {
            key: OpKey {
                actor: self.actor.clone(),
                clock,
                scope: planned.scope.clone(),
                resource: planned.resource.clone(),
            },
            payload: planned.payload.clone(),
        })
    }

    fn plan(
        &self,
        view: &impl ListView<Error = StoreError>,
        command: &Command,
        source: Source,
    ) -> Result<Plan, ListError> {
        let planning = Planning {
            source,
            actor: Some(&self.actor),
            // What the server's refuses is written anew.
            lists_collected: false,
            jitter: jitter(self.host),
        };
        plan(view, command, planning).map_err(|error| match error {
            PlanError::View(error) => view_failed(error),
            declined => ListError::Declined(declined),
        })
    }

    /// Plans what takes a step back. Its commands are each about another item, so that one view does
    /// for all of them.
    fn reverse(&self, step: &ListStep) -> Result<Reversal, ListError> {
        let mut reversal = Reversal::default();
        let mut back = Vec::new();
        let view = StoredLists::new(self.tenant.connection());
        for command in &step.back {
            match self.plan(&view, command, Source::History) {
                Ok(plan) => {
                    reversal.ops.extend(plan.ops);
                    back.push(plan.inverse);
                }
                Err(ListError::Declined(declined)) => reversal.declined.push(declined),
                Err(error) => return Err(error),
            }
        }
        reversal.back = back.into_iter().rev().flatten().collect();
        Ok(reversal)
    }

    /// Writes what was planned; gives the keys.
    fn write(
        &self,
        desk: &Desk<'_>,
        ops: Vec<PlannedOp>,
        now: Timestamp,
    ) -> Result<Vec<OpKey>, ListError> {
        let ops: Vec<NewOp> = ops
            .into_iter()
            .map(|op| NewOp {
                scope: op.scope,
                resource: op.resource,
                payload: op.payload,
            })
            .collect();
        let written = desk
            .write(&ops, || clock_seen(self.tenant), now)
            .map_err(ListError::Write)?;
        Ok(written.ops.into_iter().map(|op| op.op.key).collect())
    }
}

fn view_failed(error: StoreError) -> ListError {
    ReplicaError::Tenant(error).into()
}

fn jitter(host: &dyn Host) -> Jitter {
    let [a, b, c, d, ..] = host.random();
    [a, b, c, d]
}
