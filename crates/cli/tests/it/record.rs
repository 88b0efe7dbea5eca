//! Records on the replica: online, offline, refused and in conflict.

use serde_json::{Value, json};

use crate::machine::{Answer, Machine};
use crate::serve_schema::{DOCUMENT, machine, write_document};

mod served;

pub(crate) use served::Served;

impl Machine {
    pub(crate) fn record(&self, entity: &str, words: &[&str]) -> Answer {
        self.run(&[&["record", entity], words].concat())
    }

    /// The values of a field in all records of an entity.
    pub(crate) fn field(&self, entity: &str, field: &str) -> Vec<Value> {
        let listed = self
            .record(entity, &["list", "--order", field, "--json"])
            .done()
            .json();
        let records = listed["records"].as_array().unwrap().iter();
        records.map(|record| record[field].clone()).collect()
    }

    pub(crate) fn create(&self, entity: &str, sets: &[&str]) -> String {
        let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
        let made = self
            .record(entity, &[&["create"], &sets[..]].concat())
            .done();
        made.stdout.trim().to_owned()
    }
}

#[test]
fn what_is_written_without_a_server_shows_at_once_and_converges_when_it_is_back() {
    let mut served = Served::start();
    let (ada, bob) = (served.member("ada"), served.member("bob"));
    let id = ada.create("contacts", &["name=Grace", "age=40", "favourite=true"]);
    served.stop();
    let made = ada
        .record("contacts", &["create", "--set", "name=Hopper"])
        .done();
    made.says("queued: contacts/");
    let made = ada
        .record(
            "contacts",
            &["list", "--where", "favourite=false", "--json"],
        )
        .done()
        .json();
    let made = &made["records"][0];
    assert_eq!(
        (&made["name"], &made["_pending"]),
        (&json!("Hopper"), &json!(true))
    );
    let key = made["id"].as_str().expect("it has its key");
    ada.record("contacts", &["get", key]).done();
    ada.record(
        "contacts",
        &["update", &id, "--set", "favourite=false", "--null", "age"],
    )
    .done();
    let got = ada
        .record("contacts", &["get", &id, "--json"])
        .done()
        .json();
    assert_eq!(
        (&got["age"], &got["_pending"], &got["_role"]),
        (&Value::Null, &json!(true), &json!("editor"))
    );
    let table = ada
        .record("contacts", &["list", "--order", "name"])
        .done()
        .stdout;
    assert!(table.starts_with("id "), "{table}");
    assert_eq!(table.matches("pending").count(), 2, "{table}");
    assert!(
        table.contains("_role") && table.contains("editor"),
        "{table}"
    );
    served.start_again();
    ada.run(&["sync"]).done();
    bob.run(&["sync"]).done();
    for machine in [&ada, &bob] {
        assert_eq!(machine.field("contacts", "name"), ["Grace", "Hopper"]);
        let got = machine
            .record("contacts", &["get", &id, "--json"])
            .done()
            .json();
        assert_eq!(
            (&got["favourite"], &got["_pending"]),
            (&json!(false), &Value::Null)
        );
        assert_eq!(got["age"], Value::Null);
    }
    bob.record("contacts", &["delete", &id])
        .done()
        .says("synced");
    bob.record("contacts", &["get", &id]).failed(1, "not_found");
}

#[test]
fn a_write_that_the_server_must_confirm_waits_for_it_and_offline_ends_unconfirmed() {
    let mut served = Served::start();
    let ada = served.member("ada");
    let made = ada
        .record("invoices", &["create", "--set", "number=1", "--json"])
        .done();
    let made = made
        .says("waiting for the server to decide on invoices/")
        .json();
    assert_eq!(
        (&made["state"], &made["mode"]),
        (&json!("acknowledged"), &json!("confirmed"))
    );
    assert_eq!(made["record"]["number"], 1);
    served.stop();
    let body = r#"{"number": 2, "lines": ["a", "b"]}"#;
    let unconfirmed = ada.run_on(
        body,
        &[
            "record",
            "invoices",
            "create",
            "--id",
            "two",
            "--json-body",
            "-",
            "--wait",
            "1",
        ],
    );
    assert_eq!(unconfirmed.code, Some(1));
    assert_eq!(unconfirmed.stdout, "");
    unconfirmed
        .says("error[unconfirmed]: the server has not decided on invoices/two")
        .says("the next sync delivers it")
        .says("syncline sync");
    ada.record("invoices", &["get", "two"])
        .failed(1, "not_found")
        .says("a write of it waits for the server");
    let off = [("SYNCLINE_SYNC_ENABLED", "false")];
    let create = ["record", "invoices", "create", "--set", "number=3"];
    ada.run_with(&off, &create)
        .says("error[unconfirmed]")
        .says("fix:   syncline config set sync_enabled true");
    assert_eq!(
        ada.field("invoices", "number"),
        [1],
        "it does not show before it is confirmed"
    );
    served.start_again();
    ada.run(&["sync"]).done();
    assert_eq!(ada.field("invoices", "number"), [1, 2, 3]);
    let got = ada
        .record("invoices", &["get", "two", "--json"])
        .done()
        .json();
    assert_eq!(got["lines"], json!(["a", "b"]));
}

