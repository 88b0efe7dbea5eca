//! The history of changes to lists: its two ends, and its bounds.

use syncline_model::list::{Command, ItemRef};

use super::{Place, now};
use crate::StoreError;
use crate::local::{LIST_STEPS_BYTES_MAX, LIST_STEPS_MAX, ListChange, ListStep, LocalFile, Stack};

fn step(name: &str, text: &str) -> ListStep {
    let item = ItemRef {
        list: "l".parse().unwrap(),
        item: name.parse().unwrap(),
    };
    let command = Command::Edit {
        item,
        text: text.to_owned(),
    };
    ListStep {
        done_at: now(),
        change: ListChange::of(&command),
        back: vec![command],
    }
}

fn note(local: &mut LocalFile, step: &ListStep) {
    let noted: Result<(), StoreError> = local.decide(|desk| desk.note_done(step));
    noted.unwrap();
}

fn names(local: &LocalFile, stack: Stack) -> Vec<String> {
    let steps = local.list_steps(stack).unwrap().into_iter();
    steps
        .map(|step| step.change.item.unwrap().to_string())
        .collect()
}

#[test]
fn steps_read_back_the_newest_first() {
    let place = Place::new();
    let mut local = place.open();
    let steps = [step("a", "one"), step("b", "two")];
    steps.iter().for_each(|step| note(&mut local, step));
    let read = place.open().list_steps(Stack::Undo).unwrap();
    assert_eq!(read, [steps[1].clone(), steps[0].clone()]);
}

#[test]
fn a_step_goes_from_one_end_to_the_other_and_a_new_one_clears_what_was_undone() {
    let place = Place::new();
    let mut local = place.open();
    for name in ["a", "b"] {
        note(&mut local, &step(name, "text"));
    }
    let reversed: Result<(), StoreError> = local.decide(|desk| {
        let (place, step) = desk.next_step(Stack::Undo)?.unwrap();
        desk.reverse(&place, &step)
    });
    reversed.unwrap();
    assert_eq!(names(&local, Stack::Undo), ["a"]);
    assert_eq!(names(&local, Stack::Redo), ["b"]);
    note(&mut local, &step("c", "text"));
    assert_eq!(names(&local, Stack::Undo), ["c", "a"]);
    assert!(names(&local, Stack::Redo).is_empty());
}

#[test]
fn a_step_that_nothing_reverses_is_gone() {
    let place = Place::new();
    let mut local = place.open();
    note(&mut local, &step("a", "text"));
    let reversed: Result<(), StoreError> = local.decide(|desk| {
        let (place, step) = desk.next_step(Stack::Undo)?.unwrap();
        let back = Vec::new();
        desk.reverse(&place, &ListStep { back, ..step })
    });
    reversed.unwrap();
    assert!(names(&local, Stack::Undo).is_empty());
    assert!(names(&local, Stack::Redo).is_empty());
}

#[test]
fn a_failed_change_leaves_the_history_as_it_was() {
    let place = Place::new();
    let mut local = place.open();
    note(&mut local, &step("a", "text"));
    let failed: Result<(), StoreError> = local.decide(|desk| {
        desk.note_done(&step("b", "text"))?;
        Err(StoreError::damaged("as asked"))
    });
    assert!(failed.is_err());
    assert_eq!(names(&local, Stack::Undo), ["a"]);
}

#[test]
fn the_oldest_steps_are_let_go_of_where_they_are_too_many() {
    let place = Place::new();
    let mut local = place.open();
    for n in 0..LIST_STEPS_MAX + 3 {
        let noted: Result<(), StoreError> =
            local.decide(|desk| desk.note_done(&step(&n.to_string(), "text")));
        noted.unwrap();
    }
    let kept = names(&local, Stack::Undo);
    assert_eq!(kept.len(), LIST_STEPS_MAX);
    assert_eq!(kept.last().unwrap(), "3");
}

#[test]
fn long_steps_push_out_the_old_ones_and_the_newest_stays_whatever_it_takes() {
    let place = Place::new();
    let mut local = place.open();
    let third = "x".repeat(LIST_STEPS_BYTES_MAX / 3);
    for name in ["a", "b", "c"] {
        note(&mut local, &step(name, &third));
    }
    assert_eq!(names(&local, Stack::Undo), ["c", "b"]);
    note(&mut local, &step("d", &"x".repeat(LIST_STEPS_BYTES_MAX)));
    assert_eq!(names(&local, Stack::Undo), ["d"]);
    note(&mut local, &step("e", "short"));
    assert_eq!(names(&local, Stack::Undo), ["e"]);
}
