//! What is asked of the values within one of JSON.

use syncline_model::schema::{
    ArrayRules, FieldKind, JsonRules, Nested, ObjectRules, Others, Rules,
};

use super::{kind, rules, unchecked};
use crate::diagnostic::Code;
use crate::document::{Id, Node};
use crate::limits::NESTED_SCHEMAS_MAX;
use crate::merged::{Merged, Schemas};
use crate::reading::Reading;

/// The most schemas within one field that values are held against: they travel with the schema of a tenant.
const NESTED_MAX: usize = 200;

/// How deep they may lie in one another.
const DEPTH_MAX: usize = 8;

/// One way down the values of a field.
struct Walk {
    above: Vec<Id>,
    left: usize,
    over: Option<Over>,
}

/// What there are too many schemas in.
#[derive(Clone, Copy)]
enum Over {
    Field,
    Document,
}

/// What the values of a field of JSON must be made of, as far as the document says it.
pub(super) fn read<'d>(
    reading: &Reading<'d>,
    merged: &Merged<'d>,
    node: Node<'d>,
) -> Option<JsonRules> {
    // A reference is followed only where it leads to something.
    form(merged)?;
    let mut walk = Walk {
        above: reading.follow(node).map(Node::id).into_iter().collect(),
        left: NESTED_MAX,
        over: None,
    };
    let rules = of(reading, merged, &mut walk)?;
    let Some(over) = walk.over else {
        return Some(rules);
    };
    let too_many = match over {
        Over::Field => format!("over {NESTED_MAX} schemas are within this one"),
        Over::Document => {
            format!(
                "over {NESTED_SCHEMAS_MAX} schemas are within the document's fields, up to this one"
            )
        }
    };
    let message = format!(
        "{too_many}: whether a value is a list or an object is checked, and nothing within it"
    );
    reading.warning(node, Code::UNCHECKED, message);
    Some(match rules {
        JsonRules::Array(_) => JsonRules::Array(ArrayRules::default()),
        JsonRules::Object(_) => JsonRules::Object(ObjectRules::default()),
    })
}

/// What a value of JSON is, as a whole.
enum Form {
    Array,
    Object,
}

fn form(merged: &Merged<'_>) -> Option<Form> {
    let is_union = merged.unions.len() > merged.variants.len();
    match merged.types().as_slice() {
        ["array"] => Some(Form::Array),
        ["object"] => Some(Form::Object),
        // Many leave out what follows from the rest.
        [] if is_union => None,
        [] if merged.has_properties() => Some(Form::Object),
        [] if merged.get("items").is_some() => Some(Form::Array),
        _ => None,
    }
}

fn of<'d>(reading: &Reading<'d>, merged: &Merged<'d>, walk: &mut Walk) -> Option<JsonRules> {
    Some(match form(merged)? {
        Form::Array => JsonRules::Array(array(reading, merged, walk)),
        Form::Object => JsonRules::Object(object(reading, merged, walk)),
    })
}

fn array<'d>(reading: &Reading<'d>, merged: &Merged<'d>, walk: &mut Walk) -> ArrayRules {
    let items = Schemas::from_iter(merged.all("items"));
    let min_items = rules::count(reading, merged, "minItems");
    let max_items = rules::count(reading, merged, "maxItems");
    let ends = (min_items, max_items);
    rules::tell_of_counts(reading, merged, ("minItems", "maxItems"), ends);
    ArrayRules {
        items: nested(reading, &items, walk).map(Box::new),
        min_items,
        max_items,
        unique_items: merged.flag("uniqueItems"),
    }
}

fn object<'d>(reading: &Reading<'d>, merged: &Merged<'d>, walk: &mut Walk) -> ObjectRules {
    let mut rules = ObjectRules::default();
    for (name, schemas) in merged.properties() {
        if walk.over.is_some() {
            return rules;
        }
        // What servers make is in answers, and need not be in what they are sent.
        let is_answered = Merged::of_property(reading, &schemas).is_read_only(reading);
        if merged.requires(name) && !is_answered {
            rules.required.push(name.to_owned());
        }
        // A property that may be anything is none of the others, and is known by its name.
        let nested = nested(reading, &schemas, walk).unwrap_or_else(anything);
        rules.properties.insert(name.to_owned(), nested);
    }
    let named = merged.all("required").flat_map(Node::items);
    for name in named.filter_map(Node::as_text).take(NESTED_MAX) {
        let is_known = merged.properties().iter().any(|(known, _)| *known == name);
        if !is_known && !rules.required.iter().any(|known| known == name) {
            rules.required.push(name.to_owned());
        }
    }
    rules.others = others(reading, merged, walk);
    rules
}

fn anything() -> Nested {
    Nested {
        kind: FieldKind::Json,
        nullable: true,
        rules: Rules::default(),
    }
}

/// What `additionalProperties` says. Beside other schemas it speaks of its own properties alone, and is told of.
fn others<'d>(reading: &Reading<'d>, merged: &Merged<'d>, walk: &mut Walk) -> Others {
    let Some(node) = merged.get("additionalProperties") else {
        return Others::Any;
    };
    if node.as_boolean() == Some(true) {
        return Others::Any;
    }
    let has_others = merged.all("properties").count() > 1
        || merged.all("additionalProperties").count() > 1
        || !merged.variants.is_empty()
        || merged.get("patternProperties").is_some();
    if has_others {
        let message = "`additionalProperties` is not checked where several schemas hold together";
        reading.warning(node, Code::UNCHECKED, message);
        return Others::Any;
    }
    if node.as_boolean() == Some(false) {
        return Others::None;
    }
    let nested = nested(reading, &Schemas::from_iter([node]), walk);
    nested.map_or(Others::Any, |nested| Others::Each(Box::new(nested)))
}

/// What a value within another must be. None: anything, as far as it is checked.
fn nested<'d>(reading: &Reading<'d>, schemas: &Schemas<'d>, walk: &mut Walk) -> Option<Nested> {
    let node = schemas.first()?;
    let id = reading.follow(node)?.id();
    if !reading.takes_nested() {
        walk.over = Some(Over::Document);
    } else if walk.left == 0 {
        walk.over = Some(Over::Field);
    } else {
        walk.left -= 1;
    }
    if walk.over.is_some() {
        return None;
    }
    if walk.above.contains(&id) || walk.above.len() >= DEPTH_MAX {
        let message = match walk.above.contains(&id) {
            true => {
                "the schema is within itself: from here on its values are not checked".to_owned()
            }
            false => format!("what lies over {DEPTH_MAX} deep in a field is not checked"),
        };
        reading.warning(node, Code::UNCHECKED, message);
        return None;
    }
    walk.above.push(id);
    let merged = Merged::of_property(reading, schemas);
    let kind = kind::within(reading, &merged, node);
    let number = (kind == FieldKind::Decimal)
        .then(|| kind::number_alternative(reading, &merged))
        .flatten();
    let ruling = number.as_ref().unwrap_or(&merged);
    let (null, mut rules) = rules::read(reading, ruling, &kind);
    unchecked::tell(reading, ruling, &kind);
    if kind == FieldKind::Json {
        rules.json = of(reading, &merged, walk).map(Box::new);
    }
    walk.above.pop();
    let is_anything = kind == FieldKind::Json && rules.is_empty();
    (!is_anything).then_some(Nested {
        kind,
        nullable: merged.nullable || null,
        rules,
    })
}
