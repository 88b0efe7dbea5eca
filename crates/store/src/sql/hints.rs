//! What may have been meant by a name that is not there.

use super::views::{SqlView, VIEWS, ViewColumn};

/// What helps on from an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// Names that come close to the one in the query, the closest first.
    pub similar: Vec<&'static str>,
    /// All names that could stand in its place.
    pub known: Vec<&'static str>,
}

/// How many similar names are told.
const SIMILAR_MAX: usize = 3;

/// What to say to SQLite's `message` on the statement `sql`, of which it was seen that it reads `views`; none:
/// that is not known.
pub(super) fn hint(message: &str, sql: &str, views: &[&'static SqlView]) -> Option<Hint> {
    if let Some(table) = message.strip_prefix("no such table: ") {
        let known = VIEWS.iter().map(|view| view.name).collect();
        return Some(like(bare(table), known));
    }
    let column = message.strip_prefix("no such column: ")?;
    // SQLite may add a sentence of its own.
    let column = column.split(" - ").next().unwrap_or(column);
    let columns = |view: &'static SqlView| view.columns.iter().map(|ViewColumn { name, .. }| *name);
    // SQLite may say what is wrong before it reads any.
    let views = match views {
        [] => named_in(sql),
        views => views.to_vec(),
    };
    let mut known: Vec<&'static str> = views.into_iter().flat_map(columns).collect();
    known.sort_unstable();
    known.dedup();
    Some(like(bare(column), known))
}

/// The views whose names stand in a statement; all, where none does.
fn named_in(sql: &str) -> Vec<&'static SqlView> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let words: Vec<&str> = sql.split(|c| !is_part(c)).collect();
    let is_there = |view: &&SqlView| {
        words
            .iter()
            .any(|word| word.eq_ignore_ascii_case(view.name))
    };
    let named: Vec<_> = VIEWS.iter().filter(is_there).collect();
    match named.is_empty() {
        true => VIEWS.iter().collect(),
        false => named,
    }
}

/// The name without what stands before its last point, and without quotes.
fn bare(name: &str) -> &str {
    let last = name.rsplit('.').next().unwrap_or(name);
    last.trim_matches(['"', '`', '[', ']'])
}

fn like(name: &str, known: Vec<&'static str>) -> Hint {
    let name = name.to_lowercase();
    let mut near: Vec<(usize, &'static str)> = known
        .iter()
        .map(|candidate| (distance(&name, candidate), *candidate))
        .filter(|(distance, candidate)| {
            // It is there in another view alone.
            *distance > 0
                && (*distance <= candidate.len().max(name.len()).div_ceil(3)
                    || part_of(&name, candidate))
        })
        .collect();
    near.sort();
    let similar = near.into_iter().take(SIMILAR_MAX).map(|(_, name)| name);
    Hint {
        similar: similar.collect(),
        known,
    }
}

fn part_of(name: &str, candidate: &str) -> bool {
    name.len() >= 3 && (candidate.contains(name) || name.contains(candidate))
}

/// How many letters must be put in, taken out or changed to make one of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, there) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *there);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}
