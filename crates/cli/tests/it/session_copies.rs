//! A transcript and an older copy of it, imported on two machines before either has synced.

use serde_json::{Value, json};

use crate::machine::Machine;
use crate::served::Server;
use crate::session::line;

const OFF: [(&str, &str); 1] = [("SYNCLINE_SYNC_ENABLED", "false")];

/// All that two machines must say alike of a session.
const ALL: [&str; 3] = [
    "select title, model, git_branch, cwd, started_at, updated_at, message_count, output_tokens from sessions",
    "select id, role, model, completed_at, text_content from messages order by position",
    "select id, success, status, completed_at, tool_output from tools order by position",
];

/// The lines of a session whose last words change what was told before.
fn transcript() -> Vec<String> {
    let moved = |line: String| {
        let mut line: Value = serde_json::from_str(&line).unwrap();
        line["gitBranch"] = json!("spring");
        line["cwd"] = json!("/w/spring");
        line
    };
    let said = |id: &str, minute: u32, block: Value| line(id, "assistant", minute, json!([block]));
    let thought = json!({"type": "thinking", "thinking": "hm"});
    let call = json!({"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}});
    let result = json!([{"type": "tool_result", "tool_use_id": "t1", "content": "out"}]);
    let mut called = moved(said("a2", 2, call));
    called["message"]["id"] = json!("msg_a1");
    called["message"]["model"] = json!("claude-opus-4-6");
    vec![
        line("u1", "user", 0, json!("plant the bulbs")),
        said("a1", 1, thought),
        called.to_string(),
        moved(line("u2", "user", 3, result)).to_string(),
        json!({"type": "custom-title", "customTitle": "Bulbs", "sessionId": "hostile"}).to_string(),
    ]
}

fn import(machine: &Machine, lines: &[String]) {
    let path = machine.work_dir().join("s.jsonl");
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    let import = ["import", "claude-code", path.to_str().unwrap()];
    machine.run_with(&OFF, &import).done();
}

fn all(machine: &Machine) -> Vec<Value> {
    let rows = ALL.map(|sql| {
        let query = ["query", sql, "--json"];
        machine.run_with(&OFF, &query).done().json()
    });
    rows.to_vec()
}

/// Makes a machine's clock run ahead of others': what it writes is later than all that they have written.
fn run_ahead(machine: &Machine) {
    machine.run_with(&OFF, &["thread", "new", "x", "x"]).done();
    for number in 0..40 {
        let text = number.to_string();
        let push = ["thread", "push", "x", text.as_str()];
        machine.run_with(&OFF, &push).done();
    }
}

/// Has each of two machines know what both have written.
fn meet(ada: &Machine, ben: &Machine) {
    for machine in [ada, ben, ada] {
        machine.run(&["sync", "now"]).done();
    }
}

#[test]
fn an_older_copy_on_another_machine_sets_nothing_back() {
    let whole = transcript();
    let alone = Machine::new();
    import(&alone, &whole);
    let expected = all(&alone);
    assert_eq!(expected[0][0]["title"], "Bulbs");
    assert_eq!(expected[0][0]["git_branch"], "spring");
    // The last copy lacks a title alone, which has no time of its own.
    for lines in [2, 3, 4] {
        let server = Server::start();
        let (ada, ben) = (server.member("ada"), server.member("ben"));
        run_ahead(&ben);
        import(&ben, &whole[..lines]);
        import(&ada, &whole);
        meet(&ada, &ben);
        for machine in [&ada, &ben] {
            assert_eq!(all(machine), expected, "a copy of {lines} lines");
        }
    }
}

#[test]
fn a_branch_that_was_come_back_to_stands_over_a_copy_of_the_time_between() {
    let on = |id: &str, minute: u32, branch: &str| {
        let mut line: Value =
            serde_json::from_str(&line(id, "user", minute, json!("go on"))).unwrap();
        line["gitBranch"] = json!(branch);
        line.to_string()
    };
    let whole = [
        on("u1", 1, "main"),
        on("u2", 2, "spring"),
        on("u3", 3, "main"),
    ];
    let server = Server::start();
    let (ada, ben) = (server.member("ada"), server.member("ben"));
    import(&ada, &whole[..1]);
    import(&ada, &whole);
    run_ahead(&ben);
    import(&ben, &whole[..2]);
    meet(&ada, &ben);
    for machine in [&ada, &ben] {
        assert_eq!(all(machine)[0][0]["git_branch"], "main");
    }
}

#[test]
fn a_summary_in_a_later_file_entitles_the_session_that_it_names() {
    let whole = transcript();
    let machine = Machine::new();
    import(&machine, &whole[..4]);
    let summary = json!({"type": "summary", "summary": "Bulbs in rows", "leafUuid": "u2"});
    let path = machine.work_dir().join("later.jsonl");
    std::fs::write(&path, format!("{summary}\n")).unwrap();
    let later = ["import", "claude-code", path.to_str().unwrap()];
    machine.run_with(&OFF, &later).done();
    assert_eq!(all(&machine)[0][0]["title"], "Bulbs in rows");
}

#[test]
fn what_a_person_has_set_stays_over_what_agents_tell_before_and_after() {
    let whole = transcript();
    let server = Server::start();
    let (ada, ben) = (server.member("ada"), server.member("ben"));
    import(&ada, &whole[..2]);
    let mine = "update sessions set title = 'Mine', git_branch = null";
    ada.run_with(&OFF, &["query", mine, "--write", "--yes"])
        .done();
    run_ahead(&ben);
    import(&ben, &whole);
    import(&ada, &whole[..4]);
    meet(&ada, &ben);
    for machine in [&ada, &ben] {
        let session = &all(machine)[0][0];
        assert_eq!(session["title"], "Mine");
        assert_eq!(session["git_branch"], Value::Null);
        assert_eq!(session["cwd"], "/w/spring", "of which nothing was said");
    }
}
