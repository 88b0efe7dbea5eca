//! Transcripts that have not told yet where their sessions take place.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use syncline_capture::agent::Agent;
use syncline_capture::privacy::{Exclusions, MARK_FILE, Privacy};
use syncline_capture::redact::Redactor;

use crate::agents::CODEX;
use crate::place::{Done, Place, rest};
use crate::script::{Script, jsonl};

/// A word of all that a session says that is not to be recorded.
const WORD: &str = "zebra";

/// What leaves a session out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Path,
    Project,
    Mark,
}

/// The directory that a session works in, and the rules.
pub(crate) fn closed(place: &Place, by: By) -> (String, Exclusions) {
    let root = place.directory.path().canonicalize().unwrap();
    let work = root.join("client/deep");
    fs::create_dir_all(&work).unwrap();
    let mut rules = Exclusions::default();
    match by {
        By::Path => rules.paths = vec![root.join("client").to_str().unwrap().parse().unwrap()],
        By::Project => rules.projects = vec!["dee*".parse().unwrap()],
        By::Mark => fs::write(work.with_file_name(MARK_FILE), "").unwrap(),
    }
    (work.to_str().unwrap().to_owned(), rules)
}

pub(crate) fn import(place: &mut Place, agent: Agent, rules: &Exclusions) -> Done {
    let privacy = Privacy::new(Redactor::standard(), rules.clone());
    let files = place.files();
    place.import_with(agent, &files, privacy)
}

/// Whether a word stands in any file of the replica.
fn is_in_files(directory: &Path) -> bool {
    let mut found = fs::read_dir(directory).unwrap().map(Result::unwrap);
    found.any(|entry| match entry.file_type().unwrap().is_dir() {
        true => is_in_files(&entry.path()),
        false => {
            let bytes = fs::read(entry.path()).unwrap();
            bytes
                .windows(WORD.len())
                .any(|part| part == WORD.as_bytes())
        }
    })
}

/// Has a file come to hold one text after another, and requires that nothing of them is kept.
fn nothing_is_kept(
    place: &mut Place,
    agent: Agent,
    path: &str,
    rules: &Exclusions,
    texts: &[String],
) {
    for (step, text) in texts.iter().enumerate() {
        assert!(texts.last().unwrap().contains(WORD), "{agent:?}");
        place.write(path, text);
        let done = import(place, agent, rules);
        let at = format!("{agent:?} {rules:?}, step {step}");
        assert_eq!(
            (done.ops, done.marked_late, done.unplaced),
            (0, 0, 0),
            "{at}"
        );
        let replica = place.directory.path().join("replica");
        assert!(!is_in_files(&replica), "{at}");
    }
    let done = import(place, agent, rules);
    assert_eq!((done.ops, done.unchanged), (0, 1), "{agent:?} {rules:?}");
}

/// A file as it grows, line by line, and half a line by half a line.
fn grown(lines: &[Value]) -> Vec<String> {
    let mut whole = String::new();
    let mut texts = Vec::new();
    for line in lines {
        let line = match line {
            Value::String(damaged) => damaged.clone(),
            line => line.to_string(),
        };
        texts.push(format!("{whole}{}", &line[..line.len() / 2]));
        whole = format!("{whole}{line}\n");
        texts.push(whole.clone());
    }
    texts
}

/// What Claude Code puts before the first line of a conversation.
fn head() -> Vec<Value> {
    let queue = |operation: &str, content: Value| {
        json!({"type": "queue-operation", "operation": operation, "content": content,
               "sessionId": "s", "timestamp": "2026-03-01T10:00:00.000Z"})
    };
    vec![
        json!({"type": "file-history-snapshot", "messageId": "x", "snapshot": {}}),
        queue("enqueue", json!("find the zebra")),
        queue("dequeue", json!(null)),
        queue(
            "enqueue",
            json!([{"type": "text", "text": "another zebra"}]),
        ),
        json!({"type": "custom-title", "customTitle": "A zebra", "sessionId": "s"}),
        json!({"type": "ai-title", "aiTitle": "The zebra", "sessionId": "s"}),
        json!({"type": "summary", "summary": "Of a zebra", "leafUuid": "u1"}),
        json!({"type": "mode", "mode": "zebra", "sessionId": "s"}),
    ]
}

fn claude_code(cwd: &str) -> Vec<Value> {
    let mut lines = head();
    let mut script = Script::new("s");
    let mut spoken = script.user("u1", "find the zebra");
    spoken["cwd"] = json!(cwd);
    lines.extend([spoken, script.user("u2", "and its zebra foal")]);
    lines
}

