//! loro: a movable list of maps.

use std::sync::{Arc, Mutex};

use loro::{
    Container, ExportMode, LoroDoc, LoroMap, LoroMovableList, LoroValue, Subscription,
    ValueOrContainer, VersionVector,
};

use crate::workload::{Change, Item};
use crate::{List, Result};

pub(crate) struct LoroList {
    doc: LoroDoc,
    list: LoroMovableList,
    base: VersionVector,
    /// What the last commit tells others.
    told: Arc<Mutex<Vec<u8>>>,
    _telling: Subscription,
}

impl LoroList {
    fn new(peer: u64) -> Result<Self> {
        let doc = LoroDoc::new();
        doc.set_peer_id(peer)?;
        let told = Arc::new(Mutex::new(Vec::new()));
        let teller = told.clone();
        let telling = doc.subscribe_local_update(Box::new(move |bytes| {
            teller
                .lock()
                .expect("nobody panics with it")
                .clone_from(bytes);
            true
        }));
        Ok(Self {
            list: doc.get_movable_list("items"),
            base: VersionVector::default(),
            doc,
            told,
            _telling: telling,
        })
    }

    fn insert(&self, at: usize, text: &str, done: bool) -> Result<()> {
        let map = self.list.insert_container(at, LoroMap::new())?;
        map.insert("text", text)?;
        map.insert("done", done)?;
        Ok(())
    }

    fn map_at(&self, at: usize) -> Result<LoroMap> {
        match self.list.get(at) {
            Some(ValueOrContainer::Container(Container::Map(map))) => Ok(map),
            _ => Err(format!("no item at {at}").into()),
        }
    }
}

impl List for LoroList {
    const NAME: &'static str = "loro";

    fn with(items: &[Item]) -> Result<Self> {
        let mut list = Self::new(1)?;
        for (at, item) in items.iter().enumerate() {
            list.insert(at, &item.text, item.done)?;
        }
        list.doc.commit();
        list.base = list.doc.oplog_vv();
        Ok(list)
    }

    fn change(&mut self, change: &Change) -> Result<Vec<u8>> {
        match change {
            Change::Insert { at, text } => self.insert(*at, text, false)?,
            Change::Edit { at, text } => self.map_at(*at)?.insert("text", text.as_str())?,
            Change::Check { at, done } => self.map_at(*at)?.insert("done", *done)?,
            Change::Move { from, to } => self.list.mov(*from, *to)?,
            Change::Remove { at } => self.list.delete(*at, 1)?,
        }
        self.doc.commit();
        Ok(std::mem::take(
            &mut *self.told.lock().expect("nobody panics with it"),
        ))
    }

    fn batch(&mut self) -> Result<Vec<u8>> {
        Ok(self.doc.export(ExportMode::updates(&self.base))?)
    }

    fn apply(&mut self, batch: &[u8]) -> Result<()> {
        self.doc.import(batch)?;
        Ok(())
    }

    fn save(&mut self) -> Result<Vec<Vec<u8>>> {
        Ok(vec![self.doc.export(ExportMode::Snapshot)?])
    }

    fn load(bytes: &[u8], _: usize) -> Result<Self> {
        let list = Self::new(2)?;
        list.doc.import(bytes)?;
        Ok(list)
    }

    fn items(&self) -> Result<Vec<Item>> {
        let LoroValue::List(values) = self.list.get_deep_value() else {
            return Err("no list".into());
        };
        let items = values.iter().map(|value| {
            let LoroValue::Map(map) = value else {
                return Err("no item".into());
            };
            match (map.get("text"), map.get("done")) {
                (Some(LoroValue::String(text)), Some(LoroValue::Bool(done))) => Ok(Item {
                    text: text.to_string(),
                    done: *done,
                }),
                _ => Err("no item".into()),
            }
        });
        items.collect()
    }
}
