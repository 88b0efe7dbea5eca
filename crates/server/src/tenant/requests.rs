//! Writes of records, and of the schema, that come in requests of their own.

use syncline_model::record::{
    Asker, DecidedAction, Decision, Offered, Refusal, RefusalCode, settle_ids,
};
use syncline_model::schema::{Change, ChangeKind, RESOURCE, Schema};
use syncline_model::{
    ActorId, Clock, OpKey, Payload, PayloadHash, ResourceId, Salt, Scope, ServerSeq,
};
use syncline_protocol::{ErrorCode, OpError};
use syncline_store::records::StoredRecords;
use syncline_store::{AppendError, Appended, KnownRequest, REQUEST_ACTOR};

use super::Refused;
use super::push::{Judge, op_error_of};
use super::records::{Origin, op_error};
use super::rows::{AimedWrite, WrittenRow, decision_of};
use super::schema::schema_error;

/// A write of records, or of the schema, that comes in a request of its own.
#[derive(Debug, Clone)]
pub struct RecordWrite {
    pub asker: Asker,
    pub change: RecordChange,
    /// What tells a repeat of this request from another one; none: it is never repeated.
    pub repeat: Option<RepeatKey>,
    /// Writes that it builds on: unless each of them was accepted, it is refused. Of who names them, it has a
    /// name too.
    pub after: Vec<RepeatKey>,
    /// What the log is to hash the request with, since not all who read the log may see what is asked
    /// for.
    pub salt: Option<Salt>,
}

/// What is to be written.
#[derive(Debug, Clone)]
pub enum RecordChange {
    Records(Offered),
    /// Records with something that nobody would read again: this refuses them, unless an earlier request of
    /// the name has written them under other rules.
    Unread {
        offered: Offered,
        error: OpError,
    },
    /// One record, as a request's path and headers aim at it.
    Aimed(AimedWrite),
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
    /// That of a request's name, which holds its user's. What the request writes is of an actor of its
    /// own, by which a repeat is found whichever server it reaches.
    pub fn new(name: &str) -> Self {
        let actor = ActorId::new(format!("{REQUEST_ACTOR}{}", PayloadHash::of(name)));
        Self(actor.expect("a digest's text is short and printable"))
    }

    /// The actor of what the request writes.
    pub fn actor(&self) -> &ActorId {
        &self.0
    }
}

/// What became of a write of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// It took this place; with the rows as they stand right behind it, one for each write.
    Written {
        seq: ServerSeq,
        rows: Vec<WrittenRow>,
    },
    /// The schema stands, at this place; with what it changes. One that stood before keeps its place.
    Applied {
        seq: ServerSeq,
        changes: Vec<Change>,
    },
    /// It was written by an earlier request; the place is not known where compaction dropped it. The
    /// rows are as they stand now, and what lost is what lost then.
    Repeated {
        seq: Option<ServerSeq>,
        rows: Vec<WrittenRow>,
    },
    /// An earlier request with its key asked for something else.
    KeyReused,
    Refused(Box<OpError>),
    /// The schema takes something away that was not meant.
    Breaking(Vec<Change>),
}

/// Why a write is not there that another builds on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ground {
    Refused,
    Unknown,
}

impl Ground {
    fn message(self) -> &'static str {
        match self {
            Self::Refused => {
                "a write that it names in `after` was refused: send both anew, with other write_ids"
            }
            Self::Unknown => {
                "a write that it names in `after` is not known: send that before this one"
            }
        }
    }
}

impl Judge<'_, '_> {
    /// Writes records, or a schema, for a request of its own.
    pub(super) fn write_record(
        &mut self,
        own: &ActorId,
        write: &RecordWrite,
    ) -> Result<Recorded, Refused> {
        match &write.change {
            RecordChange::Records(offered) | RecordChange::Unread { offered, .. } => {
                self.write_rows(own, write, offered, None)
            }
            RecordChange::Aimed(aimed) => {
                self.write_rows(own, write, &aimed.offered(), Some(aimed))
            }
            RecordChange::Schema { schema, allow } => self.write_schema(own, schema, allow),
        }
    }

