//! What processes leave that are killed as they make backups.

use super::*;
use crate::backup::rotate::{remove_backup, remove_each, set_aside, sweep_own, sweep_parts};

#[test]
fn of_backups_being_made_only_what_a_killed_process_of_ones_own_has_left_is_removed() {
    let (one, other) = (Server::named("one"), Server::named("other"));
    let root = one.path("backups");
    let newest = one.back_up_at(&root, 9);
    // As they are when all but their names is done.
    let part = |name: &str| {
        let path = root.join(format!("{}.part-{name}", backup_name(at(1))));
        fs::create_dir(&path).unwrap();
        fs::copy(newest.join(MANIFEST_NAME), path.join(MANIFEST_NAME)).unwrap();
        path
    };
    let (left, others, nobodys) = (part("one-7"), part("third-7"), part("7"));
    let mut under_way = Vec::new();
    for (server, second) in [(&one, 2), (&other, 3)] {
        let to = root.join(backup_name(at(second)));
        back_up_server(&server.data(), &to, at(second), |_| {
            sweep_parts(&root.join(backup_name(at(9))), Some("one"), at(9)).unwrap();
        })
        .unwrap();
        under_way.push(to);
    }
    assert_eq!(
        (left.exists(), others.exists(), nobodys.exists()),
        (false, true, true)
    );
    assert!(newest.exists());
    for path in &under_way {
        verify(path, |_| ()).unwrap();
    }
    assert_eq!(entries(&root).len(), 5);
}

#[test]
fn a_directory_of_the_users_own_stays_though_it_is_called_as_the_part_would_be() {
    let server = Server::named("one");
    let root = server.path("backups");
    let to = root.join("photos");
    let part = root.join(format!("photos.part-one-{}", std::process::id()));
    fs::create_dir_all(&part).unwrap();
    fs::write(part.join("IMG.jpg"), "precious").unwrap();
    let refused = back_up_server(&server.data(), &to, at(1), |_| ());
    assert!(matches!(refused, Err(BackupError::Exists { path }) if path == part));
    assert!(part.join("IMG.jpg").exists() && !to.exists());
    fs::remove_file(part.join("IMG.jpg")).unwrap();
    back_up_server(&server.data(), &to, at(2), |_| ()).unwrap();
    verify(&to, |_| ()).unwrap();
}

/// Between two calls of who makes it: its directory is made, and not held yet.
#[test]
fn a_part_in_which_nothing_was_made_yet_stays_unless_it_is_old() {
    let server = Server::named("one");
    let root = server.path("backups");
    let part = |second| {
        let path = root.join(format!("{}.part-one-7", backup_name(at(second))));
        fs::create_dir_all(&path).unwrap();
        path
    };
    let (begun, old) = (part(1), part(2));
    let directory = fs::File::open(&old).unwrap();
    directory.set_modified(std::time::UNIX_EPOCH).unwrap();
    let same = root.join("copy.part-one-7");
    fs::create_dir(&same).unwrap();
    server.back_up_at(&root, 3);
    back_up_server(&server.data(), &root.join("copy"), at(4), |_| ()).unwrap();
    assert_eq!(
        (begun.exists(), same.exists(), old.exists()),
        (true, true, false)
    );
}

#[test]
fn what_can_not_be_removed_keeps_nothing_else_from_being_removed() {
    let server = Server::named("one");
    let root = server.path("backups");
    let old = [1, 2, 3].map(|second| server.back_up_at(&root, second));
    let removed = remove_each(old.to_vec(), |path| match path == old[1] {
        true => Err(BackupError::Rebuilding),
        false => remove_backup(path, Some("one")),
    });
    assert_eq!(removed, [old[0].clone(), old[2].clone()]);
    assert_eq!(backups_in(&root).unwrap(), [old[1].clone()]);
}

