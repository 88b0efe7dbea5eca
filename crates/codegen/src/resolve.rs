//! From a document's text to a schema.

use serde::Serialize;
use syncline_model::schema::Schema;

use crate::client::{Lack, LackReason, NameProblem};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::document::{Document, Fault, Node};
use crate::hiding::Hiding;
use crate::reading::Reading;
use crate::{collection, entity, extensions, hiding, route, servers};

/// What a document says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Resolution {
    /// What could be made out. Not to be used while there is an error.
    pub schema: Schema,
    /// In the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

impl Resolution {
    /// Whether the schema must not be used.
    pub fn has_errors(&self) -> bool {
        let mut severities = self.diagnostics.iter().map(|found| found.severity);
        severities.any(|severity| severity == Severity::Error)
    }
}

/// Finds the entities of an OpenAPI document of version 3.0 or 3.1, in JSON or YAML.
///
/// The same text gives the same answer, and so does one whose maps are in another order, but for the order
/// of fields. Whatever the text is, this ends without a panic: see the limits of this crate.
pub fn resolve(text: &str) -> Resolution {
    resolve_for(text, &|_| None)
}

/// The same, for a server that answers some paths itself, as `hiding` tells of each path of the document's:
/// where these are paths of entities, it is told.
pub fn resolve_for(text: &str, hiding: &dyn Fn(&str) -> Option<Hiding>) -> Resolution {
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(fault) => return refused(fault),
    };
    let reading = Reading::new(&document);
    let mut schema = Schema::default();
    if is_openapi(&reading) {
        let routes = route::read(&reading);
        extensions::check_paths(&reading, &routes);
        let collections = collection::find(&reading, &routes);
        schema.entities = entity::assemble(&reading, collections);
        extensions::tell_strays(&reading);
        servers::tell(&reading, &routes, &schema);
        hiding::tell(&reading, &routes, &schema, hiding);
    }
    Resolution {
        schema,
        diagnostics: reading.diagnostics(),
    }
}

/// What stands in the way of a document's client, as errors at their places in its text.
pub fn placed(text: &str, problems: &[NameProblem]) -> Vec<Diagnostic> {
    at_places(text, problems, |reading, find, problem| {
        let node = find(&problem.entity, problem.field.as_deref());
        reading.error(node, Code::NAME, problem.to_string());
    })
}

/// What a document's client lacks, as warnings at the fields' places in its text.
pub fn told_lacks(text: &str, lacks: &[Lack]) -> Vec<Diagnostic> {
    at_places(text, lacks, |reading, find, lack| {
        let code = match lack.reason {
            LackReason::LeftOut => Code::LEFT_OUT,
            LackReason::Unassignable => Code::NAME,
        };
        let node = find(&lack.entity, Some(&lack.field));
        reading.warning(node, code, lack.to_string());
    })
}

/// Tells of each thing, given what finds an entity, or a field of one, in the document.
fn at_places<T>(
    text: &str,
    things: &[T],
    tell: impl for<'d> Fn(&Reading<'d>, &dyn Fn(&str, Option<&str>) -> Node<'d>, &T),
) -> Vec<Diagnostic> {
    if things.is_empty() {
        return Vec::new();
    }
    let Ok(document) = Document::parse(text) else {
        return Vec::new();
    };
    // What else there is to say of the document was said when it was resolved.
    let (silent, reading) = (Reading::new(&document), Reading::new(&document));
    let routes = route::read(&silent);
    let drafts = entity::drafts(&silent, collection::find(&silent, &routes));
    let find = |entity: &str, field: Option<&str>| {
        let draft = drafts.iter().find(|draft| draft.is_of(entity));
        draft.map_or(reading.root(), |draft| draft.place_of(field))
    };
    for thing in things {
        tell(&reading, &find, thing);
    }
    reading.diagnostics()
}

fn refused(fault: Fault) -> Resolution {
    Resolution {
        schema: Schema::default(),
        diagnostics: vec![Diagnostic {
            severity: Severity::Error,
            code: fault.code,
            message: fault.message,
            pointer: String::new(),
            line: fault.place.line,
            column: fault.place.column,
        }],
    }
}

fn is_openapi(reading: &Reading<'_>) -> bool {
    let root = reading.root();
    let Some(node) = root.get("openapi") else {
        let (code, message) = match root.get("swagger") {
            Some(_) => (
                Code::VERSION,
                "Swagger 2.0 is not read: convert it to OpenAPI 3",
            ),
            None => (Code::NOT_OPENAPI, "the document has no `openapi`"),
        };
        reading.error(root, code, message);
        return false;
    };
    // `openapi: 3.1` is a number in YAML.
    let number = node.as_number().map(ToString::to_string);
    let version = node.as_text().map(str::to_owned).or(number);
    let version = version.unwrap_or_default();
    let is_of = |minor: &str| {
        let rest = version.strip_prefix(minor);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    if is_of("3.0") || is_of("3.1") || version == "3" {
        return true;
    }
    if is_of("3.2") {
        reading.warning(node, Code::VERSION, "OpenAPI 3.2 is read as if it were 3.1");
        return true;
    }
    let message = format!("version `{version}` is not read: only 3.0 and 3.1 are");
    reading.error(node, Code::VERSION, message);
    false
}
