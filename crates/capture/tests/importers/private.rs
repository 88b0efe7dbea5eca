//! What is left out by rules and by marks.

use std::fs;

use serde_json::json;
use syncline_capture::agent::Agent;
use syncline_capture::privacy::{Exclusions, Glob, MARK_FILE, Privacy};
use syncline_capture::redact::Redactor;

use crate::place::{Done, Place};
use crate::script::{Script, jsonl};

fn import(place: &mut Place, exclusions: &Exclusions) -> Done {
    let files = place.files();
    let privacy = Privacy::new(Redactor::standard(), exclusions.clone());
    place.import_with(Agent::ClaudeCode, &files, privacy)
}

/// Two sessions in two projects.
fn two() -> Place {
    let place = Place::new();
    for (name, cwd) in [("open", "/w/open"), ("closed", "/w/client/closed")] {
        let mut script = Script::new(name);
        let mut lines = ["one", "two"].map(|text| script.user(&format!("{name} {text}"), text));
        for line in &mut lines {
            line["cwd"] = json!(cwd);
        }
        place.write(&format!("{name}.jsonl"), jsonl(&lines));
    }
    place
}

fn globs(text: &str) -> Vec<Glob> {
    vec![text.parse().unwrap()]
}

#[test]
fn rules_leave_sessions_out_and_what_they_left_out_comes_when_they_go() {
    let paths = Exclusions {
        paths: globs("/w/client"),
        ..Exclusions::default()
    };
    let projects = Exclusions {
        projects: globs("clo*"),
        ..Exclusions::default()
    };
    for rules in [paths, projects] {
        let mut place = two();
        let done = import(&mut place, &rules);
        assert_eq!((done.counts.new, done.counts.excluded), (2, 2));
        assert_eq!(place.figures().into_keys().collect::<Vec<_>>(), ["open"]);
        // What the transcript says later is left out too, though it need not name the project again.
        let mut script = Script::new("closed");
        let mut text = fs::read(place.files().join("closed.jsonl")).unwrap();
        text.extend(jsonl(&[script.user("closed three", "three")]).into_bytes());
        place.write("closed.jsonl", text);
        let done = import(&mut place, &rules);
        assert_eq!((done.ops, done.counts.excluded), (0, 1));
        assert_eq!(import(&mut place, &rules).unchanged, 2);
        import(&mut place, &Exclusions::default());
        assert_eq!(place.figures()["closed"].prompts, 3);
        assert_eq!(place.figures()["open"].prompts, 2);
    }
}

#[test]
fn rules_leave_out_agents_and_transcripts() {
    let agents = Exclusions {
        agents: vec!["claude-code".to_owned()],
        ..Exclusions::default()
    };
    let mut place = two();
    let done = import(&mut place, &agents);
    assert_eq!((done.ops, done.counts.files, done.unchanged), (0, 0, 0));
    let transcripts = Exclusions {
        paths: globs("closed.jsonl"),
        ..Exclusions::default()
    };
    import(&mut place, &transcripts);
    assert_eq!(place.figures().into_keys().collect::<Vec<_>>(), ["open"]);
}

#[test]
fn a_session_that_a_prompt_marks_is_not_recorded_with_its_subagents() {
    let mut place = two();
    let mut script = Script::new("marked");
    let lines = [
        script.user("m1", "before"),
        script.user("m2", "#do-not-record\nnow this"),
        script.user("m3", "after"),
    ];
    place.write("marked.jsonl", jsonl(&lines));
    let mut apart = script.user("x1", "found by a helper");
    apart["isSidechain"] = json!(true);
    apart["agentId"] = json!("abc");
    place.write("marked/subagents/agent-abc.jsonl", jsonl(&[apart]));
    let done = import(&mut place, &Exclusions::default());
    assert_eq!((done.counts.excluded, done.marked_late), (3, 0));
    let names: Vec<_> = place.figures().into_keys().collect();
    assert_eq!(names, ["closed", "open"]);
    // A mark that comes when something is recorded already keeps out what comes with it and after.
    let mut script = Script::new("open");
    let marked = script.user("late", "#do-not-record");
    let text = fs::read_to_string(place.files().join("open.jsonl")).unwrap() + &jsonl(&[marked]);
    place.write("open.jsonl", text);
    let done = import(&mut place, &Exclusions::default());
    assert_eq!((done.ops, done.marked_late), (0, 1));
    assert_eq!(place.figures()["open"].prompts, 2);
}

#[test]
fn a_directory_that_is_marked_is_not_recorded_until_the_mark_has_gone() {
    let mut place = Place::new();
    let work = place.directory.path().join("work/deep");
    fs::create_dir_all(&work).unwrap();
    let mark = place.directory.path().join("work").join(MARK_FILE);
    fs::write(&mark, "").unwrap();
    let mut script = Script::new("s");
    let mut line = script.user("u1", "one");
    line["cwd"] = json!(work.to_str().unwrap());
    place.write("s.jsonl", jsonl(&[line]));
    let done = import(&mut place, &Exclusions::default());
    assert_eq!((done.ops, done.counts.excluded), (0, 1));
    fs::remove_file(mark).unwrap();
    import(&mut place, &Exclusions::default());
    assert_eq!(place.figures()["s"].prompts, 1);
}

#[test]
fn what_comes_from_a_store_is_left_out_by_the_same_rules() {
    let mut place = Place::new();
    let database = rusqlite::Connection::open(place.files().join("clankers.db")).unwrap();
    database
        .execute_batch(include_str!("clankers.sql"))
        .unwrap();
    drop(database);
    let rules = Exclusions {
        agents: vec!["opencode".to_owned()],
        ..Exclusions::default()
    };
    let files = place.files();
    let privacy = Privacy::new(Redactor::standard(), rules);
    place.import_with(Agent::Clankers, &files, privacy);
    assert_eq!(
        place.figures().into_keys().collect::<Vec<_>>(),
        ["claude-1"]
    );
    place.import_files(Agent::Clankers);
    assert_eq!(place.figures()["ses_1"].messages, 2);
}

#[test]
fn a_title_is_cut_behind_the_redaction_of_its_prompt() {
    let token = format!("{}{}", "ghp_", "a8Kd02mZq7Lw91XcTb54VnRf63Hy0PsJuEiG");
    let before = "see https://api.example.dev/v1/items?page=2&sort=descending&filter=everything";
    let mut place = Place::new();
    let mut script = Script::new("s");
    let prompt = format!("{before}&access={token}\nand more");
    place.write("s.jsonl", jsonl(&[script.user("u1", &prompt)]));
    place.import_files(Agent::ClaudeCode);
    let expected = format!("{before}&access=[redacted:github-token]");
    assert_eq!(place.rows("titles"), [&expected[..]]);
    // Broken over two lines, of which the title is the first.
    let mut place = Place::new();
    let mut script = Script::new("t");
    let prompt = format!("run it with {}\\\n{} again", &token[..20], &token[20..]);
    place.write("t.jsonl", jsonl(&[script.user("u1", &prompt)]));
    place.import_files(Agent::ClaudeCode);
    let title = place.rows("titles").concat();
    assert!(!title.contains(&token[4..16]), "{title}");
}
