//! Which list a person means.

use rusqlite::Connection;
use syncline_model::registry::List;

use super::read::all_lists;
use crate::StoreError;

/// How many an ambiguous reference lists.
const CANDIDATES_MAX: usize = 20;

/// What a reference to a list stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResolvedList {
    Found(List),
    /// Several of this title; the first few of them, in order.
    Ambiguous(Vec<List>),
    Unknown,
}

/// Finds the list that is there and that `reference` names: an id, or else a title.
pub fn resolve_list(connection: &Connection, reference: &str) -> Result<ResolvedList, StoreError> {
    let lists = all_lists(connection)?.into_iter();
    Ok(named(lists.filter(|list| list.present), reference))
}

/// Finds the removed list that `reference` names: an id, or else the title that it had.
pub fn resolve_removed_list(
    connection: &Connection,
    reference: &str,
) -> Result<ResolvedList, StoreError> {
    let lists = all_lists(connection)?.into_iter();
    Ok(named(lists.filter(|list| !list.present), reference))
}

fn named(lists: impl Iterator<Item = List>, reference: &str) -> ResolvedList {
    let mut titled = Vec::new();
    for list in lists {
        if list.list.as_str() == reference {
            return ResolvedList::Found(list);
        }
        if list.title == reference && titled.len() < CANDIDATES_MAX {
            titled.push(list);
        }
    }
    match titled.len() {
        0 => ResolvedList::Unknown,
        1 => ResolvedList::Found(titled.remove(0)),
        _ => ResolvedList::Ambiguous(titled),
    }
}
