//! Extensions of ours that nobody has read: in places where they say nothing.
//!
//! What is asked of a document is asked where entities have it. A word that is meant to keep a field private
//! and stands anywhere else would be passed over without a sound, so that every map is looked at once more.

use std::collections::HashSet;

use super::is_ours;
use crate::diagnostic::Code;
use crate::document::{Id, Node};
use crate::reading::Reading;

/// What was looked at for extensions while the entities were read.
#[derive(Debug, Default)]
pub(crate) struct Seen<'d> {
    /// The values of extensions that were taken, or refused, where they stand.
    read: HashSet<Id>,
    roots: Vec<Root<'d>>,
}

/// A schema whose own extensions were read, and within which none is.
#[derive(Debug)]
struct Root<'d> {
    node: Node<'d>,
    /// The field whose values it is of. Without one it is of records, whose properties are fields.
    field: Option<&'d str>,
    /// All that it is put together from.
    parts: Vec<Node<'d>>,
}

impl Root<'_> {
    /// Whether the field as a whole is kept as private as `word` would keep a part of it.
    fn keeps_apart(&self, word: &str) -> bool {
        let mut parts = self.parts.iter();
        parts.any(|part| {
            let says = |word| part.get(word).and_then(Node::as_boolean) == Some(true);
            says("x-sync-exclude") || says(word)
        })
    }
}

impl<'d> Seen<'d> {
    pub(crate) fn mark(&mut self, value: Node<'_>) {
        self.read.insert(value.id());
    }

    pub(crate) fn note_field(&mut self, name: &'d str, node: Node<'d>, parts: Vec<Node<'d>>) {
        let field = Some(name);
        self.roots.push(Root { node, field, parts });
    }

    pub(crate) fn note_records(&mut self, parts: &[Node<'d>]) {
        let parts = parts.to_vec();
        self.roots.extend(parts.first().map(|node| Root {
            node: *node,
            field: None,
            parts: parts.clone(),
        }));
    }
}

/// What the keys of a map are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Keys {
    /// Words of OpenAPI, and extensions.
    Words,
    /// Names that the document's author has chosen.
    Names,
    /// Paths or statuses, and extensions.
    Places,
    /// Kinds of components, each of which has names.
    Kinds,
}

/// Words whose values are data of the application's, or lists of names.
const DATA: [&str; 7] = [
    "example", "examples", "default", "enum", "const", "required", "security",
];

/// Words whose values have names as their keys.
const NAMED: [&str; 15] = [
    "properties",
    "patternProperties",
    "$defs",
    "definitions",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "headers",
    "content",
    "encoding",
    "links",
    "mapping",
    "scopes",
    "variables",
    "webhooks",
];

/// A map or list within which extensions are looked for, with what its keys are.
type Step<'d> = (Node<'d>, Keys);

/// The values within one, those apart that are data.
fn steps<'d>((node, keys): Step<'d>) -> impl Iterator<Item = Step<'d>> {
    let members = node.entries().filter_map(move |(key, value)| {
        let keys = match keys {
            Keys::Kinds if key == "examples" => return None,
            Keys::Words | Keys::Places | Keys::Kinds if key.starts_with("x-") => return None,
            Keys::Kinds => Keys::Names,
            Keys::Names | Keys::Places => Keys::Words,
            Keys::Words if DATA.contains(&key) => return None,
            Keys::Words if NAMED.contains(&key) => Keys::Names,
            // Those of an operation are a list, those of a link a map.
            Keys::Words if matches!(key, "parameters" | "callbacks") => Keys::Names,
            Keys::Words if matches!(key, "paths" | "responses") => Keys::Places,
            Keys::Words => Keys::Words,
        };
        Some((value, keys))
    });
    members.chain(node.items().map(|item| (item, Keys::Words)))
}

/// The extensions of ours that a map itself has.
fn own<'d>((node, keys): Step<'d>) -> impl Iterator<Item = (&'d str, Node<'d>)> {
    let named = (keys != Keys::Names).then(|| node.entries());
    named.into_iter().flatten().filter(|(key, _)| is_ours(key))
}

/// Tells of every extension of ours that nobody has read.
pub(crate) fn tell_strays<'d>(reading: &Reading<'d>) {
    let seen = reading.take_seen();
    let mut read = seen.read;
    within_records(reading, &seen.roots, &mut read);
    elsewhere(reading, &read);
}

