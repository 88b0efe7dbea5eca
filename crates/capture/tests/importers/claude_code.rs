//! Claude Code.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use syncline_capture::agent::Agent;

use crate::count::count;
use crate::place::{Figures, Place};
use crate::script::{Script, jsonl, text};

/// The transcripts of the repository, and those beside it where they are there.
pub(crate) fn transcripts() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut roots = vec![here.join("tests/fixtures/claude-code")];
    let beside = here.join("../../../shared/data/transcripts/claude-code");
    match beside.is_dir() {
        true => roots.push(beside),
        false => eprintln!("only the committed transcripts are counted"),
    }
    let is_lines = |path: &Path| path.extension().is_some_and(|end| end == "jsonl");
    let found = roots
        .iter()
        .flat_map(|root| syncline_capture::walk::walk(root, is_lines).files);
    found.collect()
}

pub(crate) fn put(place: &Place, files: &[PathBuf]) {
    for (number, file) in files.iter().enumerate() {
        let name = file.file_name().unwrap().to_str().unwrap();
        place.write(&format!("{number}/{name}"), fs::read(file).unwrap());
    }
}

#[test]
fn what_is_imported_is_what_the_files_hold_and_a_second_import_writes_nothing() {
    let files = transcripts();
    let mut place = Place::new();
    put(&place, &files);
    let first = place.import_files(Agent::ClaudeCode);
    assert_eq!(first.problems, []);
    assert!(first.ops > 0);
    assert_eq!(place.figures(), count(&files));
    // Unchanged files are not even opened; files that look changed say nothing new.
    let again = place.import_files(Agent::ClaudeCode);
    assert_eq!((again.ops, again.counts.files), (0, 0));
    assert_eq!(again.unchanged, files.len() as u64);
    // Nor do files that another version of their reader has read.
    place.age_marks();
    let again = place.import_files(Agent::ClaudeCode);
    assert_eq!((again.ops, again.unchanged), (0, 0));
    put(&place, &files);
    let touched = place.import_files(Agent::ClaudeCode);
    assert_eq!((touched.ops, touched.counts.new), (0, 0));
    // A copy of everything, under other names.
    for (number, file) in files.iter().enumerate() {
        place.write(&format!("copy/{number}.jsonl"), fs::read(file).unwrap());
    }
    let copied = place.import_files(Agent::ClaudeCode);
    assert_eq!((copied.ops, copied.counts.new), (0, 0));
    assert!(copied.counts.known > 0);
    assert_eq!(place.figures(), count(&files));
}

#[test]
fn files_that_are_read_as_they_grow_give_the_same_view() {
    let files = transcripts();
    let mut whole = Place::new();
    put(&whole, &files);
    whole.import_files(Agent::ClaudeCode);
    let mut place = Place::new();
    // All files grow at once, and each reading sees a line more, and half of the one after it.
    let texts: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    let ends: Vec<Vec<usize>> = texts.iter().map(|text| line_ends(text)).collect();
    let most = ends.iter().map(Vec::len).max().unwrap();
    for step in 0..=most {
        for (number, (text, ends)) in texts.iter().zip(&ends).enumerate() {
            if step > ends.len() {
                continue;
            }
            let end = if step == 0 { 0 } else { ends[step - 1] };
            let next = ends.get(step).copied().unwrap_or(text.len());
            let name = files[number].file_name().unwrap().to_str().unwrap();
            place.write(&format!("{number}/{name}"), &text[..(end + next) / 2]);
        }
        let done = place.import_files(Agent::ClaudeCode);
        assert_eq!(done.problems, []);
    }
    put(&place, &files);
    place.import_files(Agent::ClaudeCode);
    assert_eq!(place.figures(), count(&files));
    let queries = ["sessions", "messages", "tools", "parts"];
    for query in queries {
        assert!(place.rows(query) == whole.rows(query), "{query}");
    }
}

fn line_ends(text: &[u8]) -> Vec<usize> {
    let places = text.iter().enumerate();
    let ends = places.filter(|(_, byte)| **byte == b'\n');
    ends.map(|(place, _)| place + 1).collect()
}

