//! Records that hold what a document does not take, with which a server starts nevertheless.

use std::fs::{File, read_to_string};

use serde_json::json;

use crate::serve_schema::{Backend, DOCUMENT, machine, write_document};
use crate::served::Server;

#[test]
fn records_that_hold_other_values_of_a_field_that_is_new_are_told_in_the_log() {
    let machine = machine();
    let server = Backend::open(&machine);
    for contact in [
        json!({"id": "ada", "name": "Ada", "rank": "first", "nick": "A"}),
        json!({"id": "bob", "name": "Bob", "rank": 2, "nick": "B"}),
    ] {
        let made = server.ask("", "POST", "/api/contacts", &contact);
        assert_eq!(made.status, 201, "{}", made.body);
    }
    server.stop();
    let fields = "rank: { type: integer }\n        nick: { type: string }\n        phone:";
    write_document(&machine, &DOCUMENT.replacen("phone:", fields, 1));
    let log = machine.work_dir().join("log");
    let serve = ["serve", "--data", "srv", "--listen", "127.0.0.1:0"];
    let serve = [&serve[..], &["--schema", "openapi.yaml"]].concat();
    let mut command = machine.command(&serve);
    command.stderr(File::create(&log).unwrap());
    // What is left of the server keeps the machine, and so the log.
    let _stopped = Server::of(machine, command).stop();
    let told = read_to_string(log).unwrap();
    assert!(
        told.contains("contacts.rank: is new; 1 record holds what it does not take: ada"),
        "{told}"
    );
    assert!(!told.contains("contacts.nick"), "{told}");
}