fn codex(cwd: &str) -> Vec<Value> {
    let lines = CODEX
        .replace("/w/app", cwd)
        .replace("fix it", "fix the zebra");
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn gemini(with: &[Value]) -> Vec<Value> {
    let mut lines = vec![
        json!({"sessionId": "g", "projectHash": "unknown", "startTime": "2026-03-01T10:00:00.000Z"}),
        json!({"$set": {"summary": "Of a zebra"}}),
    ];
    lines.extend_from_slice(with);
    lines.push(json!({"id": "m9", "type": "user", "content": "find the zebra"}));
    lines
}

fn context(cwd: &str) -> Value {
    let said =
        format!("<session_context>\n- **Workspace Directories:**\n  - {cwd}\n</session_context>");
    json!({"id": "m0", "type": "user", "content": said})
}

#[test]
fn no_word_is_kept_of_a_session_that_is_left_out_however_its_file_grows() {
    for by in [By::Path, By::Project, By::Mark] {
        let mut place = Place::new();
        let (cwd, rules) = closed(&place, by);
        let (agent, path) = (Agent::ClaudeCode, "s.jsonl");
        nothing_is_kept(&mut place, agent, path, &rules, &grown(&claude_code(&cwd)));

        let mut place = Place::new();
        let (cwd, rules) = closed(&place, by);
        let (agent, path) = (Agent::Codex, "2026/rollout-a-c1.jsonl");
        nothing_is_kept(&mut place, agent, path, &rules, &grown(&codex(&cwd)));

        let mut place = Place::new();
        let (cwd, rules) = closed(&place, by);
        let (agent, path) = (Agent::Gemini, "h/chats/session-g.jsonl");
        let lines = gemini(&[context(&cwd)]);
        nothing_is_kept(&mut place, agent, path, &rules, &grown(&lines));

        let mut place = Place::new();
        let (cwd, rules) = closed(&place, by);
        let (agent, path) = (Agent::Gemini, "h/chats/session-g.json");
        let whole = |messages: &[Value]| {
            json!({"sessionId": "g", "summary": "Of a zebra", "messages": messages}).to_string()
        };
        let prompt = json!({"id": "m9", "type": "user", "content": "find the zebra"});
        let texts = [
            whole(&[]),
            whole(&[context(&cwd)]),
            whole(&[context(&cwd), prompt]),
        ];
        nothing_is_kept(&mut place, agent, path, &rules, &texts);

        let mut place = Place::new();
        let (cwd, rules) = closed(&place, by);
        let name = cwd.replace(['/', '.'], "-");
        let path = format!("projects/{}/agent-transcripts/t1/t1.jsonl", &name[1..]);
        let line = |role: &str| json!({"role": role, "message": {"content": "a zebra"}});
        let texts = grown(&[line("user"), line("assistant")]);
        nothing_is_kept(&mut place, Agent::Cursor, &path, &rules, &texts);
    }
}

#[test]
fn with_rules_by_place_a_session_waits_also_behind_its_first_prompt() {
    for by in [By::Path, By::Project] {
        let mut place = Place::new();
        let (cwd, rules) = closed(&place, by);
        let mut lines = codex(&cwd);
        lines[0] = json!(&lines[0].to_string()[..40]);
        lines.swap(1, 3);
        let (agent, path) = (Agent::Codex, "2026/rollout-a-c1.jsonl");
        nothing_is_kept(&mut place, agent, path, &rules, &grown(&lines));

        let mut place = Place::new();
        let (cwd, rules) = closed(&place, by);
        let prompt = json!({"id": "m1", "type": "user", "content": "find the zebra"});
        let lines = gemini(&[prompt, context(&cwd)]);
        let (agent, path) = (Agent::Gemini, "h/chats/session-g.jsonl");
        nothing_is_kept(&mut place, agent, path, &rules, &grown(&lines));
    }
}

#[test]
fn what_tells_no_place_is_kept_once_its_file_has_rested_for_an_hour() {
    let mut place = Place::new();
    let open = Exclusions::default();
    let (_, closed) = closed(&place, By::Project);
    let claude = place.write("s.jsonl", jsonl(&head()));
    let done = import(&mut place, Agent::ClaudeCode, &open);
    assert_eq!((done.ops, done.waiting, done.unchanged), (0, 1, 0));
    assert!(place.figures().is_empty());
    rest(&claude, 50);
    assert_eq!(import(&mut place, Agent::ClaudeCode, &open).waiting, 1);
    rest(&claude, 61);
    let done = import(&mut place, Agent::ClaudeCode, &open);
    assert!(done.ops > 0 && done.waiting == 0, "{done:?}");
    assert_eq!(place.rows("titles"), ["A zebra"]);
    assert_eq!(import(&mut place, Agent::ClaudeCode, &open).unchanged, 1);
    // One with prompts waits where there are rules by place, and nowhere else.
    let prompt = json!({"id": "m1", "type": "user", "content": "go"});
    for (rules, waiting) in [(&closed, 1), (&open, 0)] {
        let mut place = Place::new();
        let path = place.write(
            "h/chats/session-g.jsonl",
            jsonl(&gemini(std::slice::from_ref(&prompt))),
        );
        let done = import(&mut place, Agent::Gemini, rules);
        assert_eq!((done.ops > 0, done.waiting), (waiting == 0, waiting));
        rest(&path, 61);
        import(&mut place, Agent::Gemini, rules);
        assert_eq!(place.figures()["g"].prompts, 2);
    }
}

#[test]
fn what_has_waited_is_kept_as_if_it_was_read_at_once() {
    let lines = claude_code("/w/open");
    let (mut at_once, mut place) = (Place::new(), Place::new());
    at_once.write("s.jsonl", jsonl(&lines));
    at_once.import_files(Agent::ClaudeCode);
    for text in grown(&lines) {
        place.write("s.jsonl", text);
        place.import_files(Agent::ClaudeCode);
    }
    assert_eq!(place.import_files(Agent::ClaudeCode).unchanged, 1);
    for rows in ["titled", "messages", "parts", "said", "raw"] {
        assert_eq!(place.rows(rows), at_once.rows(rows), "{rows}");
    }
    assert_eq!(place.figures()["s"].prompts, 2);
}

#[test]
fn a_place_that_is_told_when_something_is_recorded_is_said() {
    let mut place = Place::new();
    let (cwd, rules) = closed(&place, By::Path);
    let mut script = Script::new("s");
    let mut lines = vec![script.user("u1", "one"), script.user("u2", "two")];
    lines[1]["cwd"] = json!(cwd);
    place.write("s.jsonl", jsonl(&lines[..1]));
    assert_eq!(import(&mut place, Agent::ClaudeCode, &rules).marked_late, 0);
    place.write("s.jsonl", jsonl(&lines));
    let done = import(&mut place, Agent::ClaudeCode, &rules);
    assert_eq!((done.ops, done.marked_late), (0, 1));
    lines.push(script.user("u3", "three"));
    place.write("s.jsonl", jsonl(&lines));
    assert_eq!(import(&mut place, Agent::ClaudeCode, &rules).marked_late, 0);
}

/// What a person queues before the place is told, and then marks.
fn marked_early(cwd: &str) -> Vec<Value> {
    let mut lines = vec![head()[1].clone(), head()[1].clone()];
    lines[1]["content"] = json!("two\n#do-not-record");
    let mut script = Script::new("s");
    let said = ["find the zebra", "two\n#do-not-record", "a zebra foal"];
    for (id, text) in ["u1", "u2", "u3"].into_iter().zip(said) {
        let mut line = script.user(id, text);
        line["cwd"] = json!(cwd);
        lines.push(line);
    }
    lines
}

#[test]
fn a_place_leaves_all_out_also_behind_the_mark_of_a_prompt() {
    for by in [By::Path, By::Project, By::Mark] {
        for first in [1, 4] {
            let mut place = Place::new();
            let (cwd, rules) = closed(&place, by);
            let mut lines = marked_early(&cwd);
            lines[0] = head()[first].clone();
            let (agent, path) = (Agent::ClaudeCode, "s.jsonl");
            nothing_is_kept(&mut place, agent, path, &rules, &grown(&lines));
            let mut place = Place::new();
            let (cwd, rules) = closed(&place, by);
            let lines = jsonl(&marked_early(&cwd));
            nothing_is_kept(&mut place, agent, path, &rules, &[lines]);
        }
    }
}

#[test]
fn what_was_said_before_a_mark_is_kept_once_an_open_place_is_told() {
    let mut place = Place::new();
    let open = Exclusions::default();
    let lines = marked_early("/w/open");
    place.write("s.jsonl", jsonl(&lines[..2]));
    for _ in 0..2 {
        let done = import(&mut place, Agent::ClaudeCode, &open);
        assert_eq!((done.ops, done.marked_late, done.waiting), (0, 0, 1));
        assert_eq!((done.counts.new, done.counts.excluded), (0, 0));
    }
    place.write("s.jsonl", jsonl(&lines));
    let done = import(&mut place, Agent::ClaudeCode, &open);
    assert_eq!((done.marked_late, done.waiting), (1, 0));
    assert_eq!((done.counts.new, done.counts.excluded), (1, 4));
    assert!(is_in_files(&place.directory.path().join("replica")));
    let done = import(&mut place, Agent::ClaudeCode, &open);
    assert_eq!((done.marked_late, done.unchanged), (0, 1));
}

#[test]
fn a_mark_holds_though_a_rule_by_place_comes_and_goes() {
    let mut place = Place::new();
    let (cwd, rules) = closed(&place, By::Path);
    let open = Exclusions::default();
    let mut lines = marked_early(&cwd);
    place.write("s.jsonl", jsonl(&lines));
    let done = import(&mut place, Agent::ClaudeCode, &rules);
    assert_eq!(
        (done.ops, done.marked_late, done.counts.excluded),
        (0, 0, 5)
    );
    import(&mut place, Agent::ClaudeCode, &open);
    let kept = place.rows("parts");
    let mut script = Script::new("s");
    for rules in [&rules, &open] {
        lines.push(script.user(&format!("u{}", lines.len()), "later"));
        lines.last_mut().unwrap()["cwd"] = json!(cwd);
        place.write("s.jsonl", jsonl(&lines));
        let done = import(&mut place, Agent::ClaudeCode, rules);
        assert_eq!((done.ops, done.marked_late), (0, 0));
    }
    assert_eq!(place.rows("parts"), kept);
    assert!(!kept.is_empty());
}
