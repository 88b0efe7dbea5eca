//! Plans of commands on lists.

use super::super::command::{Command, FormerList, Spot};
use super::super::room::Room;
use super::super::{Position, TextKind};
use super::order::{ListOrder, Spots, list_slot};
use super::{ListView, Plan, PlanError, Planned, PlannedOp, Planner};
use crate::registry::{RESOURCE, RegistryOp};
use crate::{ListId, PayloadError, ResourceId, Scope};

impl<V: ListView> Planner<'_, V> {
    pub(super) fn new_list(&self, list: &ListId, title: &str, spot: &Spot<ListId>) -> Planned<V> {
        self.check(TextKind::Title, title)?;
        let known = self.view.list(list).map_err(PlanError::View)?;
        if known.is_some_and(|known| known.position.is_some()) {
            return Err(PlanError::ListExists { list: list.clone() });
        }
        let order = ListOrder {
            view: self.view,
            moving: None,
        };
        let room = order.room(spot, self.jitter)?;
        let (mut ops, position) = moves(room)?;
        ops.push(planned(&RegistryOp::Create {
            list: list.clone(),
            title: title.into(),
            position,
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

    pub(super) fn restore_list(&self, list: &ListId, former: Option<&FormerList>) -> Planned<V> {
        let found = self.view.list(list).map_err(PlanError::View)?;
        if found.as_ref().is_some_and(|found| found.present) {
            return Ok(Plan::default());
        }
        let found = found.and_then(|found| {
            Some(FormerList {
                position: found.position?,
                title: found.title,
            })
        });
        let unknown = || PlanError::ListUnknown { list: list.clone() };
        let whole = found.or(former.cloned()).ok_or_else(unknown)?;
        let op = RegistryOp::Restore {
            list: list.clone(),
            title: whole.title.into(),
            position: whole.position,
        };
        Ok(Plan {
            ops: vec![planned(&op)?],
            inverse: vec![Command::RemoveList { list: list.clone() }],
        })
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