/// Those within what records hold, wherever references lead from there. They would keep nothing private.
fn within_records<'d>(reading: &Reading<'d>, roots: &[Root<'d>], read: &mut HashSet<Id>) {
    let mut visited: HashSet<(Id, Keys)> = HashSet::new();
    let mut refused = Vec::new();
    for root in roots {
        let mut open: Vec<Step<'d>> = Vec::new();
        for part in &root.parts {
            let is_field =
                |step: &Step<'d>| root.field.is_none() && Some(step.0) == part.get("properties");
            open.extend(steps((*part, Keys::Words)).filter(|step| !is_field(step)));
        }
        while let Some(step) = open.pop() {
            let (node, keys) = step;
            if root.parts.contains(&node) || !visited.insert((node.id(), keys)) {
                continue;
            }
            for (name, value) in own(step) {
                match read.contains(&value.id()) {
                    true => of_another(reading, root, name, value),
                    false => {
                        let message = says_nothing(name);
                        reading.error(value, Code::UNKNOWN_EXTENSION, message);
                        refused.push(value.id());
                    }
                }
            }
            let reference = node.get("$ref").filter(|_| keys == Keys::Words);
            let target = reference.and_then(|reference| reading.target(reference));
            open.extend(target.map(|target| (target, Keys::Words)));
            open.extend(steps(step));
        }
    }
    read.extend(refused);
}

/// Tells of a schema that is an entity's, where its fields have extensions, and the value of a field of
/// another's, where they have none.
fn of_another(reading: &Reading<'_>, root: &Root<'_>, name: &str, value: Node<'_>) {
    let is_private = matches!(name, "x-sync-exclude" | "x-owner-only");
    if let Some(field) = root.field
        && is_private
        && value.as_boolean() == Some(true)
        && !root.keeps_apart(name)
    {
        let message = format!(
            "what stands in `{field}` is sent, and written, as a whole: the `{name}` on line {} says \
             nothing of it there",
            value.place().line
        );
        reading.warning(root.node, Code::UNKNOWN_EXTENSION, message);
    }
}

/// Those that no record reaches. Among components that no entity has they do no harm.
fn elsewhere<'d>(reading: &Reading<'d>, read: &HashSet<Id>) {
    let root = reading.root();
    let components = root.get("components");
    let rest = steps((root, Keys::Words)).filter(|(node, _)| Some(*node) != components);
    let of_rest = Walk::new(rest.collect());
    let at_top = own((root, Keys::Words));
    for (name, value) in at_top.chain(of_rest) {
        if !read.contains(&value.id()) {
            reading.error(value, Code::UNKNOWN_EXTENSION, says_nothing(name));
        }
    }
    let of_components = components.map(|node| Walk::new(vec![(node, Keys::Kinds)]));
    for (name, value) in of_components.into_iter().flatten() {
        if !read.contains(&value.id()) {
            let message = format!("{}; no entity has this component", says_nothing(name));
            reading.warning(value, Code::UNKNOWN_EXTENSION, message);
        }
    }
}

/// The extensions of ours in a part of a document. What stands in several places is looked at once.
struct Walk<'d> {
    open: Vec<Step<'d>>,
    visited: HashSet<(Id, Keys)>,
    found: Vec<(&'d str, Node<'d>)>,
}

impl<'d> Walk<'d> {
    fn new(open: Vec<Step<'d>>) -> Self {
        let visited = HashSet::new();
        let found = Vec::new();
        Self {
            open,
            visited,
            found,
        }
    }
}

impl<'d> Iterator for Walk<'d> {
    type Item = (&'d str, Node<'d>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(found) = self.found.pop() {
                return Some(found);
            }
            let step = self.open.pop()?;
            if self.visited.insert((step.0.id(), step.1)) {
                self.found.extend(own(step));
                self.open.extend(steps(step));
            }
        }
    }
}

fn says_nothing(name: &str) -> String {
    let advice = match name {
        "x-sync" | "x-sync-mode" => "it stands on a path or an operation",
        "x-rbac" | "x-conflict" => "it stands on a path, an operation or a record's schema",
        "x-unique" => "it stands on a property of a record, its schema, a path or an operation",
        "x-references" => "it stands on a property of a record's schema",
        "x-sync-exclude" | "x-owner-only" => {
            "it stands on a property of a record's schema: what is to be kept apart must be a field of its \
             own"
        }
        _ => "it is none of the extensions, and would be passed over",
    };
    format!("`{name}` says nothing here: {advice}")
}
