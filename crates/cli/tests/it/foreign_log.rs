//! Logs and backups of other servers.

use serde_json::json;

use crate::machine::Machine;
use crate::served::Server;
use crate::wire::Wire;

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
        .says(&format!("syncline restore {copy} --data srv --join"));
    let server = stopped.start();
    ann.run(&["sync"]).done();
    assert_eq!(ann.contents("plan"), ["one"]);
    let copy = bob.work_dir().join("of-bob").display().to_string();
    bob.run(&["backup", &copy]).done();
    ann.run(&["restore", &copy, "--yes"])
        .failed(1, "backup_other_log")
        .says("syncline --data-dir NEW restore BACKUP")
        .says("syncline --data-dir NEW sync now --join");
    assert_eq!(ann.contents("plan"), ["one"]);
    let beside = ["--data-dir", "new"];
    for command in [&["restore", &copy][..], &["sync", "now", "--join"]] {
        ann.run(&[&beside[..], command].concat()).done();
    }
    ann.run(&["sync"]).done();
    assert_eq!(ann.contents("plan"), ["one"]);
    assert_eq!(ann.contents("else"), ["one"]);
    drop(server);
}

#[test]
fn a_backup_and_what_others_have_begun_in_its_place_become_one_log_if_a_person_says_so() {
    let (server, ann) = server_with("plan");
    let backup = ["backup", "copy", "--data", "srv"];
    server.machine().run(&backup).done();
    ann.run(&["thread", "push", "plan", "two"]).done();
    ann.run(&["sync"]).done();
    let stopped = server.stop();
    stopped.machine.shell("rm -r srv/tenants").done();
    let server = stopped.start();
    let bob = server.member("bob");
    bob.run(&["thread", "new", "else", "one"]).done();
    bob.run(&["sync"]).done();
    // Of what a caller without a replica has written, nobody else holds anything.
    let token = server.token("cid");
    let mut wire = Wire::connect(server.address(), &token).unwrap();
    let op = json!({"scope": "notes", "resourceId": "r", "actor": "a", "clock": 9, "payload": "x"});
    let body = json!({"clientId": "c", "ops": [op]}).to_string();
    assert_eq!(
        wire.post("/sync/push", body.as_bytes()).unwrap().status,
        200
    );
    let stopped = server.stop();
    stopped
        .machine
        .run(&["restore", "copy", "--data", "srv", "--yes"])
        .failed(1, "backup_other_log")
        .says("syncline restore copy --data srv --join");
    stopped
        .machine
        .shell("syncline restore copy --data srv --join --yes")
        .done()
        .says("behind it in tenants/t-acme.db: 3 ops");
    let server = stopped.start();
    for machine in [&ann, &bob, &ann, &bob] {
        machine.run(&["sync"]).done();
    }
    for machine in [&ann, &bob] {
        assert_eq!(machine.contents("plan"), ["one", "two"]);
        assert_eq!(machine.contents("else"), ["one"]);
    }
    let mut wire = Wire::connect(server.address(), &token).unwrap();
    let page = wire.get("/sync/pull?limit=1000").unwrap();
    let ops = page.body["ops"].as_array().unwrap().iter();
    assert_eq!(ops.filter(|op| op["scope"] == "notes").count(), 1);
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
