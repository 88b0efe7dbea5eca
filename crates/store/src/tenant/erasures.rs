//! Erasures that a log does not explain: ops that came without their payloads, and no delete with them.
//!
//! A server erases the payloads of what is deleted, so that a page may hold an op without its payload
//! whose delete comes with a later page. Where the server's log is put back between the two, to before
//! the delete, that never comes, and the server shows what the file here has nothing of. The file
//! remembers which resources it waits with, so that whoever is at the log's end knows that it has to
//! fetch them anew.

use std::collections::BTreeSet;

use rusqlite::Connection;
use syncline_model::{ResourceId, Scope, session, thread};

use super::{PulledPage, ResourceKey, TenantFile};
use crate::file::StoreError;
use crate::view::View;

impl TenantFile {
    /// Whether the log holds ops that came erased, and nothing that has erased them. At the log's end
    /// that means that the server's holds them otherwise.
    pub fn lacks_deletes(&self) -> Result<bool, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM erasures WHERE accepted = 0)")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    /// Takes those erasures as they are that `before`, the file in whose place this one was fetched,
    /// could not explain either: fetching them a second time would bring the same.
    pub fn accept_erasures_of(&mut self, before: &Self) -> Result<(), StoreError> {
        let known = before.unexplained()?;
        if known.is_empty() {
            return Ok(());
        }
        let transaction = self.connection.transaction()?;
        for (scope, resource) in known {
            transaction
                .prepare_cached(
                    "UPDATE erasures SET accepted = 1 WHERE scope = ? AND resource_id = ?",
                )?
                .execute((scope, resource))?;
        }
        Ok(transaction.commit()?)
    }

    fn unexplained(&self) -> Result<Vec<(String, String)>, StoreError> {
        unexplained(&self.connection)
    }
}

/// Notes what a page has brought without payloads, and what its deletes explain; the view is the
/// confirmed one with the page.
pub(super) fn note(view: &mut View<'_>, page: &PulledPage) -> Result<(), StoreError> {
    let bare = page.ops.iter().filter(|op| op.payload.is_none());
    let bare: BTreeSet<ResourceKey> = bare
        .map(|op| (op.key.scope.clone(), op.key.resource.clone()))
        .collect();
    let mut touched = bare.clone();
    if has_any(view.connection())? {
        let all = page.ops.iter();
        touched.extend(all.map(|op| (op.key.scope.clone(), op.key.resource.clone())));
    }
    for (scope, resource) in &touched {
        if is_explained(view, scope, resource)? {
            forget(view.connection(), scope.as_str(), resource.as_str())?;
        } else if bare.contains(&(scope.clone(), resource.clone())) {
            view.connection()
                .prepare_cached(
                    "INSERT OR IGNORE INTO erasures (scope, resource_id, accepted) VALUES (?, ?, 0)",
                )?
                .execute((scope.as_str(), resource.as_str()))?;
        }
    }
    Ok(())
}

/// Looks again at what no delete explained: a newer fold may read one that an older could not.
pub(super) fn note_folded_again(view: &mut View<'_>) -> Result<(), StoreError> {
    for (scope, resource) in unexplained(view.connection())? {
        let damaged = |_| StoreError::damaged("an erased resource is none");
        let (of, key) = (
            Scope::new(scope.as_str()).map_err(damaged)?,
            ResourceId::new(resource.as_str()).map_err(damaged)?,
        );
        if is_explained(view, &of, &key)? {
            forget(view.connection(), &scope, &resource)?;
        }
    }
    Ok(())
}

/// Whether a resource was deleted, or is of a scope in which deletes erase nothing.
fn is_explained(
    view: &mut View<'_>,
    scope: &Scope,
    resource: &ResourceId,
) -> Result<bool, StoreError> {
    match scope.as_str() {
        Scope::THREAD => thread::is_erased(view, resource.as_str()),
        Scope::SESSION => session::is_erased(view, resource.as_str()),
        _ => Ok(true),
    }
}

fn has_any(connection: &Connection) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM erasures)")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

fn unexplained(connection: &Connection) -> Result<Vec<(String, String)>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT scope, resource_id FROM erasures")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn forget(connection: &Connection, scope: &str, resource: &str) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM erasures WHERE scope = ? AND resource_id = ?")?
        .execute((scope, resource))?;
    Ok(())
}
