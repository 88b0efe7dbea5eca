//! One document is a backend: `serve --schema`.

use std::process::Child;

use serde_json::{Value, json};

use crate::machine::Machine;
use crate::served::{self, terminate};
use crate::wire::{Reply, Wire};

/// Two entities: contacts that are written offline too, and invoices that the server confirms.
pub(crate) const DOCUMENT: &str = include_str!("../data/contacts.yaml");

/// A server that was started with a document; killed when dropped.
pub(crate) struct Backend {
    child: Child,
    pub(crate) url: String,
}

impl Backend {
    pub(crate) fn start(machine: &Machine, flags: &[&str]) -> Self {
        let all = [
            &["serve", "--data", "srv", "--schema", "openapi.yaml"][..],
            flags,
        ]
        .concat();
        let (child, url) = served::serve(machine.command(&all));
        Self { child, url }
    }

    /// A server of open doors at a place of its own.
    pub(crate) fn open(machine: &Machine) -> Self {
        Self::start(machine, &["--listen", "127.0.0.1:0"])
    }

    pub(crate) fn stop(mut self) {
        terminate(&self.child);
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }

    pub(crate) fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    pub(crate) fn ask(&self, token: &str, method: &str, path: &str, body: &Value) -> Reply {
        match body {
            Value::Null => self.send(token, method, path, ""),
            body => self.send(token, method, path, &body.to_string()),
        }
    }

