//! Where something is to stand, as a request says it.

use serde::{Deserialize, Serialize};
use syncline_model::list::Spot;

use crate::error::ApiError;

/// One of `before`, `after` and `position`, or none of them.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct SentSpot {
    before: Option<String>,
    after: Option<String>,
    position: Option<End>,
}

#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum End {
    Start,
    End,
}

/// Which of two places beside something is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
}

impl Side {
    /// The field that says it.
    pub(super) const fn field(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

impl SentSpot {
    /// Checks that no more than one is said.
    pub(super) fn check(&self) -> Result<(), ApiError> {
        let said = [
            self.before.is_some(),
            self.after.is_some(),
            self.position.is_some(),
        ];
        if said.into_iter().filter(|said| *said).count() > 1 {
            let message = "goes with no other of before, after and position";
            return Err(ApiError::invalid_field("position", message));
        }
        Ok(())
    }

    /// The place that is said, beside what `find` makes of an id; none: none is said.
    pub(super) fn find<K, E>(
        &self,
        find: impl FnOnce(Side, &str) -> Result<K, E>,
    ) -> Result<Option<Spot<K>>, E> {
        match (&self.before, &self.after, self.position) {
            (Some(id), _, _) => Ok(Some(Spot::Before(find(Side::Before, id)?))),
            (None, Some(id), _) => Ok(Some(Spot::After(find(Side::After, id)?))),
            (None, None, Some(End::Start)) => Ok(Some(Spot::Start)),
            (None, None, Some(End::End)) => Ok(Some(Spot::End)),
            (None, None, None) => Ok(None),
        }
    }

    /// Whether any place is said.
    pub(super) fn is_said(&self) -> bool {
        self.before.is_some() || self.after.is_some() || self.position.is_some()
    }
}
