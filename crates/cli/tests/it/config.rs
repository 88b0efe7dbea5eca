use std::process::Stdio;

use serde_json::json;

use crate::machine::Machine;

#[test]
fn values_that_were_set_are_listed_with_their_shape() {
    let machine = Machine::new();
    machine
        .run(&["config", "set", "endpoint", "https://sync.example.org/"])
        .done()
        .says("Set endpoint = https://sync.example.org (profile: default)");
    let listing = machine.run(&["config", "list", "--json"]).done().json();
    assert_eq!(
        listing["profiles"],
        json!({"default": {
            "endpoint": "https://sync.example.org",
            "sync_enabled": true,
            "sync_interval": 30,
            "auth": "none",
            "capture": true,
        }})
    );
    assert_eq!(listing["active_profile"], "default");
    assert_eq!(
        listing["origins"],
        json!({
            "active_profile": "default",
            "endpoint": "profile",
            "sync_enabled": "default",
            "sync_interval": "default",
            "auth": "default",
            "capture": "default",
        })
    );
    let file = std::fs::read_to_string(machine.config_file()).unwrap();
    assert_eq!(
        file,
        "[profiles.default]\nendpoint = \"https://sync.example.org\"\n"
    );
}

#[test]
fn a_fresh_machine_lists_the_defaults_and_writes_nothing() {
    let machine = Machine::new();
    let listing = machine.run(&["config", "list", "--json"]).done().json();
    assert_eq!(
        listing["profiles"]["default"],
        json!({
            "endpoint": null,
            "sync_enabled": false,
            "sync_interval": 30,
            "auth": "none",
            "capture": true,
        })
    );
    let answer = machine.run(&["config", "get", "endpoint"]).done();
    assert_eq!(answer.stdout, "");
    answer.says("endpoint is not set");
    assert!(!machine.config_file().exists());
}

#[test]
fn flag_goes_before_environment_before_profile_before_default() {
    let machine = Machine::new();
    machine.write_config("[profiles.default]\nendpoint = \"http://profile\"\nsync_interval = 7\n");
    let environment = [("SYNCLINE_ENDPOINT", "http://environment")];
    let get = ["config", "get", "endpoint"];
    let flag = ["--endpoint", "http://flag", "config", "get", "endpoint"];
    assert_eq!(machine.run(&get).done().stdout, "http://profile\n");
    assert_eq!(
        machine.run_with(&environment, &get).done().stdout,
        "http://environment\n"
    );
    assert_eq!(
        machine.run_with(&environment, &flag).done().stdout,
        "http://flag\n"
    );
    let text = machine
        .run_with(&environment, &["config", "list"])
        .done()
        .stdout;
    let line = |key: &str| {
        let line = text.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_whitespace()
            .skip(1)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        line("endpoint"),
        "http://environment environment SYNCLINE_ENDPOINT"
    );
    assert_eq!(line("sync_interval"), "7 profile");
    assert_eq!(line("sync_enabled"), "true default");
}

#[test]
fn sync_can_be_turned_off_in_spite_of_an_endpoint() {
    let machine = Machine::new();
    let environment = [
        ("SYNCLINE_ENDPOINT", "http://environment"),
        ("SYNCLINE_SYNC_ENABLED", "false"),
    ];
    let get = ["config", "get", "sync_enabled", "--json"];
    let got = machine.run_with(&environment, &get).done().json();
    assert_eq!(
        got,
        json!({"key": "sync_enabled", "value": false, "origin": "environment"})
    );
}

#[test]
fn an_environment_value_is_never_written() {
    let machine = Machine::new();
    let environment = [
        ("SYNCLINE_ENDPOINT", "http://environment"),
        ("SYNCLINE_TOKEN", "slt_hush"),
        ("SYNCLINE_SYNC_INTERVAL", "5"),
    ];
    machine
        .run_with(&environment, &["config", "set", "sync_enabled", "true"])
        .done();
    machine
        .run_with(&environment, &["config", "set", "sync_interval", "9"])
        .done()
        .says("SYNCLINE_SYNC_INTERVAL is set, and counts instead of the profile");
    let file = std::fs::read_to_string(machine.config_file()).unwrap();
    assert_eq!(
        file,
        "[profiles.default]\nsync_enabled = true\nsync_interval = 9\n"
    );
}

#[test]
fn a_wrong_key_or_value_is_refused_and_nothing_changes() {
    let machine = Machine::new();
    machine
        .run(&["config", "set", "color", "red"])
        .failed(2, "key_unknown")
        .says("the keys are endpoint, sync_enabled, sync_interval, auth and capture");
    for (key, value) in [
        ("endpoint", "sync.example.org"),
        ("endpoint", "ftp://h"),
        ("endpoint", "-"),
        ("sync_enabled", "perhaps"),
        ("sync_interval", "0"),
        ("sync_interval", "-5"),
        ("auth", "workos"),
    ] {
        machine
            .run(&["config", "set", key, value])
            .failed(2, "value_invalid")
            .says("unchanged");
    }
    let answer = machine.run(&["config", "set", "endpoint", "http://ada:hush@h"]);
    assert!(!answer.failed(2, "value_invalid").stderr.contains("hush"));
    machine
        .run_with(&[("SYNCLINE_SYNC_INTERVAL", "soon")], &["config", "list"])
        .failed(2, "environment_invalid")
        .says("SYNCLINE_SYNC_INTERVAL");
    assert!(!machine.config_file().exists());
}

