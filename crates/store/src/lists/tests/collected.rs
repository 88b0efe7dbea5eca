//! Items that come for a list that was removed and forgotten.

use syncline_model::ServerSeq;
use syncline_model::list::Position;

use super::*;
use crate::{Appended, Collecting, Compaction, Stepped};

fn ids(world: &World, removed: RemovedLists) -> Vec<String> {
    let found = lists(world.view(), removed).unwrap().into_iter();
    found.map(|one| one.list.list.to_string()).collect()
}

/// Collects all that may be below the log's last op.
fn collect(world: &mut World) -> u64 {
    let floor = world.file.head().unwrap().cursor.server_seq;
    let run = Compaction::begin(&world.file, floor, Collecting::Tombstones);
    let (mut run, nothing) = (run.unwrap(), Vec::<PendingOp>::new());
    let step = |run: &mut Compaction, file: &mut TenantFile| {
        file.compact_step(run, 10, nothing.as_slice()).unwrap()
    };
    while step(&mut run, &mut world.file) == Stepped::More {}
    assert!(floor > ServerSeq::ZERO);
    run.totals().collected
}

/// A log that has forgotten the list `trip`, and taken what was added to it by somebody who did not know.
fn late() -> World {
    late_with(&[])
}

/// The same, where others have done this to it, too.
fn late_with(commands: &[Command]) -> World {
    let mut world = World::new();
    world.log(&new_list("trip", "Trip"));
    world.log(&add("trip", ["tent"]));
    let mut late = world.ops(&add("trip", ["lamp"]));
    late.extend(commands.iter().flat_map(|command| world.ops(command)));
    let tent = item_ref("trip", "tent");
    world.log(&Command::Remove { item: tent });
    let list = list_id("trip");
    world.log(&Command::RemoveList { list });
    world.log(&new_list("house", "House"));
    assert_eq!(collect(&mut world), 2);
    assert_eq!(ids(&world, RemovedLists::Shown), ["house"]);
    let mut batch = world.file.begin().unwrap();
    for mut op in late {
        // As its writer stamps it anew.
        world.clock += 1;
        op.key.clock = Clock::new(world.clock).unwrap();
        let appended = batch.append(&op.key, Some(&op.payload), op.payload.hash());
        assert!(matches!(appended.unwrap(), Appended::At(..)));
    }
    batch.commit().unwrap();
    world
}

#[test]
fn a_list_of_which_late_items_alone_are_left_counts_as_removed() {
    let world = late();
    assert_eq!(ids(&world, RemovedLists::Hidden), ["house"]);
    let mut shown = ids(&world, RemovedLists::Shown);
    shown.sort();
    assert_eq!(shown, ["house", "trip"]);
    let trip = list(world.view(), &list_id("trip")).unwrap().unwrap();
    assert_eq!((trip.title.as_str(), trip.present), ("trip", false));
    let resolved = resolve_removed_list(world.view(), "trip").unwrap();
    assert_eq!(resolved, ResolvedList::Found(trip));
    let present = resolve_list(world.view(), "trip").unwrap();
    assert_eq!(present, ResolvedList::Unknown);
}

#[test]
fn a_list_of_which_late_items_alone_are_left_is_restored_with_them() {
    let mut world = late();
    let list = list_id("trip");
    world.log(&Command::RestoreList { list, former: None });
    assert_eq!(ids(&world, RemovedLists::Hidden), ["house", "trip"]);
    assert_eq!(world.texts("trip"), ["lamp"], "what was removed stays so");
    let list = list_id("trip");
    world.log(&Command::RemoveList { list });
    assert_eq!(ids(&world, RemovedLists::Hidden), ["house"]);
    assert_eq!(ids(&world, RemovedLists::Shown), ["house", "trip"]);
}

#[test]
fn a_list_of_which_late_parts_are_left_with_items_is_restored_with_both() {
    let list = || list_id("trip");
    let remove = Command::RemoveList { list: list() };
    let (title, first) = ("Journey".to_owned(), Position::parse("1").unwrap());
    let rename = Command::RenameList {
        list: list(),
        title,
    };
    let spot = Spot::At(first);
    let reorder = Command::ReorderList { list: list(), spot };
    for (told, title, order) in [
        (vec![remove.clone()], "trip", ["house", "trip"]),
        (vec![rename.clone()], "Journey", ["house", "trip"]),
        (vec![remove.clone(), rename], "Journey", ["house", "trip"]),
        (vec![reorder, remove], "trip", ["trip", "house"]),
    ] {
        let mut world = late_with(&told);
        let former = None;
        world.log(&Command::RestoreList {
            list: list(),
            former,
        });
        assert_eq!(ids(&world, RemovedLists::Hidden), order, "{told:?}");
        assert_eq!(list_of(&world, &list()).unwrap().title, title, "{told:?}");
        assert_eq!(world.texts("trip"), ["lamp"]);
    }
}

#[test]
fn a_list_of_which_its_own_title_is_known_is_called_and_restored_by_it() {
    let list = || list_id("trip");
    for told in [vec![], vec![Command::RemoveList { list: list() }]] {
        let mut world = late_with(&told);
        world.log_own_title("trip", "Journey");
        assert_eq!(list_of(&world, &list()).unwrap().title, "Journey");
        let former = None;
        world.log(&Command::RestoreList {
            list: list(),
            former,
        });
        let restored = list_of(&world, &list()).unwrap();
        assert_eq!(
            (restored.title.as_str(), restored.present),
            ("Journey", true)
        );
    }
}

#[test]
fn a_list_whose_own_title_is_empty_is_called_and_restored_by_its_id() {
    let list = || list_id("trip");
    let restore = Command::RestoreList {
        list: list(),
        former: None,
    };
    for told in [vec![], vec![Command::RemoveList { list: list() }]] {
        for on_replica in [false, true] {
            let mut world = late_with(&told);
            world.log_own_title("trip", "");
            assert_eq!(list_of(&world, &list()).unwrap().title, "trip");
            if on_replica {
                world.actor = Some(ActorId::new("me").unwrap());
                world.pend(&restore);
            } else {
                world.log(&restore);
            }
            let restored = list_of(&world, &list()).unwrap();
            let shown = (restored.title.as_str(), restored.present);
            assert_eq!(shown, ("trip", true), "{told:?}, {on_replica}");
        }
    }
}

#[test]
fn a_list_of_which_nothing_is_left_can_not_be_restored() {
    let mut world = late();
    let lamp = item_ref("trip", "lamp");
    world.log(&Command::Remove { item: lamp });
    assert_eq!(ids(&world, RemovedLists::Shown), ["house"]);
    let list = list_id("trip");
    assert!(list_of(&world, &list).is_none());
    let command = Command::RestoreList { list, former: None };
    let planning = Planning {
        source: Source::Person,
        actor: None,
        lists_collected: true,
        jitter: [0; 4],
    };
    let planned = plan(&StoredLists::new(world.view()), &command, planning);
    assert_eq!(planned.unwrap_err().code(), "list_unknown");
}

fn list_of(world: &World, id: &ListId) -> Option<syncline_model::registry::List> {
    list(world.view(), id).unwrap()
}
