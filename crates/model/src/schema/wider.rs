//! Whether rules take all that others have taken.

use super::{ArrayRules, FieldKind, JsonRules, Nested, ObjectRules, Others, Rules};

/// Whether every value that kept the old rules keeps the new ones.
pub(super) fn is_wider(before: &Rules, after: &Rules) -> bool {
    let one_of = after.one_of.is_empty()
        || !before.one_of.is_empty() && before.one_of.iter().all(|one| after.one_of.contains(one));
    let low = after.minimum.is_none_or(|new| {
        let bound = before.minimum;
        bound.is_some_and(|old| new == old || new.value < old.value)
    });
    let high = after.maximum.is_none_or(|new| {
        let bound = before.maximum;
        bound.is_some_and(|old| new == old || new.value > old.value)
    });
    let json = match (before.json.as_deref(), after.json.as_deref()) {
        (_, None) => true,
        (Some(JsonRules::Array(before)), Some(JsonRules::Array(after))) => {
            is_wider_array(before, after)
        }
        (Some(JsonRules::Object(before)), Some(JsonRules::Object(after))) => {
            is_wider_object(before, after)
        }
        (None | Some(_), Some(_)) => false,
    };
    one_of
        && is_at_least(before.min_length, after.min_length)
        && is_at_most(before.max_length, after.max_length)
        && (after.pattern.is_none() || after.pattern == before.pattern)
        && low
        && high
        && json
        && (after.multiple_of.is_none() || after.multiple_of == before.multiple_of)
}

fn is_at_least(old: Option<u64>, new: Option<u64>) -> bool {
    new.is_none_or(|new| old.is_some_and(|old| new <= old))
}

fn is_at_most(old: Option<u64>, new: Option<u64>) -> bool {
    new.is_none_or(|new| old.is_some_and(|old| new >= old))
}

fn is_wider_array(before: &ArrayRules, after: &ArrayRules) -> bool {
    let items = match (before.items.as_deref(), after.items.as_deref()) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(before), Some(after)) => is_wider_nested(before, after),
    };
    items
        && is_at_least(before.min_items, after.min_items)
        && is_at_most(before.max_items, after.max_items)
        && (before.unique_items || !after.unique_items)
}

fn is_wider_object(before: &ObjectRules, after: &ObjectRules) -> bool {
    let is_required_still = |name| before.required.contains(name);
    let takes_named = after.properties.iter().all(|(name, new)| {
        match (before.properties.get(name), &before.others) {
            (Some(old), _) => is_wider_nested(old, new),
            (None, Others::Each(old)) => is_wider_nested(old, new),
            // A property is added as a field is: nothing was said of it before.
            (None, Others::Any | Others::None) => true,
        }
    });
    let left_out = before.properties.iter();
    let mut left_out = left_out.filter(|(name, _)| !after.properties.contains_key(*name));
    let takes_left_out = match &after.others {
        Others::Any => true,
        Others::None => left_out.next().is_none(),
        Others::Each(new) => left_out.all(|(_, old)| is_wider_nested(old, new)),
    };
    let takes_others = match (&before.others, &after.others) {
        (_, Others::Any) | (Others::None, _) => true,
        (Others::Each(old), Others::Each(new)) => is_wider_nested(old, new),
        (Others::Any, Others::None | Others::Each(_)) | (Others::Each(_), Others::None) => false,
    };
    after.required.iter().all(is_required_still) && takes_named && takes_left_out && takes_others
}

fn is_wider_nested(before: &Nested, after: &Nested) -> bool {
    let is_anything = after.kind == FieldKind::Json && after.rules.is_empty();
    is_anything
        || before.kind == after.kind
            && (after.nullable || !before.nullable)
            && is_wider(&before.rules, &after.rules)
}