#[test]
fn a_value_that_is_unset_falls_back() {
    let machine = Machine::new();
    machine.run(&["config", "set", "sync_interval", "9"]).done();
    machine
        .run(&["config", "unset", "sync_interval"])
        .done()
        .says("Unset sync_interval");
    machine
        .run(&["config", "unset", "sync_interval"])
        .done()
        .says("Not set: sync_interval");
    assert_eq!(
        machine
            .run(&["config", "get", "sync_interval"])
            .done()
            .stdout,
        "30\n"
    );
}

#[test]
fn profiles_are_made_used_and_deleted() {
    let machine = Machine::new();
    machine
        .run(&["config", "profiles", "create", "work"])
        .done();
    machine
        .run(&["config", "profiles", "create", "work"])
        .failed(1, "profile_exists");
    machine
        .run(&[
            "--profile",
            "work",
            "config",
            "set",
            "endpoint",
            "http://work",
        ])
        .done();
    machine.run(&["config", "profiles", "use", "work"]).done();
    let names = machine.run(&["config", "profiles", "list"]).done().stdout;
    assert_eq!(names, "  default\n* work (active)\n");
    let listing = machine
        .run(&["config", "profiles", "list", "--json"])
        .done()
        .json();
    assert_eq!(
        listing,
        json!({"profiles": ["default", "work"], "active_profile": "work"})
    );
    assert_eq!(
        machine.run(&["config", "get", "endpoint"]).done().stdout,
        "http://work\n"
    );
    machine
        .run(&["config", "profiles", "delete", "work"])
        .failed(1, "profile_in_use");
    machine
        .run(&["config", "profiles", "use", "default"])
        .done();
    machine
        .run(&["config", "profiles", "delete", "work"])
        .done();
    machine
        .run(&["config", "profiles", "use", "work"])
        .failed(2, "profile_unknown")
        .says("there are: default")
        .says("syncline config profiles create work");
    machine
        .run(&["config", "profiles", "create", "../x"])
        .failed(2, "profile_invalid");
    machine
        .run_with(&[("SYNCLINE_PROFILE", "gone")], &["config", "list"])
        .failed(2, "profile_unknown");
}

#[test]
fn a_broken_file_stops_the_command_and_stays_as_it_is() {
    let machine = Machine::new();
    for text in [
        "[profiles",
        "profiles = 1\n",
        "[profiles.default]\nauth = \"magic\"\n",
    ] {
        machine.write_config(text);
        let answer = machine.run(&["config", "list"]).failed(1, "config_invalid");
        answer.says(".config/syncline/config.toml").says("fix: ");
        machine.run(&["config", "set", "sync_interval", "5"]);
        machine.run(&["config", "profiles", "create", "x"]);
        let after = std::fs::read_to_string(machine.config_file()).unwrap();
        assert!(after.starts_with(text), "{after}");
    }
}

#[test]
fn a_key_that_means_nothing_is_pointed_out_and_kept() {
    let machine = Machine::new();
    machine.write_config("# mine\nendpont = \"x\"\n[profiles.default]\nendpoit = \"http://h\"\n");
    machine
        .run(&["config", "list"])
        .done()
        .says("endpont in the configuration file means nothing")
        .says("profiles.default.endpoit in");
    machine.run(&["config", "set", "auth", "none"]).done();
    let after = std::fs::read_to_string(machine.config_file()).unwrap();
    assert!(after.starts_with("# mine\nendpont = \"x\"\n"), "{after}");
}

#[test]
fn another_file_can_be_named_by_flag_and_environment() {
    let machine = Machine::new();
    machine
        .run(&["--config", "flag.toml", "config", "set", "auth", "token"])
        .done();
    machine
        .run_with(
            &[("SYNCLINE_CONFIG", "env.toml")],
            &["config", "set", "auth", "token"],
        )
        .done();
    for name in ["flag.toml", "env.toml"] {
        let text = std::fs::read_to_string(machine.work_dir().join(name)).unwrap();
        assert_eq!(text, "[profiles.default]\nauth = \"token\"\n");
    }
    assert!(!machine.config_file().exists());
}

#[test]
fn many_writers_at_once_lose_nothing() {
    let machine = Machine::new();
    let names: Vec<String> = (0..20).map(|n| format!("profile-{n}")).collect();
    let writers: Vec<_> = names
        .iter()
        .map(|name| {
            let mut command = machine.command(&["config", "profiles", "create", name]);
            command.stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut writer in writers {
        assert!(writer.wait().unwrap().success());
    }
    let listing = machine
        .run(&["config", "profiles", "list", "--json"])
        .done()
        .json();
    assert_eq!(listing["profiles"].as_array().unwrap().len(), 21);
}

#[test]
fn every_change_says_in_json_what_it_did() {
    let machine = Machine::new();
    let run = |arguments: &[&str]| {
        let arguments = [&["config"], arguments, &["--json"]].concat();
        machine.run(&arguments).done().json()
    };
    let table = [
        (
            &["set", "sync_interval", "60"][..],
            json!({"profile": "default", "key": "sync_interval", "value": 60}),
        ),
        (
            &["unset", "sync_interval"],
            json!({"profile": "default", "key": "sync_interval", "was_set": true}),
        ),
        (
            &["profiles", "create", "work"],
            json!({"profile": "work", "created": true}),
        ),
        (
            &["profiles", "use", "work"],
            json!({"active_profile": "work"}),
        ),
        (
            &["profiles", "use", "default"],
            json!({"active_profile": "default"}),
        ),
        (
            &["profiles", "delete", "work"],
            json!({"profile": "work", "deleted": true, "replica": null}),
        ),
    ];
    for (arguments, expected) in table {
        assert_eq!(run(arguments), expected, "{arguments:?}");
    }
}
