//! What sessions of Claude Code are called, by whom it ever was.

use serde_json::{Value, json};
use syncline_capture::agent::Agent;
use syncline_model::session::session_id;
use syncline_model::{Payload, ResourceId, Scope};
use syncline_replica::NewOp;

use crate::place::Place;
use crate::script::{Script, jsonl, text};

#[test]
fn a_title_that_is_set_back_is_the_title() {
    let mut place = Place::new();
    let title = |to: &str| json!({"type": "custom-title", "customTitle": to, "sessionId": "s"});
    let one = Script::new("s").user("u1", "one");
    place.write("s.jsonl", jsonl(&[one, title("A"), title("B"), title("A")]));
    place.import_files(Agent::ClaudeCode);
    assert_eq!(place.rows("titles"), ["A"]);
    assert_eq!(place.import_files(Agent::ClaudeCode).ops, 0);
}

#[test]
fn what_a_person_calls_a_session_stands_over_what_another_file_calls_it() {
    let mut script = Script::new("s");
    let named = |title: &str| {
        let line = json!({"type": "custom-title", "customTitle": title, "sessionId": "s"});
        jsonl(&[line])
    };
    let said = jsonl(&[
        script.user("u1", "begin"),
        script.answer("a1", "m1", text("Begun."), 7),
    ]);
    let summary = json!({"type": "summary", "summary": "Of s", "leafUuid": "a1"});
    let mut script = Script::new("x");
    let later = jsonl(&[summary, script.user("u2", "go on")]);
    // The person names it after the other file has told a summary of it, and once more.
    let mut place = Place::new();
    place.write("s.jsonl", &said);
    place.import_files(Agent::ClaudeCode);
    place.write("x.jsonl", &later);
    place.import_files(Agent::ClaudeCode);
    assert!(place.rows("titles").contains(&"Of s".to_owned()));
    let mut whole = said;
    for title in ["Mine", "Mine too"] {
        whole += &named(title);
        place.write("s.jsonl", &whole);
        place.import_files(Agent::ClaudeCode);
        assert!(place.rows("titles").contains(&title.to_owned()), "{title}");
    }
    // And of copies the other file is read after that.
    let mut place = Place::new();
    place.write("s.jsonl", &whole);
    place.import_files(Agent::ClaudeCode);
    place.write("x.jsonl", &later);
    place.import_files(Agent::ClaudeCode);
    assert!(place.rows("titles").contains(&"Mine too".to_owned()));
}

/// Files of one machine.
type Files = Vec<(&'static str, String)>;

fn import(place: &mut Place, files: &Files) {
    for (name, content) in files {
        place.write(name, content);
        place.import_files(Agent::ClaudeCode);
    }
}

/// What the session `s` is called once two machines know of each other: after each has read its files, and
/// where the second reads its own when it knows what the first has brought.
fn called(one: &Files, other: &Files) -> Vec<String> {
    let mut called = Vec::new();
    for (first, second) in [(one, other), (other, one)] {
        let (mut alone, mut apart) = (Place::new(), Place::new());
        import(&mut alone, first);
        import(&mut apart, second);
        let mut synced = Place::new();
        synced.replica.write(&alone.ops).unwrap();
        synced.replica.write(&apart.ops).unwrap();
        let mut knowing = Place::new();
        knowing.replica.write(&alone.ops).unwrap();
        import(&mut knowing, second);
        for mut place in [synced, knowing] {
            let titled = place.rows("titled");
            let of_s = titled
                .iter()
                .find_map(|row| row.strip_prefix("claude-code|s|"));
            called.push(of_s.unwrap().split('|').next().unwrap().to_owned());
        }
    }
    called.dedup();
    called
}

fn custom(title: &str) -> Value {
    json!({"type": "custom-title", "customTitle": title, "sessionId": "s"})
}

fn model(title: &str) -> Value {
    json!({"type": "ai-title", "aiTitle": title, "sessionId": "s"})
}

fn summary(title: &str) -> Value {
    json!({"type": "summary", "summary": title, "leafUuid": "a1"})
}

/// A session `s`, and a file of another one.
fn begun() -> (Vec<Value>, Script, Value) {
    let mut script = Script::new("s");
    let said = [
        script.user("u1", "begin"),
        script.answer("a1", "m1", text("Begun."), 7),
    ];
    let other = Script::new("x").user("x1", "something else");
    (said.to_vec(), script, other)
}

#[test]
fn what_another_file_calls_a_session_stands_over_its_prompt_and_under_all_that_its_own_does() {
    let (said, _, other) = begun();
    let with = |line: Value| jsonl(&[&said[..], &[line]].concat());
    let elsewhere: Files = vec![
        ("s.jsonl", jsonl(&said)),
        ("x.jsonl", jsonl(&[summary("Elsewhere"), other])),
    ];
    for (own, title) in [
        (custom("Mine"), "Mine"),
        (model("Own"), "Own"),
        (summary("Own"), "Own"),
        (json!({"type": "progress", "sessionId": "s"}), "Elsewhere"),
    ] {
        let machine: Files = vec![("s.jsonl", with(own))];
        assert_eq!(called(&machine, &elsewhere), [title]);
        let all: Files = [elsewhere.clone(), machine.clone()].concat();
        assert_eq!(called(&all, &elsewhere), [title]);
    }
}

#[test]
fn what_a_person_calls_a_session_stands_over_copies_that_go_further() {
    let (said, mut script, _) = begun();
    let renamed = jsonl(&[&said[..], &[custom("Mine")]].concat());
    let further = [model("Its"), script.user("u2", "go on"), model("Its again")];
    let further = jsonl(&[&said[..], &further].concat());
    assert_eq!(
        called(&vec![("s.jsonl", renamed)], &vec![("s.jsonl", further)]),
        ["Mine"]
    );
}

#[test]
fn a_title_that_is_set_back_stands_over_a_copy_that_ends_before() {
    let (said, _, _) = begun();
    for title in [custom, model] {
        let with = |titles: &[&str]| {
            let titles: Vec<Value> = titles.iter().map(|given| title(given)).collect();
            jsonl(&[&said[..], &titles].concat())
        };
        let whole: Files = vec![
            ("s.jsonl", with(&["A"])),
            ("s.jsonl", with(&["A", "B", "A"])),
        ];
        let before: Files = vec![("s.jsonl", with(&["A", "B"]))];
        assert_eq!(called(&whole, &before), ["A"]);
    }
}

#[test]
fn a_title_that_was_decided_stands_over_all_that_is_told() {
    let (said, _, other) = begun();
    let decided = r#"{"type":"patch","patch":{"decided":true,"session":{"title":"Decided"}}}"#;
    let mut place = Place::new();
    place.write("s.jsonl", jsonl(&said));
    place.import_files(Agent::ClaudeCode);
    let named = NewOp {
        scope: Scope::session(),
        resource: ResourceId::from(session_id("claude-code", "s", "")),
        payload: Payload::parse(decided).unwrap(),
    };
    place.replica.write(&[named]).unwrap();
    place.write(
        "s.jsonl",
        jsonl(&[&said[..], &[custom("Mine"), summary("Own")]].concat()),
    );
    place.write("x.jsonl", jsonl(&[summary("Elsewhere"), other]));
    place.import_files(Agent::ClaudeCode);
    assert!(place.rows("titles").contains(&"Decided".to_owned()));
}
