//! Paths of a document that a server has routes of its own at.

use std::collections::BTreeMap;

use syncline_model::schema::Schema;

use crate::diagnostic::Code;
use crate::reading::Reading;
use crate::route::Route;

/// Which requests at a path of a document a server answers itself, whatever the document says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hiding {
    /// Every one.
    All,
    /// Those that this path of the server's takes too, where one of the parameters has the value of a word.
    Under(&'static str),
}

/// Tells of the operations of entities that nobody reaches at their paths. Their records are there by every
/// other way, so that the document can be used.
pub(crate) fn tell(
    reading: &Reading<'_>,
    routes: &[Route<'_>],
    schema: &Schema,
    hiding: &dyn Fn(&str) -> Option<Hiding>,
) {
    let mut served: BTreeMap<&str, (&str, Vec<&str>)> = BTreeMap::new();
    for entity in &schema.entities {
        for operation in &entity.operations {
            let at = served.entry(&operation.path);
            let (_, methods) = at.or_insert_with(|| (&entity.name, Vec::new()));
            methods.push(&operation.method);
        }
    }
    for route in routes {
        let Some((name, methods)) = served.get(route.path) else {
            continue;
        };
        let (methods, path) = (methods.join(", "), route.path);
        match hiding(path) {
            None => {}
            Some(Hiding::All) => {
                let message = format!(
                    "{methods} {path} is not served: a Syncline server answers this path itself. The \
                     records of `{name}` are served by /v1/shape?table={name}, /api/writes and `syncline \
                     record {name}`; give the path another name to have them served by REST too"
                );
                reading.warning(route.node, Code::HIDDEN_PATH, message);
            }
            Some(Hiding::Under(own)) => {
                let message = format!(
                    "{methods} {path} is not served where the request is one for {own}, which a \
                     Syncline server answers itself"
                );
                reading.info(route.node, Code::HIDDEN_PATH, message);
            }
        }
    }
}
