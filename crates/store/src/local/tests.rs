use std::path::PathBuf;

use syncline_model::{
    ActorId, ClientId, Clock, Cursor, LoggedOp, Mark, OpKey, Payload, Scope, ServerSeq, Timestamp,
};

use super::{
    AcknowledgedOps, Cut, FORMAT, Identity, Judged, JudgedError, LocalFile, NewOp, OldFile,
    OutboxState, QuarantineId, Stack, Switch, SwitchError, Verdict, WriteError, Written,
};
use crate::tenant::{Outbox, PageLimit};
use crate::{FileOptions, OpenError};

mod history;
mod import;
mod lost;
mod outbox;
mod switches;

const WHOLE: PageLimit = PageLimit {
    ops: 1000,
    bytes: 1 << 20,
};

/// The tenant file of a new local file.
const FIRST: &str = "first.db";

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
        tenant_file: FIRST.to_owned(),
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
    let current = local.identity().unwrap().tenant_file;
    local
        .judged_by(&current)
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
        cut: 0,
        cut_end: None,
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
    local
        .judged_by(FIRST)
        .forget_pulled(&keys(&written), &[])
        .unwrap();
    assert_eq!(synchronous(&local), 1);
    write(&mut local, &["b"]);
    assert_eq!(synchronous(&local), 2);
}

#[test]
fn a_file_of_the_first_format_gets_what_it_lacks_and_keeps_what_it_holds() {
    let place = Place::new();
    let mut local = place.open();
    write(&mut local, &["kept"]);
    let raw = rusqlite::Connection::open(&place.path).unwrap();
    raw.execute_batch(
        "DROP TABLE list_steps; DROP TABLE compaction; DROP TABLE import_files; \
         DROP TABLE import_units; DROP TABLE outbox_touches; DROP TABLE lost_edits; \
         ALTER TABLE outbox DROP COLUMN first_ordinal; \
         ALTER TABLE quarantine DROP COLUMN details; \
         ALTER TABLE outbox DROP COLUMN first_clock; ALTER TABLE quarantine DROP COLUMN first_clock; \
         ALTER TABLE sync_notes DROP COLUMN sight; \
         ALTER TABLE sync_notes DROP COLUMN cut_at; ALTER TABLE sync_notes DROP COLUMN cut_ops; \
         ALTER TABLE sync_notes DROP COLUMN healed_ops; \
         ALTER TABLE sync_notes DROP COLUMN foreign_epoch; ALTER TABLE sync_notes DROP COLUMN joined_epoch; \
         ALTER TABLE sync_notes DROP COLUMN compared_epoch; \
         ALTER TABLE sync_notes DROP COLUMN compared_seq; \
         ALTER TABLE sync_notes DROP COLUMN cut_scope; ALTER TABLE sync_notes DROP COLUMN cut_resource_id; \
         ALTER TABLE sync_notes DROP COLUMN cut_actor; ALTER TABLE sync_notes DROP COLUMN cut_clock; \
         ALTER TABLE sync_notes DROP COLUMN cut_hash; \
         PRAGMA user_version = 1;",
    )
    .unwrap();
    drop((local, raw));
    assert_eq!(
        LocalFile::identity_of_copy(&place.path).unwrap().replica,
        fresh().replica
    );
    let local = LocalFile::open(&place.path, &FileOptions::default()).unwrap();
    assert_eq!(texts(&local), ["\"kept\"}"]);
    assert!(local.list_steps(Stack::Undo).unwrap().is_empty());
    assert_eq!(local.identity().unwrap().actor, fresh().actor);
    // It is of the newest format for good: the next open has nothing to do.
    let format: i64 = local
        .connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(format, FORMAT);
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
