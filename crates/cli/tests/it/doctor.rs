use std::fs;
#[cfg(unix)]
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;

use crate::machine::{Answer, Machine};
use crate::served::Server;
use crate::wire::Wire;

fn credentials(machine: &Machine) -> PathBuf {
    machine.config_file().with_file_name("credentials.toml")
}

/// The check `name` in a report.
fn check(report: &Value, name: &str) -> Value {
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["name"] == name);
    found
        .unwrap_or_else(|| panic!("no check {name}: {report}"))
        .clone()
}

fn report(answer: &Answer) -> Value {
    answer.json()
}

#[test]
fn a_fresh_machine_is_well_and_nothing_is_made_on_it() {
    let machine = Machine::new();
    let answer = machine.run(&["doctor", "--json"]).done();
    let report = report(&answer);
    assert_eq!(report["ok"], true);
    assert!(report["checks"].as_array().unwrap().len() >= 15);
    assert_eq!(
        fs::read_dir(machine.home()).unwrap().count(),
        1,
        "read-only"
    );
    let text = machine.run(&["doctor"]).done().stdout;
    assert!(text.contains("0 failed, 0 warnings"), "{text}");
}

#[test]
fn what_means_nothing_is_a_warning_with_a_fix() {
    let machine = Machine::new();
    machine.write_config("[profiles.default]\nendpoit = \"http://h\"\n");
    fs::write(
        machine.work_dir().join("syncline.toml"),
        "endpoint = \"http://evil\"\n",
    )
    .unwrap();
    let variables = [("SYNCLINE_ENDPONT", "http://h")];
    let answer = machine.run_with(&variables, &["doctor", "--json"]).done();
    let report = report(&answer);
    for (name, word) in [
        ("config_keys", "profiles.default.endpoit"),
        ("project_file", "endpoint"),
        ("environment", "SYNCLINE_ENDPONT"),
    ] {
        let check = check(&report, name);
        assert_eq!(check["state"], "warning", "{check}");
        assert!(check["message"].as_str().unwrap().contains(word), "{check}");
        assert!(check["fix"].is_string(), "{check}");
    }
}

#[test]
fn a_broken_configuration_fails_and_later_checks_still_run() {
    let machine = Machine::new();
    machine.write_config("[profiles");
    let answer = machine.run(&["doctor", "--json"]);
    assert_eq!((answer.code, answer.stderr.as_str()), (Some(1), ""));
    let report = report(&answer);
    assert_eq!(report["ok"], false);
    assert_eq!(check(&report, "config_file")["state"], "failed");
    assert_eq!(check(&report, "sqlite")["state"], "ok");
}

#[cfg(unix)]
#[test]
fn readable_credentials_fail_and_are_made_private_by_fix() {
    let machine = Machine::new();
    machine.write_config("[profiles.default]\nendpoint = \"http://localhost:1\"\nauth = \"token\"\nsync_enabled = false\n");
    let path = credentials(&machine);
    fs::write(
        &path,
        "[default]\nendpoint = \"http://localhost:1\"\ntoken = \"sl_hush\"\n",
    )
    .unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let answer = machine.run(&["doctor", "--json"]);
    assert_eq!(answer.code, Some(1));
    assert_eq!(check(&report(&answer), "credentials")["state"], "failed");
    assert!(!answer.stdout.contains("hush"));
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o644, "without --fix nothing changes");
    let answer = machine.run(&["doctor", "--fix", "--json"]).done();
    let repaired = check(&report(&answer), "credentials");
    assert_eq!(
        (&repaired["state"], &repaired["repaired"]),
        (&"ok".into(), &true.into())
    );
    assert_eq!(mode(), 0o600);
}

#[test]
fn a_token_for_another_endpoint_is_told() {
    let machine = Machine::new();
    machine.write_config("[profiles.default]\nendpoint = \"http://localhost:2\"\nauth = \"token\"\nsync_enabled = false\n");
    let path = credentials(&machine);
    fs::write(
        &path,
        "[default]\nendpoint = \"http://localhost:1\"\ntoken = \"sl_hush\"\n",
    )
    .unwrap();
    #[cfg(unix)]
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let answer = machine.run(&["doctor", "--json"]);
    let login = check(&report(&answer), "login");
    assert_eq!(login["state"], "failed");
    assert_eq!(login["fix"], "syncline login");
    let message = login["message"].as_str().unwrap();
    assert!(
        message.contains("is for http://localhost:1, not http://localhost:2"),
        "{message}"
    );
}

