//! Outputs of tools that are in files beside a transcript of Claude Code, and images among them.

use std::fs;

use serde_json::{Value, json};
use syncline_capture::agent::Agent;

use crate::agents::CODEX;
use crate::place::Place;
use crate::script::{Script, jsonl};

#[test]
fn an_output_in_a_file_of_its_own_is_read_whole_and_no_file_elsewhere_is() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let other = place.directory.path().join("elsewhere/s/tool-results");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("c.txt"), "not beside it").unwrap();
    let elsewhere = other.join("c.txt");
    let names = [
        ("a", "/home/u/.claude/projects/-w-app/s/tool-results/a.txt"),
        ("b", r"C:\u\.claude\projects\w\s\tool-results\gone.txt"),
        ("c", elsewhere.to_str().unwrap()),
        ("d", "/x/s/tool-results/../../d.txt"),
    ];
    let mut lines = vec![script.user("u1", "go")];
    for (number, (call, name)) in names.iter().enumerate() {
        let block = json!({ "type": "tool_use", "id": call, "name": "Bash", "input": {} });
        lines.push(script.answer(&format!("a{number}"), &format!("m{number}"), block, 1));
        let text = format!(
            "<persisted-output>\nOutput too large (57.1KB). Full output saved to: {name}\n\n\
             Preview (first 2KB):\npreview {call}\n</persisted-output>"
        );
        lines.push(script.result(&format!("r{number}"), call, json!(text)));
    }
    place.write("s/tool-results/a.txt", b"whole \xff output");
    place.write("d.txt", "above it");
    place.write("s.jsonl", jsonl(&lines));
    assert_eq!(place.import_files(Agent::ClaudeCode).problems, []);
    let told = place.rows("told").join("\n");
    assert!(told.contains("tool_output|whole \u{fffd} output"), "{told}");
    for kept in ["preview b", "preview c", "preview d"] {
        assert!(told.contains(kept), "{told}");
    }
    for left_out in ["preview a", "not beside it", "above it"] {
        assert!(!told.contains(left_out), "{told}");
    }
    assert_eq!(place.import_files(Agent::ClaudeCode).ops, 0);
}

#[test]
fn an_image_in_an_output_is_named_with_its_kind_and_size() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let block = json!({ "type": "tool_use", "id": "c", "name": "Read", "input": {} });
    let image = json!({ "type": "base64", "media_type": "image/png", "data": "iVBORw0KGg==" });
    let output =
        json!([{ "type": "text", "text": "a chart" }, { "type": "image", "source": image }]);
    let lines = [
        script.user("u1", "look"),
        script.answer("a1", "m1", block, 1),
        script.result("r1", "c", output),
    ];
    place.write("s.jsonl", jsonl(&lines));
    place.import_files(Agent::ClaudeCode);
    let told = place.rows("told").join("\n");
    let named = "tool_output|a chart\n[image/png, 7 bytes, sha256-16:";
    assert!(told.contains(named), "{told}");
}

#[test]
fn what_is_neither_text_nor_image_in_an_output_stays_as_it_stands() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let block = json!({ "type": "tool_use", "id": "c", "name": "ToolSearch", "input": {} });
    let found = json!({ "type": "tool_reference", "tool_name": "Grep" });
    let other = json!({ "type": "new", "said": "z" });
    let attached = json!({ "type": "document", "title": "notes.txt", "source":
        { "type": "text", "media_type": "text/plain", "data": "attached words" } });
    let kept = json!({ "type": "image", "source": { "type": "file", "file_id": "file_1" } });
    let output = json!([found, "plain", other, attached, kept]);
    let lines = [
        script.user("u1", "look"),
        script.answer("a1", "m1", block, 1),
        script.result("r1", "c", output),
    ];
    place.write("s.jsonl", jsonl(&lines));
    place.import_files(Agent::ClaudeCode);
    let told = place.rows("told").join("\n");
    let named =
        format!("tool_output|{found}\nplain\n{other}\nnotes.txt\nattached words\n[image: file_1]");
    assert!(told.contains(&named), "{told}");
}

