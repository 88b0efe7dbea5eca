//! Sessions of Claude Code that repeat others: what they share counts once, whichever is read first.

use serde_json::json;
use syncline_capture::agent::Agent;

use crate::place::Place;
use crate::script::{Script, jsonl, text};

/// A session, and one that was forked from it and is read before it.
pub(crate) fn fork() -> Vec<(String, Vec<u8>)> {
    let mut script = Script::new("origin");
    let call = json!({"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}});
    let shared = [
        script.user("u1", "begin"),
        script.answer("a1", "m1", text("Begun."), 7),
        script.answer("a2", "m1", call, 9),
        script.result("u2", "t1", json!("a.rs")),
    ];
    let mut lines = shared.clone().map(|mut line| {
        line["sessionId"] = json!("fork");
        line
    });
    lines[0]["isMeta"] = json!(false);
    let own = [
        script.user("u3", "go on"),
        script.answer("a3", "m2", text("Gone on."), 5),
    ];
    let own = own.map(|mut line| {
        line["sessionId"] = json!("fork");
        line
    });
    let fork = jsonl(&lines) + &jsonl(&own);
    vec![
        ("z/origin.jsonl".to_owned(), jsonl(&shared).into_bytes()),
        ("a/fork.jsonl".to_owned(), fork.into_bytes()),
    ]
}

/// The same, with lines of the fork that name their origin.
pub(crate) fn named_fork() -> Vec<(String, Vec<u8>)> {
    let mut files = fork();
    let (name, text) = files.pop().unwrap();
    let mut lines: Vec<serde_json::Value> = text
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect();
    for line in &mut lines[..4] {
        line["forkedFrom"] = json!({"sessionId": "origin", "messageUuid": line["uuid"]});
    }
    lines[5]["message"]["id"] = json!("m3");
    lines[5]["requestId"] = json!("req_m3");
    files.push((name, jsonl(&lines).into_bytes()));
    files
}

#[test]
fn a_fork_gives_way_to_its_origin_whichever_is_read_first() {
    let files = named_fork();
    for order in [vec![0, 1], vec![1, 0], vec![2]] {
        let mut place = Place::new();
        for turn in order {
            let chosen = files.iter().enumerate();
            for (_, (name, text)) in chosen.filter(|(place, _)| turn == 2 || *place == turn) {
                place.write(name, text);
            }
            place.import_files(Agent::ClaudeCode);
        }
        assert_eq!(place.import_files(Agent::ClaudeCode).ops, 0);
        let figures = place.figures();
        let of = |name: &str| {
            (
                figures[name].messages,
                figures[name].tools,
                figures[name].tokens[1],
            )
        };
        assert_eq!((of("origin"), of("fork")), ((2, 1, 9), (2, 0, 5)));
        assert_eq!(place.rows("forked"), ["fork|fork|origin"]);
    }
}

/// The same, where the fork has given all that it repeats ids of its own.
fn renamed_fork() -> Vec<(String, Vec<u8>)> {
    let mut files = named_fork();
    let (name, text) = files.pop().unwrap();
    let mut text = String::from_utf8(text).unwrap();
    for id in ["u1", "a1", "a2", "u2"] {
        let (own, other) = (format!("\"{id}\""), format!("\"{id}-again\""));
        text = text.replace(&own, &other);
        let names = |id: &str| format!("\"messageUuid\":{id}");
        text = text.replace(&names(&other), &names(&own));
    }
    files.push((name, text.into_bytes()));
    files
}

/// The same, where nothing tells whose it was.
fn nameless_fork() -> Vec<(String, Vec<u8>)> {
    let mut files = renamed_fork();
    let text = String::from_utf8(files.pop().unwrap().1).unwrap();
    let text = text.replace("forkedFrom", "unknown");
    files.push(("a/fork.jsonl".to_owned(), text.into_bytes()));
    files
}

/// In which order three files may be read.
const ORDERS: [[usize; 3]; 6] = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
];

/// How a file came to be.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Written {
    AtOnce,
    /// With an import after each line.
    LineByLine,
}

/// What counts of each session, messages, calls and tokens, once the files were imported: those of each turn
/// by one import.
fn counted(
    files: &[(String, Vec<u8>)],
    turns: &[Vec<usize>],
    written: Written,
) -> Vec<(u64, u64, u64)> {
    let mut place = Place::new();
    for turn in turns {
        for (name, text) in turn.iter().map(|file| &files[*file]) {
            let ends =
                (0..text.len()).filter(|end| written == Written::LineByLine && text[*end] == b'\n');
            for end in ends {
                place.write(name, &text[..=end]);
                place.import_files(Agent::ClaudeCode);
            }
            place.write(name, text);
        }
        place.import_files(Agent::ClaudeCode);
    }
    assert_eq!(place.import_files(Agent::ClaudeCode).ops, 0);
    let figures = place.figures();
    let counted = ["origin", "fork", "second"].iter().filter_map(|name| {
        let of = figures.get(*name)?;
        Some((of.messages, of.tools, of.tokens[1]))
    });
    counted.collect()
}

