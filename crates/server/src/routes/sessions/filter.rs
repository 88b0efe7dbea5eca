//! Which sessions a request is about.

use serde::{Deserialize, Deserializer};
use syncline_model::Timestamp;
use syncline_store::search::PartFilter;
use syncline_store::sessions::SessionFilter;

use crate::error::ApiError;
use crate::http::Call;

/// More than any session costs.
const DOLLARS_MAX: f64 = 1e6;

/// The parameters that every request about several sessions takes.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Chosen {
    agent: Option<String>,
    project: Option<String>,
    machine: Option<String>,
    branch: Option<String>,
    model: Option<String>,
    #[serde(default, deserialize_with = "moment")]
    pub(super) since: Option<Timestamp>,
    #[serde(default, deserialize_with = "moment")]
    pub(super) until: Option<Timestamp>,
    has_error: Option<bool>,
    min_cost: Option<f64>,
}

/// A time, or a day of UTC.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let day = format!("{text}T00:00:00Z");
    let at = text.parse().or_else(|_| day.parse());
    at.map(Some).map_err(|_| {
        serde::de::Error::custom("expected a day such as 2026-01-31, or a time of RFC 3339")
    })
}

impl Chosen {
    pub(super) fn of(call: &Call) -> Result<Self, ApiError> {
        let chosen: Self = call.query_as()?;
        match chosen.min_cost {
            Some(cost) if !(0.0..=DOLLARS_MAX).contains(&cost) => Err(ApiError::invalid_field(
                "min_cost",
                format!("must be dollars, from 0 to {DOLLARS_MAX}"),
            )),
            Some(_) | None => Ok(chosen),
        }
    }

    /// Whether anything is said that only a session has.
    pub(super) fn is_of_sessions(&self) -> bool {
        let texts = [&self.agent, &self.machine, &self.branch, &self.model];
        texts.into_iter().any(Option::is_some)
            || self.since.is_some()
            || self.until.is_some()
            || self.has_error.is_some()
            || self.min_cost.is_some()
    }

    pub(super) fn project(&self) -> Option<&str> {
        self.project.as_deref()
    }

    pub(super) fn sessions(&self) -> SessionFilter<'_> {
        SessionFilter {
            since: self.since,
            until: self.until,
            has_error: self.has_error,
            cost_nanos_min: self.cost_nanos_min(),
            ..self.whenever()
        }
    }

    /// The filter without its time, its error and its cost.
    pub(super) fn whenever(&self) -> SessionFilter<'_> {
        SessionFilter {
            agent: self.agent.as_deref(),
            project: self.project.as_deref(),
            machine: self.machine.as_deref(),
            branch: self.branch.as_deref(),
            model: self.model.as_deref(),
            ..SessionFilter::default()
        }
    }

    pub(super) fn parts(&self) -> PartFilter<'_> {
        PartFilter {
            agent: self.agent.as_deref(),
            project: self.project.as_deref(),
            machine: self.machine.as_deref(),
            branch: self.branch.as_deref(),
            model: self.model.as_deref(),
            since: self.since,
            until: self.until,
            has_error: self.has_error,
            cost_nanos_min: self.cost_nanos_min(),
            ..PartFilter::default()
        }
    }

    fn cost_nanos_min(&self) -> Option<u64> {
        self.min_cost.map(|dollars| (dollars * 1e9).round() as u64)
    }
}
