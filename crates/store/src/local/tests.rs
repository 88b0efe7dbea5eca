use std::path::PathBuf;

use syncline_model::{
    ActorId, ClientId, Clock, Cursor, LoggedOp, Mark, OpKey, Payload, Scope, ServerSeq, Timestamp,
};

use super::{
    AcknowledgedOps, FORMAT, Identity, LocalFile, NewOp, OldFile, OutboxState, QuarantineId,
    Switch, SwitchError, Verdict, WriteError, Written,
};
use crate::tenant::{Outbox, PageLimit};
use crate::{FileOptions, OpenError};

const WHOLE: PageLimit = PageLimit {
    ops: 1000,
    bytes: 1 << 20,
};

fn now() -> Timestamp {
    "2026-01-02T03:04:05.678Z".parse().unwrap()
}

fn fresh() -> Identity {
    Identity {
        replica: ClientId::new("replica-1").unwrap(),
        actor: ActorId::new("actor-1").unwrap(),
        clock: 0,
        host: None,
        member: None,
        tenant_file: "first.db".to_owned(),
    }
}

struct Place {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("local.db");
        Self {
            _directory: directory,
            path,
        }
    }

    fn open(&self) -> LocalFile {
        LocalFile::open_or_create(&self.path, &FileOptions::default(), &fresh()).unwrap()
    }
}

fn new_op(text: &str) -> NewOp {
    NewOp {
        scope: Scope::new("note").unwrap(),
        resource: "n-1".parse().unwrap(),
        payload: Payload::parse(&format!("{{\"text\":\"{text}\"}}")).unwrap(),
    }
}

fn write(local: &mut LocalFile, texts: &[&str]) -> Written {
    let ops: Vec<NewOp> = texts.iter().map(|text| new_op(text)).collect();
    local.write(&ops, || Ok(0), now()).unwrap()
}

fn keys(written: &Written) -> Vec<OpKey> {
    written
        .ops
        .iter()
        .map(|pending| pending.op.key.clone())
        .collect()
}

fn texts(local: &LocalFile) -> Vec<String> {
    let all = local.outbox_after(0, usize::MAX >> 1).unwrap();
    all.iter()
        .map(|row| {
            row.payload
                .as_ref()
                .unwrap()
                .as_str()
                .replace("{\"text\":", "")
        })
        .collect()
}

fn settle(local: &mut LocalFile, verdicts: &[(OpKey, Verdict)]) -> super::Settled {
    local
        .settle(verdicts, &ActorId::new("actor-2").unwrap(), 0, now())
        .unwrap()
}

fn logged(seq: u64, text: &str) -> LoggedOp {
    let payload = new_op(text).payload;
    LoggedOp {
        seq: ServerSeq(seq),
        key: OpKey {
            actor: ActorId::new("elsewhere").unwrap(),
            clock: Clock::new(seq).unwrap(),
            scope: Scope::new("note").unwrap(),
            resource: "n-1".parse().unwrap(),
        },
        payload_hash: payload.hash(),
        payload: Some(payload),
    }
}

fn switch<'a>(from: &'a str, to: &'a str, heal: Option<Cursor>) -> Switch<'a> {
    Switch {
        from,
        to,
        old_file: OldFile::Remove,
        heal,
        acknowledged: AcknowledgedOps::OfferAgain,
        clock_seen: 0,
        now: now(),
    }
}

fn heal_at(seq: u64) -> Cursor {
    Cursor {
        server_seq: ServerSeq(seq),
        mark: Mark::origin([7; 16]),
    }
}

/// Changing the schema asks for a new format, a migration from the last, and then for this file.
#[test]
fn the_schema_is_that_of_its_format() {
    let place = Place::new();
    let local = place.open();
    let mut statement = local
        .connection
        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")
        .unwrap();
    let statements: Vec<String> = statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let found = format!("-- format {FORMAT}\n{};\n", statements.join(";\n"));
    assert_eq!(found, include_str!("schema.snapshot.sql"));
}

#[test]
fn a_write_waits_for_the_disk_also_after_a_commit_that_does_not() {
    let place = Place::new();
    let mut local = place.open();
    let synchronous = |local: &LocalFile| -> i64 {
        local
            .connection
            .pragma_query_value(None, "synchronous", |row| row.get(0))
            .unwrap()
    };
    let written = write(&mut local, &["a"]);
    assert_eq!(synchronous(&local), 2);
    local.forget_pulled(&keys(&written)).unwrap();
    assert_eq!(synchronous(&local), 1);
    write(&mut local, &["b"]);
    assert_eq!(synchronous(&local), 2);
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let place = Place::new();
    let mut local = place.open();
    write(&mut local, &["kept"]);
    local
        .connection
        .pragma_update(None, "user_version", FORMAT + 1)
        .unwrap();
    drop(local);
    let error = LocalFile::open(&place.path, &FileOptions::default()).unwrap_err();
    assert!(matches!(error, OpenError::NewerFormat { found, .. } if found == FORMAT + 1));
    let error =
        LocalFile::open_or_create(&place.path, &FileOptions::default(), &fresh()).unwrap_err();
    assert!(matches!(error, OpenError::NewerFormat { .. }));
    let raw = rusqlite::Connection::open(&place.path).unwrap();
    let rows: i64 = raw
        .query_row("SELECT count(*) FROM outbox", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 1);
}

