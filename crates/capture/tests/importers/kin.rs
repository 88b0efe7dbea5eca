//! Which session a session came from.

use serde_json::{Value, json};
use syncline_capture::agent::Agent;
use syncline_model::Scope;
use syncline_model::session::{Delete, SessionOp, session_id};
use syncline_replica::NewOp;

use crate::agents::twice;
use crate::place::Place;
use crate::script::{Script, jsonl, text};

/// A session `s`, its subagent `abc`, and that one's subagent `def`, by their files' names.
fn nested() -> [(&'static str, String); 3] {
    let mut script = Script::new("s");
    let mut called = |by: &str, agent: &str| {
        let id = |name: &str| format!("{name}{by}");
        let call = json!({"type": "tool_use", "id": id("t"), "name": "Task", "input": {}});
        let mut result = script.result(&id("r"), &id("t"), json!("found"));
        result["toolUseResult"] = json!({"agentId": agent, "totalDurationMs": 7});
        let prompt = script.user(&id("u"), "find");
        vec![prompt, script.answer(&id("a"), &id("m"), call, 1), result]
    };
    let of = |agent: &str, mut lines: Vec<Value>| {
        for line in &mut lines {
            line["isSidechain"] = json!(true);
            line["agentId"] = json!(agent);
        }
        jsonl(&lines)
    };
    let (whole, between) = (called("s", "abc"), called("abc", "def"));
    let last = vec![
        script.user("x1", "find"),
        script.answer("x2", "m9", text("found"), 3),
    ];
    [
        ("p/s.jsonl", jsonl(&whole)),
        ("p/s/subagents/agent-abc.jsonl", of("abc", between)),
        ("p/s/subagents/agent-def.jsonl", of("def", last)),
    ]
}

#[test]
fn a_subagent_is_below_the_one_that_called_it_in_whatever_order_they_come() {
    let [s, abc, def] = nested();
    for order in [[&s, &abc, &def], [&s, &def, &abc], [&def, &abc, &s]] {
        let mut place = Place::new();
        for (name, content) in order {
            place.write(name, content);
            place.import_files(Agent::ClaudeCode);
        }
        twice(&mut place, Agent::ClaudeCode);
        let mut tree = place.rows("tree");
        tree.sort();
        assert_eq!(tree, ["abc|subagent|s|ts|7", "def|subagent|abc|tabc|7"]);
    }
}

#[test]
fn subagents_that_call_each_other_or_themselves_stay_below_their_session() {
    let agents = ["abc", "def"];
    let mut script = Script::new("s");
    let whole = jsonl(&[script.user("u1", "search")]);
    let mut calling = |by: &str, agents: [&str; 2]| {
        let lines = agents.map(|agent| {
            let mut result = script.result(&format!("{by}{agent}"), agent, json!("found"));
            result["toolUseResult"] = json!({"agentId": agent});
            result["isSidechain"] = json!(true);
            result["agentId"] = json!(by);
            result
        });
        (format!("p/s/subagents/agent-{by}.jsonl"), jsonl(&lines))
    };
    let files = agents.map(|by| calling(by, agents));
    for (order, tree) in [
        ([0, 1], ["abc|subagent|s", "def|subagent|abc"]),
        ([1, 0], ["abc|subagent|def", "def|subagent|s"]),
    ] {
        let mut place = Place::new();
        place.write("p/s.jsonl", &whole);
        for (name, content) in order.map(|file| &files[file]) {
            place.write(name, content);
            place.import_files(Agent::ClaudeCode);
        }
        twice(&mut place, Agent::ClaudeCode);
        let mut found = place.rows("forked");
        found.sort();
        assert_eq!(found, tree);
    }
}

#[test]
fn a_subagent_that_an_earlier_build_has_below_itself_may_call_others() {
    let mut place = Place::new();
    let files = nested();
    for (name, content) in &files {
        place.write(name, content);
    }
    place.import_files(Agent::ClaudeCode);
    let session_of = |rows: Vec<String>, message: &str| {
        let row = rows.into_iter().find(|row| row.contains(message)).unwrap();
        row.split('|').next().unwrap().to_owned()
    };
    let [abc, def] = ["|mabc:", "|m9:"].map(|message| session_of(place.rows("messages"), message));
    place.note_otherwise(&abc, &def);
    let mut script = Script::new("s");
    let mut result = script.result("r9", "t9", json!("found"));
    result["toolUseResult"] = json!({"agentId": "ghi"});
    result["isSidechain"] = json!(true);
    result["agentId"] = json!("def");
    let (name, content) = &files[2];
    place.write(name, format!("{content}{}", jsonl(&[result])));
    assert_eq!(place.import_files(Agent::ClaudeCode).counts.new, 1);
}

#[test]
fn a_session_that_begins_with_what_another_has_said_came_from_it() {
    let mut place = Place::new();
    let mut script = Script::new("origin");
    let shared = [
        script.user("u1", "begin"),
        script.answer("a1", "m1", text("Begun."), 7),
    ];
    place.write("origin.jsonl", jsonl(&shared));
    script.session = "z".to_owned();
    let copied = shared.clone().map(|mut line| {
        line["sessionId"] = json!("z");
        line
    });
    let mut lines = copied.to_vec();
    lines.push(script.user("u2", "go on"));
    place.write("z.jsonl", jsonl(&lines));
    twice(&mut place, Agent::ClaudeCode);
    assert_eq!(place.rows("forked"), ["z|fork|origin"]);
    // What goes on from there and repeats the other in its turn did not come from it.
    script.session = "origin".to_owned();
    let mut more = shared.to_vec();
    let mut back = lines[2].clone();
    back["sessionId"] = json!("origin");
    more.extend([script.user("u3", "and on"), back]);
    place.write("origin.jsonl", jsonl(&more));
    twice(&mut place, Agent::ClaudeCode);
    assert_eq!(place.rows("forked"), ["z|fork|origin"]);
}

#[test]
fn of_sessions_that_begin_alike_the_one_that_was_left_first_is_the_origin() {
    let mut place = Place::new();
    let mut script = Script::new("left");
    let shared = [
        script.user("u1", "begin"),
        script.answer("a1", "m1", text("Begun."), 7),
    ];
    let mut more = shared.clone().to_vec();
    script.session = "again".to_owned();
    more.push(script.user("u2", "go on"));
    for line in &mut more {
        line["sessionId"] = json!("again");
    }
    // By its name the copy comes first.
    place.write("again.jsonl", jsonl(&more));
    let left = place.write("left.jsonl", jsonl(&shared));
    let before = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_772_359_202);
    let left = std::fs::File::options().append(true).open(left).unwrap();
    left.set_modified(before).unwrap();
    twice(&mut place, Agent::ClaudeCode);
    assert_eq!(place.rows("forked"), ["again|fork|left"]);
}

#[test]
fn a_subagent_that_is_found_after_its_session_was_deleted_is_left_out() {
    let [s, abc, def] = nested();
    let mut place = Place::new();
    place.write(s.0, &s.1);
    place.import_files(Agent::ClaudeCode);
    let delete = SessionOp::Delete(Delete {
        at: "2026-03-02T00:00:00Z".parse().unwrap(),
    });
    let delete = NewOp {
        scope: Scope::session(),
        resource: session_id("claude-code", "s", "").into(),
        payload: delete.payload().unwrap(),
    };
    place.replica.write(&[delete]).unwrap();
    for (name, content) in [abc, def] {
        place.write(name, content);
        let done = place.import_files(Agent::ClaudeCode);
        assert_eq!((done.ops, done.counts.new), (0, 0), "{name}");
        assert!(done.counts.excluded > 0, "{name}");
    }
    assert!(place.figures().is_empty());
    place.age_marks();
    assert_eq!(place.import_files(Agent::ClaudeCode).ops, 0);
}
