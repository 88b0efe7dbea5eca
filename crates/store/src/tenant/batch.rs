//! A write transaction on the log: what is appended in it commits together.

use std::fmt;

use rusqlite::{CachedStatement, Connection, Transaction, TransactionBehavior};
use syncline_model::compaction::{folds_onto_seen, gives_back_collected, would_matter};
use syncline_model::planted::{Defect, is_planted};
use syncline_model::{Clock, Folded, Mark, OpKey, Payload, PayloadHash, Place, ServerSeq, fold};

use super::compact::{collected_clock, is_pruned, may_be_collected};
use super::read::find;
use super::upkeep::owe_words;
use super::{Head, TenantFile, read_head};
use crate::file::StoreError;
use crate::schema;
use crate::shapes::Tracker;
use crate::view::{Layer, View};

mod telling;

/// What became of an op that was offered to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It took this place, and the view holds it.
    At(ServerSeq, Folded),
    /// It is there already, with the same payload; the place is not known where compaction dropped it.
    Duplicate(Option<ServerSeq>),
    /// Its key counts as taken, and rows would change by it: a tombstone that was collected may have covered it,
    /// or it was never here. Nothing tells.
    MaybeCovered,
    /// Another payload has its key.
    Conflict(ServerSeq),
    /// Its clock, or that of something that it gives back, is not above this one, the highest among collected
    /// tombstones of its resource: it might fold otherwise here than where the tombstone still is.
    Behind(Clock),
}

/// Why an op could not be appended; the batch is then good for nothing but being dropped.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    #[error("could not append op {key:?} to the log")]
    Store {
        key: Box<OpKey>,
        #[source]
        source: StoreError,
    },
}

/// A write transaction on the log. Dropped without [`Batch::commit`], it never was.
#[must_use = "a batch that is not committed is rolled back"]
#[derive(Debug)]
pub struct Batch<'a> {
    file: &'a TenantFile,
    transaction: Transaction<'a>,
    view: View<'a>,
    insert: OpInsert<'a>,
    head: Head,
    compacted: Compacted,
    /// Where the tenant has shapes.
    tracker: Option<Tracker>,
}

/// What is known of an op that is offered, and that the log does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Past {
    /// The log may have held it.
    MayBeDropped,
    NeverDropped,
}

/// Whether compaction has dropped ops whose keys still count as taken, or tombstones: else no op is looked up.
#[derive(Debug, Clone, Copy)]
struct Compacted {
    pruned: bool,
    collected: bool,
}

impl TenantFile {
    /// Begins a write transaction, waiting for other processes' to end.
    pub fn begin(&mut self) -> Result<Batch<'_>, StoreError> {
        // The view works on the connection that the transaction holds; both borrow `self`.
        let file = &*self;
        let connection = &file.connection;
        let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        schema::refuse_newer_fold(connection)?;
        let head = read_head(connection)?;
        let compacted = connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM pruned), EXISTS (SELECT 1 FROM collected)",
            )?
            .query_row([], |row| {
                Ok(Compacted {
                    pruned: row.get(0)?,
                    collected: row.get(1)?,
                })
            })?;
        let tracker = Tracker::begin(connection, &head)?;
        let mut view = View::new(connection, Layer::Confirmed);
        if tracker.is_some() {
            view.trace();
        }
        Ok(Batch {
            file,
            transaction,
            view,
            insert: OpInsert::prepare(connection)?,
            head,
            compacted,
            tracker,
        })
    }
}

