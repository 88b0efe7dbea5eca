//! The addresses that a document names for its paths.

use std::collections::HashSet;

use syncline_model::schema::Schema;

use crate::diagnostic::Code;
use crate::document::Node;
use crate::reading::Reading;
use crate::route::Route;

/// Tells of addresses that end in a path of their own: the document's paths are behind it elsewhere, and
/// stand by themselves here.
pub(crate) fn tell(reading: &Reading<'_>, routes: &[Route<'_>], schema: &Schema) {
    let operations = schema.entities.iter().flat_map(|entity| &entity.operations);
    let served: HashSet<&str> = operations.map(|operation| &*operation.path).collect();
    let Some(first) = routes.iter().find(|route| served.contains(route.path)) else {
        return;
    };
    tell_of(reading, reading.root(), first.path);
    for route in routes.iter().filter(|route| served.contains(route.path)) {
        let calls = route.calls.iter().map(|call| call.node);
        for node in calls.chain([route.item]) {
            tell_of(reading, node, route.path);
        }
    }
}

fn tell_of(reading: &Reading<'_>, node: Node<'_>, path: &str) {
    for server in node.get("servers").into_iter().flat_map(Node::items) {
        let prefix = prefix(server);
        if !prefix.is_empty() {
            let message = format!(
                "a Syncline server answers at `{path}`, without the `{prefix}` of this address: write it \
                 before the paths, or have clients leave it out; a generated client of another server \
                 takes it as the end of its `apiUrl`"
            );
            reading.warning(server, Code::SERVERS, message);
        }
    }
}

/// The path of an address, its variables at their defaults.
fn prefix(server: Node<'_>) -> String {
    let url = server
        .get("url")
        .and_then(Node::as_text)
        .unwrap_or_default();
    let mut url = url.to_owned();
    let variables = server.get("variables").into_iter();
    for (name, variable) in variables.flat_map(Node::entries) {
        if let Some(default) = variable.get("default").and_then(Node::as_text) {
            url = url.replace(&format!("{{{name}}}"), default);
        }
    }
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => url.trim_start_matches('.'),
    };
    path.trim_end_matches('/').to_owned()
}
