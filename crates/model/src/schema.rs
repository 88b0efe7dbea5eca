//! What applications store: the entities of a tenant, as one document declares them.
//!
//! A schema is resolved once, where the document is read, and travels as the payload of an op of scope
//! `schema`. Decide, the REST routes, the shapes, the replica and the generator all read these types,
//! so that an entity means the same thing everywhere.

mod access;
mod check;
mod diff;
mod dropped;
mod entity;
mod field;
mod nested;
mod operation;
mod tables;
mod wider;

pub use check::{
    ENTITIES_MAX, FIELDS_MAX, NAME_BYTES_MAX, RESERVED, SchemaFault, entity_name_fault,
    is_reserved, name_fault,
};
pub use diff::{Change, ChangeKind, diff};
pub use entity::{Access, Conflict, Entity, Role, RoleVia, Schema, WriteMode};
pub use field::{Bound, Field, FieldKind, Rules};
pub use nested::{ArrayRules, JsonRules, Nested, ObjectRules, Others};
pub use operation::{LIST_PARAMETERS, LIST_TESTS, Operation, Verb};
pub use tables::{RESOURCE, SCHEMAS, TABLES, coverage, fold};