#[test]
fn the_doctor_sees_the_server_and_the_login() {
    let server = Server::start();
    let machine = server.member("ada");
    machine.run(&["thread", "new", "plan", "first"]).done();
    let check = |name: &str| {
        let report = machine.run(&["doctor", "--json"]).json();
        let checks = report["checks"].as_array().unwrap().clone();
        checks
            .into_iter()
            .find(|check| check["name"] == name)
            .unwrap()
    };
    for name in [
        "local_file",
        "tenant_file",
        "outbox",
        "server",
        "server_auth",
        "server_login",
    ] {
        let check = check(name);
        assert_eq!(check["state"], "ok", "{check}");
    }
    machine.run(&["doctor"]).done();
    // A login would change nothing.
    let variables = [("SYNCLINE_TOKEN", "another")];
    let told = machine.run_with(&variables, &["doctor"]).stdout;
    assert!(told.contains("unset SYNCLINE_TOKEN"), "{told}");
    machine.run(&["logout"]).done();
    assert_eq!(check("server_auth")["state"], "failed");
    let server = server.stop();
    let unreached = check("server");
    assert_eq!(unreached["state"], "failed");
    assert!(unreached["fix"].is_string());
    drop(server);
    machine
        .run(&["config", "set", "sync_enabled", "false"])
        .done();
    assert_eq!(check("server")["state"], "skipped");
}

#[test]
fn a_replica_that_was_replaced_and_has_not_sent_all_is_told_with_what_sends_it() {
    let server = Server::start();
    let machine = server.member("ada");
    machine.run(&["thread", "new", "plan", "first"]).done();
    machine.run(&["backup", "copy"]).done();
    let replaced = || {
        let report = machine.run(&["doctor", "--json"]).json();
        check(&report, "replaced")
    };
    for text in ["second", "third"] {
        let offline = [("SYNCLINE_SYNC_ENABLED", "false")];
        machine
            .run_with(&offline, &["thread", "push", "plan", text])
            .done();
        let words = ["restore", "copy", "--yes", "--json"];
        assert_eq!(machine.run(&words).json()["unsent"], 1);
    }
    let profile = machine
        .home()
        .join(".local/share/syncline/profiles/default");
    let spoilt = profile.join("replaced-0");
    let spoil = || {
        fs::create_dir(&spoilt).unwrap();
        fs::write(spoilt.join("local.db"), "no database".repeat(100)).unwrap();
    };
    spoil();
    let found = replaced();
    assert_eq!(found["state"], "warning", "{found}");
    let message = found["message"].as_str().unwrap();
    for told in ["1 op in", "replaced-0 can't be read", "not a database"] {
        assert!(message.contains(told), "{told}: {message}");
    }
    fs::remove_dir_all(&spoilt).unwrap();
    let found = replaced();
    let fix = found["fix"].as_str().unwrap().to_owned();
    machine.shell(&fix).done();
    machine.run(&["sync"]).done();
    assert_eq!(machine.contents("plan").len(), 2);
    // The next one is not moved into what there is.
    let next = replaced()["fix"].as_str().unwrap().to_owned();
    assert_ne!(machine.shell(&next).code, Some(0));
    machine.shell(&next.replace("ASIDE", "ASIDE-2")).done();
    machine.run(&["sync"]).done();
    assert_eq!(machine.contents("plan").len(), 3);
    assert_eq!(replaced()["state"], "ok");
    spoil();
    let found = replaced();
    assert_eq!(found["state"], "warning", "{found}");
    assert!(found["fix"].is_null(), "no mode mends damage: {found}");
}

/// Spoils the file that holds what the server has.
fn damage_log(machine: &Machine) {
    let dir = machine
        .home()
        .join(".local/share/syncline/profiles/default");
    let tenant = std::fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with("tenant-") && name.ends_with(".db")
        })
        .unwrap();
    std::fs::write(
        &tenant,
        "not a database at all, but text of some length".repeat(100),
    )
    .unwrap();
}

