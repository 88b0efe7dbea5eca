//! Refused changes of threads that are offered again.

use syncline_model::thread::{Link, Status, Tag, ThreadOp, Update, thread_id};
use syncline_store::local::NewOp;

use super::*;

fn op(op: ThreadOp<'_>) -> NewOp {
    NewOp {
        payload: op.payload().unwrap(),
        ..create()
    }
}

fn update(name: Option<&str>, project: Option<&str>, status: Option<Status>) -> NewOp {
    op(ThreadOp::Update(Update {
        name: name.map(Into::into),
        project: project.map(Into::into),
        status,
        at: at(),
    }))
}

#[derive(PartialEq)]
enum Tagged {
    Yes,
    No,
}

fn tag(tagged: Tagged) -> NewOp {
    op(ThreadOp::Tag(Tag {
        entry_id: None,
        tag: "urgent".into(),
        present: tagged == Tagged::Yes,
    }))
}

fn link(note: &str) -> NewOp {
    op(ThreadOp::Link(Link {
        entry_id: None,
        target: thread_id("default", "budget", 1),
        note: Some(note.into()),
        present: true,
    }))
}

/// A replica that was refused its change, and knows what another has written later.
fn refused(mine: NewOp, theirs: NewOp) -> (Place, Server, [Replica; 2]) {
    let place = Place::new();
    let mut server = place.server("s");
    let [mut a, mut b] = ["a", "b"].map(|name| place.open(name));
    start(&mut a, &server);
    start(&mut b, &server);
    a.write(&[create()]).unwrap();
    sync(&mut a, &mut server);
    pull(&mut b, &server);
    let key = a.write(&[mine]).unwrap().keys.remove(0);
    b.write(&[entry("so that it is later"), theirs]).unwrap();
    sync(&mut b, &mut server);
    pull(&mut a, &server);
    refuse(&mut a, &key);
    equal_views(&mut a, &mut b);
    (place, server, [a, b])
}

fn retry_with(replica: &mut Replica, later: LaterWords) -> Retried {
    let id = replica.quarantined().unwrap()[0].id;
    let mut retried = replica.retry_quarantined(&[id], later).unwrap();
    retried.remove(0)
}

#[test]
fn a_retried_change_of_a_thread_does_not_go_over_later_words_unless_it_is_to() {
    let named = |name| update(Some(name), None, None);
    let filed = |project| update(None, Some(project), None);
    let marked = |status| update(None, None, Some(status));
    for (mine, theirs, column) in [
        (named("mine"), named("theirs"), "name"),
        (filed("mine"), filed("theirs"), "project"),
        (marked(Status::Archived), marked(Status::Blocked), "status"),
        (tag(Tagged::Yes), tag(Tagged::No), "present"),
        (link("mine"), link("theirs"), "note"),
        // Also who makes a thread names it.
        (create(), named("theirs"), "name"),
    ] {
        let (_place, mut server, [mut a, mut b]) = refused(mine, theirs);
        let Retried::Outdone(words) = retry_with(&mut a, LaterWords::Stay) else {
            panic!("{column} goes over what was said later");
        };
        let columns: Vec<_> = words.iter().map(|word| word.column).collect();
        assert_eq!(columns, [column]);
        assert_eq!((outbox(&a), a.quarantined().unwrap().len()), (0, 1));
        let retried = retry_with(&mut a, LaterWords::Go);
        assert!(matches!(retried, Retried::Anew(_)), "{retried:?}");
        let before = b.view().unwrap().dump_view().unwrap();
        sync(&mut a, &mut server);
        pull(&mut b, &server);
        assert_ne!(b.view().unwrap().dump_view().unwrap(), before, "{column}");
        equal_views(&mut a, &mut b);
    }
}

#[test]
fn what_takes_nothing_from_others_is_offered_again() {
    let named = |name| update(Some(name), None, None);
    for (mine, theirs) in [
        (entry("mine"), entry("theirs")),
        (named("the same"), named("the same")),
        (named("mine"), tag(Tagged::Yes)),
        (tag(Tagged::Yes), tag(Tagged::Yes)),
    ] {
        let (_place, _server, [mut a, _b]) = refused(mine, theirs);
        let retried = retry_with(&mut a, LaterWords::Stay);
        assert!(matches!(retried, Retried::Anew(_)), "{retried:?}");
    }
}
