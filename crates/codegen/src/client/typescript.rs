//! The modules of a client.

use minijinja::value::{Serde, Value};
use serde::Serialize;

use super::view::{ClientView, EntityView};
use super::{File, Local, Part, Templates, of_each};

/// What the template of a folder's index sees: the modules that it hands on.
#[derive(Debug, Serialize)]
struct BarrelView<'a> {
    modules: Vec<&'a str>,
}

/// What the template of the whole client's index sees.
#[derive(Debug, Serialize)]
struct IndexView<'a> {
    folders: Vec<&'a str>,
    has_meta: bool,
    has_config: bool,
    has_database: bool,
}

/// The modules of the parts that were chosen.
pub(super) fn files(
    view: &ClientView,
    parts: &[Part],
    local: Local,
    templates: &Templates,
) -> Vec<File> {
    let mut files = Vec::new();
    // Made once, for the templates of all parts.
    let whole = Value::from(Serde(view));
    let entities = whole
        .get_attr("entities")
        .and_then(|entities| entities.try_iter())
        .expect("a view lists its entities");
    let contexts: Vec<(&EntityView, Value)> = view.entities.iter().zip(entities).collect();
    files.extend(of_each(&contexts, |(entity, context)| {
        let parts = parts.iter().filter(|part| has(**part, local, entity));
        let modules = parts.filter_map(|part| {
            let path = format!("{}/{}.ts", part.as_str(), entity.file);
            Some(templates.fill(template_of(*part, local)?, path, context.clone()))
        });
        modules.collect()
    }));
    for part in parts.iter().filter(|part| **part != Part::Schema) {
        let of_part = view.entities.iter().filter(|one| has(*part, local, one));
        let modules = of_part.map(|entity| entity.file.as_str()).collect();
        files.push(templates.file(
            "typescript/barrel.ts",
            format!("{}/index.ts", part.as_str()),
            &BarrelView { modules },
        ));
    }
    around(&whole, parts, local, templates, &mut files);
    files
}

/// What the modules of a part are written of; the statements of a database are no modules.
const fn template_of(part: Part, local: Local) -> Option<&'static str> {
    Some(match (part, local) {
        (Part::Schema, _) => return None,
        (Part::Types, _) => "typescript/types.ts",
        (Part::Schemas, _) => "typescript/schema.ts",
        (Part::Client, _) => "typescript/client.ts",
        (Part::Hooks, Local::Pglite) => "typescript/hooks.pglite.ts",
        (Part::Hooks, Local::Memory) => "typescript/hooks.memory.ts",
        (Part::Collections, Local::Pglite) => "typescript/collection.pglite.ts",
        (Part::Collections, Local::Memory) => "typescript/collection.memory.ts",
        (Part::Entities, Local::Pglite) => "typescript/entity.pglite.ts",
        (Part::Entities, Local::Memory) => "typescript/entity.memory.ts",
    })
}

/// The modules that the parts share, and the index of all.
fn around(
    whole: &Value,
    parts: &[Part],
    local: Local,
    templates: &Templates,
    files: &mut Vec<File>,
) {
    let mut folders: Vec<&str> = parts
        .iter()
        .filter(|part| !matches!(part, Part::Schema))
        .map(|part| part.as_str())
        .collect();
    folders.sort_unstable();
    let has_database = local == Local::Pglite
        && [Part::Hooks, Part::Collections]
            .iter()
            .any(|part| parts.contains(part));
    let index = IndexView {
        folders,
        has_meta: parts.contains(&Part::Types),
        has_config: has_database
            || parts.contains(&Part::Client)
            || parts.contains(&Part::Collections),
        has_database,
    };
    if index.has_meta {
        files.push(templates.fill("typescript/meta.ts", "meta.ts", whole.clone()));
    }
    if index.has_config {
        files.push(templates.fill("typescript/config.ts", "config.ts", whole.clone()));
    }
    if index.has_database {
        files.push(templates.file("typescript/init.ts", "db/init.ts", &()));
        files.push(templates.file("typescript/worker.ts", "db/worker.ts", &()));
    }
    files.push(templates.file("typescript/index.ts", "index.ts", &index));
}

/// Whether an entity has a module of a part: without operations there is nothing to call.
fn has(part: Part, local: Local, entity: &EntityView) -> bool {
    match (part, local) {
        (Part::Client, _) | (Part::Hooks, Local::Memory) => !entity.operations.is_empty(),
        (Part::Hooks, Local::Pglite)
        | (Part::Schema | Part::Types | Part::Schemas | Part::Collections | Part::Entities, _) => {
            true
        }
    }
}
