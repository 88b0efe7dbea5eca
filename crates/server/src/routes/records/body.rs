//! The values that a request's body holds.

use serde_json::Value;
use serde_json::value::RawValue;
use syncline_model::record::{Values, read_exactly};
use syncline_model::schema::Entity;

use crate::error::ApiError;
use crate::http::Call;

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

/// The values of a body that is one record.
pub(super) fn record(call: &Call, entity: &Entity) -> Result<Values, ApiError> {
    of_value(call.json()?, call.json()?, entity)
}

fn of_value(written: Box<RawValue>, body: Value, entity: &Entity) -> Result<Values, ApiError> {
    let mut values = object(body)?;
    read_exactly(entity, &written, &mut values)
        .map_err(|error| ApiError::invalid_field(&error.field, error.message))?;
    Ok(values)
}

pub(super) fn object(body: Value) -> Result<Values, ApiError> {
    match body {
        Value::Object(body) => Ok(body.into_iter().collect()),
        _ => Err(ApiError::invalid_field("body", "must be an object")),
    }
}
