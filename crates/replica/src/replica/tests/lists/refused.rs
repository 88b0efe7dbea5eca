//! Refused changes of lists that are offered again.

use syncline_model::OpKey;

use super::super::{Server, equal_views, pull, refuse};
use super::*;
use crate::{LaterWords, Retried};

/// Two replicas that know a list `l` with three items.
fn furnished() -> (Place, Server, [Replica; 2]) {
    let place = Place::new();
    let mut server = place.server("s");
    let [mut a, mut b] = ["a", "b"].map(|name| place.open(name));
    start(&mut a, &server);
    start(&mut b, &server);
    furnish(&mut a);
    sync(&mut a, &mut server);
    pull(&mut b, &server);
    (place, server, [a, b])
}

fn written(replica: &mut Replica, command: &Command) -> OpKey {
    let keys = replica.change_lists(command).unwrap().keys;
    keys.into_iter().next().unwrap()
}

/// Does it after something else, so that it comes after what others do at the same time.
fn does_later(replica: &mut Replica, command: &Command, server: &mut Server) {
    does(replica, &edit("z", &format!("before {command:?}")));
    does(replica, command);
    sync(replica, server);
}

fn retry(replica: &mut Replica, later: LaterWords) -> Vec<Retried> {
    let held = replica.quarantined().unwrap();
    let ids: Vec<_> = held.iter().map(|op| op.id).collect();
    replica.retry_quarantined(&ids, later).unwrap()
}

/// A change of each part, what others do to it later, and the column that it is.
fn opposed() -> [(Command, Vec<Command>, &'static str); 6] {
    let moved = |spot| Command::Move {
        item: item_ref("x"),
        to: list_id("l"),
        spot,
    };
    let (check, uncheck) = (
        Command::Check {
            item: item_ref("y"),
        },
        Command::Uncheck {
            item: item_ref("y"),
        },
    );
    let renamed = |title: &str| Command::RenameList {
        list: list_id("l"),
        title: title.to_owned(),
    };
    let reordered = |spot| Command::ReorderList {
        list: list_id("l"),
        spot,
    };
    [
        (edit("x", "mine"), vec![edit("x", "theirs")], "text"),
        (check.clone(), vec![check, uncheck], "done"),
        (
            moved(Spot::End),
            vec![moved(Spot::After(item_ref("y")))],
            "position",
        ),
        (
            Command::Remove {
                item: item_ref("x"),
            },
            vec![
                Command::Remove {
                    item: item_ref("x"),
                },
                Command::Restore {
                    item: item_ref("x"),
                    former: None,
                },
            ],
            "present",
        ),
        (renamed("mine"), vec![renamed("theirs")], "title"),
        (
            reordered(Spot::End),
            vec![reordered(Spot::End), reordered(Spot::Start)],
            "position",
        ),
    ]
}

#[test]
fn a_retried_change_does_not_go_over_later_words_unless_it_is_to() {
    for (mine, theirs, column) in opposed() {
        let (_place, mut server, [mut a, mut b]) = furnished();
        let key = written(&mut a, &mine);
        for command in &theirs {
            does_later(&mut b, command, &mut server);
        }
        pull(&mut a, &server);
        refuse(&mut a, &key);
        equal_views(&mut a, &mut b);
        let retried = retry(&mut a, LaterWords::Stay);
        let [Retried::Outdone(words)] = &retried[..] else {
            panic!("{mine:?}: {retried:?}");
        };
        let columns: Vec<_> = words.iter().map(|word| word.column).collect();
        assert_eq!(columns, [column]);
        assert_eq!((outbox(&a), a.quarantined().unwrap().len()), (0, 1));
        let retried = retry(&mut a, LaterWords::Go);
        assert!(matches!(&retried[..], [Retried::Anew(_)]), "{retried:?}");
        let before = shown(&mut b);
        sync(&mut a, &mut server);
        pull(&mut b, &server);
        assert_ne!(shown(&mut b), before, "{mine:?}");
        equal_views(&mut a, &mut b);
    }
}

#[test]
fn a_refused_change_that_another_has_made_since_leaves_the_quarantine() {
    for is_known in [true, false] {
        let (_place, mut server, [mut a, mut b]) = furnished();
        let key = written(&mut a, &edit("x", "the same"));
        does_later(&mut b, &edit("x", "the same"), &mut server);
        if is_known {
            pull(&mut a, &server);
            refuse(&mut a, &key);
            assert_eq!(retry(&mut a, LaterWords::Stay), [Retried::There]);
        } else {
            refuse(&mut a, &key);
            pull(&mut a, &server);
        }
        assert!(a.quarantined().unwrap().is_empty());
        assert_eq!(outbox(&a), 0);
    }
}

#[test]
fn what_was_done_alike_before_a_refused_change_releases_nothing() {
    let (_place, mut server, [mut a, mut b]) = furnished();
    let check = Command::Check {
        item: item_ref("x"),
    };
    does(&mut b, &check);
    for n in 0..5 {
        does(&mut a, &edit("z", &format!("text {n}")));
    }
    let uncheck = Command::Uncheck {
        item: item_ref("x"),
    };
    let keys = [check.clone(), uncheck, check].map(|command| written(&mut a, &command));
    refuse(&mut a, &keys[2]);
    sync(&mut b, &mut server);
    sync(&mut a, &mut server);
    assert_eq!(a.quarantined().unwrap().len(), 1);
    let retried = retry(&mut a, LaterWords::Stay);
    assert!(matches!(&retried[..], [Retried::Anew(_)]), "{retried:?}");
}

#[test]
fn refused_changes_that_build_on_each_other_are_retried_together() {
    let (_place, mut server, [mut a, mut b]) = furnished();
    let keys = [add(&["w"]), edit("w", "as edited")].map(|command| written(&mut a, &command));
    for key in &keys {
        refuse(&mut a, key);
    }
    let retried = retry(&mut a, LaterWords::Stay);
    assert!(matches!(&retried[..], [Retried::Anew(_), Retried::Anew(_)]));
    sync(&mut a, &mut server);
    pull(&mut b, &server);
    assert_eq!(texts(&mut b), ["x", "y", "z", "as edited"]);
}
