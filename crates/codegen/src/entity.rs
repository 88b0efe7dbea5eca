//! Collections as entities: which paths are of one, what its records hold, and what names them.

mod contradictions;
mod declared;
mod fields;
mod group;
mod key;
mod names_check;
mod operations;

use syncline_model::schema::{Access, Entity};

use crate::collection::Collection;
use crate::diagnostic::Code;
use crate::document::Node;
use crate::extensions;
use crate::limits::ENTITIES_MAX;
use crate::names;
use crate::reading::Reading;
use crate::route::{Route, record_of_parameter};

use group::Group;

/// An entity, with what can be read only once all entities are known.
#[derive(Debug)]
pub(crate) struct Draft<'d> {
    entity: Entity,
    /// Where the document has it.
    node: Node<'d>,
    /// Where it has the fields, in their order.
    fields: Vec<Node<'d>>,
    role_via: Option<Node<'d>>,
    subset: Option<Node<'d>>,
    /// Fields that name records of other entities, as the document calls these.
    references: Vec<(String, fields::Reference<'d>)>,
}

impl<'d> Draft<'d> {
    /// Whether it is of the entity of this name.
    pub(crate) fn is_of(&self, name: &str) -> bool {
        self.entity.name == name
    }

    /// Where the document has a field of it, or itself.
    pub(crate) fn place_of(&self, field: Option<&str>) -> Node<'d> {
        let fields = self.entity.fields.iter().zip(&self.fields);
        let found = field.and_then(|name| fields.into_iter().find(|(own, _)| own.name == name));
        found.map_or(self.node, |(_, node)| *node)
    }
}

/// The entities of the collections, in the order of their names.
pub(crate) fn assemble<'d>(
    reading: &Reading<'d>,
    collections: Vec<Collection<'_, 'd>>,
) -> Vec<Entity> {
    let mut drafts = drafts(reading, collections);
    let named = drafts.iter().map(|draft| (&draft.entity, draft.node));
    names_check::entities(reading, named);
    connect(reading, &mut drafts);
    let named = drafts.iter().map(|draft| (&draft.entity, draft.node));
    operations::tell_undeclared(reading, named);
    drafts.into_iter().map(|draft| draft.entity).collect()
}

/// The same, before what they say of one another is read.
pub(crate) fn drafts<'d>(
    reading: &Reading<'d>,
    collections: Vec<Collection<'_, 'd>>,
) -> Vec<Draft<'d>> {
    let groups = group::gather(reading, collections);
    if let Some(first_over) = groups.get(ENTITIES_MAX) {
        let message = format!(
            "the document has {} entities, over the limit of {ENTITIES_MAX}",
            groups.len()
        );
        reading.error(first_over.node, Code::LIMIT, message);
    }
    let calls = groups.iter().flat_map(|group| &group.collections);
    let calls = calls.flat_map(|one| one.uses.iter().map(|one| one.call));
    declared::tell_of_errors(reading, calls);
    let uses = groups.iter().flat_map(|group| &group.collections);
    declared::tell_of_bodies(reading, uses.flat_map(|one| &one.uses));
    let groups = groups.iter().take(ENTITIES_MAX);
    let mut drafts: Vec<_> = groups.filter_map(|group| draft(reading, group)).collect();
    drafts.sort_by(|a, b| a.entity.name.cmp(&b.entity.name));
    drafts
}

fn draft<'d>(reading: &Reading<'d>, group: &Group<'_, 'd>) -> Option<Draft<'d>> {
    let routes: Vec<&Route<'d>> = group
        .collections
        .iter()
        .flat_map(Collection::routes)
        .collect();
    let found = fields::read(reading, group)?;
    let schemas = &found.schemas;
    let fields = found.fields;
    key::check(reading, group, &fields);
    let (mode, subset) = extensions::mode(reading, &routes);
    let (access, role_via) = extensions::access(reading, &routes, schemas, &fields);
    let unique = extensions::unique(reading, &routes, schemas, &fields, &found.unique);
    for collection in &group.collections {
        collection.tell_of_customs(reading);
    }
    let entity = Entity {
        name: group.name.clone(),
        singular: singular(group),
        key: group.key.clone(),
        mode,
        subset: subset.map(|(text, _)| text.to_owned()),
        conflict: extensions::conflict(reading, &routes, schemas),
        // A key names one record in any case.
        unique: unique
            .into_iter()
            .filter(|set| *set != [group.key.clone()])
            .collect(),
        access,
        dropped: Default::default(),
        not_kept: found.not_kept,
        operations: operations::read(reading, group, &fields),
        fields,
    };
    for (field, node) in entity.fields.iter().zip(&found.nodes) {
        contradictions::tell_unmakeable(reading, &entity, field, *node);
    }
    Some(Draft {
        entity,
        node: group.node,
        fields: found.nodes,
        role_via,
        subset: subset.map(|(_, node)| node),
        references: found.references,
    })
}

/// One record's name: what the parameter of its path, or its component, says, if that fits the collection's.
fn singular(group: &Group<'_, '_>) -> String {
    let items = group.collections.iter().flat_map(|one| &one.items);
    let of_parameters = items.map(|(_, key)| record_of_parameter(key));
    let of_component = group.record.component.map(names::from_component);
    let hints: Vec<_> = of_parameters
        .chain(of_component)
        .filter(|hint| hint != "id" && !hint.is_empty())
        .collect();
    names::singular(&group.name, &hints)
}

/// Reads what entities say of one another.
fn connect(reading: &Reading<'_>, drafts: &mut [Draft<'_>]) {
    let names: Vec<_> = drafts
        .iter()
        .map(|draft| (draft.entity.name.clone(), draft.entity.singular.clone()))
        .collect();
    for draft in drafts.iter_mut() {
        for (field, reference) in &draft.references {
            let target = reference.target(reading, &names);
            let field = draft
                .entity
                .fields
                .iter_mut()
                .find(|own| own.name == *field);
            if let (Some(field), Some(target)) = (field, target) {
                field.references = Some(target);
            }
        }
    }
    let entities: Vec<_> = drafts.iter().map(|draft| draft.entity.clone()).collect();
    for draft in drafts {
        for (field, reference) in &draft.references {
            contradictions::tell_unjoined(reading, &draft.entity, field, reference, &entities);
        }
        if let Some(node) = draft.role_via {
            draft.entity.access = Access {
                role_via: extensions::role_via(reading, node, &draft.entity, &entities),
                ..std::mem::take(&mut draft.entity.access)
            };
            extensions::check_membership(reading, node, &draft.entity, &entities);
        }
        if let Some(node) = draft.subset {
            extensions::check_subset(reading, node, &draft.entity);
        }
    }
}
