//! `syncline import`: killed, without room, and with what is no transcript.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::bad_disk::with_files_up_to;
use crate::machine::{Machine, finish};

/// Sessions of so many files, together larger than a batch.
fn transcripts(directory: &Path) -> PathBuf {
    let root = directory.join("transcripts");
    fs::create_dir_all(&root).unwrap();
    for session in 0..24 {
        let mut text = String::new();
        for line in 0..100 {
            let line = json!({
                "type": "user", "uuid": format!("{session}-{line}"), "sessionId": format!("s{session}"),
                "timestamp": format!("2026-03-01T10:{:02}:{:02}.000Z", line / 60, line % 60),
                "cwd": "/w/app",
                "message": {"role": "user", "content": format!("{line} {}", "few words ".repeat(400))},
            });
            text.push_str(&format!("{line}\n"));
        }
        fs::write(root.join(format!("s{session:02}.jsonl")), text).unwrap();
    }
    root
}

/// What an import leaves, as far as it can be asked for.
fn left(machine: &Machine) -> Vec<Value> {
    let views = ["sessions", "messages", "tools"];
    let rows = views.map(|view| {
        let words = ["query", "--format", "json", "--limit", "10000"];
        let statement = format!("{} * {} {view} {} 1, 2", "SELECT", "FROM", "ORDER BY");
        let words: Vec<&str> = words.into_iter().chain([statement.as_str()]).collect();
        machine.run(&words).done().json()
    });
    rows.to_vec()
}

/// All files under a directory.
fn files_under(directory: &Path) -> Vec<PathBuf> {
    let mut waiting = vec![directory.to_owned()];
    let mut files = Vec::new();
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files
}

#[cfg(unix)]
#[test]
fn other_users_can_read_nothing_of_what_was_imported() {
    use std::os::unix::fs::PermissionsExt;

    let machine = Machine::new();
    let from = tempfile::tempdir().unwrap();
    let root = transcripts(from.path());
    let words = ["import", "claude-code", root.to_str().unwrap()];
    machine.run(&words).done();
    let files = files_under(machine.home());
    let databases = files
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "db"));
    assert!(databases.count() > 0);
    // Files of an older version, which others could read.
    for file in &files {
        fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
    }
    machine.run(&["list", "new", "Groceries"]).done();
    for file in files_under(machine.home()) {
        let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        let is_database = file.to_string_lossy().contains(".db");
        assert!(!is_database || mode == 0o600, "{mode:o} {}", file.display());
    }
}

#[test]
fn sessions_are_found_by_the_machine_that_they_ran_on() {
    let machine = Machine::new();
    let from = tempfile::tempdir().unwrap();
    let root = transcripts(from.path());
    let words = ["import", "claude-code", root.to_str().unwrap()];
    machine.run(&words).done();
    let list = |words: &[&str]| {
        let words: Vec<&str> = ["session", "list", "--json"]
            .iter()
            .chain(words)
            .copied()
            .collect();
        let list = machine.run(&words).done().json();
        list["sessions"].as_array().unwrap().clone()
    };
    let all = list(&[]);
    let name = all[0]["machine"].as_str().unwrap().to_owned();
    let system = std::process::Command::new("uname")
        .arg("-n")
        .output()
        .unwrap();
    assert_eq!(name, String::from_utf8(system.stdout).unwrap().trim());
    assert_eq!(list(&["--machine", &name]).len(), all.len());
    assert!(list(&["--machine", "another"]).is_empty());
}

/// How many bytes the files of the replicas have.
fn stored(machine: &Machine) -> u64 {
    let mut waiting = vec![machine.home().to_owned()];
    let mut bytes = 0;
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(found) if found.is_dir() => waiting.push(entry.path()),
                Ok(found) => bytes += found.len(),
                Err(_) => {}
            }
        }
    }
    bytes
}

