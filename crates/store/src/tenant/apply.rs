//! A replica's side: pages of the log beneath, the outbox folded on top.
//!
//! To apply a page: rewind the pending ops of the resources that it touches, fold the page, replay
//! what is still pending; ops, view and cursor move in one transaction.

mod chain;

use std::collections::{BTreeSet, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::TransactionBehavior;
use syncline_model::planted::{Defect, is_planted};
use syncline_model::{Cursor, Epoch, Folded, LoggedOp, Mark, Payload, ResourceId, ServerSeq};

use self::chain::chain;
use super::batch::{OpInsert, StoredOp, fold_logged, write_head};
use super::read::find;
use super::upkeep::owe_words;
use super::{Outbox, PendingOp, ResourceKey, TenantFile, erasures, read_head};
use crate::file::StoreError;
use crate::schema;
use crate::view::{Layer, View};

/// A page of the log, as it was pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PulledPage {
    pub epoch: Epoch,
    pub floor: ServerSeq,
    /// The place after which the page begins: the cursor of the replica that applies it.
    pub since: ServerSeq,
    /// Rising; without gaps above the floor.
    pub ops: Vec<LoggedOp>,
    /// The place that the page reaches, and its mark.
    pub cursor: Cursor,
}

/// What applying a page did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    pub cursor: Cursor,
    pub touched: Vec<ResourceKey>,
    /// Ops whose fold panicked; they are in the log, and noted as unfolded.
    pub unfolded: Vec<ServerSeq>,
}

/// Why a page can't be applied; nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error("the page is of epoch {page}, the file of epoch {file}")]
    Epoch { page: Epoch, file: Epoch },
    #[error("the page begins after {since}, the file is at {at}")]
    NotAtCursor { since: ServerSeq, at: ServerSeq },
    #[error("the page misses the op after {after}")]
    Gap { after: ServerSeq },
    #[error("the page's mark at {at} is not that of its ops: the logs have diverged")]
    Diverged { at: ServerSeq },
    #[error("could not apply the page")]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for ApplyError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Whether the ops of a page are folded together, or each in a savepoint of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Folding {
    Together,
    /// After a fold has panicked: the op at fault is found, noted, and passed over.
    OneByOne,
}

impl TenantFile {
    /// Applies a page that begins at this file's cursor.
    pub fn apply(
        &mut self,
        page: &PulledPage,
        outbox: &(impl Outbox + ?Sized),
    ) -> Result<Applied, ApplyError> {
        if is_planted(Defect::CursorBeforePage) {
            self.move_cursor(page.cursor)?;
        }
        let together = catch_unwind(AssertUnwindSafe(|| {
            self.try_apply(page, outbox, Folding::Together)
        }));
        match together {
            Ok(applied) => applied,
            Err(_) => self.try_apply(page, outbox, Folding::OneByOne),
        }
    }

