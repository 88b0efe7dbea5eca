//! The fields of an entity, from all schemas that the document has for its records.

use std::collections::HashSet;

use syncline_model::schema::{Field, FieldKind, Verb, is_reserved};

use super::group::Group;
use super::names_check;
use super::operations::field_parameters;
use crate::collection::Collection;
use crate::diagnostic::Code;
use crate::document::Node;
use crate::extensions;
use crate::field::{self, Sources};
use crate::limits::FIELDS_MAX;
use crate::merged::{Merged, Schemas};
use crate::names::folded;
use crate::reading::Reading;

/// The fields of an entity, and what their properties say beside.
#[derive(Debug)]
pub(super) struct Found<'d> {
    pub(super) fields: Vec<Field>,
    /// Where the document has each of them.
    pub(super) nodes: Vec<Node<'d>>,
    /// The fields that are unique by themselves.
    pub(super) unique: Vec<(String, Node<'d>)>,
    pub(super) references: Vec<(String, Reference<'d>)>,
    /// All that the document has for records of the entity: what stands on any of them is said of it.
    pub(super) schemas: Vec<Node<'d>>,
    /// What requests may name and records don't have, in the order of the names.
    pub(super) not_kept: Vec<String>,
}

/// The entity that a field names a record of, in the document's words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reference<'d> {
    name: &'d str,
    node: Node<'d>,
    /// Whether it is our own extension that says so.
    is_ours: bool,
}

/// The schemas of the requests of a group.
struct Requests<'d> {
    creates: Vec<Merged<'d>>,
    changes: Vec<Merged<'d>>,
    /// The schemas of its records wherever operations answer with them.
    answers: Vec<Merged<'d>>,
}

impl<'d> Requests<'d> {
    fn of(reading: &Reading<'d>, group: &Group<'_, 'd>) -> Self {
        let requests = |verbs: &[Verb]| {
            let calls = verbs.iter().flat_map(|verb| {
                let collections = group.collections.iter();
                collections.flat_map(|one: &Collection<'_, 'd>| one.calls(*verb))
            });
            calls.filter_map(|call| call.request(reading)).collect()
        };
        Self {
            creates: requests(&[Verb::Create]),
            changes: requests(&[Verb::Replace, Verb::Update]),
            answers: answers(reading, group),
        }
    }

    fn everywhere(&self) -> impl Iterator<Item = &Merged<'d>> {
        self.all().chain(&self.answers)
    }

    fn all(&self) -> impl Iterator<Item = &Merged<'d>> {
        self.creates.iter().chain(&self.changes)
    }

    fn property(&self, name: &str) -> Schemas<'d> {
        // What a new record must satisfy comes first, and a change adds nothing to it.
        self.all()
            .map(|merged| merged.property(name))
            .find(|schemas| !schemas.is_empty())
            .unwrap_or_default()
    }

    /// Where those that create take a property that those that change leave out; none: there is no such difference.
    fn of_creating_alone(&self, name: &str) -> Option<Node<'d>> {
        let mut changes = self.changes.iter();
        let is_changed = changes.any(|change| !change.property(name).is_empty());
        if is_changed || self.changes.is_empty() {
            return None;
        }
        let mut creates = self.creates.iter();
        creates.find_map(|create| create.property(name).first())
    }

    /// The schemas that a property of the name has in any of them.
    fn named(&self, name: &str) -> Vec<Node<'d>> {
        let all = self.everywhere();
        let all = all.map(|merged| merged.property(name));
        all.flat_map(|schemas| schemas.nodes().collect::<Vec<_>>())
            .collect()
    }
}

/// What operations answer with that has the record's key: what wraps a record has none.
fn answers<'d>(reading: &Reading<'d>, group: &Group<'_, 'd>) -> Vec<Merged<'d>> {
    let mut known: Vec<(_, Merged<'d>)> = Vec::new();
    let collections = group.collections.iter();
    for node in collections.flat_map(|one| one.answers(reading)) {
        let id = reading.follow(node).map(Node::id);
        if !known.iter().any(|(other, _)| *other == id) {
            known.push((id, Merged::of(reading, node)));
        }
    }
    let answers = known.into_iter().map(|(_, merged)| merged);
    let has_key = |merged: &Merged<'d>| !merged.property(&group.key).is_empty();
    answers.filter(has_key).collect()
}

