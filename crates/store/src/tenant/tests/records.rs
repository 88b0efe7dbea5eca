//! Records of several rows per op: whatever is decided, refused and pulled when, what is pending stands
//! on top of what is confirmed, and goes without a trace.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use syncline_model::record::{Asker, Decision, Mode, Offered, Rulebook, decide};
use syncline_model::schema::{Role, Schema};
use syncline_model::{PayloadHash, UserId};

use super::*;
use crate::records::{
    HISTORY_BYTES_MAX, HistoryPage, StoredRecords, confirmed, decision_at, history, is_pending,
};

pub(super) fn rulebook(conflict: &str) -> Rulebook {
    let schema: Schema = serde_json::from_value(json!({"entities": [{
        "name": "rows", "singular": "row", "key": "id", "mode": {"kind": "optimistic"},
        "conflict": conflict,
        "fields": [{"name": "id", "kind": "text"}, {"name": "a", "kind": "int64"}],
        "unique": [["a"]],
    }]}))
    .unwrap();
    Rulebook::new(schema)
}

pub(super) fn offered(writes: Json, mode: Mode) -> Offered {
    let writes = serde_json::from_value(writes).unwrap();
    Offered {
        writes,
        mode,
        salt: None,
    }
}

fn record_op(actor: &str, clock: u64, offered: &Offered) -> Op {
    Op {
        key: OpKey {
            actor: ActorId::new(actor).unwrap(),
            clock: Clock::new(clock).unwrap(),
            scope: Scope::record(),
            resource: offered.resource().unwrap(),
        },
        payload: offered.payload().unwrap(),
    }
}

/// Decides an op as a server does, and appends what came of it; says whether it was taken.
fn offer(server: &mut TenantFile, rulebook: &Rulebook, op: &Op) -> bool {
    let asker = Asker {
        user: UserId::new("u").unwrap(),
        role: Role::Owner,
    };
    let offered: Offered = op.payload.read().unwrap();
    let mut rows = StoredRecords(server.connection());
    let decided = decide(rulebook, &mut rows, &asker, &offered, at(0)).unwrap();
    let Ok(decision) = decided else {
        return false;
    };
    let payload = decision.payload().unwrap();
    let hash: PayloadHash = op.payload.hash();
    let mut batch = server.begin().unwrap();
    batch.append(&op.key, Some(&payload), hash).unwrap();
    batch.commit().unwrap();
    true
}

/// What a replica holds that has the server's log and this outbox on top, made anew.
pub(super) fn made_anew(dir: &Dir, name: &str, at: &TenantFile, outbox: &[PendingOp]) -> String {
    let mut fresh = dir.create(name);
    let log = at.ops_after(ServerSeq::ZERO, EVERYTHING).unwrap();
    if !log.is_empty() {
        let page = PulledPage {
            epoch: epoch(1),
            floor: ServerSeq::ZERO,
            since: ServerSeq::ZERO,
            ops: log,
            cursor: at.head().unwrap().cursor,
        };
        fresh.apply(&page, &[][..] as &[PendingOp]).unwrap();
    }
    fresh.fold_outbox(outbox).unwrap();
    fresh.dump_view().unwrap()
}

#[derive(Debug, Clone)]
enum Step {
    Write {
        replica: usize,
        op: Offered,
    },
    /// A replica offers its oldest op.
    Push(usize),
    Pull(usize, usize),
}

