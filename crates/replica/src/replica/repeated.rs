//! What sessions of several machines have said alike: it counts once.
//!
//! An importer tells a copy where what it repeats is known to the replica. Two that were imported each where
//! the other was not known come together in the log alone: who has brought one of them finds it there, and
//! says which is the copy. Who says so twice, or both of them, says the same.

use std::collections::{BTreeMap, BTreeSet};

use syncline_model::session::{
    Batch, Change, Counting, Piece, Precedence, SessionId, SessionOp, is_named_everywhere,
    origin_among,
};
use syncline_model::{ActorId, LoggedOp, Payload, PayloadError, Scope, ServerSeq, Timestamp};
use syncline_store::sessions::{copies, forked_from, forks_of, sessions_that_count};
use syncline_store::{PageLimit, StoreError};

use super::Replica;
use crate::{NewOp, ReplicaError};

/// How many ops are in memory at once.
const STEP: PageLimit = PageLimit {
    ops: 256,
    bytes: 1 << 20,
};

/// Messages that sessions repeat, by session and by the one that said them.
type Repeated = BTreeMap<(SessionId, SessionId), BTreeSet<String>>;

impl Replica {
    /// Has messages count once that came with the ops after `since`, and that several sessions count, one
    /// of them from here.
    pub(crate) fn count_once(&mut self, since: ServerSeq) -> Result<(), ReplicaError> {
        let waits = self.local.newest_order().map_err(ReplicaError::Local)?;
        let offered = self.local.offered_order().map_err(ReplicaError::Local)?;
        // Nothing was ever written here.
        if waits == 0 && offered == 0 {
            return Ok(());
        }
        let ours = self.local.identity().map_err(ReplicaError::Local)?.actor;
        let repeated = self.repeated_since(since, &ours)?;
        let mut ops = Vec::new();
        for ((session, origin), messages) in &repeated {
            let pieces = copies(self.tenant.connection(), *session, *origin, messages);
            let pieces = pieces.map_err(ReplicaError::Tenant)?;
            if !pieces.is_empty() {
                tracing::info!(%session, %origin, "a session repeats another, which counts it");
            }
            match payloads_of(&pieces) {
                Ok(payloads) => ops.extend(payloads.into_iter().map(|payload| NewOp {
                    scope: Scope::session(),
                    resource: (*session).into(),
                    payload,
                })),
                // Ids that are as long as a whole op.
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, %session, "what a session repeats goes on counting");
                }
            }
        }
        if !ops.is_empty() {
            self.write(&ops)?;
        }
        Ok(())
    }

    fn repeated_since(
        &self,
        mut since: ServerSeq,
        actor: &ActorId,
    ) -> Result<Repeated, ReplicaError> {
        let mut repeated = Repeated::new();
        loop {
            let ops = self.tenant.ops_after(since, STEP);
            let ops = ops.map_err(ReplicaError::Tenant)?;
            let Some(last) = ops.last() else {
                return Ok(repeated);
            };
            since = last.seq;
            for op in &ops {
                let Some(told) = Told::of(op) else { continue };
                let found = self.add_repeated(told, actor, &mut repeated);
                found.map_err(ReplicaError::Tenant)?;
            }
        }
    }

    /// Adds the sessions that repeat what an op tells of.
    fn add_repeated(
        &self,
        told: Told,
        actor: &ActorId,
        repeated: &mut Repeated,
    ) -> Result<(), StoreError> {
        for message in told.messages {
            self.add_repeated_message(message, actor, repeated)?;
        }
        if !told.others || told.actor != *actor {
            return Ok(());
        }
        // Errors and compactions are of a session itself: its kin alone can repeat them.
        let connection = self.tenant.connection();
        let mut kin = forked_from(connection, told.session)?;
        kin.extend(forks_of(connection, told.session)?);
        for other in kin {
            let both = [self.counting(told.session)?, self.counting(other)?];
            let Some(origin) = origin_among(&both) else {
                continue;
            };
            for repeats in both.iter().filter(|it| it.session != origin) {
                repeated.entry((repeats.session, origin)).or_default();
            }
        }
        Ok(())
    }

    fn counting(&self, session: SessionId) -> Result<Counting, StoreError> {
        Ok(Counting {
            session,
            forked_from: forked_from(self.tenant.connection(), session)?,
        })
    }

    /// Adds the sessions that repeat a message, if any was told of from here.
    fn add_repeated_message(
        &self,
        message: String,
        actor: &ActorId,
        repeated: &mut Repeated,
    ) -> Result<(), StoreError> {
        let connection = self.tenant.connection();
        let mut said_by = sessions_that_count(connection, &message, actor)?;
        said_by.retain(|by| is_named_everywhere(&by.agent, &by.role, &message));
        if said_by.len() < 2 || !said_by.iter().any(|by| by.is_ours) {
            return Ok(());
        }
        let counting = said_by.iter().map(|by| self.counting(by.session));
        let counting: Vec<_> = counting.collect::<Result<_, StoreError>>()?;
        let Some(origin) = origin_among(&counting) else {
            return Ok(());
        };
        for by in said_by.iter().filter(|by| by.session != origin) {
            let messages = repeated.entry((by.session, origin)).or_default();
            messages.insert(message.clone());
        }
        Ok(())
    }
}

fn payloads_of(pieces: &[Piece<'_>]) -> Result<Vec<Payload>, PayloadError> {
    let mut batch = Batch::of(Precedence::Decided);
    let mut payloads = Vec::new();
    for piece in pieces {
        payloads.extend(batch.push(piece)?);
    }
    payloads.extend(batch.finish()?);
    Ok(payloads)
}

/// What an op tells of a session that another may repeat.
struct Told {
    session: SessionId,
    /// Messages, by their agent's ids; none of which it tells more where they are known.
    messages: Vec<String>,
    /// Whether there are errors or compactions.
    others: bool,
    actor: ActorId,
}

impl Told {
    /// None: the op is about no session, or deletes one.
    fn of(op: &LoggedOp) -> Option<Self> {
        if op.key.scope.as_str() != Scope::SESSION {
            return None;
        }
        let session = SessionId::of_resource(&op.key.resource)?;
        let SessionOp::Patch(patch) = op.payload.as_ref().and_then(SessionOp::read)? else {
            return None;
        };
        let is_set = |at: &Change<Timestamp>| matches!(at, Change::Set(_));
        let others = patch.errors.iter().any(|error| is_set(&error.at))
            || patch.compactions.iter().any(|it| is_set(&it.at));
        let told = patch.messages.into_iter();
        let told = told.filter(|message| matches!(message.role, Change::Set(_)));
        Some(Self {
            session,
            messages: told.map(|message| message.id.into_owned()).collect(),
            others,
            actor: op.key.actor.clone(),
        })
    }
}
