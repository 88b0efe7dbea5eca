//! The registry: which task lists there are, in which order, and what they are called.
//!
//! It is one resource. Position, existence and title of a list are parts of their own, as those of
//! items are. To remove a list hides it with all that it shows; nothing of it is touched, and ops on
//! it still count, so that a restore shows it whole.

mod coverage;
mod fold;
mod ops;
mod tables;

pub use coverage::coverage;
pub(crate) use coverage::{folds_onto_seen, gives_back_collected};
pub use fold::fold;
pub use ops::RegistryOp;
pub use tables::{LIST_TOMBSTONES, LISTS, List, TABLES, shown_title};
pub(crate) use tables::{is_present, list_versions, shown_title_version};

/// The resource of every op of scope `registry`.
pub const RESOURCE: &str = "registry";
