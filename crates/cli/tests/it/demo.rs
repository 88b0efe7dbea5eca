use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::machine::Machine;
use crate::served::terminate;

#[test]
fn the_demo_checks_itself_and_leaves_nothing_behind() {
    let machine = Machine::new();
    let temporary = machine.home().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let variables = [("TMPDIR", temporary.to_str().unwrap())];
    // Twice: the second run must not find itself in the way.
    for _ in 0..2 {
        let told = machine.run_with(&variables, &["demo", "--once"]).done();
        assert!(told.stdout.contains("81 entries of 6 threads"), "{told:#?}");
        assert!(told.stdout.contains("nothing is lost"), "{told:#?}");
        assert!(told.stdout.contains("MIT licence"), "{told:#?}");
        assert_eq!(told.stderr, "");
        assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
    }
    let told = machine
        .run_with(&variables, &["demo", "--once", "--json"])
        .done();
    assert_eq!(told.json()["ok"], true);
    // What the user has is not looked at, and not made.
    assert!(!machine.config_file().exists());
    assert!(!machine.home().join(".local").exists());
}

#[test]
fn what_the_demo_says_to_try_works_in_another_terminal() {
    let machine = Machine::new();
    let mut child = machine
        .command(&["demo"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut tries = Vec::new();
    for line in lines {
        let line = line.unwrap();
        let command = line.trim();
        if command.contains(" --data-dir ") {
            tries.push(command.to_owned());
        }
        if command.starts_with("curl ") {
            break;
        }
    }
    let run = |line: &str| {
        let output = std::process::Command::new("sh")
            .args(["-c", line])
            .current_dir(machine.work_dir())
            .output()
            .unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let [push, read, search, status] = tries.as_slice() else {
        panic!("{tries:?}");
    };
    run(push);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !run(read).contains("from another terminal") {
        assert!(std::time::Instant::now() < deadline, "it never arrived");
    }
    assert!(run(search).contains("entire-cli/"));
    assert!(run(status).contains("in sync"));
    terminate(&child);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
