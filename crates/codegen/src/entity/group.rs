//! Collections of one name put together, and those that only show another's records taken out.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::key;
use super::operations::field_parameters;
use crate::collection::{Collection, Record};
use crate::diagnostic::Code;
use crate::document::{Id, Node};
use crate::names;
use crate::reading::Reading;
use crate::route::Segment;

/// The collections that are one entity.
#[derive(Debug)]
pub(crate) struct Group<'r, 'd> {
    pub(crate) name: String,
    /// Where the document has it first.
    pub(crate) node: Node<'d>,
    pub(crate) record: Record<'d>,
    pub(crate) key: String,
    /// The one that the name belongs to first.
    pub(crate) collections: Vec<Collection<'r, 'd>>,
}

/// A collection whose records and key are known.
#[derive(Debug)]
struct Candidate<'r, 'd> {
    collection: Collection<'r, 'd>,
    record: Record<'d>,
    key: String,
    node: Node<'d>,
}

impl Candidate<'_, '_> {
    /// The path with the fewest parameters, then the shortest, owns a name; of several such, as two versions
    /// of an API are, that whose records have the most fields.
    fn rank(&self) -> (usize, usize) {
        let segments = self.collection.segments;
        let is_parameter = |segment: &&Segment<'_>| matches!(segment, Segment::Parameter(_));
        (segments.iter().filter(is_parameter).count(), segments.len())
    }

    /// Whether it holds the same records as another, as far as the document shows: of the same schema, or
    /// with no property that those lack.
    fn shows_records_of(&self, owner: &Self) -> bool {
        self.record.id == owner.record.id || {
            let known = owner.names();
            self.names().is_subset(&known)
        }
    }

    /// The properties of its records.
    fn names(&self) -> HashSet<&str> {
        let properties = self.record.schema.properties().into_iter();
        properties.map(|(name, _)| name).collect()
    }
}

/// The entities-to-be, in the order of their names.
pub(crate) fn gather<'r, 'd>(
    reading: &Reading<'d>,
    collections: Vec<Collection<'r, 'd>>,
) -> Vec<Group<'r, 'd>> {
    let mut by_name: BTreeMap<String, Vec<Candidate<'r, 'd>>> = BTreeMap::new();
    for collection in collections {
        if let Some(candidate) = candidate(reading, collection) {
            let name = candidate.collection.name.clone();
            by_name.entry(name).or_default().push(candidate);
        }
    }
    let groups = by_name
        .into_iter()
        .filter_map(|(name, candidates)| unite(reading, name, candidates));
    without_views(reading, groups.collect())
}

/// A collection, if its records have fields, a key, and all that its path names.
fn candidate<'r, 'd>(
    reading: &Reading<'d>,
    collection: Collection<'r, 'd>,
) -> Option<Candidate<'r, 'd>> {
    let node = collection.node()?;
    let Some(record) = collection.record.clone() else {
        let reason = "has no schema with properties for its records";
        collection.leave_out(reading, Code::NO_SCHEMA, reason);
        return None;
    };
    if let Err(parameter) = field_parameters(reading, collection.segments, &record.schema) {
        let reason = format!(
            "names records by `{parameter}`, which is no property of theirs: add one of that name"
        );
        collection.leave_out(reading, Code::UNMAPPED_PARAMETER, &reason);
        return None;
    }
    match key::of(reading, &collection, &record) {
        Ok(key) => Some(Candidate {
            collection,
            record,
            key,
            node,
        }),
        Err((code, reason)) => {
            collection.leave_out(reading, code, &reason);
            None
        }
    }
}

