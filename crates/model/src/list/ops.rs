//! The payloads of scope `list`.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::carried::WireCarried;
use super::{Carried, Parts, Position};
use crate::{ItemId, ListId, Payload, PayloadError};

/// An item, wherever it is shown: its list of origin, and its id there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ItemRef {
    pub list: ListId,
    pub item: ItemId,
}

/// All that an item says, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content<'a> {
    pub text: Cow<'a, str>,
    pub done: bool,
    pub note: Cow<'a, str>,
    pub position: Position,
}

/// A payload of scope `list`; the op's resource is the item's list of origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListOp<'a> {
    /// Makes an item, shown in its list of origin. Writes every part.
    Insert {
        item: ItemId,
        content: Content<'a>,
    },
    /// Changes what is there.
    Update {
        item: ItemId,
        text: Option<Cow<'a, str>>,
        done: Option<bool>,
        note: Option<Cow<'a, str>>,
    },
    /// Gives the item another place, in the list `home` where one is named. An op that names one
    /// `touches` it.
    Move {
        item: ItemId,
        position: Position,
        home: Option<ListId>,
    },
    Remove {
        item: ItemId,
    },
    /// Makes the item, as it is said here and nowhere else. Writes every part, as those have left it who
    /// wrote it before where they are `carried`.
    Restore {
        item: ItemId,
        content: Content<'a>,
        home: ListId,
        carried: Carried,
    },
    /// Names the list itself. Syncline renames lists in the registry; others did it here.
    RenameList {
        title: Cow<'a, str>,
    },
}

/// What an op writes to the row of an item: the parts that it names.
#[derive(Debug, Default)]
pub(super) struct ItemWrite<'a> {
    pub(super) position: Option<Position>,
    pub(super) present: Option<bool>,
    pub(super) home: Option<ListId>,
    pub(super) text: Option<Cow<'a, str>>,
    pub(super) done: Option<bool>,
    pub(super) note: Option<Cow<'a, str>>,
    /// Whose all that is.
    pub(super) carried: Carried,
}

impl ItemWrite<'_> {
    pub(super) fn parts(&self) -> Parts {
        Parts::of([
            (Parts::POSITION, self.position.is_some()),
            (Parts::EXISTENCE, self.present.is_some()),
            (Parts::HOME, self.home.is_some()),
            (Parts::TEXT, self.text.is_some()),
            (Parts::DONE, self.done.is_some()),
            (Parts::NOTE, self.note.is_some()),
        ])
    }
}

/// What an op writes, and where.
pub(super) enum Write<'a> {
    Item(ItemId, ItemWrite<'a>),
    Title(Cow<'a, str>),
}

/// The wire form. `actor` and `clock`, which some writers repeat, are those of the envelope and are
/// not read.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Wire<'a> {
    #[serde(rename = "type", borrow)]
    pub(super) kind: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) item_id: Option<ItemId>,
    #[serde(skip_serializing_if = "Option::is_none", borrow)]
    pub(super) payload: Option<WirePayload<'a>>,
    /// Further resources of the op.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) touches: Vec<ListId>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct WirePayload<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) done: Option<bool>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<Cow<'a, str>>,
    #[serde(rename = "pos", skip_serializing_if = "Option::is_none")]
    pub(super) position: Option<WirePosition>,
    #[serde(rename = "list", skip_serializing_if = "Option::is_none")]
    pub(super) home: Option<ListId>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<Cow<'a, str>>,
    #[serde(rename = "versions", skip_serializing_if = "Option::is_none")]
    pub(super) carried: Option<WireCarried>,
}

/// A position as a payload spells it: ours, or a path of digits and actors.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum WirePosition {
    Position(Position),
    Path(Vec<Step>),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Step {
    digit: u16,
    actor: String,
}

