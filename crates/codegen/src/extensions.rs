//! What a document says of how its records sync, and who may change them.

mod access;
mod role_via;
mod strays;
mod subset;
mod sync;
mod unique;

pub(crate) use access::access;
pub(crate) use role_via::{check_membership, in_words, never_equal, role_via};
pub(crate) use strays::{Seen, tell_strays};
pub(crate) use subset::check_subset;
pub(crate) use sync::{entity_name, mode};
pub(crate) use unique::unique;

use syncline_model::schema::Conflict;

use crate::diagnostic::Code;
use crate::document::Node;
use crate::reading::Reading;
use crate::route::Route;

/// Those that stand on a path or an operation.
const OF_PATHS: [&str; 5] = ["x-sync", "x-sync-mode", "x-rbac", "x-unique", "x-conflict"];

/// Those that stand on a record's schema.
const OF_SCHEMAS: [&str; 3] = ["x-rbac", "x-unique", "x-conflict"];

/// Those that stand on a property.
const OF_PROPERTIES: [&str; 4] = ["x-sync-exclude", "x-owner-only", "x-unique", "x-references"];

/// How names begin that are ours, or were meant to be.
const BEGINNINGS: [&str; 6] = [
    "x-sync",
    "x-rbac",
    "x-owner",
    "x-unique",
    "x-conflict",
    "x-reference",
];

/// Whether a path, or an operation of it, has an extension of ours.
pub(crate) fn declares(route: &Route<'_>) -> bool {
    holders(route).any(|node| {
        OF_PATHS
            .iter()
            .any(|extension| node.get(extension).is_some())
    })
}

/// A path, and each of its operations.
fn holders<'d>(route: &Route<'d>) -> impl Iterator<Item = Node<'d>> {
    let calls: Vec<_> = route.calls.iter().map(|call| call.node).collect();
    std::iter::once(route.item).chain(calls)
}

/// Refuses extensions that would be passed over: of a name that is not known, or in a place where they say
/// nothing. One that is meant to keep a field private must not be lost to a slip of the pen.
pub(crate) fn check_paths(reading: &Reading<'_>, routes: &[Route<'_>]) {
    for route in routes {
        for node in holders(route) {
            check(reading, node, &OF_PATHS, "a path or an operation");
        }
    }
}

/// Reads what stands on a schema of records; `parts` is all that it is put together from.
pub(crate) fn check_schema<'d>(reading: &Reading<'d>, parts: &[Node<'d>]) {
    for part in parts {
        check(reading, *part, &OF_SCHEMAS, "a record's schema");
    }
    reading.note_records(parts);
}

/// Reads what stands on a property, and on what it is put together from. `parts` are all schemas that hold
/// for its values; a component among them may be the schema of another entity's records.
pub(crate) fn check_property<'d>(
    reading: &Reading<'d>,
    name: &'d str,
    property: Node<'d>,
    parts: Vec<Node<'d>>,
) {
    check(reading, property, &OF_PROPERTIES, "a property");
    for part in &parts {
        for extension in ["x-sync-exclude", "x-owner-only", "x-unique"] {
            let Some(node) = part.get(extension) else {
                continue;
            };
            let is_of_records = *part != property && extension == "x-unique" && node.is_list();
            if node.as_boolean().is_none() && !is_of_records {
                let message = format!("`{extension}` on a property is true or false");
                reading.error(node, Code::EXTENSION, message);
            }
            reading.mark_extension(node);
        }
        if let Some(node) = part.get("x-references") {
            reading.mark_extension(node);
        }
    }
    reading.note_field(name, property, parts);
}

fn is_ours(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    BEGINNINGS
        .iter()
        .any(|beginning| lower.starts_with(beginning))
}

fn check(reading: &Reading<'_>, node: Node<'_>, allowed: &[&str], place: &str) {
    for (name, value) in node.entries().filter(|(name, _)| is_ours(name)) {
        reading.mark_extension(value);
        if !allowed.contains(&name) {
            let message = format!(
                "`{name}` says nothing on {place}, where there are {}",
                allowed.join(", ")
            );
            reading.error(value, Code::UNKNOWN_EXTENSION, message);
        }
    }
}

/// The value of an extension that a collection has once, though it may be repeated on its paths, its
/// operations and its schema.
fn declared_once<'d>(
    reading: &Reading<'d>,
    routes: &[&Route<'d>],
    schemas: &[Node<'d>],
    extension: &str,
) -> Option<Node<'d>> {
    let nodes = routes.iter().flat_map(|route| holders(route));
    let nodes = nodes.chain(schemas.iter().copied());
    let mut found = nodes.filter_map(|node| node.get(extension));
    let first = found.next()?;
    let value = first.to_json();
    for other in found {
        if other.id() != first.id() && other.to_json() != value {
            let message = format!(
                "`{extension}` says something else on line {}: once is enough",
                first.place().line
            );
            reading.error(other, Code::CONTRADICTION, message);
        }
    }
    Some(first)
}

/// `x-conflict`.
pub(crate) fn conflict<'d>(
    reading: &Reading<'d>,
    routes: &[&Route<'d>],
    schemas: &[Node<'d>],
) -> Conflict {
    let Some(node) = declared_once(reading, routes, schemas, "x-conflict") else {
        return Conflict::default();
    };
    match node.as_text() {
        Some("server_wins") => Conflict::ServerWins,
        Some("last_write_wins") => Conflict::LastWriteWins,
        Some("reject") => Conflict::Reject,
        _ => {
            let message = "`x-conflict` is server_wins, last_write_wins or reject";
            reading.error(node, Code::UNKNOWN_CONFLICT, message);
            Conflict::default()
        }
    }
}

/// Tells of the keys of an extension that it does not have.
fn refuse_unknown_keys(reading: &Reading<'_>, node: Node<'_>, name: &str, known: &[&str]) {
    for (key, value) in node.entries() {
        if !known.contains(&key) {
            let message = format!("`{name}` has no `{key}`, but {}", known.join(", "));
            reading.error(value, Code::EXTENSION, message);
        }
    }
}
