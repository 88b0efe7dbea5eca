//! A UUID names one record of a replica, in whatever letters it is typed.

use serde_json::Value;

use crate::machine::Machine;
use crate::serve_schema::{Backend, DOCUMENT, machine, write_document};

const SMALL: &str = "0a000000-0000-4000-8000-00000000000b";
const CAPITALS: &str = "0A000000-0000-4000-8000-00000000000B";

#[test]
fn a_record_is_made_in_small_letters_and_found_in_any() {
    let host = machine();
    let key = "id: { type: string }";
    assert!(DOCUMENT.contains(key), "{DOCUMENT}");
    let document = DOCUMENT.replace(key, "id: { type: string, format: uuid }");
    write_document(&host, &document);
    let server = Backend::start(&host, &["--listen", "127.0.0.1:0", "--auth", "token"]);
    let create = ["token", "create", "--data", "srv", "--user", "ada"];
    let token = host.run(&create).done().stdout;
    let ada = Machine::new();
    ada.run_on(token.trim(), &["login", &server.url]).done();
    ada.run(&["sync"]).done();
    let contacts = |words: &[&str]| ada.run(&[&["record", "contacts"], words].concat());

    let made = contacts(&["create", "--id", CAPITALS, "--set", "name=Ada"]).done();
    assert_eq!(made.stdout.trim(), SMALL);
    contacts(&["create", "--id", SMALL, "--set", "name=Ada"]).failed(1, "already_exists");
    contacts(&["update", CAPITALS, "--set", "name=Bob"]).done();
    ada.run(&["sync"]).done();
    for id in [SMALL, CAPITALS] {
        let got = contacts(&["get", id, "--json"]).done().json();
        assert_eq!(
            (&got["id"], &got["name"]),
            (&Value::from(SMALL), &Value::from("Bob"))
        );
        let history = contacts(&["history", id, "--json"]).done().json();
        assert_eq!(history["history"].as_array().unwrap().len(), 2, "{history}");
    }
    let got = server.ask(
        token.trim(),
        "GET",
        &format!("/api/contacts/{CAPITALS}"),
        &Value::Null,
    );
    assert_eq!((got.status, &got.body["name"]), (200, &Value::from("Bob")));
    contacts(&["delete", CAPITALS]).done();
    let listed = contacts(&["list", "--json"]).done().json();
    assert_eq!(listed["records"], serde_json::json!([]));
}
