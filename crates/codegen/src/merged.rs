//! A schema with everything that it is put together from: references, `allOf`, and one-sided unions.

mod marks;

use std::collections::HashMap;

use crate::diagnostic::Code;
use crate::document::Node;
use crate::limits::REFERENCE_DEPTH_MAX;
use crate::reading::Reading;

/// The most schemas that may hold for one value together.
const PARTS_MAX: usize = 256;

/// The most schemas that are looked at for the variants of one value: a few lines can name billions.
const VARIANT_PARTS_MAX: usize = 512;

/// What all holds for one value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Merged<'d> {
    /// The schemas that hold together, those named by references and `allOf` first.
    pub(crate) parts: Vec<Node<'d>>,
    /// Whether any of them lets null be.
    pub(crate) nullable: bool,
    /// Sets of schemas of each of which a value satisfies one.
    pub(crate) unions: Vec<Vec<Node<'d>>>,
    /// Those of them that are objects, each with properties.
    pub(crate) variants: Vec<Variants<'d>>,
}

/// A union of objects.
#[derive(Debug, Clone)]
pub(crate) struct Variants<'d> {
    /// Where the document has it.
    pub(crate) node: Node<'d>,
    pub(crate) all: Vec<Merged<'d>>,
}

/// The schemas that hold for one property.
#[derive(Debug, Clone, Default)]
pub(crate) struct Schemas<'d> {
    /// Each of them holds.
    all: Vec<Node<'d>>,
    /// Of each of these sets one does, by the variant that a record is of.
    unions: Vec<Vec<Node<'d>>>,
}

impl<'d> FromIterator<Node<'d>> for Schemas<'d> {
    /// Schemas that all hold.
    fn from_iter<I: IntoIterator<Item = Node<'d>>>(nodes: I) -> Self {
        Self {
            all: nodes.into_iter().collect(),
            unions: Vec::new(),
        }
    }
}

impl<'d> Schemas<'d> {
    /// Each of the schemas, whichever of them hold together.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = Node<'d>> {
        self.all.iter().chain(self.unions.iter().flatten()).copied()
    }

    pub(crate) fn first(&self) -> Option<Node<'d>> {
        self.nodes().next()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first().is_none()
    }

    /// Adds what variants have for the property: what they say alike holds for each of them.
    fn add_variants(&mut self, nodes: Vec<Node<'d>>) {
        let mut others: Vec<(Option<serde_json::Value>, Node<'d>)> = Vec::new();
        for node in nodes {
            if others.iter().any(|(_, known)| *known == node) {
                continue;
            }
            let value = node.to_json();
            let is_alike = |(other, _): &(Option<_>, _)| value.is_some() && *other == value;
            if !others.iter().any(is_alike) {
                others.push((value, node));
            }
        }
        let others: Vec<_> = others.into_iter().map(|(_, node)| node).collect();
        match others.as_slice() {
            [only] => self.all.push(*only),
            _ => self.unions.push(others),
        }
    }
}

/// One way down the schemas of a value.
struct Walk<'d> {
    above: Vec<Node<'d>>,
    /// How many more schemas of variants may be looked at.
    left: usize,
    /// Whether it goes down a variant, which may name what it is one of.
    is_in_variant: bool,
}

