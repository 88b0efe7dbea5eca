//! What a document offers over HTTP for an entity.

use std::collections::HashSet;

use syncline_model::schema::{Entity, Field, FieldKind, Operation, Role, Verb};

use super::declared;
use super::group::Group;
use crate::collection::Use;
use crate::diagnostic::Code;
use crate::document::Node;
use crate::field;
use crate::merged::Merged;
use crate::names::{self, folded};
use crate::reading::Reading;
use crate::route::{Route, Segment};

/// The operations of a group's collections, by verb, then by path.
pub(super) fn read<'d>(
    reading: &Reading<'d>,
    group: &Group<'_, 'd>,
    fields: &[Field],
) -> Vec<Operation> {
    let mut operations = Vec::new();
    let mut known = HashSet::new();
    for collection in &group.collections {
        let segments = collection.segments;
        // Every collection of the group has been asked before.
        let parameters =
            field_parameters(reading, segments, &group.record.schema).unwrap_or_default();
        for one in &collection.uses {
            let route = (
                one.call.method.as_str(),
                &one.route.prefix,
                Route::template(&one.route.segments),
            );
            if !known.insert(route) {
                let message = format!(
                    "{} {} is there twice, but for the names of its parameters",
                    one.call.method.as_str(),
                    one.route.path
                );
                reading.warning(one.call.node, Code::DUPLICATE_OPERATION, message);
                continue;
            }
            declared::tell(reading, group, one, fields);
            operations.push(operation(reading, one, parameters.clone()));
        }
    }
    operations.sort_by(|a, b| {
        let key = |one: &Operation| (one.verb, one.path.clone(), one.method.clone());
        key(a).cmp(&key(b))
    });
    operations
}

fn operation<'d>(
    reading: &Reading<'d>,
    one: &Use<'_, 'd>,
    field_parameters: Vec<(String, String)>,
) -> Operation {
    Operation {
        verb: one.verb,
        method: one.call.method.as_str().to_owned(),
        path: one.route.path.to_owned(),
        id: one.call.id().map(str::to_owned),
        key_parameter: one.key_parameter.map(str::to_owned),
        field_parameters,
        envelope: one.envelope.clone(),
        status: declared::status(reading, one),
        public: is_public(reading, one),
    }
}

/// Whether the document says that no credential is needed: by an empty list on the operation, else on its
/// path, else on the whole. Where it says nothing of security, one is needed.
fn is_public(reading: &Reading<'_>, one: &Use<'_, '_>) -> bool {
    let nodes = [one.call.node, one.route.item, reading.root()];
    let security = nodes.into_iter().find_map(|node| node.get("security"));
    security.is_some_and(|security| {
        let asks_nothing = |node: Node<'_>| node.is_map() && node.entries().next().is_none();
        security.is_list() && security.items().all(|_| false) || security.items().any(asks_nothing)
    })
}

/// Tells once of what no operation of an entity does and other ways to write it do, at the first such entity.
pub(super) fn tell_undeclared<'e, 'd>(
    reading: &Reading<'d>,
    entities: impl Iterator<Item = (&'e Entity, Node<'d>)> + Clone,
) {
    let kinds: [(&str, &[Verb]); 3] = [
        ("makes", &[Verb::Create]),
        ("changes", &[Verb::Update, Verb::Replace]),
        ("deletes", &[Verb::Delete]),
    ];
    let mut lacks = Vec::new();
    let mut places = Vec::new();
    for (does, verbs) in kinds {
        let lacking = entities.clone().filter(|(entity, _)| {
            let is_done = !verbs.contains(&Verb::Update) || has_changes(entity);
            let mut declared = entity.operations.iter().map(|one| one.verb);
            is_done && !declared.any(|verb| verbs.contains(&verb))
        });
        let (names, nodes): (Vec<&str>, Vec<_>) =
            lacking.map(|(entity, node)| (&*entity.name, node)).unzip();
        if !names.is_empty() {
            lacks.push(format!("{does} {}", declared::told(&names)));
        }
        places.extend(nodes);
    }
    if let Some(first) = places.into_iter().min_by_key(|node| node.place()) {
        let message = format!(
            "no operation {}: who may write them does it all the same by /api/writes, and of what is no cache by \
             `syncline record` and by generated clients with a database; `x-owner-only` and `x-rbac` limit who \
             changes a field, and a `viewer` alone makes and deletes nothing",
            lacks.join(", none ")
        );
        reading.info(first, Code::UNDECLARED, message);
    }
}

/// Whether anybody writes a field of records that are there.
fn has_changes(entity: &Entity) -> bool {
    let changing = |field: &Field| !field.read_only && field.name != entity.key;
    let is_written = |field: &Field| {
        let mut roles = Role::ALL.into_iter();
        roles.any(|role| entity.may_write(role, &field.name))
    };
    let mut fields = entity.stored_fields();
    fields.any(|field| changing(field) && is_written(field))
}

/// The properties that the parameters of a collection's path hold. `Err` is the first that holds none.
///
/// `/accounts/{account_id}/invoices` names the invoices whose `account_id` it is, and so do
/// `/accounts/{id}/invoices` and `/accounts/{account}/invoices`.
pub(super) fn field_parameters<'d>(
    reading: &Reading<'d>,
    segments: &[Segment<'d>],
    schema: &Merged<'d>,
) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    let mut owner = String::new();
    let properties = schema.properties();
    for segment in segments {
        let parameter = match segment {
            Segment::Word(word) => {
                owner = names::singular(word, &[]);
                continue;
            }
            Segment::Parameter(parameter) => *parameter,
        };
        // `{id}` is the owner's, and never the record's own.
        let own_name = (folded(parameter) != "id").then(|| folded(parameter));
        let is_owners = own_name.as_ref().is_none_or(|name| *name == folded(&owner));
        let owners_name = is_owners.then(|| folded(&format!("{owner}_id")));
        let by_name = |wanted: String| {
            let mut alike = properties.iter().filter(|(name, _)| folded(name) == wanted);
            alike.find(|(_, schemas)| field::kind_of_record(reading, schemas) != FieldKind::Json)
        };
        let field = own_name
            .and_then(by_name)
            .or_else(|| owners_name.and_then(by_name));
        let (field, _) = field.ok_or_else(|| parameter.to_owned())?;
        found.push((parameter.to_owned(), (*field).to_owned()));
    }
    Ok(found)
}
