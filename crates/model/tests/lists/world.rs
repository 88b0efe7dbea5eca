//! Three replicas and all that was written on them; a replica knows no more than it was told.

use syncline_model::Op;
use syncline_model::list::{Command, ItemRef, Source, plan};

use super::chance::Chance;
use super::deeds::foreign;
use super::memory::{Memory, by, on_list, on_registry, stamped};

pub(crate) const ACTORS: [&str; 3] = ["a", "b", "c"];

#[derive(Default)]
pub(crate) struct Replica {
    pub(crate) view: Memory,
    clock: u64,
    undo: Vec<Vec<Command>>,
    redo: Vec<Vec<Command>>,
}

pub(crate) struct World {
    pub(crate) chance: Chance,
    pub(crate) replicas: [Replica; 3],
    pub(crate) ops: Vec<Op>,
    pub(crate) items: Vec<ItemRef>,
}

impl World {
    /// A world in which everybody begins with the same lists.
    pub(crate) fn with_lists(seed: u64, lists: &[&str]) -> Self {
        let mut world = Self {
            chance: Chance(seed),
            replicas: Default::default(),
            ops: Vec::new(),
            items: Vec::new(),
        };
        for id in lists {
            let payload = format!(
                r#"{{"type":"createList","listId":"{id}","payload":{{"title":"{id}","pos":"a1"}}}}"#
            );
            world.write(0, |clock| vec![on_registry("a", clock, &payload)]);
        }
        for op in &world.ops {
            world.replicas[1..].iter_mut().for_each(|to| to.take(op));
        }
        world
    }

    /// One actor does something.
    pub(crate) fn act(&mut self, who: usize, number: usize) {
        let command = self.command(who, number);
        let back = self.carry_out(who, &[command]);
        self.replicas[who].undo.extend(back);
    }

    /// One actor makes things out of a file that the others have too.
    pub(crate) fn import(&mut self, who: usize, number: usize) {
        let command = self.out_of_a_file(who, number);
        let back = self.carry_out_from(Source::File, who, &[command]);
        self.replicas[who].undo.extend(back);
    }

    /// One actor takes back what it did last, if there is anything.
    pub(crate) fn undo(&mut self, who: usize) {
        if let Some(commands) = self.replicas[who].undo.pop() {
            let back = self.carry_out(who, &commands);
            self.replicas[who].redo.extend(back);
        }
    }

    /// One actor does again what it took back last, if there is anything.
    pub(crate) fn redo(&mut self, who: usize) {
        if let Some(commands) = self.replicas[who].redo.pop() {
            let back = self.carry_out(who, &commands);
            self.replicas[who].undo.extend(back);
        }
    }

    /// One actor removes what another changes meanwhile, and thinks better of it.
    pub(crate) fn slip(&mut self, who: usize, number: usize) {
        if self.items.is_empty() {
            return;
        }
        let item = self.chance.pick(&self.items).clone();
        let text = format!("text {number}");
        let other = (who + 1 + self.chance.below(2)) % ACTORS.len();
        let remove = Command::Remove { item: item.clone() };
        let removed = self.carry_out(who, &[remove]);
        let edited = self.carry_out(other, &[Command::Edit { item, text }]);
        self.replicas[other].undo.extend(edited);
        self.act(other, number);
        if let Some(back) = removed {
            let again = self.carry_out(who, &back);
            self.replicas[who].redo.extend(again);
        }
    }

    /// Writes what carries the commands out; gives what takes that back, if anything was done.
    fn carry_out(&mut self, who: usize, commands: &[Command]) -> Option<Vec<Command>> {
        self.carry_out_from(Source::History, who, commands)
    }

    fn carry_out_from(
        &mut self,
        source: Source,
        who: usize,
        commands: &[Command],
    ) -> Option<Vec<Command>> {
        let mut inverse = Vec::new();
        for command in commands {
            let jitter = self.chance.jitter();
            // What can't be done on what this actor sees is not done.
            let by = by(ACTORS[who], source, jitter);
            if let Ok(plan) = plan(&self.replicas[who].view, command, by.planning()) {
                self.write(who, |clock| stamped(&plan.ops, ACTORS[who], clock));
                inverse.splice(0..0, plan.inverse);
            }
        }
        (!inverse.is_empty()).then_some(inverse)
    }

    /// One actor writes what no planner of ours would.
    pub(crate) fn write_foreign(&mut self, who: usize, number: usize) {
        let payload = foreign(&mut self.chance, number);
        let on = if number.is_multiple_of(7) || payload.contains("restoreList") {
            on_registry
        } else {
            on_list
        };
        self.write(who, |clock| vec![on(ACTORS[who], clock, &payload)]);
    }

    fn write(&mut self, who: usize, ops: impl Fn(u64) -> Vec<Op>) {
        let replica = &mut self.replicas[who];
        for op in ops(replica.clock + 1) {
            replica.take(&op);
            self.ops.push(op);
        }
    }

    /// Some op reaches some replica.
    pub(crate) fn deliver_any(&mut self) {
        let op = self.chance.pick(&self.ops);
        let to = self.chance.below(ACTORS.len());
        self.replicas[to].take(op);
    }

    /// Every op reaches each replica twice, in an order of its own.
    pub(crate) fn deliver_all_twice(&mut self) {
        for replica in &mut self.replicas {
            let mut all: Vec<&Op> = self.ops.iter().chain(&self.ops).collect();
            self.chance.shuffle(&mut all);
            all.into_iter().for_each(|op| replica.take(op));
        }
    }
}

impl Replica {
    fn take(&mut self, op: &Op) {
        self.clock = self.clock.max(op.key.clock.get());
        self.view.fold(op);
    }
}
