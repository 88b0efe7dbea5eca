//! What others had written by the time that a write of records came to the server, and that stands in its place.

use syncline_model::record::{Decided, DecidedAction, Lost};
use syncline_model::{OpKey, Scope};

use super::RecordOutcome;
use crate::{Replica, ReplicaError};

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
        let mut keys = Vec::new();
        self.each_in_outbox(|row| {
            if row.key.scope == Scope::record() {
                keys.push(row.key);
            }
        })?;
        Ok(keys)
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
