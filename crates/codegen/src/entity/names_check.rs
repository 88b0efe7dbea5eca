//! Names that can stand beside one another in one database, and in one query.

use std::collections::HashMap;

use syncline_model::schema::{
    Entity, Field, LIST_PARAMETERS, LIST_TESTS, Verb, entity_name_fault, name_fault,
};

use super::group::Group;
use crate::diagnostic::Code;
use crate::document::Node;
use crate::reading::Reading;

/// What a client's database holds beside the tables of entities.
const TAKEN: [&str; 1] = ["_changes"];

/// Tells of entities whose tables would be one. Databases fold the case of names.
pub(super) fn entities<'e, 'd>(
    reading: &Reading<'d>,
    entities: impl Iterator<Item = (&'e Entity, Node<'d>)>,
) {
    let mut tables: HashMap<String, &str> = TAKEN
        .iter()
        .map(|taken| ((*taken).to_owned(), *taken))
        .collect();
    for (entity, node) in entities {
        let name = &entity.name;
        if let Some(reason) = entity_name_fault(name) {
            let message = format!(
                "an entity can't be called `{}`: {reason}",
                name.escape_debug()
            );
            reading.error(node, Code::NAME, message);
        }
        let folded = name.to_lowercase();
        if folded.starts_with("sqlite_") {
            let message = format!("an entity can't be called `{name}`: SQLite keeps such names");
            reading.error(node, Code::NAME, message);
        }
        let own = ["", "_synced", "_local"].map(|ending| format!("{folded}{ending}"));
        let taken = own
            .iter()
            .find_map(|table| Some((table, tables.get(table)?)));
        if let Some((table, other)) = taken {
            let message = match TAKEN.contains(other) {
                true => format!(
                    "an entity can't be called `{name}`: every client's database has a table `{table}` of its own"
                ),
                false => format!("`{name}` and `{other}` would both have a table `{table}`"),
            };
            reading.error(node, Code::COLLISION, message);
        }
        tables.extend(own.map(|table| (table, name.as_str())));
    }
}

/// Tells of a field's name that can't be used, and of two that are one in a database.
pub(super) fn fields(reading: &Reading<'_>, fields: &[(Field, Node<'_>)]) {
    let mut columns: HashMap<String, &str> = HashMap::new();
    for (field, node) in fields {
        let name = &field.name;
        if let Some(reason) = name_fault(name) {
            let message = format!(
                "a field can't be called `{}`: {reason}",
                name.escape_debug()
            );
            reading.error(*node, Code::NAME, message);
        }
        if let Some(other) = columns.insert(name.to_lowercase(), name) {
            let message = format!("`{name}` and `{other}` would be one column");
            reading.error(*node, Code::COLLISION, message);
        }
    }
}

/// Tells of fields that a list can't be narrowed by under their own names, and of those whose names are how
/// it is narrowed by others.
pub(super) fn list_parameters(
    reading: &Reading<'_>,
    group: &Group<'_, '_>,
    fields: &[(Field, Node<'_>)],
) {
    let mut lists = group
        .collections
        .iter()
        .flat_map(|one| one.calls(Verb::List));
    if lists.next().is_none() {
        return;
    }
    let is_shown = |name: &str| {
        let mut fields = fields.iter();
        fields.any(|(field, _)| field.name == name && !field.sync_exclude)
    };
    for (field, node) in fields.iter().filter(|(field, _)| !field.sync_exclude) {
        let name = &*field.name;
        if LIST_PARAMETERS.contains(&name) {
            let message = format!(
                "`{name}` is a parameter that every list takes: one is narrowed by this field as \
                 `{name}__is=…`, and not as `{name}=…`"
            );
            reading.warning(*node, Code::LIST_PARAMETER, message);
        }
        let tested = name.rsplit_once("__");
        if let Some((other, test)) = tested
            && LIST_TESTS.contains(&test)
            && is_shown(other)
        {
            let message = format!(
                "`{name}=…` narrows a list by this field: one can't be narrowed by the test `{test}` of `{other}`"
            );
            reading.warning(*node, Code::LIST_PARAMETER, message);
        }
    }
}
