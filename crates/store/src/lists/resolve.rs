//! Which list and which item a person means.

use rusqlite::Connection;
use syncline_model::ListId;
use syncline_model::registry::List;

use super::read::{ShownItem, all_lists, is_pending, select, select_items};
use super::stored::item_columns;
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

/// What a reference to an item stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResolvedItem {
    Found(ShownItem),
    /// Several whose ids begin so; the first few of them, in order.
    Ambiguous(Vec<ShownItem>),
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

pub(super) const BY_PREFIX: &str = select_items!(
    "WHERE home = ?1 AND present = 1 AND substr(item_id, 1, length(?2)) = ?2 \
     ORDER BY item_id <> ?2, position, item_id, list_id LIMIT ?3"
);

/// Finds the item that `list` shows and that `reference` names: an id, or else what only one id there
/// begins with.
pub fn resolve_item(
    connection: &Connection,
    list: &ListId,
    reference: &str,
) -> Result<ResolvedItem, StoreError> {
    if reference.is_empty() {
        return Ok(ResolvedItem::Unknown);
    }
    let wanted = (list.as_str(), reference, CANDIDATES_MAX as i64);
    let mut found = select(connection, BY_PREFIX, wanted)?;
    let is_whole = |shown: &ShownItem| shown.item.item.item.as_str() == reference;
    if found.first().is_some_and(is_whole) {
        found.retain(is_whole);
    }
    Ok(match found.len() {
        0 => ResolvedItem::Unknown,
        1 => ResolvedItem::Found(found.remove(0)),
        _ => ResolvedItem::Ambiguous(found),
    })
}
