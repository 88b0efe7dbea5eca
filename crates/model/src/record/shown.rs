//! Values that were written when their field was of another kind.
//!
//! They stay in the log and in the record's history as they are. Whoever reads the record has what a shape
//! tells of them: the value that the field's kind reads in how it is written, or null.

use serde_json::Value as Json;

use super::exact::plain_decimal;
use super::rules::mismatch;
use crate::schema::{Entity, FieldKind};
use crate::shape::{Kind, print_datum, read_datum, scalar_of};

/// What a column's value is shown as; none: as it is.
pub(super) fn shown_as(entity: &Entity, column: &str, value: &Json) -> Option<Json> {
    shown_as_kind(&entity.field(column)?.kind, value)
}

/// What a value is shown as by a field of this kind; none: as it is.
pub fn shown_as_kind(kind: &FieldKind, value: &Json) -> Option<Json> {
    if value.is_null() || mismatch(kind, value).is_none() {
        return None;
    }
    let text = match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    let read = || {
        let kind = Kind::one(scalar_of(kind));
        print_datum(kind, &read_datum(kind, &text)?)
    };
    let shown = match kind {
        FieldKind::Text => Some(Json::String(text)),
        FieldKind::Decimal => plain_decimal(text.trim()).map(Json::String),
        FieldKind::Uuid | FieldKind::Date | FieldKind::Time => read().map(Json::String),
        FieldKind::Timestamp => read().map(|text| Json::String(text.replacen(' ', "T", 1))),
        FieldKind::Boolean | FieldKind::Int32 | FieldKind::Int64 | FieldKind::Float => {
            read().and_then(|text| serde_json::from_str(&text).ok())
        }
        FieldKind::Json => return None,
    };
    let is_of_kind = |value: &Json| mismatch(kind, value).is_none();
    Some(shown.filter(is_of_kind).unwrap_or(Json::Null))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::Schema;

    fn shown(kind: &str, value: Json) -> Json {
        let field = json!({"name": "x", "kind": kind});
        let schema: Schema = serde_json::from_value(json!({"entities": [{
            "name": "notes", "singular": "note", "key": "id", "mode": {"kind": "confirmed"},
            "fields": [{"name": "id", "kind": "text"}, field],
        }]}))
        .unwrap();
        let entity = &schema.entities[0];
        shown_as(entity, "x", &value).unwrap_or(value)
    }

    #[test]
    fn a_value_of_another_kind_is_read_as_its_own_or_is_null() {
        for (kind, value, expected) in [
            ("int64", json!("5"), json!(5)),
            ("int64", json!("five"), Json::Null),
            ("int64", json!(5), json!(5)),
            ("int32", json!(5_000_000_000_i64), Json::Null),
            ("int64", json!(5.0), Json::Null),
            ("text", json!(5), json!("5")),
            ("text", json!({"a": 1}), json!("{\"a\":1}")),
            ("boolean", json!("true"), json!(true)),
            ("boolean", json!(7), Json::Null),
            ("float", json!("1.5"), json!(1.5)),
            ("float", json!("NaN"), Json::Null),
            ("decimal", json!("1.50"), json!("1.50")),
            ("decimal", json!("x"), Json::Null),
            ("date", json!("2026-01-31"), json!("2026-01-31")),
            ("date", json!("soon"), Json::Null),
            (
                "timestamp",
                json!("2026-01-31 10:00:00Z"),
                json!("2026-01-31 10:00:00Z"),
            ),
            ("json", json!([1]), json!([1])),
            // No value is none of any kind.
            ("text", Json::Null, Json::Null),
            ("decimal", json!(" 1.50 "), json!("1.50")),
            ("decimal", json!("1e3"), json!("1000")),
            (
                "timestamp",
                json!("2026-01-31 10:00"),
                json!("2026-01-31T10:00:00+00"),
            ),
            ("time", json!("10:00:00 "), json!("10:00:00")),
            ("time", json!("24:00:00"), Json::Null),
            (
                "uuid",
                json!("{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}"),
                json!("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
            ),
            // Beyond what the kind holds, though its column would.
            ("int64", json!("9007199254740993"), Json::Null),
        ] {
            assert_eq!(shown(kind, value.clone()), expected, "{kind} {value}");
        }
    }
}
