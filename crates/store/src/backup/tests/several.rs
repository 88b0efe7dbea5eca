//! Several logs of which one can't be copied, and several servers that share a directory.

use std::num::NonZeroUsize;
use std::time::Duration;

use syncline_model::ServerSeq;

use super::*;
use crate::control::ServerNote;
use crate::{Collecting, Compaction, PageLimit, PendingOp, Stepped};

mod left;

const ONE: NonZeroUsize = NonZeroUsize::MIN;

impl Server {
    fn named(name: &str) -> Self {
        let server = Self::new();
        let note = ServerNote {
            name: name.to_owned(),
            retention: Duration::ZERO,
            idle: Duration::ZERO,
        };
        let control = ControlFile::open(&server.data()).unwrap();
        control.note_server(&note).unwrap();
        server.append("acme", 1..=1);
        server
    }

    /// Makes a backup of the second in `directory`.
    fn back_up_at(&self, directory: &Path, second: i64) -> PathBuf {
        let to = directory.join(backup_name(at(second)));
        back_up_server(&self.data(), &to, at(second), |_| ()).unwrap();
        to
    }

    fn spoil(&self, tenant: &str) {
        let path = self.data().tenant_file(&TenantId::new(tenant).unwrap());
        let by_hand = rusqlite::Connection::open(path).unwrap();
        by_hand
            .execute("UPDATE ops SET clock = 9 WHERE server_seq = 2", [])
            .unwrap();
    }
}

#[test]
fn a_log_that_can_not_be_copied_is_named_and_the_others_are_backed_up() {
    let server = Server::new();
    server.append("acme", 1..=3);
    server.append("bolt", 1..=3);
    server.append("core", 1..=3);
    server.spoil("bolt");
    let newer = server.data().tenant_file(&TenantId::new("core").unwrap());
    rusqlite::Connection::open(newer)
        .unwrap()
        .pragma_update(None, "user_version", 1_000)
        .unwrap();
    let made = server.back_up("copy");
    let left: Vec<_> = made.left_out.iter().map(|left| &left.name[..]).collect();
    let name = |tenant| {
        let path = server.data().tenant_file(&TenantId::new(tenant).unwrap());
        format!("tenants/{}", path.file_name().unwrap().to_str().unwrap())
    };
    assert_eq!(left, [name("bolt"), name("core")]);
    assert!(made.left_out.iter().all(|left| !left.causes.is_empty()));
    assert_eq!(verify(&server.path("copy"), |_| ()).unwrap(), made);
    assert!(!server.path("copy").join(name("bolt")).exists());
    let noted = last_backup(server.data().path()).unwrap().unwrap();
    assert_eq!(noted.left_out, 2);
}

#[test]
fn a_log_that_a_backup_had_to_leave_out_is_not_emptied_with_what_is_discarded() {
    let server = Server::new();
    server.append("acme", 1..=3);
    server.append("bolt", 1..=3);
    server.spoil("bolt");
    server.back_up("copy");
    server.append("acme", 4..=5);
    server.restore("copy", EpochMode::Follow).unwrap();
    assert_eq!((server.head("acme"), server.head("bolt")), (3, 3));
}

#[test]
fn servers_that_share_a_directory_drop_and_look_at_their_own_backups_alone() {
    let (one, other) = (Server::named("one"), Server::named("other"));
    let root = one.path("backups");
    let old = one.back_up_at(&root, 1);
    let others = other.back_up_at(&root, 2);
    let newest = one.back_up_at(&root, 3);
    let made_at = |name| {
        newest_of(&root, Some(name), at(9))
            .unwrap()
            .unwrap()
            .made_at
    };
    assert_eq!((made_at("one"), made_at("other")), (at(3), at(2)));
    assert!(newest_of(&root, Some("third"), at(9)).unwrap().is_none());
    assert_eq!(drop_oldest(&root, Some("one"), ONE, at(9)).unwrap(), [old]);
    assert_eq!(backups_in(&root).unwrap(), [others, newest]);
}

