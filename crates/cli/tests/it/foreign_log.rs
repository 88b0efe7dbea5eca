//! Logs and backups of other servers.

use crate::machine::Machine;
use crate::served::Server;

/// A server whose only tenant, of the same name as others', holds one thread.
fn server_with(title: &str) -> (Server, Machine) {
    let server = Server::start();
    let machine = server.member("ann");
    machine.run(&["thread", "new", title, "one"]).done();
    machine.run(&["sync"]).done();
    (server, machine)
}

#[test]
fn a_backup_of_another_servers_tenant_of_the_same_name_replaces_nothing() {
    let ((one, ann), (two, bob)) = (server_with("plan"), server_with("else"));
    let copy = two.machine().work_dir().join("copy").display().to_string();
    two.machine()
        .run(&["backup", &copy, "--data", "srv"])
        .done();
    let stopped = one.stop();
    stopped
        .machine
        .run(&["restore", &copy, "--data", "srv", "--yes"])
        .failed(1, "backup_other_log")
        .says("they have nothing in common")
        .says("syncline restore BACKUP --data NEW");
    let server = stopped.start();
    ann.run(&["sync"]).done();
    assert_eq!(ann.contents("plan"), ["one"]);
    let copy = bob.work_dir().join("of-bob").display().to_string();
    bob.run(&["backup", &copy]).done();
    ann.run(&["restore", &copy, "--yes"])
        .failed(1, "backup_other_log")
        .says("syncline --data-dir NEW restore BACKUP");
    assert_eq!(ann.contents("plan"), ["one"]);
    drop(server);
}

#[test]
fn a_replica_keeps_away_from_another_servers_log_until_it_is_told_to_join() {
    let ((_one, ann), (two, bob)) = (server_with("plan"), server_with("else"));
    two.log_in(&ann, "ann");
    ann.run(&["thread", "push", "plan", "two"]).done();
    ann.run(&["sync"])
        .failed(1, "sync_failed")
        .says("log_foreign")
        .says("syncline sync now --join");
    assert_eq!(ann.contents("plan"), ["one", "two"]);
    bob.run(&["sync"]).done();
    bob.run(&["thread", "read", "plan"])
        .failed(1, "thread_unknown");
    ann.run(&["sync", "now", "--join"]).done();
    bob.run(&["sync"]).done();
    assert_eq!(bob.contents("plan"), ["one", "two"]);
    assert_eq!(ann.contents("else"), ["one"]);
}
