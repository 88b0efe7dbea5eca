//! Records made, changed, deleted.

use axum::http::StatusCode;
use serde_json::Value;
use syncline_model::ServerSeq;
use syncline_model::record::{Action, Mode, Offered, Values, Write};
use syncline_model::schema::FieldKind;
use uuid::Uuid;

use super::body;
use super::target::Target;
use super::told::{refused, row_json, told_by, unkept_of, with_ignored, with_place, with_places};
use crate::error::ApiError;
use crate::http::{Answer, Call, IfMatch};
use crate::random::new_uuids;
use crate::routes::decide::{idempotency_key, key_reused};
use crate::tenant::{Aim, AimedWrite, Extent, RecordChange, Recorded, WrittenRow};

/// The names of records that follow from an `Idempotency-Key`.
const NAMES: Uuid = Uuid::from_u128(0x5d0c_2b1e_91a7_4c35_8f42_6be0_a7d3_190c);
/// Records of one request: what one op changes.
const RECORDS_MAX: usize = syncline_model::record::WRITES_MAX;

/// Makes a record, or, of an array, all of them or none.
pub(super) async fn create(call: &Call, target: &Target) -> Result<Answer, ApiError> {
    let (bodies, is_one) = body::records(call, target.entity())?;
    if !(1..=RECORDS_MAX).contains(&bodies.len()) {
        let message = format!("must hold 1 to {RECORDS_MAX} records");
        return Err(ApiError::invalid_field("body", message));
    }
    let name = idempotency_key(call)?;
    let mut fresh = new_uuids();
    let unkept = bodies.iter().map(|body| unkept_of(target.entity(), body));
    let unkept: Vec<_> = unkept.collect();
    let writes = bodies.into_iter().enumerate().map(|(at, body)| {
        let mut values = target.agreed(body)?;
        values.extend(target.fields().iter().cloned());
        let id = match values.remove(&target.entity().key) {
            Some(Value::String(id)) => id,
            Some(Value::Number(id)) => id.to_string(),
            Some(Value::Null) | None => minted(target, name.as_deref(), at, &mut fresh)?,
            Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
                let message = "must be a text or a whole number";
                return Err(ApiError::invalid_field(&target.entity().key, message));
            }
        };
        Ok(write(target, id, Action::Create, values))
    });
    let change = RecordChange::Records(Offered {
        writes: writes.collect::<Result<_, _>>()?,
        mode: Mode::Confirmed,
        salt: None,
    });
    let (seq, mut rows) = written(call, target, change, name.as_deref()).await?;
    let answer = match rows.pop() {
        Some(row) if is_one => answer_of(row, seq, &unkept)?,
        last => {
            rows.extend(last);
            let told = told_by(&rows, seq);
            let all: Vec<_> = rows.iter().map(|row| row_json(row.clone(), seq)).collect();
            let answer = with_ignored(Answer::json(&all)?, &unkept, &rows);
            with_places(answer, told, seq)
        }
    };
    Ok(answer.status(declared_status(target).unwrap_or(StatusCode::CREATED)))
}

pub(super) async fn update(call: &Call, target: &Target) -> Result<Answer, ApiError> {
    changed(call, target, Extent::Named).await
}

pub(super) async fn replace(call: &Call, target: &Target) -> Result<Answer, ApiError> {
    changed(call, target, Extent::Whole).await
}