#[test]
fn a_refused_write_is_taken_back_with_what_was_built_on_it_alone() {
    let mut served = Served::start();
    let (ada, bob) = (served.member("ada"), served.member("bob"));
    served.stop();
    let refused = ada.create("contacts", &["name=Eve", "email=eve@x"]);
    ada.record("contacts", &["update", &refused, "--set", "age=7"])
        .done();
    let other = ada.create("contacts", &["name=Other"]);
    served.start_again();
    bob.create("contacts", &["name=First", "email=eve@x"]);
    ada.run(&["sync"]);
    assert_eq!(ada.field("contacts", "name"), ["First", "Other"]);
    ada.record("contacts", &["get", &refused])
        .failed(1, "not_found");
    let got = ada
        .record("contacts", &["get", &other, "--json"])
        .done()
        .json();
    assert_eq!(got["_pending"], Value::Null);
    let held = ada
        .run(&["sync", "quarantine", "list", "--json"])
        .done()
        .json();
    let text = held.to_string();
    assert!(
        text.contains("unique_violation") && text.contains("depends_on_refused"),
        "{text}"
    );
    assert!(!text.contains(&other), "{text}");
    let first = held["quarantine"][0]["id"].to_string();
    let shown = ada.run(&["sync", "quarantine", "show", &first]).done();
    let reason = "email: another record has this value";
    assert!(shown.stdout.contains(reason), "{}", shown.stdout);
    // Told at once where the server is there.
    let again = ada.record(
        "contacts",
        &["create", "--set", "name=Eve", "--set", "email=eve@x"],
    );
    again
        .failed(1, "unique_violation")
        .says("email: ")
        .says("it is taken back")
        .says("syncline sync quarantine show");
    assert_eq!(ada.field("contacts", "name"), ["First", "Other"]);
}

#[test]
fn what_can_not_pass_is_told_before_it_is_written() {
    let served = Served::start();
    let ada = served.member("ada");
    let near = |answer: Answer, code: i32, error: &str, name: &str| {
        answer.failed(code, error).says(name);
    };
    near(
        ada.record("contact", &["list"]),
        2,
        "unknown_entity",
        "contacts",
    );
    let create = |set: &str| ada.record("contacts", &["create", "--set", set]);
    near(create("emial=a"), 2, "unknown_field", "email");
    near(create("draft=a"), 2, "excluded_field", "draft");
    near(create("age=old"), 2, "value_invalid", "a whole number");
    near(create("email=a"), 1, "validation_failed", "name: ");
    near(create("salary=1"), 1, "forbidden_field", "salary");
    let listed = ada.record("contacts", &["list", "--where", "nmae=a"]);
    near(listed, 2, "unknown_field", "name");
    near(
        ada.record("contacts", &["update", "x"]),
        2,
        "nothing_to_change",
        "--set",
    );
    near(
        ada.record("contacts", &["delete", "x"]),
        1,
        "not_found",
        "contacts/x",
    );
    let absent = ada.record("contacts", &["update", "x", "--set", "age=1"]);
    near(absent, 1, "not_found", "syncline record contacts list");
    let none = Machine::new();
    near(
        none.record("contacts", &["list"]),
        1,
        "no_schema",
        "syncline sync",
    );
    assert_eq!(ada.field("contacts", "name"), Vec::<Value>::new());
    let pending = ada.run(&["sync", "pending", "--json"]).done().json();
    assert!(!pending.to_string().contains("contacts"), "{pending}");
}

