//! Three actors on the same lists and items, with a network that repeats, reorders and loses what it
//! carries, against an oracle that shares nothing with the fold. One seed is one world.

use super::compacting::compact;
use super::deeds::Deed;
use super::oracle::{shown, told};
use super::world::{ACTORS, World};

/// Worlds with every test run, and what is done in each.
const WORLDS: u64 = 1_000;
const STEPS: usize = 100;

/// What an actor does next, each as often as its weight says.
pub(crate) const DEEDS: [(usize, Deed); 13] = [
    (1, Deed::NewList),
    (1, Deed::RenameList),
    (2, Deed::ReorderList),
    (4, Deed::Add),
    (1, Deed::RemoveList),
    (2, Deed::RestoreList),
    (5, Deed::Edit),
    (1, Deed::Note),
    (2, Deed::Check),
    (2, Deed::Uncheck),
    (7, Deed::Move),
    (3, Deed::Remove),
    (6, Deed::Restore),
];

/// Runs the world of a seed until everybody was told everything.
pub(crate) fn run(seed: u64) -> World {
    let mut world = World::with_lists(seed, &["l", "m"]);
    for step in 1..=STEPS {
        let who = world.chance.below(ACTORS.len());
        match world.chance.below(60) {
            0..6 => world.write_foreign(who, step),
            6..12 => world.slip(who, step),
            12..16 => world.undo(who),
            16..20 => world.redo(who),
            20..25 => world.import(who, step),
            _ => world.act(who, step),
        }
        // Some of what was written arrives: any of it, in any order, some again.
        for _ in 0..world.chance.below(5) {
            world.deliver_any();
        }
    }
    // What was lost is sent again: all of it twice, to each in an order of their own.
    world.deliver_all_twice();
    world
}

/// All replicas show what the oracle tells, by rows that are equal, and compaction changes nothing.
pub(crate) fn check(seed: u64) {
    let mut world = run(seed);
    let expected = told(&world.ops);
    for (replica, actor) in world.replicas.iter().zip(ACTORS) {
        assert_eq!(shown(&replica.view), expected, "seed {seed}, actor {actor}");
        let first = &world.replicas[0].view;
        assert_eq!(replica.view, *first, "seed {seed}: who wrote what");
    }
    compact(seed, &world.ops, &mut world.chance);
}

#[test]
fn all_replicas_show_what_the_oracle_tells() {
    (0..WORLDS).for_each(check);
}
