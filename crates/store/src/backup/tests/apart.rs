//! Logs on another filesystem than the directory that they are in.

use std::os::unix::fs::symlink;

use super::*;

#[test]
fn a_restore_over_logs_on_another_filesystem_is_refused_before_it_is_decided() {
    let server = Server::new();
    server.append("acme", 1..=3);
    server.back_up("copy");
    server.append("acme", 4..=4);
    let tenants = server.data().path().join("tenants");
    let elsewhere = tempfile::tempdir_in("/dev/shm").unwrap();
    for file in fs::read_dir(&tenants).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), elsewhere.path().join(file.file_name())).unwrap();
    }
    fs::remove_dir_all(&tenants).unwrap();
    symlink(elsewhere.path(), &tenants).unwrap();
    let before = entries(elsewhere.path());
    let error = server.restore("copy", EpochMode::Heal).unwrap_err();
    assert!(
        matches!(&error, BackupError::Apart { path } if *path == tenants),
        "{error}"
    );
    assert!(!super::super::finish::is_decided(server.data().path()));
    assert_eq!(entries(elsewhere.path()), before);
    assert_eq!(server.head("acme"), 4);
}
