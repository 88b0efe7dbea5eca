//! What is wrong with a filter, and where.

use std::fmt;

/// The characters of `SELECT 1 WHERE `: clients know places in a filter as counted with that before it.
const BEFORE: usize = 15;

/// Why a text is no filter. Written as `At location 17: syntax error at or near "x"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    /// In characters from the beginning of `SELECT 1 WHERE <filter>`, from 0.
    pub location: usize,
    pub message: String,
}

impl FilterError {
    /// An error at `at`, in characters of the filter.
    pub(super) fn new(at: usize, message: impl Into<String>) -> Self {
        Self {
            location: BEFORE + at,
            message: message.into(),
        }
    }

    /// Where in the filter itself, in characters from 0.
    pub fn place(&self) -> usize {
        self.location.saturating_sub(BEFORE)
    }

    pub(super) fn near(at: usize, text: &str) -> Self {
        Self::new(at, format!("syntax error at or near \"{text}\""))
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "At location {}: {}", self.location, self.message)
    }
}

impl std::error::Error for FilterError {}

/// Why an expression has no value for a row. The row is then not in the shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// A number that its type does not hold.
    OutOfRange,
    DivisionByZero,
    /// A text that is no value of a type.
    Unreadable,
    /// Arrays that don't fit each other, or a pattern that ends with its escape.
    Mismatch,
    /// More than may be made of one row, or than a pattern may be tried.
    TooLarge,
}
