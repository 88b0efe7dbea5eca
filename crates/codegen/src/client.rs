//! A schema in, the client of an application out: SQL for the local database, TypeScript for the rest.
//!
//! What is written follows from the schema and the options alone, to the byte. Statements and code are
//! templates beside this crate's sources; here is what fills them.

mod exports;
mod lacks;
mod names;
mod sql;
mod types;
mod typescript;
mod view;
mod zod;

use std::panic::resume_unwind;
use std::thread;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, value::Serde};
use serde::Serialize;
use sha2::{Digest, Sha256};
use syncline_model::schema::Schema;

pub use lacks::{Lack, LackReason, lacks};
pub use names::{COLUMN_NAME_BYTES_MAX, NameProblem, TABLE_NAME_BYTES_MAX};
use view::ClientView;

/// Where a page keeps the rows that it shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Local {
    /// In a database of its own, which also keeps what is not sent yet.
    #[default]
    Pglite,
    /// In memory alone.
    Memory,
}

/// A part of a client that can be written without the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Schema,
    Types,
    Schemas,
    Client,
    Hooks,
    Collections,
    Entities,
}

impl Part {
    pub const ALL: [Self; 7] = [
        Self::Schema,
        Self::Types,
        Self::Schemas,
        Self::Client,
        Self::Hooks,
        Self::Collections,
        Self::Entities,
    ];

    /// The folder of the part, and its name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Types => "types",
            Self::Schemas => "schemas",
            Self::Client => "client",
            Self::Hooks => "hooks",
            Self::Collections => "collections",
            Self::Entities => "entities",
        }
    }

    /// The parts that its code imports.
    pub const fn needs(self, local: Local) -> &'static [Self] {
        match (self, local) {
            (Self::Types | Self::Schemas, _) => &[],
            (Self::Schema | Self::Client, _) => &[Self::Types],
            (Self::Hooks, Local::Memory) => &[Self::Types, Self::Client],
            (Self::Hooks | Self::Collections, Local::Pglite) => &[Self::Schema, Self::Types],
            (Self::Collections, Local::Memory) => &[Self::Types, Self::Client],
            (Self::Entities, Local::Pglite) => &[Self::Schema, Self::Types, Self::Collections],
            (Self::Entities, Local::Memory) => &[Self::Types, Self::Client, Self::Collections],
        }
    }
}

/// What to write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    pub local: Local,
    /// None: every part that has a use where rows are kept so.
    pub only: Option<Vec<Part>>,
}

/// One file of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Below the folder of the client, with slashes.
    pub path: String,
    pub text: String,
}

/// Writes the client of `schema`, in the order of the files' paths. What stands in the way is told instead.
pub fn generate(schema: &Schema, options: &Options) -> Result<Vec<File>, Vec<NameProblem>> {
    let parts = chosen(options);
    let names = names::check(schema, &parts)?;
    let view = ClientView::new(schema, &names, options.local, version(schema));
    let templates = Templates::new();
    let mut files = Vec::new();
    if parts.contains(&Part::Schema) {
        files.extend(sql::files(&view, &templates));
    }
    files.extend(typescript::files(&view, &parts, options.local, &templates));
    files.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

/// The parts that are asked for, and those that they need.
fn chosen(options: &Options) -> Vec<Part> {
    let mut parts: Vec<Part> = match &options.only {
        None => Part::ALL
            .into_iter()
            .filter(|part| *part != Part::Schema || options.local == Local::Pglite)
            .collect(),
        Some(only) => only
            .iter()
            .flat_map(|part| part.needs(options.local).iter().copied().chain([*part]))
            .collect(),
    };
    parts.sort_unstable();
    parts.dedup();
    parts
}

/// Names the schema, so that a local database knows whether it is of this one.
fn version(schema: &Schema) -> String {
    name_of(&[&serde_json::to_string(schema).expect("a schema is JSON")])
}

/// Names texts: others have another name.
fn name_of(texts: &[&str]) -> String {
    let digest = texts
        .iter()
        .fold(Sha256::new(), Sha256::chain_update)
        .finalize();
    digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

macro_rules! templates {
    ($($name:literal),+ $(,)?) => {
        const TEMPLATES: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../templates/", $name)))),+
        ];
    };
}

templates![
    "schema/changes.pglite.sql",
    "schema/changes.sqlite.sql",
    "schema/entity.pglite.sql",
    "schema/entity.sqlite.sql",
    "typescript/barrel.ts",
    "typescript/client.ts",
    "typescript/collection.memory.ts",
    "typescript/collection.pglite.ts",
    "typescript/config.ts",
    "typescript/entity.memory.ts",
    "typescript/entity.pglite.ts",
    "typescript/hooks.memory.ts",
    "typescript/hooks.pglite.ts",
    "typescript/index.ts",
    "typescript/init.ts",
    "typescript/local.ts",
    "typescript/meta.ts",
    "typescript/schema.ts",
    "typescript/types.ts",
    "typescript/worker.ts",
];

/// The templates, ready to be filled.
#[derive(Debug)]
struct Templates(Environment<'static>);

impl Templates {
    fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.add_filter("quoted", |text: &str| names::quoted(text));
        environment.add_filter("property", |name: &str| names::property(name));
        environment.add_filter("required", zod::required);
        environment.add_filter("optional", zod::optional);
        environment.add_filter("literal", |text: &str| names::literal(text));
        for (name, source) in TEMPLATES {
            environment
                .add_template(name, source)
                .expect("the templates are this crate's own");
        }
        Self(environment)
    }

    fn file(&self, template: &str, path: impl Into<String>, context: &impl Serialize) -> File {
        self.fill(template, path, Value::from(Serde(context)))
    }

    fn fill(&self, template: &str, path: impl Into<String>, context: Value) -> File {
        let template = self
            .0
            .get_template(template)
            .expect("the templates are this crate's own");
        let mut text = template
            .render(context)
            .expect("a context has all that its template names");
        text.truncate(text.trim_end().len());
        text.push('\n');
        File {
            path: path.into(),
            text,
        }
    }
}

/// How many threads fill templates, and how many entities each of them has at least: of fewer the time
/// that a thread takes to begin is more than it saves.
const THREADS_MAX: usize = 4;
const ENTITIES_PER_THREAD_MIN: usize = 8;

/// The files of all entities, in their order.
fn of_each<T: Sync>(entities: &[T], files: impl Fn(&T) -> Vec<File> + Sync) -> Vec<File> {
    let most = entities.len().div_ceil(THREADS_MAX);
    let mut chunks = entities.chunks(most.max(ENTITIES_PER_THREAD_MIN));
    let own = chunks.next().unwrap_or_default();
    let files = &files;
    thread::scope(|scope| {
        let others: Vec<_> = chunks
            .map(|chunk| scope.spawn(move || chunk.iter().flat_map(files).collect::<Vec<_>>()))
            .collect();
        let mut all: Vec<File> = own.iter().flat_map(files).collect();
        for other in others {
            all.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_many_entities_come_in_their_order() {
        for count in [0, 1, 8, 9, 33, 100] {
            let entities: Vec<usize> = (0..count).collect();
            let file = |of: &usize, text: &str| File {
                path: of.to_string(),
                text: text.to_owned(),
            };
            let both = |of: &usize| vec![file(of, "first"), file(of, "second")];
            let expected: Vec<File> = entities.iter().flat_map(both).collect();
            assert_eq!(of_each(&entities, both), expected, "{count}");
        }
    }
}
