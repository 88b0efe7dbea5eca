//! In which order a message says and does things, and what its responses have used.

use serde_json::{Value, json};

use crate::machine::Machine;
use crate::session::line;

/// A machine with a session of one question and one answer, which says something before and after each
/// of its two calls.
fn talking() -> Machine {
    let machine = Machine::new();
    let said = |text: &str| json!({"type": "text", "text": text});
    let call = |id: &str, command: &str| json!({"type": "tool_use", "id": id, "name": "Bash", "input": {"command": command}});
    let blocks = [
        said("first of all"),
        call("t1", "run one"),
        said("in between"),
        call("t2", "run two"),
        said("last of all"),
    ];
    let lines = [
        line("u1", "user", 0, json!("go on")),
        line("a1", "assistant", 1, json!(blocks)),
    ];
    let place = machine.work_dir().join("talking.jsonl");
    std::fs::write(&place, lines.join("\n") + "\n").unwrap();
    machine
        .run(&["import", "claude-code", place.to_str().unwrap()])
        .done();
    machine
}

const IN_ORDER: [&str; 6] = [
    "go on",
    "first of all",
    "run one",
    "in between",
    "run two",
    "last of all",
];

/// The texts that are told, in the order in which they stand in `text`.
fn told_in(text: &str) -> Vec<&'static str> {
    let mut found: Vec<(usize, &str)> = IN_ORDER
        .iter()
        .map(|said| {
            // The head of an export may tell the title, which is the first prompt.
            let place = text.rfind(said);
            (
                place.unwrap_or_else(|| panic!("no {said} in {text}")),
                *said,
            )
        })
        .collect();
    found.sort_unstable();
    found.into_iter().map(|(_, said)| said).collect()
}

#[test]
fn what_a_message_says_stands_around_the_tools_that_it_calls() {
    let machine = talking();
    for arguments in [
        &["session", "show", "hostile"][..],
        &["session", "show", "hostile", "--full"],
        &["session", "export", "hostile"],
        &["session", "export", "hostile", "--format", "html"],
    ] {
        let text = machine.run(arguments).done().stdout;
        assert_eq!(told_in(&text), IN_ORDER, "{text}");
    }
    let markdown = machine.run(&["session", "export", "hostile"]).done().stdout;
    assert_eq!(markdown.matches("## assistant").count(), 1, "{markdown}");
}

#[test]
fn positions_tell_data_in_the_same_order() {
    let machine = talking();
    let sql = "select text from parts join sessions using (session_id) order by position";
    let rows = machine.run(&["query", sql, "--json"]).done().json();
    let texts: Vec<&str> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["text"].as_str().unwrap())
        .collect();
    assert_eq!(told_in(&texts.join("\n")), IN_ORDER);
    let mut placed: Vec<(i64, Value)> = Vec::new();
    for event in exported(&machine) {
        if event["type"] == "tool" {
            placed.push((event["position"].as_i64().unwrap(), event["id"].clone()));
            continue;
        }
        for part in event["parts"].as_array().into_iter().flatten() {
            placed.push((part["position"].as_i64().unwrap(), part["text"].clone()));
        }
    }
    placed.sort_by_key(|(position, _)| *position);
    let names: Vec<&str> = placed
        .iter()
        .map(|(_, name)| name.as_str().unwrap())
        .collect();
    let expected = [
        "go on",
        "first of all",
        "t1",
        "in between",
        "t2",
        "last of all",
    ];
    assert_eq!(names, expected);
}

#[test]
fn json_lines_tell_what_each_response_used_and_cost() {
    let machine = talking();
    let lines = exported(&machine);
    let session = lines.iter().find(|line| line["type"] == "session").unwrap();
    let used = lines.iter().filter_map(|line| line["usage"].as_object());
    let used: Vec<_> = used.collect();
    assert_eq!(used.len(), 1);
    for figure in ["input_tokens", "output_tokens", "cost"] {
        assert_eq!(used[0][figure], session[figure], "{figure}");
    }
    assert_eq!(
        (&used[0]["cost_source"], &used[0]["model"]),
        (&json!("computed"), &json!("claude-sonnet-4-5"))
    );
}

fn exported(machine: &Machine) -> Vec<Value> {
    let export = ["session", "export", "hostile", "--format", "jsonl"];
    let text = machine.run(&export).done().stdout;
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}
