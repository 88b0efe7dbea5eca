//! Lines that can't be read.

use serde_json::json;
use syncline_capture::agent::Agent;

use crate::place::Place;
use crate::script::{Script, jsonl};

/// Imports a file twice; gives the lines that were told as damaged, and what of them was kept.
fn kept(lines: &[&[u8]]) -> (Vec<Option<u64>>, Vec<String>) {
    let agent = Agent::ClaudeCode;
    let mut place = Place::new();
    let mut text = lines.join(&b'\n');
    text.push(b'\n');
    place.write("s.jsonl", &text);
    let done = place.import_files(agent);
    assert_eq!(done.counts.not_understood, 0);
    let told = done.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(place.import_files(agent).ops, 0);
    let kept = place.rows("raw");
    place.lose_notes();
    assert_eq!(place.import_files(agent).ops, 0);
    assert_eq!(place.rows("raw"), kept);
    (told, kept)
}

#[test]
fn a_damaged_line_is_kept_as_it_stands_without_its_secrets() {
    let mut script = Script::new("s");
    let good = [script.user("u1", "one"), script.user("u2", "two")].map(|line| line.to_string());
    let token = format!("{}{}", "ghp_", "a8Kd02mZq7Lw91XcTb54VnRf63Hy0PsJuEiG");
    let broken = format!(r#"{{"type":"user","text":"T={token}", broken"#);
    let lines = [
        // Nobody has told yet whose it is.
        b"{".as_slice(),
        good[0].as_bytes(),
        broken.as_bytes(),
        b"\x80\x81junk",
        good[1].as_bytes(),
    ];
    let (told, kept) = kept(&lines);
    assert_eq!(told, [Some(1), Some(3), Some(4)]);
    let [broken, junk] = kept.as_slice() else {
        panic!("{kept:?}");
    };
    assert!(broken.starts_with(r#"{"type":"user","text":"T=[redacted:"#));
    assert!(broken.ends_with(r#"", broken"#) && !broken.contains(&token));
    assert_eq!(junk, "\u{fffd}\u{fffd}junk");
}

#[test]
fn what_cannot_be_read_and_may_be_a_marked_prompt_is_not_kept() {
    let mut script = Script::new("s");
    let good = script.user("u1", "one").to_string();
    let lines = [
        good.as_bytes(),
        br##"{"type":"user","text":"my plan\n#do-not-record\nfor", torn"##,
        br##"{"type":"user","text":"what #do-not-record does", torn"##,
    ];
    let (told, kept) = kept(&lines);
    assert_eq!(told, [Some(2), Some(3)]);
    assert!(
        matches!(&kept[..], [one] if one.contains("what #do-not-record does")),
        "{kept:?}"
    );
}

#[test]
fn what_json_alone_tells_is_taken_out_of_torn_lines_and_outputs() {
    let secret = ["hq8Lm2", "Vz77tt"].concat();
    let inputs = [
        json!({"element": "Password field", "text": secret}),
        json!({"args": ["docker", "login", "-p", secret]}),
        json!({"command": ["curl", "-u", format!("admin:{secret}"), "https://h.test"]}),
    ];
    let mut script = Script::new("s");
    let mut lines = jsonl(&[script.user("u1", "begin")]);
    for (input, id) in inputs.iter().zip(["a1", "a2", "a3"]) {
        let call = json!({"type": "tool_use", "id": id, "name": "T", "input": input});
        let torn = script.answer(id, id, call, 1).to_string();
        let end = torn.find(&secret).unwrap() + secret.len() + 3;
        lines += &format!("{}\n", &torn[..end]);
        let outputs = [
            serde_json::to_string_pretty(input).unwrap(),
            format!("{{\"a\":1}}\n{input}\n[]"),
        ];
        for (output, other) in outputs.into_iter().zip(["", "x"]) {
            let call = format!("c{id}{other}");
            let called = json!({"type": "tool_use", "id": call, "name": "T", "input": {}});
            lines += &jsonl(&[
                script.answer(
                    &format!("b{id}{other}"),
                    &format!("m{id}{other}"),
                    called,
                    1,
                ),
                script.result(&format!("r{id}{other}"), &call, json!(output + "\n")),
            ]);
        }
    }
    let mut place = Place::new();
    place.write("s.jsonl", &lines);
    let done = place.import_files(Agent::ClaudeCode);
    assert_eq!(done.problems.len(), 3);
    assert_eq!(place.rows("raw").len(), 3);
    let texts = place.rows("parts").concat() + &place.rows("raw").concat();
    assert!(!texts.contains(&secret), "{texts}");
    assert_eq!(texts.matches("[redacted:").count(), 9, "{texts}");
}

#[test]
fn a_damaged_line_of_a_subagent_is_kept_with_it() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let mut called = script.user("u1", "a task");
    called["isSidechain"] = json!(true);
    called["agentId"] = json!("ab12");
    place.write("agent-ab12.jsonl", jsonl(&[called]) + "{broken\n");
    place.import_files(Agent::ClaudeCode);
    assert_eq!(place.rows("raw"), ["{broken"]);
    assert_eq!(place.figures().len(), 1);
}

/// A file of an agent of lines, with some that can be read: the first and the last.
struct Lines {
    agent: Agent,
    name: &'static str,
    good: [&'static str; 2],
}

const LINES: [Lines; 3] = [
    Lines {
        agent: Agent::Codex,
        name: "rollout-a-c1.jsonl",
        good: [
            r#"{"timestamp":"2026-01-01T10:00:00.000Z","type":"session_meta","payload":{"id":"c1","cwd":"/w/app"}}"#,
            r#"{"timestamp":"2026-01-01T10:00:01.000Z","type":"event_msg","payload":{"type":"user_message","message":"go"}}"#,
        ],
    },
    Lines {
        agent: Agent::Gemini,
        name: "h/chats/session-a.jsonl",
        good: [
            r#"{"sessionId":"g1","projectHash":"h","startTime":"2026-02-01T09:00:00.000Z"}"#,
            r#"{"id":"m1","timestamp":"2026-02-01T09:00:01.000Z","type":"user","content":"go"}"#,
        ],
    },
    Lines {
        agent: Agent::Cursor,
        name: "agent-transcripts/t1/t1.jsonl",
        good: [
            r#"{"role":"assistant","message":{"content":"gone"}}"#,
            r#"{"role":"user","message":{"content":"go"}}"#,
        ],
    },
];

fn secret() -> String {
    format!("{}{}", "ghp_", "a8Kd02mZq7Lw91XcTb54VnRf63Hy0PsJuEiG")
}

/// Asserts that nothing more is written of the files that are there, and that what is kept stays where they go.
fn stays(place: &mut Place, agent: Agent, kept: &[String]) {
    assert_eq!(place.import_files(agent).ops, 0, "{agent:?}");
    place.age_marks();
    assert_eq!(place.import_files(agent).ops, 0, "{agent:?}");
    place.lose_notes();
    assert_eq!(place.import_files(agent).ops, 0, "{agent:?}");
    std::fs::remove_dir_all(place.files()).unwrap();
    std::fs::create_dir(place.files()).unwrap();
    assert_eq!(place.import_files(agent).ops, 0, "{agent:?}");
    assert_eq!(place.rows("raw"), kept, "{agent:?}");
}

#[test]
fn damaged_lines_of_every_agent_are_told_with_their_place_and_kept() {
    let broken = format!(r#"{{"text":"T={}", broken"#, secret());
    for Lines { agent, name, good } in LINES {
        let lines = [
            good[0].as_bytes(),
            broken.as_bytes(),
            b"",
            b"\x80\x81junk",
            b"[1]",
            br#""a text alone""#,
            good[1].as_bytes(),
        ];
        let mut place = Place::new();
        place.write(name, [&lines.join(&b'\n')[..], b"\n"].concat());
        let done = place.import_files(agent);
        let told: Vec<_> = done.problems.iter().map(|problem| problem.line).collect();
        assert_eq!(told, [Some(2), Some(4), Some(5), Some(6)], "{agent:?}");
        assert_eq!((done.counts.damaged, done.counts.not_understood), (4, 0));
        assert!(place.rows("said").contains(&"user|text|go".to_owned()));
        assert_eq!(place.figures().len(), 1);
        let kept = place.rows("raw");
        assert_eq!(kept.len(), 4, "{agent:?}: {kept:?}");
        assert!(kept[0].starts_with(r#"{"text":"T=[redacted:"#), "{kept:?}");
        assert_eq!(
            kept[1..],
            ["\u{fffd}\u{fffd}junk", "[1]", r#""a text alone""#]
        );
        // The same as the file grows.
        let mut grown = Place::new();
        for end in 1..=lines.len() {
            grown.write(name, [&lines[..end].join(&b'\n')[..], b"\n"].concat());
            grown.import_files(agent);
        }
        assert_eq!(grown.rows("raw"), kept, "{agent:?}");
        assert_eq!(grown.rows("said"), place.rows("said"), "{agent:?}");
        stays(&mut place, agent, &kept);
    }
}

#[test]
fn a_damaged_first_line_is_kept_in_the_session_that_the_file_is_named_after() {
    const CODEX: &str = "rollout-2026-01-01T10-00-00-01a1feb8-6dbf-77e2-93bc-53091bb24fc2.jsonl";
    for ((name, native), lines) in [
        (CODEX, "01a1feb8-6dbf-77e2-93bc-53091bb24fc2"),
        ("h/chats/session-a.jsonl", "session-a"),
        ("agent-transcripts/t1/t1.jsonl", "t1"),
    ]
    .into_iter()
    .zip(LINES)
    {
        let agent = lines.agent;
        let mut place = Place::new();
        place.write(name, format!("{{torn\n{}\n", lines.good[1]));
        let done = place.import_files(agent);
        assert_eq!(done.problems[0].line, Some(1), "{agent:?}");
        assert_eq!(place.rows("raw"), ["{torn"], "{agent:?}");
        let about = place.rows("titled");
        let expected = format!("{}|{native}|", agent.as_str());
        assert!(
            about[0].starts_with(&expected) && about.len() == 1,
            "{about:?}"
        );
        stays(&mut place, agent, &["{torn".to_owned()]);
    }
}

fn sorted(mut rows: Vec<String>) -> Vec<String> {
    rows.sort();
    rows
}

#[test]
fn lines_of_cursor_go_by_their_numbers_in_the_file() {
    let agent = Agent::Cursor;
    let name = "agent-transcripts/t1/t1.jsonl";
    let line = |said: &str| format!(r#"{{"role":"user","message":{{"content":"{said}"}}}}"#);
    let ids = |place: &mut Place| -> Vec<String> {
        let rows = place.rows("messages").into_iter();
        let ids = rows.map(|row| row.split('|').nth(1).unwrap().to_owned());
        sorted(ids.collect())
    };
    let lines = [
        line("one"),
        "{torn".to_owned(),
        String::new(),
        line("two"),
        line("three"),
    ];
    let mut place = Place::new();
    place.write(name, lines.join("\n") + "\n");
    place.import_files(agent);
    assert_eq!(ids(&mut place), ["1", "4", "5"]);
    let mut grown = Place::new();
    for end in 1..=lines.len() {
        grown.write(name, lines[..end].join("\n") + "\n");
        grown.import_files(agent);
    }
    assert_eq!(ids(&mut grown), ["1", "4", "5"]);
    // Mended, the line is one that was never told; those behind it are what they were.
    let mended = [line("one"), line("and"), String::new()];
    place.write(name, [&mended[..], &lines[3..]].concat().join("\n") + "\n");
    place.import_files(agent);
    assert_eq!(ids(&mut place), ["1", "2", "4", "5"]);
    assert_eq!(
        sorted(place.rows("counted_texts")),
        ["and", "one", "three", "two"]
    );
    // An older reader counted no line that it could not read.
    let mut older = Place::new();
    older.write(
        name,
        [line("one"), line("two"), line("three")].join("\n") + "\n",
    );
    older.import_files(agent);
    older.write(name, lines.join("\n") + "\n");
    older.import_files(agent);
    assert_eq!(sorted(older.rows("counted_texts")), ["one", "three", "two"]);
    assert_eq!(older.figures()["t1"].messages, 3);
    assert_eq!(older.import_files(agent).ops, 0);
    // What follows the lines that were rewritten, and what comes back.
    older.write(
        name,
        [&lines[..], &[line("four")]].concat().join("\n") + "\n",
    );
    older.import_files(agent);
    assert_eq!(
        sorted(older.rows("counted_texts")),
        ["four", "one", "three", "two"]
    );
    older.write(
        name,
        [line("one"), line("two"), line("three")].join("\n") + "\n",
    );
    older.import_files(agent);
    assert_eq!(sorted(older.rows("counted_texts")), ["one", "three", "two"]);
}

#[test]
fn what_a_call_has_given_stands_in_its_place_though_the_line_of_the_call_is_damaged() {
    let call = json!({"type": "tool_use", "id": "t1", "name": "Bash", "input": {}});
    for timeless in [false, true] {
        let mut script = Script::new("s");
        let mut lines = [
            script.user("u1", "one"),
            script.answer("a1", "m1", call.clone(), 7),
            script.result("r1", "t1", json!("done")),
            script.user("u2", "two"),
        ];
        if timeless {
            let fields = lines.iter_mut().filter_map(|line| line.as_object_mut());
            fields.for_each(|fields| drop(fields.remove("timestamp")));
        }
        let whole = jsonl(&lines);
        let torn = whole.replace(r#""tool_use""#, r#""tool_use"#);
        let mut place = Place::new();
        place.write("s.jsonl", torn);
        assert_eq!(place.import_files(Agent::ClaudeCode).counts.damaged, 1);
        assert_eq!(place.rows("in_order"), ["s|u1", "s|t1", "s|u2"]);
        // A copy in which it is whole.
        place.write("copy/s.jsonl", whole);
        place.import_files(Agent::ClaudeCode);
        let in_order = ["s|u1", "s|m1:req_m1", "s|t1", "s|u2"];
        assert_eq!(place.rows("in_order"), in_order);
    }
}
