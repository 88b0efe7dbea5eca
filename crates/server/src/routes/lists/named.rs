//! Ids that follow from an `Idempotency-Key`, and from what was asked with it.

use serde::Serialize;
use uuid::Uuid;

use crate::error::ApiError;
use crate::routes::decide::key_reused;

/// Hexadecimal digits of what was asked.
const ASKED_DIGITS: usize = 16;

/// The id of what a request with an `Idempotency-Key` makes: its first part is the key's, its second
/// part that of what is asked. So the view remembers both, and another wish under one key is noticed.
#[derive(Debug, Clone)]
pub(super) struct Named {
    key: String,
    asked: String,
}

impl Named {
    pub(super) fn new(names: &Uuid, key: &str, asked: &impl Serialize) -> Result<Self, ApiError> {
        let asked = serde_json::to_vec(asked).map_err(ApiError::internal)?;
        let mut asked = Uuid::new_v5(names, &asked).simple().to_string();
        asked.truncate(ASKED_DIGITS);
        Ok(Self {
            key: Uuid::new_v5(names, key.as_bytes()).to_string(),
            asked,
        })
    }

    /// How the ids of all that was made of this key begin.
    pub(super) fn begin(&self) -> &str {
        &self.key
    }

    pub(super) fn id(&self) -> String {
        format!("{}-{}", self.key, self.asked)
    }

    /// The id of what an earlier request with this key has made, of those that begin like this one;
    /// none: there was none. Refused where that asked for something else.
    pub(super) fn made(&self, begun: Vec<String>) -> Result<Option<String>, ApiError> {
        // Earlier versions did not say what was asked.
        let is_same = |made: &String| *made == self.key || *made == self.id();
        match begun.into_iter().next() {
            Some(made) if !is_same(&made) => Err(key_reused()),
            made => Ok(made),
        }
    }
}
