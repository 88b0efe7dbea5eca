//! The stable views of `query` as relations: which rows of theirs an op may have changed, and how those
//! are read.

mod touched;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, params_from_iter};
use syncline_model::shape::{Datum, Kind, Scalar, ShapeColumn, print_datum};

use super::relation::{Relation, Source};
use crate::file::StoreError;
use crate::sql::views::{ENTRIES, ITEMS, LISTS, SqlView, THREADS, sessions};
use crate::view::Touch;
use touched::{all_sessions, first_parts, homes, in_sessions, parts, sessions_touched};

/// A view that shapes can be made of.
#[derive(Debug)]
pub(super) struct BuiltIn {
    pub view: &'static SqlView,
    /// Columns that tell its rows apart.
    key: &'static [&'static str],
    /// Columns that are numbers, and those that are numbers with a part.
    whole: &'static [&'static str],
    double: &'static [&'static str],
    /// What is added to its select to read the rows of one group, by how many parts name that.
    restrict: [&'static str; 2],
    /// Its columns that name a row's group; where its select has none of them, the group is asked for.
    group: &'static [&'static str],
    /// Asks for so many groups' first parts after one, in order; none: all of it is read at once.
    heads: Option<&'static str>,
    /// The tables that it is read from.
    tables: &'static [&'static str],
    /// Which groups an op has touched.
    touched: fn(&Connection, &[Touch]) -> Result<Vec<Group>, StoreError>,
}

impl PartialEq for BuiltIn {
    fn eq(&self, other: &Self) -> bool {
        self.view.name == other.view.name
    }
}

impl Eq for BuiltIn {}

/// A set of rows that are read together: the parts that name it. Fewer parts name more rows, none all.
pub(super) type Group = Vec<String>;

/// What stands between the parts of a group as it is kept.
pub(super) const BETWEEN: char = '\u{1f}';

const SESSION_HEADS: Option<&str> =
    Some("SELECT session_id FROM main.sessions WHERE session_id > ?1 ORDER BY session_id LIMIT ?2");
const SESSION_PARTS: [&str; 2] = [" AND x.session_id = ?1", " AND x.session_id = ?1 AND "];

/// All of them.
pub(super) static BUILT_IN: &[BuiltIn] = &[
    BuiltIn {
        view: &THREADS,
        key: &["thread_id"],
        whole: &["entry_count"],
        double: &[],
        restrict: [" AND t.thread_id = ?1", ""],
        group: &["thread_id"],
        heads: Some(
            "SELECT thread_id FROM main.threads WHERE thread_id > ?1 ORDER BY thread_id LIMIT ?2",
        ),
        tables: &["threads", "thread_tags"],
        touched: |_, touches| Ok(first_parts(touches, &["threads", "thread_tags"])),
    },
    BuiltIn {
        view: &ENTRIES,
        key: &["thread_id", "entry_id"],
        whole: &["sequence_id"],
        double: &[],
        restrict: [
            " AND e.thread_id = ?1",
            " AND e.thread_id = ?1 AND e.entry_id = ?2",
        ],
        group: &["thread_id", "entry_id"],
        heads: Some(
            "SELECT DISTINCT thread_id FROM main.entries WHERE thread_id > ?1 ORDER BY 1 LIMIT ?2",
        ),
        tables: &["entries"],
        touched: |_, touches| Ok(parts(touches, &["entries"], 2)),
    },
    BuiltIn {
        view: &LISTS,
        key: &["list_id"],
        whole: &["place", "item_count", "done_count"],
        double: &[],
        restrict: ["", ""],
        group: &[],
        heads: None,
        tables: &["lists", "list_titles", "list_items"],
        // A list's place depends on all others.
        touched: |_, _| Ok(vec![Group::new()]),
    },
    BuiltIn {
        view: &ITEMS,
        key: &["id", "origin_list_id"],
        whole: &["place", "done"],
        double: &[],
        restrict: [" AND i.home = ?1", ""],
        group: &["list_id"],
        heads: Some(
            "SELECT DISTINCT home FROM main.list_items WHERE home > ?1 ORDER BY 1 LIMIT ?2",
        ),
        tables: &["lists", "list_items"],
        touched: homes,
    },
    BuiltIn {
        view: &sessions::SESSIONS,
        key: &["session_id"],
        whole: &[
            "created_at",
            "started_at",
            "updated_at",
            "ended_at",
            "message_count",
            "prompt_count",
            "tool_call_count",
            "tool_error_count",
            "error_count",
            "compaction_count",
            "input_tokens",
            "output_tokens",
            "cache_read_tokens",
            "cache_write_tokens",
            "cache_write_5m_tokens",
            "cache_write_1h_tokens",
            "reasoning_tokens",
            "prompt_tokens",
            "completion_tokens",
            "subagent_count",
        ],
        double: &["cost"],
        restrict: [" WHERE session_id = ?1", ""],
        group: &["session_id"],
        heads: SESSION_HEADS,
        tables: &["sessions", "session_usage"],
        touched: sessions_touched,
    },
    BuiltIn {
        view: &sessions::MESSAGES,
        key: &["agent", "session_id", "subagent", "id"],
        whole: &[
            "prompt_tokens",
            "completion_tokens",
            "input_tokens",
            "output_tokens",
            "cache_read_tokens",
            "cache_write_tokens",
            "reasoning_tokens",
            "duration_ms",
            "created_at",
            "completed_at",
            "position",
            "rewound",
        ],
        double: &[],
        restrict: [SESSION_PARTS[0], "message_id = ?2"],
        group: &["", "id"],
        heads: SESSION_HEADS,
        tables: &[
            "sessions",
            "session_messages",
            "session_parts",
            "session_usage",
        ],
        touched: |connection, touches| in_sessions(connection, touches, "message"),
    },
    BuiltIn {
        view: &sessions::TOOLS,
        key: &["agent", "session_id", "subagent", "id"],
        whole: &[
            "success",
            "exit_code",
            "duration_ms",
            "created_at",
            "completed_at",
            "position",
        ],
        double: &[],
        restrict: [SESSION_PARTS[0], "tool_id = ?2"],
        group: &["", "id"],
        heads: SESSION_HEADS,
        tables: &["sessions", "session_tools", "session_parts"],
        touched: |connection, touches| in_sessions(connection, touches, "tool"),
    },
];

