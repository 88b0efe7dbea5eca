//! Sessions, from a transcript as Claude Code left it and from one that is hostile.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::machine::Machine;

/// The session of the transcript in the importers' tests.
pub(crate) const NATIVE: &str = "595f7a87-dd6e-4eb7-943a-b2b009259be7";
/// A text that would be markup, a script, or an order to the terminal, where it is not held as text.
const HOSTILE: &str =
    "</pre><script>alert(1)</script><img src=x onerror=alert(1)> \"' \u{1b}]0;x\u{7}";

pub(crate) fn transcripts() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../capture/tests/fixtures/claude-code")
}

/// A machine on which the transcript is imported.
pub(crate) fn machine() -> Machine {
    let machine = Machine::new();
    let place = transcripts();
    machine
        .run(&["import", "claude-code", place.to_str().unwrap()])
        .done();
    machine
}

/// A line of a transcript of the session `hostile`.
pub(crate) fn line(id: &str, role: &str, minute: u32, content: Value) -> String {
    let mut message = json!({"role": role, "content": content});
    if role == "assistant" {
        message["id"] = json!(format!("msg_{id}"));
        message["model"] = json!("claude-sonnet-4-5");
        message["usage"] = json!({"input_tokens": 1_000_000, "output_tokens": 10});
    }
    json!({
        "type": role, "uuid": id, "parentUuid": null, "sessionId": "hostile",
        "timestamp": format!("2026-03-01T10:{minute:02}:00.000Z"), "cwd": "/w/app",
        "gitBranch": "dev", "version": "2.1.0", "isSidechain": false, "message": message,
    })
    .to_string()
}

/// A machine with a session in which everything is hostile, and a tool fails.
pub(crate) fn hostile() -> Machine {
    let machine = Machine::new();
    let tool =
        json!([{"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": HOSTILE}}]);
    let failed =
        json!([{"type": "tool_result", "tool_use_id": "t1", "content": HOSTILE, "is_error": true}]);
    let lines = [
        line("u1", "user", 0, json!(HOSTILE)),
        line(
            "a1",
            "assistant",
            1,
            json!([{"type": "thinking", "thinking": HOSTILE}]),
        ),
        line("a2", "assistant", 2, tool),
        line("u2", "user", 3, failed),
        line(
            "a3",
            "assistant",
            4,
            json!([{"type": "text", "text": HOSTILE}]),
        ),
    ];
    write(&machine, &lines);
    machine
}

fn write(machine: &Machine, lines: &[String]) {
    let place = machine.work_dir().join("hostile.jsonl");
    std::fs::write(&place, lines.join("\n") + "\n").unwrap();
    machine
        .run(&["import", "claude-code", place.to_str().unwrap()])
        .done();
}

pub(crate) fn listed(machine: &Machine, flags: &[&str]) -> Vec<Value> {
    let arguments = [&["session", "list", "--json"], flags].concat();
    let answer = machine.run(&arguments).done().json();
    answer["sessions"].as_array().unwrap().clone()
}

#[test]
fn sessions_are_listed_with_what_they_did_and_cost() {
    let machine = machine();
    let sessions = listed(&machine, &[]);
    assert_eq!(sessions.len(), 1);
    let session = &sessions[0];
    assert_eq!(session["id"], NATIVE);
    assert_eq!(session["agent"], "claude-code");
    assert_eq!(session["tool_call_count"], 2);
    assert_eq!(session["cost_source"], "computed");
    let query = "select message_count, input_tokens, cost from sessions";
    let rows = machine.run(&["query", query, "--json"]).done().json();
    for column in ["message_count", "input_tokens", "cost"] {
        assert_eq!(rows[0][column], session[column], "{column}");
    }
    let text = machine.run(&["session", "list"]).done().stdout;
    let short = text.lines().nth(1).unwrap().split(' ').next().unwrap();
    let shown = machine.run(&["session", "show", short, "--json"]).done();
    assert_eq!(shown.json()["session"]["id"], NATIVE);
    // A call that failed is told beside their count.
    let text = hostile().run(&["session", "list"]).done().stdout;
    assert!(text.contains("  1 ✗1  "), "{text}");
}

