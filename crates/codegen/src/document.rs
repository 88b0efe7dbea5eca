//! A document as a tree whose every part knows where it stands in the text.

mod builder;
mod json;
mod yaml;

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Number, Value as Json};

use crate::diagnostic::Code;
use crate::limits::{DOCUMENT_BYTES_MAX, LITERAL_NODES_MAX};

/// The parsed text. Parts are kept in one vector, and name one another by their places in it.
#[derive(Debug)]
pub(crate) struct Document<'t> {
    items: Vec<Item<'t>>,
}

#[derive(Debug)]
struct Item<'t> {
    parent: Option<Id>,
    /// How many parts of its parent stood before it when it was read; what is merged in may move it.
    position: u32,
    place: Place,
    value: Value<'t>,
}

/// Which part of its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(u32);

/// Where in the text: of a member of a map, where its key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Place {
    pub(crate) const START: Self = Self { line: 1, column: 1 };
}

#[derive(Debug)]
enum Value<'t> {
    Null,
    Boolean(bool),
    Number(Number),
    Text(Cow<'t, str>),
    List(Vec<Id>),
    Map(Vec<(Cow<'t, str>, Id)>),
}

/// Why a text is no document.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) place: Place,
}

impl<'t> Document<'t> {
    /// Reads JSON, and YAML where the text is not JSON.
    pub(crate) fn parse(text: &'t str) -> Result<Self, Fault> {
        if text.len() > DOCUMENT_BYTES_MAX {
            return Err(Fault {
                code: Code::LIMIT,
                message: format!(
                    "the document has {} bytes, over the limit of {DOCUMENT_BYTES_MAX}",
                    text.len()
                ),
                place: Place::START,
            });
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if !text.trim_start().starts_with(['{', '[']) {
            return yaml::parse(text);
        }
        // YAML may begin with a brace too. If it is neither, what is wrong with the JSON says more.
        json::parse(text).or_else(|fault| match fault.code {
            Code::SYNTAX => yaml::parse(text).map_err(|_| fault),
            _ => Err(fault),
        })
    }

    pub(crate) fn root(&self) -> Node<'_> {
        Node {
            document: self,
            id: Id(0),
        }
    }

    fn item(&self, id: Id) -> &Item<'t> {
        &self.items[id.0 as usize]
    }
}

/// A part of a document.
#[derive(Clone, Copy)]
pub(crate) struct Node<'d> {
    document: &'d Document<'d>,
    id: Id,
}

impl<'d> Node<'d> {
    pub(crate) fn id(self) -> Id {
        self.id
    }

    pub(crate) fn place(self) -> Place {
        self.document.item(self.id).place
    }

    fn value(self) -> &'d Value<'d> {
        &self.document.item(self.id).value
    }

    fn of(self, id: Id) -> Self {
        Self {
            document: self.document,
            id,
        }
    }

    /// A member of a map.
    pub(crate) fn get(self, name: &str) -> Option<Self> {
        match self.value() {
            Value::Map(entries) => entries
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, id)| self.of(*id)),
            _ => None,
        }
    }

    /// The members of a map; of anything else none.
    pub(crate) fn entries(self) -> impl Iterator<Item = (&'d str, Self)> {
        let entries: &'d [_] = match self.value() {
            Value::Map(entries) => entries,
            _ => &[],
        };
        entries
            .iter()
            .map(move |(key, id)| (key.as_ref(), self.of(*id)))
    }

    /// The items of a list; of anything else none.
    pub(crate) fn items(self) -> impl Iterator<Item = Self> + use<'d> {
        let items: &'d [_] = match self.value() {
            Value::List(items) => items,
            _ => &[],
        };
        items.iter().map(move |id| self.of(*id))
    }

    pub(crate) fn is_map(self) -> bool {
        matches!(self.value(), Value::Map(_))
    }

    pub(crate) fn is_list(self) -> bool {
        matches!(self.value(), Value::List(_))
    }

    pub(crate) fn is_null(self) -> bool {
        matches!(self.value(), Value::Null)
    }

    pub(crate) fn as_text(self) -> Option<&'d str> {
        match self.value() {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_boolean(self) -> Option<bool> {
        match self.value() {
            Value::Boolean(boolean) => Some(*boolean),
            _ => None,
        }
    }

    pub(crate) fn as_number(self) -> Option<&'d Number> {
        match self.value() {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// As a value of its own, or `None` where it is too large to be a literal.
    pub(crate) fn to_json(self) -> Option<Json> {
        let mut budget = LITERAL_NODES_MAX;
        self.to_json_within(&mut budget)
    }

    fn to_json_within(self, budget: &mut usize) -> Option<Json> {
        *budget = budget.checked_sub(1)?;
        Some(match self.value() {
            Value::Null => Json::Null,
            Value::Boolean(boolean) => Json::Bool(*boolean),
            Value::Number(number) => Json::Number(number.clone()),
            Value::Text(text) => Json::String(text.clone().into_owned()),
            Value::List(items) => {
                let items = items.iter().map(|id| self.of(*id).to_json_within(budget));
                Json::Array(items.collect::<Option<_>>()?)
            }
            Value::Map(entries) => {
                let mut map = Map::new();
                for (key, id) in entries {
                    let value = self.of(*id).to_json_within(budget)?;
                    map.insert(key.clone().into_owned(), value);
                }
                Json::Object(map)
            }
        })
    }

    /// Its JSON pointer from the document's root.
    pub(crate) fn pointer(self) -> String {
        let mut steps = Vec::new();
        let mut node = self;
        while let Some(parent) = self.document.item(node.id).parent {
            let position = self.document.item(node.id).position as usize;
            let parent = self.of(parent);
            let step = match parent.value() {
                Value::Map(entries) => {
                    let is_own = |(_, id): &&(_, Id)| *id == node.id;
                    let there = entries.get(position).filter(is_own);
                    let entry = there.or_else(|| entries.iter().find(is_own));
                    entry.map(|(key, _)| key.replace('~', "~0").replace('/', "~1"))
                }
                Value::List(_) => Some(position.to_string()),
                _ => None,
            };
            steps.extend(step);
            node = parent;
        }
        steps.iter().rev().fold(String::new(), |mut pointer, step| {
            pointer.push('/');
            pointer.push_str(step);
            pointer
        })
    }

    /// What a JSON pointer, decoded from a URI fragment, leads to from here.
    pub(crate) fn at(self, pointer: &str) -> Option<Self> {
        if pointer.is_empty() {
            return Some(self);
        }
        let steps = pointer.strip_prefix('/')?.split('/');
        steps.into_iter().try_fold(self, |node, step| {
            let step = step.replace("~1", "/").replace("~0", "~");
            match node.value() {
                Value::List(items) => {
                    let index: usize = step.parse().ok()?;
                    items.get(index).map(|id| node.of(*id))
                }
                _ => node.get(&step),
            }
        })
    }
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Node({})", self.pointer())
    }
}