impl BuiltIn {
    pub(super) fn relation(&'static self) -> Relation {
        let columns = self.view.columns.iter().map(|column| {
            let scalar = if self.whole.contains(&column.name) {
                Scalar::Int8
            } else if self.double.contains(&column.name) {
                Scalar::Float8
            } else {
                Scalar::Text
            };
            let key_place = self.key.iter().position(|key| *key == column.name);
            ShapeColumn {
                name: column.name.to_owned(),
                kind: Kind::one(scalar),
                is_nullable: key_place.is_none() || column.name == "subagent",
                key_place,
            }
        });
        Relation {
            name: self.view.name.to_owned(),
            columns: columns.collect(),
            source: Source::BuiltIn(self),
        }
    }

    /// How many parts name one of its rows' groups.
    pub(super) fn group_parts(&self) -> usize {
        self.group.len()
    }

    /// Whether rows of tables that it reads were touched.
    pub(super) fn may_be_touched(&self, touches: &[Touch]) -> bool {
        touches
            .iter()
            .any(|touch| self.tables.contains(&touch.table.name))
    }

    pub(super) fn touched(
        &self,
        connection: &Connection,
        touches: &[Touch],
    ) -> Result<Vec<Group>, StoreError> {
        (self.touched)(connection, touches)
    }

    /// The first parts of so many groups after one; none: it is read as one group alone.
    pub(super) fn heads(
        &self,
        connection: &Connection,
        after: &str,
        count: usize,
    ) -> Result<Option<Vec<String>>, StoreError> {
        let Some(sql) = self.heads else {
            return Ok(None);
        };
        let mut statement = connection.prepare_cached(sql)?;
        let heads = statement.query_map((after, count as i64), |row| row.get(0))?;
        Ok(Some(heads.collect::<Result<_, _>>()?))
    }

    /// Reads the rows of a group: each with the group that it is kept under.
    pub(super) fn read(
        &self,
        connection: &Connection,
        group: &[String],
        mut each: impl FnMut(String, Vec<Option<String>>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        if self.group.first() == Some(&"") && group.is_empty() {
            // Rows of sessions don't name the session here that they are kept under.
            for session in all_sessions(connection)? {
                self.read_group(connection, &[session], &mut each)?;
            }
            return Ok(());
        }
        self.read_group(connection, group, &mut each)
    }

    fn read_group(
        &self,
        connection: &Connection,
        group: &[String],
        each: &mut impl FnMut(String, Vec<Option<String>>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut sql = self.view.select().replace("{secret}", "shape");
        match group.len() {
            0 => {}
            1 => sql.push_str(self.restrict[0]),
            _ if self.group.first() == Some(&"") => {
                sql.push_str(SESSION_PARTS[1]);
                sql.push_str("x.");
                sql.push_str(self.restrict[1]);
            }
            _ => sql.push_str(self.restrict[1]),
        }
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(group))?;
        while let Some(row) = rows.next()? {
            let cells = (0..self.view.columns.len()).map(|n| cell(row.get_ref(n)?));
            let cells: Vec<_> = cells.collect::<Result<_, StoreError>>()?;
            let names = self.group.iter().enumerate().map(|(n, name)| {
                let column = self
                    .view
                    .columns
                    .iter()
                    .position(|column| column.name == *name);
                let own = column.and_then(|column| cells[column].clone());
                own.or_else(|| group.get(n).cloned()).unwrap_or_default()
            });
            let kept_under = names.collect::<Vec<_>>().join(&BETWEEN.to_string());
            each(kept_under, cells)?;
        }
        Ok(())
    }
}

fn cell(value: ValueRef<'_>) -> Result<Option<String>, StoreError> {
    Ok(match value {
        ValueRef::Null => None,
        ValueRef::Integer(value) => Some(value.to_string()),
        ValueRef::Real(value) => print_datum(Kind::one(Scalar::Float8), &Datum::Float(value)),
        ValueRef::Text(text) | ValueRef::Blob(text) => {
            Some(String::from_utf8_lossy(text).into_owned())
        }
    })
}
