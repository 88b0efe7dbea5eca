//! A schema with everything that it is put together from: references, `allOf`, and one-sided unions.

use crate::diagnostic::Code;
use crate::document::Node;
use crate::limits::REFERENCE_DEPTH_MAX;
use crate::reading::Reading;

/// The most schemas that may hold for one value together.
const PARTS_MAX: usize = 256;

/// What all holds for one value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Merged<'d> {
    /// The schemas that hold together, those named by references and `allOf` first.
    pub(crate) parts: Vec<Node<'d>>,
    /// Whether any of them lets null be.
    pub(crate) nullable: bool,
    /// Sets of schemas of each of which a value satisfies one.
    pub(crate) unions: Vec<Vec<Node<'d>>>,
}

/// Keywords that say what a value is, and not merely what else it satisfies.
const STRUCTURAL: [&str; 10] = [
    "$ref",
    "type",
    "properties",
    "allOf",
    "oneOf",
    "anyOf",
    "enum",
    "const",
    "format",
    "items",
];

impl<'d> Merged<'d> {
    pub(crate) fn of(reading: &Reading<'d>, node: Node<'d>) -> Self {
        Self::of_all(reading, &[node])
    }

    /// What holds for a value that must satisfy all of them.
    pub(crate) fn of_all(reading: &Reading<'d>, nodes: &[Node<'d>]) -> Self {
        let mut merged = Self::default();
        for node in nodes {
            merged.collect(reading, *node, &mut Vec::new());
        }
        merged
    }

    fn collect(&mut self, reading: &Reading<'d>, node: Node<'d>, above: &mut Vec<Node<'d>>) {
        // `true` and `{}` ask for nothing.
        if node.as_boolean() == Some(true) || self.parts.contains(&node) {
            return;
        }
        if self.parts.len() == PARTS_MAX {
            let message = format!("the schema is put together from over {PARTS_MAX} others");
            reading.error(node, Code::LIMIT, message);
            return;
        }
        if !node.is_map() {
            reading.error(node, Code::MALFORMED, "a schema must be a map");
            return;
        }
        if above.contains(&node) || above.len() == REFERENCE_DEPTH_MAX {
            let message = "the schema is put together from itself";
            reading.error(node, Code::CIRCULAR_REFERENCE, message);
            return;
        }
        above.push(node);
        if let Some(target) = node
            .get("$ref")
            .and_then(|reference| reading.target(reference))
        {
            self.collect(reading, target, above);
        }
        for part in node.get("allOf").into_iter().flat_map(Node::items) {
            self.collect(reading, part, above);
        }
        for keyword in ["oneOf", "anyOf"] {
            if let Some(union) = node.get(keyword) {
                self.collect_union(reading, union, above);
            }
        }
        above.pop();
        self.nullable |= lets_null_be(node);
        self.parts.push(node);
    }

    fn collect_union(&mut self, reading: &Reading<'d>, union: Node<'d>, above: &mut Vec<Node<'d>>) {
        let mut rest = Vec::new();
        for alternative in union.items() {
            match is_null(reading, alternative) {
                true => self.nullable = true,
                false => rest.push(alternative),
            }
        }
        match rest.as_slice() {
            [] => {}
            [only] => self.collect(reading, *only, above),
            // As where one of two sets of properties is required: a rule, and no other kind of value.
            several if several.iter().all(|schema| !is_structural(*schema)) => {}
            _ => self.unions.push(rest),
        }
    }

    /// A keyword of the first part that has it.
    pub(crate) fn get(&self, keyword: &str) -> Option<Node<'d>> {
        self.parts.iter().find_map(|part| part.get(keyword))
    }

    /// A keyword of all parts that have it.
    pub(crate) fn all(&self, keyword: &'static str) -> impl Iterator<Item = Node<'d>> {
        self.parts.iter().filter_map(move |part| part.get(keyword))
    }

    /// Whether any part says so.
    pub(crate) fn flag(&self, keyword: &'static str) -> bool {
        self.all(keyword)
            .any(|node| node.as_boolean() == Some(true))
    }

    /// The properties in the order in which they are first named, each with all schemas for it.
    pub(crate) fn properties(&self) -> Vec<(&'d str, Vec<Node<'d>>)> {
        let mut properties: Vec<(&str, Vec<Node<'_>>)> = Vec::new();
        let mut places = std::collections::HashMap::new();
        for (name, schema) in self.all("properties").flat_map(Node::entries) {
            let place = *places.entry(name).or_insert_with(|| {
                properties.push((name, Vec::new()));
                properties.len() - 1
            });
            properties[place].1.push(schema);
        }
        properties
    }

    pub(crate) fn property(&self, name: &str) -> Vec<Node<'d>> {
        self.all("properties")
            .filter_map(|properties| properties.get(name))
            .collect()
    }

    pub(crate) fn requires(&self, name: &str) -> bool {
        self.all("required")
            .flat_map(Node::items)
            .any(|required| required.as_text() == Some(name))
    }

    pub(crate) fn requires_anything(&self) -> bool {
        self.all("required").flat_map(Node::items).next().is_some()
    }

    pub(crate) fn has_properties(&self) -> bool {
        self.all("properties")
            .flat_map(Node::entries)
            .next()
            .is_some()
    }

    /// The types that the schema names, null apart, each once.
    pub(crate) fn types(&self) -> Vec<&'d str> {
        let mut types = Vec::new();
        for node in self.all("type") {
            let one = node.as_text();
            let several = node.items().filter_map(Node::as_text);
            for name in one.into_iter().chain(several) {
                if name != "null" && !types.contains(&name) {
                    types.push(name);
                }
            }
        }
        types
    }
}

fn is_structural(schema: Node<'_>) -> bool {
    STRUCTURAL
        .iter()
        .any(|keyword| schema.get(keyword).is_some())
}

/// Whether a schema lets null be beside other values.
fn lets_null_be(schema: Node<'_>) -> bool {
    let is_null_type = |node: Node<'_>| node.as_text() == Some("null");
    schema.get("nullable").and_then(Node::as_boolean) == Some(true)
        || schema
            .get("type")
            .is_some_and(|types| types.items().any(is_null_type))
        || schema
            .get("enum")
            .is_some_and(|values| values.items().any(Node::is_null))
}

/// Whether a schema takes null and nothing else.
fn is_null<'d>(reading: &Reading<'d>, schema: Node<'d>) -> bool {
    // A reference may lead to it, but one that leads nowhere is told of where it is followed.
    let schema = match schema.get("$ref") {
        None => schema,
        Some(_) => match reading.follow(schema) {
            Some(schema) => schema,
            None => return false,
        },
    };
    let mut values = schema.get("enum").into_iter().flat_map(Node::items);
    let only_null = values.next().is_some_and(Node::is_null) && values.next().is_none();
    schema.get("type").and_then(Node::as_text) == Some("null")
        || schema.get("const").is_some_and(Node::is_null)
        || only_null
}
