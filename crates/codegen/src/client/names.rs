//! What entities and fields are called in TypeScript, in SQL and in the names of files.

use std::collections::BTreeMap;
use std::fmt;

use syncline_model::schema::{Entity, Field, Schema};

use super::{Part, exports};

/// Bytes of an entity's name: Postgres cuts identifiers at 63 bytes, and triggers add to the name.
pub const TABLE_NAME_BYTES_MAX: usize = 45;

/// Bytes of a field's name: beyond them Postgres would cut the column's.
pub const COLUMN_NAME_BYTES_MAX: usize = 63;

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

/// Columns that Postgres gives every table.
const POSTGRES_COLUMNS: [&str; 6] = ["cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"];

/// Types of the language that an entity's type would hide.
pub(super) const GLOBAL_TYPES: [&str; 37] = [
    "AbortSignal",
    "Array",
    "Boolean",
    "Client",
    "Date",
    "Element",
    "Error",
    "Event",
    "Exclude",
    "Extract",
    "File",
    "Function",
    "Headers",
    "JSON",
    "Json",
    "Map",
    "Node",
    "NonNullable",
    "Number",
    "Object",
    "Omit",
    "Parameters",
    "Partial",
    "Pick",
    "Promise",
    "Readonly",
    "ReadonlySet",
    "Record",
    "RegExp",
    "Request",
    "Response",
    "Row",
    "Set",
    "String",
    "Symbol",
    "URLSearchParams",
    "WeakMap",
];

/// Why no client can be written for an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameProblem {
    pub entity: String,
    /// The field that it is about; none: the entity itself.
    pub field: Option<String>,
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

/// The names of each entity, in the order of the schema, if they can stand in the parts that are written.
pub(super) fn check(schema: &Schema, parts: &[Part]) -> Result<Vec<Names>, Vec<NameProblem>> {
    let mut problems = Vec::new();
    if parts.contains(&Part::Schema) {
        problems.extend(schema.entities.iter().flat_map(problems_of));
    }
    let mut taken = exports::Taken::new();
    let mut files: BTreeMap<String, &str> = BTreeMap::new();
    let mut all: Vec<Names> = schema.entities.iter().map(names_of).collect();
    // The shortest first: of two that clash it is the other that has the longer, made-up name.
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|at| all[*at].one.len());
    for at in order {
        let entity = &schema.entities[at];
        let names = taken.fitting(all[at].clone());
        let file = files.insert(names.file.clone(), &entity.name);
        let file = file.map(|other| (names.file.clone(), format!("{other:?}")));
        let mut clashes: Vec<(String, String)> = taken.take(&names, &entity.name);
        clashes.extend(file);
        // Of names that follow from one another the shortest says it.
        clashes.sort_by_key(|(name, other)| (other.clone(), name.len()));
        clashes.dedup_by(|one, before| one.1 == before.1);
        for (name, other) in clashes {
            problems.push(NameProblem {
                entity: entity.name.clone(),
                field: None,
                message: format!(
                    "its name in TypeScript, {name:?}, is that of {other} too: rename one of them"
                ),
            });
        }
        all[at] = names;
    }
    if problems.is_empty() {
        Ok(all)
    } else {
        Err(problems)
    }
}

/// What keeps an entity out of a local database.
fn problems_of(entity: &Entity) -> Vec<NameProblem> {
    let problem = |message: String| NameProblem {
        entity: entity.name.clone(),
        field: None,
        message,
    };
    let of_field = |field: &Field, message: String| NameProblem {
        field: Some(field.name.clone()),
        ..problem(message)
    };
    let mut problems = Vec::new();
    if entity.name.len() > TABLE_NAME_BYTES_MAX {
        problems.push(problem(format!(
            "its name has {} bytes, more than the {TABLE_NAME_BYTES_MAX} that fit into a local database",
            entity.name.len()
        )));
    }
    if entity.name.starts_with('_') {
        problems.push(problem(
            "names that begin with an underscore are the local database's own".to_owned(),
        ));
    }
    if entity.name.starts_with("pg_") {
        problems.push(problem(
            "names that begin with `pg_` are Postgres's own".to_owned(),
        ));
    }
    for field in &entity.fields {
        if OWN_COLUMNS.contains(&field.name.as_str()) {
            problems.push(of_field(
                field,
                format!(
                    "its field {:?} has the name of a column that every local table has",
                    field.name
                ),
            ));
        }
        if POSTGRES_COLUMNS.contains(&field.name.as_str()) {
            problems.push(of_field(
                field,
                format!(
                    "its field {:?} has the name of a column that Postgres gives every table",
                    field.name
                ),
            ));
        }
        if field.name.len() > COLUMN_NAME_BYTES_MAX {
            problems.push(of_field(field, format!(
                "its field {:?} has a name of {} bytes, more than the {COLUMN_NAME_BYTES_MAX} that a column's may have",
                field.name,
                field.name.len()
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

/// A field as a property name of TypeScript. In an object that is written out, `__proto__` would be no field of it but
/// what it inherits from, in quotes too.
pub(super) fn property(name: &str) -> String {
    if name == "__proto__" {
        return format!("[{}]", quoted(name));
    }
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
    let mut literal = String::with_capacity(text.len() + text.len() / 16);
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '`', '$']) {
        literal.push_str(&rest[..at]);
        rest = &rest[at..];
        // A dollar sign means something before a brace alone.
        if !rest.starts_with('$') || rest.starts_with("${") {
            literal.push('\\');
        }
        literal.push_str(&rest[..1]);
        rest = &rest[1..];
    }
    literal + rest
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn a_template_literal_holds_what_would_end_it() {
        for (text, written) in [
            ("", ""),
            ("plain", "plain"),
            ("$body0$", "$body0$"),
            ("a${b}$", "a\\${b}$"),
            ("`\\`", "\\`\\\\\\`"),
            ("é$`ü", "é$\\`ü"),
        ] {
            assert_eq!(literal(text), written, "{text}");
        }
    }
}
