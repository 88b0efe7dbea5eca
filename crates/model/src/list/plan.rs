//! From a command to the ops that carry it out, and to the commands that take it back.
//!
//! What is undone is done anew: the old value, or the whole item, as an op with a clock of its own.
//! A plan without ops has nothing to do.

mod items;
mod lists;
mod order;

use super::command::{Command, Source};
use super::room::{Slot, jitter_of};
use super::{ItemRef, Jitter, ListItem, TextError, TextKind};
use crate::registry::List;
use crate::{ActorId, ItemId, ListId, Payload, PayloadError, ResourceId, Row, Scope};

/// What a plan reads of a view. Each is one look-up by key or index.
pub trait ListView {
    type Error;

    /// The item's row of [`super::ITEMS`], whatever became of it.
    fn item_row(&self, item: &ItemRef) -> Result<Option<Row>, Self::Error>;

    /// The item, whatever became of it.
    fn item(&self, item: &ItemRef) -> Result<Option<ListItem>, Self::Error> {
        Ok(self.item_row(item)?.and_then(ListItem::from_row))
    }

    /// Of the items that `list` shows, the next after `slot` in the order of position, item id and
    /// list of origin; without one, the first.
    fn item_after(
        &self,
        list: &ListId,
        slot: Option<&Slot<ItemRef>>,
    ) -> Result<Option<ListItem>, Self::Error>;

    /// Of the items that `list` shows, the next before `slot`; without one, the last.
    fn item_before(
        &self,
        list: &ListId,
        slot: Option<&Slot<ItemRef>>,
    ) -> Result<Option<ListItem>, Self::Error>;

    /// The list's row of [`crate::registry::LISTS`], whatever became of it.
    fn list_row(&self, list: &ListId) -> Result<Option<Row>, Self::Error>;

    /// The list's row of [`super::TITLES`], which it may have without another.
    fn own_title(&self, list: &ListId) -> Result<Option<Row>, Self::Error>;

    /// The list, whatever became of it.
    fn list(&self, list: &ListId) -> Result<Option<List>, Self::Error> {
        match self.list_row(list)? {
            Some(row) => Ok(List::from_rows(row, self.own_title(list)?)),
            None => Ok(None),
        }
    }

    /// The next list after `slot` in the order of position and id; without one, the first.
    fn list_after(&self, slot: Option<&Slot<ListId>>) -> Result<Option<List>, Self::Error>;

    /// The next list before `slot`; without one, the last.
    fn list_before(&self, slot: Option<&Slot<ListId>>) -> Result<Option<List>, Self::Error>;
}

/// Why a command can't be carried out. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PlanError<E> {
    #[error("could not look at the lists")]
    View(#[source] E),
    #[error("there is no list {list}")]
    ListUnknown { list: ListId },
    #[error("list {list} was removed")]
    ListRemoved { list: ListId },
    #[error("there is a list {list} already")]
    ListExists { list: ListId },
    #[error("there is no item {item}")]
    ItemUnknown { item: ItemId },
    #[error("item {item} was removed")]
    ItemRemoved { item: ItemId },
    #[error("there is an item {item} already")]
    ItemExists { item: ItemId },
    #[error("item {item} is not in list {list}")]
    ItemElsewhere { item: ItemId, list: ListId },
    #[error("{id} can't be placed beside itself")]
    BesideItself {
        id: String,
        /// `before` or `after`, as what was asked for.
        side: &'static str,
    },
    #[error(transparent)]
    Text(#[from] TextError),
    #[error("could not write the change")]
    Payload(#[from] PayloadError),
}

impl<E> PlanError<E> {
    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::View(_) => "view_failed",
            Self::ListUnknown { .. } => "list_unknown",
            Self::ListRemoved { .. } => "list_removed",
            Self::ListExists { .. } => "list_exists",
            Self::ItemUnknown { .. } => "item_unknown",
            Self::ItemRemoved { .. } => "item_removed",
            Self::ItemExists { .. } => "item_exists",
            Self::ItemElsewhere { .. } => "item_in_other_list",
            Self::BesideItself { .. } => "move_beside_itself",
            Self::Text(error) => error.code(),
            Self::Payload(_) => "change_too_large",
        }
    }
}

