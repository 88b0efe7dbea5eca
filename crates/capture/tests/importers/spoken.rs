//! What counts as said, and by whom.

use serde_json::{Value, json};
use syncline_capture::agent::Agent;

use crate::agents::{OPENCODE, twice};
use crate::place::{Place, rest};
use crate::script::{Script, jsonl, text};

#[test]
fn what_a_machine_says_in_a_persons_place_is_no_prompt_and_no_title() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let model = "<command-name>/model</command-name>\n<command-message>model</command-message>\n<command-args>opus</command-args>";
    let mut opened = script.user("u4", "");
    opened["message"]["content"] = json!([
        text("<ide_opened_file>The user opened a.rs</ide_opened_file>"),
        text("fix it"),
    ]);
    let lines = [
        script.user("u1", model),
        script.user(
            "u2",
            "<local-command-stdout>Set model</local-command-stdout>",
        ),
        script.user("u3", "<system-reminder>be kind</system-reminder>"),
        opened,
        script.answer("a1", "m1", text("Well"), 7),
        script.user("u5", "[Request interrupted by user]"),
    ];
    place.write("s.jsonl", jsonl(&lines));
    twice(&mut place, Agent::ClaudeCode);
    assert_eq!(place.rows("titles"), ["fix it"]);
    let figures = place.figures().remove("s").unwrap();
    // The command was entered by a person.
    assert_eq!((figures.messages, figures.prompts), (3, 2));
}

#[test]
fn a_text_that_was_cut_within_a_character_is_kept_and_its_secret_is_not() {
    let secret = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
    let mut place = Place::new();
    let mut script = Script::new("s");
    let said = format!("my token {secret} is cut CUT");
    let lines = [
        script.user("u1", &said),
        script.answer("a1", "m1", text(&said), 7),
    ];
    place.write("s.jsonl", jsonl(&lines).replace("CUT", "\\ud83d"));
    twice(&mut place, Agent::ClaudeCode);
    let said = place.rows("said");
    assert_eq!(said.len(), 2, "{said:?}");
    for row in &said {
        assert!(row.contains("my token [redacted:"), "{row}");
        assert!(!row.contains(secret), "{row}");
    }
    let figures = place.figures().remove("s").unwrap();
    assert_eq!((figures.messages, figures.prompts), (2, 1));
}

#[test]
fn what_opencode_adds_to_a_prompt_is_not_the_persons() {
    let mut place = Place::new();
    for (path, content) in OPENCODE {
        place.write(&format!("storage/{path}"), content);
    }
    place.write(
        "storage/part/m1/p1a.json",
        r#"{"id":"p1a","type":"text","text":"Called the Read tool","synthetic":true}"#,
    );
    twice(&mut place, Agent::OpenCode);
    let said = place.rows("said");
    let of_person: Vec<_> = said.iter().filter(|row| row.starts_with("user|")).collect();
    assert_eq!(
        of_person,
        ["user|text|fix it", "user|raw|Called the Read tool"]
    );
}

#[test]
fn a_usage_that_cannot_be_read_takes_nothing_from_what_was_said() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let mut lines = vec![script.user("u1", "begin")];
    for (place, tokens) in [json!("many"), json!(1.5), json!(-5)]
        .into_iter()
        .enumerate()
    {
        let id = format!("m{place}");
        let mut answer = script.answer(&format!("a{place}"), &id, text(&id), 7);
        answer["message"]["usage"]["output_tokens"] = tokens;
        lines.push(answer);
    }
    // Its members are no tokens because of where they stand.
    let mut listed = script.answer("a3", "m3", text("m3"), 7);
    listed["message"]["usage"] = json!([5, 6]);
    lines.push(listed);
    place.write("s.jsonl", jsonl(&lines));
    let done = place.import_files(Agent::ClaudeCode);
    assert_eq!((done.counts.new, done.counts.not_understood), (1, 4));
    assert_eq!(place.rows("spent"), Vec::<String>::new());
    let said = [
        "user|text|begin",
        "assistant|text|m0",
        "assistant|text|m1",
        "assistant|text|m2",
        "assistant|text|m3",
    ];
    assert_eq!(place.rows("said"), said);
    assert_eq!(place.rows("raw").len(), 4);
    assert_eq!(place.import_files(Agent::ClaudeCode).ops, 0);
}

#[test]
fn a_block_that_cannot_be_read_is_kept_and_takes_nothing_from_its_line() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let found = json!({"type": "search_result", "source": "https://a.example.org", "title": "T",
                       "content": [text("found words")]});
    let mut prompt = script.user("u1", "");
    prompt["message"]["content"] = json!([text("find it"), found, "and this", 7]);
    let mut answer = script.answer("a1", "m1", text("I look."), 41);
    let call = json!({"type": "tool_use", "id": 5, "name": "Bash", "input": {"command": "ls"}});
    let blocks = answer["message"]["content"].as_array_mut().unwrap();
    blocks.extend([call.clone(), json!({"type": "text", "text": ["listed"]})]);
    let given = json!({"type": "tool_result", "content": "of no call"});
    let mut result = script.user("u2", "");
    result["message"]["content"] = json!([given]);
    place.write("s.jsonl", jsonl(&[prompt, answer, result]));
    let done = place.import_files(Agent::ClaudeCode);
    assert_eq!((done.counts.new, done.counts.not_understood), (0, 3));
    let listed = json!({"type": "text", "text": ["listed"]});
    let said = [
        "user|text|find it".to_owned(),
        format!("user|raw|{found}"),
        "user|text|and this".to_owned(),
        "user|raw|7".to_owned(),
        "assistant|text|I look.".to_owned(),
        format!("assistant|raw|{call}"),
        format!("assistant|raw|{listed}"),
    ];
    assert_eq!(place.rows("said"), said);
    assert!(place.rows("raw").contains(&given.to_string()));
    assert_eq!(place.rows("titles"), ["find it"]);
    let figures = place.figures().remove("s").unwrap();
    assert_eq!(
        (figures.messages, figures.prompts, figures.tokens[1]),
        (2, 1, 41)
    );
    assert_eq!(place.import_files(Agent::ClaudeCode).ops, 0);
}

