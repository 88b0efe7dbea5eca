//! Pushes to lists of which tombstones were collected.

use std::time::Duration;

use syncline_model::ListId;
use syncline_store::Stepped;
use syncline_store::lists::items;

use super::*;

fn on_list(list: &str, actor: &str, clock: u64, payload: &str) -> ReceivedOp {
    let mut op = formed(Scope::LIST, actor, clock, payload);
    op.key.resource = ResourceId::new(list).unwrap();
    ReceivedOp::Readable(op)
}

fn insert(list: &str, actor: &str, clock: u64, item: &str) -> ReceivedOp {
    let payload = format!(
        r#"{{"type":"insert","itemId":"{item}","payload":{{"text":"as added","pos":[{{"digit":1,"actor":"a"}}]}}}}"#
    );
    on_list(list, actor, clock, &payload)
}

fn edit(list: &str, actor: &str, clock: u64, item: &str) -> ReceivedOp {
    let payload =
        format!(r#"{{"type":"update","itemId":"{item}","payload":{{"text":"as edited"}}}}"#);
    on_list(list, actor, clock, &payload)
}

fn remove(list: &str, actor: &str, clock: u64, item: &str) -> ReceivedOp {
    let payload = format!(r#"{{"type":"remove","itemId":"{item}","payload":null}}"#);
    on_list(list, actor, clock, &payload)
}

/// A log that has collected the tombstone of an item of `food`, of clock 7, and stands at place 3.
fn collected() -> Fixture {
    let mut f = fixture();
    let ops = [
        insert("food", "b", 1, "milk"),
        remove("food", "b", 7, "milk"),
        op("b", 20),
    ];
    verdicts(&mut f.log, ops);
    let keep = Keep {
        retention: Duration::ZERO,
        ..Keep::default()
    };
    let mut compacting = f
        .log
        .begin_compaction(&keep, Rewrite::Always, now())
        .unwrap();
    while f.log.compact_step(&mut compacting, 10).unwrap() == Stepped::More {}
    assert_eq!(compacting.report().totals.collected, 1);
    f
}

fn above(verdict: &Verdict) -> u64 {
    match verdict {
        Verdict::Rejected(error) => error.above.unwrap().get(),
        Verdict::Accepted(_) | Verdict::Duplicate(_) => panic!("{verdict:?} is no refusal"),
    }
}

fn texts(log: &mut TenantLog, list: &str) -> Vec<String> {
    let list = ListId::from(ResourceId::new(list).unwrap());
    let items = items(log.file().unwrap().connection(), &list).unwrap();
    items.into_iter().map(|shown| shown.item.text).collect()
}

/// The insert comes again with a clock above the collected one: the edit, which was accepted with a
/// clock below that, would be undone by what its writer had written before it.
#[test]
fn what_was_written_behind_an_op_that_is_to_be_stamped_anew_is_stamped_anew_behind_it() {
    let mut f = collected();
    let pushed = verdicts(
        &mut f.log,
        [
            insert("food", "a", 5, "bread"),
            insert("tools", "a", 6, "saw"),
            edit("food", "a", 8, "bread"),
            op("a", 9),
            // Of a later life of the same machine.
            edit("food", "a2", 10, "bread"),
        ],
    );
    let refused: Vec<_> = [&pushed[0], &pushed[2], &pushed[4]]
        .map(|verdict| (code(verdict), above(verdict)))
        .into();
    assert_eq!(
        refused,
        [
            ("clock_behind", 7),
            ("clock_behind", 8),
            ("clock_behind", 10)
        ]
    );
    assert_eq!([&pushed[1], &pushed[3]], [&accepted(4), &accepted(5)]);
    let again = verdicts(
        &mut f.log,
        [
            insert("food", "a3", 21, "bread"),
            edit("food", "a3", 22, "bread"),
        ],
    );
    assert_eq!(again, [accepted(6), accepted(7)]);
    assert_eq!(texts(&mut f.log, "food"), ["as edited"]);
}

#[test]
fn what_the_log_holds_already_is_a_duplicate_behind_a_refused_op_too() {
    let mut f = collected();
    verdicts(&mut f.log, [edit("food", "a", 8, "bread")]);
    let pushed = verdicts(
        &mut f.log,
        [
            insert("food", "a", 5, "bread"),
            edit("food", "a", 8, "bread"),
            edit("food", "a", 9, "bread"),
        ],
    );
    assert_eq!(code(&pushed[0]), "clock_behind");
    assert_eq!(pushed[1], duplicate(4));
    assert_eq!(code(&pushed[2]), "clock_behind");
    // A push is judged by itself: the next one is not behind a refusal of this.
    let next = verdicts(&mut f.log, [edit("food", "a", 11, "bread")]);
    assert_eq!(next, [accepted(5)]);
}

/// What is offered again for the log's sake is stamped anew by nobody.
#[test]
fn what_is_offered_again_behind_a_refused_op_is_taken() {
    let mut f = collected();
    let head = f.log.head().unwrap().cursor;
    let ops = [
        insert("food", "a", 5, "bread"),
        edit("food", "a", 8, "bread"),
    ];
    let offered = push_of_eve(Some(head), ops);
    let pushed = run_one(&mut f.log, offered).unwrap().verdicts;
    assert_eq!(code(&pushed[0]), "clock_behind");
    assert_eq!(pushed[1], accepted(4));
}

/// The tombstone may have covered it, or a log that was put back has lost it.
#[test]
fn the_writer_of_what_nothing_tells_of_is_told_so_and_who_has_it_from_a_log_is_not() {
    let mut f = collected();
    let bread = || insert("food", "b", 3, "bread");
    let pushed = verdicts(&mut f.log, [bread()]);
    assert_eq!(code(&pushed[0]), "maybe_covered");
    let offered = push_of_eve(Some(Cursor::ORIGIN), [bread()]);
    let pushed = run_one(&mut f.log, offered).unwrap().verdicts;
    assert_eq!(pushed, [Verdict::Duplicate(None)]);
    assert!(texts(&mut f.log, "food").is_empty());
}
