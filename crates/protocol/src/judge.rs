//! The server's side of one op: what the envelope and the key alone decide.

use syncline_model::{Clock, PayloadHash, ServerSeq};

use crate::{ErrorCode, OfferedOp, OpError, Verdict};

/// Whose an actor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorOwner {
    /// Nobody's yet: it becomes the asker's.
    Nobody,
    Asker,
    Another,
}

/// How an op is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// By who wrote it.
    Own,
    /// Again, whoever wrote it, in a push whose last common place has been verified.
    Again,
}

/// Judges an op's actor and clock. `highest` is the highest clock accepted so far, with the ops of
/// this very push before this one: clocks are counted op by op.
pub fn judge_envelope(
    clock: Clock,
    highest: u64,
    owner: ActorOwner,
    offer: Offer,
) -> Result<(), OpError> {
    match (owner, offer) {
        (ActorOwner::Another, Offer::Own) => {
            return Err(OpError::new(
                ErrorCode::ForeignActor,
                "the actor belongs to another user: write the op anew with an actor of your own",
            ));
        }
        (ActorOwner::Nobody | ActorOwner::Asker, Offer::Own)
        | (ActorOwner::Nobody | ActorOwner::Asker | ActorOwner::Another, Offer::Again) => {}
    }
    if clock.leads_too_far(highest) {
        return Err(OpError::clock_lead(clock, highest));
    }
    Ok(())
}

/// What the log knows of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyFacts {
    /// Nothing.
    Free,
    /// An op stands under it.
    Logged { seq: ServerSeq, hash: PayloadHash },
    /// An op under it was refused, and the refusal is kept.
    Refused { hash: PayloadHash, error: OpError },
    /// It is at or below the pruned clock of its actor, scope and resource: compaction has dropped
    /// the op.
    Pruned,
}

/// Judges an op by its key. None: it is new, and to be decided on.
pub fn judge_key(op: &OfferedOp, facts: &KeyFacts) -> Option<Verdict> {
    match facts {
        KeyFacts::Free => None,
        KeyFacts::Pruned => Some(Verdict::Duplicate(None)),
        KeyFacts::Logged { seq, hash } if *hash == op.payload_hash => {
            Some(Verdict::Duplicate(Some(*seq)))
        }
        KeyFacts::Refused { hash, error } if *hash == op.payload_hash => {
            Some(Verdict::Rejected(error.clone()))
        }
        KeyFacts::Logged { seq, .. } => Some(conflict(format!("place {seq} holds an op"))),
        KeyFacts::Refused { .. } => Some(conflict("the log has refused an op".to_owned())),
    }
}

fn conflict(what: String) -> Verdict {
    let message =
        format!("{what} with this key and another payload: take a new actor and write the op anew");
    Verdict::Rejected(OpError::new(ErrorCode::KeyConflict, message))
}
