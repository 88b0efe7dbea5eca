//! Which role may write and read which columns.

use super::{Entity, Role, Schema};

impl Entity {
    /// Whether this role makes and deletes records.
    pub fn may_make(&self, role: Role) -> bool {
        role > Role::Viewer
    }

    /// Whether this role writes this column. One that the schema doesn't know counts as a field in no
    /// group; so does every field where no role is permitted any group.
    pub fn may_write(&self, role: Role, column: &str) -> bool {
        if self.field(column).is_some_and(|field| field.owner_only) {
            return role == Role::Owner;
        }
        let permissions = &self.access.role_permissions;
        let mut groups = self.groups_of(column).peekable();
        if permissions.is_empty() || groups.peek().is_none() {
            return role > Role::Viewer;
        }
        let permitted = permissions.get(&role);
        permitted.is_some_and(|permitted| groups.any(|group| permitted.contains(group)))
    }

    /// Whether this role reads this column. Only those of groups can be kept from a role, and the key
    /// never is. What was dropped nobody reads.
    pub fn may_read(&self, role: Role, column: &str) -> bool {
        if self.dropped.contains_key(column) {
            return false;
        }
        let Some(permissions) = &self.access.read_permissions else {
            return true;
        };
        let mut groups = self.groups_of(column).peekable();
        if column == self.key || groups.peek().is_none() {
            return true;
        }
        let permitted = permissions.get(&role);
        permitted.is_some_and(|permitted| groups.any(|group| permitted.contains(group)))
    }

    /// Whether this role reads and writes all there is, of every record.
    pub fn is_whole_to(&self, role: Role) -> bool {
        self.access.role_via.is_none()
            && self.may_make(role)
            && self
                .columns()
                .all(|column| self.has_read(role, column) && self.may_write(role, column))
    }

    /// Whether this role reads every column of every record, those that were dropped as well.
    pub fn is_open_to(&self, role: Role) -> bool {
        self.access.role_via.is_none() && self.columns().all(|column| self.has_read(role, column))
    }

    /// The columns that the schema speaks of: those of groups need be no fields, and dropped ones are none.
    fn columns(&self) -> impl Iterator<Item = &str> {
        let fields = self.fields.iter().map(|field| &*field.name);
        let grouped = self.access.field_groups.values().flatten();
        let dropped = self.dropped.keys();
        fields.chain(grouped.chain(dropped).map(String::as_str))
    }

    fn groups_of(&self, column: &str) -> impl Iterator<Item = &String> {
        let groups = self.access.field_groups.iter();
        groups
            .filter(move |(_, fields)| fields.iter().any(|field| field == column))
            .map(|(group, _)| group)
    }
}

impl Schema {
    /// Whether this role reads all there is.
    pub fn is_open_to(&self, role: Role) -> bool {
        let mut known = self.entities.iter().chain(&self.gone);
        known.all(|entity| entity.is_open_to(role))
    }
}
