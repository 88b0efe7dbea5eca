use serde_json::{Value, json};

use crate::machine::Machine;
use crate::served::{Server, serve};

#[test]
fn an_entry_that_was_pushed_here_is_there() {
    let server = Server::start();
    let (laptop, desktop) = (server.member("ada"), server.member("ben"));
    let made = laptop
        .run(&["thread", "new", "plan", "first", "--json"])
        .done()
        .json();
    assert_eq!(
        (&made["state"], &made["sequence_id"]),
        (&json!("acknowledged"), &json!(0))
    );
    let synced = desktop.run(&["sync"]).done();
    assert_eq!(
        synced.stdout,
        "Syncing... nothing to upload; 1 thread, 1 entry received.\n"
    );
    let pushed = desktop
        .run(&["thread", "push", "plan", "second", "--json"])
        .done();
    assert_eq!(pushed.json()["sequence_id"], 1);
    pushed.says("synced: default/plan #1");
    laptop.run(&["sync", "now", "--json"]).done();
    let read = |machine: &Machine| {
        machine
            .run(&["thread", "read", "plan", "--json"])
            .done()
            .json()["entries"]
            .clone()
    };
    assert_eq!(read(&laptop), read(&desktop));
    assert_eq!(read(&laptop)[1]["state"], "acknowledged");
}

