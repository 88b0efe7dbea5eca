//! Rust's types as kinds of values.

use serde_json::Value;
use syncline_model::schema::FieldKind;

/// A type that a field of a record may have.
pub trait FieldType {
    const KIND: FieldKind;
    /// Whether null is a value of it.
    const NULLABLE: bool = false;
}

impl FieldType for String {
    const KIND: FieldKind = FieldKind::Text;
}

impl FieldType for bool {
    const KIND: FieldKind = FieldKind::Boolean;
}

impl FieldType for i32 {
    const KIND: FieldKind = FieldKind::Int32;
}

impl FieldType for i64 {
    const KIND: FieldKind = FieldKind::Int64;
}

impl FieldType for f64 {
    const KIND: FieldKind = FieldKind::Float;
}

impl FieldType for uuid::Uuid {
    const KIND: FieldKind = FieldKind::Uuid;
}

impl FieldType for jiff::civil::Date {
    const KIND: FieldKind = FieldKind::Date;
}

impl FieldType for jiff::civil::Time {
    const KIND: FieldKind = FieldKind::Time;
}

impl FieldType for jiff::Timestamp {
    const KIND: FieldKind = FieldKind::Timestamp;
}

impl FieldType for Value {
    const KIND: FieldKind = FieldKind::Json;
}

impl<T> FieldType for Vec<T> {
    const KIND: FieldKind = FieldKind::Json;
}

impl<T: FieldType> FieldType for Option<T> {
    const KIND: FieldKind = T::KIND;
    const NULLABLE: bool = true;
}
