//! Import of a vlt client's database.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use syncline_model::thread::{Status, thread_id};
use tempfile::TempDir;

use super::world::{Destination, World};
use crate::threads::import::{ImportError, Importer, VaultError};
use crate::threads::{EntryRange, links, read_entries, tags};

const SCHEMA: &str = "
CREATE TABLE projects (id VARCHAR NOT NULL PRIMARY KEY, name VARCHAR NOT NULL, description VARCHAR, created_at DATETIME NOT NULL);
CREATE TABLE threads (id VARCHAR NOT NULL PRIMARY KEY, project_id VARCHAR NOT NULL REFERENCES projects (id), status VARCHAR NOT NULL, created_at DATETIME NOT NULL);
CREATE TABLE nodes (id VARCHAR NOT NULL PRIMARY KEY, thread_id VARCHAR NOT NULL REFERENCES threads (id), sequence_id INTEGER NOT NULL, content TEXT NOT NULL, author VARCHAR NOT NULL, timestamp DATETIME NOT NULL, embedding BLOB, prev_node_id VARCHAR REFERENCES nodes (id));
CREATE TABLE states (id VARCHAR NOT NULL PRIMARY KEY, target_id VARCHAR, target_type VARCHAR, summary TEXT, head_node_id VARCHAR, updated_at DATETIME, meta JSON);
CREATE TABLE tags (id VARCHAR NOT NULL PRIMARY KEY, name VARCHAR NOT NULL UNIQUE);
CREATE TABLE node_tags (node_id VARCHAR NOT NULL, tag_id VARCHAR NOT NULL, PRIMARY KEY (node_id, tag_id));
CREATE TABLE \"references\" (id VARCHAR NOT NULL PRIMARY KEY, source_node_id VARCHAR NOT NULL, target_thread_id VARCHAR NOT NULL, note VARCHAR);
";

const ROWS: &str = "
INSERT INTO projects VALUES ('acme', 'Acme', NULL, '2025-01-01 09:00:00.000000'), ('a/b', 'Slash', NULL, '2025-01-01 09:00:00');
INSERT INTO threads VALUES ('design', 'acme', 'active', '2025-01-01 10:00:00.123456'), ('old', 'acme', 'archived', '2025-01-02 10:00:00'),
  ('found', 'a/b', 'recovered', '2025-01-03 10:00:00'), ('empty', 'acme', 'blocked', '2025-01-04 10:00:00');
INSERT INTO nodes VALUES
  ('00000000-0000-4000-8000-000000000002', 'design', 1, 'second', 'claude', '2025-01-01 10:02:00.500000', x'80049501', NULL),
  ('00000000-0000-4000-8000-000000000001', 'design', 0, 'first', 'user', '2025-01-01 10:01:00', NULL, NULL),
  ('00000000-0000-4000-8000-000000000003', 'design', 1, 'same number', 'user', '2025-01-01 10:03:00', NULL, NULL),
  ('node-x', 'old', 0, 'an id that is no UUID', 'user', '2025-01-02T10:01:00+00:00', NULL, NULL),
  ('00000000-0000-4000-8000-000000000005', 'found', 0, 'kept', 'user', '2025-01-03 10:01:00', NULL, NULL),
  ('00000000-0000-4000-8000-000000000006', 'lost', 0, 'its thread is gone', 'user', '2025-01-05 10:01:00', NULL, NULL),
  ('00000000-0000-4000-8000-000000000007', 'design', 9, 'no time', 'user', 'yesterday', NULL, NULL);
INSERT INTO states VALUES ('s', 'design', 'thread', 'a summary', NULL, NULL, NULL);
INSERT INTO tags VALUES ('t1', 'decision'), ('t2', 'bug');
INSERT INTO node_tags VALUES ('00000000-0000-4000-8000-000000000001', 't1'), ('node-x', 't2'), ('gone', 't2');
INSERT INTO \"references\" VALUES ('r1', '00000000-0000-4000-8000-000000000002', 'old', 'builds on'), ('r2', 'node-x', 'nowhere', NULL);
";

