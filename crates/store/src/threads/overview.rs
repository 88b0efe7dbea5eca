//! Projects, and what is going on in them.

use std::collections::BTreeMap;

use rusqlite::Connection;
use syncline_model::Timestamp;
use syncline_model::thread::Status;

use super::row::{count_cell, time_cell};
use crate::StoreError;

/// What is in a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectOverview {
    pub project: String,
    /// Live threads by status.
    pub active: u64,
    pub archived: u64,
    pub blocked: u64,
    pub entries: u64,
    /// When the thread that changed last did so.
    pub last_activity: Timestamp,
    /// Who wrote entries, in order of name.
    pub authors: Vec<String>,
}

impl ProjectOverview {
    /// All live threads.
    pub const fn threads(&self) -> u64 {
        self.active + self.archived + self.blocked
    }
}

/// The projects with live threads, or the one that is named; the one that changed last first.
pub fn overview(
    connection: &Connection,
    project: Option<&str>,
) -> Result<Vec<ProjectOverview>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT project, status, updated_at, entry_count, authors FROM threads \
         WHERE status <> 'deleted' AND (?1 IS NULL OR project = ?1)",
    )?;
    let mut rows = statement.query([project])?;
    let mut projects: BTreeMap<String, ProjectOverview> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let updated_at = time_cell(row, 2)?;
        let seen = projects
            .entry(name.clone())
            .or_insert_with(|| ProjectOverview {
                project: name,
                active: 0,
                archived: 0,
                blocked: 0,
                entries: 0,
                last_activity: updated_at,
                authors: Vec::new(),
            });
        let status: String = row.get(1)?;
        match status.parse() {
            Ok(Status::Active) => seen.active += 1,
            Ok(Status::Archived) => seen.archived += 1,
            Ok(Status::Blocked) => seen.blocked += 1,
            Err(_) => return Err(StoreError::damaged("a thread's status is none")),
        }
        seen.last_activity = seen.last_activity.max(updated_at);
        seen.entries += count_cell(row, 3)?;
        let authors: String = row.get(4)?;
        let authors: Vec<String> = serde_json::from_str(&authors)
            .map_err(|_| StoreError::damaged("a thread's authors are not a list"))?;
        seen.authors.extend(authors);
    }
    let mut projects: Vec<ProjectOverview> = projects.into_values().collect();
    for project in &mut projects {
        project.authors.sort();
        project.authors.dedup();
    }
    projects.sort_by_key(|project| std::cmp::Reverse(project.last_activity));
    Ok(projects)
}

/// The names of the projects with live threads, in order.
pub fn projects(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT project FROM threads WHERE status <> 'deleted' ORDER BY project",
    )?;
    let names = statement.query_map([], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}