    fn send(&self, token: &str, method: &str, path: &str, text: &str) -> Reply {
        let mut wire = Wire::connect(self.address().parse().unwrap(), token).unwrap();
        wire.call(method, path, text.as_bytes()).unwrap()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn write_document(machine: &Machine, text: &str) {
    std::fs::write(machine.work_dir().join("openapi.yaml"), text).unwrap();
}

/// A machine with the document in its working directory.
pub(crate) fn machine() -> Machine {
    let machine = Machine::new();
    write_document(&machine, DOCUMENT);
    machine
}

/// The heads of the logs that a stopped server has left, by tenant.
pub(crate) fn heads(machine: &Machine) -> Vec<(String, u64)> {
    let tenants = ["admin", "tenants", "--data", "srv", "--json"];
    let listed = machine.run(&tenants).done().json();
    let head = |log: &Value| {
        let tenant = log["tenant"].as_str().unwrap().to_owned();
        (tenant, log["server_seq"].as_u64().unwrap())
    };
    listed["tenants"]
        .as_array()
        .unwrap()
        .iter()
        .map(head)
        .collect()
}

/// The document without what stands between two of its comments.
pub(crate) fn without(text: &str, name: &str) -> String {
    let (before, rest) = text.split_once(&format!("# {name}\n")).unwrap();
    let (_, after) = rest.split_once(&format!("# end of {name}\n")).unwrap();
    format!("{}{after}", before.trim_end_matches(' '))
}

#[test]
fn one_command_makes_a_document_a_backend() {
    let machine = machine();
    let server = Backend::open(&machine);
    let made = server.ask("", "POST", "/api/contacts", &json!({"name": "Ada"}));
    assert_eq!(made.status, 201, "{}", made.body);
    assert!(made.body["txid"].is_number(), "{}", made.body);
    let id = made.body["id"].as_str().unwrap();
    let got = server.ask("", "GET", &format!("/api/contacts/{id}"), &Value::Null);
    assert_eq!((got.status, &got.body["name"]), (200, &json!("Ada")));
    let refused = server.ask("", "POST", "/api/contacts", &json!({"name": 7}));
    assert_eq!(refused.status, 422, "{}", refused.body);
}

#[test]
fn a_document_that_did_not_change_writes_nothing_at_a_start() {
    let machine = machine();
    let server = Backend::open(&machine);
    server.ask("", "POST", "/api/contacts", &json!({"name": "Ada"}));
    server.stop();
    let before = heads(&machine);
    assert_eq!(before, [("default".to_owned(), 2)]);
    let server = Backend::open(&machine);
    let listed = server.ask("", "GET", "/api/contacts", &Value::Null);
    assert_eq!(listed.status, 200, "{}", listed.body);
    server.stop();
    assert_eq!(heads(&machine), before);
}

#[test]
fn what_a_document_adds_is_applied_at_the_next_start() {
    let machine = machine();
    write_document(&machine, &without(DOCUMENT, "phone"));
    let server = Backend::open(&machine);
    server.ask("", "POST", "/api/contacts", &json!({"name": "Ada"}));
    server.stop();
    write_document(&machine, DOCUMENT);
    let server = Backend::open(&machine);
    let body = json!({"name": "Bob", "phone": 7});
    let refused = server.ask("", "POST", "/api/contacts", &body);
    assert_eq!(
        refused.status, 422,
        "phone is a field now: {}",
        refused.body
    );
    let listed = server.ask("", "GET", "/api/contacts", &Value::Null);
    assert!(listed.body.to_string().contains("Ada"), "{}", listed.body);
    server.stop();
    assert_eq!(heads(&machine), [("default".to_owned(), 3)]);
}

#[test]
fn a_document_with_errors_keeps_a_server_from_starting() {
    let machine = machine();
    let broken = DOCUMENT.replace("x-conflict: reject", "x-conflict: rejects");
    write_document(&machine, &broken);
    let line = 1 + broken
        .lines()
        .position(|line| line.contains("rejects"))
        .unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--data", "srv"];
    let answer = machine.run(&[&serve[..], &["--schema", "openapi.yaml"]].concat());
    assert_eq!((answer.code, &*answer.stdout), (Some(1), ""));
    let answer = answer
        .says(&format!("openapi.yaml:{line}:"))
        .says("error[unknown_conflict]")
        .says("error[document_invalid]: ")
        .says("syncline schema check openapi.yaml");
    assert!(!machine.work_dir().join("srv").exists(), "{answer:#?}");
    let variables = [("SYNCLINE_SCHEMA", "nowhere.yaml")];
    let answer = machine.run_with(&variables, &serve);
    answer.failed(1, "document_unreadable").says("nowhere.yaml");
    write_document(
        &machine,
        "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths: {}\n",
    );
    let variables = [("SYNCLINE_SCHEMA", "openapi.yaml")];
    let answer = machine.run_with(&variables, &serve);
    assert_eq!(answer.code, Some(1));
    answer.says("error[no_entities]: ");
}

#[test]
fn a_document_that_takes_something_away_keeps_a_server_from_starting() {
    let machine = machine();
    let server = Backend::open(&machine);
    let ada = json!({"id": "ada", "name": "Ada"});
    server.ask("", "POST", "/api/contacts", &ada);
    server.stop();
    let before = heads(&machine);
    write_document(&machine, &without(DOCUMENT, "phone"));
    let serve = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data",
        "srv",
        "--schema",
        "openapi.yaml",
    ];
    let answer = machine.run(&serve).failed(1, "breaking_schema");
    answer
        .says("tenant default: drop-field contacts.phone: is gone")
        .says("syncline schema apply openapi.yaml --data srv --allow-drop-field");
    let whole = DOCUMENT.replacen(
        "name: { type: string, maxLength: 40 }",
        "name: { type: integer }",
        1,
    );
    write_document(&machine, &whole);
    machine
        .run(&serve)
        .failed(1, "breaking_schema")
        .says("; 1 record holds what it does not take: ada")
        .says("syncline schema apply openapi.yaml --data srv --allow-change-kind");
    assert_eq!(heads(&machine), before);
}

/// What an earlier build has read of a document said nothing of what its lists and objects must hold.
#[test]
fn a_server_of_an_earlier_build_s_data_starts_with_its_document() {
    let machine = machine();
    let holds =
        |tags: &str| DOCUMENT.replacen("phone:", &format!("tags: {tags}\n        phone:"), 1);
    write_document(&machine, &holds("{}"));
    let server = Backend::open(&machine);
    // The tenant's log is made when somebody first asks for it.
    let listed = server.ask("", "GET", "/api/contacts", &Value::Null);
    assert_eq!(listed.status, 200, "{}", listed.body);
    server.stop();
    let note = machine.work_dir().join("srv/served-schema.json");
    let noted = std::fs::read_to_string(&note).unwrap();
    write_document(&machine, &holds("{ type: array, items: { type: string } }"));
    let serve = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data",
        "srv",
        "--schema",
        "openapi.yaml",
    ];
    let answer = machine.run(&serve).failed(1, "breaking_schema");
    answer.says("tenant default: tighten-field contacts.tags");
    let earlier = noted.replace(",\"reads_within\":true", "");
    assert_ne!(earlier, noted);
    std::fs::write(&note, earlier).unwrap();
    let server = Backend::open(&machine);
    let wrong = json!({"name": "Ada", "tags": [1]});
    let wrong = server.ask("", "POST", "/api/contacts", &wrong);
    assert_eq!(wrong.status, 422, "{}", wrong.body);
    server.stop();
}