const QUEUE: &str = r#"[
  {"thread_id": "design", "project_id": "acme", "name": "design", "attempts": 3, "last_attempt": null, "error": "down",
   "entry": {"entry_id": "00000000-0000-4000-8000-000000000003", "sequence_id": 2, "content": "same number", "author": "user", "timestamp": "2025-01-01T10:03:09"}},
  {"thread_id": "design", "project_id": "acme", "name": "design", "attempts": 0,
   "entry": {"entry_id": "00000000-0000-4000-8000-000000000008", "sequence_id": 3, "content": "only queued", "author": "user", "timestamp": "2025-01-01T11:00:00.250"}},
  {"thread_id": "design"}
]"#;

/// A connection that lets rows dangle, as a vault's may.
fn writable(path: &Path) -> Connection {
    let vault = Connection::open(path).unwrap();
    vault.pragma_update(None, "foreign_keys", false).unwrap();
    vault
}

fn fixture() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vault.db");
    let vault = writable(&path);
    vault.execute_batch(SCHEMA).unwrap();
    vault.execute_batch(ROWS).unwrap();
    std::fs::write(directory.path().join("sync_queue.json"), QUEUE).unwrap();
    (directory, path)
}

fn open(path: &Path) -> Importer {
    Importer::vault(path).unwrap()
}

