//! Outputs of tools that are in files beside a transcript of Claude Code.

use std::fs;

use serde_json::json;
use syncline_capture::agent::Agent;

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