#[test]
fn a_mark_of_the_encoding_takes_no_line() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let lines = [script.user("u1", "one"), script.user("u2", "two")];
    place.write("s.jsonl", format!("\u{feff}{}", jsonl(&lines)));
    assert_eq!(place.import_files(Agent::ClaudeCode).problems, []);
    assert_eq!(place.figures()["s"].prompts, 2);
    place.write(
        "app/.aider.chat.history.md",
        "\u{feff}# aider chat started at 2026-01-02 10:00:00\n\n#### one  \n\nOne.\n",
    );
    place.import_files(Agent::Aider);
    assert_eq!(place.figures().len(), 2);
}

#[test]
fn of_a_summary_nothing_is_remembered_but_the_title_of_what_its_file_holds() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let summary = |summary: &str, leaf: &str| json!({"type": "summary", "summary": summary, "leafUuid": leaf});
    let lines = [
        summary("Of this file", "a1"),
        summary("Of another", "elsewhere"),
        script.user("u1", "begin"),
        script.answer("a1", "m1", text("Begun."), 7),
    ];
    place.write("s.jsonl", jsonl(&lines));
    twice(&mut place, Agent::ClaudeCode);
    assert_eq!(place.rows("titles"), ["Of this file"]);
    let remembered = place.remembered();
    assert!(!remembered.contains("Of "), "{remembered}");
}

#[test]
fn nothing_is_remembered_of_where_a_session_was() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let there = |mut line: Value| {
        line["cwd"] = json!("/w/secretly");
        line["gitBranch"] = json!("secretly");
        line
    };
    let mut line = there(script.user("u1", "begin"));
    let answer = there(script.answer("a1", "m1", text("Begun."), 7));
    let claude = jsonl(&[line.clone(), answer]);
    place.write("s.jsonl", &claude);
    let at = "2026-05-01T10:00:00.000Z";
    let codex = jsonl(&[
        json!({"timestamp": at, "type": "session_meta", "payload": {"id": "c", "cwd": "/w/secretly"}}),
        json!({"timestamp": at, "type": "turn_context", "payload": {"cwd": "/w/secretly/on"}}),
    ]);
    rest(&place.write("rollout-c.jsonl", codex), 61);
    let gemini = json!({"sessionId": "g", "directories": ["/w/secretly"], "messages": []});
    let gemini = place.write("tmp/p/chats/session-g.json", gemini.to_string());
    rest(&gemini, 61);
    let agents = [Agent::ClaudeCode, Agent::Codex, Agent::Gemini];
    for agent in agents {
        place.import_files(agent);
    }
    assert_eq!(place.figures().len(), 3);
    let remembered = place.remembered();
    assert!(!remembered.contains("secretly"), "{remembered}");
    // What was told already is no news when the file goes on.
    line["uuid"] = json!("u2");
    place.write("s.jsonl", claude + &jsonl(&[line]));
    place.ops.clear();
    place.import_files(Agent::ClaudeCode);
    let told: Vec<_> = place.ops.iter().map(|op| op.payload.as_str()).collect();
    assert_eq!(told.len(), 1);
    assert!(!told[0].contains("secretly"), "{told:?}");
}

#[test]
fn a_prompt_in_the_place_of_an_earlier_one_takes_it_back_with_what_followed() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let call = json!({"type": "tool_use", "id": "t1", "name": "Bash", "input": {}});
    let lines = [
        (None, script.user("u1", "begin")),
        (Some("u1"), script.answer("a1", "m1", text("Begun."), 7)),
        (Some("a1"), script.user("u2", "wrong")),
        (Some("u2"), script.answer("a2", "m2", text("Wronged."), 7)),
        (Some("a2"), script.answer("a3", "m2", call, 7)),
        (Some("a3"), script.result("r1", "t1", json!("done"))),
        (Some("r1"), script.user("u3", "more")),
        (Some("a1"), script.user("u4", "right")),
        (Some("u4"), script.answer("a4", "m3", text("Right."), 7)),
    ];
    let lines = lines.map(|(after, mut line)| {
        line["parentUuid"] = json!(after);
        line
    });
    let (before, after) = lines.split_at(6);
    place.write("s.jsonl", jsonl(before));
    place.import_files(Agent::ClaudeCode);
    assert_eq!(place.rows("taken_back"), Vec::<String>::new());
    place.write("s.jsonl", jsonl(before) + &jsonl(after));
    twice(&mut place, Agent::ClaudeCode);
    assert_eq!(place.rows("taken_back"), ["u2", "m2:req_m2", "u3"]);
    let figures = place.figures().remove("s").unwrap();
    // What was paid for stays paid.
    assert_eq!(
        (figures.messages, figures.prompts, figures.tokens[1]),
        (4, 2, 21)
    );
    // Of lines that are repeated the later ones take nothing back.
    place.write("s.jsonl", jsonl(&lines) + &jsonl(&lines));
    assert_eq!(place.import_files(Agent::ClaudeCode).ops, 0);
    place.age_marks();
    place.import_files(Agent::ClaudeCode);
    let mut taken_back = place.rows("taken_back");
    taken_back.sort();
    assert_eq!(taken_back, ["m2:req_m2", "u2", "u3"]);
}
