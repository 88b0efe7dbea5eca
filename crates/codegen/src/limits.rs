//! How large a document, and what is made of it, may be.

/// The most bytes of a document. The largest public ones, of clouds and code forges, have 10 to 40 MB.
pub const DOCUMENT_BYTES_MAX: usize = 64 << 20;

/// The most values of a document: bounds the memory of one that is all brackets, at some 100 bytes each.
pub const DOCUMENT_NODES_MAX: usize = 4_000_000;

/// How deep values may stand within one another. Hand-written documents stay under 30.
pub const DOCUMENT_DEPTH_MAX: usize = 128;

/// How many references may lead from one to the next.
pub const REFERENCE_DEPTH_MAX: usize = 64;

pub use syncline_model::schema::{ENTITIES_MAX, FIELDS_MAX, NAME_BYTES_MAX};

/// The most diagnostics that one document gets: a person reads no more, and a hostile one asks for millions.
pub const DIAGNOSTICS_MAX: usize = 10_000;

/// The most values within a default or an allowed value: aliases of YAML can make one of billions.
pub(crate) const LITERAL_NODES_MAX: usize = 10_000;

/// The most schemas within the fields of a document that values are held against: a schema is one op of each
/// tenant's log.
pub(crate) const NESTED_SCHEMAS_MAX: usize = 20_000;
