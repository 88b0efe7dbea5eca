//! The units of systemd.

use super::{PORT, assignments, command, read};

/// A directive of a unit: its section, name and value.
struct Directive {
    section: String,
    name: String,
    value: String,
}

fn unit(path: &str) -> Vec<Directive> {
    let mut section = String::new();
    let mut directives = Vec::new();
    for line in read(path).lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            name.clone_into(&mut section);
            assert!(
                ["Unit", "Service", "Install"].contains(&name),
                "{path}: {line}"
            );
            continue;
        }
        let (name, value) = line
            .split_once('=')
            .unwrap_or_else(|| panic!("{path}: {line}"));
        directives.push(Directive {
            section: section.clone(),
            name: name.to_owned(),
            value: value.to_owned(),
        });
    }
    directives
}

fn values<'a>(unit: &'a [Directive], name: &str) -> Vec<&'a str> {
    let found = unit.iter().filter(|directive| directive.name == name);
    found.map(|directive| directive.value.as_str()).collect()
}

#[test]
fn the_unit_of_the_server_owns_the_directories_that_the_server_writes() {
    let unit = unit("deploy/systemd/syncline.service");
    let [start] = values(&unit, "ExecStart")[..] else {
        panic!("one command is started");
    };
    assert_eq!(command(start).unwrap(), ["serve"]);
    let told = assignments(values(&unit, "Environment"));
    assert_eq!(told["SYNCLINE_LISTEN"], format!("127.0.0.1:{PORT}"));
    assert_eq!(told["SYNCLINE_AUTH"], "token");
    let owned: Vec<_> = values(&unit, "StateDirectory")[0]
        .split(' ')
        .map(|name| format!("/var/lib/{name}"))
        .collect();
    let written = ["SYNCLINE_SERVER_DATA", "SYNCLINE_BACKUP_TO"].map(|name| told[name].clone());
    assert_eq!(owned, written);
    assert_eq!(values(&unit, "DynamicUser"), ["yes"]);
    let wanted = unit.iter().find(|directive| directive.section == "Install");
    assert_eq!(wanted.unwrap().value, "multi-user.target");
}

#[test]
fn the_unit_of_the_daemon_runs_what_the_script_installs() {
    let unit = unit("deploy/systemd/syncline-daemon.service");
    let [start] = values(&unit, "ExecStart")[..] else {
        panic!("one command is started");
    };
    assert_eq!(command(start).unwrap(), ["daemon"]);
    let program = start.split(' ').next().unwrap().replace("%h", "$HOME");
    let directory = program.strip_suffix("/syncline").unwrap();
    let script = read("deploy/install.sh");
    assert!(
        script.contains(&format!("directory={directory}\n")),
        "{directory}"
    );
    assert_eq!(values(&unit, "WantedBy"), ["default.target"]);
}

#[cfg(target_os = "linux")]
mod by_systemd {
    use std::process::Command;

    use super::read;
    use crate::machine::Machine;

    /// The most that the server's unit may be exposed, in tenths: systemd calls 10 to 40 "OK".
    const EXPOSURE_TENTHS_MAX: &str = "15";

    /// Asks systemd, with the binary at hand in the place of the installed one.
    fn ask(path: &str, program: &str, words: &[&str]) -> String {
        let machine = Machine::new();
        let text = read(path);
        assert!(text.contains(program), "{path} starts another binary");
        let text = text.replace(program, env!("CARGO_BIN_EXE_syncline"));
        let copy = machine.home().join(path.rsplit('/').next().unwrap());
        std::fs::write(&copy, text).unwrap();
        let mut command = Command::new("systemd-analyze");
        command.args(words).arg(&copy);
        command.env("XDG_RUNTIME_DIR", machine.home());
        let output = command.output().unwrap_or_else(|error| {
            panic!("this test needs systemd-analyze, `apt-get install systemd`: {error}")
        });
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(output.status.success(), "{path}: {said}");
        said
    }

    #[test]
    fn systemd_finds_no_fault_with_the_units() {
        let server = "deploy/systemd/syncline.service";
        let said = ask(server, "/usr/local/bin/syncline", &["verify", "--man=no"]);
        assert_eq!(said, "");
        let daemon = "deploy/systemd/syncline-daemon.service";
        let words = ["--user", "verify", "--man=no"];
        let said = ask(daemon, "%h/.local/bin/syncline", &words);
        assert_eq!(said, "");
    }

    #[test]
    fn the_server_is_exposed_to_little() {
        let threshold = format!("--threshold={EXPOSURE_TENTHS_MAX}");
        let words = ["security", "--offline=true", &threshold];
        ask(
            "deploy/systemd/syncline.service",
            "/usr/local/bin/syncline",
            &words,
        );
    }
}
