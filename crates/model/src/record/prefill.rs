//! What a record shows of itself before the server has decided its making.

use super::payload::{Action, Write};
use super::rules::Rulebook;
use super::values::key_of;
use crate::schema::{Entity, Role};

/// Adds to the making of a record what its writer has left out and any maker may say: its key, and the
/// defaults. So a pending record is found by its key and by its defaults as it will be afterwards. Of
/// fields that not every maker may write nothing is added: the schema that gives the default here may
/// be older than the server's, which would hold the value against its writer then. Nor is a default
/// that the field's own rules refuse: what nobody has said is not judged by them.
pub fn prefill(rulebook: &Rulebook, entity: &Entity, write: &mut Write) {
    if write.action != Action::Create {
        return;
    }
    for field in entity.stored_fields() {
        let mut makers = Role::ALL.into_iter().filter(|role| entity.may_make(*role));
        let is_open = !field.read_only && makers.all(|role| entity.may_write(role, &field.name));
        let default = field.default.as_ref().filter(|_| is_open);
        let default = default.filter(|default| rulebook.check(field, default).is_none());
        if let Some(default) = default {
            let value = write.values.entry(field.name.clone());
            value.or_insert_with(|| default.clone());
        }
    }
    // One that can't be is refused by who decides, with what is wrong with it.
    if let Ok(key) = key_of(entity, write) {
        write.values.insert(entity.key.clone(), key);
    }
}
