//! The view tables of threads.

use crate::{Column, Table};

const fn text(name: &'static str) -> Column {
    Column {
        name,
        sql_type: "TEXT",
        nullable: false,
    }
}

const fn text_or_null(name: &'static str) -> Column {
    Column {
        name,
        sql_type: "TEXT",
        nullable: true,
    }
}

const fn integer(name: &'static str) -> Column {
    Column {
        name,
        sql_type: "INTEGER",
        nullable: false,
    }
}

const fn integer_or_null(name: &'static str) -> Column {
    Column {
        name,
        sql_type: "INTEGER",
        nullable: true,
    }
}

/// One row per thread, deleted ones as tombstones (`status` = `deleted`).
///
/// `key` and `home_project` are those of its creation, null until that is known; `project` is where
/// it is now. `authors` is a JSON array of those who wrote entries, first come first, up to a bound.
/// `versions` is JSON: who wrote name, project and status last.
pub static THREADS: Table = Table {
    name: "threads",
    columns: &[
        text("thread_id"),
        text_or_null("key"),
        text_or_null("home_project"),
        integer("generation"),
        text("project"),
        text("name"),
        text("status"),
        text("created_at"),
        text("updated_at"),
        integer("entry_count"),
        text("authors"),
        text("versions"),
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
        text("thread_id"),
        text("entry_id"),
        integer_or_null("sequence_id"),
        integer_or_null("pending_order"),
        text("timestamp"),
        text("author"),
        text_or_null("thread_name"),
        text("content"),
    ],
    key_columns: 2,
    searched: Some(7),
    indexes: &[&["thread_id", "sequence_id", "pending_order"]],
};

/// One row per tag ever set on a thread (`entry_id` is empty) or on one of its entries.
pub static TAGS: Table = Table {
    name: "thread_tags",
    columns: &[
        text("thread_id"),
        text("entry_id"),
        text("tag"),
        integer("present"),
        integer("clock"),
        text("actor"),
    ],
    key_columns: 3,
    searched: None,
    indexes: &[],
};

/// One row per link ever made from a thread (`entry_id` is empty) or entry to another thread.
pub static LINKS: Table = Table {
    name: "thread_links",
    columns: &[
        text("thread_id"),
        text("entry_id"),
        text("target"),
        text_or_null("note"),
        integer("present"),
        integer("clock"),
        text("actor"),
    ],
    key_columns: 3,
    searched: None,
    indexes: &[&["target"]],
};

/// All of them.
pub static TABLES: &[&Table] = &[&THREADS, &ENTRIES, &TAGS, &LINKS];