impl Batch<'_> {
    /// The head with everything appended so far.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The file inside this transaction, for reading; its head is the one before the batch.
    pub fn file(&self) -> &TenantFile {
        self.file
    }

    /// Writes out rows that the fold keeps in memory, so that queries in this transaction see them.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        self.view.flush()
    }

    /// The connection inside this transaction, for what the server notes beside the log.
    pub fn connection(&self) -> &rusqlite::Connection {
        &self.transaction
    }

    /// Gives the op the next place, moves the mark and folds it, unless its key is taken.
    ///
    /// `hash` is that of the payload as first sent; `payload` is none for an erased op.
    pub fn append(
        &mut self,
        key: &OpKey,
        payload: Option<&Payload>,
        hash: PayloadHash,
    ) -> Result<Appended, AppendError> {
        self.try_append(key, payload, hash, Past::MayBeDropped)
            .map_err(|source| error_of(key, source))
    }

    /// As [`Batch::append`], of an op that compaction can't have dropped from this log: it is offered
    /// again from a place at or above the floor, below which the log never held it.
    pub fn append_lost(
        &mut self,
        key: &OpKey,
        payload: Option<&Payload>,
        hash: PayloadHash,
    ) -> Result<Appended, AppendError> {
        self.try_append(key, payload, hash, Past::NeverDropped)
            .map_err(|source| error_of(key, source))
    }

    /// What [`Batch::append`] would say of an op, which is not written; none: it would take a place.
    pub fn known(
        &mut self,
        key: &OpKey,
        payload: Option<&Payload>,
        hash: PayloadHash,
    ) -> Result<Option<Appended>, StoreError> {
        let known = self.compacted_away(key, payload, hash, Past::MayBeDropped)?;
        if known.is_some() {
            return Ok(known);
        }
        let found = find(&self.transaction, key)?;
        Ok(found.map(|found| compare(found, hash)))
    }

    /// What is said of an op by what compaction has dropped and collected; none: nothing.
    fn compacted_away(
        &mut self,
        key: &OpKey,
        payload: Option<&Payload>,
        hash: PayloadHash,
        past: Past,
    ) -> Result<Option<Appended>, StoreError> {
        if self.compacted.pruned && is_pruned(&self.transaction, key)? {
            if let Some(found) = find(&self.transaction, key)? {
                return Ok(Some(compare(found, hash)));
            }
            if past == Past::MayBeDropped
                && let Some(dropped) = self.as_dropped(key, payload)?
            {
                return Ok(Some(dropped));
            }
        }
        if let Some(clock) = self.collected_above(key, payload)?
            && find(&self.transaction, key)?.is_none()
        {
            return Ok(Some(Appended::Behind(clock)));
        }
        Ok(None)
    }

    fn try_append(
        &mut self,
        key: &OpKey,
        payload: Option<&Payload>,
        hash: PayloadHash,
        past: Past,
    ) -> Result<Appended, StoreError> {
        if let Some(known) = self.compacted_away(key, payload, hash, past)? {
            return Ok(known);
        }
        let seq = self.head.cursor.server_seq.next();
        let mark = self.head.cursor.mark.next(key, &hash);
        let op = StoredOp {
            seq,
            key,
            payload,
            hash,
            mark: Some(mark),
        };
        if !self.insert.run(&op)? {
            if is_planted(Defect::NoDedupe) {
                return self.try_append(&a_later_key(key), payload, hash, past);
            }
            let found = find(&self.transaction, key)?;
            let found = found.ok_or(StoreError::damaged("an op's key is taken by no op"))?;
            return Ok(compare(found, hash));
        }
        self.head.cursor.server_seq = seq;
        self.head.cursor.mark = mark;
        self.head.clock_max = self.head.clock_max.max(key.clock.get());
        let folded = fold_logged(&mut self.view, &op)?;
        if let Some(tracker) = &mut self.tracker {
            tracker.note(&mut self.view, seq, folded)?;
        }
        Ok(Appended::At(seq, folded))
    }

    /// What is said of an op that the log lacks, and whose key counts as taken; none: it was never here.
    ///
    /// What was dropped as covered is still covered. So an op that no row needs may count as dropped,
    /// whether it was here or not: no view tells the two apart. One that a row needs was never here,
    /// whatever of its actor has come before it; unless a tombstone was collected that may have covered it.
    /// Where no fold knows its scope, it counts as dropped: it is older than something that was.
    fn as_dropped(
        &mut self,
        key: &OpKey,
        payload: Option<&Payload>,
    ) -> Result<Option<Appended>, StoreError> {
        let place = Place::Confirmed(self.head.cursor.server_seq.next());
        if !would_matter(&mut self.view, key, payload, place)? {
            return Ok(Some(Appended::Duplicate(None)));
        }
        let may_be_covered = may_be_collected(&mut self.view, key, payload)?;
        Ok(may_be_covered.then_some(Appended::MaybeCovered))
    }

    /// The clock that collected tombstones ask an op to be above, if it isn't and may be of one of them, or
    /// gives back what isn't.
    fn collected_above(
        &mut self,
        key: &OpKey,
        payload: Option<&Payload>,
    ) -> Result<Option<Clock>, StoreError> {
        if !self.compacted.collected {
            return Ok(None);
        }
        let Ok(collected) = Clock::new(collected_clock(&self.transaction, key)?) else {
            return Ok(None);
        };
        let is_behind = key.clock <= collected && !folds_onto_seen(&mut self.view, key, payload)?
            || gives_back_collected(&mut self.view, key, payload, collected)?;
        Ok(is_behind.then_some(collected))
    }

    /// Writes the batch to the file; with full durability the disk has it when this returns.
    pub fn commit(self) -> Result<Head, StoreError> {
        Ok(self.commit_telling()?.0)
    }
}

