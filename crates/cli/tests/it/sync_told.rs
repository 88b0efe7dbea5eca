//! What a sync says that it has brought to the server.

use serde_json::{Value, json};

use crate::machine::Machine;
use crate::served::Server;
use crate::session::{NATIVE, line, machine, transcripts};

/// Nothing goes out by itself.
const OFF: [(&str, &str); 1] = [("SYNCLINE_SYNC_ENABLED", "false")];

#[test]
fn a_sync_tells_how_much_of_what_it_has_uploaded() {
    let server = Server::start();
    let machine = server.member("ada");
    machine
        .run_with(&OFF, &["thread", "new", "plan", "first"])
        .done();
    machine
        .run_with(&OFF, &["thread", "push", "plan", "second"])
        .done();
    machine.run_with(&OFF, &["list", "new", "groceries"]).done();
    machine
        .run_with(&OFF, &["list", "add", "groceries", "milk"])
        .done();
    let status = machine.run(&["sync", "status"]).done().stdout;
    let waiting = "\nPending: 1 thread, 2 entries, 1 list, 1 item\n";
    assert!(status.contains(waiting), "{status}");
    let synced = machine.run(&["sync", "now"]).done();
    assert_eq!(
        synced.stdout,
        "Syncing... 1 thread, 2 entries, 1 list, 1 item uploaded.\n"
    );
    let again = machine.run(&["sync"]).done();
    assert_eq!(again.stdout, "Syncing... nothing to upload.\n");
    let status = machine.run(&["sync", "status"]).done().stdout;
    assert!(status.contains("\nPending: nothing\n"), "{status}");
}

#[test]
fn a_sync_tells_what_of_others_it_has_brought() {
    let server = Server::start();
    let (ada, ben) = (server.member("ada"), server.member("ben"));
    ada.run(&["thread", "new", "plan", "first"]).done();
    ada.run(&["list", "new", "groceries"]).done();
    ada.run(&["sync"]).done();
    // The first time all that there is, later what was written since.
    let first = ben.run(&["sync"]).done();
    assert_eq!(
        first.stdout,
        "Syncing... nothing to upload; 1 thread, 1 entry, 1 list, 0 items received.\n"
    );
    ada.run(&["thread", "push", "plan", "second"]).done();
    ada.run(&["sync"]).done();
    ben.run_with(&OFF, &["list", "add", "groceries", "milk"])
        .done();
    let second = ben.run(&["sync", "now", "--json"]).done().json();
    let of = |what: &str, things: [&str; 2]| things.map(|thing| second[what][thing].clone());
    assert_eq!(of("uploaded", ["lists", "items"]), [1, 1]);
    assert_eq!(of("received", ["threads", "entries"]), [1, 1]);
    assert_eq!(of("received", ["lists", "others"]), [0, 0]);
    let third = ben.run(&["sync"]).done();
    assert_eq!(third.stdout, "Syncing... nothing to upload.\n");
}

#[test]
fn sessions_and_messages_are_told_as_they_are_counted() {
    let server = Server::start();
    let machine = machine();
    let never = [("SYNCLINE_ENDPOINT", server.url.as_str())];
    let status = machine.run_with(&never, &["sync", "status"]).done().stdout;
    let begin = format!(
        "Profile: default\nEndpoint: {}\nSync: Enabled (last sync: never)\nPending: 1 session, ",
        server.url
    );
    assert!(status.starts_with(&begin), "{status}");
    let lines = machine.run(&["session", "export", NATIVE, "--format", "jsonl"]);
    let lines = lines.done().stdout;
    let said = |line: &&str| line.contains(r#""type":"message""#);
    let count = lines.lines().filter(said).count();
    server.log_in(&machine, "ada");
    let off = [("SYNCLINE_ENDPOINT", server.url.as_str()), OFF[0]];
    machine
        .run_with(&off, &["thread", "new", "plan", "first"])
        .done();
    let synced = machine.run(&["sync", "now", "--json"]).done().json();
    let uploaded = json!({"sessions": 1, "messages": count, "threads": 1, "entries": 1,
        "lists": 0, "items": 0, "others": 0});
    assert_eq!(synced["uploaded"], uploaded);
    assert_eq!(
        (&synced["state"], &synced["pending"]),
        (&json!("synced"), &json!(0))
    );
}

/// What an agent has put in, and what stands in place of what was said, are messages that none counts.
#[test]
fn both_ends_of_a_sync_tell_as_much_of_sessions() {
    let server = Server::start();
    let (ada, ben) = (server.member("ada"), server.member("ben"));
    let mut meta: Value = serde_json::from_str(&line("u1", "user", 0, json!("a note"))).unwrap();
    meta["isMeta"] = json!(true);
    let lines = [
        meta.to_string(),
        line("u2", "user", 1, json!("plant flowers")),
    ];
    let place = ada.work_dir().join("told.jsonl");
    std::fs::write(&place, lines.join("\n") + "\n").unwrap();
    let import = ["import", "claude-code", place.to_str().unwrap()];
    ada.run_with(&OFF, &import).done();
    let of = |machine: &Machine, what: &str| {
        machine.run(&["sync", "now", "--json"]).done().json()[what].clone()
    };
    let uploaded = of(&ada, "uploaded");
    assert_eq!(uploaded["messages"], 2);
    assert_eq!(of(&ben, "received"), uploaded);
}

#[test]
fn an_import_that_the_server_has_is_said_to_be_synced() {
    let server = Server::start();
    let ada = server.member("ada");
    let place = transcripts();
    let import = ["import", "claude-code", place.to_str().unwrap()];
    ada.run(&import).done().says(" (synced)");
    ada.run(&import).done().says(" unchanged (nothing new)");
    let ben = server.member("ben");
    let told = ben.run(&[&import[..], &["--json"]].concat()).done().json();
    assert_eq!(told["state"], "acknowledged");
    let waiting = machine();
    let hostile = waiting.work_dir().join("more.jsonl");
    std::fs::write(&hostile, line("u2", "user", 1, json!("plant"))).unwrap();
    let import = ["import", "claude-code", hostile.to_str().unwrap()];
    waiting
        .run(&import)
        .done()
        .says("(queued: no endpoint is set;");
}