impl Walk<'_> {
    fn new() -> Self {
        Self {
            above: Vec::new(),
            left: VARIANT_PARTS_MAX,
            is_in_variant: false,
        }
    }
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
            merged.collect(reading, *node, &mut Walk::new());
        }
        merged
    }

    /// What holds for the values of a property.
    pub(crate) fn of_property(reading: &Reading<'d>, schemas: &Schemas<'d>) -> Self {
        let mut merged = Self::of_all(reading, &schemas.all);
        for union in &schemas.unions {
            if let Some(first) = union.first() {
                merged.collect_union(reading, (*first, union.clone()), &mut Walk::new());
            }
        }
        merged
    }

    fn collect(&mut self, reading: &Reading<'d>, node: Node<'d>, walk: &mut Walk<'d>) {
        // `true` and `{}` ask for nothing.
        if node.as_boolean() == Some(true) || self.parts.contains(&node) {
            return;
        }
        if node.as_boolean() == Some(false) {
            let message =
                "no value satisfies `false`, which is not checked: what is written here is taken";
            reading.warning(node, Code::UNCHECKED, message);
            return;
        }
        if walk.is_in_variant {
            // `Cat` is one of `Pet` and is put together from it, in the way of object models.
            if walk.above.contains(&node) || walk.left == 0 {
                return;
            }
            walk.left -= 1;
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
        if walk.above.contains(&node) || walk.above.len() == REFERENCE_DEPTH_MAX {
            let message = "the schema is put together from itself";
            reading.error(node, Code::CIRCULAR_REFERENCE, message);
            return;
        }
        walk.above.push(node);
        if let Some(target) = node
            .get("$ref")
            .and_then(|reference| reading.target(reference))
        {
            self.collect(reading, target, walk);
        }
        for part in node.get("allOf").into_iter().flat_map(Node::items) {
            self.collect(reading, part, walk);
        }
        for keyword in ["oneOf", "anyOf"] {
            if let Some(union) = node.get(keyword) {
                self.collect_union(reading, (union, union.items().collect()), walk);
            }
        }
        walk.above.pop();
        self.nullable |= marks::lets_null_be(node);
        self.parts.push(node);
    }

    fn collect_union(
        &mut self,
        reading: &Reading<'d>,
        (node, alternatives): (Node<'d>, Vec<Node<'d>>),
        walk: &mut Walk<'d>,
    ) {
        let mut rest = Vec::new();
        for alternative in alternatives {
            match is_null(reading, alternative) {
                true => self.nullable = true,
                // No value satisfies it.
                false if alternative.as_boolean() == Some(false) => {}
                false => rest.push(alternative),
            }
        }
        match rest.as_slice() {
            [] => {}
            [only] => self.collect(reading, *only, walk),
            // As where one of two sets of properties is required: a rule, and no other kind of value.
            several if is_rule(several) => {}
            _ => {
                if let Some(all) = variants(reading, &rest, walk) {
                    self.variants.push(Variants { node, all });
                }
                self.nullable |= marks::any_lets_null_be(reading, &rest);
                self.unions.push(rest);
            }
        }
    }

    /// The parts, and those of each variant.
    pub(crate) fn all_parts(&self) -> Vec<Node<'d>> {
        let mut parts = self.parts.clone();
        for variant in self.variants.iter().flat_map(|union| &union.all) {
            parts.extend(variant.all_parts());
        }
        parts
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
    pub(crate) fn properties(&self) -> Vec<(&'d str, Schemas<'d>)> {
        let mut properties: Vec<(&str, Schemas<'_>)> = Vec::new();
        let mut places = HashMap::new();
        let mut place_of = |properties: &mut Vec<(&'d str, Schemas<'d>)>, name| {
            *places.entry(name).or_insert_with(|| {
                properties.push((name, Schemas::default()));
                properties.len() - 1
            })
        };
        for (name, schema) in self.all("properties").flat_map(Node::entries) {
            let place = place_of(&mut properties, name);
            properties[place].1.all.push(schema);
        }
        for union in &self.variants {
            let mut found: Vec<(usize, Vec<Node<'d>>)> = Vec::new();
            let mut known = HashMap::new();
            for (name, schemas) in union.all.iter().flat_map(Self::properties) {
                let place = place_of(&mut properties, name);
                let at = *known.entry(place).or_insert_with(|| {
                    found.push((place, Vec::new()));
                    found.len() - 1
                });
                found[at].1.extend(schemas.nodes());
            }
            for (place, nodes) in found {
                properties[place].1.add_variants(nodes);
            }
        }
        properties
    }

    pub(crate) fn property(&self, name: &str) -> Schemas<'d> {
        let own = self.all("properties");
        let mut schemas = Schemas {
            all: own.filter_map(|properties| properties.get(name)).collect(),
            unions: Vec::new(),
        };
        for union in &self.variants {
            let of_variants = union.all.iter().map(|variant| variant.property(name));
            let nodes: Vec<_> = of_variants
                .flat_map(|schemas| schemas.nodes().collect::<Vec<_>>())
                .collect();
            if !nodes.is_empty() {
                schemas.add_variants(nodes);
            }
        }
        schemas
    }

    /// Whether a value must have the property, whatever variant it is of.
    pub(crate) fn requires(&self, name: &str) -> bool {
        let is_named = self
            .all("required")
            .flat_map(Node::items)
            .any(|required| required.as_text() == Some(name));
        let mut unions = self.variants.iter();
        is_named || unions.any(|union| union.all.iter().all(|variant| variant.requires(name)))
    }

    pub(crate) fn requires_anything(&self) -> bool {
        let is_named = self.all("required").flat_map(Node::items).next().is_some();
        let mut unions = self.variants.iter();
        is_named || unions.any(|union| union.all.iter().all(Self::requires_anything))
    }

    pub(crate) fn has_properties(&self) -> bool {
        let own = self.all("properties").flat_map(Node::entries).next();
        own.is_some() || !self.variants.is_empty()
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

/// What holds for each schema of a union, if they all are of objects with properties.
fn variants<'d>(
    reading: &Reading<'d>,
    schemas: &[Node<'d>],
    walk: &mut Walk<'d>,
) -> Option<Vec<Merged<'d>>> {
    let may_be_object = |schema: &Node<'d>| {
        let type_ = reading.follow(*schema)?.get("type");
        Some(type_.is_none_or(|name| name.as_text() == Some("object")))
    };
    if !schemas
        .iter()
        .all(|schema| may_be_object(schema) == Some(true))
    {
        return None;
    }
    let was_in_variant = std::mem::replace(&mut walk.is_in_variant, true);
    let merged = schemas.iter().map(|schema| {
        let mut merged = Merged::default();
        merged.collect(reading, *schema, walk);
        let is_object = merged.types().iter().all(|name| *name == "object");
        (is_object && merged.has_properties()).then_some(merged)
    });
    let merged: Option<Vec<_>> = merged.collect();
    walk.is_in_variant = was_in_variant;
    merged.filter(|_| walk.left > 0)
}

/// Whether schemas of a union say nothing of what a value is.
pub(crate) fn is_rule(schemas: &[Node<'_>]) -> bool {
    schemas.iter().all(|schema| !is_structural(*schema))
}

fn is_structural(schema: Node<'_>) -> bool {
    STRUCTURAL
        .iter()
        .any(|keyword| schema.get(keyword).is_some())
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
