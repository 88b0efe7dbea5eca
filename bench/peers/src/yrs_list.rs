//! yrs: an array of maps. It has no move: the item is taken out and a copy put in.

use yrs::updates::decoder::Decode;
use yrs::{
    Any, Array, ArrayRef, Doc, Map, MapPrelim, MapRef, Out, ReadTxn, StateVector, Transact,
    TransactionMut, Update,
};

use crate::workload::{Change, Item};
use crate::{List, Result};

pub(crate) struct YrsList {
    doc: Doc,
    array: ArrayRef,
    base: StateVector,
}

impl YrsList {
    fn new(client: u64) -> Self {
        let doc = Doc::with_client_id(client);
        let array = doc.get_or_insert_array("items");
        Self {
            doc,
            array,
            base: StateVector::default(),
        }
    }
}

fn prelim(item: &Item) -> MapPrelim {
    MapPrelim::from([
        ("text", Any::from(item.text.as_str())),
        ("done", Any::from(item.done)),
    ])
}

fn map_at(array: &ArrayRef, txn: &TransactionMut<'_>, at: usize) -> Result<MapRef> {
    match array.get(txn, at as u32) {
        Some(Out::YMap(map)) => Ok(map),
        other => Err(format!("no item at {at}: {other:?}").into()),
    }
}

fn item_of<T: ReadTxn>(map: &MapRef, txn: &T) -> Result<Item> {
    match (map.get(txn, "text"), map.get(txn, "done")) {
        (Some(Out::Any(Any::String(text))), Some(Out::Any(Any::Bool(done)))) => Ok(Item {
            text: text.to_string(),
            done,
        }),
        other => Err(format!("no item: {other:?}").into()),
    }
}

impl List for YrsList {
    const NAME: &'static str = "yrs";

    fn with(items: &[Item]) -> Result<Self> {
        let mut list = Self::new(1);
        let mut txn = list.doc.transact_mut();
        for item in items {
            list.array.push_back(&mut txn, prelim(item));
        }
        drop(txn);
        list.base = list.doc.transact().state_vector();
        Ok(list)
    }

    fn change(&mut self, change: &Change) -> Result<Vec<u8>> {
        let mut txn = self.doc.transact_mut();
        match change {
            Change::Insert { at, text } => {
                let item = Item {
                    text: text.clone(),
                    done: false,
                };
                self.array.insert(&mut txn, *at as u32, prelim(&item));
            }
            Change::Edit { at, text } => {
                map_at(&self.array, &txn, *at)?.insert(&mut txn, "text", text.as_str());
            }
            Change::Check { at, done } => {
                map_at(&self.array, &txn, *at)?.insert(&mut txn, "done", *done);
            }
            Change::Move { from, to } => {
                let item = item_of(&map_at(&self.array, &txn, *from)?, &txn)?;
                self.array.remove(&mut txn, *from as u32);
                self.array.insert(&mut txn, *to as u32, prelim(&item));
            }
            Change::Remove { at } => self.array.remove(&mut txn, *at as u32),
        }
        Ok(txn.encode_update_v1())
    }

    fn batch(&mut self) -> Result<Vec<u8>> {
        Ok(self.doc.transact().encode_diff_v1(&self.base))
    }

    fn apply(&mut self, batch: &[u8]) -> Result<()> {
        let update = Update::decode_v1(batch)?;
        Ok(self.doc.transact_mut().apply_update(update)?)
    }

    fn save(&mut self) -> Result<Vec<Vec<u8>>> {
        let txn = self.doc.transact();
        let all = StateVector::default();
        Ok(vec![
            txn.encode_state_as_update_v1(&all),
            txn.encode_state_as_update_v2(&all),
        ])
    }

    fn load(bytes: &[u8], encoding: usize) -> Result<Self> {
        let list = Self::new(2);
        let update = match encoding {
            0 => Update::decode_v1(bytes)?,
            _ => Update::decode_v2(bytes)?,
        };
        list.doc.transact_mut().apply_update(update)?;
        Ok(list)
    }

    fn items(&self) -> Result<Vec<Item>> {
        let txn = self.doc.transact();
        let items = self.array.iter(&txn).map(|out| match out {
            Out::YMap(map) => item_of(&map, &txn),
            other => Err(format!("no item: {other:?}").into()),
        });
        items.collect()
    }
}
