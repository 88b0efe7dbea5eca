//! What others had written by the time that a write of records came to the server, and that stands in its place.

use syncline_model::record::{Decided, DecidedAction};
use syncline_model::{OpKey, Scope};
use syncline_store::local::{LostEdit, OutboxRow, UntoldLoss};
use syncline_store::records::decision_at;

use crate::{Replica, ReplicaError};

impl Replica {
    /// The edits of this replica that others' have won against, and that nobody was told of.
    pub fn untold_losses(&self) -> Result<Vec<UntoldLoss>, ReplicaError> {
        self.local.untold_losses().map_err(ReplicaError::Local)
    }

    /// Forgets lost edits that somebody was told of.
    pub fn forget_losses(&mut self, told: &[UntoldLoss]) -> Result<(), ReplicaError> {
        self.local.forget_losses(told).map_err(ReplicaError::Local)
    }

    /// Lets go of ops of the outbox that the log holds, and notes what those have lost that were written here.
    pub(in super::super) fn forget_pulled(
        &mut self,
        pulled: &[OutboxRow],
    ) -> Result<(), ReplicaError> {
        let mut lost = Vec::new();
        let is_ours =
            |row: &&OutboxRow| row.heal.is_none() && row.key.scope.as_str() == Scope::RECORD;
        for OutboxRow { key, .. } in pulled.iter().filter(is_ours) {
            let found = self.tenant.find(key).map_err(ReplicaError::Tenant)?;
            let Some((seq, _)) = found else { continue };
            let decision = decision_at(self.tenant.connection(), seq);
            let decision = decision.map_err(ReplicaError::Tenant)?;
            let rows = decision.into_iter().flat_map(|decision| decision.decided);
            lost.extend(rows.flat_map(lost_of).map(|edit| (key.clone(), edit)));
        }
        let keys: Vec<OpKey> = pulled.iter().map(|row| row.key.clone()).collect();
        self.local
            .forget_pulled(&keys, &lost)
            .map_err(ReplicaError::Local)
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
