//! Sessions whose first prompt says that they are not to be recorded.

use serde_json::{Value, json};
use syncline_capture::agent::Agent;

use crate::agents::{CODEX, GEMINI, OPENCODE};
use crate::place::{Place, rest};
use crate::script::{Script, jsonl};

const MARKED: &str = r"#do-not-record\nmy own";

/// What Claude Code puts before the first prompt.
fn titled() -> Vec<Value> {
    vec![
        json!({"type": "custom-title", "customTitle": "Mine", "sessionId": "s"}),
        json!({"type": "summary", "summary": "Of mine", "leafUuid": "u0"}),
    ]
}

fn prompted(mut lines: Vec<Value>) -> String {
    let mut script = Script::new("s");
    let mut told = script.user("u0", "what is told");
    told["isMeta"] = json!(true);
    let marked = script.user("u1", "my own\n#do-not-record");
    lines.extend([told, marked, script.user("u2", "and more")]);
    jsonl(&lines)
}

fn context() -> String {
    let said = "<session_context>\n- **Workspace Directories:**\n  - /w/app\n</session_context>";
    json!({"id": "m0", "type": "user", "content": said}).to_string()
}

#[test]
fn nothing_is_kept_of_a_session_whose_first_prompt_is_marked() {
    let gemini = GEMINI.replace("read a.rs", MARKED);
    let context = context();
    let gemini_whole = gemini.replace("[\n", &format!("[\n{context},"));
    let lines = [
        r#"{"sessionId":"g1","projectHash":"h"}"#.to_owned(),
        r#"{"$set":{"summary":"Of mine"}}"#.to_owned(),
        context,
        format!(r#"{{"id":"m1","type":"user","content":"{MARKED}"}}"#),
    ];
    let files = [
        (Agent::ClaudeCode, "s.jsonl", prompted(titled())),
        (
            Agent::Codex,
            "rollout-a-c1.jsonl",
            CODEX.replace("fix it", MARKED),
        ),
        (Agent::Gemini, "h/chats/session-a.jsonl", lines.join("\n")),
        (Agent::Gemini, "h/chats/session-a.json", gemini_whole),
        (
            Agent::OpenCode,
            "storage/part/m1/p1.json",
            OPENCODE[3].1.replace("fix it", MARKED),
        ),
    ];
    for (agent, path, text) in files {
        assert!(text.contains("#do-not-record"), "{path}");
        let mut place = Place::new();
        if agent == Agent::OpenCode {
            for (path, content) in OPENCODE {
                place.write(&format!("storage/{path}"), content);
            }
        }
        place.write(path, text);
        let done = place.import_files(agent);
        assert_eq!((done.ops, done.marked_late), (0, 0), "{path}");
        assert_eq!(done.counts.new, 0, "{path}");
        assert!(place.figures().is_empty(), "{path}");
        assert_eq!(place.import_files(agent).unchanged, 1, "{path}");
        let remembered = place.remembered().to_lowercase();
        assert!(
            !remembered.contains("mine") && !remembered.contains("my own"),
            "{path}"
        );
        place.age_marks();
        assert_eq!(place.import_files(agent).ops, 0, "{path}");
        place.lose_notes();
        assert_eq!(place.import_files(agent).ops, 0, "{path}");
    }
}

#[test]
fn a_title_that_was_recorded_before_the_first_prompt_is_told() {
    let mut place = Place::new();
    rest(&place.write("s.jsonl", jsonl(&titled())), 61);
    assert!(place.import_files(Agent::ClaudeCode).ops > 0);
    place.write("s.jsonl", prompted(titled()));
    assert_eq!(place.import_files(Agent::ClaudeCode).marked_late, 1);
    assert_eq!(place.figures()["s"].prompts, 0);
}

#[test]
fn a_mark_in_what_cannot_be_named_of_a_prompt_counts() {
    let text = "my hidden plan\n#do-not-record";
    let prompt = |script: &mut Script, block: Value| {
        let content = json!([block]);
        script.line(
            "user",
            "u1",
            json!({"message": {"role": "user", "content": content}}),
        )
    };
    let mut script = Script::new("s");
    let rich = json!({"type": "rich_text", "text": text});
    let claude = jsonl(&[prompt(&mut script, rich), script.user("u2", "and more")]);
    let part = json!({"id": "p1", "type": "rich", "rich": [{"text": text}]}).to_string();
    for (agent, path, text) in [
        (Agent::ClaudeCode, "s.jsonl", claude),
        (Agent::OpenCode, "storage/part/m1/p1.json", part),
    ] {
        let mut place = Place::new();
        if agent == Agent::OpenCode {
            for (path, content) in OPENCODE {
                place.write(&format!("storage/{path}"), content);
            }
        }
        place.write(path, text);
        let done = place.import_files(agent);
        assert_eq!((done.ops, done.marked_late), (0, 0), "{path}");
        assert!(place.figures().is_empty(), "{path}");
    }
    // What merely speaks of it, and what an agent has put beside a prompt.
    let mut place = Place::new();
    let mut script = Script::new("s");
    let plain = json!({"type": "rich_text", "text": "what does \"#do-not-record\" do?"});
    let answer = json!({"type": "rich_text", "text": text});
    let snippet = json!({"type": "snippets", "snippet": "MARK: &str = \"#do-not-record\";"});
    let lines = [
        prompt(&mut script, plain),
        script.answer("a1", "m1", answer, 1),
        script.line("attachment", "u3", json!({"attachment": snippet})),
    ];
    place.write("s.jsonl", jsonl(&lines));
    place.import_files(Agent::ClaudeCode);
    assert_eq!(place.figures()["s"].messages, 2);
    let raw = place.rows("raw");
    assert!(raw.iter().any(|raw| raw.contains("MARK: &str")), "{raw:?}");
    for (path, content) in OPENCODE {
        place.write(&format!("storage/{path}"), content);
    }
    let file = "const MARK: &str = \"#do-not-record\";";
    let part = json!({"id": "p9", "type": "text", "synthetic": true, "text": file});
    place.write("storage/part/m1/p9.json", part.to_string());
    place.import_files(Agent::OpenCode);
    assert_eq!(place.figures()["s1"].prompts, 1);
}

#[test]
fn commands_about_the_agent_itself_are_nothing_that_was_said_before_a_mark() {
    let clear = "<command-name>/clear</command-name>\n<command-message>clear</command-message>\n<command-args></command-args>";
    let review = clear
        .replace("/clear", "/review")
        .replace("<command-args>", "<command-args>the last change");
    let interrupted = "[Request interrupted by user]";
    let other = format!("{interrupted}\nand do X instead");
    for (command, is_said) in [
        (clear, false),
        (&*review, true),
        ("<bash-input>cargo test</bash-input>", true),
        (interrupted, false),
        (&*other, true),
    ] {
        let mut place = Place::new();
        let mut script = Script::new("s");
        let mut caveat = script.user("u1", "<local-command-caveat>Mind.</local-command-caveat>");
        caveat["isMeta"] = json!(true);
        let lines = [
            caveat,
            script.user("u2", command),
            script.user("u3", "<local-command-stdout></local-command-stdout>"),
            script.user("u4", "my own\n#do-not-record"),
        ];
        place.write("s.jsonl", jsonl(&lines));
        let done = place.import_files(Agent::ClaudeCode);
        assert_eq!((done.ops > 0, done.marked_late > 0), (is_said, is_said));
        assert_eq!(place.figures().is_empty(), !is_said, "{command}");
    }
}

#[test]
fn what_stands_before_the_first_prompt_waits_for_it() {
    let mut script = Script::new("s");
    let mut lines = vec![
        script.user("u1", "<command-name>/clear</command-name>"),
        script.user("u2", "<local-command-stdout></local-command-stdout>"),
    ];
    let mut place = Place::new();
    place.write("s.jsonl", jsonl(&lines));
    for _ in 0..2 {
        let done = place.import_files(Agent::ClaudeCode);
        assert_eq!((done.ops, done.waiting, done.unchanged), (0, 1, 0));
    }
    lines.push(script.user("u3", "my own\n#do-not-record"));
    place.write("s.jsonl", jsonl(&lines));
    let done = place.import_files(Agent::ClaudeCode);
    assert_eq!((done.ops, done.waiting, done.marked_late), (0, 0, 0));
    assert!(place.figures().is_empty());
    // One that nobody goes on with.
    let mut place = Place::new();
    lines.pop();
    let path = place.write("s.jsonl", jsonl(&lines));
    rest(&path, 61);
    assert_eq!(place.import_files(Agent::ClaudeCode).waiting, 0);
    assert_eq!(place.figures()["s"].messages, 1);
    // Of one that is recorded what is called waits for nothing.
    lines.push(json!({"type": "custom-title", "customTitle": "Mine", "sessionId": "s"}));
    place.write("s.jsonl", jsonl(&lines));
    let done = place.import_files(Agent::ClaudeCode);
    assert_eq!((done.ops > 0, done.waiting), (true, 0));
    assert_eq!(place.rows("titles"), ["Mine"]);
}

#[test]
fn each_session_of_a_file_waits_for_its_own_first_prompt() {
    let mut place = Place::new();
    place.write("a.jsonl", jsonl(&[Script::new("a").user("a1", "fix it")]));
    place.import_files(Agent::ClaudeCode);
    let mut script = Script::new("b");
    let mut lines = vec![
        json!({"type": "summary", "summary": "Old work done", "leafUuid": "a1"}),
        script.user("b1", "<command-name>/clear</command-name>"),
    ];
    place.write("b.jsonl", jsonl(&lines));
    let done = place.import_files(Agent::ClaudeCode);
    assert_eq!((done.ops, done.waiting), (0, 1));
    lines.push(script.user("b2", "my own\n#do-not-record"));
    place.write("b.jsonl", jsonl(&lines));
    let done = place.import_files(Agent::ClaudeCode);
    assert_eq!((done.ops > 0, done.waiting, done.marked_late), (true, 0, 0));
    assert_eq!(place.figures().into_keys().collect::<Vec<_>>(), ["a"]);
    assert_eq!(place.rows("titles"), ["Old work done"]);
}

#[test]
fn the_end_of_a_batch_comes_before_no_first_prompt() {
    const BATCH_BYTES: usize = 512 * 1024;
    // A file before it leaves ten bytes of the batch, or what stands before the prompt takes more than one.
    for (filled, told) in [(BATCH_BYTES - 10, 10), (0, BATCH_BYTES + 10)] {
        let mut place = Place::new();
        let long = |text: usize| jsonl(&[Script::new("a").user("a1", &"x".repeat(text))]);
        if let Some(text) = filled.checked_sub(long(0).len()) {
            place.write("a.jsonl", long(text));
        }
        let mut script = Script::new("b");
        let mut caveat = script.user("b1", &"Mind. ".repeat(told));
        caveat["isMeta"] = json!(true);
        let lines = [
            json!({"type": "custom-title", "customTitle": "Mine", "sessionId": "b"}),
            caveat,
            script.user("b2", "my own\n#do-not-record"),
        ];
        place.write("b.jsonl", jsonl(&lines));
        place.import_one_batch(Agent::ClaudeCode);
        let done = place.import_files(Agent::ClaudeCode);
        assert_eq!((done.ops, done.waiting, done.marked_late), (0, 0, 0));
        assert!(!place.figures().contains_key("b"), "{filled}");
    }
}
