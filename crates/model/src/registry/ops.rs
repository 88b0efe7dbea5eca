//! The payloads of scope `registry`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::list::{Carried, Parts, Position, WireCarried, WirePosition};
use crate::{ListId, Payload, PayloadError};

/// A payload of scope `registry`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryOp<'a> {
    /// Makes a list. Writes every part.
    Create {
        list: ListId,
        title: Cow<'a, str>,
        position: Position,
    },
    Remove {
        list: ListId,
    },
    /// Makes the list, named and placed as it is said here. Writes every part, as those have left it who
    /// wrote it before where they are `carried`.
    Restore {
        list: ListId,
        title: Cow<'a, str>,
        position: Position,
        carried: Carried,
    },
    Reorder {
        list: ListId,
        position: Position,
    },
    Rename {
        list: ListId,
        title: Cow<'a, str>,
    },
}

/// What an op writes to the row of a list: the parts that it names.
#[derive(Debug, Default)]
pub(super) struct ListWrite<'a> {
    pub(super) position: Option<Position>,
    pub(super) present: Option<bool>,
    pub(super) title: Option<Cow<'a, str>>,
    /// Whose all that is.
    pub(super) carried: Carried,
}

impl<'a> ListWrite<'a> {
    fn whole(title: Cow<'a, str>, position: Position, carried: Carried) -> Self {
        Self {
            position: Some(position),
            present: Some(true),
            title: Some(title),
            carried,
        }
    }

    pub(super) fn parts(&self) -> Parts {
        Parts::of([
            (Parts::POSITION, self.position.is_some()),
            (Parts::EXISTENCE, self.present.is_some()),
            (Parts::TITLE, self.title.is_some()),
        ])
    }
}

/// The wire form. Some writers name the list by `itemId`, and repeat the envelope's `actor` and
/// `clock`, which are not read.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Wire<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    list_id: Option<ListId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item_id: Option<ListId>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    payload: Option<WirePayload<'a>>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct WirePayload<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    title: Option<Cow<'a, str>>,
    #[serde(rename = "pos", skip_serializing_if = "Option::is_none")]
    position: Option<WirePosition>,
    #[serde(rename = "versions", skip_serializing_if = "Option::is_none")]
    carried: Option<WireCarried>,
}

impl<'a> RegistryOp<'a> {
    /// Reads a payload; none if this version can't.
    pub fn read(payload: &'a Payload) -> Option<Self> {
        let wire: Wire<'a> = payload.read().ok()?;
        let list = wire.list_id.or(wire.item_id)?;
        let said = wire.payload.unwrap_or_default();
        let position = said.position.map(WirePosition::read);
        Some(match &*wire.kind {
            "createList" => Self::Create {
                list,
                title: said.title?,
                position: position??,
            },
            "removeList" => Self::Remove { list },
            "restoreList" => Self::Restore {
                list,
                title: said.title?,
                position: position??,
                carried: Carried::read(said.carried),
            },
            "reorderList" => Self::Reorder {
                list,
                position: position??,
            },
            "renameList" => Self::Rename {
                list,
                title: said.title?,
            },
            _ => return None,
        })
    }

    /// Writes the payload; fails where it is larger than a payload may be.
    pub fn payload(&self) -> Result<Payload, PayloadError> {
        let (kind, list, title, position, carried) = match self {
            Self::Create {
                list,
                title,
                position,
            } => ("createList", list, Some(title), Some(position), None),
            Self::Remove { list } => ("removeList", list, None, None, None),
            Self::Restore {
                list,
                title,
                position,
                carried,
            } => {
                let carried = carried.wire();
                ("restoreList", list, Some(title), Some(position), carried)
            }
            Self::Reorder { list, position } => ("reorderList", list, None, Some(position), None),
            Self::Rename { list, title } => ("renameList", list, Some(title), None, None),
        };
        let says_more = title.is_some() || position.is_some();
        let payload = says_more.then(|| WirePayload {
            title: title.map(|title| Cow::Borrowed(&**title)),
            position: position.cloned().map(WirePosition::Position),
            carried,
        });
        Payload::from_value(&Wire {
            kind: kind.into(),
            list_id: Some(list.clone()),
            item_id: None,
            payload,
        })
    }

    /// What the op writes, and to which list.
    pub(super) fn into_write(self) -> (ListId, ListWrite<'a>) {
        match self {
            Self::Create {
                list,
                title,
                position,
            } => (list, ListWrite::whole(title, position, Carried::default())),
            Self::Restore {
                list,
                title,
                position,
                carried,
            } => (list, ListWrite::whole(title, position, carried)),
            Self::Remove { list } => {
                let write = ListWrite {
                    present: Some(false),
                    ..ListWrite::default()
                };
                (list, write)
            }
            Self::Reorder { list, position } => {
                let write = ListWrite {
                    position: Some(position),
                    ..ListWrite::default()
                };
                (list, write)
            }
            Self::Rename { list, title } => {
                let write = ListWrite {
                    title: Some(title),
                    ..ListWrite::default()
                };
                (list, write)
            }
        }
    }
}
