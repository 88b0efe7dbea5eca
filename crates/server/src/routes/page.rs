//! How much a page holds.

use crate::error::ApiError;

/// A number from 1 to `max`.
pub(super) fn bounded(
    field: &str,
    value: Option<u64>,
    usual: u64,
    max: u64,
) -> Result<u64, ApiError> {
    match value {
        None => Ok(usual),
        Some(value) if (1..=max).contains(&value) => Ok(value),
        Some(_) => Err(ApiError::invalid_field(
            field,
            format!("must be from 1 to {max}"),
        )),
    }
}
