//! `x-unique`.

use syncline_model::schema::Field;

use super::declared_once;
use crate::diagnostic::Code;
use crate::document::Node;
use crate::reading::Reading;
use crate::route::Route;

/// The sets of fields whose values name one record, sorted. `flagged` are the fields whose property says so
/// by itself.
pub(crate) fn unique<'d>(
    reading: &Reading<'d>,
    routes: &[&Route<'d>],
    schemas: &[Node<'d>],
    fields: &[Field],
    flagged: &[(String, Node<'d>)],
) -> Vec<Vec<String>> {
    let mut sets = Vec::new();
    for (name, node) in flagged {
        match fields.iter().find(|field| field.name == *name) {
            Some(field) if field.sync_exclude => refuse_excluded(reading, *node, name),
            Some(_) => sets.push(vec![name.clone()]),
            None => {}
        }
    }
    if let Some(node) = declared_once(reading, routes, schemas, "x-unique") {
        const FORM: &str =
            "`x-unique` is a list of lists of fields: [[email], [account_id, number]]";
        if !node.is_list() {
            reading.error(node, Code::EXTENSION, FORM);
        }
        for set in node.items() {
            let names: Option<Vec<_>> = set.items().map(Node::as_text).collect();
            match names.filter(|names| !names.is_empty()) {
                Some(_) => sets.extend(read_set(reading, set, fields)),
                None => reading.error(set, Code::EXTENSION, FORM),
            }
        }
    }
    sets.sort();
    sets.dedup();
    sets
}

fn read_set(reading: &Reading<'_>, set: Node<'_>, fields: &[Field]) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    let mut is_good = true;
    for node in set.items() {
        let name = node.as_text().unwrap_or_default();
        match fields.iter().find(|field| field.name == name) {
            None => {
                let message = format!("the records have no field `{name}`");
                reading.error(node, Code::UNKNOWN_FIELD, message);
                is_good = false;
            }
            Some(field) if field.sync_exclude => {
                refuse_excluded(reading, node, name);
                is_good = false;
            }
            Some(_) if names.iter().any(|known| known == name) => {
                reading.error(
                    node,
                    Code::EXTENSION,
                    format!("`{name}` is in this set twice"),
                );
                is_good = false;
            }
            Some(_) => names.push(name.to_owned()),
        }
    }
    is_good.then_some(names)
}

fn refuse_excluded(reading: &Reading<'_>, node: Node<'_>, name: &str) {
    let message = format!("`{name}` never reaches the server, which could not keep it unique");
    reading.error(node, Code::EXCLUDED_FIELD, message);
}
