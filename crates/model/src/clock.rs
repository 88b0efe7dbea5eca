//! Lamport clocks and places in the log.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::limits::{CLOCK_LEAD_MAX, CLOCK_MAX};

/// A Lamport clock, 1 to 2^53-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Clock(u64);

/// Why a number is no clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("clock {0} is outside 1 to {CLOCK_MAX}")]
pub struct ClockError(pub u64);

impl Clock {
    pub fn new(value: u64) -> Result<Self, ClockError> {
        if (1..=CLOCK_MAX).contains(&value) {
            Ok(Self(value))
        } else {
            Err(ClockError(value))
        }
    }

    pub const fn get(self) -> u64 {
        self.0
    }

    /// The clock of a write made after `highest` was seen (0: nothing was); none past the last clock.
    pub fn after(highest: u64) -> Result<Self, ClockError> {
        Self::new(highest.saturating_add(1))
    }

    /// Whether this clock leads `highest` by more than the protocol allows.
    pub fn leads_too_far(self, highest: u64) -> bool {
        self.0 > highest.saturating_add(CLOCK_LEAD_MAX)
    }
}

impl<'de> Deserialize<'de> for Clock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An op's place in the log; 0 is the place before the first op.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ServerSeq(pub u64);

impl ServerSeq {
    pub const ZERO: Self = Self(0);

    pub const fn get(self) -> u64 {
        self.0
    }

    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for ServerSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
