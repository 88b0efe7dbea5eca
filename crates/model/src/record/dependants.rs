//! Which pending ops can't stand without ones that were refused.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::Record;
use super::payload::{Action, Offered, Write};

/// What refused ops of one writer would have done.
#[derive(Debug, Default)]
pub struct Undone {
    rows: BTreeMap<(String, String), UndoneRow>,
}

#[derive(Debug, Default)]
struct UndoneRow {
    /// Whether the record would have been deleted.
    deleted: bool,
    /// The values that its columns would have had, each as JSON text.
    values: BTreeMap<String, BTreeSet<String>>,
}

impl Undone {
    /// Adds a refused op.
    pub fn add(&mut self, refused: &Offered) {
        for write in &refused.writes {
            let key = (write.entity.clone(), write.id.clone());
            let row = self.rows.entry(key).or_default();
            row.deleted |= write.action == Action::Delete;
            for (column, value) in &write.values {
                let values = row.values.entry(column.clone()).or_default();
                values.insert(value.to_string());
            }
            for column in &write.unset {
                let values = row.values.entry(column.clone()).or_default();
                values.insert(Json::Null.to_string());
            }
        }
    }

    /// Whether a later op builds on one of these: it changes a record that they would have made, makes
    /// anew what they would have deleted, or saw a value that they would have written.
    ///
    /// `confirmed` gives a record as it stands without any of them.
    pub fn is_under<E>(
        &self,
        later: &Offered,
        mut confirmed: impl FnMut(&str, &str) -> Result<Option<Record>, E>,
    ) -> Result<bool, E> {
        for write in &later.writes {
            let key = (write.entity.clone(), write.id.clone());
            let Some(row) = self.rows.get(&key) else {
                continue;
            };
            let record = confirmed(&write.entity, &write.id)?;
            if row.is_under(write, record.filter(|record| !record.deleted).as_ref()) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl UndoneRow {
    fn is_under(&self, write: &Write, confirmed: Option<&Record>) -> bool {
        match (write.action, confirmed) {
            (Action::Update | Action::Delete, None) => true,
            (Action::Create, Some(_)) => self.deleted,
            (Action::Create, None) => false,
            (Action::Update | Action::Delete, Some(record)) => {
                let saw_one = |(column, saw): (&String, &Json)| {
                    let written = self.values.get(column);
                    written.is_some_and(|all| all.contains(&saw.to_string()))
                        && saw != record.value(column)
                };
                write.base.iter().any(saw_one)
            }
        }
    }
}