pub(super) fn read<'d>(reading: &Reading<'d>, group: &Group<'_, 'd>) -> Option<Found<'d>> {
    let requests = Requests::of(reading, group);
    let schema = &group.record.schema;
    let properties = schema.properties();
    if properties.len() > FIELDS_MAX {
        let message = format!(
            "`{}` has {} fields, over the limit of {FIELDS_MAX}",
            group.name,
            properties.len()
        );
        reading.error(group.node, Code::LIMIT, message);
        return None;
    }
    let mut fields = Vec::new();
    let mut found = Found {
        fields: Vec::new(),
        nodes: Vec::new(),
        unique: Vec::new(),
        references: Vec::new(),
        schemas: Vec::new(),
        not_kept: Vec::new(),
    };
    for merged in std::iter::once(schema).chain(requests.everywhere()) {
        let parts = merged.all_parts();
        extensions::check_schema(reading, &parts);
        found.schemas.extend(&parts);
    }
    for merged in std::iter::once(schema).chain(requests.all()) {
        tell_of_variants(reading, merged);
        field::tell_of_records(reading, merged);
    }
    let parents = parents(reading, group);
    for (name, record) in properties {
        let sources = Sources {
            requests: requests.property(name),
            record,
            others: requests.named(name),
        };
        check_extensions(reading, &sources, name);
        let Some((field, node)) = read_field(reading, group, &requests, &parents, name, &sources)
        else {
            let is_of_requests =
                Merged::of_property(reading, &sources.record).is_write_only(reading);
            found
                .not_kept
                .extend(is_of_requests.then(|| name.to_owned()));
            continue;
        };
        found.note(reading, name, &sources);
        fields.push((field, node));
    }
    let only_requested = only_requested(reading, &requests, group, &mut fields)?;
    found.not_kept.extend(only_requested);
    found.not_kept.sort();
    names_check::fields(reading, &fields);
    names_check::list_parameters(reading, group, &fields);
    (found.fields, found.nodes) = fields.into_iter().unzip();
    Some(found)
}

/// The fields that paths give: a new record under an account has its id from there.
fn parents<'d>(reading: &Reading<'d>, group: &Group<'_, 'd>) -> Vec<String> {
    let parameters = group
        .collections
        .iter()
        .filter_map(|one| field_parameters(reading, one.segments, &group.record.schema).ok());
    parameters.flatten().map(|(_, field)| field).collect()
}

fn read_field<'d>(
    reading: &Reading<'d>,
    group: &Group<'_, 'd>,
    requests: &Requests<'d>,
    parents: &[String],
    name: &str,
    sources: &Sources<'d>,
) -> Option<(Field, Node<'d>)> {
    let node = sources.node()?;
    if is_reserved(name) {
        tell_reserved(reading, sources, name);
        return None;
    }
    let mut field = field::read(reading, name, sources)?;
    if Merged::of_property(reading, &sources.record).is_write_only(reading) {
        let message = format!("`{name}` is only written: what nobody reads is not kept");
        reading.warning(node, Code::REQUEST_ONLY, message);
        return None;
    }
    let schema = &group.record.schema;
    let is_key = name == group.key;
    let is_requested = !sources.requests.is_empty();
    let is_parent = parents.iter().any(|parent| parent == name);
    if !field.sync_exclude && !is_parent && !is_key && requests.all().next().is_some() {
        field.read_only |= !is_requested;
    }
    field.required = match requests.creates.as_slice() {
        _ if field.sync_exclude => false,
        [] => schema.requires(name) && !is_key,
        creates if is_requested || is_key => creates.iter().all(|create| create.requires(name)),
        _ => is_parent && schema.requires(name),
    };
    if is_key {
        field.nullable = false;
        // Clients name what they make, so that it has its name offline. Only numbers are the server's to give.
        field.read_only &= matches!(field.kind, FieldKind::Int32 | FieldKind::Int64);
    }
    field.required &= !field.read_only;
    let is_written = !is_key && !is_parent && !field.read_only && !field.sync_exclude;
    if let Some(created) = requests.of_creating_alone(name).filter(|_| is_written) {
        let message = format!(
            "`{name}` is taken where records are made, and by no change: a Syncline server changes it all the same \
             for who may write it"
        );
        reading.warning(created, Code::UNCHECKED, message);
    }
    Some((field, node))
}

/// Tells of a property that can be no field. One that clients were to write would be lost with every write.
fn tell_reserved<'d>(reading: &Reading<'d>, sources: &Sources<'d>, name: &str) {
    let Some(node) = sources.node() else {
        return;
    };
    let all: Vec<_> = sources.all().collect();
    let is_written =
        !sources.requests.is_empty() && !Merged::of_all(reading, &all).flag("readOnly");
    let message = format!("every record has `{name}`: it is no field of its own");
    match is_written {
        true => {
            let message = format!("{message}, and what is written to it would be lost: rename it");
            reading.error(node, Code::RESERVED, message);
        }
        false => reading.info(node, Code::RESERVED, message),
    }
}

