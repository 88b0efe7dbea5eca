//! What others had written by the time that a write of records came to the server, and that stands in its place.

use syncline_model::record::{Decided, DecidedAction, Lost};
use syncline_model::{OpKey, Scope};

use super::RecordOutcome;
use crate::{Replica, ReplicaError};

/// How many ops are in memory at once.
const STEP_OPS: usize = 256;

/// A value that was written here, and that another's won against. It is kept in the record's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostEdit {
    pub entity: String,
    pub id: String,
    pub column: String,
    pub values: Lost,
}

impl Replica {
    /// The writes of records whose decisions have not come back yet.
    pub fn undecided_records(&self) -> Result<Vec<OpKey>, ReplicaError> {
        let (mut keys, mut order) = (Vec::new(), 0);
        loop {
            let rows = self.local.outbox_after(order, STEP_OPS);
            let rows = rows.map_err(ReplicaError::Local)?;
            let Some(last) = rows.last() else {
                return Ok(keys);
            };
            order = last.order;
            let records = rows.into_iter().map(|row| row.key);
            keys.extend(records.filter(|key| key.scope == Scope::record()));
        }
    }

    /// What these writes have lost, of those that were decided by now.
    pub fn lost_edits(&mut self, writes: &[OpKey]) -> Result<Vec<LostEdit>, ReplicaError> {
        let mut lost = Vec::new();
        for key in writes {
            if let RecordOutcome::Done { rows, .. } = self.record_outcome(key)? {
                lost.extend(rows.into_iter().flat_map(lost_of));
            }
        }
        Ok(lost)
    }
}

fn lost_of(row: Decided) -> impl Iterator<Item = LostEdit> {
    let Decided {
        entity,
        id,
        action,
        values,
        unset,
        lost,
        ..
    } = row;
    // What was written all the same has won.
    let is_lost = move |column: &String| {
        action == DecidedAction::Update && !values.contains_key(column) && !unset.contains(column)
    };
    let lost = lost.into_iter().filter(move |(column, _)| is_lost(column));
    lost.map(move |(column, values)| LostEdit {
        entity: entity.clone(),
        id: id.clone(),
        column,
        values,
    })
}
