//! What earlier schemas had and the one that stands has not: records and the log hold values of it
//! still, so that who was kept from reading them must go on being kept from it.

use super::{Entity, Role, Schema};

impl Schema {
    /// This schema as it stands after another one: with what is dropped by it, or was before.
    #[must_use = "the schema without it shows what was dropped"]
    pub fn following(mut self, before: &Self) -> Self {
        for entity in &mut self.entities {
            entity.dropped.clear();
            if let Some(before) = before.known(&entity.name) {
                entity.note_dropped(before);
            }
        }
        let known = before.entities.iter().chain(&before.gone);
        let gone = known.filter(|before| self.entity(&before.name).is_none());
        self.gone = gone.map(Entity::bare).collect();
        self.gone.sort_by(|one, other| one.name.cmp(&other.name));
        self
    }

    /// An entity of this name, also one that is gone.
    pub fn known(&self, name: &str) -> Option<&Entity> {
        let gone = || self.gone.iter().find(|entity| entity.name == name);
        self.entity(name).or_else(gone)
    }
}

impl Entity {
    fn note_dropped(&mut self, before: &Self) {
        // Other rows are seen: who read them before says nothing of who may now.
        let sees_other_rows = before.access.role_via != self.access.role_via;
        let readers = |name: &str| -> Vec<Role> {
            let roles = Role::ALL.into_iter();
            roles
                .filter(|role| !sees_other_rows && before.has_read(*role, name))
                .collect()
        };
        let fields = before.fields.iter().map(|field| &field.name);
        let dropped = fields.chain(before.dropped.keys());
        let dropped = dropped.filter(|name| self.field(name).is_none());
        self.dropped = dropped.map(|name| (name.clone(), readers(name))).collect();
    }

    /// Whether this role reads the column, or did when it was dropped.
    pub(super) fn has_read(&self, role: Role, column: &str) -> bool {
        match self.dropped.get(column) {
            Some(readers) => readers.contains(&role),
            None => self.may_read(role, column),
        }
    }

    /// What is to be known of it when it is gone.
    fn bare(&self) -> Self {
        Self {
            operations: Vec::new(),
            subset: None,
            unique: Vec::new(),
            ..self.clone()
        }
    }
}
