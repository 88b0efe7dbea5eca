//! What the answer to a push does: each op of it is settled.

use std::collections::HashMap;

use syncline_model::planted::{Defect, is_planted};
use syncline_model::{OpKey, Scope};
use syncline_protocol::session::{Event, Settled};
use syncline_protocol::{ErrorCode, Offer, OpError, Remedy, Verdict as PushVerdict};
use syncline_store::local::Verdict;

use super::{BATCH, Engine, Failed, PushAnswered};
use crate::ReplicaError;
use crate::replica::NewClock;

/// How a push that was answered came to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrival {
    First,
    /// Something on the way has sent it twice, or a copy of this replica the same ops: some of it may have
    /// been covered since.
    Second,
}

impl Engine {
    pub(super) fn settle(&mut self) -> Result<Event, Failed> {
        let Some(answered) = self.push_answer.take() else {
            return Ok(Event::Settled(Settled::Done));
        };
        self.batch_limit = BATCH;
        self.notes.heard(answered.answer.server_seq);
        let mut new_clock = NewClock::Onward;
        let arrival = self.arrival(&answered)?;
        let last_logged = last_logged(&answered);
        let mut verdicts = Vec::with_capacity(answered.sent.len());
        let told = answered.sent.iter().zip(&answered.answer.verdicts);
        for (n, (key, verdict)) in told.enumerate() {
            let verdict = match verdict {
                PushVerdict::Accepted(seq) | PushVerdict::Duplicate(Some(seq)) => {
                    Verdict::Acknowledged(*seq)
                }
                PushVerdict::Duplicate(None) => {
                    if self.replica.is_sent_first(key, answered.sent_before)? {
                        judge_dropped(&key.scope, arrival)
                    } else {
                        Verdict::Covered
                    }
                }
                // What was never sent before is under a key of another life's.
                PushVerdict::Rejected(error)
                    if error.code == ErrorCode::MaybeCovered
                        && arrival == Arrival::First
                        && self.replica.is_sent_first(key, answered.sent_before)? =>
                {
                    Verdict::KeyTaken
                }
                PushVerdict::Rejected(error) => {
                    let offer = self.replica.offer_of(key)?;
                    new_clock = new_clock.refused(error);
                    let is_followed = last_logged
                        .get(&resource_of(key))
                        .is_some_and(|last| *last > n);
                    match judge_refusal(error, offer) {
                        // Stamped anew it would undo what follows it, and so would that, stamped anew as
                        // well, what others have made of it since: its user decides.
                        Verdict::Behind
                            if is_followed
                                || self
                                    .replica
                                    .is_followed_in_log(key, answered.sent_before)? =>
                        {
                            refused(error)
                        }
                        verdict => verdict,
                    }
                }
            };
            verdicts.push((key.clone(), verdict));
        }
        let healed = self.healed(&answered)?;
        let settled = self.replica.settle(&verdicts, new_clock)?;
        self.replica.note_healed(healed)?;
        if is_planted(Defect::CursorMovedByPush) {
            self.replica.move_cursor(answered.answer.server_seq)?;
        }
        Ok(Event::Settled(if settled.written_anew > 0 {
            Settled::Renewed
        } else {
            Settled::Done
        }))
    }

    /// How many ops the log has taken that it had lost.
    fn healed(&self, answered: &PushAnswered) -> Result<u64, ReplicaError> {
        let mut healed = 0;
        for (key, verdict) in answered.sent.iter().zip(&answered.answer.verdicts) {
            let is_taken = matches!(verdict, PushVerdict::Accepted(_));
            healed += u64::from(is_taken && self.replica.offer_of(key)? == Offer::Again);
        }
        Ok(healed)
    }

    /// Whether the log had what was sent for the first time.
    fn arrival(&self, answered: &PushAnswered) -> Result<Arrival, ReplicaError> {
        for (key, verdict) in answered.sent.iter().zip(&answered.answer.verdicts) {
            let is_there = matches!(verdict, PushVerdict::Duplicate(Some(_)));
            if is_there && self.replica.is_sent_first(key, answered.sent_before)? {
                return Ok(Arrival::Second);
            }
        }
        Ok(Arrival::First)
    }
}

/// What becomes of an op that was refused for ever. Others' ops are not this replica's to stamp: one
/// whose clock leads too far waits for its user.
fn judge_refusal(error: &OpError, offer: Offer) -> Verdict {
    let anew = match (error.code.remedy(), offer) {
        (Remedy::WriteAnew, Offer::Own) => true,
        (Remedy::WriteAnew, Offer::Again) => error.code == ErrorCode::KeyConflict,
        (
            Remedy::TryLater
            | Remedy::MendRequest
            | Remedy::LogIn
            | Remedy::Recover
            | Remedy::Quarantine,
            Offer::Own | Offer::Again,
        ) => false,
    };
    if !anew {
        return refused(error);
    }
    if error.code == ErrorCode::KeyConflict {
        Verdict::KeyTaken
    } else if error.code == ErrorCode::ClockBehind {
        Verdict::Behind
    } else {
        Verdict::WriteAnew
    }
}

fn refused(error: &OpError) -> Verdict {
    Verdict::Refused {
        code: error.code.as_str().to_owned(),
        message: error.message.clone(),
        details: error.details.clone().map(String::from),
    }
}

/// The last op of each resource in a push that the log holds, by its place in the push.
fn last_logged(answered: &PushAnswered) -> HashMap<(&str, &str), usize> {
    let told = answered.sent.iter().zip(&answered.answer.verdicts);
    let logged = told.enumerate().filter(|(_, (_, verdict))| {
        matches!(
            verdict,
            PushVerdict::Accepted(_) | PushVerdict::Duplicate(Some(_))
        )
    });
    logged.map(|(n, (key, _))| (resource_of(key), n)).collect()
}

fn resource_of(key: &OpKey) -> (&str, &str) {
    (key.scope.as_str(), key.resource.as_str())
}

/// What becomes of an op that was sent for the first time, and that the log counts as dropped.
///
/// What was never sent before can't have been covered: its key is another's, of a copy of this replica, or
/// of a life that it was put back from. But a request may have come twice, and what it held been covered
/// between; of a scope whose rows the log doesn't ask, nothing tells the two apart, and its user decides.
/// Written anew it might win over younger ops, and let go of it might be lost.
fn judge_dropped(scope: &Scope, arrival: Arrival) -> Verdict {
    match arrival {
        Arrival::First => Verdict::KeyTaken,
        Arrival::Second if is_judged_by_rows(scope) => Verdict::Covered,
        Arrival::Second => Verdict::Refused {
            code: ErrorCode::MaybeCovered.as_str().to_owned(),
            message: MAYBE_COVERED.to_owned(),
            details: None,
        },
    }
}

const MAYBE_COVERED: &str = "the request came twice, and the log can't tell whether it has held this op \
     in between and dropped it: look whether what it did is there, then drop the op or write it anew";

/// Whether a log says of an op of this scope that it was dropped only where no row would change by it. Of
/// others it goes by the clock alone, and the key may be another's of a life that this replica was put back from.
fn is_judged_by_rows(scope: &Scope) -> bool {
    matches!(
        scope.as_str(),
        Scope::THREAD | Scope::SESSION | Scope::LIST | Scope::REGISTRY
    )
}