async fn changed(call: &Call, target: &Target, extent: Extent) -> Result<Answer, ApiError> {
    let (mut values, base) = body::change(call, target.entity())?;
    let unkept = unkept_of(target.entity(), &values);
    if extent == Extent::Whole {
        // What the path says need not be said again, and is not taken out for that.
        for (name, value) in target.fields() {
            values.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    let aimed = Write {
        base,
        ..write(
            target,
            target.id()?.to_owned(),
            Action::Update,
            target.agreed(values)?,
        )
    };
    let (seq, row) = aimed_at(call, target, aimed, extent).await?;
    answer_of(row, seq, &[unkept])
}

pub(super) async fn delete(call: &Call, target: &Target) -> Result<Answer, ApiError> {
    let id = target.id()?.to_owned();
    let aimed = write(target, id, Action::Delete, Values::new());
    let (seq, _) = aimed_at(call, target, aimed, Extent::Named).await?;
    let answer = match declared_status(target) {
        Some(status) => Answer::json(&Value::Null)?.status(status),
        None => Answer::whole("", "application/json").status(StatusCode::NO_CONTENT),
    };
    Ok(with_place(answer, seq))
}

/// The status of success that the document has in place of the operation's own.
fn declared_status(target: &Target) -> Option<StatusCode> {
    let status = target.operation().status?;
    StatusCode::from_u16(status).ok()
}

/// Writes the one record that the request's path and `If-Match` mean.
async fn aimed_at(
    call: &Call,
    target: &Target,
    write: Write,
    extent: Extent,
) -> Result<(Option<ServerSeq>, WrittenRow), ApiError> {
    let versions = match IfMatch::of(&call.headers)? {
        IfMatch::Any => None,
        // A tag that is none of ours is no version of the record.
        IfMatch::Tags(tags) => Some(tags.iter().filter_map(|tag| tag.parse().ok()).collect()),
    };
    let aim = Aim {
        within: target.fields().to_vec(),
        versions,
        extent,
    };
    let change = RecordChange::Aimed(AimedWrite { write, aim });
    let name = idempotency_key(call)?;
    let (seq, mut rows) = written(call, target, change, name.as_deref()).await?;
    Ok((seq, rows.pop().expect("one write has one row")))
}

/// Writes, and gives the place and the rows; no place: an earlier request has written, and the place is
/// not known any more.
async fn written(
    call: &Call,
    target: &Target,
    change: RecordChange,
    name: Option<&str>,
) -> Result<(Option<ServerSeq>, Vec<WrittenRow>), ApiError> {
    match target.backend().write(call, change, name).await? {
        Recorded::Written { seq, rows } => Ok((Some(seq), rows)),
        Recorded::Repeated { seq, rows } => Ok((seq, rows)),
        Recorded::KeyReused => Err(key_reused()),
        Recorded::Refused(error) => Err(refused(*error)),
        Recorded::Applied { .. } | Recorded::Breaking(_) => {
            unreachable!("a write of records is none of the schema")
        }
    }
}

/// The answer to a write of one record, whose body said this of what records don't take.
fn answer_of(
    row: WrittenRow,
    seq: Option<ServerSeq>,
    unkept: &[Values],
) -> Result<Answer, ApiError> {
    let version = row.row.as_ref().map(|row| row.version());
    let told = row.told.or(seq);
    let answer = Answer::json(&row_json(row.clone(), seq))?;
    let answer = with_places(with_ignored(answer, unkept, &[row]), told, seq);
    Ok(match version {
        Some(version) => answer.tagged(version),
        None => answer,
    })
}

fn write(target: &Target, id: String, action: Action, values: Values) -> Write {
    Write {
        entity: target.entity().name.clone(),
        id,
        action,
        values,
        defaults: Values::new(),
        unset: Default::default(),
        base: Values::new(),
    }
}

/// The id of a new record: the next of `fresh`, or, of a request with a name, what follows from that.
fn minted(
    target: &Target,
    name: Option<&str>,
    at: usize,
    fresh: &mut impl Iterator<Item = Uuid>,
) -> Result<String, ApiError> {
    let entity = target.entity();
    let kind = entity.key_field().map(|field| &field.kind);
    if !matches!(kind, Some(FieldKind::Uuid | FieldKind::Text)) {
        let message = "must be given: only UUIDs and texts are minted";
        return Err(ApiError::invalid_field(&entity.key, message));
    }
    let named = name.map(|name| {
        let name = format!("{}\0{name}\0{at}", entity.name);
        Uuid::new_v5(&NAMES, name.as_bytes())
    });
    let id = named.or_else(|| fresh.next());
    Ok(id.expect("new ids have no end").to_string())
}
