//! automerge: a list of maps. It has no move: the item is taken out and a copy put in.

use automerge::transaction::Transactable;
use automerge::{ActorId, AutoCommit, ChangeHash, ObjId, ObjType, ROOT, ReadDoc, Value};

use crate::workload::{Change, Item};
use crate::{List, Result};

pub(crate) struct AutomergeList {
    doc: AutoCommit,
    list: ObjId,
    base: Vec<ChangeHash>,
}

impl AutomergeList {
    fn insert(&mut self, at: usize, text: &str, done: bool) -> Result<()> {
        let map = self.doc.insert_object(&self.list, at, ObjType::Map)?;
        self.doc.put(&map, "text", text)?;
        self.doc.put(&map, "done", done)?;
        Ok(())
    }

    fn map_at(&self, at: usize) -> Result<ObjId> {
        let found = self.doc.get(&self.list, at)?;
        let (_, map) = found.ok_or_else(|| format!("no item at {at}"))?;
        Ok(map)
    }

    fn item_at(&self, at: usize) -> Result<Item> {
        item_of(&self.doc, &self.map_at(at)?)
    }
}

fn item_of(doc: &AutoCommit, map: &ObjId) -> Result<Item> {
    let text = doc.get(map, "text")?.ok_or("no text")?.0;
    let done = doc.get(map, "done")?.ok_or("no tick")?.0;
    Ok(Item {
        text: text.as_str().ok_or("no text")?.to_owned(),
        done: done.as_bool().ok_or("no tick")?,
    })
}

impl List for AutomergeList {
    const NAME: &'static str = "automerge";

    fn with(items: &[Item]) -> Result<Self> {
        let mut doc = AutoCommit::new().with_actor(ActorId::from([1; 16]));
        let list = doc.put_object(ROOT, "items", ObjType::List)?;
        let mut list = Self {
            doc,
            list,
            base: Vec::new(),
        };
        for (at, item) in items.iter().enumerate() {
            list.insert(at, &item.text, item.done)?;
        }
        list.doc.commit();
        list.base = list.doc.get_heads();
        Ok(list)
    }

    fn change(&mut self, change: &Change) -> Result<Vec<u8>> {
        match change {
            Change::Insert { at, text } => self.insert(*at, text, false)?,
            Change::Edit { at, text } => {
                let map = self.map_at(*at)?;
                self.doc.put(&map, "text", text.as_str())?;
            }
            Change::Check { at, done } => {
                let map = self.map_at(*at)?;
                self.doc.put(&map, "done", *done)?;
            }
            Change::Move { from, to } => {
                let item = self.item_at(*from)?;
                self.doc.delete(&self.list, *from)?;
                self.insert(*to, &item.text, item.done)?;
            }
            Change::Remove { at } => self.doc.delete(&self.list, *at)?,
        }
        self.doc.commit();
        let mut change = self.doc.get_last_local_change().ok_or("no change")?;
        Ok(change.bytes().into_owned())
    }

    fn batch(&mut self) -> Result<Vec<u8>> {
        Ok(self.doc.save_after(&self.base))
    }

    fn apply(&mut self, batch: &[u8]) -> Result<()> {
        self.doc.load_incremental(batch)?;
        Ok(())
    }

    fn save(&mut self) -> Result<Vec<Vec<u8>>> {
        Ok(vec![self.doc.save()])
    }

    fn load(bytes: &[u8], _: usize) -> Result<Self> {
        let doc = AutoCommit::load(bytes)?.with_actor(ActorId::from([2; 16]));
        let list = match doc.get(ROOT, "items")? {
            Some((Value::Object(ObjType::List), list)) => list,
            _ => return Err("no list".into()),
        };
        Ok(Self {
            doc,
            list,
            base: Vec::new(),
        })
    }

    fn items(&self) -> Result<Vec<Item>> {
        let maps = self.doc.list_range(&self.list, ..);
        maps.map(|item| item_of(&self.doc, &item.id())).collect()
    }
}
