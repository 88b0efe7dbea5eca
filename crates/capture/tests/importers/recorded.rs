//! Transcripts as agents wrote them: what the view says, against a count in their own lines.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::Value;
use syncline_capture::agent::Agent;

use crate::place::{Figures, Place};

/// The fixtures of an agent.
fn fixtures(agent: &str) -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    syncline_capture::walk::walk(&here.join(agent), |_| true).files
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

/// Imports `text` under a name; gives the figures of the one session that comes of it.
fn imported(agent: Agent, name: &str, text: &str) -> (Place, Figures) {
    let mut place = Place::new();
    place.write(name, text);
    let done = place.import_files(agent);
    assert_eq!((done.problems, done.counts.not_understood), (vec![], 0));
    let again = place.import_files(agent);
    assert_eq!((again.ops, again.unchanged), (0, 1));
    let figures = place.figures();
    assert_eq!(figures.len(), 1);
    let figures = figures.into_values().next().unwrap();
    (place, figures)
}

#[test]
fn a_session_of_codex_and_its_resumption_are_counted_as_its_lines_tell() {
    let path = &fixtures("codex")[0];
    let lines = lines(path);
    let count = |is: &dyn Fn(&Value) -> bool| lines.iter().filter(|line| is(line)).count() as u64;
    let item = |line: &Value, kind: &str| line["payload"]["item"]["type"] == kind;
    let prompts = count(&|line| item(line, "UserMessage"));
    let responses = count(&|line| line["type"] == "token_usage_record");
    let totals = lines.iter().rev().find_map(|line| {
        let total = &line["payload"]["info"]["total_token_usage"];
        total.is_object().then(|| total.clone())
    });
    let total = |field: &str| totals.as_ref().unwrap()[field].as_u64().unwrap();
    let cached = total("cached_input_tokens");
    let expected = Figures {
        messages: prompts + responses,
        prompts,
        tools: count(&|line| line["payload"]["type"] == "function_call"),
        failed: count(&|line| {
            item(line, "CommandExecution") && line["payload"]["item"]["exit_code"] != 0
        }),
        tokens: [
            total("input_tokens") - cached,
            total("output_tokens"),
            cached,
            0,
            0,
            total("reasoning_output_tokens"),
        ],
    };
    assert_eq!(
        (expected.prompts, expected.tools, expected.failed),
        (2, 4, 2)
    );
    let name = path.file_name().unwrap().to_str().unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let (mut place, figures) = imported(Agent::Codex, &format!("2026/11/21/{name}"), &text);
    assert_eq!(figures, expected);
    assert_eq!(place.rows("titles"), ["list the files"]);
}

#[test]
fn a_session_of_opencode_is_counted_as_its_own_row_tells() {
    let tables = std::fs::read_to_string(&fixtures("opencode")[0]).unwrap();
    let mut place = Place::new();
    let path = place.files().join("opencode.db");
    Connection::open(path)
        .unwrap()
        .execute_batch(&tables)
        .unwrap();
    let done = place.import_files(Agent::OpenCode);
    assert_eq!((done.problems, done.counts.not_understood), (vec![], 0));
    assert_eq!(place.import_files(Agent::OpenCode).ops, 0);
    // As the row says: 1206 of input, 51 of output, 15 of reasoning, 1800 from the cache, $ 0.001338.
    let expected = Figures {
        messages: 4,
        prompts: 1,
        tools: 2,
        failed: 1,
        tokens: [1206, 51 + 15, 1800, 0, 0, 15],
    };
    let figures = place.figures();
    assert_eq!(figures.into_values().collect::<Vec<_>>(), [expected]);
    assert_eq!(place.rows("costs"), ["443000", "446000", "449000"]);
    assert_eq!(place.rows("titles"), ["Listing files"]);
}

#[test]
fn a_session_of_gemini_is_counted_as_its_lines_tell() {
    let path = &fixtures("gemini")[0];
    let name = path.file_name().unwrap().to_str().unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let (mut place, figures) = imported(Agent::Gemini, &format!("app/chats/{name}"), &text);
    // The last line of each message counts.
    let mut messages: Vec<Value> = Vec::new();
    for line in lines(path)
        .into_iter()
        .filter(|line| line["type"].is_string())
    {
        messages.retain(|earlier| earlier["id"] != line["id"]);
        messages.push(line);
    }
    let sum = |field: &str| -> u64 {
        let spent = messages.iter().map(|line| &line["tokens"][field]);
        spent.filter_map(Value::as_u64).sum()
    };
    let has_text = |line: &&Value| line["content"][0]["text"].is_string();
    let prompts = messages.iter().filter(has_text).count() as u64;
    let answers = messages.iter().filter(|line| line["type"] == "gemini");
    let calls = messages
        .iter()
        .filter_map(|line| line["toolCalls"].as_array());
    let expected = Figures {
        messages: prompts + answers.count() as u64,
        prompts,
        tools: calls.map(Vec::len).sum::<usize>() as u64,
        failed: 0,
        tokens: [
            sum("input") - sum("cached"),
            sum("output") + sum("thoughts"),
            sum("cached"),
            0,
            0,
            sum("thoughts"),
        ],
    };
    assert_eq!(
        (expected.messages, expected.prompts, expected.tools),
        (3, 1, 1)
    );
    assert_eq!(figures, expected);
    assert_eq!(place.rows("titles"), ["list the files"]);
}
