//! What people do to task lists, through the replica's own commands, with a history to take it back.

use std::collections::BTreeSet;

use syncline_model::list::Command;
use syncline_model::planted::{Binary, play};
use syncline_model::{OpKey, Scope};
use syncline_replica::{ListError, NewOp, Replica};
use syncline_store::FileOptions;
use syncline_store::local::{LocalFile, OutboxRow};

use super::process::chain;
use super::{Pid, World};
use crate::coverage::Happening;
use crate::oracle::{Violation, digest};
use crate::workload::{Effect, Flavor, ListDeed, ListWishes, Wish};

/// Ops of an outbox that are looked at.
const WHOLE: usize = usize::MAX >> 1;

impl World {
    /// Does to lists what a user at this process wants done next.
    pub(super) fn change_lists(&mut self, pid: Pid) -> Result<(), Violation> {
        self.enter(pid);
        let (mut chance, mut numbers) = (self.chance.split(), std::mem::take(&mut self.numbers));
        let mut wishes = ListWishes {
            chance: &mut chance,
            numbers: &mut numbers,
        };
        let wished = self.replica(pid).map(|replica| {
            let history = replica.list_history().map_err(|error| chain(&error))?;
            let last = history.undo.first().map(|step| &step.change);
            let view = replica.view().map_err(|error| chain(&error))?;
            wishes.next(view, last).map_err(|error| chain(&error))
        });
        self.numbers = numbers;
        let deed = match wished {
            None => return Ok(()),
            Some(Ok(deed)) => deed,
            Some(Err(error)) => return self.not_changed(pid, &error),
        };
        self.enter(pid);
        let Some(replica) = self.replica(pid) else {
            return Ok(());
        };
        let done = carry_out(replica, &deed);
        let told: BTreeSet<OpKey> = match &done {
            Ok(keys) => keys.iter().cloned().collect(),
            Err(_) => BTreeSet::new(),
        };
        self.note(format_args!("{pid} does {deed:?} by {told:?}"));
        self.machines[pid.machine].list_call_failed |=
            matches!(&done, Err(error) if !matches!(error, ListError::Declined(_)));
        self.learn_list_ops(pid.machine, &told);
        match done {
            Ok(keys) if keys.is_empty() => {}
            Ok(_) => {
                self.count_deed(&deed);
                self.after_write(pid);
            }
            // What was there when it was looked at is no longer as it was.
            Err(ListError::Declined(_)) => {}
            Err(error) => self.not_changed(pid, &chain(&error))?,
        }
        Ok(())
    }

    fn not_changed(&mut self, pid: Pid, error: &str) -> Result<(), Violation> {
        self.note(format_args!("{pid} can't change lists: {error}"));
        let may_fail = !self.is_alive(pid)
            || self.machines[pid.machine].is_shaky
            || self.process(pid).binary.age > 0;
        if may_fail {
            Ok(())
        } else {
            Err(Violation(format!("{pid} can't change lists: {error}")))
        }
    }

    /// Tells the oracle of the list ops that the machine's outbox has gained. Those of `told` were
    /// reported as written; others may have been written by a call that has failed, also with the
    /// payload of an earlier one.
    pub(super) fn learn_list_ops(&mut self, machine: usize, told: &BTreeSet<OpKey>) {
        let writer = self.writer(machine);
        for row in self.outbox_of(machine) {
            let is_list = matches!(row.key.scope.as_str(), Scope::LIST | Scope::REGISTRY);
            let (true, Some(payload)) = (is_list, row.payload) else {
                continue;
            };
            let is_new = self.list_keys.insert(row.key.clone());
            let is_told = told.contains(&row.key);
            if !is_told && self.oracle.knows(&payload.hash()) {
                if is_new && self.machines[machine].list_call_failed {
                    self.oracle.may_be_again(&digest(&payload.hash()));
                }
                continue;
            }
            let wish = Wish {
                op: NewOp {
                    scope: row.key.scope,
                    resource: row.key.resource,
                    payload,
                },
                effect: Effect::Other,
                flavor: Flavor::Plain,
            };
            let index = self.oracle.begin_again(&wish, writer);
            if is_told {
                self.oracle.done(index);
            }
        }
    }

    /// What a machine's outbox holds, read from a copy.
    fn outbox_of(&mut self, machine: usize) -> Vec<OutboxRow> {
        let prefix = self.copy_aside(&self.machines[machine].home.clone());
        let options = FileOptions {
            vfs: Some(self.disk.vfs_name().to_owned()),
            ..FileOptions::default()
        };
        let binary = play(Binary::default());
        let local = LocalFile::open(format!("{prefix}local.db").as_ref(), &options);
        let rows = local
            .ok()
            .and_then(|local| local.outbox_after(0, WHOLE).ok());
        play(binary);
        self.forget_aside(&prefix);
        rows.unwrap_or_default()
    }

    fn count_deed(&mut self, deed: &ListDeed) {
        self.count(match deed {
            ListDeed::Undo => Happening::ListUndo,
            ListDeed::TakeBack => Happening::RemovalUndone,
            ListDeed::Redo => Happening::ListRedo,
            ListDeed::Change(command) => match command {
                Command::NewList { .. } => Happening::ListMade,
                Command::RenameList { .. } => Happening::ListRenamed,
                Command::RemoveList { .. } => Happening::ListRemoved,
                Command::RestoreList { .. } => Happening::ListRestored,
                Command::ReorderList { .. } => Happening::ListReordered,
                Command::Add { .. } => Happening::ItemAdded,
                Command::Edit { .. } => Happening::ItemEdited,
                Command::Note { .. } => Happening::ItemNoted,
                Command::Check { .. } => Happening::ItemChecked,
                Command::Uncheck { .. } => Happening::ItemUnchecked,
                Command::Move { item, to, .. } if item.list == *to => Happening::ItemMoved,
                Command::Move { .. } => Happening::ItemMovedAcross,
                Command::Remove { .. } => Happening::ItemRemoved,
                Command::Restore { .. } => Happening::ItemRestored,
            },
        });
    }
}

fn carry_out(replica: &mut Replica, deed: &ListDeed) -> Result<Vec<OpKey>, ListError> {
    let reversed = match deed {
        ListDeed::Change(command) => return Ok(replica.change_lists(command)?.keys),
        ListDeed::Undo | ListDeed::TakeBack => replica.undo_lists()?,
        ListDeed::Redo => replica.redo_lists()?,
    };
    Ok(reversed.map_or_else(Vec::new, |reversed| reversed.keys))
}
