//! What entities and fields are called in TypeScript, in SQL and in the names of files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use syncline_model::schema::{Entity, Schema};

/// Bytes of an entity's name: Postgres cuts identifiers at 63 bytes, and triggers add to the name.
pub const NAME_BYTES_MAX: usize = 45;

/// Columns that a local database has beside an entity's own.
const OWN_COLUMNS: [&str; 7] = [
    "_changed_columns",
    "_has_local_changes",
    "_is_deleted",
    "_is_new",
    "_pending_write_id",
    "_role",
    "_write_id",
];

/// Types of the language that an entity's type would hide.
const GLOBAL_TYPES: [&str; 30] = [
    "Array", "Boolean", "Client", "Date", "Element", "Error", "Event", "Exclude", "Extract",
    "File", "Function", "JSON", "Json", "Map", "Node", "Number", "Object", "Omit", "Partial",
    "Pick", "Promise", "Readonly", "Record", "RegExp", "Request", "Response", "Row", "Set",
    "String", "Symbol",
];

/// Why no client can be written for an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameProblem {
    pub entity: String,
    pub message: String,
}

impl fmt::Display for NameProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "entity {:?}: {}", self.entity, self.message)
    }
}

/// The names of one entity in what is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    /// `Invoice`.
    pub(super) one: String,
    /// `Invoices`.
    pub(super) many: String,
    /// `invoices`, of constants.
    pub(super) variable: String,
    /// `invoices`, of files.
    pub(super) file: String,
}

/// The names of each entity, in the order of the schema.
pub(super) fn check(schema: &Schema) -> Result<Vec<Names>, Vec<NameProblem>> {
    let names: Vec<Names> = schema.entities.iter().map(names_of).collect();
    let mut problems: Vec<NameProblem> = schema.entities.iter().flat_map(problems_of).collect();
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    for (entity, names) in schema.entities.iter().zip(&names) {
        let mut own = BTreeSet::from([names.one.to_lowercase(), names.many.to_lowercase()]);
        own.insert(names.file.clone());
        for name in own {
            if let Some(other) = taken.insert(name.clone(), &entity.name) {
                problems.push(NameProblem {
                    entity: entity.name.clone(),
                    message: format!(
                        "its name in TypeScript, {name:?}, is that of {other:?} too: rename one of them"
                    ),
                });
            }
        }
    }
    if problems.is_empty() {
        Ok(names)
    } else {
        Err(problems)
    }
}

fn problems_of(entity: &Entity) -> Vec<NameProblem> {
    let problem = |message: String| NameProblem {
        entity: entity.name.clone(),
        message,
    };
    let mut problems = Vec::new();
    if entity.name.len() > NAME_BYTES_MAX {
        problems.push(problem(format!(
            "its name has {} bytes, more than the {NAME_BYTES_MAX} that fit into a local database",
            entity.name.len()
        )));
    }
    if entity.name.starts_with('_') {
        problems.push(problem(
            "names that begin with an underscore are the local database's own".to_owned(),
        ));
    }
    for field in &entity.fields {
        if OWN_COLUMNS.contains(&field.name.as_str()) {
            problems.push(problem(format!(
                "its field {:?} has the name of a column that every local table has",
                field.name
            )));
        }
    }
    problems
}

fn names_of(entity: &Entity) -> Names {
    let many = pascal(&entity.name);
    let mut one = pascal(&entity.singular);
    if one == many || GLOBAL_TYPES.contains(&one.as_str()) {
        one.push_str("Row");
    }
    let mut variable = many.clone();
    if let Some(first) = variable.get_mut(0..1) {
        first.make_ascii_lowercase();
    }
    Names {
        one,
        file: slug(&entity.name),
        variable,
        many,
    }
}

/// `budget_lines` as `BudgetLines`; what is no letter or digit of ASCII as its number.
fn pascal(name: &str) -> String {
    let mut text = String::new();
    let mut is_start = true;
    for letter in name.chars() {
        match letter {
            'a'..='z' if is_start => text.push(letter.to_ascii_uppercase()),
            'a'..='z' | 'A'..='Z' | '0'..='9' => text.push(letter),
            ' ' | '-' | '_' | '.' | '/' => {}
            other => text.push_str(&format!("U{:x}", other as u32)),
        }
        is_start = !letter.is_ascii_alphanumeric();
    }
    if text.starts_with(|first: char| !first.is_ascii_alphabetic()) || text.is_empty() {
        text.insert_str(0, "Entity");
    }
    text
}

/// A name that every file system takes.
fn slug(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        match letter {
            'a'..='z' | '0'..='9' | '-' | '_' => text.push(letter),
            'A'..='Z' => text.push(letter.to_ascii_lowercase()),
            other => text.push_str(&format!("u{:x}", other as u32)),
        }
    }
    if text == "index" || text.starts_with(['_', '-']) {
        text.insert_str(0, "entity-");
    }
    text
}

/// A text as a literal of TypeScript.
pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON")
}

/// A field as a property name of TypeScript.
pub(super) fn property(name: &str) -> String {
    let is_plain = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if is_plain {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// A text inside a template literal of TypeScript.
pub(super) fn literal(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('`', "\\`")
        .replace("${", "\\${")
}
