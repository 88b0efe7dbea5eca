//! What a schema asks that no value is held against.

use syncline_model::record::is_checked;
use syncline_model::schema::FieldKind;

use crate::diagnostic::Code;
use crate::document::Node;
use crate::merged::{Merged, is_rule};
use crate::reading::Reading;

/// Keywords that are rules, and are not applied.
const KEYWORDS: [&str; 18] = [
    "not",
    "if",
    "contains",
    "minContains",
    "maxContains",
    "prefixItems",
    "additionalItems",
    "unevaluatedItems",
    "patternProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "unevaluatedProperties",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "contentEncoding",
    "contentSchema",
];

/// Rules that are applied: of several that hold together, the first.
const APPLIED: [&str; 12] = [
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "enum",
    "const",
];

/// Tells of what the values of a field, or within one, are not held against.
pub(crate) fn tell<'d>(reading: &Reading<'d>, merged: &Merged<'d>, kind: &FieldKind) {
    tell_of_keywords(reading, merged);
    for keyword in APPLIED {
        let mut found = merged.all(keyword);
        let first = found.next().map(Node::to_json);
        if let Some(other) = found.find(|other| first != Some(other.to_json())) {
            let message = format!("of several `{keyword}` only the first is checked");
            reading.warning(other, Code::UNCHECKED, message);
        }
    }
    for union in &merged.variants {
        let message = "an object here has the properties of all these schemas: which of them holds is not checked";
        reading.warning(union.node, Code::UNCHECKED, message);
    }
    tell_of_pattern(reading, merged, kind);
    tell_of_alternatives(reading, merged, kind);
}

/// Tells of what whole records are not held against.
pub(crate) fn tell_of_records(reading: &Reading<'_>, merged: &Merged<'_>) {
    tell_of_keywords(reading, merged);
    for node in merged.all("additionalProperties") {
        if node.as_boolean() != Some(true) && node.entries().next().is_some()
            || node.as_boolean() == Some(false)
        {
            let message = "`additionalProperties` of a record is not checked: what clients send beside its fields is kept";
            reading.warning(node, Code::UNCHECKED, message);
        }
    }
    let properties = merged.properties();
    for node in merged.all("required").flat_map(Node::items) {
        let name = node.as_text().unwrap_or_default();
        if !properties.iter().any(|(known, _)| *known == name) {
            let message = format!("`{name}` is required and no property: records may lack it");
            reading.warning(node, Code::UNCHECKED, message);
        }
    }
}

fn tell_of_keywords(reading: &Reading<'_>, merged: &Merged<'_>) {
    for part in &merged.parts {
        for keyword in KEYWORDS {
            if let Some(node) = part.get(keyword) {
                let message = format!("`{keyword}` is not checked");
                reading.warning(node, Code::UNCHECKED, message);
            }
        }
        for keyword in ["oneOf", "anyOf"] {
            let Some(union) = part.get(keyword) else {
                continue;
            };
            let alternatives: Vec<_> = union.items().collect();
            if alternatives.len() > 1 && is_rule(&alternatives) {
                let message = format!("which schema of `{keyword}` holds is not checked");
                reading.warning(union, Code::UNCHECKED, message);
            }
        }
    }
}

/// A pattern that a server can't read, and what is asked of texts that have a form of their own.
fn tell_of_pattern(reading: &Reading<'_>, merged: &Merged<'_>, kind: &FieldKind) {
    if *kind == FieldKind::Text {
        let pattern = merged.get("pattern");
        let text = pattern.and_then(|node| Some((node, node.as_text()?)));
        if let Some((node, _)) = text.filter(|(_, text)| !is_checked(text)) {
            let message = "a server can't read this `pattern`, and does not check it";
            reading.warning(node, Code::UNCHECKED, message);
        }
        return;
    }
    if matches!(
        kind,
        FieldKind::Uuid
            | FieldKind::Date
            | FieldKind::Time
            | FieldKind::Timestamp
            | FieldKind::Decimal
    ) {
        for keyword in ["minLength", "maxLength", "pattern"] {
            if let Some(node) = merged.get(keyword) {
                let message = format!("`{keyword}` is not checked beside this `format`");
                reading.warning(node, Code::UNCHECKED, message);
            }
        }
    }
}

/// The rules of schemas of which one holds. A decimal has those of its number, and JSON of several kinds is told of
/// as that.
fn tell_of_alternatives<'d>(reading: &Reading<'d>, merged: &Merged<'d>, kind: &FieldKind) {
    if matches!(kind, FieldKind::Json | FieldKind::Decimal) {
        return;
    }
    for schema in merged.unions.iter().flatten() {
        let alternative = Merged::of(reading, *schema);
        let rules = APPLIED
            .iter()
            .filter(|keyword| !matches!(**keyword, "enum" | "const"));
        let mut rules = rules.filter_map(|keyword| Some((keyword, alternative.get(keyword)?)));
        if let Some((keyword, node)) = rules.next() {
            let message = format!("`{keyword}` is not checked: another schema may hold instead");
            reading.warning(node, Code::UNCHECKED, message);
        }
    }
}
