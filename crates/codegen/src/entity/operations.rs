//! What a document offers over HTTP for an entity.

use std::collections::HashSet;

use syncline_model::schema::{Field, FieldKind, Operation};

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