/// Older versions name no server in what they make, and hold none of it.
#[test]
fn what_an_older_version_has_left_is_removed_once_nobody_was_at_it_for_a_week() {
    const DAY: i64 = 24 * 60 * 60;
    let server = Server::named("one");
    let root = server.path("backups");
    let newest = server.back_up_at(&root, 9 * DAY);
    let part = |name: &str, day: i64| {
        let path = root.join(format!("{}.part-{name}", backup_name(at(day * DAY))));
        fs::create_dir(&path).unwrap();
        let changed = Duration::from_millis(at(day * DAY).as_millis() as u64);
        let directory = fs::File::open(&path).unwrap();
        directory
            .set_modified(std::time::UNIX_EPOCH + changed)
            .unwrap();
        path
    };
    let (old, young) = (part("7", 1), part("8", 5));
    let (others, names) = (part("other-7", 1), part("7-", 1));
    sweep_parts(&newest, Some("one"), at(9 * DAY)).unwrap();
    assert!(!old.exists());
    for kept in [young, others, names, newest] {
        assert!(kept.exists(), "{}", kept.display());
    }
}

#[test]
fn a_backup_removes_what_was_left_of_it_by_who_was_killed() {
    let server = Server::new();
    server.append("acme", 1..=3);
    let part = |name: &str| {
        let path = server.path(name);
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("control.db"), "half").unwrap();
        path
    };
    let (left, held) = (part("copy.part-1"), part("copy.part-2"));
    let others = ["copy2.part-3", "copy.part-of-my-own", "copy.part-1.old"].map(part);
    let users = part("copy.part-4");
    fs::write(users.join("IMG_1.jpg"), "mine").unwrap();
    let holding = fs::File::open(&held).unwrap();
    holding.lock().unwrap();
    server.back_up("copy");
    assert_eq!((left.exists(), held.exists()), (false, true));
    assert!(others.iter().chain([&users]).all(|other| other.exists()));
}

#[test]
fn a_backup_named_by_its_time_removes_what_was_left_of_an_earlier_one_of_its_server() {
    let server = Server::named("one");
    let root = server.path("backups");
    let dated = backup_name(at(1));
    let reset = format!("{dated}-0191d1c2-0000-7000-8000-000000000001");
    let parts = [
        (&*dated, "one"),
        (&reset, "one"),
        (&dated, "other"),
        ("syncline-photos", "one"),
    ];
    let parts = parts.map(|(backup, server)| root.join(format!("{backup}.part-{server}-7")));
    for path in &parts {
        fs::create_dir_all(path).unwrap();
        fs::write(path.join("control.db"), "").unwrap();
    }
    server.back_up_at(&root, 2);
    assert_eq!(parts.map(|path| path.exists()), [false, false, true, true]);
}

#[test]
fn a_removal_that_is_killed_leaves_no_backup_and_the_next_backup_removes_the_rest() {
    let server = Server::named("one");
    let root = server.path("backups");
    let [old, newest] = [1, 2].map(|second| server.back_up_at(&root, second));
    let (part, held) = set_aside(&old, Some("one")).unwrap();
    fs::remove_file(part.join("control.db")).unwrap();
    assert_eq!(backups_in(&root).unwrap(), std::slice::from_ref(&newest));
    sweep_parts(&root.join(backup_name(at(3))), Some("one"), at(3)).unwrap();
    assert!(part.exists(), "somebody is at it");
    drop(held);
    let next = server.back_up_at(&root, 3);
    assert_eq!(backups_in(&root).unwrap(), [newest, next]);
    assert_eq!(entries(&root).len(), 2);
}

#[test]
fn a_sweep_of_what_is_all_of_one_server_asks_not_whose_and_leaves_what_is_under_way() {
    let server = Server::named("one");
    let root = server.path("backups");
    let part = |name: &str| {
        let path = root.join(name);
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("control.db"), "half").unwrap();
        path
    };
    let left = part(&format!("{}.part-7", backup_name(at(1))));
    let users = part("photos.part-7");
    let to = root.join(backup_name(at(2)));
    back_up_server(&server.data(), &to, at(2), |_| {
        sweep_own(&root, at(9)).unwrap();
    })
    .unwrap();
    verify(&to, |_| ()).unwrap();
    assert_eq!((left.exists(), users.exists()), (false, true));
}
