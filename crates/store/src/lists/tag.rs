//! A short word for what a list or an item is by now: it differs whenever anything of it does.

use std::fmt;

use rusqlite::{Connection, Params};
use sha2::{Digest, Sha256};
use syncline_model::ListId;
use syncline_model::list::ItemRef;
use syncline_model::registry::RESOURCE;

use crate::StoreError;

/// What stands for one state of a list with its items, or of one item. As a part's last write has
/// one `(clock, actor)`, and that says what was written, it is made of those alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentTag([u8; 16]);

impl fmt::Display for ContentTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

const LIST_VERSIONS: &str =
    "SELECT list_id, present || ' ' || versions FROM lists WHERE registry = ? AND list_id = ?";
const TITLE_VERSIONS: &str = "SELECT list_id, versions FROM list_titles WHERE list_id = ?";
pub(super) const ITEM_VERSIONS: &str = "SELECT list_id || ' ' || item_id, versions FROM list_items \
     WHERE home = ? AND present = 1 ORDER BY position, item_id, list_id";
const ONE_ITEM_VERSIONS: &str = "SELECT home, present || ' ' || versions FROM list_items \
     WHERE list_id = ? AND item_id = ?";

/// The tag of a list: of its title, its place, whether it is there, and all that it shows.
pub fn list_tag(connection: &Connection, list: &ListId) -> Result<ContentTag, StoreError> {
    let id = list.as_str();
    let mut hash = Sha256::new();
    add(connection, &mut hash, LIST_VERSIONS, [RESOURCE, id])?;
    add(connection, &mut hash, TITLE_VERSIONS, [id])?;
    add(connection, &mut hash, ITEM_VERSIONS, [id])?;
    Ok(tag(hash))
}

/// The tag of an item: of each of its parts, and of where it is.
pub fn item_tag(connection: &Connection, item: &ItemRef) -> Result<ContentTag, StoreError> {
    let key = [item.list.as_str(), item.item.as_str()];
    let mut hash = Sha256::new();
    add(connection, &mut hash, ONE_ITEM_VERSIONS, key)?;
    Ok(tag(hash))
}

fn add(
    connection: &Connection,
    hash: &mut Sha256,
    sql: &str,
    params: impl Params,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    while let Some(row) = rows.next()? {
        for column in 0..2 {
            // No id holds a control character, and no list of versions either.
            hash.update(
                row.get_ref(column)?
                    .as_bytes()
                    .map_err(rusqlite::Error::from)?,
            );
            hash.update([0]);
        }
    }
    hash.update([1]);
    Ok(())
}

fn tag(hash: Sha256) -> ContentTag {
    let hash = hash.finalize();
    let (half, _) = hash.split_first_chunk().expect("a hash has 32 bytes");
    ContentTag(*half)
}