fn error_of(key: &OpKey, source: StoreError) -> AppendError {
    AppendError::Store {
        key: Box::new(key.clone()),
        source,
    }
}

/// Another key for an op that is in the log already: what a log that does not know its keys would take.
fn a_later_key(key: &OpKey) -> OpKey {
    let clock = Clock::after(key.clock.get()).unwrap_or(key.clock);
    OpKey {
        clock,
        ..key.clone()
    }
}

fn compare((seq, found): (ServerSeq, PayloadHash), hash: PayloadHash) -> Appended {
    if found == hash {
        Appended::Duplicate(Some(seq))
    } else {
        Appended::Conflict(seq)
    }
}

/// An op with its place, as its row holds it.
pub(super) struct StoredOp<'a> {
    pub seq: ServerSeq,
    pub key: &'a OpKey,
    pub payload: Option<&'a Payload>,
    pub hash: PayloadHash,
    /// None below the floor, where the ops between are not known.
    pub mark: Option<Mark>,
}

/// Inserts ops' rows, by a statement that is prepared once for all of a transaction.
pub(super) struct OpInsert<'a>(CachedStatement<'a>);

impl<'a> OpInsert<'a> {
    pub(super) fn prepare(connection: &'a Connection) -> Result<Self, StoreError> {
        Ok(Self(connection.prepare_cached(
            "INSERT OR IGNORE INTO ops \
             (server_seq, scope, resource_id, actor, clock, payload, payload_hash, mark) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )?))
    }

    /// Inserts the op's row; says whether its key was free.
    pub(super) fn run(&mut self, op: &StoredOp<'_>) -> Result<bool, StoreError> {
        let written = self.0.execute((
            op.seq.get() as i64,
            op.key.scope.as_str(),
            op.key.resource.as_str(),
            op.key.actor.as_str(),
            op.key.clock.get() as i64,
            op.payload.map(Payload::as_str),
            op.hash.as_bytes(),
            op.mark.as_ref().map(Mark::as_bytes),
        ))?;
        Ok(written == 1)
    }
}

impl fmt::Debug for OpInsert<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpInsert")
    }
}

/// Folds an op of the log, and erases from the log what it says is to be erased.
pub(super) fn fold_logged(view: &mut View<'_>, op: &StoredOp<'_>) -> Result<Folded, StoreError> {
    let folded = fold(view, op.key, op.payload, Place::Confirmed(op.seq))?;
    let (scope, resource, seq) = (
        op.key.scope.as_str(),
        op.key.resource.as_str(),
        op.seq.get() as i64,
    );
    match folded {
        Folded::Deleted => {
            let erased = view
                .connection()
                .prepare_cached(
                    "UPDATE ops SET payload = NULL WHERE resource_id = ? AND scope = ? \
                     AND server_seq < ? AND payload IS NOT NULL",
                )?
                .execute((resource, scope, seq))?;
            if erased > 0 {
                owe_words(view.connection())?;
            }
        }
        Folded::AfterDelete => {
            let erased = view
                .connection()
                .prepare_cached(
                    "UPDATE ops SET payload = NULL WHERE server_seq = ? AND payload IS NOT NULL",
                )?
                .execute([seq])?;
            if erased > 0 {
                owe_words(view.connection())?;
            }
        }
        Folded::Applied | Folded::Skipped(_) | Folded::Opaque => {}
    }
    Ok(folded)
}

/// Writes where the log stands.
pub(super) fn write_head(connection: &rusqlite::Connection, head: &Head) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE state SET head = ?, mark = ?, floor = ?, clock_max = ?")?
        .execute((
            head.cursor.server_seq.get() as i64,
            head.cursor.mark.as_bytes(),
            head.floor.get() as i64,
            head.clock_max as i64,
        ))?;
    Ok(())
}