    fn try_apply(
        &mut self,
        page: &PulledPage,
        outbox: &(impl Outbox + ?Sized),
        folding: Folding,
    ) -> Result<Applied, ApplyError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        schema::refuse_newer_fold(&transaction)?;
        let mut head = read_head(&transaction)?;
        if page.epoch != head.epoch {
            return Err(ApplyError::Epoch {
                page: page.epoch,
                file: head.epoch,
            });
        }
        if is_planted(Defect::CursorBeforePage) {
            head.cursor.server_seq = page.since;
        }
        if page.since != head.cursor.server_seq {
            let at = head.cursor.server_seq;
            return Err(ApplyError::NotAtCursor {
                since: page.since,
                at,
            });
        }
        let marks = chain(head.cursor, page)?;
        let touched = with_reached(outbox, touched_by(page))?;
        let mut view = View::new(&transaction, Layer::Confirmed);
        for (_, resource) in touched.iter().filter(|_| !is_planted(Defect::NoRewind)) {
            view.rewind(resource.as_str())?;
        }
        let folds = fold_page(page, marks, folding, &mut view)?;
        head.clock_max = head.clock_max.max(folds.clock_max);
        erasures::note(&mut view, page)?;
        view.flush()?;
        let folded: i64 =
            transaction.query_row("SELECT folded_order FROM state", [], |row| row.get(0))?;
        let pending = outbox.of_resources(&touched)?;
        // Texts that were written here, and are erased by the time they come back, were never in the
        // log here; they were in the view.
        let mut own = pending.iter().map(|pending| &pending.op.key.resource);
        if own.any(|resource| folds.erased.contains(resource)) {
            owe_words(&transaction)?;
        }
        replay(
            &transaction,
            pending.iter().filter(|op| op.order <= folded as u64),
        )?;
        head.cursor = page.cursor;
        head.floor = head.floor.max(page.floor.min(page.cursor.server_seq));
        write_head(&transaction, &head)?;
        transaction.commit()?;
        Ok(Applied {
            cursor: page.cursor,
            touched,
            unfolded: folds.unfolded,
        })
    }

    /// Moves the cursor alone, to a place whose ops are not here: what some planted defects do.
    pub fn move_cursor(&mut self, cursor: Cursor) -> Result<(), StoreError> {
        let mut head = read_head(&self.connection)?;
        head.cursor = cursor;
        write_head(&self.connection, &head)
    }

    /// Folds on top what the outbox has gained since the last time.
    pub fn fold_outbox(&mut self, outbox: &(impl Outbox + ?Sized)) -> Result<(), StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        schema::refuse_newer_fold(&transaction)?;
        let folded: i64 =
            transaction.query_row("SELECT folded_order FROM state", [], |row| row.get(0))?;
        let pending = outbox.after(folded as u64)?;
        let Some(last) = pending.last().map(|pending| pending.order) else {
            return Ok(());
        };
        replay(&transaction, pending.iter())?;
        transaction.execute("UPDATE state SET folded_order = ?", [last as i64])?;
        Ok(transaction.commit()?)
    }

    /// Folds the outbox on top of these resources anew: what left it is rewound.
    pub fn refold(
        &mut self,
        resources: &[ResourceKey],
        outbox: &(impl Outbox + ?Sized),
    ) -> Result<(), StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        schema::refuse_newer_fold(&transaction)?;
        let resources = &with_reached(outbox, resources.to_vec())?[..];
        let mut view = View::new(&transaction, Layer::Confirmed);
        for (_, resource) in resources {
            view.rewind(resource.as_str())?;
        }
        view.flush()?;
        let folded: i64 =
            transaction.query_row("SELECT folded_order FROM state", [], |row| row.get(0))?;
        let pending = outbox.of_resources(resources)?;
        replay(
            &transaction,
            pending.iter().filter(|op| op.order <= folded as u64),
        )?;
        Ok(transaction.commit()?)
    }

    /// Takes back all that is folded on top, and folds the outbox on top anew: what was there may be of
    /// another moment of it.
    pub fn fold_outbox_anew(&mut self, outbox: &(impl Outbox + ?Sized)) -> Result<(), StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        schema::refuse_newer_fold(&transaction)?;
        let mut view = View::new(&transaction, Layer::Confirmed);
        for resource in view.resources_with_images()? {
            view.rewind(&resource)?;
        }
        view.flush()?;
        transaction.execute("UPDATE state SET folded_order = 0", [])?;
        transaction.commit()?;
        self.fold_outbox(outbox)
    }

    /// Throws the view away and folds it again from the log; the outbox is folded on top by the next
    /// [`TenantFile::fold_outbox`].
    pub fn fold_again(&mut self) -> Result<(), StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        schema::drop_view(&transaction)?;
        schema::create_view(&transaction)?;
        {
            let mut view = View::new(&transaction, Layer::Confirmed);
            let mut statement = transaction.prepare(
                "SELECT server_seq, scope, resource_id, actor, clock, payload, payload_hash \
                 FROM ops ORDER BY server_seq",
            )?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let op = super::read::logged(&super::read::raw(row)?)?;
                let stored = StoredOp {
                    seq: op.seq,
                    key: &op.key,
                    payload: op.payload.as_ref(),
                    hash: op.payload_hash,
                    mark: None,
                };
                if !fold_alone(&mut view, &stored)? {
                    tracing::error!(op.seq = op.seq.get(), "fold panicked; op noted as unfolded");
                }
            }
            erasures::note_folded_again(&mut view)?;
            view.flush()?;
        }
        transaction.execute(
            "UPDATE state SET fold_version = ?, folded_order = 0",
            [schema::fold_version()],
        )?;
        Ok(transaction.commit()?)
    }
}

/// What the ops of a page have come to.
struct Folds<'a> {
    unfolded: Vec<ServerSeq>,
    /// Resources of which something may have been erased.
    erased: HashSet<&'a ResourceId>,
    clock_max: u64,
}

