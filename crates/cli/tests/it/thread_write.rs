use std::process::Stdio;

use serde_json::{Value, json};

use crate::machine::Machine;

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn a_pushed_entry_is_durable_and_told_in_the_promised_shape() {
    let machine = Machine::new();
    let made = machine
        .run(&["thread", "new", "API Design/v2", "first", "--json"])
        .done()
        .json();
    let pushed = machine
        .run(&["thread", "push", "api-design-v2", "second", "--json"])
        .done()
        .json();
    for answer in [&made, &pushed] {
        assert_eq!(
            keys(answer),
            [
                "entry_id",
                "name",
                "project",
                "sequence_id",
                "state",
                "thread_id"
            ]
        );
        assert_eq!(answer["thread_id"], made["thread_id"]);
        assert_eq!(answer["project"], "default");
        assert_eq!(answer["name"], "API Design/v2");
        assert_eq!(answer["sequence_id"], Value::Null);
        assert_eq!(answer["state"], "pending");
    }
    let read = machine
        .run(&["thread", "read", "api-design-v2", "--json"])
        .done()
        .json();
    assert_eq!(
        keys(&read),
        ["entries", "name", "project", "status", "thread_id"]
    );
    let last = &read["entries"][1];
    assert_eq!(
        keys(last),
        [
            "author",
            "content",
            "entry_id",
            "sequence_id",
            "state",
            "timestamp"
        ]
    );
    assert_eq!(last["entry_id"], pushed["entry_id"]);
    assert_eq!(
        (&last["content"], &last["author"]),
        (&json!("second"), &json!("user"))
    );
}

#[test]
fn a_thread_without_text_has_no_entry() {
    let machine = Machine::new();
    let made = machine
        .run(&["thread", "new", "empty", "--json"])
        .done()
        .json();
    assert_eq!(made["entry_id"], Value::Null);
    assert_eq!(machine.entries("empty"), [] as [Value; 0]);
}

#[test]
fn standard_input_is_an_entry_less_its_last_line_break() {
    let machine = Machine::new();
    machine.run(&["thread", "new", "t"]).done();
    machine
        .run_on("two\nlines\n\n", &["thread", "push", "t", "-"])
        .done();
    machine
        .run_on("crlf\r\n", &["thread", "push", "t", "-"])
        .done();
    machine
        .run_on("", &["thread", "push", "t", "-"])
        .failed(2, "content_invalid");
    assert_eq!(machine.contents("t"), ["two\nlines\n", "crlf"]);
}

#[test]
fn text_is_kept_character_for_character() {
    let machine = Machine::new();
    machine.run(&["thread", "new", "t"]).done();
    let texts = [
        "- [ ] begins like a flag",
        "--looks like one",
        "[red]markup[/red] [/a/b] {}",
        "日本語 🦀 \u{1b}[31m tab\t",
        "'; DROP TABLE threads; --",
        "-5",
    ];
    for text in texts {
        machine.run(&["thread", "push", "t", text]).done();
    }
    assert_eq!(machine.contents("t"), texts);
    let shown = machine.run(&["thread", "read", "t"]).done().stdout;
    assert!(
        !shown.contains('\u{1b}'),
        "a stored text can't drive the terminal"
    );
    // A flag behind the text is a flag.
    let answer = machine
        .run(&["thread", "push", "t", "last", "--json"])
        .done();
    assert_eq!(answer.json()["state"], "pending");
}

#[test]
fn an_entry_that_is_too_long_is_refused_whole() {
    let machine = Machine::new();
    machine.run(&["thread", "new", "t"]).done();
    let long = "é".repeat(100_000);
    machine.run_on(&long, &["thread", "push", "t", "-"]).done();
    machine
        .run_on(&format!("{long}x"), &["thread", "push", "t", "-"])
        .failed(2, "content_invalid")
        .says("nothing was written");
    assert_eq!(machine.entries("t").len(), 1);
    let mut command = machine.command(&["thread", "push", "t", "-"]);
    let file = machine.home().join("latin1");
    std::fs::write(&file, b"caf\xe9").unwrap();
    command.stdin(std::fs::File::open(&file).unwrap());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("not UTF-8"));
}

#[test]
fn an_unknown_thread_is_an_error_with_the_command_that_makes_it() {
    let machine = Machine::new();
    machine
        .run(&["thread", "push", "no such", "x"])
        .failed(1, "thread_unknown")
        .says("fix:   syncline thread new 'no such'");
    let listing = machine.run(&["thread", "list", "--json"]).done().json();
    assert_eq!(listing["total"], 0);
}

