//! `x-rbac`: who may read and write which fields.

use std::collections::BTreeMap;

use syncline_model::schema::{Access, Field, Role};

use super::{declared_once, refuse_unknown_keys};
use crate::diagnostic::Code;
use crate::document::Node;
use crate::reading::Reading;
use crate::route::Route;

type Groups = BTreeMap<String, Vec<String>>;
type Permissions = BTreeMap<Role, Vec<String>>;

/// What `x-rbac` says, and the part of it that names other entities, to be read once all are known.
pub(crate) fn access<'d>(
    reading: &Reading<'d>,
    routes: &[&Route<'d>],
    schemas: &[Node<'d>],
    fields: &[Field],
) -> (Access, Option<Node<'d>>) {
    const KEYS: [&str; 4] = [
        "field_groups",
        "role_permissions",
        "read_permissions",
        "role_via",
    ];
    let Some(node) = declared_once(reading, routes, schemas, "x-rbac") else {
        return (Access::default(), None);
    };
    if !node.is_map() {
        reading.error(node, Code::EXTENSION, "`x-rbac` is a map");
        return (Access::default(), None);
    }
    refuse_unknown_keys(reading, node, "x-rbac", &KEYS);
    let field_groups = node
        .get("field_groups")
        .map(|groups| read_groups(reading, groups, fields))
        .unwrap_or_default();
    let permissions = |key| {
        node.get(key)
            .map(|roles| read_permissions(reading, roles, &field_groups))
    };
    let role_permissions = permissions("role_permissions").unwrap_or_default();
    let read_permissions = permissions("read_permissions");
    if !role_permissions.is_empty() {
        tell_unwritten(reading, node, &role_permissions, fields);
    }
    if let (Some(roles), Some(read)) = (node.get("read_permissions"), &read_permissions) {
        tell_unread(reading, roles, (&role_permissions, read), &field_groups);
    }
    let access = Access {
        role_permissions,
        read_permissions,
        field_groups,
        role_via: None,
    };
    (access, node.get("role_via"))
}

/// Tells of groups that nobody reads, and of those that a role writes and does not read.
fn tell_unread(
    reading: &Reading<'_>,
    node: Node<'_>,
    (writes, reads): (&Permissions, &Permissions),
    groups: &Groups,
) {
    let has = |of: &Permissions, role: &Role, group: &String| {
        of.get(role).is_some_and(|groups| groups.contains(group))
    };
    for group in groups.keys() {
        if !Role::ALL.iter().any(|role| has(reads, role, group)) {
            let message = format!(
                "no role reads the group `{group}`, owners neither: name it in each role that is to"
            );
            reading.warning(node, Code::UNREAD_GROUP, message);
            continue;
        }
        let mut roles = Role::ALL.into_iter();
        let writer = roles.find(|role| has(writes, role, group) && !has(reads, role, group));
        if let Some(role) = writer {
            let message = format!(
                "`{}` writes the group `{group}` and does not read it",
                role.as_str()
            );
            reading.warning(node, Code::UNREAD_GROUP, message);
        }
    }
}

/// Tells of groups that nobody writes, or lesser roles and not owners; and of fields that are left to owners, and
/// given to others by a group.
fn tell_unwritten(reading: &Reading<'_>, node: Node<'_>, writes: &Permissions, fields: &[Field]) {
    let groups = node.get("field_groups").into_iter();
    for (group, members) in groups.flat_map(Node::entries) {
        let mut roles = Role::ALL.into_iter();
        let is_writer = |role: &Role| {
            writes
                .get(role)
                .is_some_and(|own| own.iter().any(|one| one == group))
        };
        let (writer, owner_writes) = (roles.find(is_writer), is_writer(&Role::Owner));
        let members = members.items().filter_map(|node| {
            let field = fields
                .iter()
                .find(|field| node.as_text() == Some(&field.name));
            field
                .filter(|field| !field.read_only)
                .map(|field| (field, node))
        });
        let (owners, shared): (Vec<_>, Vec<_>) = members.partition(|(field, _)| field.owner_only);
        if let Some(role) = writer.filter(|role| *role != Role::Owner) {
            for (Field { name, .. }, node) in owners {
                let message = format!(
                    "`x-owner-only` leaves `{name}` to owners: that `{}` writes the group `{group}` gives it to nobody else",
                    role.as_str()
                );
                reading.warning(node, Code::CONTRADICTION, message);
            }
        }
        if shared.is_empty() || owner_writes {
            continue;
        }
        let message = match writer {
            None => format!(
                "no role writes the group `{group}`, owners neither: name it in each role that is to"
            ),
            Some(role) => format!(
                "`{}` writes the group `{group}`, and owners don't: name it in `owner` too",
                role.as_str()
            ),
        };
        let place = node.get("role_permissions").unwrap_or(node);
        reading.warning(place, Code::UNWRITTEN, message);
    }
}

fn read_groups(reading: &Reading<'_>, groups: Node<'_>, fields: &[Field]) -> Groups {
    if !groups.is_map() {
        let message = "`field_groups` is a map of lists of fields";
        reading.error(groups, Code::EXTENSION, message);
    }
    let mut read = Groups::new();
    for (group, members) in groups.entries() {
        let mut names = Vec::new();
        for (name, node) in texts(reading, members, "a group is a list of fields") {
            match fields.iter().find(|field| field.name == name) {
                None => {
                    let message = format!("the records have no field `{name}`");
                    reading.error(node, Code::UNKNOWN_FIELD, message);
                }
                Some(field) if field.sync_exclude => {
                    let message =
                        format!("`{name}` never leaves a client: no role could be kept from it");
                    reading.error(node, Code::EXCLUDED_FIELD, message);
                }
                Some(_) => names.push(name.to_owned()),
            }
        }
        read.insert(group.to_owned(), names);
    }
    read
}

fn read_permissions(reading: &Reading<'_>, roles: Node<'_>, field_groups: &Groups) -> Permissions {
    if !roles.is_map() {
        let message = "permissions are a map of roles, each with a list of groups";
        reading.error(roles, Code::EXTENSION, message);
    }
    let mut read = BTreeMap::new();
    for (name, groups) in roles.entries() {
        let role = Role::parse(name);
        if role.is_none() {
            let known = Role::ALL.map(Role::as_str).join(", ");
            let message = format!("there is no role `{name}`, but {known}");
            reading.error(groups, Code::UNKNOWN_ROLE, message);
        }
        let mut names = Vec::new();
        for (group, node) in texts(reading, groups, "a role has a list of groups") {
            match field_groups.contains_key(group) {
                true => names.push(group.to_owned()),
                false => {
                    let message = format!("`field_groups` has no group `{group}`");
                    reading.error(node, Code::UNKNOWN_GROUP, message);
                }
            }
        }
        if let Some(role) = role {
            read.insert(role, names);
        }
    }
    read
}

/// The texts of a list, each with its place. What else it holds is told of.
fn texts<'d>(reading: &Reading<'_>, list: Node<'d>, form: &str) -> Vec<(&'d str, Node<'d>)> {
    if !list.is_list() {
        reading.error(list, Code::EXTENSION, form);
    }
    let mut texts = Vec::new();
    for node in list.items() {
        match node.as_text() {
            Some(text) => texts.push((text, node)),
            None => reading.error(node, Code::EXTENSION, form),
        }
    }
    texts
}
