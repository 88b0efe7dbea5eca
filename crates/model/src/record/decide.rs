//! What becomes of an offered op: the one place where it may be refused.
//!
//! The rules, in the order in which they are asked:
//!
//! - Fields that never leave a client are left out, whoever sends them, and so is what only requests have.
//!   Columns that the schema doesn't know are kept as they are.
//! - A UUID names one record, however it is written: in small letters, but for what older logs hold.
//! - What equals the row is no change, and asks for no right to its column; but who may write nothing of
//!   an entity writes no op either.
//! - Who has no role on a record does not see it: to them it is not there.
//! - The key and read-only fields don't change. Read-only times named `created_at` and `updated_at`
//!   (or `createdAt`, `updatedAt`) are set here.
//! - Of a column whose value is not the one that the writer saw, the entity's strategy says which
//!   stays; the other is kept in the decision as lost. A deleted record has no columns that could
//!   win: a delete whose base has changed is refused, but where the last write wins.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::Record;
use super::access::{Asker, Records, membership_kept, role_on};
use super::compared::{Held, is_one_value};
use super::exact::settle_numbers;
use super::known::{known_id, settle_references};
use super::overlay::{Overlay, record_of};
use super::payload::{Action, Decided, DecidedAction, Decision, Offered, Values, Write};
use super::refusal::{
    FieldError, Refusal, RefusalCode, conflicted, fields_wrong, forbidden, forbidden_fields,
    membership_missing, not_unique, role_refused,
};
use super::rules::Rulebook;
use super::values::{
    Changes, Conflicts, error_of, has_nul, is_stamped, key_of, may_change, stored,
};
use crate::Timestamp;
use crate::schema::{Conflict, Entity, FieldKind, Role};

/// The most rows of one op: what one commit judges in a moment.
pub const WRITES_MAX: usize = 1_000;

/// Decides an offered op: what the log is to hold of it, or why it is refused.
///
/// # Errors
/// The outer one is the store's.
pub fn decide<R: Records>(
    rulebook: &Rulebook,
    rows: &mut R,
    asker: &Asker,
    offered: &Offered,
    at: Timestamp,
) -> Result<Result<Decision, Refusal>, R::Error> {
    let count = offered.writes.len();
    if count == 0 || count > WRITES_MAX {
        let message = format!("an op changes 1 to {WRITES_MAX} records, this one {count}");
        return Ok(Err(Refusal::new(RefusalCode::InvalidOp, message)));
    }
    let mut judge = Judge {
        rulebook,
        rows: Overlay::new(rows, &offered.writes),
        asker,
        at,
    };
    let mut decided = Vec::with_capacity(count);
    for (n, write) in offered.writes.iter().enumerate() {
        match judge.write(write)? {
            Ok(row) => decided.push(row),
            Err(refusal) => {
                return Ok(Err(Refusal {
                    write: n as u32,
                    entity: write.entity.clone(),
                    id: write.id.clone(),
                    ..refusal
                }));
            }
        }
    }
    Ok(Ok(Decision {
        decided,
        by: asker.user.as_str().to_owned(),
        at,
        restricted: false,
        salt: offered.salt,
        other: Values::new(),
    }))
}

struct Judge<'a, 'r, R> {
    rulebook: &'a Rulebook,
    rows: Overlay<'r, R>,
    asker: &'a Asker,
    at: Timestamp,
}

type Judged<T, R> = Result<Result<T, Refusal>, <R as Records>::Error>;

impl<R: Records> Judge<'_, '_, R> {
    fn write(&mut self, write: &Write) -> Judged<Decided, R> {
        let Some(entity) = self.rulebook.schema().entity(&write.entity) else {
            let message = format!("there is no entity `{}`", write.entity);
            return Ok(Err(Refusal::new(RefusalCode::UnknownEntity, message)));
        };
        let key = match key_of(entity, write) {
            Ok(key) => key,
            Err(error) => return Ok(Err(fields_wrong(vec![error]))),
        };
        match write.action {
            Action::Create => self.create(entity, write, key),
            Action::Update => match self.seen(entity, &write.id)? {
                Ok((record, role)) => self.update(entity, write, record, role),
                Err(refusal) => Ok(Err(refusal)),
            },
            Action::Delete => match self.seen(entity, &write.id)? {
                Ok((record, role)) => self.delete(entity, write, record, role),
                Err(refusal) => Ok(Err(refusal)),
            },
        }
    }

    /// The record, as far as who asks sees it, and their role on it.
    fn seen(&mut self, entity: &Entity, id: &str) -> Judged<(Record, Role), R> {
        let absent = || Refusal::new(RefusalCode::NotFound, "there is no such record");
        let Some(record) = self.rows.record(&entity.name, id)? else {
            return Ok(Err(absent()));
        };
        if record.deleted {
            return Ok(Err(if entity.access.role_via.is_none() {
                Refusal::new(RefusalCode::Gone, "the record was deleted")
            } else {
                absent()
            }));
        }
        let role = role_on(&mut self.rows, entity, &record.columns, self.asker)?;
        Ok(role.map(|role| (record, role)).ok_or_else(absent))
    }

