//! What is left out by rules and by marks.

use std::fs;

use serde_json::{Value, json};
use syncline_capture::agent::Agent;
use syncline_capture::privacy::{Exclusions, Glob, MARK_FILE, Privacy};
use syncline_capture::redact::Redactor;

use crate::place::{Done, Place, rest};
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
fn a_session_that_a_prompt_marks_is_not_recorded_from_there_on_with_its_subagents() {
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
    assert_eq!((done.counts.excluded, done.marked_late), (3, 1));
    let names: Vec<_> = place.figures().into_keys().collect();
    assert_eq!(names, ["closed", "marked", "open"]);
    assert_eq!(place.figures()["marked"].prompts, 1);
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
fn all_of_a_session_comes_back_also_what_was_read_before_the_cause_was_met() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let mut lines = vec![json!({"type": "custom-title", "customTitle": "Mine", "sessionId": "s"})];
    lines.extend(["one", "two", "three"].map(|text| script.user(text, text)));
    lines[3]["cwd"] = json!("/w/client/closed");
    place.write("s.jsonl", jsonl(&lines));
    let rules = Exclusions {
        paths: globs("/w/client"),
        ..Exclusions::default()
    };
    let done = import(&mut place, &rules);
    assert_eq!((done.ops, done.counts.new, done.counts.excluded), (0, 0, 4));
    let done = import(&mut place, &Exclusions::default());
    assert_eq!((done.counts.new, done.counts.known), (4, 0));
    assert_eq!(place.figures()["s"].prompts, 3);
    assert_eq!(place.rows("titled"), ["claude-code|s|Mine|/w/app|main|"]);
}

#[test]
fn a_subagent_that_lies_before_its_session_is_left_out_with_it() {
    let mut place = Place::new();
    let mut script = Script::new("ffff");
    let marked = script.user("u1", "#do-not-record\na private thing");
    let mut apart = script.user("x1", "looks at the private thing");
    apart["isSidechain"] = json!(true);
    apart["agentId"] = json!("ab12");
    place.write("ffff.jsonl", jsonl(&[marked]));
    place.write("agent-ab12.jsonl", jsonl(&[apart]));
    let done = import(&mut place, &Exclusions::default());
    assert_eq!(
        (done.ops, done.counts.excluded, done.marked_late),
        (0, 2, 0)
    );
}

#[test]
fn of_a_damaged_line_no_more_is_told_than_where_it_breaks() {
    let token = format!("{}{}", "ghp_", "a8Kd02mZq7Lw91XcTb54VnRf63Hy0PsJuEiG");
    for (agent, name) in [
        (Agent::ClaudeCode, "s.jsonl"),
        (Agent::Codex, "rollout-s.jsonl"),
    ] {
        let mut place = Place::new();
        place.write(name, format!("{}\n", json!(format!("export T={token}"))));
        let done = place.import_files(agent);
        let causes: Vec<_> = done.problems.iter().map(|problem| &problem.cause).collect();
        assert_eq!(
            causes,
            ["it is not a JSON object: there is another value at line 1, column 51"]
        );
    }
}

#[test]
fn a_rule_also_holds_for_what_a_session_says_from_then_on() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let first = jsonl(&[script.user("u1", "one")]);
    place.write("s.jsonl", &first);
    import(&mut place, &Exclusions::default());
    place.write("s.jsonl", first + &jsonl(&[script.user("u2", "two")]));
    let rules = Exclusions {
        paths: globs("/w/app"),
        ..Exclusions::default()
    };
    let done = import(&mut place, &rules);
    assert_eq!((done.ops, done.counts.excluded), (0, 1));
    import(&mut place, &Exclusions::default());
    assert_eq!(place.figures()["s"].prompts, 2);
}

/// What Cursor keeps of a conversation in a directory, in both of its ways.
fn cursor(place: &Place, work: &std::path::Path) {
    let user = place.files().join("User");
    for directory in ["globalStorage", "workspaceStorage/abc"] {
        fs::create_dir_all(user.join(directory)).unwrap();
    }
    let database = rusqlite::Connection::open(user.join("globalStorage/state.vscdb")).unwrap();
    database.execute_batch(include_str!("cursor.sql")).unwrap();
    let workspace = user.join("workspaceStorage/abc");
    let about = json!({"folder": format!("file://{}", work.display())});
    fs::write(workspace.join("workspace.json"), about.to_string()).unwrap();
    let database = rusqlite::Connection::open(workspace.join("state.vscdb")).unwrap();
    database
        .execute_batch(include_str!("workspace.sql"))
        .unwrap();
    let name = work.to_str().unwrap().replace(['/', '.'], "-");
    let transcript = format!("projects/{}/agent-transcripts/t1/t1.jsonl", &name[1..]);
    place.write(
        &transcript,
        "{\"role\":\"user\",\"message\":{\"content\":\"run\"}}\n",
    );
}

