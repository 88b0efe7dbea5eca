//! One op onto the view: the dispatch by scope.

use crate::{
    Op, OpKey, Payload, ResourceId, Rows, Scope, ServerSeq, Table, list, planted, record, registry,
    schema, session, thread,
};

/// Where the op that is folded stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the log.
    Confirmed(ServerSeq),
    /// In the outbox; the number orders pending ops among themselves.
    Pending(u64),
}

/// What a fold made of an op.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folded {
    /// The view holds what the op says, or a later writer's word.
    Applied,
    /// The op deleted its resource for good: the payloads of all earlier ops of the resource are to
    /// be erased from the log, this one's is kept.
    Deleted,
    /// The op came after its resource was deleted: its payload is to be erased from the log.
    AfterDelete,
    /// The op's payload can't be read by this version; it is kept, and changed nothing.
    Skipped(SkipReason),
    /// The scope is not one of ours.
    Opaque,
}

/// Why a fold passed over an op.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// The payload was erased.
    Erased,
    /// The payload is not of a form that this version reads.
    Unreadable,
}

/// Folds one op onto `rows`. Total: it never refuses, and fails only where the store does.
pub fn fold<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    payload: Option<&Payload>,
    place: Place,
) -> Result<Folded, R::Error> {
    let fold = match key.scope.as_str() {
        Scope::THREAD => thread::fold::<R>,
        Scope::REGISTRY => registry::fold::<R>,
        Scope::LIST => list::fold::<R>,
        Scope::SESSION => session::fold::<R>,
        Scope::RECORD => record::fold::<R>,
        Scope::SCHEMA => schema::fold::<R>,
        _ => return Ok(Folded::Opaque),
    };
    match payload {
        Some(payload) if planted::can_fold(payload) => fold(rows, key, payload, place),
        Some(_) => Ok(Folded::Skipped(SkipReason::Unreadable)),
        None => Ok(Folded::Skipped(SkipReason::Erased)),
    }
}

/// The resources whose rows an op may write, each once; that of its key is the first. Only ops of
/// records write rows of several.
pub fn touched(key: &OpKey, payload: Option<&Payload>) -> Vec<(Scope, ResourceId)> {
    match key.scope.as_str() {
        Scope::RECORD => record::touches(key, payload),
        _ => vec![(key.scope.clone(), key.resource.clone())],
    }
}

/// Whether an op of this scope may write rows of several resources.
pub fn touches_several(scope: &Scope) -> bool {
    scope.as_str() == Scope::RECORD
}

/// The view tables of every scope, in the order in which they are made.
pub fn tables() -> impl Iterator<Item = &'static Table> {
    [
        thread::TABLES,
        registry::TABLES,
        list::TABLES,
        session::TABLES,
        record::TABLES,
        schema::TABLES,
    ]
    .into_iter()
    .flatten()
    .copied()
}

impl Op {
    /// Folds this op as a pending one.
    pub fn fold_pending<R: Rows>(&self, rows: &mut R, order: u64) -> Result<Folded, R::Error> {
        fold(rows, &self.key, Some(&self.payload), Place::Pending(order))
    }
}
