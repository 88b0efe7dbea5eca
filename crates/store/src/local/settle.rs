//! What a push answer does to the outbox, in one transaction.

use std::collections::BTreeMap;

use rusqlite::Transaction;
use syncline_model::planted::{Defect, is_planted};
use syncline_model::{ActorId, Clock, Mark, OpKey, ResourceId, Scope, ServerSeq, Timestamp};

use super::outbox::{OutboxRow, OutboxState};
use super::quarantine::{Reason, put_in_quarantine};
use super::rows::{
    NewRow, acknowledge, actor_columns, insert, own_pending_after, own_pending_of, remove,
    remove_to_refold, row_of,
};
use super::{Judged, JudgedError, StoreError};

/// What is to become of an op of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The server has it, at this place.
    Acknowledged(ServerSeq),
    /// The server had it, and compaction has dropped it since: it wins no part of the view.
    Covered,
    /// The server will never take it.
    Refused {
        code: String,
        message: String,
        /// What a program needs of the reason, as JSON.
        details: Option<String>,
    },
    /// Its key is another op's: it is to be written by a new actor, under its old clock, so that it
    /// does not undo what its writer wrote after it.
    KeyTaken,
    /// Its clock is none that the server takes: it is to be written with a new key.
    WriteAnew,
    /// Its clock is behind what the log has collected of its resource: it is to be written with a new
    /// key, and behind it whatever was written to its resource later and waits, so that it undoes none of
    /// that.
    Behind,
}

/// What settling an answer did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    pub acknowledged: usize,
    pub quarantined: usize,
    pub written_anew: usize,
    /// The keys of ops that left the outbox, or changed their key.
    pub departed: Vec<OpKey>,
}

/// The stamp under which ops are written anew.
#[derive(Debug)]
struct Stamp {
    actor: ActorId,
    clock: u64,
}

impl Judged<'_> {
    /// Settles ops of the outbox; a key that is no longer there is passed over.
    ///
    /// When any is to be written anew, the replica takes `new_actor`. Those ops, and every later one
    /// that was never offered to a server, then leave their places and stand at the outbox's end in
    /// the order of their writing, each with a new key: so they reach the log. Their clocks begin above
    /// `clock_floor` where any clock is refused, and else stay: an op that *was* offered keeps its key, since
    /// the server may have it, and its place behind them.
    /// Behind one of its resource that is [`Verdict::Behind`] it doesn't, since that one would win over it: where
    /// the server has it after all, it loses to itself.
    ///
    /// An op that is offered again for the log's sake gets a key that follows from its old key and
    /// its payload: whoever else offers it again makes the same one.
    pub fn settle(
        self,
        verdicts: &[(OpKey, Verdict)],
        new_actor: &ActorId,
        clock_floor: u64,
        now: Timestamp,
    ) -> Result<Settled, JudgedError> {
        let only_acknowledged = verdicts
            .iter()
            .all(|(_, verdict)| matches!(verdict, Verdict::Acknowledged(_)));
        if only_acknowledged {
            return self.relaxed(|transaction| Ok(settle_plain(transaction, verdicts, now)?));
        }
        self.durable(|transaction| {
            let mut settled = settle_plain(transaction, verdicts, now)?;
            write_anew(transaction, verdicts, new_actor, clock_floor, &mut settled)?;
            Ok(settled)
        })
    }
}

fn settle_plain(
    transaction: &Transaction<'_>,
    verdicts: &[(OpKey, Verdict)],
    now: Timestamp,
) -> Result<Settled, StoreError> {
    let mut settled = Settled::default();
    for (key, verdict) in verdicts {
        match verdict {
            Verdict::Acknowledged(seq) => {
                acknowledge(transaction, key, Some(*seq))?;
                if is_planted(Defect::ForgetOnAcknowledge) {
                    remove(transaction, key)?;
                }
                settled.acknowledged += 1;
            }
            Verdict::Covered => {
                remove_to_refold(transaction, key)?;
                settled.departed.push(key.clone());
            }
            Verdict::Refused {
                code,
                message,
                details,
            } => {
                let Some(row) = row_of(transaction, key)? else {
                    continue;
                };
                if !is_planted(Defect::ForgetOnRefusal) {
                    let reason = Reason {
                        code,
                        message,
                        details: details.as_deref(),
                    };
                    put_in_quarantine(transaction, &row, &reason, now)?;
                }
                remove_to_refold(transaction, key)?;
                settled.quarantined += 1;
                settled.departed.push(key.clone());
            }
            Verdict::KeyTaken | Verdict::WriteAnew | Verdict::Behind => {}
        }
    }
    Ok(settled)
}

