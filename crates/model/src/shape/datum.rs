//! Values that expressions have, and their order.

use std::cmp::Ordering;

use super::decimal::Decimal;

/// A value. Its type is known beside it: texts and varchars are both text here.
#[derive(Debug, Clone, PartialEq)]
pub enum Datum {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Numeric(Decimal),
    Text(String),
    Uuid(u128),
    /// Days since 1970-01-01.
    Date(i64),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds since 1970-01-01, with a zone or without.
    Timestamp(i64),
    Interval(Interval),
    /// Elements, or arrays of the same length.
    Array(Vec<Datum>),
    Row(Vec<Datum>),
}

/// A span of time, in the three units that don't follow from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Interval {
    pub months: i64,
    pub days: i64,
    pub micros: i64,
}

pub(super) const DAY_MICROS: i64 = 86_400_000_000;

impl Interval {
    /// What intervals are compared by: months of 30 days, days of 24 hours.
    fn span(self) -> i128 {
        let days = i128::from(self.months) * 30 + i128::from(self.days);
        days * i128::from(DAY_MICROS) + i128::from(self.micros)
    }
}

impl Datum {
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The memory that it takes, about.
    pub(super) fn bytes(&self) -> usize {
        let own = size_of::<Self>();
        match self {
            Self::Text(text) => own + text.len(),
            Self::Array(parts) | Self::Row(parts) => {
                own + parts.iter().map(Self::bytes).sum::<usize>()
            }
            Self::Null
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Float(_)
            | Self::Numeric(_)
            | Self::Uuid(_)
            | Self::Date(_)
            | Self::Time(_)
            | Self::Timestamp(_)
            | Self::Interval(_) => own,
        }
    }

    pub(super) fn truth(&self) -> Option<bool> {
        if let Self::Bool(truth) = self {
            Some(*truth)
        } else {
            None
        }
    }
}

/// The order of two values of one type, neither of them null; a null inside an array is its greatest
/// element, as Postgres sorts it.
pub(super) fn compare(one: &Datum, other: &Datum) -> Ordering {
    use Datum::{
        Array, Bool, Date, Float, Int, Interval, Null, Numeric, Row, Text, Time, Timestamp, Uuid,
    };
    match (one, other) {
        (Null, Null) => Ordering::Equal,
        (Null, _) => Ordering::Greater,
        (_, Null) => Ordering::Less,
        (Bool(one), Bool(other)) => one.cmp(other),
        (Int(one), Int(other)) | (Date(one), Date(other)) => one.cmp(other),
        (Time(one), Time(other)) | (Timestamp(one), Timestamp(other)) => one.cmp(other),
        (Float(one), Float(other)) => compare_floats(*one, *other),
        (Numeric(one), Numeric(other)) => one.cmp(other),
        (Text(one), Text(other)) => one.as_bytes().cmp(other.as_bytes()),
        (Uuid(one), Uuid(other)) => one.cmp(other),
        (Interval(one), Interval(other)) => one.span().cmp(&other.span()),
        (Array(one), Array(other)) | (Row(one), Row(other)) => compare_lists(one, other),
        // The check of types leaves no others.
        (_, _) => Ordering::Less,
    }
}

fn compare_lists(one: &[Datum], other: &[Datum]) -> Ordering {
    let elements = one.iter().zip(other);
    let first = elements
        .map(|(one, other)| compare(one, other))
        .find(|order| order.is_ne());
    first.unwrap_or_else(|| one.len().cmp(&other.len()))
}

/// A value that is no number is equal to itself, and above all others.
fn compare_floats(one: f64, other: f64) -> Ordering {
    match (one.is_nan(), other.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => one.partial_cmp(&other).unwrap_or(Ordering::Equal),
    }
}