#[test]
fn an_import_that_is_killed_again_and_again_ends_as_one_that_was_not() {
    let directory = tempfile::tempdir().unwrap();
    let root = transcripts(directory.path());
    let arguments = ["import", "claude-code", root.to_str().unwrap()];
    let undisturbed = Machine::new();
    undisturbed.run(&arguments).done();
    let machine = Machine::new();
    let mut killed = 0;
    for step in 1..=8 {
        let mut command = machine.command(&arguments);
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let target = stored(&machine) + step * 700_000;
        loop {
            if child.try_wait().unwrap().is_some() {
                break;
            }
            if stored(&machine) >= target {
                child.kill().unwrap();
                child.wait().unwrap();
                killed += 1;
                break;
            }
            std::thread::yield_now();
        }
    }
    assert!(killed > 0);
    machine.run(&arguments).done();
    machine.run(&arguments).done().says("nothing new");
    assert!(left(&machine) == left(&undisturbed));
}

#[test]
fn an_import_without_room_says_so_and_goes_on_when_there_is_some() {
    let directory = tempfile::tempdir().unwrap();
    let root = transcripts(directory.path());
    let arguments = ["import", "claude-code", root.to_str().unwrap()];
    let undisturbed = Machine::new();
    undisturbed.run(&arguments).done();
    let machine = Machine::new();
    for blocks in [2_000, 6_000, 12_000] {
        let command = with_files_up_to(blocks, &machine.command(&arguments));
        let answer = finish(command, b"");
        assert_eq!(answer.code, Some(1), "{answer:?}");
        assert!(answer.stderr.starts_with("error["), "{answer:?}");
        for part in ["  cause: ", "  state: ", "  fix:   "] {
            assert!(answer.stderr.contains(part), "{answer:?}");
        }
    }
    machine.run(&arguments).done();
    assert!(left(&machine) == left(&undisturbed));
}

/// A machine with a configuration of clankers in `directory`, and a profile of one's own.
fn with_clankers(directory: &str) -> Machine {
    let machine = Machine::new();
    machine.write_config("[profiles.default]\nsync_interval = 5\n");
    let place = machine.home().join(directory);
    fs::create_dir_all(&place).unwrap();
    let text = json!({"active_profile": "default", "profiles": {
        "default": {"endpoint": "https://a.example.org", "sync_interval": 60, "auth": "none"},
        "work": {"endpoint": "https://b.example.org", "sync_enabled": true, "token": "hush"},
    }});
    fs::write(place.join("clankers.json"), text.to_string()).unwrap();
    machine
}

#[test]
fn of_many_damaged_places_the_log_names_each() {
    const DAMAGED: usize = 25;
    let machine = Machine::new();
    let from = tempfile::tempdir().unwrap();
    let file = from.path().join("torn.jsonl");
    fs::write(&file, "{\"type\": broken\n".repeat(DAMAGED)).unwrap();
    let import = ["import", "claude-code", file.to_str().unwrap()];
    let answer = machine
        .run(&import)
        .says("and 5 more places, which the log names");
    assert_eq!(answer.code, Some(1), "{answer:#?}");
    let answer = answer.says("`syncline logs -n 25` names all of them");
    assert_eq!(answer.stderr.matches("torn.jsonl:").count(), 20);
    // Also once the file counts as read.
    machine.run(&import).done();
    let log = machine.run(&["logs", "-n", "25"]).done().stdout;
    let lines: Vec<_> = log
        .lines()
        .filter(|line| line.contains("torn.jsonl"))
        .collect();
    assert_eq!(lines.len(), DAMAGED, "{log}");
    assert!(lines[24].contains("line=25"), "{log}");
}