#[test]
fn a_viewer_reads_and_does_not_write() {
    let served = Served::start();
    let (ada, bob) = (served.member("ada"), served.member("bob"));
    let id = ada.create("contacts", &["name=Grace"]);
    let member = ["member", "add", "bob", "--role", "viewer", "--data", "srv"];
    served.host.run(&member).done();
    bob.run(&["sync"]).done();
    let got = bob
        .record("contacts", &["get", &id, "--json"])
        .done()
        .json();
    assert_eq!(
        (&got["name"], &got["_role"]),
        (&json!("Grace"), &json!("viewer"))
    );
    let refused = bob.record("contacts", &["update", &id, "--set", "name=Mine"]);
    assert_eq!(refused.code, Some(1));
    refused.says("error[forbidden").says("syncline member role");
    assert_eq!(bob.field("contacts", "name"), ["Grace"]);
}

#[test]
fn lists_are_narrowed_ordered_and_read_on() {
    let served = Served::start();
    let ada = served.member("ada");
    for set in [
        ["name=Ann", "age=3"],
        ["name=Ben", "age=1"],
        ["name=Cid", "age=2"],
    ] {
        ada.create("contacts", &set);
    }
    ada.create("contacts", &["name=Dot"]);
    let names = |words: &[&str]| -> Vec<String> {
        let listed = ada
            .record("contacts", &[&["list", "--json"], words].concat())
            .done()
            .json();
        let records = listed["records"].as_array().unwrap().iter();
        records
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        names(&["--where", "age=gte:2", "--order", "-age"]),
        ["Ann", "Cid"]
    );
    assert_eq!(names(&["--where", "name=Ben"]), ["Ben"]);
    assert_eq!(
        names(&["--where", "name=in:Ann,Cid", "--order", "name"]),
        ["Ann", "Cid"]
    );
    assert_eq!(names(&["--where", "age=null:true"]), ["Dot"]);
    assert_eq!(
        names(&["--where", "name=contains:N", "--where", "age=lt:2"]),
        ["Ben"]
    );
    let first = ["list", "--order", "name", "--limit", "3", "--json"];
    let first = ada
        .record("contacts", &first)
        .done()
        .says("there are more: --after")
        .json();
    let next = first["next_cursor"].as_str().unwrap();
    assert_eq!(
        names(&["--order", "name", "--limit", "3", "--after", next]),
        ["Dot"]
    );
    ada.record("contacts", &["list", "--after", "nonsense"])
        .failed(2, "filter_invalid");
    ada.record("contacts", &["list", "--where", "name"])
        .failed(2, "filter_invalid");
}

#[test]
fn a_list_shows_the_subset_that_clients_take_and_all_where_asked() {
    let host = machine();
    let subset = "x-sync: { local_first: true, where: \"favourite = false\" }";
    let document = DOCUMENT.replacen("x-sync: { local_first: true }", subset, 1);
    write_document(&host, &document);
    let served = Served::on(host);
    let ada = served.member("ada");
    let liked = ada.create("contacts", &["name=Ann", "favourite=true"]);
    ada.create("contacts", &["name=Ben"]);
    let listed = ada.record("contacts", &["list"]).done();
    let listed = listed.says("favourite = false").says("--all");
    assert!(!listed.stdout.contains("Ann"), "{}", listed.stdout);
    let all = ada.record("contacts", &["list", "--all"]).done();
    assert!(all.stdout.contains("Ann"), "{}", all.stdout);
    assert!(!all.stderr.contains("--all"), "{}", all.stderr);
    // What is not in it is found by its key, and can be put into it again.
    ada.record("contacts", &["get", &liked]).done();
    ada.record("contacts", &["update", &liked, "--set", "favourite=false"])
        .done();
    assert_eq!(ada.field("contacts", "name"), ["Ann", "Ben"]);
}

#[test]
fn a_whole_number_is_one_however_it_is_written_with_a_server_and_without() {
    let mut served = Served::start();
    let ada = served.member("ada");
    ada.create("contacts", &["name=Ada", "age=41.0"]);
    served.stop();
    ada.create("contacts", &["name=Bob", "age=4.2e1"]);
    let body = r#"{"name": "Cat", "age": 430e-1}"#;
    ada.record("contacts", &["create", "--json-body", body])
        .done();
    let ages = [json!(41), json!(42), json!(43)];
    assert_eq!(ada.field("contacts", "age"), ages);
    for (wrong, code) in [
        ("4.5", "validation_failed"),
        ("4503599627370497.5", "value_invalid"),
        ("1e400", "value_invalid"),
    ] {
        let set = format!("age={wrong}");
        let refused = ada.record("contacts", &["create", "--set", "name=Dan", "--set", &set]);
        assert_ne!(refused.code, Some(0), "{wrong}");
        refused.says(code).says("a whole number");
    }
    served.start_again();
    ada.run(&["sync"]).done();
    assert_eq!(ada.field("contacts", "age"), ages);
}