#[test]
fn filters_choose_sessions() {
    let machine = hostile();
    for (flags, count) in [
        (&["--agent", "claude-code", "--project", "app"][..], 1),
        (&["--project", "/w/app", "--branch", "dev"], 1),
        (&["--model", "claude-sonnet-4-5", "--has-error"], 1),
        (&["--since", "2026-03-01", "--until", "2026-03-02"], 1),
        (&["--min-cost", "9"], 1),
        (&["--min-cost", "10"], 0),
        (&["--agent", "codex"], 0),
        (&["--since", "2026-03-02"], 0),
        (&["--branch", "main"], 0),
    ] {
        assert_eq!(listed(&machine, flags).len(), count, "{flags:?}");
    }
    for wrong in [
        ["--since", "soon"],
        ["--min-cost", "nan"],
        ["--min-cost", "-1"],
    ] {
        let list = ["session", "list", wrong[0], wrong[1]];
        assert_eq!(machine.run(&list).code, Some(2), "{wrong:?}");
    }
}

#[test]
fn a_list_goes_on_where_its_page_ended() {
    let machine = hostile();
    let place = transcripts();
    machine
        .run(&["import", "claude-code", place.to_str().unwrap()])
        .done();
    let first = machine
        .run(&["session", "list", "--json", "-n", "1"])
        .done()
        .json();
    let next = first["next"].as_str().unwrap();
    let second = listed(&machine, &["--after", next]);
    assert_eq!(first["sessions"][0]["id"], "hostile");
    assert_eq!(second[0]["id"], NATIVE);
    machine
        .run(&["session", "show", "nothing"])
        .failed(1, "session_unknown");
}

#[test]
fn a_session_is_shown_with_its_tools_folded_until_all_is_asked_for() {
    let machine = machine();
    let folded = machine.run(&["session", "show", NATIVE]).done().stdout;
    assert!(
        folded.contains(" computed\n") && folded.contains("2 tool calls"),
        "{folded}"
    );
    assert!(
        folded.contains("\nuser  2026-02-05 11:56:11Z\n"),
        "{folded}"
    );
    assert!(!folded.contains("    input:"), "{folded}");
    let full = machine
        .run(&["session", "show", NATIVE, "--full"])
        .done()
        .stdout;
    assert!(
        full.contains("    input:") && full.contains("    output:"),
        "{full}"
    );
    let page = ["session", "show", NATIVE, "--json", "-n", "2"];
    let page = machine.run(&page).done().json();
    assert_eq!(page["events"].as_array().unwrap().len(), 2);
    let next = page["next"].as_str().unwrap();
    let rest = ["session", "show", NATIVE, "--json", "--after", next];
    assert_eq!(machine.run(&rest).done().json()["next"], Value::Null);
}

#[test]
fn what_was_said_drives_no_terminal_and_no_browser() {
    let machine = hostile();
    for arguments in [
        &["show", "hostile", "--full"][..],
        &["list"],
        &["search", "alert"],
    ] {
        let text = machine
            .run(&[&["session"], arguments].concat())
            .done()
            .stdout;
        assert!(
            text.contains("script") && !text.contains('\u{1b}'),
            "{text}"
        );
    }
    let show = machine.run(&["session", "show", "hostile"]).done().stdout;
    assert!(show.contains("✗ Bash") && show.contains("┊ "), "{show}");
    let export = ["session", "export", "hostile", "--format", "html"];
    let page = machine.run(&export).done().stdout;
    // The tags are those of this program, and nothing in them is an address or a script.
    for tag in page
        .split('<')
        .skip(1)
        .map(|rest| rest.split('>').next().unwrap())
    {
        for harm in ["script", "img", " on", " src=", "href=", "url("] {
            assert!(!tag.contains(harm), "{tag}");
        }
    }
    assert!(
        page.contains("&lt;script&gt;") && !page.contains('\u{1b}'),
        "{page}"
    );
    assert!(page.contains("default-src 'none'"), "{page}");
    let markdown = machine.run(&["session", "export", "hostile"]).done().stdout;
    assert!(markdown.contains("**Bash**"), "{markdown}");
    assert!(!markdown.contains('\u{1b}'), "{markdown}");
}

