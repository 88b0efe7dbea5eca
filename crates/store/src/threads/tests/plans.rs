//! What an intent amounts to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use syncline_model::limits::CONTENT_CHARS_MAX;
use syncline_model::thread::{Status, thread_id};

use super::world::{World, at, entry_id, new_entry};
use crate::threads::{
    Changes, EntryRange, NewThread, PlanError, Presence, SyncEntry, SyncError, SyncTarget, Synced,
    next_generation, plan_append, plan_delete, plan_link, plan_new, plan_sync, plan_tag,
    plan_update, read_entries,
};

fn new<'a>(project: &'a str, name: &'a str) -> NewThread<'a> {
    NewThread {
        project,
        key: None,
        name,
        at: at(1),
    }
}

#[test]
fn a_new_thread_has_the_key_its_name_gives_and_its_first_entry() {
    let mut world = World::new();
    let entries = [new_entry(1, "why")];
    let plan = plan_new(world.view(), &new("p", " Auth: the Plan "), &entries).unwrap();
    assert_eq!(plan.thread_id, thread_id("p", "auth--the-plan", 0));
    world.log(plan.ops);
    let thread = world.thread(plan.thread_id);
    assert_eq!(
        (thread.key.as_str(), thread.entry_count),
        ("auth--the-plan", 1)
    );
    assert_eq!(thread.name, " Auth: the Plan ");
}

#[test]
fn a_key_that_the_project_shows_is_taken_and_free_again_after_a_delete() {
    let mut world = World::new();
    let first = world.make("p", "design", 0);
    let taken = plan_new(world.view(), &new("p", "Design"), &[]).unwrap_err();
    assert!(matches!(taken, PlanError::Exists { thread_id, .. } if thread_id == first));
    world.log(plan_delete(&world.thread(first), at(2)).unwrap().ops);
    assert_eq!(next_generation(world.view(), "p", "design").unwrap(), 1);
    let again = world.make("p", "design", 3);
    assert_eq!(again, thread_id("p", "design", 1));
    world.write(again, &[(7, "anew")]);
    assert_eq!(world.thread(again).entry_count, 1);
}

#[test]
fn a_thread_that_others_make_at_any_moment_of_a_plan_is_the_one_that_is_planned() {
    let mut moments = 0;
    loop {
        let mut world = World::new();
        let mut view = world.another_view();
        let first = thread_id("p", "design", 0);
        let is_made = Arc::new(AtomicBool::new(false));
        let (mut step, made) = (0, Arc::clone(&is_made));
        let make = move || {
            if step == moments {
                world.make("p", "design", 0);
                made.store(true, Ordering::Relaxed);
            }
            step += 1;
            false
        };
        view.progress_handler(1, Some(make)).unwrap();
        match plan_new(&view, &new("p", "design"), &[]) {
            Ok(planned) => assert_eq!(planned.thread_id, first, "at {moments}"),
            Err(PlanError::Exists { thread_id, .. }) => assert_eq!(thread_id, first),
            Err(other) => panic!("at {moments}: {other}"),
        }
        if !is_made.load(Ordering::Relaxed) {
            break;
        }
        moments += 1;
    }
    assert_ne!(moments, 0);
}

#[test]
fn a_key_whose_thread_was_moved_away_is_made_anew() {
    let mut world = World::new();
    let first = world.make("p", "design", 0);
    let moved = Changes {
        project: Some("q"),
        ..Changes::default()
    };
    world.log(
        plan_update(&world.thread(first), &moved, at(1))
            .unwrap()
            .ops,
    );
    let second = world.make("p", "design", 2);
    assert_eq!(second, thread_id("p", "design", 1));
    assert_eq!(world.thread(first).project, "q");
    // In q it is taken, though q never made it.
    assert!(matches!(
        plan_new(world.view(), &new("q", "design"), &[]),
        Err(PlanError::Exists { .. })
    ));
}

#[test]
fn entries_that_came_before_their_thread_was_made_become_its_entries() {
    let mut world = World::new();
    let id = thread_id("p", "late", 0);
    world.write(id, &[(1, "early")]);
    assert_eq!(world.thread(id).key, id.to_string());
    assert_eq!(world.thread(id).origin, None);
    assert_eq!(world.make("p", "late", 9), id);
    assert_eq!(
        (world.thread(id).key.as_str(), world.thread(id).entry_count),
        ("late", 1)
    );
}

#[test]
fn a_thread_of_unknown_origin_can_be_deleted() {
    let mut world = World::new();
    let id = thread_id("p", "late", 0);
    world.write(id, &[(1, "early")]);
    world.log(plan_delete(&world.thread(id), at(2)).unwrap().ops);
    assert_eq!(crate::threads::thread(world.view(), id).unwrap(), None);
}

#[test]
fn an_update_says_only_what_changes() {
    let mut world = World::new();
    let id = world.make("p", "design", 0);
    let same = Changes {
        name: Some("design"),
        project: Some("p"),
        status: Some(Status::Active),
    };
    assert!(
        plan_update(&world.thread(id), &same, at(1))
            .unwrap()
            .ops
            .is_empty()
    );
    let changes = Changes {
        name: Some("Design"),
        status: Some(Status::Archived),
        ..same
    };
    let plan = plan_update(&world.thread(id), &changes, at(1)).unwrap();
    assert!(!plan.ops[0].1.as_str().contains("project"));
    world.log(plan.ops);
    let thread = world.thread(id);
    assert_eq!(
        (thread.name.as_str(), thread.status),
        ("Design", Status::Archived)
    );
}

