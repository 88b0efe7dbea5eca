use std::fs;
#[cfg(unix)]
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;

use crate::machine::{Answer, Machine};

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
