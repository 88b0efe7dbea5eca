//! Edits of records that others' have won against, and who is told of them.

use serde_json::{Value, json};

use crate::daemon::{Daemon, until};
use crate::machine::Machine;
use crate::record::Served;
use crate::serve_schema::{DOCUMENT, without, write_document};

#[test]
fn a_value_that_lost_is_told_and_stays_in_the_history() {
    let mut served = Served::start();
    let (ada, bob) = (served.member("ada"), served.member("bob"));
    let id = ada.create("contacts", &["name=Grace", "phone=1"]);
    bob.run(&["sync"]).done();
    served.stop();
    ada.record("contacts", &["update", &id, "--set", "phone=from ada"])
        .done();
    bob.record("contacts", &["update", &id, "--set", "phone=from bob"])
        .done();
    served.start_again();
    let told = ada.run(&["sync", "now", "--json"]).done().json();
    assert_eq!(told["lost"], json!([]));
    let told = bob.run(&["sync"]).done();
    told.says("contacts/").says(&format!(
        "phone was changed meanwhile: \"from bob\" lost to \"from ada\"; see `syncline record contacts history {id}`"
    ));
    ada.run(&["sync"]).done();
    for machine in [&ada, &bob] {
        assert_eq!(machine.field("contacts", "phone"), ["from ada"]);
        let told = machine.record("contacts", &["history", &id]).done().stdout;
        assert!(
            told.contains("phone: \"from bob\" lost to \"from ada\", base \"1\""),
            "{told}"
        );
        let told = machine
            .record("contacts", &["history", &id, "--json"])
            .done()
            .json();
        let last = told["history"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(
            (&last["by"], &last["lost"]["phone"]["mine"]),
            (&json!("bob"), &json!("from bob"))
        );
    }
    ada.record("contacts", &["history", "nobody"])
        .failed(1, "not_found");
}

/// Two have changed a contact's phone, both without a server, and ada's change has reached it: bob's is to lose.
fn bob_is_to_lose() -> (Served, Machine, String) {
    let mut served = Served::start();
    let (ada, bob) = (served.member("ada"), served.member("bob"));
    let id = ada.create("contacts", &["name=Grace", "phone=1"]);
    bob.run(&["sync"]).done();
    served.stop();
    for (machine, phone) in [(&ada, "phone=from ada"), (&bob, "phone=from bob")] {
        machine
            .record("contacts", &["update", &id, "--set", phone])
            .done();
    }
    served.start_again();
    ada.run(&["sync"]).done();
    (served, bob, id)
}

fn untold(machine: &Machine) -> Value {
    machine.run(&["status", "--json"]).done().json()["lost_edits"].clone()
}

#[test]
fn what_lost_while_a_daemon_synced_is_told_once_by_the_next_who_looks() {
    let (_served, bob, id) = bob_is_to_lose();
    let daemon = Daemon::start(&bob);
    until("the daemon has synced", || untold(&bob) == json!(1));
    daemon.stop();
    let status = bob.run(&["status"]).done().stdout;
    assert!(
        status.contains("lost edits   1: syncline sync tells which"),
        "{status}"
    );
    // What a program reads says nothing of it.
    let got = bob.record("contacts", &["get", &id, "--json"]).done();
    assert_eq!(got.stderr, "");
    let lost = "phone was changed meanwhile: \"from bob\" lost to \"from ada\"";
    bob.record("contacts", &["get", &id]).done().says(lost);
    assert_eq!(untold(&bob), 0);
    let again = bob.record("contacts", &["get", &id]).done();
    assert_eq!(again.stderr, "");
    let synced = bob.run(&["sync", "now", "--json"]).done().json();
    assert_eq!(synced["lost"], json!([]));
}

#[test]
fn what_lost_while_another_command_synced_is_told_by_sync_now() {
    let (_served, bob, id) = bob_is_to_lose();
    bob.run(&["thread", "new", "plan", "first"]).done();
    until("what was written has synced", || {
        bob.run(&["thread", "push", "plan", "more"]).done();
        untold(&bob) == json!(1)
    });
    let synced = bob.run(&["sync", "now", "--json"]).done().json();
    assert_eq!(
        synced["lost"],
        json!([{"entity": "contacts", "id": id, "column": "phone",
                "base": "1", "mine": "from bob", "theirs": "from ada"}])
    );
    assert_eq!(untold(&bob), 0);
}

#[test]
fn a_write_tells_what_it_lost_itself_once() {
    let mut served = Served::start();
    let (ada, bob) = (served.member("ada"), served.member("bob"));
    let id = ada.create("contacts", &["name=Grace", "phone=1"]);
    bob.run(&["sync"]).done();
    ada.record("contacts", &["update", &id, "--set", "phone=from ada"])
        .done();
    ada.run(&["sync"]).done();
    let words = ["update", &id, "--set", "phone=from bob", "--wait", "60"];
    let told = bob.record("contacts", &words).done();
    assert_eq!(
        told.stderr.matches("changed meanwhile").count(),
        1,
        "{}",
        told.stderr
    );
    assert_eq!(untold(&bob), 0);
    served.stop();
}

/// What nobody is shown is told to who wrote it: in the log alone nobody would look for it.
#[test]
fn what_was_written_to_a_field_that_is_gone_is_told() {
    let mut served = Served::start();
    let ada = served.member("ada");
    let id = ada.create("contacts", &["name=Grace", "phone=1"]);
    served.stop();
    ada.record(
        "contacts",
        &["update", &id, "--set", "phone=2", "--set", "age=3"],
    )
    .done();
    ada.record(
        "contacts",
        &[
            "create", "--id", "bob", "--set", "name=Bob", "--set", "phone=3",
        ],
    )
    .done();
    write_document(&served.host, &without(DOCUMENT, "phone"));
    let apply = [
        "schema",
        "apply",
        "openapi.yaml",
        "--data",
        "srv",
        "--allow-drop-field",
    ];
    served.host.run(&apply).done();
    served.start_again();
    let mut told = ada.run(&["sync"]).done();
    for (id, value) in [(&*id, "2"), ("bob", "3")] {
        let gone = format!("contacts/{id}: phone is no field of contacts any more");
        told = told
            .says(&gone)
            .says(&format!("\"{value}\" was written to it"));
    }
    assert_eq!(ada.field("contacts", "age"), [Value::Null, json!(3)]);
    assert_eq!(untold(&ada), 0);
    // A field that was there when its value came is nobody's loss.
    let document = DOCUMENT.replacen(
        "favourite:",
        "nick: { type: string }\n        favourite:",
        1,
    );
    write_document(&served.host, &document);
    served.stop();
    served.start_again();
    ada.run(&["sync"]).done();
    ada.record("contacts", &["update", "bob", "--set", "nick=B"])
        .done();
    let synced = ada.run(&["sync", "now", "--json"]).done().json();
    assert_eq!(synced["lost"], json!([]));
    served.stop();
}