    fn create(&mut self, entity: &Entity, write: &Write, key: Json) -> Judged<Decided, R> {
        let mut columns: Values = stored(entity, &write.values);
        self.settle(entity, &mut columns)?;
        columns.insert(entity.key.clone(), key);
        let named: Vec<String> = columns.keys().cloned().collect();
        for field in entity.stored_fields() {
            if let Some(default) = &field.default {
                let value = columns.entry(field.name.clone());
                value.or_insert_with(|| default.clone());
            }
        }
        self.stamp(
            entity,
            &mut columns,
            &["created_at", "createdAt", "updated_at", "updatedAt"],
        );
        let role = role_on(&mut self.rows.with_promised(), entity, &columns, self.asker)?;
        let Some(role) = role else {
            return Ok(Err(membership_missing(entity)));
        };
        if !entity.may_make(role) {
            return Ok(Err(role_refused(role, "make")));
        }
        if let Some(refusal) = self.named(entity, write)? {
            return Ok(Err(refusal));
        }
        let not_key = |name: &&String| **name != entity.key;
        let forbidden = named.iter().filter(not_key).filter(|name| {
            // The times are set here, so that what a client says of them is of no effect.
            !entity.may_write(role, name)
        });
        if let Some(refusal) = forbidden_fields(forbidden) {
            return Ok(Err(refusal));
        }
        let mut errors = self.errors(entity, named.iter().filter(not_key), &columns);
        let key = entity.key_field().zip(columns.get(&entity.key));
        errors.extend(key.and_then(|(field, key)| self.rulebook.check(field, key)));
        let missing = entity.stored_fields().filter(|field| {
            field.required && !field.read_only && !columns.contains_key(&field.name)
        });
        errors.extend(missing.map(|field| error_of(&field.name, "required", "must be given")));
        if !errors.is_empty() {
            return Ok(Err(fields_wrong(errors)));
        }
        let record = record_of(write, columns);
        if let Some(refusal) = self.taken(entity, &record, None)? {
            return Ok(Err(refusal));
        }
        let decided = decided(write, DecidedAction::Create, record.columns.clone());
        self.rows.put(record);
        Ok(Ok(decided))
    }

    fn update(
        &mut self,
        entity: &Entity,
        write: &Write,
        record: Record,
        role: Role,
    ) -> Judged<Decided, R> {
        let mut values = stored(entity, &write.values);
        // It was held against the record's, and may be written otherwise.
        values.remove(&entity.key);
        self.settle(entity, &mut values)?;
        let mut changes = Changes::of((entity, role), write, values, &record);
        let columns = || changes.columns().map(|(column, _)| column);
        let forbidden = columns().filter(|name| !entity.may_write(role, name));
        if let Some(refusal) = forbidden_fields(forbidden) {
            return Ok(Err(refusal));
        }
        if !may_change(entity, role) {
            return Ok(Err(role_refused(role, "change")));
        }
        let mut errors = self.errors(entity, changes.values.keys(), &changes.values);
        errors.extend(changes.errors(entity));
        if !errors.is_empty() {
            return Ok(Err(fields_wrong(errors)));
        }
        let conflicts = Conflicts::of(write, &record, (entity, role), changes.columns());
        match (entity.conflict, conflicts.seen.is_empty()) {
            (Conflict::Reject, false) => return Ok(Err(conflicted(conflicts.seen))),
            (Conflict::ServerWins, _) => {
                changes.retain(|column| !conflicts.seen.contains_key(column));
            }
            (Conflict::LastWriteWins, _) | (Conflict::Reject, true) => {}
        }
        if !changes.is_empty() {
            let times = &["updated_at", "updatedAt"];
            self.stamp(entity, &mut changes.values, times);
        }
        let mut after = record.clone();
        changes.apply(&mut after.columns);
        if let Some(refusal) = self.moved(entity, &record, &after)? {
            return Ok(Err(refusal));
        }
        if let Some(refusal) = self.taken(entity, &after, Some(&record))? {
            return Ok(Err(refusal));
        }
        self.rows.put(after);
        Ok(Ok(Decided {
            lost: conflicts.into_lost(),
            unset: changes.unset,
            ..decided(write, DecidedAction::Update, changes.values)
        }))
    }

