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
/// it is now. `versions` is JSON: who wrote name, project and status last.
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
        text("versions"),
    ],
    key_columns: 1,
    searched: None,
    indexes: &[&["project", "key"], &["updated_at"]],
};

/// One row per entry. `sequence_id` is its place in the thread, 0-based and dense, null until the
/// op is in the log; `pending_order` is null from then on.
pub static ENTRIES: Table = Table {
    name: "entries",
    columns: &[
        text("thread_id"),
        text("entry_id"),
        integer_or_null("sequence_id"),
        integer_or_null("pending_order"),
        text("author"),
        text("content"),
        text("timestamp"),
    ],
    key_columns: 2,
    searched: Some(5),
    indexes: &[&["thread_id", "sequence_id"]],
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