/// By hand: what derives an untagged enum copies a value before it looks at it.
impl<'de> Deserialize<'de> for WirePosition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = WirePosition;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a position, or a path of digits and actors")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<WirePosition, E> {
                let position = Position::parse(text).map_err(E::custom)?;
                Ok(WirePosition::Position(position))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut steps: A) -> Result<WirePosition, A::Error> {
                let mut path = Vec::new();
                while let Some(step) = steps.next_element()? {
                    path.push(step);
                }
                Ok(WirePosition::Path(path))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl WirePosition {
    pub(crate) fn read(self) -> Option<Position> {
        match self {
            Self::Position(position) => Some(position),
            Self::Path(path) => {
                Position::of_path(path.iter().map(|step| (step.digit, step.actor.as_str())))
            }
        }
    }
}

impl<'a> ListOp<'a> {
    /// Reads a payload; none if this version can't. An insert that leaves out a tick or a note makes
    /// an item without; a restore leaves out nothing.
    pub fn read(payload: &'a Payload) -> Option<Self> {
        Self::of_wire(payload.read().ok()?)
    }

    pub(super) fn of_wire(wire: Wire<'a>) -> Option<Self> {
        let said = wire.payload.unwrap_or_default();
        let position = said.position.map(WirePosition::read);
        Some(match &*wire.kind {
            "insert" => Self::Insert {
                item: wire.item_id?,
                content: Content {
                    text: said.text?,
                    done: said.done.unwrap_or_default(),
                    note: said.note.unwrap_or_default(),
                    position: position??,
                },
            },
            "update" => Self::Update {
                item: wire.item_id?,
                text: said.text,
                done: said.done,
                note: said.note,
            },
            "move" => Self::Move {
                item: wire.item_id?,
                position: position??,
                home: said.home,
            },
            "remove" => Self::Remove {
                item: wire.item_id?,
            },
            "restore" => Self::Restore {
                item: wire.item_id?,
                content: Content {
                    text: said.text?,
                    done: said.done?,
                    note: said.note?,
                    position: position??,
                },
                home: said.home?,
                carried: Carried::read(said.carried),
            },
            "renameList" => Self::RenameList { title: said.title? },
            _ => return None,
        })
    }

    /// Writes the payload of an op on `origin`; fails where it is larger than a payload may be.
    pub fn payload(&self, origin: &ListId) -> Result<Payload, PayloadError> {
        Payload::from_value(&self.wire(origin))
    }

    fn wire(&self, origin: &ListId) -> Wire<'_> {
        let (kind, item, payload) = match self {
            Self::Insert { item, content } => ("insert", Some(item), Some(content.wire())),
            Self::Update {
                item,
                text,
                done,
                note,
            } => {
                let payload = WirePayload {
                    text: text.as_deref().map(Cow::Borrowed),
                    done: *done,
                    note: note.as_deref().map(Cow::Borrowed),
                    ..WirePayload::default()
                };
                ("update", Some(item), Some(payload))
            }
            Self::Move {
                item,
                position,
                home,
            } => {
                let payload = WirePayload {
                    position: Some(WirePosition::Position(position.clone())),
                    home: home.clone(),
                    ..WirePayload::default()
                };
                ("move", Some(item), Some(payload))
            }
            Self::Remove { item } => ("remove", Some(item), None),
            Self::Restore {
                item,
                content,
                home,
                carried,
            } => {
                let payload = WirePayload {
                    home: Some(home.clone()),
                    carried: carried.wire(),
                    ..content.wire()
                };
                ("restore", Some(item), Some(payload))
            }
            Self::RenameList { title } => {
                let payload = WirePayload {
                    title: Some(Cow::Borrowed(title)),
                    ..WirePayload::default()
                };
                ("renameList", None, Some(payload))
            }
        };
        let home = payload.as_ref().and_then(|payload| payload.home.clone());
        Wire {
            kind: kind.into(),
            item_id: item.cloned(),
            payload,
            touches: home.into_iter().filter(|home| home != origin).collect(),
        }
    }

    /// What the op writes, where `origin` is its resource.
    pub(super) fn into_write(self, origin: &ListId) -> Write<'a> {
        match self {
            Self::Insert { item, content } => Write::Item(item, content.write(origin.clone())),
            Self::Restore {
                item,
                content,
                home,
                carried,
            } => {
                let write = ItemWrite {
                    carried,
                    ..content.write(home)
                };
                Write::Item(item, write)
            }
            Self::Update {
                item,
                text,
                done,
                note,
            } => Write::Item(
                item,
                ItemWrite {
                    text,
                    done,
                    note,
                    ..ItemWrite::default()
                },
            ),
            Self::Move {
                item,
                position,
                home,
            } => Write::Item(
                item,
                ItemWrite {
                    position: Some(position),
                    home,
                    ..ItemWrite::default()
                },
            ),
            Self::Remove { item } => Write::Item(
                item,
                ItemWrite {
                    present: Some(false),
                    ..ItemWrite::default()
                },
            ),
            Self::RenameList { title } => Write::Title(title),
        }
    }
}

impl<'a> Content<'a> {
    fn write(self, home: ListId) -> ItemWrite<'a> {
        ItemWrite {
            position: Some(self.position),
            present: Some(true),
            home: Some(home),
            text: Some(self.text),
            done: Some(self.done),
            note: Some(self.note),
            carried: Carried::default(),
        }
    }

    fn wire(&self) -> WirePayload<'_> {
        WirePayload {
            text: Some(Cow::Borrowed(&self.text)),
            done: Some(self.done),
            note: Some(Cow::Borrowed(&self.note)),
            position: Some(WirePosition::Position(self.position.clone())),
            ..WirePayload::default()
        }
    }
}