/// Tells of unions of which the records are any: their fields are those of all of them.
fn tell_of_variants(reading: &Reading<'_>, merged: &Merged<'_>) {
    for union in &merged.variants {
        let message = format!(
            "a record has the fields of all {} schemas here: which of them go together is not checked",
            union.all.len()
        );
        reading.warning(union.node, Code::UNION, message);
        for variant in &union.all {
            tell_of_variants(reading, variant);
        }
    }
}

/// Properties of requests that records don't have: their names. Those that never leave a client are fields
/// all the same. None: there are more than an entity may have fields.
fn only_requested<'d>(
    reading: &Reading<'d>,
    requests: &Requests<'d>,
    group: &Group<'_, 'd>,
    fields: &mut Vec<(Field, Node<'d>)>,
) -> Option<Vec<String>> {
    let record = &group.record.schema;
    let mut not_kept = Vec::new();
    // `_base` is how a change says what it has seen.
    let mut known = HashSet::from(["_base"]);
    known.extend(record.properties().into_iter().map(|(name, _)| name));
    let of_record = known.len();
    for (name, schemas) in requests.all().flat_map(Merged::properties) {
        if !known.insert(name) {
            continue;
        }
        if known.len() - of_record > FIELDS_MAX {
            let message = format!(
                "requests of `{}` name over {FIELDS_MAX} properties that its records don't have",
                group.name
            );
            reading.error(group.node, Code::LIMIT, message);
            return None;
        }
        let sources = Sources {
            record: Schemas::default(),
            requests: schemas,
            others: requests.named(name),
        };
        check_extensions(reading, &sources, name);
        let Some(node) = sources.node() else {
            continue;
        };
        let property = Merged::of_property(reading, &sources.requests);
        let everywhere: Vec<_> = sources.all().collect();
        let is_excluded = Merged::of_all(reading, &everywhere).flag("x-sync-exclude");
        if is_excluded && !is_reserved(name) {
            fields.extend(field::read(reading, name, &sources).map(|field| (field, node)));
            continue;
        }
        not_kept.push(name.to_owned());
        let message = format!("`{name}` is in requests and in no record, and not kept");
        match property.flag("writeOnly") {
            true => reading.warning(node, Code::REQUEST_ONLY, message),
            false => reading.info(node, Code::REQUEST_ONLY, message),
        }
    }
    Some(not_kept)
}

fn check_extensions<'d>(reading: &Reading<'d>, sources: &Sources<'d>, name: &'d str) {
    for node in sources.all() {
        let parts = Merged::of(reading, node).parts;
        extensions::check_property(reading, name, node, parts);
    }
}

impl<'d> Found<'d> {
    /// Notes what a property says of other records.
    fn note(&mut self, reading: &Reading<'d>, name: &str, sources: &Sources<'d>) {
        let nodes: Vec<_> = sources.all().collect();
        for node in Merged::of_all(reading, &nodes).parts {
            let unique = node.get("x-unique");
            if let Some(unique) = unique.filter(|unique| unique.as_boolean() == Some(true)) {
                self.unique.push((name.to_owned(), unique));
            }
            let ours = node.get("x-references").map(|named| (named, true));
            let theirs = node.get("x-ui-reference").map(|named| (named, false));
            if let Some((named, is_ours)) = ours.or(theirs) {
                let entity = named.get("entity").unwrap_or(named);
                let reference = Reference {
                    name: entity.as_text().unwrap_or_default(),
                    node: entity,
                    is_ours,
                };
                self.references.push((name.to_owned(), reference));
            }
        }
    }
}

impl<'d> Reference<'d> {
    /// Where the document names it.
    pub(super) fn node(&self) -> Node<'d> {
        self.node
    }

    /// The entity's name, by the collection's or by one record's.
    pub(super) fn target(
        &self,
        reading: &Reading<'_>,
        names: &[(String, String)],
    ) -> Option<String> {
        let exact = names.iter().find(|(name, _)| name == self.name);
        let alike = || {
            let is_alike = |name: &str| folded(name) == folded(self.name);
            names
                .iter()
                .find(|(name, singular)| is_alike(name) || is_alike(singular))
        };
        let found = exact.or_else(alike).map(|(name, _)| name.clone());
        if found.is_none() {
            let message = format!("the document has no entity `{}`", self.name);
            match self.is_ours {
                true => reading.error(self.node, Code::UNKNOWN_ENTITY, message),
                false => reading.warning(self.node, Code::UNKNOWN_ENTITY, message),
            }
        }
        found
    }
}
