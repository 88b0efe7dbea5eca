//! OpenAPI in, the schema of an application out.
//!
//! [`resolve`] reads a document's text and finds its entities: which paths hold records, what fields these
//! have, who may write what, and what it can't make sense of, with the place of each in the text. It is a
//! function of that text alone: no file, no network, no clock. It never guesses: what a document leaves open
//! is a diagnostic.

pub mod client;
mod collection;
mod diagnostic;
mod document;
mod entity;
mod extensions;
mod field;
mod hiding;
mod limits;
mod merged;
mod names;
mod pattern;
mod reading;
mod resolve;
mod route;
mod served;
mod servers;

pub use diagnostic::{Code, Diagnostic, Placed, Severity};
pub use hiding::Hiding;
pub use limits::{
    DIAGNOSTICS_MAX, DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX, DOCUMENT_NODES_MAX, ENTITIES_MAX,
    FIELDS_MAX, NAME_BYTES_MAX, REFERENCE_DEPTH_MAX,
};
pub use resolve::{Resolution, placed, resolve, resolve_for, told_lacks};
pub use served::{ServedFault, served};
