//! The fold of scope `record`.

use super::payload::{Action, DecidedAction, Mode, RecordPayload, Values, resource_of};
use super::stamps::Stamps;
use super::{Decided, RECORDS, Record};
use crate::{Folded, OpKey, OpVersion, Payload, Place, ResourceId, Row, Rows, SkipReason, Value};

/// Folds one op on records: a decision wherever it stands, what is offered only while it is pending.
pub fn fold<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    payload: &Payload,
    place: Place,
) -> Result<Folded, R::Error> {
    const UNREADABLE: Folded = Folded::Skipped(SkipReason::Unreadable);
    let Some(read) = RecordPayload::read(payload).filter(|read| names(read, key)) else {
        return Ok(UNREADABLE);
    };
    match (read, place) {
        (RecordPayload::Decided(decision), _) => {
            for row in decision.decided {
                fold_row(rows, key, row, place)?;
            }
            Ok(Folded::Applied)
        }
        (RecordPayload::Offered(offered), Place::Pending(_)) => {
            if offered.mode == Mode::Optimistic {
                for write in offered.writes {
                    let (action, mut values) = match write.action {
                        Action::Create => (DecidedAction::Create, write.defaults),
                        Action::Update => (DecidedAction::Update, Values::new()),
                        Action::Delete => (DecidedAction::Delete, Values::new()),
                    };
                    values.extend(write.values);
                    let row = Decided {
                        entity: write.entity,
                        id: write.id,
                        action,
                        values,
                        unset: write.unset,
                        lost: Default::default(),
                        other: Values::new(),
                    };
                    fold_row(rows, key, row, place)?;
                }
            }
            Ok(Folded::Applied)
        }
        (RecordPayload::Offered(_), Place::Confirmed(_)) => Ok(UNREADABLE),
    }
}

/// Whether the rows have names, and the first is the op's resource.
fn names(read: &RecordPayload, key: &OpKey) -> bool {
    let mut resources = read
        .rows()
        .into_iter()
        .map(|(entity, id)| resource_of(entity, id));
    let first = resources.next();
    matches!(first, Some(Ok(first)) if first == key.resource)
        && resources.all(|resource| resource.is_ok())
}

fn fold_row<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    decided: Decided,
    place: Place,
) -> Result<(), R::Error> {
    let Ok(resource) = resource_of(&decided.entity, &decided.id) else {
        return Ok(());
    };
    let version = OpVersion {
        clock: key.clock,
        actor: key.actor.clone(),
    };
    let before = rows.get(&RECORDS, &[Value::from(resource.as_str())])?;
    let row = match decided.action {
        DecidedAction::Hidden => None,
        DecidedAction::Create => {
            let stamps = Stamps::of_whole(version, decided.values.keys());
            Some(made(&resource, &decided, place, &stamps))
        }
        DecidedAction::Delete => {
            let gone = Decided {
                values: Values::new(),
                ..decided
            };
            let stamps = Stamps::of_whole(version, []);
            Some(made(&resource, &gone, place, &stamps))
        }
        DecidedAction::Update => before.and_then(|row| merged(row, decided, place, version)),
    };
    match row {
        Some(row) => rows.put(&RECORDS, row),
        None => Ok(()),
    }
}

/// The row that an op makes, or ends, whatever was there.
fn made(resource: &ResourceId, decided: &Decided, place: Place, stamps: &Stamps) -> Row {
    let deleted = decided.action == DecidedAction::Delete;
    let seq = match place {
        Place::Confirmed(seq) => Value::Integer(seq.get() as i64),
        Place::Pending(_) => Value::Null,
    };
    vec![
        resource.as_str().into(),
        decided.entity.as_str().into(),
        decided.id.as_str().into(),
        Value::Integer(deleted.into()),
        seq,
        text_of(&decided.values).into(),
        stamps.to_text().into(),
    ]
}

/// The row with changed columns; none: it isn't there, or nothing changes.
fn merged(row: Row, decided: Decided, place: Place, version: OpVersion) -> Option<Row> {
    if decided.values.is_empty() && decided.unset.is_empty() {
        return None;
    }
    let mut stamps = Stamps::of_text(row[6].as_text()?);
    let seq = match place {
        Place::Confirmed(seq) => Value::Integer(seq.get() as i64),
        Place::Pending(_) => row[4].clone(),
    };
    let mut record = Record::from_row(row).filter(|record| !record.deleted)?;
    // What is taken out is from this op as well: without it an earlier value would be there again.
    stamps.take(version, decided.values.keys().chain(&decided.unset));
    record
        .columns
        .retain(|column, _| !decided.unset.contains(column));
    record.columns.extend(decided.values);
    let resource = resource_of(&record.entity, &record.id).ok()?;
    Some(vec![
        resource.as_str().into(),
        record.entity.into(),
        record.id.into(),
        Value::Integer(0),
        seq,
        text_of(&record.columns).into(),
        stamps.to_text().into(),
    ])
}

fn text_of(values: &Values) -> String {
    serde_json::to_string(values).expect("names and JSON values are JSON")
}