#[test]
fn another_programs_database_is_refused() {
    let place = Place::new();
    rusqlite::Connection::open(&place.path)
        .unwrap()
        .execute_batch("CREATE TABLE t (a)")
        .unwrap();
    let error =
        LocalFile::open_or_create(&place.path, &FileOptions::default(), &fresh()).unwrap_err();
    assert!(matches!(error, OpenError::Foreign { .. }));
}

#[test]
fn a_missing_file_is_missing() {
    let place = Place::new();
    let error = LocalFile::open(&place.path, &FileOptions::default()).unwrap_err();
    assert!(matches!(error, OpenError::Missing { .. }));
}

#[test]
fn the_first_to_make_the_file_gives_its_identity() {
    let place = Place::new();
    let first = place.open();
    let other = Identity {
        replica: ClientId::new("late").unwrap(),
        ..fresh()
    };
    let second = LocalFile::open_or_create(&place.path, &FileOptions::default(), &other).unwrap();
    assert_eq!(second.identity().unwrap(), fresh());
    assert_eq!(first.identity().unwrap(), fresh());
}

#[test]
fn clocks_rise_above_all_seen_and_are_never_used_again() {
    let place = Place::new();
    let mut local = place.open();
    let clocks = |written: &Written| -> Vec<u64> {
        written
            .ops
            .iter()
            .map(|pending| pending.op.key.clock.get())
            .collect()
    };
    assert_eq!(clocks(&write(&mut local, &["a", "b"])), [1, 2]);
    let seen = local.write(&[new_op("c")], || Ok(40), now()).unwrap();
    assert_eq!(clocks(&seen), [41]);
    local.forget_pulled(&keys(&seen)).unwrap();
    assert_eq!(clocks(&write(&mut local, &["d"])), [42]);
}

#[test]
fn the_last_clock_is_the_end_and_writes_nothing() {
    let place = Place::new();
    let mut local = place.open();
    let last = syncline_model::limits::CLOCK_MAX;
    let error = local
        .write(&[new_op("a"), new_op("b")], || Ok(last - 1), now())
        .unwrap_err();
    assert!(matches!(error, WriteError::ClockEnd(_)));
    assert!(texts(&local).is_empty());
}

#[test]
fn orders_are_never_used_again() {
    let place = Place::new();
    let mut local = place.open();
    let first = write(&mut local, &["a"]);
    local.forget_pulled(&keys(&first)).unwrap();
    let second = write(&mut local, &["b"]);
    assert!(second.ops[0].order > first.ops[0].order);
}

#[test]
fn a_batch_holds_the_oldest_pending_ops_within_its_bounds() {
    let place = Place::new();
    let mut local = place.open();
    assert_eq!(local.next_batch(WHOLE).unwrap(), None);
    let written = write(&mut local, &["a", "b", "c"]);
    settle(
        &mut local,
        &[(
            keys(&written)[0].clone(),
            Verdict::Acknowledged(ServerSeq(9)),
        )],
    );
    let batch = local
        .next_batch(PageLimit {
            ops: 1,
            bytes: 1000,
        })
        .unwrap()
        .unwrap();
    assert_eq!(batch.ops.len(), 1);
    assert_eq!(batch.ops[0].key, keys(&written)[1]);
    assert_eq!(local.offered_order().unwrap(), batch.ops[0].order);
    let tiny = local
        .next_batch(PageLimit { ops: 10, bytes: 1 })
        .unwrap()
        .unwrap();
    assert_eq!(tiny.ops.len(), 1, "one op always fits");
}

#[test]
fn a_refused_op_moves_to_quarantine_and_its_resource_is_due() {
    let place = Place::new();
    let mut local = place.open();
    let written = write(&mut local, &["a", "b"]);
    let refused = Verdict::Refused {
        code: "invalid_op".to_owned(),
        message: "no".to_owned(),
    };
    let settled = settle(
        &mut local,
        &[
            (keys(&written)[0].clone(), refused.clone()),
            (
                keys(&written)[1].clone(),
                Verdict::Acknowledged(ServerSeq(1)),
            ),
        ],
    );
    assert_eq!((settled.quarantined, settled.acknowledged), (1, 1));
    let held = local.quarantined().unwrap();
    assert_eq!(held.len(), 1);
    assert_eq!(
        (held[0].code.as_str(), &held[0].key),
        ("invalid_op", &keys(&written)[0])
    );
    let (due, token) = local.refolds_due().unwrap().unwrap();
    assert_eq!(due.len(), 1);
    local.refolded(token).unwrap();
    assert_eq!(local.refolds_due().unwrap(), None);
    // The answer comes twice: the second changes nothing.
    settle(&mut local, &[(keys(&written)[0].clone(), refused)]);
    assert_eq!(local.count_quarantined().unwrap(), 1);
}