/// Makes one entity of the collections of one name. Those that hold other records are left out.
fn unite<'r, 'd>(
    reading: &Reading<'d>,
    name: String,
    mut candidates: Vec<Candidate<'r, 'd>>,
) -> Option<Group<'r, 'd>> {
    candidates.sort_by_key(|one| (one.rank(), Reverse(one.names().len())));
    let (first, rest) = candidates.split_first()?;
    let tied = rest.iter().take_while(|other| other.rank() == first.rank());
    let has_owner = tied.into_iter().all(|other| other.shows_records_of(first));
    if !has_owner {
        for candidate in &candidates {
            let reason = format!(
                "is one of several collections `{name}` of different records: x-sync: {{entity: …}} names one"
            );
            let collection = &candidate.collection;
            collection.leave_out(reading, Code::AMBIGUOUS_ENTITY, &reason);
        }
        return None;
    }
    let mut candidates = candidates.into_iter();
    let owner = candidates.next()?;
    let mut joined = Vec::new();
    for candidate in candidates {
        let reason = match candidate.shows_records_of(&owner) {
            true if candidate.key == owner.key || candidate.collection.items.is_empty() => {
                joined.push(candidate.collection);
                continue;
            }
            true => format!(
                "names records by `{}`, where `{}` does by `{}`",
                candidate.key, owner.collection.template, owner.key
            ),
            false => format!(
                "holds other records than `{}`: x-sync: {{entity: …}} gives it a name of its own",
                owner.collection.template
            ),
        };
        let collection = &candidate.collection;
        collection.leave_out(reading, Code::AMBIGUOUS_ENTITY, &reason);
    }
    joined.insert(0, owner.collection);
    Some(Group {
        name,
        node: owner.node,
        record: owner.record,
        key: owner.key,
        collections: joined,
    })
}

/// Takes out collections that can only be read and show the records of another: `/budgets/by-month/{month}`,
/// `/followers`.
fn without_views<'r, 'd>(reading: &Reading<'d>, groups: Vec<Group<'r, 'd>>) -> Vec<Group<'r, 'd>> {
    let mut homes: HashMap<Id, &Group<'r, 'd>> = HashMap::new();
    for group in &groups {
        homes
            .entry(group.record.id)
            .and_modify(|home| {
                if group.homeliness() > home.homeliness() {
                    *home = group;
                }
            })
            .or_insert(group);
    }
    let is_view = |group: &Group<'r, 'd>| {
        let home = homes.get(&group.record.id)?;
        let is_own = home.name == group.name || group.is_written() || group.is_declared();
        // Of two lists of one schema neither need be the other's.
        let is_home = home.is_written() || home.is_named_alike() || home.has_items();
        (is_home && !is_own).then(|| home.name.clone())
    };
    let homes_of: Vec<_> = groups.iter().map(is_view).collect();
    let mut kept = Vec::new();
    for (group, home) in groups.into_iter().zip(homes_of) {
        match home {
            None => kept.push(group),
            Some(home) => {
                for collection in &group.collections {
                    collection.leave_out(
                        reading,
                        Code::VIEW,
                        &format!("shows records of `{home}`"),
                    );
                }
            }
        }
    }
    kept
}

impl Group<'_, '_> {
    fn is_written(&self) -> bool {
        self.collections.iter().any(Collection::is_written)
    }

    fn is_declared(&self) -> bool {
        self.collections.iter().any(|one| one.declared)
    }

    fn has_items(&self) -> bool {
        self.collections.iter().any(|one| !one.items.is_empty())
    }

    /// Whether the schema's name is that of one record of it.
    fn is_named_alike(&self) -> bool {
        let component = self.record.component.map(names::from_component);
        component.is_some_and(|component| {
            names::singular(&self.name, std::slice::from_ref(&component)) == component
        })
    }

    /// How surely a schema's records are at home here, among groups that share it.
    fn homeliness(&self) -> impl Ord + use<> {
        let path = self.collections.first().map(|one| one.template.clone());
        let length = path.as_ref().map(|path| path.matches('/').count());
        (
            self.is_written(),
            self.is_named_alike(),
            self.has_items(),
            Reverse(length),
            Reverse(path),
        )
    }
}
