//! Documents of the real world, as large as they come.

pub(crate) mod packages;

use syncline_codegen::{DOCUMENT_BYTES_MAX, Resolution, Severity, resolve};

use packages::{CODE_FORGE, DIRECTORY, Package, document};

/// Whether each diagnostic points into the text, and to a part of it; and, where none is an error, whether
/// a server takes the schema.
fn assert_placed(text: &str, resolution: &Resolution) {
    if !resolution.has_errors() {
        assert_eq!(resolution.schema.check(), Ok(()));
    }
    let lines: Vec<_> = text.lines().map(|line| line.chars().count()).collect();
    let root: serde_json::Value = serde_json::from_str(text).unwrap();
    for found in &resolution.diagnostics {
        let (line, column) = (found.line as usize, found.column as usize);
        assert!((1..=lines.len()).contains(&line), "{found}");
        assert!((1..=lines[line - 1]).contains(&column), "{found}");
        assert!(
            root.pointer(&found.pointer).is_some(),
            "{found}: {}",
            found.pointer
        );
    }
}

fn count(resolution: &Resolution, severity: Severity) -> usize {
    let all = resolution.diagnostics.iter();
    all.filter(|one| one.severity == severity).count()
}

/// `(entities, operations, errors, warnings)`, once all places have been checked.
fn counts(package: &Package, file: &str) -> (usize, usize, usize, usize) {
    let text = document(package, file);
    let resolution = resolve(&text);
    assert_placed(&text, &resolution);
    let entities = &resolution.schema.entities;
    (
        entities.len(),
        entities.iter().map(|one| one.operations.len()).sum(),
        count(&resolution, Severity::Error),
        count(&resolution, Severity::Warning),
    )
}

#[test]
fn a_code_forge_has_the_entities_that_need_no_owner_in_their_path() {
    assert_eq!(counts(&CODE_FORGE, "api.github.com.json"), (33, 72, 0, 57));
    let text = document(&CODE_FORGE, "api.github.com.json");
    let schema = resolve(&text).schema;
    let key = |name: &str| schema.entity(name).map(|entity| entity.key.as_str());
    assert_eq!(key("gists"), Some("id"));
    assert_eq!(key("codespaces"), Some("name"));
    // Named by owner and repository, whose names are in no issue: one's own are left.
    assert_eq!(schema.entity("issues").unwrap().operations.len(), 2);
    // A login in the path, and a number in `id`.
    assert_eq!(key("users"), None);
}

#[test]
fn payments_and_racks_are_taken_whole() {
    assert_eq!(counts(&DIRECTORY, "stripe.com.json"), (73, 207, 0, 604));
    assert_eq!(counts(&DIRECTORY, "netbox.dev.json"), (91, 534, 0, 401));
}

/// The largest public document: 47 MB on one line.
#[test]
fn a_document_near_the_limit_is_read() {
    let text = document(&DIRECTORY, "microsoft.com/graph-beta.json");
    assert!(text.len() > DOCUMENT_BYTES_MAX / 2);
    let resolution = resolve(&text);
    assert_placed(&text, &resolution);
    assert_eq!(resolution.schema.entities.len(), 528);
}
