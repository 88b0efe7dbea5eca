use std::io::{BufRead, BufReader, Write};

use crate::machine::Machine;

fn line(second: u32, message: &str) -> String {
    format!(
        "{{\"timestamp\":\"2026-01-02T03:04:{second:02}Z\",\"level\":\"INFO\",\"message\":\"{message}\"}}\n"
    )
}

#[test]
fn the_last_lines_are_shown_over_the_end_of_a_day() {
    let machine = Machine::new();
    let dir = machine.home().join("data/logs");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(
        dir.join("syncline-2026-01-01.jsonl"),
        line(1, "one") + &line(2, "two"),
    )
    .unwrap();
    std::fs::write(
        dir.join("syncline-2026-01-02.jsonl"),
        line(3, "three") + "{\"half",
    )
    .unwrap();
    let data_dir = dir.parent().unwrap().to_str().unwrap();
    let text = machine
        .run(&["--data-dir", data_dir, "logs", "-n", "2"])
        .done()
        .stdout;
    assert_eq!(
        text,
        "2026-01-02T03:04:02Z INFO  two\n2026-01-02T03:04:03Z INFO  three\n"
    );
    let raw = machine
        .run(&["--data-dir", data_dir, "logs", "--json"])
        .done()
        .stdout;
    assert_eq!(raw, line(1, "one") + &line(2, "two") + &line(3, "three"));
}

#[test]
fn nothing_logged_is_said_and_is_no_failure() {
    let machine = Machine::new();
    let answer = machine.run(&["logs"]).done();
    assert_eq!(answer.stdout, "");
    answer.says("nothing is logged in");
}

#[test]
fn new_lines_are_followed_into_the_next_day() {
    let machine = Machine::new();
    let dir = machine.home().join("logs");
    std::fs::create_dir_all(&dir).unwrap();
    let today = dir.join("syncline-2026-01-01.jsonl");
    std::fs::write(&today, line(1, "one")).unwrap();
    let home = machine.home().to_str().unwrap();
    let mut command = machine.command(&["--data-dir", home, "logs", "-f", "--json"]);
    let mut child = command.spawn().unwrap();
    let mut shown = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = move || shown.next().unwrap().unwrap() + "\n";
    assert_eq!(next(), line(1, "one"));
    let mut file = std::fs::File::options().append(true).open(&today).unwrap();
    file.write_all(line(2, "two").as_bytes()).unwrap();
    assert_eq!(next(), line(2, "two"));
    std::fs::write(dir.join("syncline-2026-01-02.jsonl"), line(3, "three")).unwrap();
    assert_eq!(next(), line(3, "three"));
    child.kill().unwrap();
    child.wait().unwrap();
}
