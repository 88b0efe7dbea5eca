//! The view table, the fold and the coverage of scope `schema`.

use super::Schema;
use crate::compaction::Coverage;
use crate::{Column, Folded, OpKey, Payload, Place, Row, Rows, SkipReason, Table, Value};

/// The resource of every op of this scope: a tenant has one schema.
pub const RESOURCE: &str = "schema";

/// The schema that stands, as the JSON of its op; `seq` is the op's place, null while it is pending.
pub static SCHEMAS: Table = Table {
    name: "schemas",
    columns: &[
        Column::text("resource_id"),
        Column::integer("seq").or_null(),
        Column::integer("clock"),
        Column::text("actor"),
        Column::text("schema"),
    ],
    key_columns: 1,
    searched: None,
    indexes: &[],
};

/// All of them.
pub static TABLES: &[&Table] = &[&SCHEMAS];

/// Folds one schema: the last one in the log stands.
pub fn fold<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    payload: &Payload,
    place: Place,
) -> Result<Folded, R::Error> {
    if key.resource.as_str() != RESOURCE || payload.read::<Schema>().is_err() {
        return Ok(Folded::Skipped(SkipReason::Unreadable));
    }
    let seq = match place {
        Place::Confirmed(seq) => Value::Integer(seq.get() as i64),
        // What the server has not taken rules nothing yet.
        Place::Pending(_) => return Ok(Folded::Applied),
    };
    let row: Row = vec![
        RESOURCE.into(),
        seq,
        Value::Integer(key.clock.get() as i64),
        key.actor.as_str().into(),
        payload.as_str().into(),
    ];
    rows.put(&SCHEMAS, row)?;
    Ok(Folded::Applied)
}

/// Says whether an op is the schema that stands.
pub fn coverage<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    payload: &Payload,
) -> Result<Coverage, R::Error> {
    if payload.read::<Schema>().is_err() {
        return Ok(Coverage::Needed);
    }
    let stands = rows.look(&SCHEMAS, &[Value::from(RESOURCE)], |row| {
        row.is_none_or(|row| {
            row[2] == Value::Integer(key.clock.get() as i64) && row[3] == key.actor.as_str().into()
        })
    })?;
    Ok(if stands {
        Coverage::Needed
    } else {
        Coverage::Covered
    })
}