#[test]
fn the_settings_of_clankers_are_taken_over_once_that_is_said() {
    let machine = with_clankers(".local/share/clankers");
    let settings = |flags: &[&str]| {
        let import = [&["import", "clankers", "--json"], flags].concat();
        machine.run(&import).done().json()["settings"].clone()
    };
    let taken = |flags| {
        let settings = settings(flags);
        [0, 1].map(|profile| settings[profile]["taken"].clone())
    };
    let config = || fs::read_to_string(machine.config_file()).unwrap();
    let before = config();
    // Nobody is there to be asked.
    for flags in [&[][..], &["--dry-run", "--yes"]] {
        assert_eq!(taken(flags), [json!([]), json!([])], "{flags:?}");
    }
    assert_eq!(config(), before);
    let commands = [
        "syncline config profiles create work",
        "syncline --profile work config set sync_enabled true",
        "syncline --profile work config set endpoint https://b.example.org",
    ];
    assert_eq!(settings(&[])[1]["commands"], json!(commands));
    machine
        .run(&["import", "clankers"])
        .done()
        .says(commands[2]);
    let keys = json!(["endpoint", "sync_enabled"]);
    assert_eq!(taken(&["--yes"]), [keys.clone(), keys]);
    let of = |profile: &str, key: &str| {
        let get = ["--profile", profile, "config", "get", key];
        machine.run(&get).done().stdout
    };
    assert_eq!(of("default", "endpoint"), "https://a.example.org\n");
    // What is set here stays, and a server is not sent to before anybody wants that.
    assert_eq!(of("default", "sync_interval"), "5\n");
    assert_eq!(of("default", "sync_enabled"), "false\n");
    assert_eq!(of("work", "sync_enabled"), "true\n");
    assert!(!config().contains("hush"));
}

#[test]
fn the_active_profile_of_clankers_is_told_and_not_made_the_one_in_use() {
    let machine = with_clankers(".local/share/clankers");
    let place = machine.home().join(".local/share/clankers/clankers.json");
    let active = |name: &str, work: Value| {
        let text = json!({ "active_profile": name, "profiles": { "default": {}, "work": work } });
        fs::write(&place, text.to_string()).unwrap();
    };
    let make = "`syncline config profiles use work`";
    active("work", json!({}));
    let import = ["import", "clankers", "--yes"];
    machine
        .run(&import)
        .done()
        .says("syncline config profiles use work");
    active("work", json!({ "sync_interval": 9 }));
    machine.run(&import).done().says(make);
    let profiles = machine.run(&["config", "profiles", "list"]).done().stdout;
    assert!(profiles.contains("* default (active)"), "{profiles}");
    machine.run(&["config", "profiles", "use", "work"]).done();
    let told = machine.run(&import).done();
    assert!(!told.stderr.contains("profiles use"), "{told:#?}");
}

#[test]
fn a_configuration_that_may_have_come_with_a_repository_names_no_server() {
    let machine = with_clankers("work/repository");
    let before = fs::read_to_string(machine.config_file()).unwrap();
    machine
        .run(&["import", "clankers", "repository", "--yes"])
        .done()
        .says("is not taken over; to set the same here:");
    assert_eq!(fs::read_to_string(machine.config_file()).unwrap(), before);
}

#[test]
fn histories_of_aider_are_found_in_the_repository_at_hand_and_where_sessions_have_worked() {
    let machine = Machine::new();
    let from = tempfile::tempdir().unwrap();
    let root = from.path().canonicalize().unwrap();
    let chat = |name: &str, said: &str| {
        fs::create_dir_all(root.join(name).join("src")).unwrap();
        let text =
            format!("# aider chat started at 2026-03-01 10:00:00\n\n#### {said}  \n\nDone.\n");
        fs::write(root.join(name).join(".aider.chat.history.md"), text).unwrap();
    };
    chat("here", "asked here");
    chat("there", "asked there");
    let line = json!({
        "type": "user", "uuid": "u1", "sessionId": "s1", "timestamp": "2026-03-01T10:00:00.000Z",
        "cwd": root.join("there/src"), "message": {"role": "user", "content": "said to another"},
    });
    let transcript = root.join("s1.jsonl");
    fs::write(&transcript, format!("{line}\n")).unwrap();
    let import = |words: &[&str]| {
        let mut command = machine.command(words);
        command.current_dir(root.join("here/src"));
        finish(command, b"")
    };
    let found = import(&["import", "aider", "--json"]).done().json();
    assert_eq!(found["sessions"], 1);
    machine
        .run(&["import", "claude-code", transcript.to_str().unwrap()])
        .done();
    let found = import(&["import", "auto", "--json"]).done().json();
    assert_eq!(
        (&found["sessions"], &found["files_unchanged"]),
        (&json!(1), &json!(1))
    );
    machine.run(&["import", "aider"]).done();
}