#[test]
fn a_server_that_is_down_fails_no_write_and_gets_it_later() {
    let server = Server::start();
    let machine = server.member("ada");
    machine
        .run(&["thread", "new", "plan", "first"])
        .done()
        .says("synced");
    let (url, stopped) = (server.url.clone(), server.stop());
    let pushed = machine
        .run(&["thread", "push", "plan", "second", "--json"])
        .done();
    assert_eq!(pushed.json()["state"], "pending");
    pushed.says("queued: default/plan (the server can't be reached");
    let status = machine.run(&["status", "--json"]).done().json();
    assert_eq!(
        (&status["pending"], &status["endpoint"]),
        (&json!(1), &json!(url))
    );
    assert_eq!(status["last_error"]["code"], "unreachable");
    assert!(status["oldest_pending_seconds"].is_u64());
    machine
        .run(&["sync", "now", "--timeout", "5"])
        .failed(1, "sync_failed")
        .says("1 change waiting in the outbox");
    let text = machine.run(&["status"]).done().stdout;
    assert!(
        text.starts_with("1 change waiting to be sent: syncline sync\n"),
        "{text}"
    );
    let command = stopped.machine.command(&[
        "serve",
        "--data",
        "srv",
        "--auth",
        "token",
        "--listen",
        url.trim_start_matches("http://"),
    ]);
    let (mut child, _) = serve(command);
    // At once, without waiting for the trouble to be forgotten.
    let pushed = machine
        .run(&["thread", "push", "plan", "third", "--json"])
        .done()
        .json();
    assert_eq!(pushed["sequence_id"], 2);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn status_has_its_promised_fields() {
    let server = Server::start();
    let machine = server.member("ada");
    machine.run(&["thread", "new", "plan", "first"]).done();
    let status = machine.run(&["status", "--json"]).done().json();
    for field in [
        "profile",
        "endpoint",
        "epoch",
        "cursor",
        "server_seq",
        "pending",
        "oldest_pending_seconds",
        "quarantined",
        "last_sync_at",
        "last_error",
    ] {
        assert!(status.get(field).is_some(), "{field}: {status}");
    }
    assert_eq!(status["cursor"]["server_seq"], 2);
    assert_eq!(status["cursor"]["mark"].as_str().unwrap().len(), 32);
    assert_eq!(
        (&status["server_seq"], &status["pending"]),
        (&json!(2), &json!(0))
    );
    assert_eq!(
        (&status["tenant"], &status["user"]),
        (&json!("acme"), &json!("ada"))
    );
    assert_eq!(status["last_error"], Value::Null);
    let text = machine.run(&["status"]).done().stdout;
    assert!(text.starts_with("in sync"), "{text}");
    let text = machine.run(&["sync", "status"]).done().stdout;
    assert!(text.contains("\nSync: Enabled (last sync: 2"), "{text}");
    let pending = machine.run(&["sync", "pending", "--json"]).done().json();
    assert_eq!(pending["pending"], 0);
}

#[test]
fn without_an_endpoint_sync_is_off_and_says_what_to_type() {
    let machine = Machine::new();
    machine.run(&["sync"]).done().says("syncline login URL");
    let now = machine.run(&["sync", "now", "--json"]).done().json();
    assert_eq!((&now["state"], &now["pending"]), (&json!("off"), &json!(0)));
    let text = machine.run(&["sync", "status"]).done().stdout;
    assert!(text.contains("Sync: Disabled (last sync: never)"), "{text}");
    machine.run(&["whoami"]).failed(1, "no_endpoint");
    let status = machine.run(&["status", "--json"]).done().json();
    assert_eq!(
        (&status["epoch"], &status["server_seq"]),
        (&Value::Null, &Value::Null)
    );
    let off = [
        ("SYNCLINE_ENDPOINT", "http://127.0.0.1:9"),
        ("SYNCLINE_SYNC_ENABLED", "false"),
    ];
    machine
        .run_with(&off, &["sync"])
        .done()
        .says("sync is turned off");
    machine
        .run_with(&off, &["thread", "new", "t", "x"])
        .done()
        .says("sync is turned off");
}

#[test]
fn a_reset_asks_who_is_meant_and_keeps_what_was_not_sent() {
    let server = Server::start();
    let machine = server.member("ada");
    machine
        .run(&["sync", "reset", "--confirm", "acme"])
        .failed(1, "never_synced");
    machine
        .run(&["thread", "new", "plan", "first"])
        .done()
        .says("synced");
    machine.run(&["sync", "reset"]).failed(2, "not_confirmed");
    machine
        .run(&["sync", "reset", "--confirm", "other"])
        .failed(2, "not_confirmed")
        .says("syncline sync reset --confirm acme");
    machine
        .run(&["sync", "reset", "--confirm", "acme"])
        .failed(1, "forbidden");
    let create = [
        "token", "create", "--data", "srv", "--tenant", "acme", "--user", "ada", "--right", "admin",
    ];
    let admin = server.machine().run(&create).done().stdout;
    machine.run_on(&admin, &["login"]).done();
    let off = [("SYNCLINE_SYNC_ENABLED", "false")];
    machine
        .run_with(&off, &["thread", "new", "kept", "x"])
        .done();
    let before = machine.run(&["status", "--json"]).done().json();
    let done = machine
        .run(&["sync", "reset", "--confirm", "acme", "--json"])
        .done()
        .json();
    assert_ne!(done["epoch"], before["epoch"]);
    machine.run(&["sync"]).done();
    let after = machine.run(&["status", "--json"]).done().json();
    assert_eq!(after["epoch"], done["epoch"]);
    let listing = machine.run(&["thread", "list", "--json"]).done().json();
    let keys: Vec<&Value> = listing["threads"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| &t["key"])
        .collect();
    assert_eq!(keys, [&json!("kept")]);
}

#[test]
fn a_refused_change_waits_for_a_decision_and_nothing_says_synced() {
    let server = Server::start();
    let machine = server.member("ada");
    machine.run(&["thread", "new", "plan", "first"]).done();
    // Stamped by ada's actor, and offered by ben: the server takes it from ada alone.
    let off = [("SYNCLINE_SYNC_ENABLED", "false")];
    for text in ["second", "third"] {
        machine
            .run_with(&off, &["thread", "push", "plan", text])
            .done();
    }
    server.log_in(&machine, "ben");
    let synced = machine.run(&["sync"]).done().says("2 changes refused");
    assert_eq!(synced.stdout, "Syncing... nothing to upload.\n");
    let status = machine.run(&["status"]).done().stdout;
    assert!(
        status.starts_with("2 changes refused, and waiting for you"),
        "{status}"
    );
    let read = machine
        .run(&["thread", "read", "plan", "--json"])
        .done()
        .json();
    let states: Vec<&Value> = read["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["state"])
        .collect();
    assert_eq!(states, ["acknowledged", "quarantined", "quarantined"]);

    let quarantine = |verb: &[&str]| machine.run(&[&["sync", "quarantine"], verb].concat());
    let held = quarantine(&["list", "--json"]).done().json();
    let held = held["quarantine"].as_array().unwrap().clone();
    assert_eq!(held.len(), 2);
    assert_eq!(held[0]["code"], "foreign_actor");
    assert!(
        held[0].get("payload").is_none(),
        "what was written is shown on request alone"
    );
    let [first, second] = [&held[0]["id"], &held[1]["id"]].map(ToString::to_string);
    let shown = quarantine(&["show", &first, "--json"]).done().json();
    assert_eq!(shown["payload"]["content"], "second");

    quarantine(&["retry", &first, "999"]).failed(1, "quarantine_unknown");
    let retried = quarantine(&["retry", &first, "--json"]).done().json();
    assert_eq!(retried["state"], "acknowledged");
    quarantine(&["drop", &second]).failed(2, "not_confirmed");
    let dropped = quarantine(&["drop", &second, "--yes", "--json"])
        .done()
        .json();
    assert_eq!(dropped["dropped"]["payload"]["content"], "third");
    quarantine(&["list"]).done().says("nothing was refused");
    quarantine(&["retry", "--all", "--json"]).done();
    quarantine(&["retry"]).failed(2, "usage");
    let read = machine
        .run(&["thread", "read", "plan", "--json"])
        .done()
        .json();
    assert_eq!(read["entries"].as_array().unwrap().len(), 2);
    assert_eq!(read["entries"][1]["state"], "acknowledged");
}

#[test]
fn a_sync_that_failed_is_not_in_sync_and_names_the_next_command() {
    let server = Server::start();
    let machine = server.member("ada");
    machine.run(&["thread", "new", "plan", "first"]).done();
    let starts = |words: &str| {
        let text = machine.run(&["status"]).done().stdout;
        assert!(text.starts_with(words), "{text}");
    };
    starts("in sync");
    let revoke = ["token", "revoke", "--data", "srv"];
    let tokens = server
        .machine()
        .run(&["token", "list", "--data", "srv", "--json"])
        .done()
        .json();
    let id = tokens["tokens"][0]["id"].as_str().unwrap().to_owned();
    server.machine().run(&[&revoke[..], &[&id]].concat()).done();
    machine.run(&["sync"]).failed(1, "sync_failed");
    starts("the last sync failed: syncline login\n");
    machine.run(&["thread", "push", "plan", "second"]).done();
    starts("1 change waiting to be sent: syncline login\n");
    server.log_in(&machine, "ada");
    machine.run(&["sync"]).done();
    starts("in sync");
}
