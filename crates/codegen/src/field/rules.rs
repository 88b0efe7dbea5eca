//! What else a schema asks of its values.

use serde_json::Value;
use syncline_model::schema::{Bound, FieldKind, Rules};

use super::kind;
use crate::diagnostic::Code;
use crate::document::Node;
use crate::merged::Merged;
use crate::pattern;
use crate::reading::Reading;

/// The rules of a schema for values of a kind, and whether null is among its allowed values.
pub(crate) fn read<'d>(
    reading: &Reading<'d>,
    merged: &Merged<'d>,
    kind: &FieldKind,
) -> (bool, Rules) {
    let (null, one_of) = allowed_values(reading, merged, kind);
    let mut rules = Rules {
        one_of,
        ..Rules::default()
    };
    match kind {
        FieldKind::Text => {
            rules.min_length = count(reading, merged, "minLength");
            rules.max_length = count(reading, merged, "maxLength");
            rules.pattern = pattern(reading, merged);
            rules.format = merged
                .get("format")
                .and_then(|node| text(reading, node))
                .map(str::to_owned);
            let ends = (rules.min_length, rules.max_length);
            tell_of_counts(reading, merged, ("minLength", "maxLength"), ends);
        }
        FieldKind::Int32 | FieldKind::Int64 | FieldKind::Float | FieldKind::Decimal => {
            rules.minimum = bound(reading, merged, "minimum", "exclusiveMinimum");
            rules.maximum = bound(reading, merged, "maximum", "exclusiveMaximum");
            rules.multiple_of = merged
                .get("multipleOf")
                .and_then(|node| number(reading, node));
            tell_of_range(reading, merged, &rules);
        }
        FieldKind::Uuid
        | FieldKind::Boolean
        | FieldKind::Date
        | FieldKind::Time
        | FieldKind::Timestamp
        | FieldKind::Json => {}
    }
    (null, rules)
}

fn allowed_values<'d>(
    reading: &Reading<'d>,
    merged: &Merged<'d>,
    kind: &FieldKind,
) -> (bool, Vec<Value>) {
    let constant = merged.get("const");
    let listed = merged.get("enum");
    let nodes: Vec<_> = match (constant, listed) {
        (Some(constant), _) => vec![constant],
        (None, Some(listed)) => listed.items().collect(),
        (None, None) => kind::values_of_union(reading, merged),
    };
    if let (Some(constant), Some(listed)) = (constant, listed)
        && listed
            .items()
            .all(|one| one.to_json() != constant.to_json())
    {
        let message = "`const` is none of the values of `enum`, which is not checked";
        reading.warning(constant, Code::CONTRADICTION, message);
    }
    if let Some(listed) = listed.filter(|listed| listed.is_list() && nodes.is_empty()) {
        let message = "`enum` names no value, and is not checked";
        reading.warning(listed, Code::RULE, message);
    }
    let mut null = false;
    let mut values = Vec::new();
    for node in nodes {
        match node.to_json() {
            None => reading.warning(node, Code::LIMIT, "the value is too large, and left out"),
            Some(Value::Null) => null = true,
            Some(value) if kind::takes(kind, &value) => {
                let value = kind::normal(kind, value);
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            Some(value) => {
                let message = format!("{value} is no value of this field's type, and left out");
                reading.warning(node, Code::RULE, message);
            }
        }
    }
    (null, values)
}

/// Tells of a least count that is more than the most.
pub(super) fn tell_of_counts(
    reading: &Reading<'_>,
    merged: &Merged<'_>,
    (least, most): (&str, &str),
    ends: (Option<u64>, Option<u64>),
) {
    if let ((Some(min), Some(max)), Some(node)) = (ends, merged.get(least))
        && min > max
    {
        let message = format!("`{least}` {min} is more than `{most}` {max}: no value has both");
        reading.warning(node, Code::CONTRADICTION, message);
    }
}

fn tell_of_range(reading: &Reading<'_>, merged: &Merged<'_>, rules: &Rules) {
    let node = merged
        .get("minimum")
        .or_else(|| merged.get("exclusiveMinimum"));
    let (Some(min), Some(max), Some(node)) = (&rules.minimum, &rules.maximum, node) else {
        return;
    };
    let is_empty =
        min.value > max.value || (min.value == max.value && (min.exclusive || max.exclusive));
    if is_empty {
        let message = format!(
            "no number is between the minimum {} and the maximum {}",
            min.value, max.value
        );
        reading.warning(node, Code::CONTRADICTION, message);
    }
}

/// One end of a range. In OpenAPI 3.0 `exclusiveMinimum` is a flag beside `minimum`, in 3.1 a number.
fn bound(
    reading: &Reading<'_>,
    merged: &Merged<'_>,
    inclusive: &str,
    exclusive: &str,
) -> Option<Bound> {
    let excluded = merged.get(exclusive);
    let flag = excluded.and_then(Node::as_boolean);
    if let (Some(node), None) = (excluded, flag) {
        let value = number(reading, node)?;
        return Some(Bound {
            value,
            exclusive: true,
        });
    }
    let value = number(reading, merged.get(inclusive)?)?;
    Some(Bound {
        value,
        exclusive: flag == Some(true),
    })
}

pub(super) fn count(reading: &Reading<'_>, merged: &Merged<'_>, keyword: &str) -> Option<u64> {
    let node = merged.get(keyword)?;
    let count = node.as_number().and_then(|number| {
        let whole = number
            .as_f64()
            .filter(|number| number.fract() == 0.0 && *number >= 0.0);
        // A length written `5.0`: whole by the check, and saturating beyond.
        number.as_u64().or(whole.map(|number| number as u64))
    });
    if count.is_none() {
        reading.warning(node, Code::RULE, format!("`{keyword}` must be a count"));
    }
    count
}

fn number(reading: &Reading<'_>, node: Node<'_>) -> Option<f64> {
    let number = node.as_number().and_then(serde_json::Number::as_f64);
    if number.is_none() {
        reading.warning(node, Code::RULE, "this rule must be a number");
    }
    number
}

/// A pattern that pages can't check is kept: servers may.
fn pattern(reading: &Reading<'_>, merged: &Merged<'_>) -> Option<String> {
    let node = merged.get("pattern")?;
    let pattern = text(reading, node)?;
    if let Err(reason) = pattern::read(pattern) {
        let message = format!(
            "`pattern` is no regular expression of JavaScript: {reason}; schemas of a generated client leave it out"
        );
        reading.warning(node, Code::RULE, message);
    }
    Some(pattern.to_owned())
}

fn text<'d>(reading: &Reading<'_>, node: Node<'d>) -> Option<&'d str> {
    let text = node.as_text();
    if text.is_none() {
        reading.warning(node, Code::RULE, "this rule must be text");
    }
    text
}
