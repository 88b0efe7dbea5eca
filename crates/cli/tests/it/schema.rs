//! Documents checked, compared and applied.

use serde_json::{Value, json};

use crate::machine::Machine;
use crate::serve_schema::{Backend, DOCUMENT, heads, machine, without, write_document};
use crate::served::Server;

#[test]
fn a_document_is_checked_without_a_server() {
    let machine = machine();
    let checked = machine
        .run(&["schema", "check", "openapi.yaml", "--json"])
        .done()
        .json();
    assert_eq!(checked["entities"], json!(["contacts", "invoices"]));
    assert_eq!(checked["errors"], 0);
    let broken = DOCUMENT.replace("x-sync-exclude:", "x-sync-excluded:");
    write_document(&machine, &broken);
    let line = 1 + broken
        .lines()
        .position(|line| line.contains("x-sync-excluded"))
        .unwrap();
    let checked = machine.run(&["schema", "check", "openapi.yaml"]);
    assert_eq!((checked.code, &*checked.stderr), (Some(1), ""));
    let place = format!("openapi.yaml:{line}:");
    let told = checked.stdout.lines().find(|told| told.starts_with(&place));
    let told = told.unwrap_or_else(|| panic!("{checked:#?}"));
    assert!(told.contains("error[unknown_extension]: "), "{told}");
    assert!(
        checked
            .stdout
            .ends_with(": 2 entities, 1 error, 0 warnings\n"),
        "{checked:#?}"
    );
    let checked = machine.run(&["schema", "check", "openapi.yaml", "--json"]);
    assert_eq!(checked.code, Some(1));
    assert_eq!(checked.json()["diagnostics"][0]["line"], line);
    machine
        .run(&["schema", "check", "nowhere.yaml"])
        .failed(1, "document_unreadable");
    write_document(&machine, "openapi: 3.1.0\npaths: {}\n");
    let checked = machine.run(&["schema", "check", "openapi.yaml"]);
    assert!(
        checked.stdout.contains(": 0 entities, 0 errors"),
        "{checked:#?}"
    );
    assert_eq!(checked.code, Some(1));
    checked.says("error[no_entities]: openapi.yaml has no entity");
}

#[test]
fn what_is_told_of_a_document_is_in_the_data_under_json() {
    let (_server, admin, _) = with_admin();
    // A field that lists have a parameter of, and an action.
    let document = DOCUMENT.replacen(
        "properties:",
        "properties:\n        order: { type: integer }",
        1,
    );
    write_document(&admin, &document);
    let checked = admin
        .run(&["schema", "check", "openapi.yaml", "--json"])
        .done()
        .json();
    let told = &checked["diagnostics"];
    assert_eq!(told[0]["code"], "list_parameter", "{checked}");
    assert_eq!(told[0]["severity"], "warning");
    for command in ["diff", "apply"] {
        let done = admin
            .run(&["schema", command, "openapi.yaml", "--json"])
            .done();
        assert_eq!(done.json()["diagnostics"], *told, "{command}");
        assert!(!done.stderr.contains("list_parameter"), "{done:#?}");
        let done = admin.run(&["schema", command, "openapi.yaml"]).done();
        assert!(done.stderr.contains("warning[list_parameter]"), "{done:#?}");
    }
}

/// A server with tokens, and machines of an admin and of a member.
fn with_admin() -> (Server, Machine, Machine) {
    let server = Server::start();
    let admin = Machine::new();
    write_document(&admin, DOCUMENT);
    let create = [
        "token", "create", "--data", "srv", "--tenant", "acme", "--user", "root", "--right",
        "admin",
    ];
    let token = server.machine().run(&create).done().stdout;
    admin.run_on(token.trim(), &["login", &server.url]).done();
    let member = server.member("ada");
    write_document(&member, DOCUMENT);
    (server, admin, member)
}

#[test]
fn a_document_that_is_longer_than_a_push_is_applied_all_the_same() {
    let (_server, admin, _) = with_admin();
    let remark = format!("# {}\n", "long ".repeat(20)).repeat(200_000);
    let longer = format!("{DOCUMENT}\n{remark}");
    assert!(longer.len() > 17 << 20, "{} bytes", longer.len());
    write_document(&admin, &longer);
    admin.run(&["schema", "diff", "openapi.yaml"]).done();
    admin.run(&["schema", "apply", "openapi.yaml"]).done();
    let shown = admin.run(&["schema", "show", "--json"]).done().json();
    assert_eq!(shown["tenants"][0]["seq"], 1);
}

