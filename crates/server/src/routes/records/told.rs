//! Records, and what became of writes, as answers tell them.

use std::collections::BTreeSet;

use axum::http::{HeaderName, HeaderValue};
use serde_json::{Map, Value, json};
use syncline_model::ServerSeq;
use syncline_model::record::{Values, is_one_value, is_stamped};
use syncline_model::schema::{Entity, FieldKind};
use syncline_protocol::{Details, OpError};

use crate::error::ApiError;
use crate::http::Answer;
use crate::tenant::{ShownRow, WrittenRow};

/// The transaction of a place, as shapes name it.
pub(crate) fn txid(seq: ServerSeq) -> u32 {
    (seq.0 & u64::from(u32::MAX)) as u32
}

/// The place by which readers of shapes have all these rows as they stand, of a write at `seq`. A write that
/// changes nothing of a row is told by no shape: its writer waits for the row's last change instead, which
/// every reader has, or is on the way to them.
pub(crate) fn told_by(rows: &[WrittenRow], seq: Option<ServerSeq>) -> Option<ServerSeq> {
    let told = rows.iter().map(|row| row.told.or(seq)).max();
    told.unwrap_or(seq)
}

/// A row that was written: its columns, `_role`, `txid`, and in `_lost` what lost, where anything has.
pub(crate) fn row_json(written: WrittenRow, seq: Option<ServerSeq>) -> Value {
    let told = written.told.or(seq);
    let columns = written.row.map(|row| row.into_values());
    let mut row: Map<String, Value> = columns.into_iter().flatten().collect();
    row.insert("txid".to_owned(), json!(told.map(txid)));
    if !written.lost.is_empty() {
        row.insert("_lost".to_owned(), json!(written.lost));
    }
    Value::Object(row)
}

/// An answer to a write, with its place in the log, where that is known.
pub(crate) fn with_place(answer: Answer, seq: Option<ServerSeq>) -> Answer {
    with_places(answer, seq, seq)
}

/// An answer to a write at `seq`, with the place by which readers of shapes have its rows.
pub(super) fn with_places(
    mut answer: Answer,
    told: Option<ServerSeq>,
    seq: Option<ServerSeq>,
) -> Answer {
    if let Some(told) = told {
        answer = answer.numbered("syncline-txid", txid(told).into());
    }
    match seq {
        None => answer,
        Some(seq) => answer.numbered("syncline-seq", seq.0),
    }
}

/// What a body says of fields that no record shows: of the times that the server sets, of what stays with clients,
/// of what only requests have, and of what earlier schemas had.
pub(crate) fn unkept_of(entity: &Entity, body: &Values) -> Values {
    let is_unkept = |name: &str| {
        !entity.keeps(name)
            || entity.dropped.contains_key(name)
            || entity.field(name).is_some_and(is_stamped)
    };
    let said = body.iter().filter(|(name, _)| is_unkept(name));
    said.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Of which of these the row that was written has something else: whoever sends a row back as it was has lost
/// nothing, and no write fails for it.
pub(crate) fn ignored<'s>(said: &'s Values, written: &WrittenRow) -> BTreeSet<&'s str> {
    let row = written.row.as_ref().map(ShownRow::values);
    let is_ignored = |(name, value): &(&String, &Value)| {
        let stands = row.and_then(|row| row.get(*name));
        !stands.is_some_and(|stands| is_one_value(&FieldKind::Timestamp, stands, value))
    };
    let ignored = said.iter().filter(is_ignored);
    ignored.map(|(name, _)| name.as_str()).collect()
}

/// An answer to a write, with what of its bodies was ignored in the header `syncline-ignored`.
pub(super) fn with_ignored(answer: Answer, said: &[Values], rows: &[WrittenRow]) -> Answer {
    let all = said.iter().zip(rows);
    let ignored: BTreeSet<&str> = all.flat_map(|(said, row)| ignored(said, row)).collect();
    let names: Vec<&str> = ignored.into_iter().collect();
    match HeaderValue::try_from(names.join(", ")) {
        Ok(names) if !names.is_empty() => {
            answer.header(HeaderName::from_static("syncline-ignored"), names)
        }
        Ok(_) | Err(_) => answer,
    }
}

/// A refusal of a write as the answer to its request.
pub(crate) fn refused(error: OpError) -> ApiError {
    let mut answer = ApiError::new(error.code, error.message);
    if let Some(details) = error.details {
        answer.details = Details::Other(details.into());
    }
    answer
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_write_of_several_rows_is_told_by_the_last_of_them() {
        let row = |told: Option<u64>| WrittenRow {
            row: None,
            lost: BTreeMap::new(),
            told: told.map(ServerSeq),
        };
        let told = |rows: &[WrittenRow]| told_by(rows, Some(ServerSeq(9))).map(|seq| seq.0);
        assert_eq!(told(&[row(Some(3)), row(None), row(Some(5))]), Some(9));
        assert_eq!(told(&[row(Some(5)), row(Some(3))]), Some(5));
        assert_eq!(told(&[]), Some(9));
    }
}