    fn delete(
        &mut self,
        entity: &Entity,
        write: &Write,
        record: Record,
        role: Role,
    ) -> Judged<Decided, R> {
        if !entity.may_make(role) {
            return Ok(Err(role_refused(role, "delete")));
        }
        let schema = self.rulebook.schema();
        if let Some(refusal) = membership_kept(schema, entity, &record, role) {
            return Ok(Err(refusal));
        }
        let nothing = Json::Null;
        // A time that is set here moves with other columns alone, and so with its writer's own edits.
        let is_set_here = |column: &&String| entity.field(column).is_some_and(is_stamped);
        let judged = write.base.keys().filter(|column| !is_set_here(column));
        let wanted = judged.map(|column| (column, &nothing));
        let conflicts = Conflicts::of(write, &record, (entity, role), wanted);
        if !conflicts.seen.is_empty() && entity.conflict != Conflict::LastWriteWins {
            return Ok(Err(conflicted(conflicts.seen)));
        }
        self.rows.put(Record {
            deleted: true,
            columns: Values::new(),
            ..record
        });
        Ok(Ok(Decided {
            lost: conflicts.into_lost(),
            ..decided(write, DecidedAction::Delete, Values::new())
        }))
    }

    fn settle(&mut self, entity: &Entity, values: &mut Values) -> Result<(), R::Error> {
        settle_numbers(entity, values);
        let schema = self.rulebook.schema();
        settle_references(&mut self.rows, schema, entity, values)
    }

    /// Why no record can be made by this name, if none can.
    fn named(&mut self, entity: &Entity, write: &Write) -> Result<Option<Refusal>, R::Error> {
        let known = known_id(&mut self.rows, entity, &write.id)?;
        let record = self.rows.record(&write.entity, &known)?;
        if record.is_some_and(|record| !record.deleted) {
            let message = format!("there is a record `{known}` already");
            return Ok(Some(Refusal::new(RefusalCode::AlreadyExists, message)));
        }
        Ok((known != write.id).then(|| {
            let message = format!("must be written in small letters: {known}");
            fields_wrong(vec![error_of(&entity.key, "key", &message)])
        }))
    }

    /// Sets the times that are nobody's to write.
    fn stamp(&self, entity: &Entity, columns: &mut Values, names: &[&str]) {
        for name in names {
            if entity.field(name).is_some_and(is_stamped) {
                columns.insert((*name).to_owned(), Json::from(self.at.to_string()));
            }
        }
    }

    /// What is wrong with the values of these columns.
    fn errors<'n>(
        &self,
        entity: &Entity,
        named: impl Iterator<Item = &'n String>,
        values: &Values,
    ) -> Vec<FieldError> {
        let named = named.filter_map(|name| Some((name, values.get(name)?)));
        let wrong = named.filter_map(|(name, value)| {
            if has_nul(name, value) {
                return Some(error_of(name, "characters", "may not hold U+0000"));
            }
            let field = entity.field(name)?;
            if is_stamped(field) || field.name == entity.key {
                return None;
            }
            if field.read_only {
                return Some(error_of(&field.name, "read_only", "is read-only"));
            }
            self.rulebook.check(field, value)
        });
        wrong.collect()
    }

    /// Why a record may not go from one keeper to another, if it may not: who moves it needs a role
    /// that makes records at both.
    fn moved(
        &mut self,
        entity: &Entity,
        before: &Record,
        after: &Record,
    ) -> Result<Option<Refusal>, R::Error> {
        let Some(via) = &entity.access.role_via else {
            return Ok(None);
        };
        let (from, to) = (before.value(&via.field), after.value(&via.field));
        if is_one_value(kind_of(entity, &via.field), from, to) {
            return Ok(None);
        }
        let role = role_on(&mut self.rows, entity, &after.columns, self.asker)?;
        let may = role.is_some_and(|role| entity.may_make(role));
        Ok((!may).then(|| forbidden(&via.field, "may not be moved there by this role")))
    }

    /// Why the record can't have its values, if another has those that are one record's alone.
    fn taken(
        &mut self,
        entity: &Entity,
        record: &Record,
        before: Option<&Record>,
    ) -> Result<Option<Refusal>, R::Error> {
        for fields in &entity.unique {
            let values = fields.iter().map(|field| Held {
                column: field,
                kind: kind_of(entity, field),
                value: record.value(field),
            });
            let values: Vec<_> = values.collect();
            let is_as_before =
                before.is_some_and(|before| values.iter().all(|held| held.is_in(before)));
            if is_as_before || values.iter().any(|held| held.value.is_null()) {
                continue;
            }
            let found = self.rows.holding(&record.entity, &values)?;
            if found.iter().any(|other| other.id != record.id) {
                return Ok(Some(not_unique(fields)));
            }
        }
        Ok(None)
    }
}

/// What a column's values are compared as.
fn kind_of<'e>(entity: &'e Entity, column: &str) -> &'e FieldKind {
    let field = entity.field(column);
    field.map_or(&FieldKind::Json, |field| &field.kind)
}

fn decided(write: &Write, action: DecidedAction, values: Values) -> Decided {
    Decided {
        entity: write.entity.clone(),
        id: write.id.clone(),
        action,
        values,
        unset: BTreeSet::new(),
        lost: BTreeMap::new(),
        other: Values::new(),
    }
}