#[test]
fn what_is_empty_too_long_or_unprintable_is_refused() {
    let world = World::new();
    let view = world.view();
    let long = "x".repeat(300);
    for name in ["", "  ", "a\nb", &long] {
        assert!(matches!(
            plan_new(view, &new("p", name), &[]),
            Err(PlanError::Name(_))
        ));
        assert!(matches!(
            plan_new(view, &new(name, "n"), &[]),
            Err(PlanError::Name(_))
        ));
    }
    assert!(matches!(
        plan_new(view, &new("p/q", "n"), &[]),
        Err(PlanError::Name(_))
    ));
    let id = thread_id("p", "k", 0);
    let full = "é".repeat(CONTENT_CHARS_MAX);
    assert!(plan_append(id, &[new_entry(1, &full)]).is_ok());
    let over = format!("{full}é");
    for content in ["", &over] {
        let refused = plan_append(id, &[new_entry(1, content)]);
        assert!(matches!(refused, Err(PlanError::Content(_))));
    }
    for author in ["", "\u{7}", &"a".repeat(65)] {
        let mut entry = new_entry(1, "text");
        entry.author = author;
        assert!(matches!(plan_append(id, &[entry]), Err(PlanError::Name(_))));
    }
    assert!(plan_tag(id, None, " ", Presence::Added).is_err());
    assert!(matches!(
        plan_link(id, None, id, None, Presence::Added),
        Err(PlanError::LinkToItself)
    ));
}

fn numbered(number: Option<u64>, id: u128, content: &str) -> SyncEntry<'_> {
    SyncEntry {
        entry: new_entry(id, content),
        sequence_id: number,
    }
}

fn sync(world: &mut World, entries: &[SyncEntry<'_>]) -> Result<(usize, Option<u64>), SyncError> {
    let there = crate::threads::thread(world.view(), thread_id("p", "t", 0)).unwrap();
    let target = match &there {
        Some(thread) => SyncTarget::Thread(thread),
        None => SyncTarget::New(new("p", "t")),
    };
    let planned = plan_sync(world.view(), &target, entries)?;
    world.log(planned.plan.ops);
    let is_new = |synced: &&Synced| matches!(synced, Synced::New(_));
    let new = planned.synced.iter().filter(is_new).count();
    Ok((new, planned.last_sequence_id))
}

fn conflict(result: Result<(usize, Option<u64>), SyncError>) -> (u64, u64) {
    match result {
        Err(SyncError::Conflict {
            expected, received, ..
        }) => (expected, received),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_synced_again_counts_nothing_and_what_is_new_is_appended() {
    let mut world = World::new();
    let (a, b, c) = (
        numbered(Some(0), 1, "a"),
        numbered(Some(1), 2, "b"),
        numbered(Some(2), 3, "c"),
    );
    assert_eq!(sync(&mut world, &[a, b]).unwrap(), (2, Some(1)));
    assert_eq!(sync(&mut world, &[a, b]).unwrap(), (0, Some(1)));
    assert_eq!(sync(&mut world, &[b, c]).unwrap(), (1, Some(2)));
    assert_eq!(
        sync(&mut world, &[numbered(None, 4, "d")]).unwrap(),
        (1, Some(3))
    );
    // Known by number and content, under an id that is told for the first time.
    assert_eq!(
        sync(&mut world, &[numbered(Some(1), 99, "b")]).unwrap(),
        (0, Some(3))
    );
    let entries = read_entries(world.view(), thread_id("p", "t", 0), EntryRange::All).unwrap();
    let contents: Vec<&str> = entries.entries.iter().map(|e| e.content.as_str()).collect();
    assert_eq!(contents, ["a", "b", "c", "d"]);
}

#[test]
fn a_gap_or_other_content_under_a_taken_number_or_id_is_a_conflict_and_nothing_is_planned() {
    let mut world = World::new();
    sync(
        &mut world,
        &[numbered(Some(0), 1, "a"), numbered(Some(1), 2, "b")],
    )
    .unwrap();
    let gap = [numbered(Some(2), 3, "c"), numbered(Some(4), 5, "e")];
    assert_eq!(conflict(sync(&mut world, &gap)), (3, 4));
    assert_eq!(
        conflict(sync(&mut world, &[numbered(Some(1), 7, "x")])),
        (2, 1)
    );
    assert_eq!(
        conflict(sync(&mut world, &[numbered(Some(0), 1, "x")])),
        (2, 0)
    );
    let twice = [numbered(None, 8, "x"), numbered(None, 8, "y")];
    assert_eq!(conflict(sync(&mut world, &twice)), (3, 3));
    assert_eq!(world.thread(thread_id("p", "t", 0)).entry_count, 2);
    let same_twice = [numbered(None, 8, "x"), numbered(None, 8, "x")];
    assert_eq!(sync(&mut world, &same_twice).unwrap(), (1, Some(2)));
    assert_eq!(
        crate::threads::entry(world.view(), thread_id("p", "t", 0), entry_id(8))
            .unwrap()
            .unwrap()
            .place
            .sequence_id(),
        Some(2)
    );
}
