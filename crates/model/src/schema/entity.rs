//! One kind of record: its fields, its key, who may write what, and what wins.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Field, Operation};

/// All entities of a tenant. The payload of an op of scope `schema`; the last one in the log stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// In the order of their names.
    pub entities: Vec<Entity>,
    /// Those that earlier schemas had, as they were last: who may not read their records is still not
    /// to. No document says this, [`Schema::following`] does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<Entity>,
}

impl Schema {
    pub fn entity(&self, name: &str) -> Option<&Entity> {
        self.entities.iter().find(|entity| entity.name == name)
    }
}

/// One collection of records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// The collection's name, as the document's path has it: the table, `invoices`.
    pub name: String,
    /// The name of one record, `invoice`.
    pub singular: String,
    /// In the document's order. Always holds the key.
    pub fields: Vec<Field>,
    /// The field that names a record. Its values are text of 1 to 256 bytes, or whole numbers.
    pub key: String,
    pub mode: WriteMode,
    /// The subset that clients take, in the `where` language of shapes. None: all rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subset: Option<String>,
    #[serde(default)]
    pub conflict: Conflict,
    /// Sets of fields whose values together name at most one record. Null equals nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unique: Vec<Vec<String>>,
    #[serde(default)]
    pub access: Access,
    /// Fields that earlier schemas had, and who could read them then: records may hold values of them.
    /// No document says this, [`Schema::following`] does.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dropped: BTreeMap<String, Vec<Role>>,
    /// What requests may name and records don't have, such as a password: it is taken, and neither kept nor
    /// shown. Schemas of earlier builds lack it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_kept: Vec<String>,
    /// What the document offers over HTTP.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<Operation>,
}

impl Entity {
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    pub fn key_field(&self) -> Option<&Field> {
        self.field(&self.key)
    }

    /// Whether a server stores a column of this name: not what never leaves a client, nor what only requests
    /// have. Columns that the schema doesn't know are kept as they are.
    pub fn keeps(&self, column: &str) -> bool {
        match self.field(column) {
            Some(field) => !field.sync_exclude,
            None => !self.not_kept.iter().any(|name| name == column),
        }
    }

    /// The fields that a server stores: all but those that never leave a client.
    pub fn stored_fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| !field.sync_exclude)
    }
}

/// When a client tells its user that a write is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum WriteMode {
    /// At once; the server's verdict comes later.
    Optimistic,
    /// When the server has accepted it.
    #[default]
    Confirmed,
    /// Clients only read, and show the age of what they read.
    Cache {
        /// Seconds after which a reading is stale.
        ttl_seconds: u64,
    },
}

/// What becomes of a write whose base is not what the server holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conflict {
    /// Of each column that both changed, the server's value stays.
    #[default]
    ServerWins,
    /// Of each column that both changed, the value that comes last stays.
    LastWriteWins,
    /// The write is refused whole.
    Reject,
}

/// What a member may do, least first.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Viewer,
    #[default]
    Editor,
    Owner,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Editor, Self::Owner];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Who may read and write which fields.
///
/// Without groups, every role but viewer writes every field that is not the owner's alone. A field in
/// no group is any role's but the viewer's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// The fields of each group.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub field_groups: BTreeMap<String, Vec<String>>,
    /// The groups that each role may write. A role without an entry writes no group.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub role_permissions: BTreeMap<Role, Vec<String>>,
    /// The groups that each role may read. None: who sees a record sees all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_permissions: Option<BTreeMap<Role, Vec<String>>>,
    /// Where the role of a user on a record is found. None: it is the user's role in the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_via: Option<RoleVia>,
}

/// Roles by membership: a record of `entity` whose `entity_field` equals this record's `field`, and
/// whose `user_field` is the user, gives the role in `role_field`. Without one the user does not see
/// the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleVia {
    pub entity: String,
    pub entity_field: String,
    pub field: String,
    pub user_field: String,
    pub role_field: String,
}
