//! A session and one that repeats it, imported on two machines before either has synced.

use serde_json::{Value, json};

use crate::machine::Machine;
use crate::served::Server;
use crate::session::line;

const OFF: [(&str, &str); 1] = [("SYNCLINE_SYNC_ENABLED", "false")];

/// What a session amounts to, and how much of it is shown.
const FIGURES: &str = "select id, message_count, prompt_count, tool_call_count, tool_error_count, \
     error_count, compaction_count, input_tokens, output_tokens, cost, parent_id, parent_kind, \
     (select count(*) FROM messages m WHERE m.session_id = s.id) AS messages, \
     (select count(*) FROM tools t WHERE t.session_id = s.id) AS tools FROM sessions s ORDER BY id";

/// How a line says whose it was.
#[derive(Clone, Copy, PartialEq)]
enum Named {
    Yes,
    No,
}

fn of_session(line: &str, session: &str) -> Value {
    let mut line: Value = serde_json::from_str(line).unwrap();
    line["sessionId"] = json!(session);
    if line["type"] == "assistant" {
        let request = format!("req_{}", line["message"]["id"].as_str().unwrap());
        line["requestId"] = json!(request);
    }
    line
}

/// What two sessions begin with: all that counts.
fn shared() -> Vec<String> {
    let call =
        json!([{"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}}]);
    let failed =
        json!([{"type": "tool_result", "tool_use_id": "t1", "content": "no", "is_error": true}]);
    let system = |id: &str, more: Value| {
        let mut line: Value = serde_json::from_str(&line(id, "system", 4, json!(""))).unwrap();
        line.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        line.to_string()
    };
    vec![
        line("u1", "user", 0, json!("plant the bulbs")),
        line("a1", "assistant", 1, call),
        line("u2", "user", 2, failed),
        line(
            "a2",
            "assistant",
            3,
            json!([{"type": "text", "text": "planted"}]),
        ),
        system(
            "e1",
            json!({"subtype": "api_error", "error": {"message": "overloaded"}}),
        ),
        system(
            "c1",
            json!({"subtype": "compact_boundary", "compactMetadata": {"trigger": "auto", "preTokens": 9}}),
        ),
    ]
}

/// The transcripts: a session, and one that goes on from it.
fn transcripts(named: Named) -> [String; 2] {
    let lines = |session: &str, own: [String; 2]| {
        let shared = shared().into_iter().map(|line| {
            let mut line = of_session(&line, session);
            if session == "fork" && named == Named::Yes {
                line["forkedFrom"] = json!({"sessionId": "origin", "messageUuid": line["uuid"]});
            }
            line
        });
        let own = own.iter().map(|line| of_session(line, session));
        let lines = shared.chain(own).map(|line| format!("{line}\n"));
        lines.collect::<String>()
    };
    let goes_on = |name: &str| {
        let say = |id: &str| format!("{id}-{name}");
        [
            line(&say("u9"), "user", 8, json!("water them")),
            line(
                &say("a9"),
                "assistant",
                9,
                json!([{"type": "text", "text": "watered"}]),
            ),
        ]
    };
    [lines("origin", goes_on("o")), lines("fork", goes_on("f"))]
}

fn import(machine: &Machine, transcripts: &[&String]) {
    for (number, text) in transcripts.iter().enumerate() {
        let path = machine.work_dir().join(format!("{number}.jsonl"));
        std::fs::write(&path, text).unwrap();
        let import = ["import", "claude-code", path.to_str().unwrap()];
        machine.run_with(&OFF, &import).done();
    }
}

fn figures(machine: &Machine) -> (Value, Value) {
    let query = ["query", FIGURES, "--json"];
    let stats = ["session", "stats", "--by", "model", "--json"];
    (
        machine.run_with(&OFF, &query).done().json(),
        machine.run_with(&OFF, &stats).done().json(),
    )
}

#[test]
fn what_a_fork_repeats_counts_once_wherever_it_was_imported() {
    let [origin, fork] = transcripts(Named::Yes);
    let alone = Machine::new();
    import(&alone, &[&origin, &fork]);
    let expected = figures(&alone);
    assert_eq!(expected.0[0]["message_count"], 2, "{expected:?}");
    assert_eq!(expected.0[1]["message_count"], 5, "{expected:?}");
    for fork_first in [false, true] {
        let server = Server::start();
        let (ada, ben) = (server.member("ada"), server.member("ben"));
        import(&ada, &[&origin]);
        import(&ben, &[&fork]);
        let mut machines = [&ada, &ben];
        if fork_first {
            machines.reverse();
        }
        for machine in machines.iter().chain(&machines) {
            machine.run(&["sync", "now"]).done();
        }
        let other = server.member("eve");
        other.run(&["sync", "now"]).done();
        for machine in [&ada, &ben, &other] {
            assert_eq!(figures(machine), expected, "fork first: {fork_first}");
            let again = machine.run(&["sync", "now"]).done().stdout;
            assert_eq!(again, "Syncing... nothing to upload.\n");
        }
    }
}

#[test]
fn a_fork_gives_way_to_an_origin_that_is_imported_where_the_fork_was_synced() {
    let [origin, fork] = transcripts(Named::Yes);
    let alone = Machine::new();
    import(&alone, &[&origin, &fork]);
    let server = Server::start();
    let (ada, ben) = (server.member("ada"), server.member("ben"));
    import(&ben, &[&fork]);
    for machine in [&ben, &ada] {
        machine.run(&["sync", "now"]).done();
    }
    import(&ada, &[&origin]);
    for machine in [&ada, &ben] {
        machine.run(&["sync", "now"]).done();
        assert_eq!(figures(machine), figures(&alone));
    }
}

#[test]
fn what_names_no_origin_counts_once_all_the_same() {
    let [origin, fork] = transcripts(Named::No);
    let sums = |machine: &Machine| {
        let sum = "select sum(message_count) m, sum(prompt_count) p, sum(tool_call_count) t, \
             sum(error_count) e, sum(compaction_count) c, sum(input_tokens) i, sum(cost) cost, \
             count(parent_id) parents FROM sessions";
        machine
            .run_with(&OFF, &["query", sum, "--json"])
            .done()
            .json()
    };
    let alone = Machine::new();
    import(&alone, &[&origin, &fork]);
    let server = Server::start();
    let (ada, ben) = (server.member("ada"), server.member("ben"));
    import(&ada, &[&origin]);
    import(&ben, &[&fork]);
    for machine in [&ada, &ben, &ada] {
        machine.run(&["sync", "now"]).done();
    }
    for machine in [&ada, &ben] {
        assert_eq!(sums(machine), sums(&alone));
    }
    assert_eq!(figures(&ada), figures(&ben));
}

/// Claude Code keeps the summary as the next prompt, and tells the compaction alone here.
#[test]
fn an_export_tells_a_compaction_without_a_summary() {
    let machine = Machine::new();
    import(&machine, &[&transcripts(Named::Yes)[0]]);
    for (format, told) in [
        ("markdown", "## compaction (auto), of 9 tokens\n\n"),
        (
            "html",
            "<p class=\"faint\">compaction (auto), of 9 tokens</p>",
        ),
    ] {
        let export = ["session", "export", "origin", "--format", format];
        let page = machine.run_with(&OFF, &export).done().stdout;
        assert!(page.contains(told), "{page}");
        assert!(!page.contains("```\n\n```"), "{page}");
    }
}
