//! Plans of commands on lists.

use super::super::command::{Command, FormerList, Source, Spot};
use super::super::room::Room;
use super::super::{Carried, Parts, Position, TextKind};
use super::order::{ListOrder, Spots, list_slot};
use super::{ListView, Plan, PlanError, Planned, PlannedOp, Planner};
use crate::registry::{
    RESOURCE, RegistryOp, is_present, list_versions, shown_title, shown_title_version,
};
use crate::{ListId, PayloadError, ResourceId, Scope};

impl<V: ListView> Planner<'_, V> {
    pub(super) fn new_list(&self, list: &ListId, title: &str, spot: &Spot<ListId>) -> Planned<V> {
        self.check(TextKind::Title, title)?;
        let known = self.view.list(list).map_err(PlanError::View)?;
        if known.is_some_and(|known| known.position.is_some()) {
            return Err(PlanError::ListExists { list: list.clone() });
        }
        let carried = match self.source {
            Source::Person | Source::History => None,
            Source::File => {
                let left_out = Parts::default();
                Some(Carried::of_file(Parts::LIST, left_out, self.actor))
            }
        };
        self.make_list(list, title, spot, carried)
    }

    /// Makes a list as its author's own, but for what is `carried`.
    fn make_list(
        &self,
        list: &ListId,
        title: &str,
        spot: &Spot<ListId>,
        carried: Option<Carried>,
    ) -> Planned<V> {
        let order = ListOrder {
            view: self.view,
            moving: None,
        };
        let room = order.room(spot, self.jitter_for(list.as_str()))?;
        let (mut ops, position) = moves(room)?;
        let (made, title) = (list.clone(), title.into());
        ops.push(planned(&match carried {
            None => RegistryOp::Create {
                list: made,
                title,
                position,
            },
            Some(carried) => RegistryOp::Restore {
                list: made,
                title,
                position,
                carried,
            },
        })?);
        Ok(Plan {
            ops,
            inverse: vec![Command::RemoveList { list: list.clone() }],
        })
    }

    pub(super) fn rename_list(&self, list: &ListId, title: &str) -> Planned<V> {
        self.check(TextKind::Title, title)?;
        let before = self.present_list(list)?;
        if before.title == title {
            return Ok(Plan::default());
        }
        let op = RegistryOp::Rename {
            list: list.clone(),
            title: title.into(),
        };
        Ok(Plan {
            ops: vec![planned(&op)?],
            inverse: vec![Command::RenameList {
                list: list.clone(),
                title: before.title,
            }],
        })
    }

    pub(super) fn remove_list(&self, list: &ListId) -> Planned<V> {
        let before = match self.present_list(list) {
            Err(PlanError::ListRemoved { .. }) => return Ok(Plan::default()),
            before => before?,
        };
        let former = before.position.map(|position| FormerList {
            title: before.title,
            position,
        });
        Ok(Plan {
            ops: vec![planned(&RegistryOp::Remove { list: list.clone() })?],
            inverse: vec![Command::RestoreList {
                list: list.clone(),
                former,
            }],
        })
    }

    /// Gives back what the list's row has of it, as its writers have left it; what it lacks, since it
    /// was collected, as it was `kept`. Of one that nobody has kept, what came late is shown again, at the
    /// end where its place is not known either.
    pub(super) fn restore_list(&self, list: &ListId, kept: Option<&FormerList>) -> Planned<V> {
        let row = self.view.list_row(list).map_err(PlanError::View)?;
        let row = row.as_ref();
        if row.is_some_and(is_present) {
            return Ok(Plan::default());
        }
        let own = self.view.own_title(list).map_err(PlanError::View)?;
        let own = own.as_ref();
        let versions = row.map(list_versions).unwrap_or_default();
        let placed = row.filter(|_| versions.of(Parts::POSITION).is_some());
        let position = placed.and_then(|row| Position::parse(row.get(2)?.as_text()?).ok());
        // The title that is given back is the one that was shown.
        let titled = row.filter(|_| versions.of(Parts::TITLE).is_some());
        let titled_by = titled.and_then(|row| shown_title_version(row, own));
        let title = titled.map(|row| shown_title(row, own).to_owned());
        let writers = versions.of_each(Parts::POSITION);
        let writers = writers.chain(titled_by.map(|by| (Parts::TITLE, by)));
        let mut carried = Carried::new(writers, self.actor);
        let title = title.or_else(|| Some(kept?.title.clone()));
        let position = position.or_else(|| Some(kept?.position.clone()));
        if (title.is_none() || position.is_none()) && !self.shows_items(list)? {
            return Err(PlanError::ListUnknown { list: list.clone() });
        }
        let own = own.and_then(|own| own.get(1)?.as_text());
        // Its own title, or the list's id, stands for one that is not known until anybody says one, or until
        // one that somebody had said is found again. An empty one would be shown in place of the id.
        let may_stand = own != Some("") && (self.actor.is_some() || !self.lists_collected);
        if title.is_none() && may_stand {
            carried = carried.and_nothing(Parts::TITLE, self.actor);
        }
        let is_made = kept.is_none() && versions.of(Parts::EXISTENCE).is_none();
        let carried = Some(carried).filter(|carried| !is_made || *carried != Carried::default());
        let title = title.as_deref().or(own);
        let title = title.filter(|title| !title.is_empty());
        let title = title.unwrap_or(list.as_str());
        self.make_list(list, title, &position.map_or(Spot::End, Spot::At), carried)
    }

    fn shows_items(&self, list: &ListId) -> Result<bool, PlanError<V::Error>> {
        let shown = self.view.item_after(list, None);
        Ok(shown.map_err(PlanError::View)?.is_some())
    }

    pub(super) fn reorder_list(&self, list: &ListId, spot: &Spot<ListId>) -> Planned<V> {
        let before = self.present_list(list)?;
        let order = ListOrder {
            view: self.view,
            moving: Some(list),
        };
        let room = match list_slot(before.clone()) {
            Some(slot) => order.other_room(spot, &slot, self.jitter)?,
            None => Some(order.room(spot, self.jitter)?),
        };
        let Some(room) = room else {
            return Ok(Plan::default());
        };
        let (mut ops, position) = moves(room)?;
        ops.push(planned(&RegistryOp::Reorder {
            list: list.clone(),
            position,
        })?);
        let back = before.position.map(|position| Command::ReorderList {
            list: list.clone(),
            spot: Spot::At(position),
        });
        Ok(Plan {
            ops,
            inverse: back.into_iter().collect(),
        })
    }
}

/// The ops that make room, and the position that is then free.
fn moves(room: Room<ListId>) -> Result<(Vec<PlannedOp>, Position), PayloadError> {
    let moves = room.moved.into_iter().map(|slot| {
        planned(&RegistryOp::Reorder {
            list: slot.key,
            position: slot.position,
        })
    });
    Ok((moves.collect::<Result<_, _>>()?, room.position))
}

fn planned(op: &RegistryOp<'_>) -> Result<PlannedOp, PayloadError> {
    Ok(PlannedOp {
        scope: Scope::registry(),
        resource: ResourceId::new(RESOURCE).expect("a short word"),
        payload: op.payload()?,
    })
}
