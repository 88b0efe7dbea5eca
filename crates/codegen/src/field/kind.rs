//! What values a schema has.

use serde_json::Value;
use syncline_model::record::whole_number;
use syncline_model::schema::FieldKind;

use crate::diagnostic::Code;
use crate::document::Node;
use crate::merged::Merged;
use crate::reading::Reading;

/// The kind of a schema's values. What no other kind can say is JSON.
pub(crate) fn of<'d>(reading: &Reading<'d>, merged: &Merged<'d>, node: Node<'d>) -> FieldKind {
    let types = merged.types();
    match types.as_slice() {
        [] if !merged.unions.is_empty() => of_union(reading, merged, node),
        [] => untyped(reading, merged),
        [one] => typed(reading, merged, one),
        ["integer", "number"] | ["number", "integer"] => FieldKind::Float,
        _ if is_decimal(&types) => FieldKind::Decimal,
        _ => {
            let message = format!(
                "values of several types ({}) are any JSON",
                types.join(", ")
            );
            reading.warning(node, Code::UNION, message);
            FieldKind::Json
        }
    }
}

fn typed(reading: &Reading<'_>, merged: &Merged<'_>, name: &str) -> FieldKind {
    let format = merged.get("format").and_then(Node::as_text);
    match (name, format) {
        ("string", Some("uuid")) => FieldKind::Uuid,
        ("string", Some("date")) => FieldKind::Date,
        ("string", Some("time")) => FieldKind::Time,
        ("string", Some("date-time")) => FieldKind::Timestamp,
        ("string" | "number", Some("decimal")) => FieldKind::Decimal,
        ("string", _) => FieldKind::Text,
        ("boolean", _) => FieldKind::Boolean,
        ("integer", Some("int32")) => FieldKind::Int32,
        ("integer", _) => FieldKind::Int64,
        ("number", _) => FieldKind::Float,
        ("object" | "array", _) => FieldKind::Json,
        _ => {
            if let Some(node) = merged.get("type") {
                let message = format!("`{name}` is no type of OpenAPI: its values are any JSON");
                reading.warning(node, Code::TYPE, message);
            }
            FieldKind::Json
        }
    }
}

/// The kind of values within others. A number or text there is no decimal by that alone: text is any text, where
/// nothing says that it is a number's.
pub(super) fn within<'d>(reading: &Reading<'d>, merged: &Merged<'d>, node: Node<'d>) -> FieldKind {
    let kind = of(reading, merged, node);
    let is_said = |merged: &Merged<'_>| {
        let format = merged.get("format").and_then(Node::as_text);
        format == Some("decimal")
    };
    let mut alternatives = merged.unions.iter().flatten();
    let is_decimal =
        is_said(merged) || alternatives.any(|schema| is_said(&Merged::of(reading, *schema)));
    if kind != FieldKind::Decimal || is_decimal {
        return kind;
    }
    let message = "a number or text within a field is any JSON, unless its `format` is `decimal`";
    reading.warning(node, Code::UNION, message);
    FieldKind::Json
}

/// Without a type the allowed values tell it, if they are of one.
fn untyped(reading: &Reading<'_>, merged: &Merged<'_>) -> FieldKind {
    let constant = merged.get("const").into_iter();
    let values = constant.chain(merged.get("enum").into_iter().flat_map(Node::items));
    let mut types = values.filter(|value| !value.is_null()).map(type_of);
    match types.next() {
        Some(Some(first)) if types.all(|other| other == Some(first)) => {
            typed(reading, merged, first)
        }
        _ => FieldKind::Json,
    }
}

