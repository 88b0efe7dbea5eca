use std::io::Read;
use std::process::Stdio;

use serde_json::Value;

use crate::machine::Machine;

#[test]
fn without_a_subcommand_there_is_an_error_line_and_help() {
    let machine = Machine::new();
    for (arguments, named) in [
        (&[][..], "syncline"),
        (&["config"][..], "syncline config"),
        (
            &["--author", "x", "config", "profiles"][..],
            "syncline config profiles",
        ),
    ] {
        machine
            .run(arguments)
            .failed(2, "no_command")
            .says(&format!("`{named}` needs a subcommand"))
            .says(&format!("Usage: {named} [OPTIONS] <COMMAND>"));
    }
}

#[test]
fn help_and_version_are_data() {
    let machine = Machine::new();
    for arguments in [
        &["--help"][..],
        &["-h"],
        &["config", "set", "--help"],
        &["help", "config"],
    ] {
        let answer = machine.run(arguments).done();
        assert!(answer.stdout.contains("Usage: syncline"), "{answer:?}");
        assert_eq!(answer.stderr, "");
    }
    let version = machine.run(&["--version"]).done().stdout;
    assert_eq!(version, format!("syncline {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn none_at_all_is_no_number_of_things_to_show() {
    let machine = Machine::new();
    for arguments in [
        &["logs", "-n"][..],
        &["query", "-", "--limit"],
        &["record", "things", "list", "--limit"],
        &["session", "list", "-n"],
        &["session", "search", "word", "-n"],
        &["session", "stats", "-n"],
        &["thread", "list", "-n"],
        &["thread", "read", "t", "-n"],
        &["thread", "search", "word", "-n"],
    ] {
        let answer = machine.run(&[arguments, &["0"]].concat());
        answer.failed(2, "usage").says("at least 1");
    }
    let answer = machine.run(&["session", "show", "s", "--json", "-n", "0"]);
    assert_eq!(answer.code, Some(2));
    assert!(answer.stderr.contains("at least 1"), "{answer:?}");
}

#[test]
fn wrong_arguments_exit_with_two_and_touch_nothing() {
    let machine = Machine::new();
    for arguments in [
        &["bogus"][..],
        &["config", "bogus"],
        &["config", "set", "endpoint"],
        &["config", "list", "--nope"],
        &["logs", "-n", "many"],
        &["completions", "tcsh"],
    ] {
        machine.run(arguments).failed(2, "usage");
    }
    let answer = machine.run(&["config", "bogus", "--json"]);
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(2), ""));
    let error: Value = serde_json::from_str(&answer.stderr).unwrap();
    assert_eq!(error["error"]["code"], "usage");
    assert_eq!(std::fs::read_dir(machine.home()).unwrap().count(), 1);
}

#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let machine = Machine::new();
    let mut command = machine.command(&["completions", "bash"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    // Closed before anything is read: what does not fit into the pipe meets a closed end.
    drop(child.stdout.take());
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(said, "");
}

#[cfg(target_os = "linux")]
#[test]
fn data_that_could_not_be_written_is_a_failure() {
    let machine = Machine::new();
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut command = machine.command(&["config", "list"]);
    let output = command.stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("error[output_failed]: "), "{said}");
}

#[test]
fn every_shell_gets_completions() {
    let machine = Machine::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = machine.run(&["completions", shell]).done().stdout;
        assert!(script.contains("syncline"), "{shell}");
    }
}

#[test]
fn the_manual_has_a_page_per_command() {
    let machine = Machine::new();
    let page = machine.run(&["man"]).done().stdout;
    assert!(page.contains(".TH syncline 1"), "{page}");
    let dir = machine.home().join("man");
    machine.run(&["man", "--out", dir.to_str().unwrap()]).done();
    for name in [
        "syncline",
        "syncline-config",
        "syncline-config-profiles-use",
    ] {
        assert!(dir.join(format!("{name}.1")).exists(), "{name}");
    }
}
