//! Refused changes of threads and sessions that are offered again.

use syncline_model::ActorId;
use syncline_model::compaction::Outdone;
use syncline_model::limits::CLOCK_MAX;
use syncline_model::session::{
    Change, Delete as SessionDelete, LinkPatch, Patch, SessionOp, SessionPatch, session_id,
};
use syncline_model::thread::{Delete, Link, Status, Tag, ThreadOp, Update, thread_id};
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

fn delete() -> NewOp {
    op(ThreadOp::Delete(Delete {
        key: "budget".into(),
        project: "default".into(),
        generation: 0,
        at: at(),
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

fn session(patch: Patch<'_>) -> NewOp {
    NewOp {
        scope: Scope::session(),
        resource: session_id("claude_code", "s-1", "").into(),
        payload: SessionOp::Patch(Box::new(patch)).payload().unwrap(),
    }
}

#[derive(PartialEq)]
enum Said {
    ByAPerson,
    ByTheAgent,
}

fn title(title: &str, said: Said) -> NewOp {
    session(Patch {
        decided: said == Said::ByAPerson,
        session: SessionPatch {
            title: Change::Set(title.into()),
            started_at: Change::Set(at()),
            ..SessionPatch::default()
        },
        ..Patch::default()
    })
}

fn session_link(note: &str) -> NewOp {
    session_links(note, &["t-1"])
}

fn session_links(note: &str, targets: &[&'static str]) -> NewOp {
    let link = |target: &&'static str| LinkPatch {
        kind: "thread".into(),
        target: (*target).into(),
        note: Change::Set(note.to_owned().into()),
        present: Change::Set(true),
    };
    session(Patch {
        decided: true,
        links: targets.iter().map(link).collect(),
        ..Patch::default()
    })
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
fn a_retried_change_of_a_thread_or_session_does_not_go_over_later_words_unless_it_is_to() {
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
        (
            title("mine", Said::ByAPerson),
            title("theirs", Said::ByAPerson),
            "title",
        ),
        (session_link("mine"), session_link("theirs"), "note"),
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
fn rows_of_one_change_that_are_outdone_are_told_apart() {
    let links = |note| session_links(note, &["t-1", "t-2"]);
    let (_place, _server, [mut a, _b]) = refused(links("mine"), links("theirs"));
    let Retried::Outdone(words) = retry_with(&mut a, LaterWords::Stay) else {
        panic!("it goes over what was said later");
    };
    let told = ["t-1", "t-2"].map(|target| Outdone {
        table: "session_links",
        row: vec!["thread".into(), target.into()],
        column: "note",
        mine: "mine".into(),
        theirs: "theirs".into(),
    });
    assert_eq!(words, told);
}

#[test]
fn what_a_deletion_takes_with_it_is_asked_about_before_it_is_offered_again() {
    let asked = Retried::Outdone(vec![Outdone {
        table: "threads",
        row: Vec::new(),
        column: "status",
        mine: "deleted".into(),
        theirs: "active".into(),
    }]);
    let cases = [
        (delete(), entry("theirs"), asked),
        (entry("mine"), delete(), Retried::Gone),
        (delete(), delete(), Retried::There),
    ];
    for (mine, theirs, becomes) in cases {
        let (_place, _server, [mut a, _b]) = refused(mine, theirs);
        assert_eq!(retry_with(&mut a, LaterWords::Stay), becomes);
    }
}

#[test]
fn what_waits_in_the_outbox_is_asked_about_before_a_deletion_takes_it() {
    let place = Place::new();
    let (mut a, mut server) = (place.open("a"), place.server("s"));
    start(&mut a, &server);
    let session_title = title("kept", Said::ByAPerson);
    a.write(&[create(), session_title.clone()]).unwrap();
    sync(&mut a, &mut server);
    let session_delete = NewOp {
        payload: SessionOp::Delete(SessionDelete { at: at() })
            .payload()
            .unwrap(),
        ..session_title
    };
    for (delete, said_since) in [
        (delete(), entry("since")),
        (session_delete, title("since", Said::ByTheAgent)),
    ] {
        let key = a.write(&[delete]).unwrap().keys.remove(0);
        refuse(&mut a, &key);
        let id = a.quarantined().unwrap()[0].id;
        let judged = |a: &mut Replica| a.retry_quarantined(&[id], LaterWords::Stay).unwrap();
        a.write(&[said_since]).unwrap();
        assert!(matches!(&judged(&mut a)[..], [Retried::Outdone(_)]));
        sync(&mut a, &mut server);
        assert!(matches!(&judged(&mut a)[..], [Retried::Outdone(_)]));
        a.drop_quarantined(id).unwrap();
    }
}

#[test]
fn a_deletion_takes_what_waits_from_before_it_unasked() {
    let place = Place::new();
    let mut a = place.open("a");
    let written = a.write(&[create(), entry("before"), delete()]).unwrap();
    refuse(&mut a, &written.keys[2]);
    let retried = retry_with(&mut a, LaterWords::Stay);
    assert!(matches!(retried, Retried::Anew(_)), "{retried:?}");
}

#[test]
fn what_would_be_erased_is_never_offered_again() {
    let (_place, _server, [mut a, _b]) = refused(entry("mine"), delete());
    assert_eq!(retry_with(&mut a, LaterWords::Go), Retried::Gone);
    let held = a.quarantined().unwrap();
    assert!(held[0].payload.is_some());
}

#[test]
fn what_takes_nothing_from_others_is_offered_again() {
    let named = |name| update(Some(name), None, None);
    for (mine, theirs) in [
        (entry("mine"), entry("theirs")),
        (named("the same"), named("the same")),
        (named("mine"), tag(Tagged::Yes)),
        (tag(Tagged::Yes), tag(Tagged::Yes)),
        (
            title("mine", Said::ByAPerson),
            title("theirs", Said::ByTheAgent),
        ),
        (
            title("mine", Said::ByTheAgent),
            title("theirs", Said::ByAPerson),
        ),
        (session_link("mine"), title("theirs", Said::ByAPerson)),
    ] {
        let (_place, _server, [mut a, _b]) = refused(mine, theirs);
        let retried = retry_with(&mut a, LaterWords::Stay);
        assert!(matches!(retried, Retried::Anew(_)), "{retried:?}");
    }
}

#[test]
fn what_is_in_quarantine_no_more_is_not_what_is_there_already() {
    let (place, _server, [mut a, _b]) = refused(entry("mine"), entry("theirs"));
    let key = a.write(&[entry("mine too")]).unwrap().keys.remove(0);
    refuse(&mut a, &key);
    let [dropped, kept] = [0, 1].map(|at| a.quarantined().unwrap()[at].id);
    place.open("a").drop_quarantined(dropped).unwrap();
    let never = QuarantineId(kept.0 + 1);
    // Another process drops one, one was never there, and one is named twice.
    let ids = [dropped, never, kept, kept];
    let retried = a.retry_quarantined(&ids, LaterWords::Stay).unwrap();
    assert!(matches!(
        &retried[..],
        [
            Retried::Left,
            Retried::Left,
            Retried::Anew(_),
            Retried::Left
        ]
    ));
}

#[test]
fn several_are_offered_again_together_or_none_is() {
    let (_place, mut server, [mut a, _b]) = refused(entry("mine"), entry("theirs"));
    let key = a.write(&[entry("mine too")]).unwrap().keys.remove(0);
    refuse(&mut a, &key);
    // One clock is left.
    let last = Op {
        key: OpKey {
            clock: Clock::new(CLOCK_MAX - 1).unwrap(),
            actor: ActorId::new("ahead").unwrap(),
            ..key
        },
        payload: entry("theirs, at the end of all clocks").payload,
    };
    server.add(&last);
    pull(&mut a, &server);
    let held = a.quarantined().unwrap();
    let ids: Vec<_> = held.iter().map(|op| op.id).collect();
    let retried = a.retry_quarantined(&ids, LaterWords::Stay);
    assert!(matches!(retried, Err(ReplicaError::ClockEnd(_))));
    assert_eq!((outbox(&a), a.quarantined().unwrap()), (0, held));
}
