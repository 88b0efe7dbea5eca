//! Which thread a reference means, and what threads are called.

use syncline_model::thread::{Create, ThreadId, ThreadOp, thread_id};

use super::queries::{move_to, update};
use super::world::{World, at};
use crate::threads::{Changes, Resolved, plan_delete, resolve, resolve_key};

fn found(resolved: Resolved) -> ThreadId {
    match resolved {
        Resolved::Found(thread) => thread.thread_id,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_reference_is_an_id_a_key_a_project_with_a_key_or_a_name() {
    let mut world = World::new();
    let design = world.make("p", "Auth Design/2", 0);
    let other = world.make("q", "auth-design-2", 0);
    let main = world.make("q", "main", 0);
    let renamed = Changes {
        name: Some("main"),
        ..Changes::default()
    };
    update(&mut world, other, renamed, 5);
    let view = world.view();
    let resolve = |text: &str, project| resolve(view, text, project).unwrap();

    assert_eq!(found(resolve(&design.to_string(), Some("q"))), design);
    assert_eq!(found(resolve("auth-design-2", Some("p"))), design);
    assert_eq!(found(resolve("auth-design-2", Some("q"))), other);
    assert_eq!(found(resolve("q/auth-design-2", Some("p"))), other);
    assert_eq!(found(resolve("Auth Design/2", None)), design);
    let Resolved::Ambiguous(candidates) = resolve("auth-design-2", None) else {
        panic!("two projects have the key");
    };
    assert_eq!(candidates.len(), 2);
    // A key counts before a name, wherever both are.
    assert_eq!(found(resolve("main", Some("q"))), main);
    for unknown in ["", "/", "p/main", "x/main", "nothing", "Auth"] {
        assert_eq!(resolve(unknown, None), Resolved::Unknown, "{unknown}");
    }
    let by_name = resolve_key(view, "Auth Design/2", None).unwrap();
    assert_eq!(by_name, Resolved::Unknown);
}

#[test]
fn a_name_that_two_threads_share_is_ambiguous() {
    let mut world = World::new();
    for key in ["one", "two"] {
        let id = world.make("p", key, 0);
        let named = Changes {
            name: Some("Shared"),
            ..Changes::default()
        };
        update(&mut world, id, named, 1);
    }
    let resolved = resolve(world.view(), "Shared", Some("p")).unwrap();
    assert!(matches!(resolved, Resolved::Ambiguous(both) if both.len() == 2));
}

#[test]
fn threads_of_one_key_in_a_project_are_shown_apart_with_those_at_home_first() {
    let mut world = World::new();
    let from_q = world.make("q", "design", 10);
    let from_r = world.make("r", "design", 20);
    move_to(&mut world, from_q, "p", 30);
    move_to(&mut world, from_r, "p", 40);
    let shown = |world: &World, id| world.thread(id).key;
    assert_eq!(shown(&world, from_q), "design");
    assert_eq!(shown(&world, from_r), "design-2");

    // A key may be taken elsewhere meanwhile: here the one at home arrives in the log later.
    let home = thread_id("p", "design", 0);
    let create = ThreadOp::Create(Create {
        project: "p".into(),
        key: "design".into(),
        generation: 0,
        name: "design".into(),
        at: at(99),
    });
    world.log(vec![(home.into(), create.payload().unwrap())]);
    assert_eq!(shown(&world, home), "design");
    assert_eq!(shown(&world, from_q), "design-2");
    assert_eq!(shown(&world, from_r), "design-3");

    // A thread whose true key it is keeps it.
    let second = thread_id("p", "design-2", 0);
    let create = ThreadOp::Create(Create {
        project: "p".into(),
        key: "design-2".into(),
        generation: 0,
        name: "second".into(),
        at: at(99),
    });
    world.log(vec![(second.into(), create.payload().unwrap())]);
    assert_eq!(shown(&world, second), "design-2");
    assert_eq!(shown(&world, from_q), "design-3");
    assert_eq!(shown(&world, from_r), "design-4");
    for id in [home, from_q, from_r, second] {
        let key = shown(&world, id);
        assert_eq!(
            found(resolve_key(world.view(), &key, Some("p")).unwrap()),
            id
        );
        assert_eq!(found(resolve_key(world.view(), &key, None).unwrap()), id);
    }
    let gone = plan_delete(&world.thread(home), at(100)).unwrap();
    world.log(gone.ops);
    assert_eq!(shown(&world, from_q), "design");
}
