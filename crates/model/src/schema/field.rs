//! One field of an entity: what it may hold.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::JsonRules;

/// One field of an entity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// As the document spells it.
    pub name: String,
    pub kind: FieldKind,
    /// Whether null is a value of it. Absent and null are two things.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nullable: bool,
    /// Whether a new record must name it, if it has no default.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// Whether clients may not write it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
    /// Whether it exists on clients alone and never travels.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sync_exclude: bool,
    /// Whether only owners write it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub owner_only: bool,
    /// What a new record holds that does not name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    #[serde(default, skip_serializing_if = "Rules::is_empty")]
    pub rules: Rules,
    /// The entity whose key this field holds, if the document says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub references: Option<String>,
    /// The document's words on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What values a field has, apart from null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    Text,
    /// A UUID in its hyphenated form.
    Uuid,
    Boolean,
    /// A whole number from -2^31 to 2^31-1.
    Int32,
    /// A whole number from -(2^53-1) to 2^53-1: what every client can hold.
    Int64,
    /// A double.
    Float,
    /// A decimal number of any precision, as text.
    Decimal,
    /// A day, `2026-01-31`.
    Date,
    /// A time of day, `23:59:59`.
    Time,
    /// A point in time, RFC 3339.
    Timestamp,
    /// Any JSON value: objects, arrays, and what no other kind can say.
    Json,
}

impl FieldKind {
    /// Whether records can be told apart by values of this kind: each is written in one way alone.
    pub fn is_for_keys(&self) -> bool {
        match self {
            Self::Text | Self::Uuid | Self::Int32 | Self::Int64 => true,
            Self::Boolean
            | Self::Float
            | Self::Decimal
            | Self::Date
            | Self::Time
            | Self::Timestamp
            | Self::Json => false,
        }
    }
}

/// What else a value must satisfy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// The values that there are. Empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<Value>,
    /// In Unicode characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u64>,
    /// In Unicode characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u64>,
    /// An ECMA-262 regular expression that occurs somewhere in the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Bound>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<Bound>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiple_of: Option<f64>,
    /// What the document calls the text's form, where it is no kind of ours: `email`, `uri`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// What values of JSON are made of. Schemas of earlier builds lack it, and take any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Box<JsonRules>>,
}

impl Rules {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One end of a range of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bound {
    pub value: f64,
    /// Whether the value itself is outside.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exclusive: bool,
}
