//! Backups of real directories, put back, cut short and tampered with.

use std::fs;
use std::path::{Path, PathBuf};

use syncline_model::{
    ActorId, Clock, Epoch, EpochMode, Mark, Op, OpKey, Payload, ResourceId, Scope, TenantId,
    Timestamp,
};
use uuid::Uuid;

use super::*;
use crate::control::{ControlFile, DataDirectory};
use crate::tenant::TenantFile;
use crate::{Appended, FileOptions};

#[cfg(target_os = "linux")]
mod apart;
mod done;
mod replica;
mod several;

struct Server {
    root: tempfile::TempDir,
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + seconds * 1_000).unwrap()
}

fn op(clock: u64) -> Op {
    Op {
        key: OpKey {
            actor: ActorId::new("a").unwrap(),
            clock: Clock::new(clock).unwrap(),
            scope: Scope::new("note").unwrap(),
            resource: ResourceId::new("n").unwrap(),
        },
        payload: Payload::parse(&format!(r#"{{"n":{clock}}}"#)).unwrap(),
    }
}

impl Server {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let server = Self { root };
        ControlFile::open(&server.data()).unwrap();
        server
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn data(&self) -> DataDirectory {
        DataDirectory::open(self.path("data")).unwrap()
    }

    fn tenant(&self, name: &str) -> TenantFile {
        let path = self.data().tenant_file(&TenantId::new(name).unwrap());
        let start = || (Epoch::new(Uuid::from_u128(1)), Mark::origin([7; 16]));
        TenantFile::open_or_create(&path, &FileOptions::default(), start).unwrap()
    }

    fn append(&self, tenant: &str, clocks: std::ops::RangeInclusive<u64>) {
        let mut file = self.tenant(tenant);
        let mut batch = file.begin().unwrap();
        for clock in clocks {
            let op = op(clock);
            let appended = batch.append(&op.key, Some(&op.payload), op.payload.hash());
            assert!(matches!(appended.unwrap(), Appended::At(..)));
        }
        batch.commit().unwrap();
    }

    fn back_up(&self, name: &str) -> Manifest {
        back_up_server(&self.data(), &self.path(name), at(1), |_| ()).unwrap()
    }

    fn restore(&self, from: &str, mode: EpochMode) -> Result<Restored, BackupError> {
        let data = self.data();
        let lock = data.lock().unwrap();
        let choice = RestoreChoice {
            mode,
            other: OtherLog::Stays,
            now: at(2),
        };
        let mut n = 100;
        let random = || {
            n += 1;
            [n; 16]
        };
        restore_server(&self.path(from), &data, &lock, choice, random, |_| ())
    }

    fn head(&self, tenant: &str) -> u64 {
        self.tenant(tenant).head().unwrap().cursor.server_seq.get()
    }
}

fn entries(path: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_backup_of_a_directory_in_use_is_whole_and_noted() {
    let server = Server::new();
    server.append("acme", 1..=10);
    let open = server.tenant("acme");
    let made = server.back_up("copy");
    let log = made.files[1].log.unwrap();
    assert_eq!((log.server_seq.get(), log.ops), (10, 10));
    assert_eq!(verify(&server.path("copy"), |_| ()).unwrap(), made);
    assert_eq!(
        entries(&server.path("copy")),
        ["backup.json", "control.db", "tenants"]
    );
    let noted = last_backup(server.data().path()).unwrap().unwrap();
    assert_eq!(noted.verified_at, at(1));
    drop(open);
}

#[test]
fn a_backup_never_replaces_anything() {
    let server = Server::new();
    server.append("acme", 1..=1);
    server.back_up("copy");
    let again = back_up_server(&server.data(), &server.path("copy"), at(1), |_| ());
    assert!(matches!(again, Err(BackupError::Exists { .. })));
}

#[test]
fn a_backup_is_whole_though_it_can_not_be_noted_that_it_is() {
    let server = Server::new();
    server.append("acme", 1..=3);
    fs::create_dir(server.path("data").join("last_backup.json.new")).unwrap();
    let made = server.back_up("copy");
    assert_eq!(verify(&server.path("copy"), |_| ()).unwrap(), made);
    assert_eq!(last_backup(server.data().path()).unwrap(), None);
}

#[test]
fn a_log_whose_marks_do_not_hold_is_not_backed_up() {
    let server = Server::new();
    server.append("acme", 1..=3);
    let path = server.data().tenant_file(&TenantId::new("acme").unwrap());
    let by_hand = rusqlite::Connection::open(path).unwrap();
    by_hand
        .execute("UPDATE ops SET clock = 9 WHERE server_seq = 2", [])
        .unwrap();
    let made = back_up_server(&server.data(), &server.path("copy"), at(1), |_| ());
    assert!(matches!(made, Err(BackupError::Log { .. })), "{made:?}");
    assert_eq!(entries(server.root.path()), ["data"]);
}

#[test]
fn a_backup_that_is_cut_changed_or_foreign_is_refused_and_nothing_changes() {
    let server = Server::new();
    server.append("acme", 1..=200);
    server.back_up("copy");
    server.append("acme", 201..=201);
    let file = server.path("copy").join("tenants/t-acme.db");
    let bytes = fs::read(&file).unwrap();
    let mut flipped = bytes.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for broken in [&bytes[..bytes.len() - 4096], &bytes[..0], &flipped] {
        fs::write(&file, broken).unwrap();
        let refused = server.restore("copy", EpochMode::Heal);
        assert!(
            matches!(refused, Err(BackupError::Damaged { .. })),
            "{refused:?}"
        );
    }
    fs::remove_file(&file).unwrap();
    let refused = server.restore("copy", EpochMode::Heal);
    assert!(matches!(refused, Err(BackupError::Damaged { .. })));
    let manifest = server.path("copy").join(MANIFEST_NAME);
    for (text, newer) in [("{", false), ("{}", false), (r#"{"format":99}"#, true)] {
        fs::write(&manifest, text).unwrap();
        match server.restore("copy", EpochMode::Heal) {
            Err(BackupError::NewerFormat { found: 99, .. }) => assert!(newer),
            Err(BackupError::Foreign { .. }) => assert!(!newer),
            other => panic!("{text} gave {other:?}"),
        }
    }
    fs::remove_file(&manifest).unwrap();
    let refused = server.restore("copy", EpochMode::Heal);
    assert!(matches!(refused, Err(BackupError::Missing { .. })));
    assert_eq!(server.head("acme"), 201);
}

#[test]
fn a_name_that_leads_out_of_the_backup_is_foreign() {
    let server = Server::new();
    server.append("acme", 1..=1);
    server.back_up("copy");
    let path = server.path("copy").join(MANIFEST_NAME);
    let text = fs::read_to_string(&path).unwrap();
    for name in ["../data/control.db", "/etc/passwd", "a\\\\..\\\\b", ""] {
        fs::write(&path, text.replace("control.db", name)).unwrap();
        let found = Manifest::read(&server.path("copy"));
        assert!(matches!(found, Err(BackupError::Foreign { .. })), "{name}");
    }
}

#[test]
fn what_is_put_back_begins_an_epoch_that_knows_the_one_it_replaces() {
    for mode in [EpochMode::Heal, EpochMode::Follow] {
        let server = Server::new();
        server.append("acme", 1..=5);
        server.back_up("copy");
        server.append("acme", 6..=1_000);
        let restored = server.restore("copy", mode).unwrap();
        assert_eq!(server.head("acme"), 5);
        let file = server.tenant("acme");
        let lineage = file.lineage().unwrap();
        let parent = lineage.last().unwrap().parent.unwrap();
        assert_eq!(parent.mode, mode);
        assert_eq!(parent.cursor, file.head().unwrap().cursor);
        assert_eq!(restored.tenants[0].epoch, file.head().unwrap().epoch);
        // Its actors' clocks are not used again.
        assert_eq!(file.head().unwrap().clock_max, 1_000);
        let aside = restored.aside.unwrap().join("tenants/t-acme.db");
        assert_eq!(
            TenantFile::open(&aside, &FileOptions::default())
                .unwrap()
                .head()
                .unwrap()
                .cursor
                .server_seq
                .get(),
            1_000
        );
        let left = ["control.db", "last_backup.json", "serve.lock", "tenants"];
        let found = entries(server.data().path());
        assert!(
            left.iter()
                .all(|name| found.iter().any(|entry| entry == name))
        );
        assert!(
            !found.iter().any(|entry| entry.starts_with("restor")),
            "{found:?}"
        );
    }
}

#[test]
fn tenants_that_a_backup_lacks_stay_unless_later_writes_are_discarded() {
    for (mode, left) in [(EpochMode::Heal, 3), (EpochMode::Follow, 0)] {
        let server = Server::new();
        server.append("acme", 1..=5);
        server.back_up("copy");
        server.append("later", 1..=3);
        server.restore("copy", mode).unwrap();
        assert_eq!(server.head("later"), left);
        let lineage = server.tenant("later").lineage().unwrap();
        assert_eq!(lineage.len(), if left == 0 { 2 } else { 1 });
    }
}

#[test]
fn one_tenant_is_put_back_and_no_other_touched() {
    let server = Server::new();
    server.append("acme", 1..=5);
    server.append("other", 1..=3);
    let tenant = TenantId::new("acme").unwrap();
    back_up_tenant(&server.data(), &tenant, &server.path("copy"), at(1)).unwrap();
    server.append("acme", 6..=6);
    server.restore("copy", EpochMode::Follow).unwrap();
    assert_eq!((server.head("acme"), server.head("other")), (5, 3));
}

#[test]
fn a_lost_directory_comes_back_with_its_tokens() {
    let server = Server::new();
    server.append("acme", 1..=5);
    server.back_up("copy");
    fs::remove_dir_all(server.path("data")).unwrap();
    let restored = server.restore("copy", EpochMode::Heal).unwrap();
    assert_eq!(restored.aside, None);
    assert_eq!(server.head("acme"), 5);
    assert!(server.path("data").join("control.db").exists());
}

#[test]
fn a_restore_cut_short_at_any_rename_is_finished_by_who_locks_next() {
    // The states that lie between the renames.
    for cut in 0..3 {
        let server = Server::new();
        server.append("acme", 1..=5);
        server.back_up("copy");
        server.append("acme", 6..=9);
        server.restore("copy", EpochMode::Heal).unwrap();
        let data = server.path("data");
        let aside = entries(&data)
            .into_iter()
            .find(|name| name.starts_with("replaced-"))
            .unwrap();
        // Back to what a crash would have left.
        let decided = data.join("restored");
        fs::create_dir(&decided).unwrap();
        fs::write(decided.join("replaces"), &aside).unwrap();
        if cut < 2 {
            fs::rename(data.join("tenants"), decided.join("tenants")).unwrap();
        }
        if cut < 1 {
            fs::rename(data.join(&aside).join("tenants"), data.join("tenants")).unwrap();
        }
        let half = DataDirectory::open(&data).unwrap();
        let refused = back_up_server(&half, &server.path("x"), at(3), |_| ());
        assert!(matches!(refused, Err(BackupError::Restoring { .. })));
        drop(server.data().lock().unwrap());
        assert_eq!(server.head("acme"), 5, "cut {cut}");
        assert!(!decided.exists());
    }
}

#[test]
fn what_fails_once_a_restore_is_decided_is_told_as_unfinished_and_goes_on_later() {
    let server = Server::new();
    server.append("acme", 1..=5);
    server.back_up("copy");
    server.append("acme", 6..=9);
    let data = server.data();
    let lock = data.lock().unwrap();
    let in_the_way = data
        .path()
        .join(format!("replaced-{}", at(2)).replace(':', "-"));
    let choice = RestoreChoice {
        mode: EpochMode::Heal,
        other: OtherLog::Stays,
        now: at(2),
    };
    // Asked for once the place of what is replaced is chosen.
    let random = || {
        fs::write(&in_the_way, "").unwrap();
        [9; 16]
    };
    let failed = restore_server(&server.path("copy"), &data, &lock, choice, random, |_| ());
    assert!(
        matches!(failed, Err(BackupError::Unfinished { .. })),
        "{failed:?}"
    );
    drop(lock);
    fs::remove_file(&in_the_way).unwrap();
    drop(data.lock().unwrap());
    assert_eq!(server.head("acme"), 5);
}

/// A clock that was set back, or two restores within its precision.
#[test]
fn two_restores_of_one_time_keep_what_both_have_replaced() {
    let server = Server::new();
    server.append("acme", 1..=5);
    server.back_up("copy");
    server.append("acme", 6..=9);
    let first = server.restore("copy", EpochMode::Heal).unwrap();
    server.append("acme", 10..=11);
    let second = server.restore("copy", EpochMode::Heal).unwrap();
    let head = |restored: Restored| {
        let path = restored.aside.unwrap().join("tenants/t-acme.db");
        let file = TenantFile::open(&path, &FileOptions::default()).unwrap();
        file.head().unwrap().cursor.server_seq.get()
    };
    assert_eq!((head(first), head(second)), (9, 7));
    assert_eq!(server.head("acme"), 5);
}

#[test]
fn the_oldest_backups_are_dropped_and_nothing_else() {
    let server = Server::new();
    server.append("acme", 1..=1);
    let root = server.path("backups");
    for second in [3, 1, 2] {
        let to = root.join(backup_name(at(second)));
        back_up_server(&server.data(), &to, at(second), |_| ()).unwrap();
    }
    fs::create_dir(root.join("syncline-notes")).unwrap();
    let two = std::num::NonZeroUsize::new(2).unwrap();
    let dropped = drop_oldest(&root, None, two, at(9)).unwrap();
    assert_eq!(dropped, [root.join(backup_name(at(1)))]);
    assert_eq!(
        backups_in(&root).unwrap(),
        [2, 3].map(|second| root.join(backup_name(at(second))))
    );
    assert!(root.join("syncline-notes").exists());
    assert_eq!(
        backups_in(&server.path("none")).unwrap(),
        [] as [PathBuf; 0]
    );
}