#[test]
fn the_last_snapshot_of_a_response_counts() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let call = json!({"type": "tool_use", "id": "t1", "name": "Read",
                      "input": {"file_path": "/w/app/a.rs"}});
    let lines = [
        script.user("u1", "look\nat it"),
        script.answer("a1", "m1", json!({"type": "thinking", "thinking": "hm"}), 1),
        script.answer("a2", "m1", text("I look."), 2),
        script.answer("a3", "m1", call, 41),
        script.result(
            "u2",
            "t1",
            json!([{"type": "text", "text": "fn main() {}"}]),
        ),
        script.answer("a4", "m2", text("Done."), 5),
    ];
    place.write("s.jsonl", jsonl(&lines));
    place.import_files(Agent::ClaudeCode);
    let figures = Figures {
        messages: 3,
        prompts: 1,
        tools: 1,
        failed: 0,
        tokens: [6, 46, 18_000, 240, 0, 0],
    };
    assert_eq!(place.figures(), BTreeMap::from([("s".to_owned(), figures)]));
    let told = place.rows("told");
    let expected = [
        "message|text|look\nat it",
        "message|thinking|hm",
        "message|text|I look.",
        "tool|tool_input|{\"file_path\":\"/w/app/a.rs\"}",
        "tool|tool_output|fn main() {}",
        "message|text|Done.",
    ];
    assert_eq!(told, expected);
    let tool = place.rows("calls");
    assert_eq!(
        tool,
        [r#"Read|1|1000|[{"path":"/w/app/a.rs","action":"read"}]"#]
    );
    let session = "about";
    assert_eq!(
        place.rows(session),
        ["claude-code|look|/w/app|app|main|claude-x|2.1.81"]
    );
}

#[test]
fn a_fork_keeps_what_it_repeats_and_counts_nothing_of_it_twice() {
    let mut place = Place::new();
    let mut script = Script::new("origin");
    let shared = [
        script.user("u1", "begin"),
        script.answer("a1", "m1", text("Begun."), 7),
    ];
    place.write("origin.jsonl", jsonl(&shared));
    script.session = "fork".to_owned();
    let copied = shared.clone().map(|mut line| {
        line["sessionId"] = json!("fork");
        line
    });
    let mut lines = copied.to_vec();
    lines.push(script.user("u2", "go on"));
    lines.push(script.answer("a2", "m2", text("Gone on."), 5));
    place.write("z/fork.jsonl", jsonl(&lines));
    place.import_files(Agent::ClaudeCode);
    let figures = place.figures();
    assert_eq!(figures["origin"].messages, 2);
    assert_eq!(figures["fork"].messages, 2);
    assert_eq!(figures["origin"].tokens[1] + figures["fork"].tokens[1], 12);
    let kept = "kept";
    assert_eq!(place.rows(kept), ["4"]);
}

#[test]
fn subagents_are_sessions_of_their_own_below_the_one_that_called_them() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let call = json!({"type": "tool_use", "id": "t1", "name": "Task", "input": {"prompt": "find"}});
    let mut result = script.result("u2", "t1", json!("found"));
    result["toolUseResult"] = json!({"agentId": "abc", "totalDurationMs": 77});
    let lines = [
        script.user("u1", "search"),
        script.answer("a1", "m1", call, 1),
        result,
    ];
    place.write("p/s.jsonl", jsonl(&lines));
    let mut apart = [
        script.user("x1", "find"),
        script.answer("x2", "m9", text("found"), 3),
    ];
    for line in &mut apart {
        line["isSidechain"] = json!(true);
        line["agentId"] = json!("abc");
    }
    place.write("p/s/subagents/agent-abc.jsonl", jsonl(&apart));
    place.import_files(Agent::ClaudeCode);
    let tree = "tree";
    assert_eq!(place.rows(tree), ["abc|subagent|s|t1|77"]);
    assert_eq!(place.figures()["abc"].tokens[1], 3);
}

#[test]
fn a_subagent_without_a_name_is_told_apart_by_its_chain() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let mut lines = vec![script.user("u1", "search")];
    for (uuid, parent) in [
        ("x1", None),
        ("y1", None),
        ("x2", Some("x1")),
        ("y2", Some("y1")),
    ] {
        let mut line = script.user(uuid, uuid);
        line["isSidechain"] = json!(true);
        line["parentUuid"] = json!(parent);
        lines.push(line);
    }
    place.write("s.jsonl", jsonl(&lines));
    place.import_files(Agent::ClaudeCode);
    let prompts: HashMap<_, _> = place
        .figures()
        .into_iter()
        .map(|(id, f)| (id, f.prompts))
        .collect();
    let expected = [("s", 1), ("x1", 2), ("y1", 2)].map(|(id, count)| (id.to_owned(), count));
    assert_eq!(prompts, HashMap::from(expected));
}

