//! `syncline hook install`, `uninstall` and `status` on settings as agents and people leave them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::machine::{Machine, finish};

const AGENTS: [&str; 4] = ["claude-code", "opencode", "cursor", "codex"];

fn settings(machine: &Machine, agent: &str) -> PathBuf {
    machine.home().join(match agent {
        "claude-code" => ".claude/settings.json",
        "opencode" => ".config/opencode/plugins/syncline.ts",
        "cursor" => ".cursor/hooks.json",
        "codex" => ".codex/config.toml",
        _ => panic!("{agent}"),
    })
}

fn write(machine: &Machine, agent: &str, text: &str) -> PathBuf {
    let path = settings(machine, agent);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

fn state(machine: &Machine, agent: &str) -> Value {
    let status = machine.run(&["hook", "status", agent, "--json"]).done();
    status.json()["agents"][0]["state"].clone()
}

/// Asserts that a command prints these words.
#[track_caller]
fn shows(machine: &Machine, command: &[&str], words: &str) {
    let answer = machine.run(command).done();
    assert!(answer.stdout.contains(words), "{answer:#?}");
}

#[test]
fn hooks_come_into_new_settings_and_go_without_a_trace() {
    for agent in AGENTS {
        let machine = Machine::new();
        assert_eq!(state(&machine, agent), "absent");
        let shown = machine
            .run(&["hook", "install", agent, "--dry-run"])
            .done()
            .stdout;
        assert!(
            shown.starts_with("--- /dev/null\n+++ ") && shown.contains("syncline"),
            "{shown}"
        );
        assert_eq!(state(&machine, agent), "absent");
        let made = machine.run(&["hook", "install", agent, "--yes"]).done();
        assert_eq!(made.stdout, shown);
        assert_eq!(state(&machine, agent), "installed");
        let again = machine
            .run(&["hook", "install", agent, "--yes", "--json"])
            .done();
        assert_eq!(again.json()["changed"], false);
        machine.run(&["hook", "uninstall", agent, "--yes"]).done();
        assert_eq!(state(&machine, agent), "absent");
        let path = settings(&machine, agent);
        assert!(!path.parent().unwrap().exists(), "{agent}");
    }
}

#[test]
fn settings_of_others_stay_to_the_byte() {
    for (agent, text) in [
        (
            "claude-code",
            "{\r\n  // mine\r\n  \"model\": \"opus\",\r\n}",
        ),
        (
            "cursor",
            "{\"version\": 1, \"hooks\": {\"stop\": [{\"command\": \"./mine.sh\"}]}}",
        ),
        (
            "codex",
            "# mine\nmodel = \"o3\"\n\n[tui]\nnotifications = true",
        ),
    ] {
        let machine = Machine::new();
        let path = write(&machine, agent, text);
        let changed = machine
            .run(&["hook", "install", agent, "--yes", "--json"])
            .done()
            .json();
        assert_eq!(
            (&changed["changed"], &changed["agent"]),
            (&true.into(), &agent.into())
        );
        let diff = changed["diff"].as_str().unwrap();
        assert!(
            diff.lines()
                .any(|line| line.starts_with('+') && line.contains("hook")),
            "{diff}"
        );
        assert_ne!(fs::read_to_string(&path).unwrap(), text);
        machine.run(&["hook", "uninstall", agent, "--yes"]).done();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn nothing_is_changed_before_somebody_says_so() {
    let machine = Machine::new();
    let path = write(&machine, "claude-code", "{}\n");
    let answer = machine
        .run(&["hook", "install", "claude-code"])
        .failed(2, "not_confirmed");
    assert!(answer.stderr.contains("--yes"));
    assert_eq!(fs::read_to_string(path).unwrap(), "{}\n");
}

#[test]
fn the_hook_that_is_installed_runs() {
    let machine = Machine::new();
    machine
        .run(&["hook", "install", "claude-code", "--yes"])
        .done();
    let text = fs::read_to_string(settings(&machine, "claude-code")).unwrap();
    let settings: Value = serde_json::from_str(&text).unwrap();
    let events = settings["hooks"].as_object().unwrap();
    for (event, groups) in events {
        let line = groups[0]["hooks"][0]["command"].as_str().unwrap();
        assert!(
            line.ends_with(&format!(" hook run claude-code {event}")),
            "{line}"
        );
        let mut command = std::process::Command::new("sh");
        command
            .args(["-c", line])
            .env_clear()
            .env("HOME", machine.home());
        let piped = std::process::Stdio::piped;
        command.stdin(piped()).stdout(piped()).stderr(piped());
        assert_eq!(finish(command, b"").done().stdout, "");
    }
    let status = machine.run(&["hook", "status", "--json"]).done().json();
    assert_eq!(status["waiting"], events.len());
}

#[test]
fn flags_that_choose_a_replica_are_part_of_the_call() {
    let machine = Machine::new();
    let elsewhere = machine.home().join("else where");
    let flag = elsewhere.to_str().unwrap();
    machine
        .run(&["--data-dir", flag, "hook", "install", "cursor", "--yes"])
        .done();
    let text = fs::read_to_string(settings(&machine, "cursor")).unwrap();
    assert!(
        text.contains(&format!("--data-dir '{flag}' hook run cursor stop")),
        "{text}"
    );
    assert_eq!(state(&machine, "cursor"), "outdated");
}

#[test]
fn what_the_environment_chooses_is_part_of_the_call_too() {
    let machine = Machine::new();
    machine
        .run(&["config", "profiles", "create", "work"])
        .done();
    let elsewhere = machine.home().join("elsewhere");
    let config = machine.config_file();
    let chosen = [
        ("SYNCLINE_PROFILE", "work"),
        ("SYNCLINE_DATA_DIR", elsewhere.to_str().unwrap()),
        ("SYNCLINE_CONFIG", config.to_str().unwrap()),
    ];
    let install = ["hook", "install", "cursor", "--yes"];
    machine.run_with(&chosen, &install).done();
    let text = fs::read_to_string(settings(&machine, "cursor")).unwrap();
    let settings: Value = serde_json::from_str(&text).unwrap();
    let line = settings["hooks"]["stop"][0]["command"].as_str().unwrap();
    // The agent's environment has none of it.
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", line])
        .env_clear()
        .env("HOME", machine.home())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    finish(command, b"").done();
    let waiting = |chosen: &[(&str, &str)]| {
        let status = machine.run_with(chosen, &["hook", "status", "cursor", "--json"]);
        let status = status.done().json();
        let state = status["agents"][0]["state"].clone();
        (status["waiting"].clone(), state)
    };
    assert_eq!(waiting(&chosen), (json!(1), json!("installed")));
    assert_eq!(waiting(&[]), (json!(0), json!("outdated")));
}

#[test]
fn settings_that_cannot_be_understood_are_left_alone() {
    for (agent, text, code) in [
        ("claude-code", "{\"model\": ", "settings_invalid"),
        ("claude-code", "[]", "settings_invalid"),
        ("claude-code", "{\"hooks\": []}", "settings_invalid"),
        (
            "claude-code",
            "{\"hooks\": {\"Stop\": {}}}",
            "settings_invalid",
        ),
        ("cursor", "{} {}", "settings_invalid"),
        ("codex", "model = ", "settings_invalid"),
        ("codex", "notify = [\"say\", \"done\"]\n", "notify_taken"),
        ("opencode", "export const Mine = 1;\n", "plugin_foreign"),
    ] {
        let machine = Machine::new();
        let path = write(&machine, agent, text);
        let answer = machine
            .run(&["hook", "install", agent, "--yes"])
            .failed(1, code);
        for part in ["  cause: ", "  state: ", "  fix:   "] {
            assert!(answer.stderr.contains(part), "{answer:#?}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn a_status_tells_of_settings_that_cannot_be_read_and_goes_on() {
    let machine = Machine::new();
    write(&machine, "claude-code", "{");
    let status = machine.run(&["hook", "status", "--json"]).done().json();
    assert_eq!(status["agents"][0]["state"], Value::Null);
    assert!(
        status["agents"][0]["error"]
            .as_str()
            .unwrap()
            .contains("line 1, column 2")
    );
    assert_eq!(status["agents"][3]["state"], "absent");
    let shown = machine.run(&["hook", "status"]).done().stdout;
    assert!(
        shown.contains("claude-code  unknown") && shown.contains("cursor       absent"),
        "{shown}"
    );
}

#[test]
fn settings_that_keep_all_hooks_from_being_called_are_told() {
    let machine = Machine::new();
    let words = ["hook", "install", "claude-code", "--yes"];
    write(&machine, "claude-code", "{\"disableAllHooks\": false}");
    machine.run(&words).done();
    let status = || machine.run(&["hook", "status", "--json"]).done().json();
    assert_eq!(status()["agents"][0]["disabled_by"], Value::Null);
    shows(&machine, &["doctor"], "installed for claude-code");
    let path = settings(&machine, "claude-code");
    let text = fs::read_to_string(&path).unwrap().replace("false", "true");
    fs::write(&path, text).unwrap();
    assert_eq!(status()["agents"][0]["state"], "installed");
    assert_eq!(status()["agents"][0]["disabled_by"], json!(path));
    shows(&machine, &["hook", "status"], "no hook is called");
    shows(&machine, &["doctor"], "claude-code calls no hook");
}

#[test]
fn a_plugin_that_was_changed_by_hand_is_not_removed() {
    let machine = Machine::new();
    machine
        .run(&["hook", "install", "opencode", "--yes"])
        .done();
    let path = settings(&machine, "opencode");
    let text = fs::read_to_string(&path).unwrap();
    let changed = text.replacen("session.idle", "session.mine", 1);
    assert_ne!(changed, text);
    fs::write(&path, &changed).unwrap();
    machine
        .run(&["hook", "uninstall", "opencode", "--yes"])
        .failed(1, "plugin_foreign");
    assert_eq!(fs::read_to_string(&path).unwrap(), changed);
}

#[test]
#[cfg(unix)]
fn links_and_modes_stay_and_what_may_not_be_written_is_not() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let machine = Machine::new();
    let path = write(&machine, "claude-code", "");
    let real = machine.home().join("dotfiles.json");
    fs::write(&real, "{}\n").unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    fs::remove_file(&path).unwrap();
    symlink(&real, &path).unwrap();
    machine
        .run(&["hook", "install", "claude-code", "--yes"])
        .done();
    assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
    assert_eq!(
        fs::metadata(&real).unwrap().permissions().mode() & 0o777,
        0o640
    );
    let with = fs::read_to_string(&real).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o440)).unwrap();
    machine
        .run(&["hook", "uninstall", "claude-code", "--yes"])
        .failed(1, "settings_read_only");
    assert_eq!(fs::read_to_string(&real).unwrap(), with);
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    machine
        .run(&["hook", "uninstall", "claude-code", "--yes"])
        .done();
    assert_eq!(fs::read_to_string(&real).unwrap(), "{}\n");
}

/// The plugin for Claude Code does what an installed hook does.
#[test]
fn the_plugin_calls_the_hooks_that_would_be_installed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| -> Value {
        serde_json::from_str(&fs::read_to_string(root.join(path)).unwrap()).unwrap()
    };
    let plugin = read("plugins/claude-code/.claude-plugin/plugin.json");
    assert_eq!(plugin["version"], env!("CARGO_PKG_VERSION"));
    let marketplace = read(".claude-plugin/marketplace.json");
    let listed = &marketplace["plugins"][0];
    assert_eq!(
        (&listed["name"], &listed["source"]),
        (&plugin["name"], &"./plugins/claude-code".into())
    );
    assert!(marketplace["owner"]["name"].is_string());
    let machine = Machine::new();
    machine
        .run(&["hook", "install", "claude-code", "--yes"])
        .done();
    let text = fs::read_to_string(settings(&machine, "claude-code")).unwrap();
    let text = text.replace(env!("CARGO_BIN_EXE_syncline"), "syncline");
    let installed: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        read("plugins/claude-code/hooks/hooks.json")["hooks"],
        installed["hooks"]
    );
}
