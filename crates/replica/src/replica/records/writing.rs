//! What a change of records offers.

use std::collections::BTreeSet;

use syncline_model::Salt;
use syncline_model::record::{
    Action, Asker, Mode, Offered, RefusalCode, Rulebook, Values, Write, decide, known_id, prefill,
};
use syncline_model::schema::{Entity, FieldKind, WriteMode};
use syncline_store::TenantFile;
use syncline_store::local::Desk;
use syncline_store::records::StoredRecords;

use super::standing::meant;
use super::{RecordChange, RecordError};
use crate::{Host, ReplicaError};

/// The records as they stand while a write of them is decided.
pub(super) struct Writing<'w> {
    pub(super) rulebook: &'w Rulebook,
    /// Who writes.
    pub(super) asker: &'w Asker,
    pub(super) host: &'w dyn Host,
    pub(super) desk: &'w Desk<'w>,
    pub(super) tenant: &'w TenantFile,
}

impl Writing<'_> {
    /// What these changes offer, where the server may take it.
    pub(super) fn offer(&self, changes: &[RecordChange]) -> Result<Offered, RecordError> {
        let mut mode = Mode::Optimistic;
        let mut writes = Vec::with_capacity(changes.len());
        for change in changes {
            let entity = self.rulebook.schema().entity(&change.entity);
            match entity.map(|entity| entity.mode) {
                Some(WriteMode::Cache { .. }) => {
                    let entity = change.entity.clone();
                    return Err(RecordError::ReadOnly { entity });
                }
                Some(WriteMode::Optimistic) => {}
                Some(WriteMode::Confirmed) | None => mode = Mode::Confirmed,
            }
            writes.push(self.write_of(entity, change)?);
        }
        let salt = Some(Salt::new(self.host.random()));
        let offered = Offered { writes, mode, salt };
        self.check(&offered)?;
        Ok(offered)
    }

    /// The write that a change comes to: with its id, what was seen before or will be seen at once, and
    /// without what never leaves this replica.
    fn write_of(
        &self,
        entity: Option<&Entity>,
        change: &RecordChange,
    ) -> Result<Write, ReplicaError> {
        let mut values = change.values.clone();
        values.retain(|column, _| entity.is_none_or(|entity| entity.keeps(column)));
        let key = entity.and_then(|entity| values.get(&entity.key));
        let key = key.and_then(|value| {
            let number = value.as_i64().map(|number| number.to_string());
            value.as_str().map(str::to_owned).or(number)
        });
        let named = change.id.clone().or(key);
        let minted = || syncline_model::mint(self.host.now(), self.host.random()).to_string();
        let mut id = named.unwrap_or_else(minted);
        if let Some(entity) = entity {
            let mut rows = StoredRecords(self.tenant.connection());
            id = known_id(&mut rows, entity, &id).map_err(ReplicaError::Tenant)?;
        }
        let shown = match change.action {
            Action::Create => None,
            Action::Update | Action::Delete => {
                let waiting = |resources: &[_]| self.desk.of_resources(resources);
                meant(self.tenant, waiting, &change.entity, &id)?
            }
        };
        let (shown, presumed) = shown.unzip();
        let presumed = presumed.unwrap_or_default();
        let base = match (shown, change.action) {
            (Some(record), Action::Update) => {
                let seen = |column: &String| (column.clone(), record.value(column).clone());
                // What a record waits with that nobody has said is another where the server decides so.
                let said = values.keys().filter(|column| !presumed.contains(*column));
                said.map(seen).collect()
            }
            // Whoever has changed any of it since is not to lose that unseen.
            (Some(mut record), Action::Delete) => {
                record.columns.retain(|column, _| {
                    let field = entity.and_then(|entity| entity.field(column));
                    entity.is_none_or(|entity| entity.keeps(column))
                        && field.is_none_or(|field| !field.read_only)
                });
                record.columns
            }
            (Some(_), Action::Create) | (None, _) => Values::new(),
        };
        let unset = match (entity, change.action) {
            (Some(entity), Action::Update) => taken_out(entity, &mut values),
            _ => BTreeSet::new(),
        };
        let mut write = Write {
            entity: change.entity.clone(),
            id,
            action: change.action,
            values,
            defaults: Values::new(),
            unset,
            base,
        };
        if let Some(entity) = entity {
            prefill(entity, &mut write);
        }
        Ok(write)
    }

    /// Refuses what the server would refuse whatever others have written since.
    fn check(&self, offered: &Offered) -> Result<(), RecordError> {
        let now = self.host.now();
        let mut rows = StoredRecords(self.tenant.connection());
        let decided = decide(self.rulebook, &mut rows, self.asker, offered, now);
        let decided = decided.map_err(ReplicaError::Tenant)?;
        let Err(refusal) = decided else {
            return Ok(());
        };
        let is_certain = match refusal.code {
            RefusalCode::InvalidOp
            | RefusalCode::TooLarge
            | RefusalCode::UnknownEntity
            | RefusalCode::Forbidden
            | RefusalCode::ForbiddenField
            | RefusalCode::ValidationFailed => true,
            // What waits for the server is not in the view.
            RefusalCode::NotFound | RefusalCode::Gone | RefusalCode::AlreadyExists => {
                offered.mode == Mode::Optimistic
            }
            RefusalCode::UniqueViolation
            | RefusalCode::Conflict
            | RefusalCode::DependsOnRefused => false,
        };
        if is_certain {
            Err(RecordError::Refused(Box::new(refusal)))
        } else {
            Ok(())
        }
    }
}

/// Takes the columns out of these values that are emptied and have no null: a record need not have them.
fn taken_out(entity: &Entity, values: &mut Values) -> BTreeSet<String> {
    let is_optional = |column: &str| {
        let field = entity.field(column);
        field.is_some_and(|field| {
            !field.nullable && !field.required && field.kind != FieldKind::Json
        })
    };
    let emptied = values
        .iter()
        .filter(|(column, value)| value.is_null() && is_optional(column));
    let emptied: BTreeSet<String> = emptied.map(|(column, _)| column.clone()).collect();
    values.retain(|column, _| !emptied.contains(column));
    emptied
}
