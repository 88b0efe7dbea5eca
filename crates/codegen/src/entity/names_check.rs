//! Names that can stand beside one another in one database.

use std::collections::HashMap;

use syncline_model::schema::{Entity, Field};

use crate::diagnostic::Code;
use crate::document::Node;
use crate::limits::NAME_BYTES_MAX;
use crate::reading::Reading;

/// What a client's database holds beside the tables of entities.
const TAKEN: [&str; 1] = ["_changes"];

/// What every record has beside its fields, from the server or from the client that shows it.
const RESERVED: [&str; 4] = ["_role", "_has_local_changes", "_pending_write_id", "txid"];

/// Tells of entities whose tables would be one. Databases fold the case of names.
pub(super) fn entities<'e, 'd>(
    reading: &Reading<'d>,
    entities: impl Iterator<Item = (&'e Entity, Node<'d>)>,
) {
    let mut tables: HashMap<String, &str> = TAKEN
        .iter()
        .map(|taken| ((*taken).to_owned(), *taken))
        .collect();
    for (entity, node) in entities {
        let name = &entity.name;
        // The name of a record is that of its entity, a slash, and its id.
        let parted = || name.contains('/').then(|| "it holds a slash".to_owned());
        if let Some(reason) = unusable(name).or_else(parted) {
            let message = format!(
                "an entity can't be called `{}`: {reason}",
                name.escape_debug()
            );
            reading.error(node, Code::NAME, message);
        }
        let folded = name.to_lowercase();
        if folded.starts_with("sqlite_") {
            let message = format!("an entity can't be called `{name}`: SQLite keeps such names");
            reading.error(node, Code::NAME, message);
        }
        let own = ["", "_synced", "_local"].map(|ending| format!("{folded}{ending}"));
        let taken = own
            .iter()
            .find_map(|table| Some((table, tables.get(table)?)));
        if let Some((table, other)) = taken {
            let message = format!("`{name}` and `{other}` would both have a table `{table}`");
            reading.error(node, Code::COLLISION, message);
        }
        tables.extend(own.map(|table| (table, name.as_str())));
    }
}

/// Tells of a field's name that can't be used, and of two that are one in a database.
pub(super) fn fields(reading: &Reading<'_>, fields: &[(Field, Node<'_>)]) {
    let mut columns: HashMap<String, &str> = HashMap::new();
    for (field, node) in fields {
        let name = &field.name;
        if let Some(reason) = unusable(name) {
            let message = format!(
                "a field can't be called `{}`: {reason}",
                name.escape_debug()
            );
            reading.error(*node, Code::NAME, message);
        }
        if let Some(other) = columns.insert(name.to_lowercase(), name) {
            let message = format!("`{name}` and `{other}` would be one column");
            reading.error(*node, Code::COLLISION, message);
        }
    }
}

/// Whether every record has this already, so that it is no field.
pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED
        .iter()
        .any(|reserved| name.eq_ignore_ascii_case(reserved))
}

fn unusable(name: &str) -> Option<String> {
    if name.trim().is_empty() {
        return Some("it is empty".to_owned());
    }
    if name.len() > NAME_BYTES_MAX {
        return Some(format!("it has over {NAME_BYTES_MAX} bytes"));
    }
    let has_control = name.chars().any(char::is_control);
    has_control.then(|| "it holds a control character".to_owned())
}