#[test]
fn a_damaged_tenant_file_is_told_by_the_doctor_and_mended_by_use() {
    let server = Server::start();
    let machine = server.member("ada");
    machine.run(&["thread", "new", "plan", "first"]).done();
    damage_log(&machine);
    let report = machine.run(&["doctor", "--json"]).json();
    let checks = report["checks"].as_array().unwrap();
    let found = checks
        .iter()
        .find(|check| check["name"] == "tenant_file")
        .unwrap();
    assert_eq!(found["state"], "warning", "{found}");
    let message = found["message"].as_str().unwrap();
    assert!(message.contains("not a database"), "{message}");
    let lost = "`syncline sync` fetches it again";
    for _ in 0..2 {
        machine.run(&["thread", "list"]).done().says(lost);
    }
    machine.run(&["sync"]).done();
    let read = machine.run(&["thread", "read", "plan", "--json"]).done();
    assert_eq!(read.json()["entries"][0]["content"], "first");
    assert!(!read.stderr.contains(lost), "{}", read.stderr);
    let report = machine.run(&["doctor", "--json"]).done().json();
    let kept = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["name"] == "kept_files");
    assert_eq!(kept.unwrap()["state"], "warning");
}

#[test]
fn what_a_lost_log_held_is_to_be_fetched_and_not_made_anew() {
    let server = Server::start();
    let machine = server.member("ada");
    let list = machine.run(&["list", "new", "groceries"]).done().stdout;
    machine.run(&["thread", "new", "plan", "first"]).done();
    machine.run(&["sync"]).done();
    // Waits here for the list, of which nothing else is here then.
    let nowhere = "http://127.0.0.1:1";
    let add = ["--endpoint", nowhere, "list", "add", "groceries", "milk"];
    machine.run(&add).done();
    damage_log(&machine);
    for arguments in [
        &["list", "add", "groceries", "bread"][..],
        &["list", "add", list.trim(), "bread"],
        &["list", "check", list.trim(), "milk"],
        &["thread", "push", "plan", "second"],
        &["session", "show", "0123456789"],
    ] {
        let answer = machine.run(arguments);
        assert_eq!(answer.code, Some(1), "{answer:#?}");
        let answer = answer
            .says("error[not_fetched]: ")
            .says("what the server has is not here")
            .says("\n  fix:   syncline sync\n");
        assert_eq!(answer.stderr.matches("fix: ").count(), 1, "{answer:#?}");
    }
    for arguments in [
        &["list", "show"][..],
        &["thread", "list"],
        &["session", "list"],
    ] {
        let answer = machine.run(arguments).done();
        assert_eq!(answer.stderr.lines().count(), 1, "{answer:#?}");
        answer.says("warning: the file with what the server has was damaged or gone");
    }
    machine.run(&["sync"]).done();
    machine.run(&["list", "add", "groceries", "bread"]).done();
    machine
        .run(&["list", "add", "greens", "leek"])
        .failed(1, "list_unknown");
}

#[test]
fn one_fault_is_told_once_however_many_checks_it_stops() {
    let machine = Machine::new();
    machine.write_config("no [ TOML");
    let report = machine.run(&["doctor", "--json"]);
    assert_eq!(report.code, Some(1));
    let report = report.json();
    let checks = report["checks"].as_array().unwrap();
    let failed: Vec<_> = checks
        .iter()
        .filter(|check| check["state"] == "failed")
        .map(|check| &check["name"])
        .collect();
    assert_eq!(failed, ["config_file"]);
    let stopped = checks.iter().find(|check| check["name"] == "endpoint");
    assert_eq!(
        stopped.unwrap()["message"],
        "not looked at: see config_file"
    );
}

#[test]
fn ops_that_this_version_can_not_read_are_counted() {
    let server = Server::start();
    let machine = server.member("ada");
    let unread = || check(&machine.run(&["doctor", "--json"]).json(), "unread_ops");
    machine.run(&["list", "new", "shop"]).done();
    machine.run(&["sync"]).done();
    assert_eq!(unread()["state"], "ok");
    let op = |scope: &str, payload: Value| {
        serde_json::json!({"scope": scope, "resourceId": "one", "actor": "newer", "clock": 1,
            "payload": payload})
    };
    let ops = [
        op("list", serde_json::json!({"type": "fold-into-a-crane"})),
        op("thread", serde_json::json!(7)),
        op("sketch", serde_json::json!({"line": [0, 1]})),
    ];
    let body = serde_json::json!({"clientId": "newer", "ops": ops}).to_string();
    let mut wire = Wire::connect(server.address(), &server.token("newer")).unwrap();
    assert_eq!(
        wire.post("/sync/push", body.as_bytes()).unwrap().status,
        200
    );
    machine.run(&["sync"]).done();
    let found = unread();
    assert_eq!(found["state"], "warning");
    let message = found["message"].as_str().unwrap();
    assert!(
        message.starts_with("2 ops of the log can't be read"),
        "{message}"
    );
}