#[test]
fn an_admin_applies_a_document_and_nobody_else_does() {
    let (_server, admin, member) = with_admin();
    let shown = admin.run(&["schema", "show", "--json"]).done().json();
    assert_eq!(shown["tenants"][0], json!({"seq": null, "schema": null}));
    let refused = member.run(&["schema", "apply", "openapi.yaml"]);
    refused
        .failed(1, "forbidden")
        .says("only admins")
        .says("--right admin");
    let diff = member.run(&["schema", "diff", "openapi.yaml"]).done();
    assert_eq!(
        diff.stdout,
        "+ add-entity contacts: is new\n+ add-entity invoices: is new\n"
    );
    let applied = admin
        .run(&["schema", "apply", "openapi.yaml", "--json"])
        .done()
        .json();
    assert_eq!(applied["tenants"][0]["seq"], 1);
    admin
        .run(&["schema", "apply", "openapi.yaml"])
        .done()
        .says("unchanged");
    let shown = member.run(&["schema", "show", "--json"]).done().json();
    assert_eq!(
        shown["tenants"][0]["seq"], 1,
        "what did not change is no op"
    );
    let table = member.run(&["schema", "show"]).done().stdout;
    let salary = table.lines().find(|line| line.contains("salary")).unwrap();
    assert!(
        salary.contains("optimistic") && salary.contains("owner-only"),
        "{table}"
    );
}

#[test]
fn what_is_unique_together_is_shown_so() {
    let (_server, admin, _member) = with_admin();
    let together = "x-unique: [[number, paid]]\n      x-conflict: reject";
    let document = DOCUMENT.replacen("x-conflict: reject", together, 1);
    write_document(&admin, &document);
    admin.run(&["schema", "apply", "openapi.yaml"]).done();
    let table = admin.run(&["schema", "show"]).done().stdout;
    for (field, told) in [
        ("number", "unique with paid"),
        ("paid", "unique with number"),
        ("email", "unique"),
    ] {
        let mut lines = table.lines().map(str::trim_end);
        let shown = lines.any(|line| line.contains(&format!(" {field} ")) && line.ends_with(told));
        assert!(shown, "{field}: {table}");
    }
}

#[test]
fn what_takes_something_away_needs_its_flag() {
    let (_server, admin, _member) = with_admin();
    admin.run(&["schema", "apply", "openapi.yaml"]).done();
    write_document(&admin, &without(DOCUMENT, "phone"));
    let diff = admin
        .run(&["schema", "diff", "openapi.yaml", "--json"])
        .done()
        .json();
    assert_eq!(diff["tenants"][0]["changes"][0]["is_breaking"], true);
    let refused = admin.run(&["schema", "apply", "openapi.yaml", "--allow-drop-entity"]);
    refused
        .failed(1, "breaking_schema")
        .says("drop-field contacts.phone: is gone")
        .says("syncline schema apply openapi.yaml --allow-drop-field");
    let applied = admin
        .run(&["schema", "apply", "openapi.yaml", "--allow-drop-field"])
        .done();
    assert_eq!(applied.stdout, "! drop-field contacts.phone: is gone\n");
}

#[test]
fn what_a_refused_start_says_to_type_makes_the_next_start_succeed() {
    let machine = machine();
    let server = Backend::open(&machine);
    server.ask(
        "",
        "POST",
        "/api/contacts",
        &json!({"name": "Ada", "phone": "1"}),
    );
    let busy = machine.run(&["schema", "apply", "openapi.yaml", "--data", "srv"]);
    busy.failed(1, "data_locked").says("leave out --data");
    server.stop();
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
    let refused = machine.run(&serve).failed(1, "breaking_schema");
    let typed = refused
        .stderr
        .lines()
        .find_map(|line| line.split_once("syncline schema apply "));
    let words: Vec<_> = typed.unwrap().1.split(' ').collect();
    machine
        .run(&[&["schema", "apply"], &words[..]].concat())
        .done();
    assert_eq!(heads(&machine), [("default".to_owned(), 3)]);
    let server = Backend::open(&machine);
    let listed = server.ask("", "GET", "/api/contacts", &Value::Null);
    assert!(listed.body.to_string().contains("Ada"), "{}", listed.body);
    server.stop();
    assert_eq!(heads(&machine), [("default".to_owned(), 3)]);
    let shown = machine
        .run(&["schema", "show", "--data", "srv", "--json"])
        .done()
        .json();
    assert_eq!(shown["tenants"][0]["tenant"], "default");
    let contacts = &shown["tenants"][0]["schema"]["entities"][0];
    let fields: Vec<_> = contacts["fields"].as_array().unwrap().iter().collect();
    assert!(
        fields.iter().all(|field| field["name"] != "phone"),
        "{shown}"
    );
    assert!(contacts["dropped"]["phone"].is_array(), "{shown}");
    let unknown = ["schema", "show", "--data", "srv", "--tenant", "nobody"];
    machine.run(&unknown).failed(1, "tenant_unknown");
    machine
        .run(&["schema", "show"])
        .failed(1, "no_endpoint")
        .says("--data DIR");
}
