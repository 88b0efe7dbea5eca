//! Threads as their readers see them: queries on the view, the ops that an intent amounts to, and
//! import and export.
//!
//! Everything takes a connection to a tenant file, so that a server node and a replica share it. The
//! queries run in whatever transaction the caller has begun. The planners decide nothing: they say
//! which payloads carry out an intent, and writing them is the caller's.

mod entries;
mod export;
pub mod import;
mod list;
mod overview;
mod plan;
mod related;
mod resolve;
pub(crate) mod row;
mod sync;
#[cfg(test)]
pub(crate) mod tests;

pub use entries::{
    EntryPage, EntryRange, FoundEntry, entry, find_entry, for_each_entry, read_entries,
};
pub use export::{ExportError, ExportScope, Exported, export};
pub use list::{
    CursorError, LastEntry, ListCursor, ListFilter, ListPage, ListStart, ListedThread, list_threads,
};
pub use overview::{ProjectOverview, overview, projects};
pub use plan::{
    Changes, NewEntry, NewThread, Plan, PlanError, PlannedOp, Presence, next_generation,
    plan_append, plan_delete, plan_link, plan_new, plan_tag, plan_update,
};
pub use related::{Link, Links, Tag, TagCount, links, tag_counts, tags};
pub use resolve::{Resolved, resolve, resolve_key};
pub use row::{Entry, EntryPlace, EntryState, Origin, Thread, thread};
pub use sync::{SyncEntry, SyncError, SyncPlan, SyncTarget, Synced, plan_sync};
