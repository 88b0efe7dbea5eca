use serde_json::json;

use crate::machine::Machine;

const ABSENT: &str = "019b0000-0000-7000-8000-000000000000";

#[test]
fn a_token_is_printed_once_and_only_its_hash_is_kept() {
    let machine = Machine::new();
    let create = [
        "token",
        "create",
        "--data",
        "srv",
        "--tenant",
        "acme",
        "--user",
        "ada",
        "--expires",
        "90d",
        "--json",
    ];
    let made = machine.run(&create).done().json();
    let token = made["token"].as_str().unwrap();
    assert!(token.starts_with("sl_"), "{made}");
    assert_eq!(
        (&made["tenant"], &made["user"], &made["rights"]),
        (&json!("acme"), &json!("ada"), &json!("sync"))
    );
    let listing = machine
        .run(&["token", "list", "--data", "srv", "--json"])
        .done();
    assert!(!listing.stdout.contains(token));
    assert_eq!(listing.json()["tokens"][0]["id"], made["id"]);
    for entry in std::fs::read_dir(machine.work_dir().join("srv")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes
                .windows(token.len())
                .any(|part| part == token.as_bytes());
            assert!(!found, "{} holds the token", path.display());
        }
    }
}

#[test]
fn a_token_alone_is_on_standard_output() {
    let machine = Machine::new();
    let create = [
        "token", "create", "--data", "srv", "--user", "ada", "--right", "read",
    ];
    let answer = machine.run(&create).done();
    assert_eq!(answer.stdout.lines().count(), 1);
    assert!(answer.stdout.starts_with("sl_"));
    answer.says("ada in tenant default (read)");
}

#[test]
fn a_revoked_token_stays_revoked() {
    let machine = Machine::new();
    let create = [
        "token", "create", "--data", "srv", "--user", "ada", "--json",
    ];
    let made = machine.run(&create).done().json();
    let id = made["id"].as_str().unwrap();
    let revoke = ["token", "revoke", "--data", "srv", id];
    machine.run(&revoke).done().says("Revoked ");
    machine.run(&revoke).done().says("Revoked before: ");
    let listing = machine
        .run(&["token", "list", "--data", "srv", "--json"])
        .done()
        .json();
    assert!(listing["tokens"][0]["revoked_at"].is_string());
    let text = machine
        .run(&["token", "list", "--data", "srv"])
        .done()
        .stdout;
    assert!(text.contains("revoked"), "{text}");
    machine
        .run(&["token", "revoke", "--data", "srv", ABSENT])
        .failed(1, "token_unknown");
}

#[test]
fn names_rights_and_ends_are_checked() {
    let machine = Machine::new();
    for (flag, value) in [
        ("--tenant", "../x"),
        ("--tenant", ""),
        ("--user", "a b"),
        ("--right", "root"),
        ("--expires", "soon"),
    ] {
        let create = [
            "token", "create", "--data", "srv", "--user", "ada", flag, value,
        ];
        machine.run(&create).failed(2, "usage");
    }
    let past = [
        "token",
        "create",
        "--data",
        "srv",
        "--user",
        "ada",
        "--expires",
        "2020-01-01",
    ];
    machine.run(&past).failed(2, "expiry_invalid");
    machine
        .run(&["token", "list", "--data", "srv"])
        .failed(1, "data_missing");
    assert!(!machine.work_dir().join("srv").exists());
}
