//! Small documents around the part that a test is about.

use syncline_codegen::{Code, Resolution, Severity};
use syncline_model::schema::{Entity, Field};

/// What a document is resolved to, but for the note on what its operations leave out: small ones have those that
/// a test is about.
pub(crate) fn resolve(text: &str) -> Resolution {
    let mut resolution = syncline_codegen::resolve(text);
    let diagnostics = &mut resolution.diagnostics;
    diagnostics.retain(|one| one.code != Code::UNDECLARED);
    resolution
}

/// A document whose `paths` are these lines of YAML.
pub(crate) fn with_paths(paths: &str) -> String {
    format!("openapi: 3.1.0\npaths:\n{paths}")
}

/// A document with a collection `notes` whose records have these properties, a line of YAML each, and whose
/// path has these extensions.
pub(crate) fn notes(extensions: &[&str], properties: &[&str]) -> String {
    let extensions: String = extensions
        .iter()
        .map(|line| format!("    {line}\n"))
        .collect();
    let properties: String = properties
        .iter()
        .map(|line| format!("        {line}\n"))
        .collect();
    with_paths(&format!(
        "  /notes:\n{extensions}    get: {LIST}\n\
         components:\n  schemas:\n    Note:\n      type: object\n      properties:\n        \
         id: {{ type: string, format: uuid }}\n{properties}"
    ))
}

/// An operation that lists notes.
pub(crate) const LIST: &str = "{ responses: { '200': { content: { application/json: { schema: { type: array, items: { $ref: '#/components/schemas/Note' } } } } } } }";

/// An operation that answers a note.
pub(crate) const NOTE: &str = "{ responses: { '200': { content: { application/json: { schema: { $ref: '#/components/schemas/Note' } } } } } }";

/// The components that `LIST` and `NOTE` name.
pub(crate) const COMPONENTS: &str = "components: { schemas: { Note: { type: object, properties: { id: { type: string }, title: { type: string } } } } }\n";

/// What a document without errors is resolved to.
pub(crate) fn resolved(text: &str) -> Resolution {
    let resolution = resolve(text);
    assert!(!resolution.has_errors(), "{:#?}", resolution.diagnostics);
    resolution
}

/// The one entity of a document without errors.
pub(crate) fn entity(text: &str) -> Entity {
    let mut entities = resolved(text).schema.entities;
    assert_eq!(entities.len(), 1, "{entities:#?}");
    entities.remove(0)
}

/// The field that a line of YAML is resolved to, as a property of a note.
pub(crate) fn field(property: &str) -> Field {
    let name = property.split(':').next().unwrap();
    let entity = entity(&notes(&[], &[property]));
    entity.field(name).unwrap().clone()
}

/// The errors of a document, as `line:column: code`.
pub(crate) fn errors(text: &str) -> Vec<String> {
    let diagnostics = resolve(text).diagnostics;
    let errors = diagnostics
        .iter()
        .filter(|one| one.severity == Severity::Error);
    errors
        .map(|one| format!("{}:{}: {}", one.line, one.column, one.code.as_str()))
        .collect()
}

/// The names of a document's entities.
pub(crate) fn names(text: &str) -> Vec<String> {
    let entities = resolve(text).schema.entities;
    entities.into_iter().map(|entity| entity.name).collect()
}

/// The codes of what is told of a document, errors apart.
pub(crate) fn told(text: &str) -> Vec<&'static str> {
    let diagnostics = resolved(text).diagnostics;
    diagnostics.iter().map(|one| one.code.as_str()).collect()
}
