//! Writes of records, and of the schema, that come in requests of their own.

use syncline_model::record::{Asker, Decision, Offered, Refusal as RecordRefusal, RefusalCode};
use syncline_model::schema::{Change, ChangeKind, RESOURCE, Schema};
use syncline_model::{
    ActorId, Clock, OpKey, Payload, PayloadHash, ResourceId, Scope, ServerSeq, UserId,
};
use syncline_store::{AppendError, Appended};

use super::Refused;
use super::push::Judge;
use super::records::Origin;

/// A write of records, or of the schema, that comes in a request of its own.
#[derive(Debug, Clone)]
pub struct RecordWrite {
    pub asker: Asker,
    pub change: RecordChange,
    /// What tells a repeat of this request from another one; none: it is never repeated.
    pub repeat: Option<RepeatKey>,
}

/// What is to be written.
#[derive(Debug, Clone)]
pub enum RecordChange {
    Records(Offered),
    /// Another schema, and the breaking changes that are meant.
    Schema {
        schema: Schema,
        allow: Vec<ChangeKind>,
    },
}

/// The name of a request that may be sent again: made of its user and what they call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepeatKey(ActorId);

impl RepeatKey {
    /// That of a user's `Idempotency-Key`. What it writes is of an actor of its own, by which a repeat
    /// is found whichever server it reaches.
    pub fn new(user: &UserId, key: &str) -> Self {
        let digest = PayloadHash::of(&format!("{user}\0{key}"));
        let actor = ActorId::new(format!("request-{digest}"));
        Self(actor.expect("a digest's text is short and printable"))
    }
}

/// What became of a write of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// It took this place.
    Written {
        seq: ServerSeq,
        decision: Decision,
    },
    /// The schema stands, at this place; with what it changes. One that stood before keeps its place.
    Applied {
        seq: ServerSeq,
        changes: Vec<Change>,
    },
    /// It was written by an earlier request; the place is not known where compaction dropped it.
    Repeated {
        seq: Option<ServerSeq>,
    },
    /// An earlier request with its key asked for something else.
    KeyReused,
    Refused(Box<RecordRefusal>),
    /// The schema takes something away that was not meant.
    Breaking(Vec<Change>),
}

impl Judge<'_, '_> {
    /// Writes records, or a schema, for a request of its own.
    pub(super) fn write_record(
        &mut self,
        own: &ActorId,
        write: &RecordWrite,
    ) -> Result<Recorded, Refused> {
        let (scope, resource, text) = match &write.change {
            RecordChange::Records(offered) => {
                let resource = offered.resource().ok();
                (Scope::record(), resource, serde_json::to_string(offered))
            }
            RecordChange::Schema { schema, .. } => {
                let resource = ResourceId::new(RESOURCE).ok();
                (Scope::schema(), resource, serde_json::to_string(schema))
            }
        };
        let (Some(resource), Ok(text)) = (resource, text) else {
            let message = "the record has no name that a resource can have";
            let refusal = RecordRefusal::new(RefusalCode::InvalidOp, message);
            return Ok(Recorded::Refused(Box::new(refusal)));
        };
        let hash = PayloadHash::of(&text);
        let actor = write.repeat.as_ref().map_or(own, |repeat| &repeat.0);
        let clock = Clock::after(self.batch.head().clock_max);
        let key = OpKey {
            actor: actor.clone(),
            clock: clock.map_err(|_| Refused::ClocksExhausted)?,
            scope,
            resource,
        };
        if write.repeat.is_some()
            && let Some(earlier) = self.earlier(&key, hash)?
        {
            return Ok(earlier);
        }
        self.undone.clear();
        match &write.change {
            RecordChange::Records(offered) => {
                match self.decided(&write.asker, actor, offered, Origin::Request)? {
                    Ok((decision, payload)) => {
                        let seq = self.own(&key, &payload, hash)?;
                        Ok(Recorded::Written { seq, decision })
                    }
                    Err(refusal) => Ok(Recorded::Refused(Box::new(refusal))),
                }
            }
            RecordChange::Schema { schema, allow } => {
                if let Some(seq) = self.place_of(schema)? {
                    let changes = Vec::new();
                    return Ok(Recorded::Applied { seq, changes });
                }
                let (changes, breaking) = self.breaking(schema, allow)?;
                if !breaking.is_empty() {
                    return Ok(Recorded::Breaking(breaking));
                }
                let seq = self.own(&key, &Payload::stored(text), hash)?;
                self.schema_changed()?;
                Ok(Recorded::Applied { seq, changes })
            }
        }
    }

    /// What an earlier request with this key has come to.
    fn earlier(&self, key: &OpKey, hash: PayloadHash) -> Result<Option<Recorded>, Refused> {
        let file = self.batch.file();
        Ok(match file.find_of_actor(key)? {
            Some((seq, found)) if found == hash => Some(Recorded::Repeated { seq: Some(seq) }),
            Some(_) => Some(Recorded::KeyReused),
            None if file.has_pruned_of_actor(key)? => Some(Recorded::Repeated { seq: None }),
            None => None,
        })
    }

    /// Appends an op whose key is free.
    fn own(
        &mut self,
        key: &OpKey,
        payload: &Payload,
        hash: PayloadHash,
    ) -> Result<ServerSeq, Refused> {
        let appended = self.batch.append(key, Some(payload), hash);
        let appended = appended.map_err(|AppendError::Store { source, .. }| source)?;
        let Appended::At(seq, _) = appended else {
            unreachable!("the clock is higher than every other in the log");
        };
        self.wrote = true;
        Ok(seq)
    }
}