#[test]
fn a_key_that_is_taken_is_not_made_twice() {
    let machine = Machine::new();
    machine.run(&["thread", "new", "Design", "x"]).done();
    machine
        .run(&["thread", "new", "design"])
        .failed(1, "thread_exists")
        .says("syncline thread push default/design TEXT");
    machine
        .run(&["thread", "new", "design", "-p", "other"])
        .done();
    machine
        .run(&["thread", "new", " "])
        .failed(2, "invalid_field");
    machine
        .run(&["thread", "new", "x", "-p", "a/b"])
        .failed(2, "project_invalid");
}

#[test]
fn the_author_is_that_of_the_flag_or_environment() {
    let machine = Machine::new();
    machine.run(&["thread", "new", "t", "a"]).done();
    let environment = [("SYNCLINE_AUTHOR", "claude")];
    machine
        .run_with(&environment, &["thread", "push", "t", "b"])
        .done();
    machine
        .run_with(
            &environment,
            &["thread", "push", "t", "c", "--author", "ada"],
        )
        .done();
    machine
        .run(&["--author", "", "thread", "push", "t", "d"])
        .failed(2, "author_invalid");
    let entries = machine.entries("t");
    let authors: Vec<&str> = entries
        .iter()
        .map(|e| e["author"].as_str().unwrap())
        .collect();
    assert_eq!(authors, ["user", "claude", "ada"]);
}

#[test]
fn a_repository_gives_the_project_and_nothing_else() {
    let machine = Machine::new();
    let file = "project = \"repo\"\nendpoint = \"http://127.0.0.1:1\"\n";
    std::fs::write(machine.work_dir().join("syncline.toml"), file).unwrap();
    let made = machine.run(&["thread", "new", "t", "x", "--json"]).done();
    assert_eq!(made.json()["project"], "repo");
    made.says("no endpoint is set");
    let flag = machine
        .run(&["thread", "new", "t", "x", "-p", "mine", "--json"])
        .done();
    assert_eq!(flag.json()["project"], "mine");
    std::fs::write(machine.work_dir().join("syncline.toml"), "project = 7").unwrap();
    machine
        .run(&["thread", "push", "t", "x"])
        .failed(1, "project_file_invalid")
        .says("syncline.toml");
}

#[test]
fn a_thread_is_found_by_id_key_name_and_address() {
    let machine = Machine::new();
    let made = machine
        .run(&["thread", "new", "The Plan", "x", "--json"])
        .done()
        .json();
    let id = made["thread_id"].as_str().unwrap();
    let upper = id.to_uppercase();
    for reference in ["the-plan", "The Plan", "default/the-plan", id, &upper] {
        let read = machine
            .run(&["thread", "read", reference, "--json"])
            .done()
            .json();
        assert_eq!(read["thread_id"], id, "{reference}");
    }
}

#[test]
fn an_ambiguous_thread_lists_the_candidates() {
    let machine = Machine::new();
    for project in ["a", "b"] {
        machine
            .run(&["thread", "new", "plan", project, "-p", project])
            .done();
    }
    machine
        .run(&["thread", "push", "plan", "x"])
        .failed(1, "thread_ambiguous")
        .says("maybe: a/plan (plan, ")
        .says("maybe: b/plan (plan, ");
    machine
        .run(&["thread", "push", "plan", "x", "-p", "b"])
        .done();
    machine.run(&["thread", "push", "a/plan", "y"]).done();
    assert_eq!(machine.contents("a/plan"), ["a", "y"]);
    assert_eq!(machine.contents("b/plan"), ["b", "x"]);
    // A chosen project is not left, but pointed out of.
    machine
        .run(&["thread", "read", "plan", "-p", "c"])
        .failed(1, "thread_unknown")
        .says("maybe: a/plan");
    // A thread of project `default` goes first where nothing chooses one.
    machine.run(&["thread", "new", "plan", "d"]).done();
    assert_eq!(machine.contents("plan"), ["d"]);
}

#[test]
fn a_hundred_processes_at_once_each_append_one_entry() {
    let machine = Machine::new();
    machine.run(&["thread", "new", "t"]).done();
    let texts: Vec<String> = (0..100).map(|n| format!("entry {n}")).collect();
    let pushes: Vec<_> = texts
        .iter()
        .map(|text| {
            let mut command = machine.command(&["thread", "push", "t", text]);
            command.stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for push in pushes {
        let output = push.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let mut found = machine.contents("t");
    found.sort();
    let mut expected = texts;
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_data_directory_that_is_a_file_is_told_and_left_alone() {
    let machine = Machine::new();
    let path = machine.home().join("file");
    std::fs::write(&path, "mine").unwrap();
    let path = path.to_str().unwrap();
    machine
        .run(&["--data-dir", path, "thread", "list"])
        .failed(1, "data_unusable")
        .says("--data-dir");
    assert_eq!(std::fs::read_to_string(path).unwrap(), "mine");
}