#[test]
fn while_a_log_is_left_out_only_backups_without_it_are_dropped() {
    let server = Server::named("one");
    server.append("bolt", 1..=3);
    let root = server.path("backups");
    let whole = [1, 2].map(|second| server.back_up_at(&root, second));
    server.spoil("bolt");
    let mut newest = None;
    for second in 3..=5 {
        let made = server.back_up_at(&root, second);
        let dropped = drop_oldest(&root, Some("one"), ONE, at(9)).unwrap();
        assert_eq!(dropped, Vec::from_iter(newest.replace(made)));
    }
    let newest = newest.unwrap();
    assert_eq!(
        backups_in(&root).unwrap(),
        [&whole[..], std::slice::from_ref(&newest)].concat()
    );
}

/// Rounds of a server that keeps two, whose clock was set back after the first ones.
#[test]
fn a_backup_stays_though_the_clock_was_set_back_and_those_of_later_times_go_first() {
    let server = Server::named("one");
    let root = server.path("backups");
    let two = NonZeroUsize::new(2).unwrap();
    let (first, second) = (
        server.back_up_at(&root, 1_000),
        server.back_up_at(&root, 1_001),
    );
    let newest = |now| {
        newest_of(&root, Some("one"), at(now))
            .unwrap()
            .unwrap()
            .made_at
    };
    assert_eq!((newest(1_002), newest(1)), (at(1_001), at(1_001)));
    let mut expected = vec![first, second];
    for round in 1..=4 {
        let made = server.back_up_at(&root, round);
        let dropped = drop_oldest(&root, Some("one"), two, at(round)).unwrap();
        assert_eq!(dropped, [expected.remove(0)], "round {round}");
        expected.push(made);
        let mut left = backups_in(&root).unwrap();
        left.sort_by_key(|path| expected.iter().position(|kept| kept == path));
        assert_eq!(left, expected, "round {round}");
        assert_eq!(newest(round), at(round));
    }
}

#[test]
fn a_server_made_from_anothers_backup_is_another() {
    let one = Server::named("one");
    one.back_up("copy");
    let data = DataDirectory::open(one.path("new")).unwrap();
    let choice = RestoreChoice {
        mode: EpochMode::Heal,
        other: OtherLog::Stays,
        now: at(2),
    };
    let lock = data.lock().unwrap();
    let mut n = 0;
    let random = || {
        n += 1;
        [n; 16]
    };
    restore_server(&one.path("copy"), &data, &lock, choice, random, |_| ()).unwrap();
    assert_eq!(ControlFile::open(&data).unwrap().server().unwrap(), None);
}

/// A file of SQLite's that is damaged in its first page.
fn damage(server: &Server, tenant: &str) -> Vec<u8> {
    let path = server.data().tenant_file(&TenantId::new(tenant).unwrap());
    drop(server.tenant(tenant));
    let mut bytes = fs::read(&path).unwrap();
    bytes[..4_000].fill(0xa5);
    fs::write(&path, &bytes).unwrap();
    bytes
}

fn bytes_of(server: &Server, tenant: &str) -> Vec<u8> {
    fs::read(server.data().tenant_file(&TenantId::new(tenant).unwrap())).unwrap()
}

#[test]
fn a_damaged_log_keeps_no_other_from_being_put_back() {
    let server = Server::new();
    server.append("acme", 1..=5);
    server.append("bolt", 1..=3);
    let tenant = TenantId::new("acme").unwrap();
    back_up_tenant(&server.data(), &tenant, &server.path("copy"), at(1)).unwrap();
    server.append("acme", 6..=6);
    let damaged = damage(&server, "bolt");
    server.restore("copy", EpochMode::Heal).unwrap();
    assert_eq!(server.head("acme"), 5);
    assert_eq!(bytes_of(&server, "bolt"), damaged);
}