fn writes() -> impl Strategy<Value = Offered> {
    let action = prop_oneof![
        Just("create"),
        Just("update"),
        Just("update"),
        Just("delete")
    ];
    let value = prop_oneof![Just(json!({})), (1..4_i64).prop_map(|n| json!({"a": n}))];
    let unset = prop_oneof![4 => Just(json!([])), 1 => Just(json!(["a"]))];
    let write = (action, "[wxyz]", value, unset).prop_map(|(action, id, values, unset)| {
        json!({"entity": "rows", "id": id, "action": action, "values": values, "unset": unset})
    });
    let mode = prop_oneof![3 => Just(Mode::Optimistic), 1 => Just(Mode::Confirmed)];
    (proptest::collection::vec(write, 1..4), mode)
        .prop_map(|(writes, mode)| offered(Json::Array(writes), mode))
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..2_usize, writes()).prop_map(|(replica, op)| Step::Write { replica, op }),
        3 => (0..2_usize).prop_map(Step::Push),
        2 => (0..2_usize, 1..4_usize).prop_map(|(replica, limit)| Step::Pull(replica, limit)),
    ];
    proptest::collection::vec(step, 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// At every moment a replica's view is that of its log with its outbox on top, as if it had been
    /// made in one go; and in the end all views are equal.
    #[test]
    fn a_view_is_its_log_with_its_outbox_on_top(steps in steps()) {
        let dir = Dir::new();
        let rulebook = rulebook("last_write_wins");
        let mut server = dir.create("s.db");
        let mut replicas: Vec<_> = (0..2).map(|n| dir.create(&format!("r{n}.db"))).collect();
        let mut outboxes: Vec<Vec<PendingOp>> = vec![Vec::new(); 2];
        let mut clock = 0;
        for step in steps {
            let n = match step {
                Step::Write { replica, op } => {
                    clock += 1;
                    let op = record_op(&format!("r{replica}"), clock, &op);
                    outboxes[replica].push(PendingOp { order: clock, op });
                    replicas[replica].fold_outbox(&outboxes[replica][..]).unwrap();
                    replica
                }
                Step::Push(n) => {
                    let log = server.ops_after(ServerSeq::ZERO, EVERYTHING).unwrap();
                    let is_new = |own: &&PendingOp| log.iter().all(|op| op.key != own.op.key);
                    if let Some(own) = outboxes[n].iter().find(is_new).cloned()
                        && !offer(&mut server, &rulebook, &own.op)
                    {
                        outboxes[n].retain(|other| other.order != own.order);
                        let due = syncline_model::touched(&own.op.key, Some(&own.op.payload));
                        replicas[n].refold(&due, &outboxes[n][..]).unwrap();
                    }
                    n
                }
                Step::Pull(n, limit) => {
                    pull(&server, &mut replicas[n], &outboxes[n], limit);
                    let held = replicas[n].ops_after(ServerSeq::ZERO, EVERYTHING).unwrap();
                    outboxes[n].retain(|own| held.iter().all(|op| op.key != own.op.key));
                    n
                }
            };
            let expected = made_anew(&dir, &format!("m{}.db", clock_of(&dir)), &replicas[n], &outboxes[n]);
            prop_assert_eq!(replicas[n].dump_view().unwrap(), expected);
        }
        for (n, outbox) in outboxes.iter_mut().enumerate() {
            let gone = std::mem::take(outbox);
            for own in gone {
                let due = syncline_model::touched(&own.op.key, Some(&own.op.payload));
                replicas[n].refold(&due, &[][..]).unwrap();
            }
            pull(&server, &mut replicas[n], &[], 7);
            prop_assert_eq!(replicas[n].dump_view().unwrap(), server.dump_view().unwrap());
            let images: i64 = replicas[n].connection()
                .query_row("SELECT count(*) FROM confirmed_rows", [], |row| row.get(0)).unwrap();
            prop_assert_eq!(images, 0);
        }
    }

    /// Compaction takes away no row and no column, whatever one op has touched.
    #[test]
    fn a_compacted_log_folds_to_the_same_records(ops in proptest::collection::vec(writes(), 1..30)) {
        let dir = Dir::new();
        let rulebook = rulebook("last_write_wins");
        let mut server = dir.create("s.db");
        for (n, op) in ops.iter().enumerate() {
            offer(&mut server, &rulebook, &record_op("a", n as u64 + 1, op));
        }
        let expected = server.dump_view().unwrap();
        let head = server.head().unwrap().cursor.server_seq;
        let mut run = Compaction::begin(&server, head, Collecting::Tombstones).unwrap();
        let nothing: &[PendingOp] = &[];
        while server.compact_step(&mut run, 3, nothing).unwrap() == Stepped::More {}
        prop_assert_eq!(&server.dump_view().unwrap(), &expected);
        server.fold_again().unwrap();
        prop_assert_eq!(&server.dump_view().unwrap(), &expected);
    }
}

/// A number that no file of the directory has yet.
fn clock_of(dir: &Dir) -> usize {
    std::fs::read_dir(dir.0.path()).unwrap().count()
}