#[test]
fn a_retried_op_is_written_anew_with_a_new_clock() {
    let place = Place::new();
    let mut local = place.open();
    let written = write(&mut local, &["a"]);
    let refused = Verdict::Refused {
        code: "c".to_owned(),
        message: "m".to_owned(),
    };
    settle(&mut local, &[(keys(&written)[0].clone(), refused)]);
    let id = local.quarantined().unwrap()[0].id;
    let key = local.retry(id, || Ok(0)).unwrap().unwrap();
    assert!(key.clock > keys(&written)[0].clock);
    assert_eq!(local.count_quarantined().unwrap(), 0);
    assert_eq!(texts(&local), ["\"a\"}"]);
    assert_eq!(local.retry(id, || Ok(0)).unwrap(), None);
    assert_eq!(local.drop_quarantined(QuarantineId(99)).unwrap(), None);
}

#[test]
fn ops_written_anew_keep_their_order_and_leave_offered_ones_alone() {
    let place = Place::new();
    let mut local = place.open();
    let written = write(&mut local, &["a", "b", "c"]);
    local.next_batch(WHOLE).unwrap();
    write(&mut local, &["d", "e"]);
    let settled = settle(
        &mut local,
        &[
            (
                keys(&written)[0].clone(),
                Verdict::Acknowledged(ServerSeq(1)),
            ),
            (keys(&written)[1].clone(), Verdict::WriteAnew),
        ],
    );
    assert_eq!(settled.written_anew, 3);
    // "c" was offered, and the answer does not say what became of it.
    assert_eq!(
        texts(&local),
        ["\"a\"}", "\"c\"}", "\"b\"}", "\"d\"}", "\"e\"}"]
    );
    let rows = local.outbox_after(0, 10).unwrap();
    let stamps: Vec<(&str, u64)> = rows
        .iter()
        .map(|row| (row.key.actor.as_str(), row.key.clock.get()))
        .collect();
    assert_eq!(
        stamps,
        [
            ("actor-1", 1),
            ("actor-1", 3),
            ("actor-2", 1),
            ("actor-2", 2),
            ("actor-2", 3)
        ]
    );
    assert_eq!(local.identity().unwrap().actor.as_str(), "actor-2");
    let next = write(&mut local, &["f"]);
    assert_eq!(next.ops[0].op.key.clock.get(), 4);
}

#[test]
fn a_switch_puts_offers_before_the_outbox_and_counts_all_as_pending() {
    let place = Place::new();
    let mut local = place.open();
    let written = write(&mut local, &["mine", "mine too"]);
    local.next_batch(PageLimit { ops: 1, bytes: 100 }).unwrap();
    settle(
        &mut local,
        &[(
            keys(&written)[0].clone(),
            Verdict::Acknowledged(ServerSeq(9)),
        )],
    );
    let offers = [Ok(logged(5, "x")), Ok(logged(6, "y"))];
    let count = local
        .switch(
            &switch("first.db", "second.db", Some(heal_at(4))),
            offers.into_iter(),
        )
        .unwrap();
    assert_eq!(count, 2);
    assert_eq!(
        texts(&local),
        ["\"x\"}", "\"y\"}", "\"mine\"}", "\"mine too\"}"]
    );
    let rows = local.outbox_after(0, 10).unwrap();
    assert!(rows.iter().all(|row| row.state == OutboxState::Pending));
    assert!(
        rows[0].order > written.ops[1].order,
        "no order is used again"
    );
    let batch = local.next_batch(WHOLE).unwrap().unwrap();
    assert_eq!((batch.heal, batch.ops.len()), (Some(heal_at(4)), 2));
    assert_eq!(local.identity().unwrap().tenant_file, "second.db");
    assert_eq!(local.leftovers().unwrap(), ["first.db"]);
    let later = write(&mut local, &["later"]);
    assert!(later.ops[0].order > rows[3].order);
    // Only the op that never went out is free to be written anew.
    let offered = local.offered_order().unwrap();
    assert!(rows[2].order <= offered && offered < later.ops[0].order);
}

