use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout};

use serde_json::Value;

use crate::list::machine_with;
use crate::machine::Machine;
use crate::served::Server;

/// A `list show --watch --json` that runs.
struct Watch {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Watch {
    fn start(machine: &Machine, arguments: &[&str]) -> Self {
        let watch = [&["list", "show", "--watch", "--json"], arguments].concat();
        let mut child = machine.command(&watch).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// Reads on until `wanted` is shown.
    fn until(&mut self, wanted: impl Fn(&Value) -> bool) {
        loop {
            let mut line = String::new();
            assert_ne!(self.lines.read_line(&mut line).unwrap(), 0, "it has ended");
            if wanted(&serde_json::from_str(&line).unwrap()) {
                return;
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn has(text: &'static str, state: &'static str) -> impl Fn(&Value) -> bool {
    move |shown| {
        let items = shown["items"].as_array().unwrap();
        items
            .iter()
            .any(|item| item["text"] == text && item["state"] == state)
    }
}

#[test]
fn a_list_that_is_watched_shows_what_other_processes_write() {
    let machine = machine_with("a", &["one"]);
    let mut watch = Watch::start(&machine, &["a"]);
    watch.until(has("one", "pending"));
    machine.run(&["list", "add", "a", "two"]).done();
    watch.until(has("two", "pending"));
    machine.run(&["list", "delete", "a"]).done();
    let mut rest = String::new();
    while watch.lines.read_line(&mut rest).unwrap() > 0 {}
    assert_eq!(watch.child.wait().unwrap().code(), Some(1));
}

#[test]
fn all_lists_are_watched_too() {
    let machine = machine_with("a", &["one"]);
    let mut watch = Watch::start(&machine, &[]);
    watch.until(|shown| shown["lists"][0]["items"] == 1);
    machine.run(&["list", "check", "a", "one"]).done();
    watch.until(|shown| shown["lists"][0]["done"] == 1);
}

#[test]
fn a_list_that_is_watched_is_kept_in_sync() {
    let server = Server::start();
    let (ada, ben) = (server.member("ada"), server.member("ben"));
    ada.run(&["list", "new", "shared"]).done();
    ben.run(&["sync", "now"]).done();
    let mut watch = Watch::start(&ben, &["shared"]);
    watch.until(|shown| shown["title"] == "shared");
    ada.run(&["list", "add", "shared", "from afar"]).done();
    watch.until(has("from afar", "acknowledged"));
}
