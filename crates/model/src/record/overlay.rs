//! The records as they will stand once the writes before this one are done.

use std::collections::BTreeMap;

use super::{Action, Held, Record, Records, Values, Write};

/// Rows with the writes of one op over them.
pub(super) struct Overlay<'r, R> {
    rows: &'r mut R,
    changed: BTreeMap<(String, String), Record>,
    /// What the op makes, before it is judged: who makes an account and its first membership in one
    /// op has that membership.
    promised: Vec<Record>,
}

impl<'r, R: Records> Overlay<'r, R> {
    pub(super) fn new(rows: &'r mut R, writes: &[Write]) -> Self {
        let created = writes.iter().filter(|write| write.action == Action::Create);
        Self {
            rows,
            changed: BTreeMap::new(),
            promised: created
                .map(|write| record_of(write, write.values.clone()))
                .collect(),
        }
    }

    pub(super) fn put(&mut self, record: Record) {
        let key = (record.entity.clone(), record.id.clone());
        self.changed.insert(key, record);
    }

    /// This overlay as it is to who makes a record.
    pub(super) fn with_promised(&mut self) -> Promised<'_, 'r, R> {
        Promised(self)
    }
}

/// A record that a write is about.
pub(super) fn record_of(write: &Write, columns: Values) -> Record {
    Record {
        entity: write.entity.clone(),
        id: write.id.clone(),
        deleted: false,
        seq: None,
        columns,
    }
}

fn holds(record: &Record, entity: &str, held: &[Held<'_>]) -> bool {
    record.entity == entity && !record.deleted && held.iter().all(|one| one.is_in(record))
}

impl<R: Records> Records for Overlay<'_, R> {
    type Error = R::Error;

    fn record(&mut self, entity: &str, id: &str) -> Result<Option<Record>, R::Error> {
        let key = (entity.to_owned(), id.to_owned());
        match self.changed.get(&key) {
            Some(record) => Ok(Some(record.clone())),
            None => self.rows.record(entity, id),
        }
    }

    fn holding(&mut self, entity: &str, held: &[Held<'_>]) -> Result<Vec<Record>, R::Error> {
        let mut found = self.rows.holding(entity, held)?;
        found.retain(|record| {
            let key = (record.entity.clone(), record.id.clone());
            !self.changed.contains_key(&key)
        });
        let changed = self.changed.values();
        found.extend(changed.filter(|row| holds(row, entity, held)).cloned());
        Ok(found)
    }
}

/// An overlay with what its op is yet to make.
pub(super) struct Promised<'a, 'r, R>(&'a mut Overlay<'r, R>);

impl<R: Records> Records for Promised<'_, '_, R> {
    type Error = R::Error;

    fn record(&mut self, entity: &str, id: &str) -> Result<Option<Record>, R::Error> {
        self.0.record(entity, id)
    }

    fn holding(&mut self, entity: &str, held: &[Held<'_>]) -> Result<Vec<Record>, R::Error> {
        let mut found = self.0.holding(entity, held)?;
        let promised = self.0.promised.iter();
        found.extend(promised.filter(|row| holds(row, entity, held)).cloned());
        Ok(found)
    }
}
