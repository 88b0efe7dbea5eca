//! What a record shows of itself before the server has decided its making.

use super::payload::{Action, Write};
use super::values::key_of;
use crate::schema::Entity;

/// Adds to the making of a record what its writer has left out: its key, and beside what they say the
/// defaults. So a pending record is found by its key and by its defaults as it will be afterwards. The
/// schema that gives a default here may be older than the server's, which gives its own: what nobody has
/// said is held against no writer.
pub fn prefill(entity: &Entity, write: &mut Write) {
    if write.action != Action::Create {
        return;
    }
    for field in entity.stored_fields() {
        if let Some(default) = &field.default
            && !write.values.contains_key(&field.name)
        {
            write.defaults.insert(field.name.clone(), default.clone());
        }
    }
    // One that can't be is refused by who decides, with what is wrong with it.
    if let Ok(key) = key_of(entity, write) {
        write.defaults.remove(&entity.key);
        write.values.insert(entity.key.clone(), key);
    }
}
