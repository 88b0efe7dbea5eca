//! The view tables of threads.

use crate::{Column, Table};

/// One row per thread, deleted ones as tombstones (`status` = `deleted`).
///
/// `key` and `home_project` are those of its creation, null until that is known; `project` is where
/// it is now. `authors` is a JSON array of those who wrote entries, first come first, up to a bound.
/// `versions` is JSON: who wrote name, project and status last.
pub static THREADS: Table = Table {
    name: "threads",
    columns: &[
        Column::text("thread_id"),
        Column::text("key").or_null(),
        Column::text("home_project").or_null(),
        Column::integer("generation"),
        Column::text("project"),
        Column::text("name"),
        Column::text("status"),
        Column::text("created_at"),
        Column::text("updated_at"),
        Column::integer("entry_count"),
        Column::text("authors"),
        Column::text("versions"),
    ],
    key_columns: 1,
    searched: None,
    indexes: &[&["key", "project"], &["updated_at"]],
};

/// One row per entry. `sequence_id` is its place in the thread, 0-based and dense, null until the
/// op is in the log; `pending_order` is null from then on. `thread_name` is the name that the thread
/// had when the entry was made, where its op tells. Content comes last: what stands behind a long
/// text is slow to reach.
pub static ENTRIES: Table = Table {
    name: "entries",
    columns: &[
        Column::text("thread_id"),
        Column::text("entry_id"),
        Column::integer("sequence_id").or_null(),
        Column::integer("pending_order").or_null(),
        Column::text("timestamp"),
        Column::text("author"),
        Column::text("thread_name").or_null(),
        Column::text("content"),
    ],
    key_columns: 2,
    searched: Some(7),
    indexes: &[&["thread_id", "sequence_id", "pending_order"]],
};

/// One row per tag ever set on a thread (`entry_id` is empty) or on one of its entries.
pub static TAGS: Table = Table {
    name: "thread_tags",
    columns: &[
        Column::text("thread_id"),
        Column::text("entry_id"),
        Column::text("tag"),
        Column::integer("present"),
        Column::integer("clock"),
        Column::text("actor"),
    ],
    key_columns: 3,
    searched: None,
    indexes: &[],
};

/// One row per link ever made from a thread (`entry_id` is empty) or entry to another thread.
pub static LINKS: Table = Table {
    name: "thread_links",
    columns: &[
        Column::text("thread_id"),
        Column::text("entry_id"),
        Column::text("target"),
        Column::text("note").or_null(),
        Column::integer("present"),
        Column::integer("clock"),
        Column::text("actor"),
    ],
    key_columns: 3,
    searched: None,
    indexes: &[&["target"]],
};

/// All of them.
pub static TABLES: &[&Table] = &[&THREADS, &ENTRIES, &TAGS, &LINKS];
