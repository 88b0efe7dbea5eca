//! What a statement of others may do: read the views, and call what computes.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;

use super::views::{SqlView, VIEWS};
use super::{STATEMENT_BYTES_MAX, VALUE_BYTES_MAX, WriteKind};

/// Bounds what SQLite builds for a statement.
pub(super) fn limit(connection: &Connection) -> rusqlite::Result<()> {
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, STATEMENT_BYTES_MAX),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 200),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 100),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 10_000),
    ] {
        connection.set_limit(limit, value)?;
    }
    Ok(())
}

/// The names that the guard tells apart.
#[derive(Debug)]
pub(super) struct Names {
    /// The tables of the file, which the views alone read.
    pub(super) tables: Vec<String>,
    /// What the names of the views' lower halves begin with: nobody who brings a query knows it, so no
    /// part of a query can pass for one of them.
    pub(super) secret: String,
}

impl Names {
    pub(super) fn of(connection: &Connection, secret: &str) -> rusqlite::Result<Self> {
        let tables = connection
            .prepare("SELECT name FROM main.sqlite_schema")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        Ok(Self {
            tables,
            secret: secret.to_owned(),
        })
    }
}

/// What a statement was seen to do while it was prepared.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// What was refused last.
    pub(super) refused: Option<String>,
    /// The views that it reads, as far as SQLite had come.
    pub(super) views: Vec<&'static SqlView>,
    pub(super) changes: Option<Target>,
}

/// What a statement changes: a view, and how.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) view: &'static SqlView,
    pub(super) kind: WriteKind,
    /// The columns that it sets, by their places, whatever to.
    pub(super) columns: BTreeSet<usize>,
}

/// What the guard of a connection has seen of its last statement.
#[derive(Debug, Clone, Default)]
pub(super) struct Watched(Arc<Mutex<Seen>>);

impl Watched {
    /// What was seen since this was asked last.
    pub(super) fn take(&self) -> Seen {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has every statement asked what it would do; what it does is left in `watched`.
pub(super) fn watch(
    connection: &mut Connection,
    names: Names,
    watched: Watched,
) -> rusqlite::Result<()> {
    connection.authorizer(Some(move |context: AuthContext<'_>| {
        judge(&context, &names, &watched)
    }))
}

/// As [`watch`], of statements that may also change the views: their triggers note what would become of
/// the rows.
pub(super) fn watch_changes(
    connection: &mut Connection,
    names: Names,
    watched: Watched,
) -> rusqlite::Result<()> {
    connection.authorizer(Some(move |context: AuthContext<'_>| {
        if let Some((view, kind, column)) = change(&context) {
            let mut seen = watched.lock();
            let target = seen.changes.get_or_insert_with(|| Target {
                view,
                kind,
                columns: BTreeSet::new(),
            });
            target.columns.extend(column);
            return Authorization::Allow;
        }
        if is_note(&context, &names) {
            return Authorization::Allow;
        }
        judge(&context, &names, &watched)
    }))
}

fn judge(context: &AuthContext<'_>, names: &Names, watched: &Watched) -> Authorization {
    let Some(what) = objection(context, names) else {
        // A view's lower half is read by the view, before the names around it are looked up.
        if let AuthAction::Read { table_name, .. } = context.action
            && table_name.starts_with(&names.secret)
            && let Some(view) = context.accessor.and_then(view_named)
        {
            let views = &mut watched.lock().views;
            if views.iter().all(|seen| seen.name != view.name) {
                views.push(view);
            }
        }
        return Authorization::Allow;
    };
    watched.lock().refused = Some(what);
    Authorization::Deny
}

fn view_named(name: &str) -> Option<&'static SqlView> {
    let mut views = VIEWS.iter();
    views.find(|view| view.name.eq_ignore_ascii_case(name))
}

/// The view that a statement would change, how, and which of its columns; it is asked for each.
fn change(context: &AuthContext<'_>) -> Option<(&'static SqlView, WriteKind, Option<usize>)> {
    let (table, kind, column) = match context.action {
        AuthAction::Delete { table_name } => (table_name, WriteKind::Delete, None),
        AuthAction::Update {
            table_name,
            column_name,
        } => (table_name, WriteKind::Update, Some(column_name)),
        _ => return None,
    };
    let is_its_own = context.database_name == Some("temp") && context.accessor.is_none();
    let view = view_named(table).filter(|_| is_its_own)?;
    let is_named = |name: &str| view.columns.iter().position(|known| known.name == name);
    Some((view, kind, column.and_then(is_named)))
}

/// Whether this is the note that a view's own trigger makes of a change.
fn is_note(context: &AuthContext<'_>, names: &Names) -> bool {
    let is_ours = |name: &str| name.starts_with(&names.secret);
    let AuthAction::Insert { table_name } = context.action else {
        return false;
    };
    context.database_name == Some("temp")
        && is_ours(table_name)
        && context.accessor.is_some_and(is_ours)
}

/// Why the statement may not do this; none: it may.
fn objection(context: &AuthContext<'_>, names: &Names) -> Option<String> {
    match context.action {
        AuthAction::Select | AuthAction::Recursive => None,
        AuthAction::Read { table_name, .. } => reading(table_name, context, names),
        AuthAction::Function { function_name } => calling(function_name),
        AuthAction::Pragma { pragma_name, .. } => {
            Some(format!("PRAGMA {pragma_name} is not for queries"))
        }
        AuthAction::Attach { .. } | AuthAction::Detach { .. } => {
            Some("no other file can be attached".to_owned())
        }
        AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } => {
            Some("a query is one statement, without a transaction".to_owned())
        }
        _ => Some("the statement writes".to_owned()),
    }
}

/// The views may be read by all, what is beneath them by them alone. What else has a name is a part
/// of the query itself, or a function that gives rows.
fn reading(table: &str, context: &AuthContext<'_>, names: &Names) -> Option<String> {
    let is_lower = |name: &str| name.starts_with(&names.secret);
    let is_view = |name: &str| view_named(name).is_some();
    let allowed = if context.database_name == Some("temp") && is_view(table) {
        true
    } else if is_lower(table) {
        context.accessor.is_some_and(is_view)
    } else {
        let mut tables = names.tables.iter();
        let is_table = tables.any(|name| name.eq_ignore_ascii_case(table));
        !(is_table || table.starts_with("sqlite_")) || context.accessor.is_some_and(is_lower)
    };
    (!allowed).then(|| format!("{table} is not one of the views"))
}

/// What reaches out of the file, in builds of SQLite that have it.
fn calling(function: &str) -> Option<String> {
    const REFUSED: &[&str] = &[
        "load_extension",
        "fts3_tokenizer",
        "writefile",
        "readfile",
        "edit",
    ];
    REFUSED
        .iter()
        .any(|name| function.eq_ignore_ascii_case(name))
        .then(|| format!("{function}() is not for queries"))
}
