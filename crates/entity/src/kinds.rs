//! Rust's types as kinds of values.

use serde_json::Value;
use syncline_model::schema::{ArrayRules, FieldKind, JsonRules, Nested, Rules};

/// A type that a field of a record may have.
pub trait FieldType {
    const KIND: FieldKind;
    /// Whether null is a value of it.
    const NULLABLE: bool = false;
    /// Whether its values are lists: what is said of one value does not compile on a field of it.
    const IS_LIST: bool = false;

    /// What its values are made of, where they are JSON that the type says more of.
    fn rules() -> Rules {
        Rules::default()
    }
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

/// A list of anything is a list of `serde_json::Value`.
impl<T: FieldType> FieldType for Vec<T> {
    const KIND: FieldKind = FieldKind::Json;
    const IS_LIST: bool = true;

    fn rules() -> Rules {
        let items = Nested {
            kind: T::KIND,
            nullable: T::NULLABLE,
            rules: T::rules(),
        };
        let is_anything = items.kind == FieldKind::Json && items.rules.is_empty();
        Rules {
            json: Some(Box::new(JsonRules::Array(ArrayRules {
                items: (!is_anything).then(|| Box::new(items)),
                ..ArrayRules::default()
            }))),
            ..Rules::default()
        }
    }
}

impl<T: FieldType> FieldType for Option<T> {
    const KIND: FieldKind = T::KIND;
    const NULLABLE: bool = true;
    const IS_LIST: bool = T::IS_LIST;

    fn rules() -> Rules {
        T::rules()
    }
}
