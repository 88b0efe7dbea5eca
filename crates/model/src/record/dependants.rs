//! Which pending ops can't stand without one that was refused.

use super::Record;
use super::payload::{Action, Offered, Write};
use super::rules::same;

/// Whether a later op builds on refused ones of the same writer: it changes a record that they would
/// have made, makes anew what they would have deleted, or saw a value that they would have written.
///
/// `confirmed` gives a record as it stands without any of them.
pub fn depends_on<E>(
    later: &Offered,
    refused: &[&Offered],
    mut confirmed: impl FnMut(&str, &str) -> Result<Option<Record>, E>,
) -> Result<bool, E> {
    for write in &later.writes {
        let earlier = refused.iter().flat_map(|op| &op.writes);
        let of_row = earlier.filter(|one| one.entity == write.entity && one.id == write.id);
        for one in of_row {
            let record = confirmed(&write.entity, &write.id)?;
            let record = record.filter(|record| !record.deleted);
            if builds_on(write, one, record.as_ref()) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn builds_on(write: &Write, refused: &Write, confirmed: Option<&Record>) -> bool {
    match (write.action, confirmed) {
        (Action::Update | Action::Delete, None) => true,
        (Action::Create, Some(_)) => refused.action == Action::Delete,
        (Action::Create, None) => false,
        (Action::Update | Action::Delete, Some(record)) => {
            refused.values.iter().any(|(column, value)| {
                let saw = write.base.get(column);
                saw.is_some_and(|saw| same(saw, value) && !same(saw, record.value(column)))
            })
        }
    }
}
