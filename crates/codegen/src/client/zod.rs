//! Values as expressions of Zod.

use syncline_model::schema::{
    ArrayRules, FieldKind, JsonRules, Nested, ObjectRules, Others, Rules,
};

use super::names::{property, quoted};
use crate::pattern;

/// The values of a kind that keep the rules, null aside.
pub(super) fn schema_of(kind: &FieldKind, rules: &Rules) -> String {
    let mut one_of = rules.one_of.iter().filter(|value| !value.is_null());
    if one_of
        .clone()
        .any(|value| value.is_object() || value.is_array())
    {
        // A literal of Zod is equal to itself alone: which of them it is, the server says.
        return of_json(rules);
    }
    if !rules.one_of.is_empty() {
        let literal = |value: &serde_json::Value| format!("z.literal({value})");
        let literals: Vec<String> = one_of.by_ref().map(literal).collect();
        return match literals.as_slice() {
            [only] => only.clone(),
            all => format!("z.union([{}])", all.join(", ")),
        };
    }
    let mut text = match kind {
        FieldKind::Text | FieldKind::Time => "z.string()".to_owned(),
        FieldKind::Uuid => "z.guid()".to_owned(),
        FieldKind::Decimal => "z.string().regex(/^-?\\d+(\\.\\d+)?$/)".to_owned(),
        FieldKind::Date => "z.iso.date()".to_owned(),
        FieldKind::Timestamp => "z.iso.datetime({ offset: true })".to_owned(),
        FieldKind::Boolean => "z.boolean()".to_owned(),
        FieldKind::Int32 => "z.int32()".to_owned(),
        FieldKind::Int64 => "z.int()".to_owned(),
        FieldKind::Float => "z.number()".to_owned(),
        FieldKind::Json => return of_json(rules),
    };
    if matches!(kind, FieldKind::Text) {
        if let Some(least) = rules.min_length {
            text.push_str(&format!(".min({least})"));
        }
        if let Some(most) = rules.max_length {
            text.push_str(&format!(".max({most})"));
        }
        // One that JavaScript can't read was told where the document was.
        if let Some(Ok(pattern)) = rules.pattern.as_deref().map(pattern::read) {
            let (source, flags) = (quoted(&pattern.source), quoted(&pattern.flags));
            text.push_str(&format!(".regex(new RegExp({source}, {flags}))"));
        }
        if rules.format.as_deref() == Some("email") {
            text = text.replacen("z.string()", "z.email()", 1);
        }
    }
    if matches!(kind, FieldKind::Int32 | FieldKind::Int64 | FieldKind::Float) {
        if let Some(bound) = rules.minimum {
            let verb = if bound.exclusive { "gt" } else { "gte" };
            text.push_str(&format!(".{verb}({})", bound.value));
        }
        if let Some(bound) = rules.maximum {
            let verb = if bound.exclusive { "lt" } else { "lte" };
            text.push_str(&format!(".{verb}({})", bound.value));
        }
        if let Some(step) = rules.multiple_of {
            text.push_str(&format!(".multipleOf({step})"));
        }
    }
    text
}

/// What JavaScript finds in an object that has no such property: functions, which are no JSON.
const INHERITED: [&str; 11] = [
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
];

/// A property that an object may lack.
pub(super) fn optional(name: &str, schema: &str) -> String {
    if !INHERITED.contains(&name) {
        return format!("{}: {schema}.optional()", property(name));
    }
    format!(
        "{}: z.preprocess((value) => (typeof value === \"function\" ? undefined : value), {schema}.optional()).optional()",
        property(name)
    )
}

/// A property that an object must have.
pub(super) fn required(name: &str, schema: &str) -> String {
    format!("{}: {schema}", property(name))
}

fn of_json(rules: &Rules) -> String {
    match rules.json.as_deref() {
        None => "z.json()".to_owned(),
        Some(JsonRules::Array(rules)) => of_array(rules),
        Some(JsonRules::Object(rules)) => of_object(rules),
    }
}

fn of_array(rules: &ArrayRules) -> String {
    let items = rules.items.as_deref().map(of_nested);
    let mut text = format!("z.array({})", items.as_deref().unwrap_or("z.json()"));
    if let Some(least) = rules.min_items {
        text.push_str(&format!(".min({least})"));
    }
    if let Some(most) = rules.max_items {
        text.push_str(&format!(".max({most})"));
    }
    if rules.unique_items {
        text.push_str(
            ".refine((items) => new Set(items.map((item) => JSON.stringify(item))).size === items.length)",
        );
    }
    text
}

fn of_object(rules: &ObjectRules) -> String {
    let mut properties: Vec<String> = Vec::new();
    for (name, nested) in &rules.properties {
        let schema = of_nested(nested);
        properties.push(match rules.required.contains(name) {
            true => required(name, &schema),
            false => optional(name, &schema),
        });
    }
    for name in &rules.required {
        if !rules.properties.contains_key(name) {
            properties.push(required(name, "z.json()"));
        }
    }
    let properties = match properties.as_slice() {
        [] => "{}".to_owned(),
        all => format!("{{ {} }}", all.join(", ")),
    };
    match &rules.others {
        Others::None => format!("z.strictObject({properties})"),
        Others::Any => format!("z.object({properties}).catchall(z.json())"),
        Others::Each(nested) => format!("z.object({properties}).catchall({})", of_nested(nested)),
    }
}

fn of_nested(nested: &Nested) -> String {
    let text = match nested.kind {
        // Within a value a decimal may be a number too, and stays one.
        FieldKind::Decimal => format!(
            "z.union([z.number(), {}])",
            schema_of(&nested.kind, &Rules::default())
        ),
        _ => schema_of(&nested.kind, &nested.rules),
    };
    if nested.nullable {
        format!("{text}.nullable()")
    } else {
        text
    }
}