/// An op without actor and clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedOp {
    pub scope: Scope,
    pub resource: ResourceId,
    pub payload: Payload,
}

/// What carries a command out, and what takes it back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// To be written together, in this order; empty: all is as the command wants it.
    pub ops: Vec<PlannedOp>,
    /// To be planned in this order, each on the view after the one before.
    pub inverse: Vec<Command>,
}

/// Whose plan it is.
#[derive(Debug, Clone, Copy)]
pub struct Planning<'a> {
    pub source: Source,
    /// Who will write the ops, where they may yet be refused and written anew by another actor.
    pub actor: Option<&'a ActorId>,
    /// Whether the log has collected tombstones of lists: it then refuses a title that is nobody's, and what
    /// can't be written anew must say one as its own.
    pub lists_collected: bool,
    /// Random, and new with each plan. What a file makes has its own.
    pub jitter: Jitter,
}

/// Plans a command on what `view` shows.
pub fn plan<V: ListView>(
    view: &V,
    command: &Command,
    planning: Planning<'_>,
) -> Result<Plan, PlanError<V::Error>> {
    let planner = Planner {
        view,
        source: planning.source,
        actor: planning.actor,
        lists_collected: planning.lists_collected,
        jitter: planning.jitter,
    };
    match command {
        Command::NewList { list, title, spot } => planner.new_list(list, title, spot),
        Command::RenameList { list, title } => planner.rename_list(list, title),
        Command::RemoveList { list } => planner.remove_list(list),
        Command::RestoreList { list, former } => planner.restore_list(list, former.as_ref()),
        Command::ReorderList { list, spot } => planner.reorder_list(list, spot),
        Command::Add { list, items, spot } => planner.add(list, items, spot),
        Command::Edit { item, text } => planner.edit(item, text),
        Command::Note { item, note } => planner.note(item, note),
        Command::Check { item } => planner.check_off(item),
        Command::Uncheck { item } => planner.uncheck(item),
        Command::Move { item, to, spot } => planner.move_item(item, to, spot),
        Command::Remove { item } => planner.remove(item),
        Command::Restore { item, former } => planner.restore(item, former.as_ref()),
    }
}

struct Planner<'v, V> {
    view: &'v V,
    source: Source,
    actor: Option<&'v ActorId>,
    lists_collected: bool,
    jitter: Jitter,
}

type Planned<V> = Result<Plan, PlanError<<V as ListView>::Error>>;

impl<V: ListView> Planner<'_, V> {
    fn check(&self, kind: TextKind, text: &str) -> Result<(), TextError> {
        match self.source {
            Source::Person => kind.check(text),
            Source::History | Source::File => kind.check_form(text),
        }
    }

    /// The jitter of a plan that makes the thing of this name: who makes the same out of a file, in the
    /// same place, gives it the same position.
    fn jitter_for(&self, name: &str) -> Jitter {
        match self.source {
            Source::Person | Source::History => self.jitter,
            Source::File => jitter_of(name, Jitter::default()),
        }
    }

    /// The list, if it is there.
    fn present_list(&self, list: &ListId) -> Result<List, PlanError<V::Error>> {
        match self.view.list(list).map_err(PlanError::View)? {
            Some(found) if found.present => Ok(found),
            Some(found) if found.position.is_some() => {
                Err(PlanError::ListRemoved { list: list.clone() })
            }
            _ => Err(PlanError::ListUnknown { list: list.clone() }),
        }
    }

    /// The item, if it is there.
    fn present_item(&self, item: &ItemRef) -> Result<ListItem, PlanError<V::Error>> {
        let id = || item.item.clone();
        match self.view.item(item).map_err(PlanError::View)? {
            Some(found) if found.present => Ok(found),
            Some(found) if found.position.is_some() => Err(PlanError::ItemRemoved { item: id() }),
            _ => Err(PlanError::ItemUnknown { item: id() }),
        }
    }
}