#[test]
fn ids_authors_and_times_are_kept_and_the_vault_is_not_written_to() {
    let (_directory, path) = fixture();
    let before = std::fs::read(&path).unwrap();
    let mut world = World::new();
    let imported = world.import(open(&path), Destination::Log);
    assert_eq!((imported.threads_new, imported.entries_new), (5, 7));
    let design = thread_id("acme", "design", 0);
    let page = read_entries(world.view(), design, EntryRange::All).unwrap();
    let seen: Vec<String> = page
        .entries
        .iter()
        .map(|e| {
            let id = &e.entry_id.to_string()[34..];
            format!("{id} {} [{}] {}", e.timestamp, e.author, e.content)
        })
        .collect();
    assert_eq!(
        seen,
        [
            "01 2025-01-01T10:01:00.000Z [user] first",
            "02 2025-01-01T10:02:00.500Z [claude] second",
            "03 2025-01-01T10:03:00.000Z [user] same number",
            "08 2025-01-01T11:00:00.250Z [user] only queued",
        ]
    );
    let created = world.thread(design).created_at.to_string();
    assert_eq!(created, "2025-01-01T10:00:00.123Z");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn status_tags_and_references_are_kept_and_what_is_left_out_is_told() {
    let (_directory, path) = fixture();
    let mut world = World::new();
    let imported = world.import(open(&path), Destination::Log);
    let id = |project, key| thread_id(project, key, 0);
    let status = |id| world.thread(id).status;
    let (design, old) = (id("acme", "design"), id("acme", "old"));
    assert_eq!(status(old), Status::Archived);
    assert_eq!(status(id("acme", "empty")), Status::Blocked);
    assert_eq!(status(id("a-b", "found")), Status::Active);
    assert_eq!(world.thread(id("default", "lost")).entry_count, 1);

    let tagged = &tags(world.view(), design).unwrap()[0];
    assert_eq!(tagged.tag, "decision");
    let first = tagged.entry_id.unwrap().to_string();
    assert_eq!(first, "00000000-0000-4000-8000-000000000001");
    assert_eq!(tags(world.view(), old).unwrap()[0].tag, "bug");
    let incoming = &links(world.view(), old).unwrap().incoming[0];
    assert_eq!(incoming.other, design);
    assert_eq!(incoming.note.as_deref(), Some("builds on"));

    let left_out = imported
        .problems
        .iter()
        .map(|p| p.split(':').next().unwrap());
    assert_eq!(
        left_out.collect::<Vec<_>>(),
        [
            "nodes 00000000-0000-4000-8000-000000000007",
            "sync_queue.json, item 3",
            "references node-x"
        ]
    );
}

#[test]
fn a_vault_imported_again_plans_nothing() {
    let (_directory, path) = fixture();
    let mut world = World::new();
    world.import(open(&path), Destination::Outbox);
    let again = world.import(open(&path), Destination::Outbox);
    assert_eq!((again.ops, again.entries_known), (0, 7));
}

#[test]
fn a_damaged_queue_does_not_keep_the_vault_from_being_imported() {
    let (directory, path) = fixture();
    std::fs::write(directory.path().join("sync_queue.json"), &QUEUE[..100]).unwrap();
    let mut world = World::new();
    let imported = world.import(open(&path), Destination::Log);
    assert_eq!(imported.entries_new, 6);
    assert!(
        imported
            .problems
            .iter()
            .any(|p| p.starts_with("sync_queue.json"))
    );
}

#[test]
fn a_vault_without_tags_references_and_queue_is_imported() {
    let (directory, path) = fixture();
    std::fs::remove_file(directory.path().join("sync_queue.json")).unwrap();
    let vault = writable(&path);
    vault
        .execute_batch("DROP TABLE node_tags; DROP TABLE \"references\"; DROP TABLE tags")
        .unwrap();
    drop(vault);
    assert_eq!(
        World::new()
            .import(open(&path), Destination::Log)
            .entries_new,
        6
    );
}

fn refused(path: &Path) -> VaultError {
    match Importer::vault(path) {
        Err(ImportError::Vault { source, .. }) => source,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_no_vault_is_refused_and_not_made() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vault.db");
    assert!(matches!(refused(&path), VaultError::Missing));
    assert!(!path.exists());
    std::fs::write(&path, "SQLite format 3\0 no, not really".repeat(100)).unwrap();
    assert!(matches!(
        refused(&path),
        VaultError::NotSqlite(_) | VaultError::Sqlite(_)
    ));
    std::fs::remove_file(&path).unwrap();
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE notes (id)")
        .unwrap();
    assert!(matches!(
        refused(&path),
        VaultError::NotVault { table: "threads" }
    ));
}

#[test]
fn tables_that_run_code_of_their_own_are_not_read() {
    for hostile in [
        "CREATE VIEW nodes AS SELECT 1 AS id",
        "CREATE VIRTUAL TABLE nodes USING fts5(id)",
    ] {
        let (_directory, path) = fixture();
        let vault = writable(&path);
        vault
            .execute_batch(&format!("DROP TABLE nodes; {hostile}"))
            .unwrap();
        drop(vault);
        assert!(
            matches!(refused(&path), VaultError::NotVault { table: "nodes" }),
            "{hostile}"
        );
    }
    let (_directory, path) = fixture();
    let vault = writable(&path);
    vault
        .execute_batch("ALTER TABLE nodes RENAME COLUMN content TO text")
        .unwrap();
    drop(vault);
    let mut importer = open(&path);
    let world = World::new();
    let failed = importer.next_batch(world.view()).unwrap_err();
    assert!(matches!(
        failed,
        ImportError::Vault {
            source: VaultError::Table { table: "nodes", .. },
            ..
        }
    ));
}

#[test]
fn a_vault_cut_short_is_an_error_and_no_panic() {
    let (_directory, path) = fixture();
    let whole = std::fs::read(&path).unwrap();
    for part in 1..20 {
        std::fs::write(&path, &whole[..whole.len() * part / 20]).unwrap();
        let Ok(mut importer) = Importer::vault(&path) else {
            continue;
        };
        let world = World::new();
        while let Ok(Some(batch)) = importer.next_batch(world.view()) {
            drop(batch);
        }
    }
}
