//! Records declared once, as Rust structs: `#[derive(Entity)]` says how they sync and who may change them, and
//! [`Document`] writes the OpenAPI document that says the same to every other program.
//!
//! ```
//! use syncline_entity::{Document, Entity};
//!
//! /// Somebody whom one writes to.
//! #[derive(Entity)]
//! #[entity(name = "contacts", local_first, conflict = "reject")]
//! struct Contact {
//!     id: uuid::Uuid,
//!     #[field(unique)]
//!     email: Option<String>,
//!     #[field(sync_exclude)]
//!     local_notes: Option<String>,
//! }
//!
//! let yaml = Document::new("Contacts", "1.0.0").with::<Contact>().to_yaml();
//! assert!(yaml.contains("x-sync-exclude: true"));
//! ```
//!
//! What can be seen to be wrong does not compile, such as what is said of one value on a list, whatever the list is called:
//!
//! ```compile_fail
//! type Tags = Option<Vec<String>>;
//!
//! #[derive(syncline_entity::Entity)]
//! #[entity(name = "contacts")]
//! struct Contact {
//!     id: uuid::Uuid,
//!     #[field(max_length = 9)]
//!     tags: Tags,
//! }
//! ```
//!
//! It only writes: what a document means is found by `syncline-codegen`, which reads this one back to the same.

mod builder;
mod document;
mod kinds;
mod operations;

pub use builder::{Builder, FieldBuilder};
pub use document::Document;
pub use kinds::FieldType;
pub use syncline_entity_derive::Entity;
pub use syncline_model::schema;

/// A struct whose values are records.
pub trait Entity {
    /// What the struct's attributes declare.
    fn entity() -> schema::Entity;
}