    fn write_rows(
        &mut self,
        own: &ActorId,
        write: &RecordWrite,
        offered: &Offered,
        aimed: Option<&AimedWrite>,
    ) -> Result<Recorded, Refused> {
        let refused = |refusal: &Refusal| Ok(Recorded::Refused(Box::new(op_error(refusal))));
        let asked = match offered.payload() {
            Ok(asked) => aimed.map_or_else(|| asked.hash(), |aimed| aimed.hash(&asked)),
            Err(error) => return refused(&Refusal::of_payload(&error)),
        };
        let offered = &self.settled(offered)?;
        let aimed = aimed.map(|aimed| aimed.at(&offered.writes[0].id));
        let actor = write.repeat.as_ref().map_or(own, RepeatKey::actor);
        let resource = match offered.resource() {
            Ok(resource) => resource,
            // Who decides says what is wrong with the id.
            Err(error) => match self.decided(&write.asker, actor, offered, Origin::Request)? {
                Err(refusal) => return refused(&refusal),
                Ok(_) => {
                    let message = error.to_string();
                    return refused(&Refusal::new(RefusalCode::InvalidOp, message));
                }
            },
        };
        let key = self.own_key(actor, Scope::record(), resource)?;
        if write.repeat.is_some()
            && let Some(earlier) = self.earlier(&write.asker, actor, asked, offered)?
        {
            return Ok(earlier);
        }
        if let Some(ground) = self.ground_missing(&write.after)? {
            let error = OpError::new(ErrorCode::DependsOnRefused, ground.message());
            // What nothing is known of may still come.
            if ground == Ground::Refused {
                self.keep_refusal(&key, asked, &error)?;
            }
            return Ok(Recorded::Refused(Box::new(error)));
        }
        match self.judged(write, actor, offered, aimed.as_ref())? {
            Ok((decision, payload)) => {
                let hash = write.salt.map_or(asked, |salt| salt.over(asked));
                let seq = self.own(&key, &payload, hash)?;
                self.tell_what_lost(&decision, seq)?;
                let rows = self.rows_written(&write.asker, offered, Some(&decision), Some(seq))?;
                Ok(Recorded::Written { seq, rows })
            }
            Err(error) => {
                if write.repeat.is_some() && error.code != ErrorCode::PreconditionFailed {
                    self.keep_refusal(&key, asked, &error)?;
                }
                Ok(Recorded::Refused(Box::new(error)))
            }
        }
    }

    /// What the log is to hold of a write that no earlier request has made.
    fn judged(
        &mut self,
        write: &RecordWrite,
        actor: &ActorId,
        offered: &Offered,
        aimed: Option<&AimedWrite>,
    ) -> Result<Result<(Decision, Payload), OpError>, Refused> {
        if let RecordChange::Unread { error, .. } = &write.change {
            return Ok(Err(error.clone()));
        }
        self.undone.clear();
        let meant = match aimed {
            None => Ok(offered.clone()),
            Some(aimed) => self.aim(&write.asker, aimed)?,
        };
        let mut meant = match meant {
            Ok(meant) => meant,
            Err(error) => return Ok(Err(error)),
        };
        meant.salt = write.salt;
        let decided = self.decided(&write.asker, actor, &meant, Origin::Request)?;
        Ok(decided.map_err(|refusal| op_error(&refusal)))
    }

    /// What is the matter with the first of some writes that was not accepted.
    fn ground_missing(&mut self, after: &[RepeatKey]) -> Result<Option<Ground>, Refused> {
        if !after.is_empty() {
            self.batch.flush()?;
        }
        for earlier in after {
            match self.batch.file().request(earlier.actor())? {
                Some(KnownRequest::Written { .. } | KnownRequest::Dropped) => {}
                Some(KnownRequest::Refused(_)) => return Ok(Some(Ground::Refused)),
                None => return Ok(Some(Ground::Unknown)),
            }
        }
        Ok(None)
    }

    /// Has readers of shapes told of rows of which a write has changed nothing, since all of it lost: its
    /// writer shows what they wrote until they hear of the row.
    fn tell_what_lost(&mut self, decision: &Decision, seq: ServerSeq) -> Result<(), Refused> {
        let lost_all = decision.decided.iter().filter(|row| {
            row.action == DecidedAction::Update
                && !row.lost.is_empty()
                && row.values.is_empty()
                && row.unset.is_empty()
        });
        for row in lost_all {
            self.batch.tell_as_it_is(&row.entity, &row.id, seq)?;
        }
        Ok(())
    }

