//! Lists that were deleted with items in them, and tombstones found while others write on.

use syncline_model::ListId;
use syncline_model::list::Position;
use syncline_model::registry::{RESOURCE, RegistryOp};

use super::*;
use crate::lists::{items, list as find_list, list_overview};

fn one() -> ListId {
    ListId::new("one").unwrap()
}

fn on_registry(clock: u64, said: &RegistryOp<'_>) -> Op {
    let mut op = custom("registrar", clock, "false");
    op.key.scope = Scope::registry();
    op.key.resource = ResourceId::new(RESOURCE).unwrap();
    op.payload = said.payload().unwrap();
    op
}

fn made(clock: u64) -> Op {
    let said = RegistryOp::Create {
        list: one(),
        title: "Trip".into(),
        position: Position::parse("a1").unwrap(),
    };
    on_registry(clock, &said)
}

fn deleted(clock: u64) -> Op {
    on_registry(clock, &RegistryOp::Remove { list: one() })
}

#[test]
fn a_deleted_list_is_known_as_long_as_it_has_items_and_goes_with_the_last() {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    append(
        &mut file,
        &[made(1), list(1, 0, 0, 2), list(2, 0, 0, 3), deleted(4)],
    );
    append(&mut file, &[op("z", 5, thread(1), &create(1))]);
    assert_eq!(compact_all(&mut file, 5).totals().collected, 0);
    let fresh = fetched(&dir, &file, 10);
    let found = list_overview(fresh.connection(), &one()).unwrap().unwrap();
    assert_eq!((found.list.present, found.items), (false, 2));

    append(&mut file, &[list(1, 9, 0, 6), list(2, 9, 0, 7)]);
    append(&mut file, &[op("z", 8, thread(2), &create(2))]);
    assert_eq!(compact_all(&mut file, 8).totals().collected, 3);
    assert_eq!(find_list(file.connection(), &one()).unwrap(), None);
    assert_eq!(items(file.connection(), &one()).unwrap(), []);
    let left = file.ops_after(ServerSeq::ZERO, EVERYTHING).unwrap();
    assert_eq!(left.len(), 2, "the threads are all there is");
}

#[test]
fn an_old_stamp_that_comes_between_two_steps_keeps_the_tombstones_that_it_would_find_gone() {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    let items = [list(0, 0, 0, 5), list(1, 0, 0, 6), list(2, 0, 0, 7)];
    append(&mut file, &items);
    let gone = [list(0, 9, 0, 8), list(1, 9, 0, 9), list(2, 9, 0, 10)];
    append(&mut file, &gone);
    append(&mut file, &[op("z", 20, thread(1), &create(1))]);
    let mut run = Compaction::begin(&file, ServerSeq(7), Collecting::Tombstones).unwrap();
    while run.totals().collected == 0 {
        file.compact_step(&mut run, 1, NO_OUTBOX).unwrap();
    }
    // Above the first tombstone's clock, and below that of the others.
    let mut late = list(2, 1, 0, 9);
    late.key.actor = ActorId::new("late").unwrap();
    assert!(matches!(append(&mut file, &[late])[0], Appended::At(..)));
    while file.compact_step(&mut run, 1, NO_OUTBOX).unwrap() == Stepped::More {}
    assert_eq!(run.totals().collected, 1);
}
