//! Makes a tree of what a parser meets, in the order of the text.

use std::borrow::Cow;
use std::collections::HashSet;

use super::{Document, Fault, Id, Item, Place, Value};
use crate::diagnostic::Code;
use crate::limits::{DOCUMENT_DEPTH_MAX, DOCUMENT_NODES_MAX};

#[derive(Debug, Default)]
pub(super) struct Builder<'t> {
    items: Vec<Item<'t>>,
    open: Vec<Open<'t>>,
}

/// A list or map whose end is not reached, with the key whose value comes next.
#[derive(Debug)]
struct Open<'t> {
    id: Id,
    key: Option<(Cow<'t, str>, Place)>,
}

impl<'t> Builder<'t> {
    pub(super) fn open_list(&mut self, place: Place) -> Result<Id, Fault> {
        self.open(Value::List(Vec::new()), place)
    }

    pub(super) fn open_map(&mut self, place: Place) -> Result<Id, Fault> {
        self.open(Value::Map(Vec::new()), place)
    }

    fn open(&mut self, value: Value<'t>, place: Place) -> Result<Id, Fault> {
        if self.open.len() == DOCUMENT_DEPTH_MAX {
            let message = format!("values stand over {DOCUMENT_DEPTH_MAX} deep in one another");
            return Err(fault(Code::LIMIT, message, place));
        }
        let id = self.add(value, place)?;
        self.open.push(Open { id, key: None });
        Ok(id)
    }

    /// Whether a map is open whose next part is a key.
    pub(super) fn wants_key(&self) -> bool {
        self.open.last().is_some_and(|open| {
            open.key.is_none() && matches!(self.items[open.id.0 as usize].value, Value::Map(_))
        })
    }

    pub(super) fn key(&mut self, key: Cow<'t, str>, place: Place) {
        if let Some(open) = self.open.last_mut() {
            open.key = Some((key, place));
        }
    }

    /// Adds a value to what is open.
    pub(super) fn add(&mut self, value: Value<'t>, place: Place) -> Result<Id, Fault> {
        if self.items.len() == DOCUMENT_NODES_MAX {
            let message = format!("the document has over {DOCUMENT_NODES_MAX} values");
            return Err(fault(Code::LIMIT, message, place));
        }
        let id = Id(u32::try_from(self.items.len()).expect("the limit of values is below 2^32"));
        let parent = self.open.last().map(|open| open.id);
        let siblings = parent.map_or(0, |id| match &self.items[id.0 as usize].value {
            Value::List(items) => items.len(),
            Value::Map(entries) => entries.len(),
            _ => 0,
        });
        let key_place = self.open.last().and_then(|open| open.key.as_ref());
        let place = key_place.map_or(place, |(_, place)| *place);
        self.items.push(Item {
            parent,
            position: u32::try_from(siblings).expect("they are fewer than the limit of values"),
            place,
            value,
        });
        self.attach(id);
        Ok(id)
    }

    /// Puts a value that is in the document already into what is open.
    pub(super) fn attach(&mut self, id: Id) {
        let Some(open) = self.open.last_mut() else {
            return;
        };
        let key = open.key.take();
        match (&mut self.items[open.id.0 as usize].value, key) {
            (Value::List(items), _) => items.push(id),
            (Value::Map(entries), Some((key, _))) => entries.push((key, id)),
            _ => {}
        }
    }

    /// Takes what the `<<` of an open map names into it, below its own entries.
    pub(super) fn merge(&mut self) {
        let Some(open) = self.open.last() else {
            return;
        };
        let id = open.id.0 as usize;
        let mut merged = Vec::new();
        if let Value::Map(entries) = &self.items[id].value {
            for (_, source) in entries.iter().filter(|(key, _)| key == "<<") {
                let sources = match &self.items[source.0 as usize].value {
                    Value::List(items) => items.as_slice(),
                    _ => std::slice::from_ref(source),
                };
                for source in sources {
                    if let Value::Map(more) = &self.items[source.0 as usize].value {
                        merged.extend(more.iter().cloned());
                    }
                }
            }
        }
        if let Value::Map(entries) = &mut self.items[id].value
            && entries.iter().any(|(key, _)| key == "<<")
        {
            entries.retain(|(key, _)| key != "<<");
            for (key, id) in merged {
                if !entries.iter().any(|(own, _)| *own == key) {
                    entries.push((key, id));
                }
            }
        }
    }

    /// Ends the innermost list or map.
    pub(super) fn close(&mut self) -> Result<(), Fault> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let Value::Map(entries) = &self.items[open.id.0 as usize].value else {
            return Ok(());
        };
        match twice(entries) {
            None => Ok(()),
            Some((key, id)) => {
                let message = format!("`{key}` is in this map twice");
                let place = self.items[id.0 as usize].place;
                Err(fault(Code::DUPLICATE_KEY, message, place))
            }
        }
    }

    /// The document, or `None` where nothing was added.
    pub(super) fn finish(self) -> Option<Document<'t>> {
        (!self.items.is_empty()).then_some(Document { items: self.items })
    }
}

/// Below so many entries comparing each with those before it takes less time than hashing them.
const COMPARED_MAX: usize = 16;

/// The first entry whose key stands before it already.
fn twice<'e, 't>(entries: &'e [(Cow<'t, str>, Id)]) -> Option<&'e (Cow<'t, str>, Id)> {
    if entries.len() > COMPARED_MAX {
        let mut seen = HashSet::with_capacity(entries.len());
        return entries.iter().find(|(key, _)| !seen.insert(key));
    }
    let mut places = entries.iter().enumerate();
    let again = places.find(|(at, (key, _))| entries[..*at].iter().any(|(other, _)| other == key));
    again.map(|(_, entry)| entry)
}

pub(super) fn fault(code: Code, message: impl Into<String>, place: Place) -> Fault {
    Fault {
        code,
        message: message.into(),
        place,
    }
}