    /// What was offered, with its records called by the ids that they are known by.
    fn settled(&mut self, offered: &Offered) -> Result<Offered, Refused> {
        self.batch.flush()?;
        let mut settled = offered.clone();
        if let Some(rulebook) = self.members.rules.of(self.batch)? {
            let mut rows = StoredRecords(self.batch.connection());
            settle_ids(&mut rows, rulebook.schema(), &mut settled)?;
        }
        Ok(settled)
    }

    fn write_schema(
        &mut self,
        own: &ActorId,
        schema: &Schema,
        allow: &[ChangeKind],
    ) -> Result<Recorded, Refused> {
        let following = self.following(schema)?;
        if let Some(seq) = self.place_of(&following)? {
            let changes = Vec::new();
            return Ok(Recorded::Applied { seq, changes });
        }
        if let Some(error) = schema_error(schema) {
            return Ok(Recorded::Refused(Box::new(error)));
        }
        let (changes, breaking) = self.breaking(schema, allow)?;
        if !breaking.is_empty() {
            return Ok(Recorded::Breaking(breaking));
        }
        if let Some(error) = self.key_error(schema)? {
            return Ok(Recorded::Refused(Box::new(error)));
        }
        if let Some(error) = self.index_error(&following)? {
            return Ok(Recorded::Refused(Box::new(error)));
        }
        let text = serde_json::to_string(&following).expect("a schema can always be written");
        let payload = Payload::stored(text);
        let resource = ResourceId::new(RESOURCE).expect("it is short and printable");
        let key = self.own_key(own, Scope::schema(), resource)?;
        let seq = self.own(&key, &payload, payload.hash())?;
        self.schema_changed()?;
        Ok(Recorded::Applied { seq, changes })
    }

    /// The key of the next op that an actor of this server's writes.
    fn own_key(
        &self,
        actor: &ActorId,
        scope: Scope,
        resource: ResourceId,
    ) -> Result<OpKey, Refused> {
        let clock = Clock::after(self.batch.head().clock_max);
        Ok(OpKey {
            actor: actor.clone(),
            clock: clock.map_err(|_| Refused::ClocksExhausted)?,
            scope,
            resource,
        })
    }

    /// What an earlier request of this name has come to.
    fn earlier(
        &mut self,
        asker: &Asker,
        actor: &ActorId,
        hash: PayloadHash,
        offered: &Offered,
    ) -> Result<Option<Recorded>, Refused> {
        self.batch.flush()?;
        Ok(match self.batch.file().request(actor)? {
            None => None,
            Some(KnownRequest::Written {
                seq,
                payload_hash,
                payload,
            }) => {
                let decision = payload.as_ref().and_then(decision_of);
                // Of what was erased nobody can say what was asked for.
                let is_other = payload.is_some() && {
                    let salt = decision.as_ref().and_then(|decision| decision.salt);
                    salt.map_or(hash, |salt| salt.over(hash)) != payload_hash
                };
                if is_other {
                    return Ok(Some(Recorded::KeyReused));
                }
                let rows = self.rows_written(asker, offered, decision.as_ref(), Some(seq))?;
                Some(Recorded::Repeated {
                    seq: Some(seq),
                    rows,
                })
            }
            Some(KnownRequest::Dropped) => {
                let mut rows = self.rows_written(asker, offered, None, None)?;
                // Its op was at the floor or below, which every reader has.
                let floor = self.batch.head().floor;
                rows.iter_mut()
                    .for_each(|row| _ = row.told.get_or_insert(floor));
                Some(Recorded::Repeated { seq: None, rows })
            }
            Some(KnownRequest::Refused(refusal)) if refusal.payload_hash != hash => {
                Some(Recorded::KeyReused)
            }
            Some(KnownRequest::Refused(refusal)) => {
                Some(Recorded::Refused(Box::new(op_error_of(refusal))))
            }
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