fn type_of(value: Node<'_>) -> Option<&'static str> {
    let is_whole = |value: Node<'_>| value.as_number().map(|number| !number.is_f64());
    if value.as_text().is_some() {
        return Some("string");
    }
    if value.as_boolean().is_some() {
        return Some("boolean");
    }
    is_whole(value).map(|whole| match whole {
        true => "integer",
        false => "number",
    })
}

/// A union is of a kind if all its schemas are.
fn of_union<'d>(reading: &Reading<'d>, merged: &Merged<'d>, node: Node<'d>) -> FieldKind {
    let alternatives: Vec<_> = merged.unions.iter().flatten().collect();
    let mut kinds = Vec::new();
    let mut types = Vec::new();
    for alternative in &alternatives {
        let alternative_merged = Merged::of(reading, **alternative);
        // A union within a union is no plain kind, and reading it again could go on for ever.
        let plain = alternative_merged.unions.is_empty();
        types.extend(alternative_merged.types());
        kinds.push(match plain {
            true => of(reading, &alternative_merged, **alternative),
            false => FieldKind::Json,
        });
    }
    let is_plain = kinds.iter().all(|kind| *kind != FieldKind::Json);
    match kinds.split_first() {
        Some((first, rest)) if is_plain && rest.iter().all(|kind| kind == first) => first.clone(),
        _ if is_plain && is_decimal(&types) => FieldKind::Decimal,
        // Objects have the properties of all the schemas, which is told of where they are read.
        _ if merged.unions.len() == merged.variants.len() => FieldKind::Json,
        _ => {
            let message = "a value that satisfies one of several schemas is any JSON";
            reading.warning(node, Code::UNION, message);
            FieldKind::Json
        }
    }
}

/// The values that the schemas of a union name, where each of them names some: as the variants of a record do of
/// the property that tells them apart.
pub(super) fn values_of_union<'d>(reading: &Reading<'d>, merged: &Merged<'d>) -> Vec<Node<'d>> {
    let of_union = |union: &Vec<Node<'d>>| {
        let values = union.iter().map(|schema| {
            let merged = Merged::of(reading, *schema);
            match (merged.get("const"), merged.get("enum")) {
                (Some(constant), _) => Some(vec![constant]),
                (None, Some(listed)) => Some(listed.items().collect()),
                (None, None) => None,
            }
        });
        values.collect::<Option<Vec<_>>>()
    };
    let found = merged.unions.iter().find_map(of_union);
    found.into_iter().flatten().flatten().collect()
}

/// Whether values are numbers, or the same as text: how decimals are taken without loss.
fn is_decimal(types: &[&str]) -> bool {
    let is = |name: &&str| matches!(*name, "number" | "integer" | "string");
    types.iter().all(is) && types.contains(&"string") && types.contains(&"number")
}

/// Of a decimal that is taken as a number or as text, the number, which has the rules.
pub(crate) fn number_alternative<'d>(
    reading: &Reading<'d>,
    merged: &Merged<'d>,
) -> Option<Merged<'d>> {
    let alternatives = merged.unions.iter().flatten();
    let mut alternatives = alternatives.map(|schema| Merged::of(reading, *schema));
    alternatives.find(|alternative| alternative.types() == ["number"])
}

/// Whether a value that the document names is one of the kind.
pub(crate) fn takes(kind: &FieldKind, value: &Value) -> bool {
    match kind {
        FieldKind::Text
        | FieldKind::Uuid
        | FieldKind::Date
        | FieldKind::Time
        | FieldKind::Timestamp => value.is_string(),
        FieldKind::Boolean => value.is_boolean(),
        FieldKind::Int32 => whole_number(value).is_some_and(|number| i32::try_from(number).is_ok()),
        FieldKind::Int64 => {
            whole_number(value).is_some_and(|number| number.unsigned_abs() < 1 << 53)
        }
        FieldKind::Float => value.is_number(),
        FieldKind::Decimal => {
            let text = value.as_str().map(str::parse::<f64>);
            value.is_number() || text.is_some_and(|number| number.is_ok_and(f64::is_finite))
        }
        FieldKind::Json => true,
    }
}

/// The value as records of the kind hold it.
pub(crate) fn normal(kind: &FieldKind, value: Value) -> Value {
    match kind {
        FieldKind::Decimal if value.is_number() => Value::String(value.to_string()),
        FieldKind::Int32 | FieldKind::Int64 => whole_number(&value).map_or(value, Value::from),
        _ => value,
    }
}
