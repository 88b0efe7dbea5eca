//! What others had written by the time that a write of records came to the server, and that stands in its place; and
//! what it wrote to fields that were gone by then.

use syncline_model::record::{Decided, DecidedAction, Lost, RecordPayload, Write};
use syncline_model::schema::{Entity, Schema};
use syncline_model::{OpKey, Payload, Scope};
use syncline_store::local::{LostEdit, OutboxRow, UntoldLoss};
use syncline_store::records::{decision_at, schema};

use crate::{Replica, ReplicaError};

impl Replica {
    /// The edits of this replica that others' have won against, or whose fields were gone, and that nobody was told of.
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
        let ours: Vec<&OutboxRow> = pulled.iter().filter(is_ours).collect();
        let standing = match ours.is_empty() {
            true => None,
            false => schema(self.tenant.connection()).map_err(ReplicaError::Tenant)?,
        };
        for OutboxRow { key, payload, .. } in ours {
            let found = self.tenant.find(key).map_err(ReplicaError::Tenant)?;
            let Some((seq, _)) = found else { continue };
            let decision = decision_at(self.tenant.connection(), seq);
            let decision = decision.map_err(ReplicaError::Tenant)?;
            let rows = decision.into_iter().flat_map(|decision| decision.decided);
            lost.extend(rows.flat_map(lost_of).map(|edit| (key.clone(), edit)));
            let before = standing.as_ref().filter(|standing| standing.seq < seq);
            if let (Some(standing), Some(payload)) = (before, payload) {
                let gone = gone_of(&standing.schema, payload).into_iter();
                lost.extend(gone.map(|edit| (key.clone(), edit)));
            }
        }
        let keys: Vec<OpKey> = pulled.iter().map(|row| row.key.clone()).collect();
        Ok(self.judged().forget_pulled(&keys, &lost)?)
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
        field_gone: false,
    })
}

/// What an op wrote to fields that this schema, which stood before it, shows nobody.
fn gone_of(schema: &Schema, offered: &Payload) -> Vec<LostEdit> {
    let Some(RecordPayload::Offered(offered)) = RecordPayload::read(offered) else {
        return Vec::new();
    };
    let writes = offered.writes.into_iter().filter_map(|write| {
        let entity = schema.entity(&write.entity)?;
        Some(gone_from(entity, write))
    });
    writes.flatten().collect()
}

fn gone_from(entity: &Entity, write: Write) -> impl Iterator<Item = LostEdit> {
    let Write {
        entity: name,
        id,
        values,
        mut base,
        ..
    } = write;
    let is_gone = |column: &str| entity.dropped.contains_key(column) || !entity.keeps(column);
    let gone = values.into_iter();
    let gone = gone.filter(move |(column, mine)| is_gone(column) && !mine.is_null());
    gone.map(move |(column, mine)| LostEdit {
        entity: name.clone(),
        id: id.clone(),
        values: Lost {
            base: base.remove(&column).unwrap_or_default(),
            mine,
            theirs: Default::default(),
        },
        column,
        field_gone: true,
    })
}
