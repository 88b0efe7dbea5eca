//! The field that names a record.

use syncline_model::schema::Field;

use super::group::Group;
use crate::collection::{Collection, Record};
use crate::diagnostic::Code;
use crate::field;
use crate::merged::Merged;
use crate::names::{self, folded};
use crate::reading::Reading;
use crate::route::{Route, record_of_parameter};

/// The property that the parameter of a record's path holds, else `id`.
pub(super) fn of<'d>(
    reading: &Reading<'d>,
    collection: &Collection<'_, 'd>,
    record: &Record<'d>,
) -> Result<String, (Code, String)> {
    let key = named(reading, collection, record).map_err(|reason| (Code::NO_KEY, reason))?;
    if field::kind_of_record(reading, &record.schema.property(&key)).is_for_keys() {
        return Ok(key);
    }
    let reason =
        format!("names a record by `{key}`, which is neither text, a uuid nor a whole number");
    Err((Code::KEY, reason))
}

fn named<'d>(
    reading: &Reading<'d>,
    collection: &Collection<'_, 'd>,
    record: &Record<'d>,
) -> Result<String, String> {
    let properties = record.schema.properties();
    let has = |name: &str| properties.iter().any(|(own, _)| *own == name);
    let mut found: Option<(String, &str)> = None;
    for (route, parameter) in &collection.items {
        let names: Vec<_> = properties.iter().map(|(name, _)| *name).collect();
        let key = by_parameter(&names, parameter, &collection.name);
        let Some(key) = key.or_else(|| has("id").then_some("id")) else {
            return Err(format!(
                "names a record by `{parameter}`, which is no property of it, and it has no `id`"
            ));
        };
        if !is_alike(reading, route, parameter, &record.schema, key) {
            return Err(format!(
                "names a record by `{parameter}`, whose type is not that of the record's `{key}`: give both one type"
            ));
        }
        match &found {
            Some((other, before)) if other != key => {
                return Err(format!(
                    "names a record by `{before}` on one path and by `{parameter}` on another"
                ));
            }
            _ => found = Some((key.to_owned(), parameter)),
        }
    }
    match found {
        Some((key, _)) => Ok(key),
        None if has("id") => Ok("id".to_owned()),
        None => Err("has records without an `id`".to_owned()),
    }
}

/// `{number}` and `{invoice_number}` name an invoice by its `number`, `{invoice_id}` and `{invoice}` by its
/// `id`. A property of the parameter's own name comes first.
fn by_parameter<'n>(names: &[&'n str], parameter: &str, collection: &str) -> Option<&'n str> {
    let hint = record_of_parameter(parameter);
    let record = names::singular(collection, std::slice::from_ref(&hint));
    // In words: a `username` is no user's `name`.
    let parameter_words = names::snake_case(parameter);
    let exact = names.iter().find(|name| **name == parameter);
    let alike = || names.iter().find(|name| folded(name) == folded(parameter));
    let qualified = || {
        names
            .iter()
            .find(|name| format!("{record}_{}", names::snake_case(name)) == parameter_words)
    };
    exact.or_else(alike).or_else(qualified).copied()
}

/// Whether the parameter's values can be the property's: a name in a path is not the number in `id`.
fn is_alike<'d>(
    reading: &Reading<'d>,
    route: &Route<'d>,
    parameter: &str,
    schema: &Merged<'d>,
    key: &str,
) -> bool {
    let Some(declared) = route.parameter(reading, parameter) else {
        return true;
    };
    let parameter = Merged::of(reading, declared);
    let property = Merged::of_property(reading, &schema.property(key));
    let mut types = property.types();
    for schema in property.unions.iter().flatten() {
        types.extend(Merged::of(reading, *schema).types());
    }
    types.dedup();
    match (parameter.types().as_slice(), types.as_slice()) {
        ([parameter], [property]) => parameter == property,
        _ => true,
    }
}

/// Tells of a key that the server would never see.
pub(super) fn check(reading: &Reading<'_>, group: &Group<'_, '_>, fields: &[Field]) {
    let Some(field) = fields.iter().find(|field| field.name == group.key) else {
        return;
    };
    let node = group.record.schema.property(&group.key);
    let node = node.first().unwrap_or(group.node);
    if field.sync_exclude {
        let message = format!(
            "`{}` names the records of `{}`, and must reach the server",
            field.name, group.name
        );
        reading.error(node, Code::EXCLUDED_FIELD, message);
    }
}
