//! Cursors of pages, and how much a page holds.

use syncline_model::list::{ItemRef, Position, Slot};
use syncline_model::{ItemId, ListId};
use syncline_store::lists::{ShownItem, items_after};
use syncline_store::{StoreError, TenantFile};

use crate::error::ApiError;

/// Bytes of texts and notes at which a page of items ends: one item always fits.
const PAGE_BYTES: usize = 4 << 20;
/// Items that are read at a time.
const STEP: usize = 64;

/// Items of a list, and where the next page begins.
pub(super) struct ItemPage {
    pub(super) items: Vec<ShownItem>,
    /// None: these were the last.
    pub(super) next: Option<String>,
}

/// The items of `list` after `slot`, `limit` at most.
pub(super) fn read_page(
    file: &TenantFile,
    list: &ListId,
    mut slot: Option<Slot<ItemRef>>,
    limit: usize,
) -> Result<ItemPage, StoreError> {
    let (mut items, mut bytes) = (Vec::new(), 0);
    loop {
        // One more than fits tells whether there is a next page.
        let step = STEP.min(limit + 1 - items.len());
        let found = items_after(file.connection(), list, slot.as_ref(), step)?;
        let is_end = found.len() < step;
        for shown in found {
            if items.len() == limit || bytes >= PAGE_BYTES {
                let next = slot.as_ref().map(item_cursor);
                return Ok(ItemPage { items, next });
            }
            bytes += shown.item.text.len() + shown.item.note.len();
            slot = shown.slot();
            items.push(shown);
        }
        if is_end {
            return Ok(ItemPage { items, next: None });
        }
    }
}

/// `position.length.item` and, behind so many bytes, the list of origin.
fn item_cursor(slot: &Slot<ItemRef>) -> String {
    let (item, list) = (&slot.key.item, &slot.key.list);
    let length = item.as_str().len();
    format!("{}.{length}.{item}{list}", slot.position.as_str())
}

pub(super) fn parse_item_cursor(text: &str) -> Result<Slot<ItemRef>, ApiError> {
    let parse = || {
        let (position, rest) = text.split_once('.')?;
        let (length, ids) = rest.split_once('.')?;
        let (item, list) = ids.split_at_checked(length.parse().ok()?)?;
        Some(Slot {
            position: Position::parse(position).ok()?,
            key: ItemRef {
                list: ListId::new(list).ok()?,
                item: ItemId::new(item).ok()?,
            },
        })
    };
    parse().ok_or_else(no_cursor)
}

/// `position.list`.
pub(super) fn list_cursor(position: &Position, list: &ListId) -> String {
    format!("{}.{list}", position.as_str())
}

pub(super) fn parse_list_cursor(text: &str) -> Result<(Position, ListId), ApiError> {
    let parse = || {
        let (position, list) = text.split_once('.')?;
        Some((Position::parse(position).ok()?, ListId::new(list).ok()?))
    };
    parse().ok_or_else(no_cursor)
}

fn no_cursor() -> ApiError {
    ApiError::invalid_field("cursor", "is not the next_cursor of a page")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_whatever_the_ids_are() {
        for (item, list) in [("i", "l"), ("a.b", ".c"), ("7.7", "ü"), ("é\"", "x y")] {
            let slot = Slot {
                position: Position::parse("a0V").unwrap(),
                key: ItemRef {
                    list: ListId::new(list).unwrap(),
                    item: ItemId::new(item).unwrap(),
                },
            };
            assert_eq!(parse_item_cursor(&item_cursor(&slot)).unwrap(), slot);
            let text = list_cursor(&slot.position, &slot.key.list);
            let read = parse_list_cursor(&text).unwrap();
            assert_eq!(read, (slot.position, slot.key.list));
        }
        for text in [
            "",
            ".",
            "a0V",
            "a0V.",
            "a0V.9.il",
            "a0.1.il",
            "a0V.1.i",
            "a0V.1.éx",
        ] {
            assert!(parse_item_cursor(text).is_err(), "{text}");
        }
        assert!(parse_list_cursor("a0.l").is_err());
    }
}