#[test]
fn what_a_fork_calls_otherwise_counts_for_its_origin_whichever_is_read_first() {
    let files = renamed_fork();
    for written in [Written::AtOnce, Written::LineByLine] {
        let turns = [
            vec![vec![0, 1]],
            vec![vec![0], vec![1]],
            vec![vec![1], vec![0]],
        ];
        for turns in turns {
            let counted = counted(&files, &turns, written);
            assert_eq!(counted, [(2, 1, 9), (2, 0, 5)], "{turns:?} {written:?}");
        }
    }
}

#[test]
fn what_a_fork_calls_otherwise_and_gives_no_name_to_counts_for_what_was_read_first() {
    let files = nameless_fork();
    for written in [Written::AtOnce, Written::LineByLine] {
        let first = [(2, 1, 9), (2, 0, 5)];
        assert_eq!(counted(&files, &[vec![0], vec![1]], written), first);
        let last = [(0, 0, 0), (4, 1, 14)];
        assert_eq!(counted(&files, &[vec![1], vec![0]], written), last);
    }
}

#[test]
fn a_fork_of_a_fork_counts_its_own_alone_whichever_is_read_first() {
    let mut files = renamed_fork();
    let text = String::from_utf8(files[1].1.clone()).unwrap();
    // As the first fork calls what it repeats, and all that it says itself under other names.
    let text = text
        .replace("u1-again", "u1-twice")
        .replace("a1-again", "a1-twice");
    let text = text
        .replace("a2-again", "a2-twice")
        .replace("u2-again", "u2-twice");
    let text = text.replace("\"messageUuid\":\"u1\"", "\"messageUuid\":\"u1-again\"");
    let text = text.replace("\"messageUuid\":\"a1\"", "\"messageUuid\":\"a1-again\"");
    let text = text.replace("\"messageUuid\":\"a2\"", "\"messageUuid\":\"a2-again\"");
    let text = text.replace("\"messageUuid\":\"u2\"", "\"messageUuid\":\"u2-again\"");
    let text = text.replace("\"sessionId\":\"fork\"", "\"sessionId\":\"second\"");
    let text = text.replace("\"sessionId\":\"origin\"", "\"sessionId\":\"fork\"");
    let text = text
        .replace("u3", "u9")
        .replace("a3", "a9")
        .replace("m3", "m9");
    files.push(("b/second.jsonl".to_owned(), text.into_bytes()));
    for order in ORDERS {
        let counted = counted(&files, &order.map(|file| vec![file]), Written::AtOnce);
        let expected = [(2, 1, 9), (2, 0, 5), (2, 0, 5)];
        assert_eq!(counted, expected, "{order:?}");
    }
}

#[test]
fn a_fork_of_a_fork_that_repeats_ids_as_they_are_leaves_all_to_the_origin_whichever_is_read_first()
{
    let mut files = named_fork();
    let mut text = String::from_utf8(files[1].1.clone()).unwrap();
    for (name, other) in [
        ("\"fork\"", "\"second\""),
        ("\"origin\"", "\"fork\""),
        ("u3", "u9"),
        ("a3", "a9"),
        ("m3", "m9"),
    ] {
        text = text.replace(name, other);
    }
    files.push(("b/second.jsonl".to_owned(), text.into_bytes()));
    for order in ORDERS {
        let counted = counted(&files, &order.map(|file| vec![file]), Written::AtOnce);
        let expected = [(2, 1, 9), (2, 0, 5), (2, 0, 5)];
        assert_eq!(counted, expected, "{order:?}");
    }
}

#[test]
fn of_three_that_share_a_response_one_counts_it_in_whatever_order_they_are_read() {
    let mut files = renamed_fork();
    let (_, third) = nameless_fork().remove(1);
    let mut third = String::from_utf8(third).unwrap();
    for (name, other) in [
        ("-again", "-third"),
        ("\"fork\"", "\"second\""),
        ("u3", "u9"),
        ("a3", "a9"),
        ("m3", "m9"),
    ] {
        third = third.replace(name, other);
    }
    files.push(("b/second.jsonl".to_owned(), third.into_bytes()));
    for order in ORDERS {
        let counted = counted(&files, &order.map(|file| vec![file]), Written::AtOnce);
        let sum = counted.iter().fold((0, 0, 0), |sum, of| {
            (sum.0 + of.0, sum.1 + of.1, sum.2 + of.2)
        });
        assert_eq!(sum, (6, 1, 19), "{order:?}: {counted:?}");
    }
}

#[test]
fn a_response_whose_usage_one_session_could_not_read_counts_where_another_tells_it() {
    let mut script = Script::new("origin");
    let mut unread = script.answer("a1", "m1", text("Begun."), 4);
    unread["message"]["usage"] = json!([4]);
    let mut read = script.answer("a2", "m1", text("Gone on."), 4);
    read["sessionId"] = json!("fork");
    let files = [("origin.jsonl", unread), ("other.jsonl", read)]
        .map(|(name, line)| (name.to_owned(), jsonl(&[line]).into_bytes()));
    for turns in [vec![vec![0, 1]], vec![vec![0], vec![1]]] {
        let counted = counted(&files, &turns, Written::AtOnce);
        assert_eq!(counted, [(1, 0, 0), (1, 0, 4)], "{turns:?}");
    }
}