#[cfg(unix)]
#[test]
fn rules_and_marks_hold_for_cursor() {
    for (marked, pattern) in [(true, "elsewhere"), (false, "work")] {
        let mut place = Place::new();
        let work = place
            .directory
            .path()
            .canonicalize()
            .unwrap()
            .join("work/deep");
        fs::create_dir_all(&work).unwrap();
        cursor(&place, &work);
        let mark = work.with_file_name(MARK_FILE);
        if marked {
            fs::write(&mark, "").unwrap();
        }
        let rules = Exclusions {
            projects: globs(if marked { "elsewhere" } else { "deep" }),
            paths: globs(pattern),
            ..Exclusions::default()
        };
        let files = place.files();
        let privacy = Privacy::new(Redactor::standard(), rules);
        let done = place.import_with(Agent::Cursor, &files, privacy);
        assert_eq!((done.ops, done.unplaced), (0, 0));
        if marked {
            fs::remove_file(&mark).unwrap();
        }
        place.import_files(Agent::Cursor);
        let work = work.to_str().unwrap();
        let expected = [
            format!("cursor|7f2a|Fix|{work}|main|gpt-x"),
            format!("cursor|t1|run|{work}||"),
        ];
        assert_eq!(place.rows("titled"), expected);
    }
}

#[test]
fn rules_hold_for_gemini_by_what_tells_the_directory_and_what_tells_none_is_said() {
    // SHA-256 of `/w/client/closed`.
    let digest = "89e54e3e7f0b346f7f54fd7005b02ed91d5b2773240b1c42cd1ea99836081559";
    let header = |with: serde_json::Value| {
        let mut header = json!({"sessionId": "g", "projectHash": digest});
        let fields = header.as_object_mut().unwrap();
        fields.extend(with.as_object().unwrap().clone());
        header
    };
    let prompt = json!({"id": "m1", "type": "user", "content": "read it"});
    let context = json!({"id": "m0", "type": "user", "content":
        "<session_context>\n- **Workspace Directories:**\n  - /w/client/closed\n</session_context>"});
    let call = json!({"id": "m2", "type": "gemini", "content": "", "toolCalls":
        [{"id": "c", "name": "read_file", "args": {"path": "/w/client/closed/src/a.rs"}}]});
    let plain = header(json!({}));
    for (lines, rule, unplaced) in [
        (
            vec![plain.clone(), context.clone(), prompt.clone()],
            "/w/client",
            0,
        ),
        (vec![plain.clone(), prompt.clone(), call], "/w/client", 0),
        (vec![plain.clone(), prompt.clone()], "/w/client/closed/", 0),
        (vec![plain, prompt.clone()], "/w/client", 1),
    ] {
        let mut place = Place::new();
        rest(&place.write("h/chats/session-g.jsonl", jsonl(&lines)), 61);
        let rules = Exclusions {
            paths: globs(rule),
            ..Exclusions::default()
        };
        let files = place.files();
        let privacy = Privacy::new(Redactor::standard(), rules);
        let done = place.import_with(Agent::Gemini, &files, privacy);
        assert_eq!(
            (done.ops > 0, done.unplaced),
            (unplaced > 0, unplaced),
            "{lines:?}"
        );
    }
    let mut place = Place::new();
    let whole = header(json!({"messages": [context, prompt]}));
    place.write("h/chats/session-g.json", whole.to_string());
    place.import_files(Agent::Gemini);
    assert_eq!(
        place.rows("titled"),
        ["gemini|g|read it|/w/client/closed||"]
    );
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

#[test]
fn a_mark_leaves_out_the_same_however_often_its_transcript_is_read() {
    let mut script = Script::new("s");
    let helper = |mut line: Value| {
        line["isSidechain"] = json!(true);
        line["agentId"] = json!("abc");
        line
    };
    let lines = [
        ("s.jsonl", script.user("u1", "before")),
        (
            "s/subagents/agent-abc.jsonl",
            helper(script.user("x1", "look around")),
        ),
        ("s.jsonl", script.user("u2", "#do-not-record\nnow this")),
        (
            "s/subagents/agent-abc.jsonl",
            helper(script.user("x2", "look at this")),
        ),
        ("s.jsonl", script.user("u3", "after")),
    ];
    let (mut whole, mut grown) = (Place::new(), Place::new());
    let (mut one, mut other) = (String::new(), String::new());
    for (name, line) in lines {
        let text = match name {
            "s.jsonl" => &mut one,
            _ => &mut other,
        };
        text.push_str(&jsonl(&[line]));
        for place in [&mut whole, &mut grown] {
            place.write(name, text.as_bytes());
        }
        import(&mut grown, &Exclusions::default());
    }
    let done = import(&mut whole, &Exclusions::default());
    assert_eq!((done.counts.new, done.counts.excluded), (2, 3));
    for rows in ["sessions", "messages", "parts"] {
        assert_eq!(whole.rows(rows), grown.rows(rows), "{rows}");
    }
    assert_eq!(whole.rows("messages").len(), 2);
}