/// Who administers one tenant does not keep the server from starting for the others.
#[test]
fn a_tenant_whose_admin_has_more_than_the_document_keeps_it_and_the_server_starts() {
    let machine = machine();
    let serve = ["--listen", "127.0.0.1:0", "--auth", "token"];
    let server = Backend::start(&machine, &serve);
    let token = |tenant: &str, rights: &str| {
        let create = [
            "token", "create", "--data", "srv", "--user", "ada", "--tenant", tenant,
        ];
        let create = [&create[..], &["--right", rights]].concat();
        machine.run(&create).done().stdout.trim().to_owned()
    };
    let (other, plain) = (token("other", "admin"), token("plain", "sync"));
    for token in [&other, &plain] {
        let listed = server.ask(token, "GET", "/api/contacts", &Value::Null);
        assert_eq!(listed.status, 200, "{}", listed.body);
    }
    let more = DOCUMENT.replacen("phone:", "fax: { type: string }\n        phone:", 1);
    let applied = server.send(&other, "PUT", "/api/schema", &more);
    assert_eq!(applied.status, 200, "{}", applied.body);
    server.stop();
    let server = Backend::start(&machine, &serve);
    for (token, has_fax) in [(&other, true), (&plain, false)] {
        let shown = server.ask(token, "GET", "/api/schema", &Value::Null);
        assert_eq!(
            shown.body.to_string().contains("fax"),
            has_fax,
            "{}",
            shown.body
        );
    }
    server.stop();
    // What the document itself takes away is still asked for, and of who follows it alone.
    write_document(&machine, &without(DOCUMENT, "phone"));
    let started = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data",
        "srv",
        "--auth",
        "token",
    ];
    let answer = machine.run(&[&started[..], &["--schema", "openapi.yaml"]].concat());
    let answer = answer.failed(1, "breaking_schema");
    let answer = answer.says("tenant plain: drop-field contacts.phone: is gone");
    assert!(
        !answer.stderr.contains("tenant other:"),
        "{}",
        answer.stderr
    );
}

#[test]
fn a_tenant_that_is_made_later_has_the_document_at_its_first_request() {
    let machine = machine();
    let server = Backend::start(&machine, &["--listen", "127.0.0.1:0", "--auth", "token"]);
    for tenant in ["acme", "later"] {
        let create = [
            "token", "create", "--data", "srv", "--user", "ada", "--tenant", tenant,
        ];
        let token = machine.run(&create).done().stdout;
        let listed = server.ask(token.trim(), "GET", "/api/contacts", &Value::Null);
        assert_eq!(listed.status, 200, "{tenant}: {}", listed.body);
        let made = server.ask(
            token.trim(),
            "POST",
            "/api/contacts",
            &json!({"name": tenant}),
        );
        assert_eq!(made.status, 201, "{tenant}: {}", made.body);
    }
    server.stop();
    let both = ["acme", "later"].map(|tenant| (tenant.to_owned(), 2));
    assert_eq!(heads(&machine), both);
}

#[test]
fn a_log_that_was_reset_has_the_document_again() {
    let machine = machine();
    let server = Backend::open(&machine);
    server.ask("", "POST", "/api/contacts", &json!({"name": "Ada"}));
    machine
        .run(&["config", "set", "endpoint", &server.url])
        .done();
    machine.run(&["sync"]).done();
    machine
        .run(&["sync", "reset", "--confirm", "default"])
        .done();
    let listed = server.ask("", "GET", "/api/contacts", &Value::Null);
    assert_eq!(listed.status, 200, "{}", listed.body);
    assert!(!listed.body.to_string().contains("Ada"), "{}", listed.body);
    server.stop();
    assert_eq!(heads(&machine), [("default".to_owned(), 1)]);
}

#[test]
fn a_backup_of_records_is_verified_and_put_back() {
    let machine = machine();
    let server = Backend::open(&machine);
    server.ask("", "POST", "/api/contacts", &json!({"name": "Ada"}));
    machine.run(&["backup", "kept", "--data", "srv"]).done();
    server.stop();
    machine
        .run(&["restore", "kept", "--data", "srv", "--yes"])
        .done();
    let server = Backend::open(&machine);
    let listed = server.ask("", "GET", "/api/contacts", &Value::Null);
    assert!(listed.body.to_string().contains("Ada"), "{}", listed.body);
}

#[test]
fn a_path_that_the_server_answers_itself_is_told_of_with_its_place() {
    let machine = machine();
    write_document(&machine, &DOCUMENT.replace("/api/contacts", "/api/lists"));
    // The address is taken, so that it ends once the document was read.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let serve = [
        "serve",
        "--data",
        "srv",
        "--schema",
        "openapi.yaml",
        "--listen",
        &listen,
    ];
    let check = ["schema", "check", "openapi.yaml"];
    let diff = ["schema", "diff", "openapi.yaml", "--data", "srv"];
    let generate = ["generate", "openapi.yaml", "--out", "generated"];
    for arguments in [&serve[..], &check, &diff, &generate] {
        let answer = machine.run(arguments);
        let told = format!("{}{}", answer.stdout, answer.stderr);
        let mut lines = told
            .lines()
            .filter(|line| line.contains("warning[hidden_path]"));
        let (first, second) = (lines.next(), lines.next());
        let first = first.unwrap_or_else(|| panic!("{arguments:?}: {told}"));
        assert!(first.starts_with("openapi.yaml:"), "{first}");
        assert!(first.contains("/api/lists is not served"), "{first}");
        assert!(first.contains("/v1/shape?table=lists"), "{first}");
        assert!(
            second.is_some_and(|line| line.contains("/api/lists/{id}")),
            "{told}"
        );
    }
}
