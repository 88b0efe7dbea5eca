//! What a replica says about itself.

use std::time::Duration;

use syncline_model::{
    ActorId, ClientId, Cursor, Epoch, OpKey, Scope, ServerSeq, TenantId, Timestamp, UserId,
};
use syncline_store::TenantFile;
use syncline_store::local::{Cut, OutboxState, SyncNotes};

use super::Replica;
use crate::ReplicaError;
use crate::place::NO_EPOCH;

/// Where an op of this replica is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpState {
    /// On this disk alone, as far as is known.
    Pending,
    /// The server has it, at this place; it was not pulled yet.
    Acknowledged(ServerSeq),
    /// The server will not take it.
    Quarantined,
    /// It is in this replica's log, at this place.
    Pulled(ServerSeq),
    /// It has another key by now, or was never here.
    Unknown,
}

/// How a replica stands, as far as it can say without asking the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub replica: ClientId,
    pub actor: ActorId,
    /// Whose replica it is; none: it has never synced.
    pub member: Option<(TenantId, UserId)>,
    /// None: it has no log of a server yet.
    pub epoch: Option<Epoch>,
    pub cursor: Cursor,
    /// The head of the server's log, as last heard of.
    pub server_seq: Option<ServerSeq>,
    pub scopes: Vec<ScopeStatus>,
    pub quarantined: u64,
    pub notes: SyncNotes,
    /// The last time that the server's log was cut on purpose, and took something from here.
    pub cut: Option<Cut>,
    /// How many edits of records others' have won against, of which nobody was told.
    pub lost_edits: u64,
    /// How long the oldest pending op has waited; none: nothing is pending.
    pub oldest_pending: Option<Duration>,
}

/// The ops of one scope that wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeStatus {
    pub scope: Scope,
    pub pending: u64,
    pub acknowledged: u64,
}

impl Status {
    /// Ops that the server has not acknowledged.
    pub fn pending(&self) -> u64 {
        self.scopes.iter().map(|scope| scope.pending).sum()
    }

    /// Ops that the server has, and that were not pulled yet.
    pub fn acknowledged(&self) -> u64 {
        self.scopes.iter().map(|scope| scope.acknowledged).sum()
    }
}

impl Replica {
    /// Whether this replica has synced before and holds nothing of the log now: its file was damaged or
    /// gone. What the server has comes back with the next sync.
    pub fn has_lost_its_log(&mut self) -> Result<bool, ReplicaError> {
        let head = self.view()?.head().map_err(ReplicaError::Tenant)?;
        let notes = self.local.sync_notes().map_err(ReplicaError::Local)?;
        Ok(head.epoch == NO_EPOCH && notes.last_sync_at.is_some())
    }

    /// How this replica stands.
    pub fn status(&mut self) -> Result<Status, ReplicaError> {
        let head = self.view()?.head().map_err(ReplicaError::Tenant)?;
        let identity = self.local.identity().map_err(ReplicaError::Local)?;
        let notes = self.local.sync_notes().map_err(ReplicaError::Local)?;
        let counts = self.local.count_outbox().map_err(ReplicaError::Local)?;
        let oldest = counts
            .iter()
            .filter_map(|count| count.oldest_pending_at)
            .min();
        let now = self.place.host.now().as_millis();
        let epoch = (head.epoch != NO_EPOCH).then_some(head.epoch);
        let applied = epoch.map(|_| head.cursor.server_seq);
        Ok(Status {
            replica: identity.replica,
            actor: identity.actor,
            member: identity.member,
            epoch,
            cursor: head.cursor,
            server_seq: notes.head_heard.max(applied),
            scopes: counts
                .into_iter()
                .map(|count| ScopeStatus {
                    scope: count.scope,
                    pending: count.pending,
                    acknowledged: count.acknowledged,
                })
                .collect(),
            quarantined: self
                .local
                .count_quarantined()
                .map_err(ReplicaError::Local)?,
            notes,
            cut: self.local.last_cut().map_err(ReplicaError::Local)?,
            lost_edits: self.local.count_losses().map_err(ReplicaError::Local)?,
            // The wall clock may have gone back since the write.
            oldest_pending: oldest
                .map(|at| Duration::from_millis((now - at.as_millis()).max(0) as u64)),
        })
    }

    /// Where the op with this key is.
    pub fn state_of(&self, key: &OpKey) -> Result<OpState, ReplicaError> {
        if let Some((seq, _)) = self.tenant.find(key).map_err(ReplicaError::Tenant)? {
            return Ok(OpState::Pulled(seq));
        }
        if let Some(row) = self.local.outbox_row(key).map_err(ReplicaError::Local)? {
            return Ok(match row.state {
                OutboxState::Pending => OpState::Pending,
                OutboxState::Acknowledged(seq) => OpState::Acknowledged(seq),
            });
        }
        let held = self
            .local
            .quarantined_with_key(key)
            .map_err(ReplicaError::Local)?;
        if held.is_some() {
            return Ok(OpState::Quarantined);
        }
        // It may have moved from the outbox into the log since this looked there.
        let pulled = self.place_in_current_log(key)?;
        Ok(pulled.map_or(OpState::Unknown, OpState::Pulled))
    }

    /// Whether an op that is nowhere under its key has come to the log under another: nothing waits, and nothing of its
    /// resource is refused that may be it. Who stamps ops anew takes a new actor, and mostly a later clock.
    pub fn came_otherwise(&self, key: &OpKey) -> Result<bool, ReplicaError> {
        let identity = self.local.identity().map_err(ReplicaError::Local)?;
        let may_be = |(held, _): &(OpKey, _)| {
            (&held.scope, &held.resource) == (&key.scope, &key.resource)
                && held.actor != key.actor
                && (held.clock >= key.clock || held.actor == identity.actor)
        };
        let refused = self.local.quarantined_keys();
        let refused = refused.map_err(ReplicaError::Local)?;
        Ok(!self.waits_through(u64::MAX)? && !refused.iter().any(may_be))
    }

    /// Where the log of the current tenant file holds an op, also where another handle has exchanged
    /// that file.
    fn place_in_current_log(&self, key: &OpKey) -> Result<Option<ServerSeq>, ReplicaError> {
        let current = self.local.identity().map_err(ReplicaError::Local)?;
        let found = if current.tenant_file == self.tenant_name {
            self.tenant.find(key)
        } else {
            let path = self.place.path_of(&current.tenant_file);
            let opened = TenantFile::open(&path, &self.place.files);
            opened.map_err(ReplicaError::OpenTenant)?.find(key)
        };
        Ok(found.map_err(ReplicaError::Tenant)?.map(|(seq, _)| seq))
    }

    /// The wall clock of the host.
    pub fn now(&self) -> Timestamp {
        self.place.host.now()
    }

    /// The place of the newest write in the outbox: what is written later has a higher one.
    pub fn written_through(&self) -> Result<u64, ReplicaError> {
        self.local.newest_order().map_err(ReplicaError::Local)
    }

    /// Whether anything written at or before this place waits to be pushed, or pulled back.
    pub fn waits_through(&self, place: u64) -> Result<bool, ReplicaError> {
        let oldest = self.local.outbox_after(0, 1).map_err(ReplicaError::Local)?;
        Ok(oldest.first().is_some_and(|row| row.order <= place))
    }

    /// Whether anything waits to be pushed.
    pub fn has_pending(&self) -> Result<bool, ReplicaError> {
        self.local.has_pending().map_err(ReplicaError::Local)
    }
}
