//! The views that queries read: a contract, where the tables beneath are none.
//!
//! A view keeps its name, its columns and their meaning from version to version; new columns come at
//! its end. Times are RFC 3339 in UTC, but for those of sessions.

pub(crate) mod sessions;

/// A view, and what it is made of.
#[derive(Debug, Clone, Copy)]
pub struct SqlView {
    pub name: &'static str,
    /// What one row of it is.
    pub meaning: &'static str,
    pub columns: &'static [ViewColumn],
    /// What it reads, for a few of its rows; `{secret}` stands for what the names of its lower halves
    /// begin with.
    select: &'static str,
    /// What it reads, for all rows; none: the same.
    all: Option<&'static str>,
}

impl SqlView {
    /// What it reads, of which a few rows are asked for.
    pub(crate) fn select(&self) -> &'static str {
        self.select
    }

    /// What it reads, of which any rows are asked for.
    pub(crate) fn select_all(&self) -> &'static str {
        self.all.unwrap_or(self.select)
    }
}

/// A column of a view.
#[derive(Debug, Clone, Copy)]
pub struct ViewColumn {
    pub name: &'static str,
    pub meaning: &'static str,
}

const fn column(name: &'static str, meaning: &'static str) -> ViewColumn {
    ViewColumn { name, meaning }
}

/// All views, in the order in which they are told.
pub static VIEWS: &[SqlView] = &[
    sessions::SESSIONS,
    sessions::MESSAGES,
    sessions::TOOLS,
    sessions::SESSION_ERRORS,
    sessions::COMPACTION_EVENTS,
    sessions::PARTS,
    THREADS,
    ENTRIES,
    LISTS,
    ITEMS,
];

pub(crate) const THREADS: SqlView = SqlView {
    name: "threads",
    meaning: "a thread that is not deleted",
    columns: &[
        column("thread_id", "its id"),
        column(
            "key",
            "the key that it was made with; null where that is not known",
        ),
        column("project", "the project that it is in"),
        column("name", "its name"),
        column("status", "active, archived or blocked"),
        column("created_at", "when it was made"),
        column("updated_at", "when its last change was made"),
        column("entry_count", "how many entries it has"),
        column(
            "authors",
            "a JSON array of who wrote entries, first come first",
        ),
        column("tags", "a JSON array of its tags"),
    ],
    select: "SELECT thread_id, key, project, name, status, created_at, updated_at, entry_count, authors, \
             (SELECT json_group_array(tag ORDER BY tag) FROM main.thread_tags AS g \
              WHERE g.thread_id = t.thread_id AND g.entry_id = '' AND g.present = 1) \
             FROM main.threads AS t WHERE status <> 'deleted'",
    all: None,
};

pub(crate) const ENTRIES: SqlView = SqlView {
    name: "entries",
    meaning: "an entry of a thread that is not deleted",
    columns: &[
        column("entry_id", "its id"),
        column("thread_id", "the thread that it is in"),
        column(
            "sequence_id",
            "its place there, from 0; null until it is in the log",
        ),
        column("timestamp", "when it was written"),
        column("author", "who wrote it"),
        column("content", "its text"),
        column("state", "pending or acknowledged"),
    ],
    select: "SELECT e.entry_id, e.thread_id, e.sequence_id, e.timestamp, e.author, e.content, \
             iif(e.sequence_id IS NULL, 'pending', 'acknowledged') \
             FROM main.entries AS e JOIN main.threads AS t USING (thread_id) WHERE t.status <> 'deleted'",
    all: None,
};

pub(crate) const LISTS: SqlView = SqlView {
    name: "lists",
    meaning: "a task list that is not deleted",
    columns: &[
        column("list_id", "its id"),
        column("title", "its title"),
        column("place", "its place among the lists, from 0"),
        column("item_count", "how many items it shows"),
        column("done_count", "how many of them are done"),
    ],
    select: "SELECT l.list_id, shown_title(l.title, l.versions, t.title, t.versions), \
             row_number() OVER (ORDER BY l.position, l.list_id) - 1, \
             (SELECT count(*) FROM main.list_items AS i WHERE i.home = l.list_id AND i.present = 1), \
             (SELECT count(*) FROM main.list_items AS i WHERE i.home = l.list_id AND i.present = 1 AND i.done = 1) \
             FROM main.lists AS l LEFT JOIN main.list_titles AS t USING (list_id) WHERE l.present = 1",
    all: None,
};

pub(crate) const ITEMS: SqlView = SqlView {
    name: "items",
    meaning: "an item of a task list that is not deleted",
    columns: &[
        column("id", "its id; unique with origin_list_id"),
        column("list_id", "the list that shows it"),
        column("place", "its place there, from 0"),
        column("text", "its text"),
        column("done", "1 if it is ticked, else 0"),
        column("note", "its note, empty if it has none"),
        column("origin_list_id", "the list that it was made in"),
    ],
    select: "SELECT i.item_id, i.home, \
             row_number() OVER (PARTITION BY i.home ORDER BY i.position, i.item_id, i.list_id) - 1, \
             i.text, i.done, i.note, i.list_id \
             FROM main.list_items AS i JOIN main.lists AS l ON l.list_id = i.home \
             WHERE i.present = 1 AND l.present = 1",
    all: None,
};