#[test]
fn json_lines_hold_all_that_a_session_has() {
    let machine = machine();
    let file = machine.work_dir().join("out.jsonl");
    let export = [
        "session",
        "export",
        "-f",
        "jsonl",
        "-o",
        file.to_str().unwrap(),
    ];
    machine.run(&export).done().says("exported 1 session");
    let text = std::fs::read_to_string(file).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (&lines[0]["type"], &lines[0]["id"]),
        (&json!("session"), &json!(NATIVE))
    );
    let shown = machine
        .run(&["session", "show", NATIVE, "--json"])
        .done()
        .json();
    let events = shown["events"].as_array().unwrap();
    assert_eq!(lines.len(), 1 + events.len());
    assert!(
        lines[1..]
            .iter()
            .all(|line| line["session_id"] == lines[0]["session_id"])
    );
}

#[test]
fn lines_that_no_importer_could_name_are_shown_exported_and_found() {
    let machine = Machine::new();
    let novelty = json!({
        "type": "novelty", "uuid": "n1", "sessionId": "hostile",
        "timestamp": "2026-03-01T10:01:00.000Z", "marvel": HOSTILE,
    });
    let lines = [
        line("u1", "user", 0, json!("hello")),
        novelty.to_string(),
        line("a1", "assistant", 2, json!("good day")),
    ];
    write(&machine, &lines);
    let printed = |arguments: &[&str]| machine.run(arguments).done().stdout;
    let folded = printed(&["session", "show", "hostile", "--no-pager"]);
    assert!(!folded.contains("marvel"), "{folded}");
    let full = printed(&["session", "show", "hostile", "--no-pager", "--full"]);
    let places = ["hello", "marvel", "good day"].map(|text| full.find(text));
    assert!(places.is_sorted() && places[0].is_some(), "{full}");
    assert!(!full.contains('\u{7}'));
    let shown = machine
        .run(&["session", "show", "hostile", "--json"])
        .done();
    assert_eq!(shown.json()["events"][1]["type"], "raw");
    for (format, has) in [("jsonl", true), ("html", true), ("markdown", false)] {
        let text = printed(&["session", "export", "hostile", "-f", format]);
        assert_eq!(text.contains("marvel"), has, "{format}");
        assert!(!text.contains("<script>") || format == "jsonl", "{format}");
    }
    let found = machine
        .run(&["session", "search", "marvel", "--kind", "raw", "--json"])
        .done();
    assert_eq!(found.json()["total"], 1);
}

#[test]
fn stats_add_up_to_what_the_list_tells() {
    let machine = hostile();
    let session = &listed(&machine, &[])[0];
    for by in ["day", "project", "model", "agent"] {
        let stats = machine
            .run(&["session", "stats", "--by", by, "--json"])
            .done()
            .json();
        for figure in ["message_count", "tool_call_count", "input_tokens", "cost"] {
            assert_eq!(stats["total"][figure], session[figure], "{by} {figure}");
        }
        assert_eq!(stats["total"]["tool_error_rate"], 1.0);
        assert_eq!(stats["tools"][0]["name"], "Bash");
    }
    let text = machine.run(&["session", "stats"]).done().stdout;
    assert!(
        text.contains("2026-03-01") && text.contains("████"),
        "{text}"
    );
    let none = ["session", "stats", "--since", "2026-03-02"];
    machine.run(&none).done().says("nothing was said");
}

#[test]
fn prices_of_ones_own_take_the_place_of_those_that_are_built_in() {
    let machine = hostile();
    machine.write_config("");
    let cost = || listed(&machine, &[])[0]["cost"].as_f64().unwrap();
    let dear = cost();
    let file = machine.config_file().with_file_name("prices.json");
    let table = r#"{"made":"2026-05-05","prices":[
        {"model":"claude-sonnet-4-5","from":"2026-01-01","input":1,"output":0}]}"#;
    std::fs::write(&file, table).unwrap();
    assert!(
        dear > 9.0 && (cost() - 3.0).abs() < 1e-9,
        "{dear} {}",
        cost()
    );
    let query = ["query", "select cost from sessions", "--json"];
    assert_eq!(machine.run(&query).done().json()[0]["cost"], 3.0);
    let list = machine.run(&["config", "list", "--json"]).done().json();
    assert_eq!(list["prices"], json!({"file": file, "made": "2026-05-05"}));
    std::fs::write(&file, "{}").unwrap();
    machine
        .run(&["session", "list"])
        .failed(1, "prices_invalid");
    let list = machine.run(&["config", "list", "--json"]).done();
    assert_eq!(list.json()["prices"], json!({"file": file, "made": null}));
    list.says("could not use the prices");
}
