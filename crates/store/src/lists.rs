//! Task lists as their readers see them, and what plans of changes read.
//!
//! As with threads, everything takes a connection to a tenant file, and runs in whatever transaction
//! its caller has begun: a server node and a replica share it. What a change amounts to is the
//! model's to say ([`syncline_model::list::plan`], on [`StoredLists`]); writing it is the caller's.

mod named;
mod read;
mod resolve;
mod stored;
mod tag;
#[cfg(test)]
mod tests;

pub use named::{full_name, item_in};
pub(crate) use read::shows_any;
pub use read::{
    ListOverview, RemovedLists, ShownItem, item, items, items_after, items_called, list,
    list_overview, lists, removed_items,
};
pub use resolve::{ResolvedList, resolve_list, resolve_removed_list};
pub use stored::StoredLists;
pub use tag::{ContentTag, item_tag, list_tag};