#[test]
fn a_second_switch_moves_unsent_offers_to_the_new_common_place() {
    let place = Place::new();
    let mut local = place.open();
    let first = switch("first.db", "second.db", Some(heal_at(4)));
    local
        .switch(&first, [Ok(logged(5, "x"))].into_iter())
        .unwrap();
    let second = switch("second.db", "third.db", Some(heal_at(2)));
    local
        .switch(&second, [Ok(logged(3, "w"))].into_iter())
        .unwrap();
    let batch = local.next_batch(WHOLE).unwrap().unwrap();
    assert_eq!((batch.heal, batch.ops.len()), (Some(heal_at(2)), 2));
    assert_eq!(texts(&local), ["\"w\"}", "\"x\"}"]);
}

#[test]
fn a_cut_on_purpose_takes_the_acknowledged_ops_above_it_and_no_pending_one() {
    let place = Place::new();
    let mut local = place.open();
    let written = write(&mut local, &["below", "above", "pending"]);
    settle(
        &mut local,
        &[
            (
                keys(&written)[0].clone(),
                Verdict::Acknowledged(ServerSeq(3)),
            ),
            (
                keys(&written)[1].clone(),
                Verdict::Acknowledged(ServerSeq(4)),
            ),
        ],
    );
    let follow = Switch {
        acknowledged: AcknowledgedOps::DiscardAbove(ServerSeq(3)),
        ..switch("first.db", "second.db", Some(heal_at(3)))
    };
    local.switch(&follow, std::iter::empty()).unwrap();
    assert_eq!(texts(&local), ["\"below\"}", "\"pending\"}"]);
    assert!(local.refolds_due().unwrap().is_some());
}

#[test]
fn a_cut_on_purpose_lets_go_of_offers_that_still_wait() {
    let place = Place::new();
    let mut local = place.open();
    let first = switch("first.db", "second.db", Some(heal_at(4)));
    local
        .switch(&first, [Ok(logged(5, "x"))].into_iter())
        .unwrap();
    write(&mut local, &["pending"]);
    local
        .begin_epoch(AcknowledgedOps::DiscardAbove(ServerSeq(u64::MAX)))
        .unwrap();
    assert_eq!(texts(&local), ["\"pending\"}"]);
}

#[test]
fn a_failed_or_late_switch_changes_nothing() {
    let place = Place::new();
    let mut local = place.open();
    write(&mut local, &["mine"]);
    let damaged = [Ok(logged(5, "x")), Err(crate::StoreError::damaged("test"))];
    let plan = switch("first.db", "second.db", Some(heal_at(4)));
    assert!(matches!(
        local.switch(&plan, damaged.into_iter()),
        Err(SwitchError::Store(_))
    ));
    assert_eq!(texts(&local), ["\"mine\"}"]);
    let late = switch("another.db", "second.db", None);
    let error = local.switch(&late, std::iter::empty()).unwrap_err();
    assert!(matches!(error, SwitchError::Moved { current } if current == "first.db"));
}

#[test]
fn equal_offers_with_a_taken_key_get_equal_keys_on_every_replica() {
    let derive = || {
        let place = Place::new();
        let mut local = place.open();
        let plan = switch("first.db", "second.db", Some(heal_at(4)));
        local
            .switch(&plan, [Ok(logged(5, "x"))].into_iter())
            .unwrap();
        settle(&mut local, &[(logged(5, "x").key, Verdict::WriteAnew)]);
        assert_eq!(local.identity().unwrap().actor.as_str(), "actor-1");
        local.outbox_after(0, 10).unwrap()[0].key.clone()
    };
    let key = derive();
    assert_ne!(key, logged(5, "x").key);
    assert_eq!(key, derive());
}

#[test]
fn erased_ops_are_offered_and_not_folded() {
    let place = Place::new();
    let mut local = place.open();
    let erased = LoggedOp {
        payload: None,
        ..logged(5, "x")
    };
    let plan = switch("first.db", "second.db", Some(heal_at(4)));
    local
        .switch(&plan, [Ok(erased.clone())].into_iter())
        .unwrap();
    assert!(local.after(0).unwrap().is_empty());
    let batch = local.next_batch(WHOLE).unwrap().unwrap();
    assert_eq!(batch.ops[0].payload_hash, erased.payload_hash);
    assert_eq!(batch.ops[0].payload, None);
}

#[test]
fn counts_go_by_scope_and_know_the_oldest_pending_op() {
    let place = Place::new();
    let mut local = place.open();
    let written = write(&mut local, &["a", "b"]);
    settle(
        &mut local,
        &[(
            keys(&written)[0].clone(),
            Verdict::Acknowledged(ServerSeq(1)),
        )],
    );
    let counts = local.count_outbox().unwrap();
    assert_eq!(counts.len(), 1);
    assert_eq!((counts[0].pending, counts[0].acknowledged), (1, 1));
    assert_eq!(counts[0].oldest_pending_at, Some(now()));
}