#[test]
fn titles_and_compactions_and_errors_are_taken_and_what_is_unknown_is_kept() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let boundary = json!({"subtype": "compact_boundary",
                          "compactMetadata": {"trigger": "auto", "preTokens": 167_091}});
    let mut summary = script.user("u2", "This session is being continued");
    summary["isCompactSummary"] = json!(true);
    let lines = [
        json!({"type": "summary", "summary": "A better title", "leafUuid": "u1"}),
        script.user("u1", "first prompt"),
        script.line("system", "c1", boundary),
        summary,
        script.line(
            "system",
            "e1",
            json!({"subtype": "api_error", "error": {"status": 529}}),
        ),
        script.line("brand-new", "n1", json!({"field": [1, 2]})),
        json!({"type": "custom-title", "customTitle": "Mine", "sessionId": "s"}),
        json!({"type": "ai-title", "aiTitle": "Its", "sessionId": "s"}),
    ];
    place.write("s.jsonl", jsonl(&lines));
    let done = place.import_files(Agent::ClaudeCode);
    assert_eq!(done.counts.not_understood, 1);
    assert_eq!(place.rows("titles"), ["Mine"]);
    let compactions = "compactions";
    assert_eq!(place.rows(compactions), ["auto|167091"]);
    assert_eq!(place.rows("errors"), [r#"api_error|{"status":529}"#]);
    let raw = place.rows("raw");
    assert_eq!(raw, [lines[5].to_string()]);
    assert_eq!(place.figures()["s"].messages, 1);
}

#[test]
fn bad_input_is_told_by_file_and_line_and_stops_nothing() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let good = [script.user("u1", "one"), script.user("u2", "two")].map(|line| line.to_string());
    let mut text = Vec::new();
    text.extend(b"\0\0\0\0\n{\"type\":\"user\",\n");
    text.extend(good[0].as_bytes());
    text.extend(b"\n[1,2]\n\xff\xfe\x00\n\"text\"\n");
    text.extend(good[1].as_bytes());
    text.extend(b"\n{\"type\":\"user\",\"torn\":");
    place.write("s.jsonl", &text);
    // A clock of 1970, and a line without any time.
    let mut odd = script.user("u3", "three");
    odd["timestamp"] = json!("1970-01-01T00:00:00.000Z");
    let mut none = script.user("u4", "four");
    none.as_object_mut().unwrap().remove("timestamp");
    place.write("t.jsonl", jsonl(&[odd, none]));
    let done = place.import_files(Agent::ClaudeCode);
    let lines: BTreeSet<_> = done
        .problems
        .iter()
        .filter_map(|problem| problem.line)
        .collect();
    assert_eq!(lines, BTreeSet::from([2, 4, 5, 6]));
    assert!(
        done.problems
            .iter()
            .all(|problem| problem.path.ends_with("s.jsonl"))
    );
    assert_eq!(place.figures()["s"].prompts, 4);
}

#[test]
fn a_secret_is_left_out_before_anything_is_written() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let secret = format!("ghp_{}", "q8Zr2LmV0xTcYb7NwKd4Ue1SgHj9Pf3AoX6i");
    let lines = [
        json!({"type": "summary", "summary": format!("about {secret}"), "leafUuid": "later"}),
        script.user("u1", &format!("use {secret}")),
        script.result("u2", "t1", json!(format!("token={secret}"))),
        script.line(
            "user",
            "u3",
            json!({
                "message": {"role": "user", "content": "where we are"},
                "cwd": format!("/w/{secret}/app"),
                "gitBranch": format!("try-{secret}"),
                "version": secret,
                "permissionMode": secret,
            }),
        ),
        script.line(
            "assistant",
            "a1",
            json!({"message": {
                "id": "m1", "role": "assistant", "model": format!("claude-{secret}"),
                "stop_reason": secret,
                "content": [
                    {"type": "tool_use", "id": "t2", "name": "Read",
                     "input": {"file_path": format!("/w/{secret}.txt")}},
                    {"type": "tool_use", "id": "t3", "name": secret, "input": {}},
                    {"type": "image", "source": {"type": "base64", "media_type": secret, "data": "AA=="}},
                ],
                "usage": {"input_tokens": 1, "output_tokens": 1},
            }}),
        ),
    ];
    place.write("s.jsonl", jsonl(&lines));
    let done = place.import_files(Agent::ClaudeCode);
    assert!(done.counts.redacted >= 10, "{:?}", done.counts);
    let replica = place.directory.path().join("replica");
    for file in syncline_capture::walk::walk(&replica, |_| true).files {
        let bytes = fs::read(&file).unwrap();
        let found = bytes
            .windows(secret.len())
            .any(|part| part == secret.as_bytes());
        assert!(!found, "{}", file.display());
    }
}
