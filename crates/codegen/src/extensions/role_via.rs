//! `role_via` of `x-rbac`: roles by membership.

use serde_json::Value;
use syncline_model::schema::{Entity, Field, FieldKind, Role, RoleVia};

use super::refuse_unknown_keys;
use crate::diagnostic::Code;
use crate::document::Node;
use crate::reading::Reading;

/// The user's own id in a membership, where the document does not say otherwise.
const USER_FIELD: &str = "user_id";

/// The role in a membership, where the document does not say otherwise.
const ROLE_FIELD: &str = "role";

const LONG: &str = "{entity, entity_field, field, user_field, role_field}";

/// Reads where the roles on an entity's records come from: in full, or as `user_accounts.role`.
pub(crate) fn role_via(
    reading: &Reading<'_>,
    node: Node<'_>,
    entity: &Entity,
    entities: &[Entity],
) -> Option<RoleVia> {
    if let Some(text) = node.as_text() {
        return short(reading, node, text, entity, entities);
    }
    if !node.is_map() {
        let message = format!("`role_via` is {LONG}, or text such as user_accounts.role");
        reading.error(node, Code::EXTENSION, message);
        return None;
    }
    const KEYS: [&str; 5] = [
        "entity",
        "entity_field",
        "field",
        "user_field",
        "role_field",
    ];
    refuse_unknown_keys(reading, node, "role_via", &KEYS);
    let text = |key: &str, default: Option<&str>| match (node.get(key), default) {
        (Some(value), _) => {
            let text = value.as_text();
            if text.is_none() {
                reading.error(value, Code::EXTENSION, format!("`{key}` is text"));
            }
            text.map(|text| (text.to_owned(), value))
        }
        (None, Some(default)) => Some((default.to_owned(), node)),
        (None, None) => {
            reading.error(node, Code::EXTENSION, format!("`role_via` needs `{key}`"));
            None
        }
    };
    let (name, place) = text("entity", None)?;
    let membership = membership(reading, place, &name, entities)?;
    let of_membership = |found: Option<(String, Node<'_>)>| {
        let (field, place) = found?;
        stored(reading, place, &field, membership)
    };
    let entity_field = of_membership(text("entity_field", None));
    let user_field = of_membership(text("user_field", Some(USER_FIELD)));
    let role_field = of_membership(text("role_field", Some(ROLE_FIELD)));
    let (field, place) = text("field", Some(&entity.key))?;
    let field = stored(reading, place, &field, entity);
    Some(RoleVia {
        entity: membership.name.clone(),
        entity_field: entity_field?,
        field: field?,
        user_field: user_field?,
        role_field: role_field?,
    })
}

/// `user_accounts.role`: what joins the two follows from the names of their fields, if they leave no doubt.
fn short(
    reading: &Reading<'_>,
    node: Node<'_>,
    text: &str,
    entity: &Entity,
    entities: &[Entity],
) -> Option<RoleVia> {
    let Some((name, role_field)) = text.rsplit_once('.') else {
        let message = format!("`{text}` is not an entity and a field such as user_accounts.role");
        reading.error(node, Code::EXTENSION, message);
        return None;
    };
    let membership = membership(reading, node, name, entities)?;
    let role_field = stored(reading, node, role_field, membership)?;
    let user_field = stored(reading, node, USER_FIELD, membership)?;
    let joins = joins(entity, membership, &[&role_field, &user_field]);
    let [(entity_field, field)] = joins.as_slice() else {
        let found = match joins.len() {
            0 => "no field".to_owned(),
            count => format!("{count} fields"),
        };
        let message = format!(
            "{found} of `{name}` could name a record of `{}`: write {LONG}",
            entity.name
        );
        reading.error(node, Code::EXTENSION, message);
        return None;
    };
    Some(RoleVia {
        entity: membership.name.clone(),
        entity_field: entity_field.clone(),
        field: field.clone(),
        user_field,
        role_field,
    })
}

/// Tells of memberships that never give a role; and of those that any editor may write, and so could give themselves
/// every role: who has none in the tenant is an editor.
pub(crate) fn check_membership(
    reading: &Reading<'_>,
    node: Node<'_>,
    entity: &Entity,
    entities: &[Entity],
) {
    let Some(via) = &entity.access.role_via else {
        return;
    };
    let Some(membership) = entities.iter().find(|other| other.name == via.entity) else {
        return;
    };
    tell_unjoined(reading, node, entity, membership, via);
    let giving = [&via.entity_field, &via.user_field, &via.role_field];
    let is_open = |field: &&&String| membership.may_write(Role::Editor, field);
    let open: Vec<_> = giving
        .iter()
        .filter(is_open)
        .map(|field| format!("`{field}`"))
        .collect();
    if !open.is_empty() {
        let message = format!(
            "editors may write {} of `{}`, and so give themselves any role on `{}`; who has no role in the \
             tenant is an editor: x-owner-only on a field leaves it to owners",
            open.join(", "),
            membership.name,
            entity.name
        );
        reading.warning(node, Code::ESCALATION, message);
    }
}

