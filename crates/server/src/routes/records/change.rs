//! One record: shown, made, changed, deleted.

use axum::http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};
use syncline_model::ServerSeq;
use syncline_model::record::{Action, Mode, Offered, Values, Write};
use syncline_model::schema::FieldKind;
use syncline_protocol::ErrorCode;
use uuid::Uuid;

use super::target::Target;
use crate::error::ApiError;
use crate::http::{Answer, Call};
use crate::random::new_uuid;
use crate::routes::decide::{idempotency_key, look};
use crate::routes::writes::{details, repeat_key, shown_row, txid};
use crate::tenant::{RecordChange, RecordWrite, Recorded, code_of};

/// The names of records that follow from an `Idempotency-Key`.
const NAMES: Uuid = Uuid::from_u128(0x5d0c_2b1e_91a7_4c35_8f42_6be0_a7d3_190c);
/// Records of one request.
const RECORDS_MAX: usize = 1_000;

pub(super) async fn get(call: &Call, target: &Target) -> Result<Answer, ApiError> {
    let row = shown(call, target, target.id()?).await?;
    if row.is_null()
        || !target
            .fields
            .iter()
            .all(|(name, value)| row.get(name) == Some(value))
    {
        return Err(ApiError::not_found(&target.entity.singular));
    }
    Answer::json(&row)
}

/// Makes a record, or, of an array, all of them or none.
pub(super) async fn create(call: &Call, target: &Target) -> Result<Answer, ApiError> {
    let body: Value = call.json()?;
    let (bodies, is_one) = match body {
        Value::Array(bodies) => (bodies, false),
        one => (vec![one], true),
    };
    if !(1..=RECORDS_MAX).contains(&bodies.len()) {
        return Err(ApiError::invalid_field(
            "body",
            format!("must hold 1 to {RECORDS_MAX} records"),
        ));
    }
    let key = idempotency_key(call)?;
    let mut writes = Vec::new();
    for (at, body) in bodies.into_iter().enumerate() {
        let mut values = object(body)?;
        values.extend(target.fields.iter().cloned());
        let id = match values.remove(&target.entity.key) {
            Some(Value::String(id)) => id,
            Some(Value::Number(id)) => id.to_string(),
            Some(Value::Null) | None => minted(target, key.as_deref(), at)?,
            Some(_) => {
                let message = "must be a text or a whole number";
                return Err(ApiError::invalid_field(&target.entity.key, message));
            }
        };
        writes.push(write(target, id, Action::Create, values, Values::new()));
    }
    let ids: Vec<String> = writes.iter().map(|write| write.id.clone()).collect();
    let seq = written(call, writes).await?;
    let mut rows = Vec::new();
    for id in &ids {
        rows.push(with_txid(shown(call, target, id).await?, seq));
    }
    let answer = if is_one {
        Answer::json(&rows[0])?
    } else {
        Answer::json(&rows)?
    };
    Ok(with_seq(answer.status(StatusCode::CREATED), seq))
}

pub(super) async fn update(call: &Call, target: &Target) -> Result<Answer, ApiError> {
    let mut values = object(call.json()?)?;
    let base = match values.remove("_base") {
        None => Values::new(),
        Some(base) => object(base)?,
    };
    values.remove(&target.entity.key);
    changed(call, target, values, base).await
}

/// What the record holds and the body does not name falls back to its default, or to null; a field that has
/// neither stays.
pub(super) async fn replace(call: &Call, target: &Target) -> Result<Answer, ApiError> {
    let mut values = object(call.json()?)?;
    values.remove(&target.entity.key);
    let before = shown(call, target, target.id()?).await?;
    for field in target.entity.stored_fields() {
        let is_held = before.get(&field.name).is_some_and(|held| !held.is_null());
        let falls_back = field.nullable || field.default.is_some();
        if is_held && falls_back && !field.read_only && field.name != target.entity.key {
            values
                .entry(field.name.clone())
                .or_insert_with(|| field.default.clone().unwrap_or(Value::Null));
        }
    }
    values.extend(target.fields.iter().cloned());
    changed(call, target, values, Values::new()).await
}

