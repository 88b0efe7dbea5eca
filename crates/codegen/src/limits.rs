//! How large a document, and what is made of it, may be.

/// The most bytes of a document. The largest public ones, of clouds and code forges, have 10 to 40 MB.
pub const DOCUMENT_BYTES_MAX: usize = 64 << 20;

/// The most values of a document: bounds the memory of one that is all brackets, at some 100 bytes each.
pub const DOCUMENT_NODES_MAX: usize = 4_000_000;

/// How deep values may stand within one another. Hand-written documents stay under 30.
pub const DOCUMENT_DEPTH_MAX: usize = 128;

/// How many references may lead from one to the next.
pub const REFERENCE_DEPTH_MAX: usize = 64;

/// The most entities of a schema: each is a table with its indexes, on every replica.
pub const ENTITIES_MAX: usize = 1_000;

/// The most fields of an entity, well under the columns that a table can have.
pub const FIELDS_MAX: usize = 500;

/// The longest name of an entity or a field, in bytes of UTF-8.
pub const NAME_BYTES_MAX: usize = 128;

/// The most diagnostics that one document gets: a person reads no more, and a hostile one asks for millions.
pub const DIAGNOSTICS_MAX: usize = 10_000;

/// The most values within a default or an allowed value: aliases of YAML can make one of billions.
pub(crate) const LITERAL_NODES_MAX: usize = 10_000;