/// Tells of memberships that never give a role: by the kinds of their fields.
fn tell_unjoined(
    reading: &Reading<'_>,
    node: Node<'_>,
    entity: &Entity,
    membership: &Entity,
    via: &RoleVia,
) {
    let own = entity.field(&via.field);
    let of = |name: &str| membership.field(name);
    let (Some(own), Some(keeper)) = (own, of(&via.entity_field)) else {
        return;
    };
    let (name, whose) = (&membership.name, &entity.name);
    if never_equal(&keeper.kind, &own.kind) {
        let message = format!(
            "`{}` of `{name}` is {}, and `{}` of `{whose}` is {}: nobody has a role on them",
            keeper.name,
            in_words(&keeper.kind),
            own.name,
            in_words(&own.kind)
        );
        reading.warning(node, Code::CONTRADICTION, message);
    }
    let user = of(&via.user_field);
    if let Some(user) = user.filter(|user| never_equal(&user.kind, &FieldKind::Text)) {
        let message = format!(
            "`{}` of `{name}` is {}, and users are known by text: nobody has a role on `{whose}`",
            user.name,
            in_words(&user.kind)
        );
        reading.warning(node, Code::CONTRADICTION, message);
    }
    let is_role = |value: &Value| value.as_str().and_then(Role::parse).is_some();
    let names_none = |role: &&Field| {
        let one_of = &role.rules.one_of;
        role.kind != FieldKind::Text || !one_of.is_empty() && !one_of.iter().any(is_role)
    };
    if let Some(role) = of(&via.role_field).filter(names_none) {
        let known = Role::ALL.map(Role::as_str).join(", ");
        let message = format!(
            "`{}` of `{name}` is never one of {known}: who has a membership only reads `{whose}`",
            role.name
        );
        reading.warning(node, Code::CONTRADICTION, message);
    }
}

/// Whether no value of one kind is one of the other, by which the two are compared. A list may hold what is named,
/// and may be read so. A decimal is kept as text, and is a number's equal where decimals are compared.
pub(crate) fn never_equal(one: &FieldKind, other: &FieldKind) -> bool {
    let sort = |kind: &FieldKind| match kind {
        FieldKind::Uuid => FieldKind::Text,
        FieldKind::Int32 | FieldKind::Float => FieldKind::Int64,
        other => other.clone(),
    };
    let (one, other) = (sort(one), sort(other));
    let are_decimals = other == FieldKind::Decimal && one == FieldKind::Int64;
    one != FieldKind::Json && other != FieldKind::Json && one != other && !are_decimals
}

/// A kind, as a message says it.
pub(crate) const fn in_words(kind: &FieldKind) -> &'static str {
    match kind {
        FieldKind::Text => "text",
        FieldKind::Uuid => "a UUID",
        FieldKind::Boolean => "true or false",
        FieldKind::Int32 | FieldKind::Int64 => "a whole number",
        FieldKind::Float => "a number",
        FieldKind::Decimal => "a decimal",
        FieldKind::Date | FieldKind::Time | FieldKind::Timestamp => "a time",
        FieldKind::Json => "any JSON",
    }
}

/// Pairs of a membership's field and an entity's that hold the same thing by their names: `account_id` and
/// the key of `accounts`, or else a field of one name that names a record of a third entity.
fn joins(entity: &Entity, membership: &Entity, taken: &[&str]) -> Vec<(String, String)> {
    let own_name = format!("{}_id", entity.singular);
    let free = |field: &&Field| !taken.contains(&field.name.as_str());
    let fields = || membership.stored_fields().filter(free);
    let names_entity =
        |field: &&Field| field.name == own_name || field.references.as_ref() == Some(&entity.name);
    let to_key: Vec<_> = fields()
        .filter(names_entity)
        .map(|field| (field.name.clone(), entity.key.clone()))
        .collect();
    if !to_key.is_empty() {
        return to_key;
    }
    let is_shared = |field: &&Field| {
        let names_record = field.name.ends_with("_id") || field.references.is_some();
        let own = entity.stored_fields().find(|own| own.name == field.name);
        names_record && own.is_some_and(|own| own.kind == field.kind)
    };
    fields()
        .filter(is_shared)
        .map(|field| (field.name.clone(), field.name.clone()))
        .collect()
}

fn membership<'e>(
    reading: &Reading<'_>,
    place: Node<'_>,
    name: &str,
    entities: &'e [Entity],
) -> Option<&'e Entity> {
    let found = entities.iter().find(|entity| entity.name == name);
    if found.is_none() {
        let message = format!("the document has no entity `{name}`");
        reading.error(place, Code::UNKNOWN_ENTITY, message);
    }
    found
}

/// A field that the server has, by its name.
fn stored(reading: &Reading<'_>, place: Node<'_>, name: &str, entity: &Entity) -> Option<String> {
    let Some(field) = entity.field(name) else {
        let message = format!("`{}` has no field `{name}`", entity.name);
        reading.error(place, Code::UNKNOWN_FIELD, message);
        return None;
    };
    if field.sync_exclude || field.kind == FieldKind::Json {
        let message = format!(
            "`{name}` of `{}` can't tell a role: it never reaches the server, or is no plain value",
            entity.name
        );
        reading.error(place, Code::EXCLUDED_FIELD, message);
        return None;
    }
    Some(field.name.clone())
}
