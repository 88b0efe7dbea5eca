//! What compaction may let go of: ops that no view needs any more, and tombstones.
//!
//! The law is **fold(log) = fold(compacted log)**, for every row that replicas compare, and with
//! whatever is appended to both afterwards. A row is a function of the ops that win some part of it,
//! so an op may go once it wins none. Coverage is asked of an op at or below the floor, with the
//! confirmed rows of its resource as the whole log has made them. A fold for which this holds keeps
//! two rules:
//!
//! - What an op does to a row follows from the op and its own stamps in the row, never from whether
//!   some other op, which lost, was folded before it.
//! - An op stays if it *may* be the one that a cell came from. To keep too much costs space, to keep
//!   too little costs a row.
//!
//! What is not understood whole stays: a payload that a newer version reads further may win there
//! what it doesn't win here.

mod known_fields;
mod trial;

use crate::planted::{Defect, is_planted};
use crate::{
    Clock, ListId, OpKey, OpVersion, Payload, Row, Rows, Scope, Table, list, planted, registry,
    session, thread,
};

pub(crate) use known_fields::has_only;
pub use trial::{Outdone, SaidSince, deletes_all, said_since, would_matter};

/// Whether the rows still need an op of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// It wins a part of a row, or it is not known that it doesn't: it stays.
    Needed,
    /// It wins no part of any row.
    Covered,
    /// No fold here knows its scope. A later op of its resource that [`replaces`] covers it.
    Opaque,
}

/// Says whether the confirmed rows of the op's resource still need it. Total, and it writes nothing.
pub fn coverage<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    payload: Option<&Payload>,
) -> Result<Coverage, R::Error> {
    let fold = match key.scope.as_str() {
        Scope::THREAD => thread::coverage::<R>,
        Scope::REGISTRY => registry::coverage::<R>,
        Scope::LIST => list::coverage::<R>,
        Scope::SESSION => session::coverage::<R>,
        Scope::RECORD => crate::record::coverage::<R>,
        Scope::SCHEMA => crate::schema::coverage::<R>,
        _ => return Ok(Coverage::Opaque),
    };
    match payload {
        // An erased op is skipped by every fold.
        None => Ok(Coverage::Covered),
        Some(payload) if planted::can_fold(payload) => fold(rows, key, payload),
        Some(_) => Ok(Coverage::Needed),
    }
}

/// Whether an op with this payload covers all ops of its resource that stand before it in the log:
/// `replaces` is `true` at the top level of the payload. Asked of opaque scopes alone; the folds
/// know by themselves what they need.
pub fn replaces(payload: &Payload) -> bool {
    #[derive(serde::Deserialize)]
    struct Replacing {
        #[serde(default)]
        replaces: serde_json::Value,
    }
    payload.as_str().contains("replaces")
        && payload
            .read::<Replacing>()
            .is_ok_and(|read| read.replaces == serde_json::Value::Bool(true))
}

/// A view table with tombstones: rows that nobody sees, kept so that late ops find them.
///
/// Replicas are equal without them. One is collected, with the ops that made it, once all of those
/// stand below the floor and no op that could fold onto the absent row is left behind it. From then on the resource takes no new op whose clock is not above the
/// collected ones, unless it [`folds_onto_seen`], nor one that [`gives_back_collected`], so that what is appended later folds onto
/// the absent row as it would have onto the tombstone. For that the fold must see to one thing: **an
/// op that makes a tombstone visible again carries every part of the row.** Other ops on an absent
/// row leave a tombstone.
#[derive(Debug, Clone, Copy)]
pub struct Tombstones {
    pub table: &'static Table,
    /// The scope of the ops that write its rows; their resource is the row's.
    pub scope: &'static str,
    /// The versions of the ops that every part of a tombstone is of, in any order; none of a row that
    /// is seen.
    pub stamps: fn(&Row) -> Option<Vec<OpVersion>>,
    /// The list whose items keep this row, as long as any of them is there: without it nobody could
    /// reach them, and they would be in whatever is made with its id.
    pub list: fn(&Row) -> Option<ListId>,
    /// Whether nothing in a payload of the scope is left to a newer version to read.
    pub(crate) reads: fn(&Payload) -> bool,
}

impl Tombstones {
    /// Whether an op of the scope with this payload is understood whole. One that is not stays in the
    /// log though it wins no part of a row, and would find the absent row as one that comes late does:
    /// a tombstone above its clock can't be collected.
    pub fn reads(&self, payload: &Payload) -> bool {
        planted::can_fold(payload) && (self.reads)(payload)
    }
}

/// Whether an op gives back a part of a row that is not there, or not that part of it, though it was
/// written no later than a clock up to which tombstones of the resource are `collected`: the one of
/// this row may have had a later word, which wins where it still stands.
pub fn gives_back_collected<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    payload: Option<&Payload>,
    collected: Clock,
) -> Result<bool, R::Error> {
    let gives_back = match key.scope.as_str() {
        Scope::REGISTRY => registry::gives_back_collected::<R>,
        Scope::LIST => list::gives_back_collected::<R>,
        _ => return Ok(false),
    };
    match payload {
        Some(payload) if !is_planted(Defect::GiveBackCollected) => {
            gives_back(rows, key, payload, collected)
        }
        Some(_) | None => Ok(false),
    }
}

/// Whether the op folds onto a row that is seen, or onto one that no tombstone is ever made of: it loses or wins
/// there as it would have where nothing was collected, whatever its clock.
pub fn folds_onto_seen<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    payload: Option<&Payload>,
) -> Result<bool, R::Error> {
    let folds = match key.scope.as_str() {
        Scope::REGISTRY => registry::folds_onto_seen::<R>,
        Scope::LIST => list::folds_onto_seen::<R>,
        _ => return Ok(false),
    };
    payload.map_or(Ok(false), |payload| folds(rows, key, payload))
}

/// Whether the op is the one by which an item or a list comes to be.
fn makes(scope: &Scope, payload: &Payload) -> bool {
    match scope.as_str() {
        Scope::REGISTRY => matches!(
            registry::RegistryOp::read(payload),
            Some(registry::RegistryOp::Create { .. })
        ),
        Scope::LIST => matches!(
            list::ListOp::read(payload),
            Some(list::ListOp::Insert { .. })
        ),
        _ => false,
    }
}

/// The tables with tombstones.
pub fn tombstones() -> impl Iterator<Item = &'static Tombstones> {
    [&registry::LIST_TOMBSTONES, &list::ITEM_TOMBSTONES].into_iter()
}

/// Whether the row is a tombstone: no part of what equal replicas share.
pub fn is_tombstone(table: &'static Table, row: &Row) -> bool {
    tombstones().any(|of| of.table.name == table.name && (of.stamps)(row).is_some())
}