#[test]
fn a_damaged_log_that_a_backup_lacks_stays_as_it_is_and_is_named_where_it_was_to_be_emptied() {
    for mode in [EpochMode::Heal, EpochMode::Follow] {
        let server = Server::new();
        server.append("acme", 1..=5);
        server.back_up("copy");
        server.append("acme", 6..=6);
        server.append("bolt", 1..=3);
        server.append("core", 1..=3);
        let damaged = damage(&server, "bolt");
        let restored = server.restore("copy", mode).unwrap();
        let (left, named): (_, &[&str]) = match mode {
            EpochMode::Heal => (3, &[]),
            EpochMode::Follow => (0, &["tenants/t-bolt.db"]),
        };
        assert_eq!((server.head("acme"), server.head("core")), (5, left));
        assert_eq!(restored.unreadable, named);
        assert_eq!(bytes_of(&server, "bolt"), damaged);
    }
}

/// What an op of another server's log is called by.
fn append_to(path: &Path, epoch: u128, actor: &str, scope: &str) {
    let start = || (Epoch::new(Uuid::from_u128(epoch)), Mark::origin([9; 16]));
    let mut file = TenantFile::open_or_create(path, &FileOptions::default(), start).unwrap();
    let mut batch = file.begin().unwrap();
    let mut op = op(1);
    op.key.actor = ActorId::new(actor).unwrap();
    op.key.scope = Scope::new(scope).unwrap();
    let appended = batch.append(&op.key, Some(&op.payload), op.payload.hash());
    assert!(matches!(appended.unwrap(), Appended::At(..)));
    batch.commit().unwrap();
}

#[test]
fn a_backup_replaces_its_own_log_and_one_that_was_begun_anew_and_no_other() {
    // Of whose log the one in the place of `a`'s holds an op, and whether it may be replaced.
    for (actor, scope, is_taken) in [
        ("b", "note", false),
        ("b", "schema", true),
        ("a", "note", true),
    ] {
        let server = Server::new();
        server.append("acme", 1..=3);
        server.back_up("copy");
        let path = server.data().tenant_file(&TenantId::new("acme").unwrap());
        fs::remove_file(&path).unwrap();
        append_to(&path, 2, actor, scope);
        let tenants = server.data().path().join("tenants");
        let before = entries(&tenants);
        let restored = server.restore("copy", EpochMode::Heal);
        assert_eq!(restored.is_ok(), is_taken, "{actor} {scope}");
        if let Err(error) = restored {
            assert!(matches!(error, BackupError::OtherLog { .. }));
            assert_eq!(entries(&tenants), before);
            assert_eq!(server.head("acme"), 1);
        }
    }
}

/// The log in its place was begun anew and healed, and has dropped since all that the backup has.
#[test]
fn a_backup_replaces_a_log_that_has_dropped_what_both_had() {
    let server = Server::new();
    server.append("acme", 1..=1);
    server.back_up("copy");
    let path = server.data().tenant_file(&TenantId::new("acme").unwrap());
    fs::remove_file(&path).unwrap();
    append_to(&path, 2, "a", "note");
    let mut file = TenantFile::open(&path, &FileOptions::default()).unwrap();
    let mut batch = file.begin().unwrap();
    let replacing = Op {
        payload: Payload::parse(r#"{"replaces":true}"#).unwrap(),
        ..op(2)
    };
    batch
        .append(
            &replacing.key,
            Some(&replacing.payload),
            replacing.payload.hash(),
        )
        .unwrap();
    let floor = batch.commit().unwrap().cursor.server_seq;
    let mut run = Compaction::begin(&file, floor, Collecting::Tombstones).unwrap();
    let nothing: &[PendingOp] = &[];
    while file.compact_step(&mut run, 10, nothing).unwrap() == Stepped::More {}
    assert_eq!(
        file.ops_after(
            ServerSeq::ZERO,
            PageLimit {
                ops: 9,
                bytes: 9_000
            }
        )
        .unwrap()
        .len(),
        1
    );
    drop(file);
    server.restore("copy", EpochMode::Heal).unwrap();
}