#[test]
fn the_words_of_an_attached_text_are_kept() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let source = json!({ "type": "text", "media_type": "text/plain", "data": "attached words" });
    let parts = json!({ "type": "content", "content": [{ "type": "text", "text": "in parts" }] });
    let bytes =
        json!({ "type": "base64", "media_type": "application/pdf", "data": "iVBORw0KGg==" });
    let mut prompt = script.user("u1", "");
    let documents = [source, parts, bytes]
        .map(|source| json!({ "type": "document", "title": "a title", "source": source }));
    prompt["message"]["content"] = json!(documents);
    place.write("s.jsonl", jsonl(&[prompt]));
    let done = place.import_files(Agent::ClaudeCode);
    assert_eq!((done.counts.new, done.counts.not_understood), (1, 0));
    let said = [
        "user|file|a title\nattached words",
        "user|file|a title\nin parts",
        "user|file|a title",
    ];
    assert_eq!(place.rows("said"), said);
}

#[test]
fn what_a_tool_of_a_server_has_given_is_the_output_of_its_call() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let mut answer = script.answer("a1", "m1", json!(null), 1);
    answer["message"]["content"] = json!([
        { "type": "mcp_tool_use", "id": "c1", "name": "echo", "server_name": "e", "input": {} },
        { "type": "mcp_tool_result", "tool_use_id": "c1", "is_error": false,
          "content": [{ "type": "text", "text": "echoed" }] },
        { "type": "server_tool_use", "id": "c2", "name": "web_search", "input": {} },
        { "type": "web_search_tool_result", "tool_use_id": "c2",
          "content": { "type": "web_search_tool_result_error", "error_code": "unavailable" } },
    ]);
    place.write("s.jsonl", jsonl(&[script.user("u1", "look"), answer]));
    let done = place.import_files(Agent::ClaudeCode);
    assert_eq!((done.counts.new, done.counts.not_understood), (2, 0));
    let told = place.rows("told").join("\n");
    assert!(told.contains("tool_output|echoed"), "{told}");
    assert!(told.contains("\"error_code\":\"unavailable\""), "{told}");
    let figures = place.figures().remove("s").unwrap();
    assert_eq!((figures.tools, figures.failed), (2, 1));
}

/// As Codex writes what its tool for images has given.
#[test]
fn an_output_of_codex_that_is_an_image_is_not_empty() {
    let mut place = Place::new();
    let output = r#"{"timestamp":"2026-05-01T10:00:03.100Z","type":"response_item","payload":{"type":"function_call_output","call_id":"k1","output":[{"type":"input_image","image_url":"data:image/png;base64,iVBORw0KGg=="}]}}"#;
    let call = r#"{"timestamp":"2026-05-01T10:00:02.100Z","type":"response_item","payload":{"type":"function_call","name":"view_image","call_id":"k1","arguments":"{}"}}"#;
    let meta = CODEX.lines().next().unwrap();
    place.write("rollout-a-c1.jsonl", format!("{meta}\n{call}\n{output}\n"));
    place.import_files(Agent::Codex);
    let told = place.rows("told").join("\n");
    let named = "tool_output|[image/png, 7 bytes, sha256-16:";
    assert!(told.contains(named), "{told}");
}

#[test]
fn results_of_cursor_without_ids_answer_the_calls_before_them_in_their_order() {
    let mut place = Place::new();
    let line =
        |role: &str, content: Value| json!({ "role": role, "message": { "content": content } });
    let call = |name: &str| json!({ "type": "tool_use", "name": name, "input": {} });
    let result = |content: Value| json!({ "type": "tool_result", "content": content });
    let block = json!({ "type": "new", "said": "z" });
    let over = result(json!("of no call"));
    let lines = [
        line("user", json!([{ "type": "text", "text": "go" }])),
        line("assistant", json!([call("Old")])),
        line("assistant", json!([call("Shell"), call("Read")])),
        line("user", json!([result(json!("ran"))])),
        line("user", json!([result(json!([block])), over])),
    ];
    let (before, after) = lines.split_at(4);
    let name = "agent-transcripts/t1/t1.jsonl";
    place.write(name, jsonl(before));
    place.import_files(Agent::Cursor);
    place.write(name, jsonl(before) + &jsonl(after));
    let done = place.import_files(Agent::Cursor);
    assert_eq!((done.counts.new, done.counts.not_understood), (0, 1));
    let given = [
        "Old|".to_owned(),
        "Shell|ran".to_owned(),
        format!("Read|{block}"),
    ];
    assert_eq!(place.rows("given"), given);
    assert_eq!(place.rows("raw"), [over.to_string()]);
    assert_eq!(place.import_files(Agent::Cursor).ops, 0);
}
