//! What a statement of others may do: read the views, and call what computes.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;

use super::views::VIEWS;
use super::{STATEMENT_BYTES_MAX, VALUE_BYTES_MAX};

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

/// Has every statement asked what it would do; a refusal is left in `refused`.
pub(super) fn watch(
    connection: &mut Connection,
    names: Names,
    refused: Arc<Mutex<Option<String>>>,
) -> rusqlite::Result<()> {
    connection.authorizer(Some(move |context: AuthContext<'_>| {
        let Some(what) = objection(&context, &names) else {
            return Authorization::Allow;
        };
        *refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(what);
        Authorization::Deny
    }))
}

/// As [`watch`], of statements that may also change the views: their triggers note what would become of
/// the rows.
pub(super) fn watch_changes(
    connection: &mut Connection,
    names: Names,
    refused: Arc<Mutex<Option<String>>>,
) -> rusqlite::Result<()> {
    connection.authorizer(Some(move |context: AuthContext<'_>| {
        if is_change(&context, &names) {
            return Authorization::Allow;
        }
        let Some(what) = objection(&context, &names) else {
            return Authorization::Allow;
        };
        *refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(what);
        Authorization::Deny
    }))
}

/// Whether this is a change of a view, or the note that a view's own trigger makes of it.
fn is_change(context: &AuthContext<'_>, names: &Names) -> bool {
    let is_ours = |name: &str| name.starts_with(&names.secret);
    let is_temp = context.database_name == Some("temp");
    match context.action {
        AuthAction::Delete { table_name } | AuthAction::Update { table_name, .. } => {
            let mut views = VIEWS.iter();
            let is_view = views.any(|view| view.name.eq_ignore_ascii_case(table_name));
            is_temp && is_view && context.accessor.is_none()
        }
        AuthAction::Insert { table_name } => {
            is_temp && is_ours(table_name) && context.accessor.is_some_and(is_ours)
        }
        _ => false,
    }
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
    let is_view = |name: &str| {
        let mut views = VIEWS.iter();
        views.any(|view| view.name.eq_ignore_ascii_case(name))
    };
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
