//! The types that cells and expressions have.

use std::fmt;

/// A type: one value, or an array of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind {
    pub scalar: Scalar,
    pub is_array: bool,
}

/// A type of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scalar {
    Bool,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    Text,
    Varchar,
    Uuid,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    Interval,
    Json,
    Jsonb,
}

/// Names that a cast may give a type, and how the type is called in a schema and in errors.
const NAMES: &[(Scalar, &str, &str, &[&str])] = &[
    (Scalar::Bool, "bool", "boolean", &[]),
    (Scalar::Int2, "int2", "smallint", &[]),
    (Scalar::Int4, "int4", "integer", &["int"]),
    (Scalar::Int8, "int8", "bigint", &[]),
    (Scalar::Float4, "float4", "real", &[]),
    (Scalar::Float8, "float8", "double precision", &["float"]),
    (Scalar::Numeric, "numeric", "numeric", &["decimal", "dec"]),
    (Scalar::Text, "text", "text", &[]),
    (Scalar::Varchar, "varchar", "character varying", &[]),
    (Scalar::Uuid, "uuid", "uuid", &[]),
    (Scalar::Date, "date", "date", &[]),
    (Scalar::Time, "time", "time without time zone", &[]),
    (
        Scalar::Timestamp,
        "timestamp",
        "timestamp without time zone",
        &[],
    ),
    (
        Scalar::TimestampTz,
        "timestamptz",
        "timestamp with time zone",
        &[],
    ),
    (Scalar::Interval, "interval", "interval", &[]),
    (Scalar::Json, "json", "json", &[]),
    (Scalar::Jsonb, "jsonb", "jsonb", &[]),
];

impl Scalar {
    /// The type of this name, in lower case.
    pub fn named(name: &str) -> Option<Self> {
        let row = NAMES
            .iter()
            .find(|(_, short, long, more)| *short == name || *long == name || more.contains(&name));
        row.map(|row| row.0)
    }

    /// Its short name, as schemas have it: `int4`.
    pub fn short_name(self) -> &'static str {
        self.row().1
    }

    fn row(self) -> &'static (Self, &'static str, &'static str, &'static [&'static str]) {
        let row = NAMES.iter().find(|row| row.0 == self);
        row.expect("every type is in the table")
    }

    pub(super) fn is_integer(self) -> bool {
        matches!(self, Self::Int2 | Self::Int4 | Self::Int8)
    }

    pub(super) fn is_float(self) -> bool {
        matches!(self, Self::Float4 | Self::Float8)
    }

    pub(super) fn is_number(self) -> bool {
        self.is_integer() || self.is_float() || self == Self::Numeric
    }

    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Varchar)
    }

    /// Whether it names a day.
    pub(super) fn has_date(self) -> bool {
        matches!(self, Self::Date | Self::Timestamp | Self::TimestampTz)
    }
}

impl Kind {
    pub(super) const BOOL: Self = Self::one(Scalar::Bool);
    pub(super) const TEXT: Self = Self::one(Scalar::Text);
    pub(super) const INT4: Self = Self::one(Scalar::Int4);

    /// The type of one such value.
    pub const fn one(scalar: Scalar) -> Self {
        Self {
            scalar,
            is_array: false,
        }
    }

    /// The type of arrays of such values.
    pub const fn array(scalar: Scalar) -> Self {
        Self {
            scalar,
            is_array: true,
        }
    }

    pub(super) const fn element(self) -> Self {
        Self::one(self.scalar)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let array = if self.is_array { "[]" } else { "" };
        write!(formatter, "{}{array}", self.scalar.row().2)
    }
}