/// Writes the ops of a page to the log, and folds them.
fn fold_page<'a>(
    page: &'a PulledPage,
    marks: Vec<Option<Mark>>,
    folding: Folding,
    view: &mut View<'_>,
) -> Result<Folds<'a>, ApplyError> {
    let mut insert = OpInsert::prepare(view.connection())?;
    let mut folds = Folds {
        unfolded: Vec::new(),
        erased: HashSet::new(),
        clock_max: 0,
    };
    for (op, mark) in page.ops.iter().zip(marks) {
        let op = StoredOp {
            seq: op.seq,
            key: &op.key,
            payload: op.payload.as_ref(),
            hash: op.payload_hash,
            mark,
        };
        if !insert.run(&op)? {
            return Err(ApplyError::Diverged { at: op.seq });
        }
        match folding {
            Folding::Together => {
                let folded = fold_logged(view, &op)?;
                if payload_is_gone(op.payload, folded) {
                    folds.erased.insert(&op.key.resource);
                }
            }
            Folding::OneByOne => {
                folds.erased.insert(&op.key.resource);
                if !fold_alone(view, &op)? {
                    folds.unfolded.push(op.seq);
                }
            }
        }
        folds.clock_max = folds.clock_max.max(op.key.clock.get());
    }
    Ok(folds)
}

/// Whether the log holds no text of an op, or of those before it of its resource.
fn payload_is_gone(payload: Option<&Payload>, folded: Folded) -> bool {
    match folded {
        Folded::Deleted | Folded::AfterDelete => true,
        Folded::Applied | Folded::Skipped(_) | Folded::Opaque => payload.is_none(),
    }
}

/// Folds one op in a savepoint; says whether it could be folded. One whose fold panics is noted.
fn fold_alone(view: &mut View<'_>, op: &StoredOp<'_>) -> Result<bool, StoreError> {
    view.flush()?;
    let connection = view.connection();
    connection.execute_batch("SAVEPOINT fold")?;
    let folded = catch_unwind(AssertUnwindSafe(|| {
        fold_logged(view, op)?;
        view.flush()
    }));
    match folded {
        Ok(folded) => {
            folded?;
            connection.execute_batch("RELEASE fold")?;
            Ok(true)
        }
        Err(_) => {
            view.forget();
            connection.execute_batch("ROLLBACK TO fold; RELEASE fold")?;
            connection
                .prepare_cached("INSERT OR IGNORE INTO unfolded (server_seq) VALUES (?)")?
                .execute([op.seq.get() as i64])?;
            Ok(false)
        }
    }
}

/// Folds pending ops on top, but for those that the log holds by now.
fn replay<'a>(
    connection: &rusqlite::Connection,
    pending: impl Iterator<Item = &'a PendingOp>,
) -> Result<(), StoreError> {
    let mut view = View::new(connection, Layer::Pending);
    for PendingOp { order, op } in pending {
        if find(connection, &op.key)?.is_some() {
            continue;
        }
        view.settle()?;
        let folded = catch_unwind(AssertUnwindSafe(|| op.fold_pending(&mut view, *order)));
        match folded {
            Ok(folded) => {
                folded?;
            }
            // The server will refuse it; until then it is in the outbox, and not in the view.
            Err(_) => view.forget(),
        }
    }
    view.flush()
}

/// The resources that a page's ops name, each once.
fn touched_by(page: &PulledPage) -> Vec<ResourceKey> {
    let touched: BTreeSet<ResourceKey> = page
        .ops
        .iter()
        .flat_map(|op| syncline_model::touched(&op.key, op.payload.as_ref()))
        .collect();
    touched.into_iter().collect()
}

/// These resources, and all that pending ops on them touch, and so on: what is rewound together. A
/// pending op is replayed whole or not at all, and not onto rows that later ones have written.
fn with_reached(
    outbox: &(impl Outbox + ?Sized),
    resources: Vec<ResourceKey>,
) -> Result<Vec<ResourceKey>, StoreError> {
    let mut all: BTreeSet<ResourceKey> = resources.iter().cloned().collect();
    let mut fresh = resources;
    loop {
        fresh.retain(|(scope, _)| syncline_model::touches_several(scope));
        if fresh.is_empty() {
            return Ok(all.into_iter().collect());
        }
        let pending = outbox.of_resources(&fresh)?;
        let reached = pending.iter().flat_map(|pending| {
            syncline_model::touched(&pending.op.key, Some(&pending.op.payload))
        });
        fresh = reached.filter(|key| all.insert(key.clone())).collect();
    }
}