#[test]
fn an_op_on_two_records_is_undone_on_both_though_the_page_names_one() {
    let dir = Dir::new();
    let rulebook = rulebook("last_write_wins");
    let (mut server, mut replica) = (dir.create("s.db"), dir.create("r.db"));
    let create = |id: &str, a: i64| json!({"entity": "rows", "id": id, "action": "create", "values": {"a": a}});
    let update = |id: &str, a: i64| json!({"entity": "rows", "id": id, "action": "update", "values": {"a": a}});
    let both = record_op(
        "a",
        1,
        &offered(json!([create("x", 1), create("y", 2)]), Mode::Optimistic),
    );
    assert!(offer(&mut server, &rulebook, &both));
    pull(&server, &mut replica, &[], 10);
    let mine = [
        record_op(
            "b",
            2,
            &offered(json!([update("x", 10), update("y", 20)]), Mode::Optimistic),
        ),
        record_op("b", 3, &offered(json!([update("y", 30)]), Mode::Optimistic)),
    ];
    let outbox = pending(&mine);
    replica.fold_outbox(&outbox[..]).unwrap();
    let theirs = record_op("a", 4, &offered(json!([update("x", 7)]), Mode::Optimistic));
    assert!(offer(&mut server, &rulebook, &theirs));
    pull(&server, &mut replica, &outbox, 10);
    let values = |file: &TenantFile| -> BTreeMap<String, Json> {
        let rows = ["x", "y"].map(|id| {
            let mut rows = StoredRecords(file.connection());
            let row = syncline_model::record::Records::record(&mut rows, "rows", id).unwrap();
            (id.to_owned(), row.unwrap().columns["a"].clone())
        });
        rows.into()
    };
    assert_eq!(json!(values(&replica)), json!({"x": 10, "y": 30}));
    let below = confirmed(replica.connection(), "rows", "x")
        .unwrap()
        .unwrap();
    assert_eq!(below.columns["a"], 7);
    assert!(is_pending(replica.connection(), "rows", "y").unwrap());
    assert!(offer(&mut server, &rulebook, &mine[0]));
    pull(&server, &mut replica, &outbox, 10);
    assert_eq!(json!(values(&replica)), json!({"x": 10, "y": 30}));
    replica
        .refold(
            &syncline_model::touched(&mine[1].key, Some(&mine[1].payload)),
            &[][..],
        )
        .unwrap();
    assert_eq!(json!(values(&replica)), json!({"x": 10, "y": 20}));
    assert!(!is_pending(replica.connection(), "rows", "x").unwrap());
}

#[test]
fn the_history_of_a_record_tells_who_wrote_what_and_what_has_lost() {
    let dir = Dir::new();
    let rulebook = rulebook("server_wins");
    let mut server = dir.create("s.db");
    let writes = [
        json!([{"entity": "rows", "id": "x", "action": "create", "values": {"a": 1}}]),
        json!([{"entity": "rows", "id": "y", "action": "create"}, {"entity": "rows", "id": "x", "action": "update", "values": {"a": 2}}]),
        json!([{"entity": "rows", "id": "x", "action": "update", "values": {"a": 3}, "base": {"a": 1}}]),
        json!([{"entity": "rows", "id": "x", "action": "delete"}]),
    ];
    for (n, write) in writes.into_iter().enumerate() {
        let op = record_op("a", n as u64 + 1, &offered(write, Mode::Confirmed));
        assert!(offer(&mut server, &rulebook, &op));
    }
    let page = |after: u64, limit: usize| {
        history(server.connection(), ("rows", "x"), ServerSeq(after), limit).unwrap()
    };
    let told: Vec<_> = page(0, 10)
        .entries
        .into_iter()
        .map(|entry| {
            json!([
                entry.seq.get(),
                entry.by,
                entry.decided.action,
                entry.decided.values,
                entry.decided.lost
            ])
        })
        .collect();
    let expected = json!([
        [1, "u", "create", {"a": 1, "id": "x"}, {}],
        [2, "u", "update", {"a": 2}, {}],
        [3, "u", "update", {}, {"a": {"base": 1, "mine": 3, "theirs": 2}}],
        [4, "u", "delete", {}, {}],
    ]);
    assert_eq!(json!(told), expected);
    let places = |page: HistoryPage| {
        let places = page.entries.iter().map(|entry| entry.seq.get());
        (places.collect::<Vec<_>>(), page.next)
    };
    assert_eq!(places(page(0, 2)), (vec![1, 2], Some(ServerSeq(2))));
    assert_eq!(places(page(2, 2)), (vec![3, 4], None));
    assert_eq!(places(page(u64::MAX, 2)), (vec![], None));
    let decided = decision_at(server.connection(), ServerSeq(2)).unwrap();
    assert_eq!(decided.unwrap().decided.len(), 2);
}

