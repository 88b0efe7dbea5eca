//! The values that a request's body holds.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;
use syncline_model::record::{Values, read_exactly};
use syncline_model::schema::Entity;

use crate::error::ApiError;
use crate::http::Call;

/// What a body calls the values that its writer saw.
const BASE: &str = "_base";

/// The records of a body, and whether it is one that stands alone.
pub(super) fn records(call: &Call, entity: &Entity) -> Result<(Vec<Values>, bool), ApiError> {
    let bodies = match call.json()? {
        Value::Array(bodies) => bodies,
        one => return Ok((vec![of_value(call.json()?, one, entity)?], true)),
    };
    let written: Vec<Box<RawValue>> = call.json()?;
    let all = written.into_iter().zip(bodies);
    let all = all.map(|(written, body)| of_value(written, body, entity));
    Ok((all.collect::<Result<_, _>>()?, false))
}

/// The values of a body that changes a record, and those that its writer saw.
pub(super) fn change(call: &Call, entity: &Entity) -> Result<(Values, Values), ApiError> {
    let written: Box<RawValue> = call.json()?;
    let mut values = object(call.json()?)?;
    let mut base = Values::new();
    if let Some(seen) = values.remove(BASE) {
        base = object(seen).map_err(|_| ApiError::invalid_field(BASE, "must be an object"))?;
        let parts: BTreeMap<String, &RawValue> =
            serde_json::from_str(written.get()).map_err(ApiError::internal)?;
        let seen = parts.get(BASE).expect("it was among the values");
        exactly(entity, seen, &mut base)?;
    }
    exactly(entity, &written, &mut values)?;
    Ok((values, base))
}

fn of_value(written: Box<RawValue>, body: Value, entity: &Entity) -> Result<Values, ApiError> {
    let mut values = object(body)?;
    exactly(entity, &written, &mut values)?;
    Ok(values)
}

fn exactly(entity: &Entity, written: &RawValue, values: &mut Values) -> Result<(), ApiError> {
    read_exactly(entity, written, values)
        .map_err(|error| ApiError::invalid_field(&error.field, error.message))
}

fn object(body: Value) -> Result<Values, ApiError> {
    match body {
        Value::Object(body) => Ok(body.into_iter().collect()),
        _ => Err(ApiError::invalid_field("body", "must be an object")),
    }
}