/// The own ops that an answer has written anew.
#[derive(Debug, Default)]
struct Anew {
    rows: Vec<OutboxRow>,
    /// Whether the clock of any of them is none that the server takes.
    needs_clock: bool,
    /// The resources of those that are [`Verdict::Behind`], and the first order of the oldest of each.
    behind: BTreeMap<(Scope, ResourceId), u64>,
}

impl Anew {
    fn note(&mut self, row: OutboxRow, verdict: &Verdict) {
        self.needs_clock |= *verdict != Verdict::KeyTaken;
        if *verdict == Verdict::Behind {
            let resource = (row.key.scope.clone(), row.key.resource.clone());
            let first = self.behind.entry(resource).or_insert(row.first_order);
            *first = row.first_order.min(*first);
        }
        self.rows.push(row);
    }

    /// These, and what is to be written anew behind them, in the order of their writing. That is not the
    /// outbox's where an earlier answer has had others of them written anew, which stand at its end since.
    fn with_later(self, transaction: &Transaction<'_>) -> Result<Vec<OutboxRow>, StoreError> {
        let Self {
            mut rows, behind, ..
        } = self;
        let offered: i64 =
            transaction.query_row("SELECT offered FROM identity", [], |row| row.get(0))?;
        let answered = rows.iter().map(|row| row.order).max().unwrap_or_default();
        rows.extend(own_pending_after(
            transaction,
            answered.max(offered as u64),
        )?);
        for ((scope, resource), first) in &behind {
            rows.extend(own_pending_of(transaction, scope, resource, *first)?);
        }
        rows.sort_by_key(|row| row.first_order);
        rows.dedup_by_key(|row| row.first_order);
        Ok(rows)
    }
}

fn write_anew(
    transaction: &Transaction<'_>,
    verdicts: &[(OpKey, Verdict)],
    new_actor: &ActorId,
    clock_floor: u64,
    settled: &mut Settled,
) -> Result<(), JudgedError> {
    let mut anew = Anew::default();
    for (key, verdict) in verdicts {
        if !matches!(
            verdict,
            Verdict::KeyTaken | Verdict::WriteAnew | Verdict::Behind
        ) {
            continue;
        }
        // The answer may be a repeated one: what it is about may have been written anew already.
        let Some(row) = row_of(transaction, key)? else {
            continue;
        };
        if row.state != OutboxState::Pending {
            continue;
        }
        if row.heal.is_some() {
            let actor = derived_actor(&row);
            let clock = row.key.clock;
            replace(transaction, &row, &actor, clock, settled)?;
        } else {
            anew.note(row, verdict);
        }
    }
    if anew.rows.is_empty() {
        return Ok(());
    }
    let needs_clock = anew.needs_clock;
    let mut stamp = Stamp {
        actor: new_actor.clone(),
        clock: if needs_clock { clock_floor } else { 0 },
    };
    for row in &anew.with_later(transaction)? {
        let keeps = !needs_clock && row.key.clock.get() > stamp.clock;
        let clock = if keeps {
            row.key.clock
        } else {
            Clock::after(stamp.clock)?
        };
        stamp.clock = clock.get();
        replace(transaction, row, &stamp.actor, clock, settled)?;
    }
    transaction.execute(
        "UPDATE identity SET actor = ?, clock = ?",
        actor_columns(&stamp.actor, stamp.clock.max(clock_floor)),
    )?;
    Ok(())
}

/// Moves an op to the outbox's end, under a new key.
fn replace(
    transaction: &Transaction<'_>,
    row: &OutboxRow,
    actor: &ActorId,
    clock: Clock,
    settled: &mut Settled,
) -> Result<(), StoreError> {
    remove_to_refold(transaction, &row.key)?;
    let key = OpKey {
        actor: actor.clone(),
        clock,
        ..row.key.clone()
    };
    let new = NewRow {
        key: &key,
        payload: row.payload.as_ref(),
        payload_hash: row.payload_hash,
        written_at: row.written_at,
        heal: row.heal,
        first_order: Some(row.first_order),
        first_clock: Some(row.first_clock.min(clock)),
    };
    insert(transaction, &new)?;
    settled.written_anew += 1;
    settled.departed.push(row.key.clone());
    Ok(())
}

fn derived_actor(row: &OutboxRow) -> ActorId {
    let digest = Mark::origin([0; 16]).next(&row.key, &row.payload_hash);
    ActorId::new(format!("healed-{digest}")).expect("a digest's text is short and printable")
}
