//! What is declared of an entity and can never be: told, and taken as it stands.

use syncline_model::schema::{Entity, Field, Role};

use super::fields::Reference;
use crate::diagnostic::Code;
use crate::document::Node;
use crate::extensions;
use crate::reading::Reading;

/// Tells of a field that a new record must have, and that nobody who makes records may give it.
pub(super) fn tell_unmakeable(
    reading: &Reading<'_>,
    entity: &Entity,
    field: &Field,
    node: Node<'_>,
) {
    let must_be_given = field.required && field.default.is_none() && field.name != entity.key;
    let gives = |role: &Role| entity.may_make(*role) && entity.may_write(*role, &field.name);
    if must_be_given && !Role::ALL.iter().any(gives) {
        let message = format!(
            "`{}` must be given, and no role that makes records may write it: nobody can make one",
            field.name
        );
        reading.warning(node, Code::UNWRITTEN, message);
    }
}

/// Tells of a field that names records of another entity by values that their key never has.
pub(super) fn tell_unjoined(
    reading: &Reading<'_>,
    entity: &Entity,
    field: &str,
    reference: &Reference<'_>,
    entities: &[Entity],
) {
    let Some(field) = entity.field(field) else {
        return;
    };
    let target = entities
        .iter()
        .find(|other| Some(&other.name) == field.references.as_ref());
    let Some((target, key)) = target.and_then(|target| Some((target, target.key_field()?))) else {
        return;
    };
    if extensions::never_equal(&field.kind, &key.kind) {
        let message = format!(
            "`{}` names a record of `{}` by {}, and the key of that is {}: it names none",
            field.name,
            target.name,
            extensions::in_words(&field.kind),
            extensions::in_words(&key.kind),
        );
        reading.warning(reference.node(), Code::CONTRADICTION, message);
    }
}