#[test]
fn a_page_of_a_history_ends_where_it_has_bytes_enough() {
    let dir = Dir::new();
    let rulebook = rulebook("last_write_wins");
    let mut server = dir.create("s.db");
    let create = json!([{"entity": "rows", "id": "x", "action": "create", "values": {"a": 1}}]);
    let long = "x".repeat(HISTORY_BYTES_MAX / 8);
    let update = |text: &str| json!([{"entity": "rows", "id": "x", "action": "update", "values": {"more": text}}]);
    let writes = (1..=10).map(|n| update(&format!("{n}{long}")));
    for (n, write) in std::iter::once(create).chain(writes).enumerate() {
        let op = record_op("a", n as u64 + 1, &offered(write, Mode::Confirmed));
        assert!(offer(&mut server, &rulebook, &op));
    }
    let page = history(server.connection(), ("rows", "x"), ServerSeq::ZERO, 100).unwrap();
    assert_eq!((page.entries.len(), page.next), (9, Some(ServerSeq(9))));
}

/// Appends a decision as it stands in a log.
fn append_decided(server: &mut TenantFile, clock: u64, decision: &Json) {
    let first = &decision["decided"][0];
    let resource = format!(
        "{}/{}",
        first["entity"].as_str().unwrap(),
        first["id"].as_str().unwrap()
    );
    let decision: Decision = serde_json::from_value(decision.clone()).unwrap();
    let payload = decision.payload().unwrap();
    let key = OpKey {
        actor: ActorId::new("a").unwrap(),
        clock: Clock::new(clock).unwrap(),
        scope: Scope::record(),
        resource: resource.parse().unwrap(),
    };
    let mut batch = server.begin().unwrap();
    batch.append(&key, Some(&payload), payload.hash()).unwrap();
    batch.commit().unwrap();
}

#[test]
fn a_history_is_of_one_entitys_record_and_tells_what_is_restricted() {
    let dir = Dir::new();
    let mut server = dir.create("s.db");
    for (clock, restricted) in [(1, true), (2, false)] {
        let decision = json!({"decided": [
            {"entity": "rows", "id": "x", "action": "update", "values": {"of": "rows"}},
            {"entity": "notes", "id": "x", "action": "update", "values": {"of": "notes"}},
        ], "by": "u", "at": "2026-01-02T03:04:05.678Z", "restricted": restricted});
        append_decided(&mut server, clock, &decision);
    }
    for entity in ["rows", "notes"] {
        let page = history(server.connection(), (entity, "x"), ServerSeq::ZERO, 10).unwrap();
        let told = page.entries.iter().map(|entry| {
            let of = entry.decided.values["of"].as_str().unwrap();
            (entry.seq.get(), entry.restricted, of)
        });
        assert_eq!(
            told.collect::<Vec<_>>(),
            [(1, true, entity), (2, false, entity)]
        );
    }
}

#[test]
fn a_page_of_a_history_does_not_end_by_what_is_of_other_records() {
    let dir = Dir::new();
    let mut server = dir.create("s.db");
    let long = "x".repeat(HISTORY_BYTES_MAX / 8);
    let of_x = json!([{"entity": "rows", "id": "x", "action": "update"}]);
    // Their payloads hold what `x` is called by, in a value.
    let of_others = json!([
        {"entity": "rows", "id": "y", "action": "update", "values": {"seen": "x", "more": long}},
        {"entity": "rows", "id": "z", "action": "update"},
    ]);
    for clock in 1..=12 {
        let decided = if clock == 12 { &of_x } else { &of_others };
        let decision = json!({"decided": decided, "by": "u", "at": "2026-01-02T03:04:05.678Z"});
        append_decided(&mut server, clock, &decision);
    }
    let page = history(server.connection(), ("rows", "x"), ServerSeq::ZERO, 10).unwrap();
    let places = page.entries.iter().map(|entry| entry.seq.get());
    assert_eq!((places.collect::<Vec<_>>(), page.next), (vec![12], None));
}