async fn changed(
    call: &Call,
    target: &Target,
    values: Values,
    base: Values,
) -> Result<Answer, ApiError> {
    let id = target.id()?.to_owned();
    let seq = written(
        call,
        vec![write(target, id.clone(), Action::Update, values, base)],
    )
    .await?;
    let row = with_txid(shown(call, target, &id).await?, seq);
    Ok(with_seq(Answer::json(&row)?, seq))
}

pub(super) async fn delete(call: &Call, target: &Target) -> Result<Answer, ApiError> {
    let id = target.id()?.to_owned();
    let none = Values::new();
    let seq = written(
        call,
        vec![write(target, id, Action::Delete, none.clone(), none)],
    )
    .await?;
    let answer = Answer::whole("", "application/json").status(StatusCode::NO_CONTENT);
    Ok(with_seq(answer, seq))
}

/// Writes, and says at which place; none: an earlier request has, and the place is not known any more.
async fn written(call: &Call, writes: Vec<Write>) -> Result<Option<ServerSeq>, ApiError> {
    let asker = call.asker()?;
    let user = asker.user.clone();
    let write = RecordWrite {
        asker,
        change: RecordChange::Records(Offered {
            writes,
            mode: Mode::Confirmed,
        }),
        repeat: call
            .headers
            .get("idempotency-key")
            .and_then(|value| value.to_str().ok())
            .map(|key| repeat_key(&user, key.trim())),
    };
    let tenant = call.tenant().await?;
    match tenant.write_record(write, call.body.held()).await? {
        Recorded::Written { seq, .. } => Ok(Some(seq)),
        Recorded::Repeated { seq } => Ok(seq),
        Recorded::KeyReused => Err(ApiError::new(
            ErrorCode::KeyConflict,
            "an earlier request with this Idempotency-Key asked for something else",
        )),
        Recorded::Refused(refusal) => Err(ApiError::new(
            code_of(refusal.code),
            refusal.message.to_string(),
        )
        .details(details(&refusal))),
        Recorded::Applied { .. } | Recorded::Breaking(_) => {
            unreachable!("a write of records is none of the schema")
        }
    }
}

fn write(target: &Target, id: String, action: Action, values: Values, base: Values) -> Write {
    Write {
        entity: target.entity.name.clone(),
        id,
        action,
        values,
        base,
    }
}

fn minted(target: &Target, key: Option<&str>, at: usize) -> Result<String, ApiError> {
    let kind = target.entity.key_field().map(|field| &field.kind);
    if !matches!(kind, Some(FieldKind::Uuid | FieldKind::Text)) {
        let message = "must be given: only UUIDs and texts are minted";
        return Err(ApiError::invalid_field(&target.entity.key, message));
    }
    let id = key.map_or_else(new_uuid, |key| {
        let name = format!("{}\0{key}\0{at}", target.entity.name);
        Uuid::new_v5(&NAMES, name.as_bytes())
    });
    Ok(id.to_string())
}

fn object(body: Value) -> Result<Values, ApiError> {
    match body {
        Value::Object(body) => Ok(body.into_iter().collect()),
        _ => Err(ApiError::invalid_field("body", "must be an object")),
    }
}

async fn shown(call: &Call, target: &Target, id: &str) -> Result<Value, ApiError> {
    let asker = call.asker()?;
    let (schema, entity) = (target.schema.clone(), target.entity.name.clone());
    let id = id.to_owned();
    look(call, move |file| {
        Ok(shown_row(file, &schema, &asker, &entity, &id)?)
    })
    .await
}

fn with_txid(row: Value, seq: Option<ServerSeq>) -> Value {
    let mut row = match row {
        Value::Object(row) => row,
        _ => Map::new(),
    };
    row.insert("txid".to_owned(), json!(seq.map(txid)));
    Value::Object(row)
}

fn with_seq(answer: Answer, seq: Option<ServerSeq>) -> Answer {
    let Some(seq) = seq else { return answer };
    answer
        .header(
            HeaderName::from_static("syncline-txid"),
            HeaderValue::from(txid(seq)),
        )
        .header(
            HeaderName::from_static("syncline-seq"),
            HeaderValue::from(seq.0),
        )
}
