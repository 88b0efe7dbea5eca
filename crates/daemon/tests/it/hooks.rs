//! Hooks of agents, with a daemon and without.

use std::path::Path;

use serde_json::json;
use syncline_replica::{Replica, ReplicaOptions};

use crate::house::{Home, Running, until};
use crate::plugin::{ask, capturing, line, opencode};

#[test]
fn hooks_are_kept_until_they_are_taken() {
    let home = Home::new();
    let transcripts = home.path("transcripts");
    std::fs::create_dir(&transcripts).unwrap();
    let transcript = transcripts.join("s1.jsonl");
    std::fs::write(&transcript, line("u1", "said in a hook's session")).unwrap();
    let daemon = Running::start(capturing(&home));
    let event = |name: &str| {
        json!({ "agent": "claude-code", "event": name, "at": "2026-01-01T00:00:00.000Z",
            "payload": { "session_id": "s1", "transcript_path": transcript, "prompt": "x" } })
    };
    let accepted = daemon.call("hook.event", event("Stop")).unwrap();
    assert_eq!(accepted, json!({ "accepted": true }));
    let socket = home.socket();
    let plugin = opencode(&socket);
    until("the hook's transcript is read", || {
        plugin.read(
            "search",
            &json!({ "query": "hook's session", "kind": "text" }),
        )["total"]
            == 1
    });
    until("the event is taken", || {
        count_files(&home.path("replica/spool")) == 0
    });
    daemon.signal();
    // While no daemon runs, a hook leaves its event on the disk.
    let later = line("u2", "said later");
    let before = std::fs::read_to_string(&transcript).unwrap();
    std::fs::write(&transcript, before + &later).unwrap();
    let spooled: syncline_capture::hook::HookEvent = serde_json::from_value(event("Stop")).unwrap();
    let spool = syncline_capture::hook::Spool::beside(&home.path("replica"));
    spool.put(&spooled).unwrap();
    let daemon = Running::start(capturing(&home));
    until("what waited is taken", || {
        plugin.read("search", &json!({ "query": "later", "kind": "text" }))["total"] == 1
    });
    daemon.signal();
    Replica::open(&home.path("replica"), ReplicaOptions::default()).unwrap();
}

#[test]
fn an_event_that_is_none_is_refused() {
    let home = Home::new();
    let daemon = Running::start(capturing(&home));
    for params in [
        json!({}),
        json!({ "agent": "nobody", "event": "Stop", "payload": {}, "at": "2026-01-01T00:00:00Z" }),
        json!({ "agent": "codex", "event": "../x", "payload": {}, "at": "2026-01-01T00:00:00Z" }),
    ] {
        let request =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "hook.event", "params": params });
        assert_eq!(ask(&home.socket(), &request)["error"]["code"], -32602);
    }
    daemon.signal();
}

fn count_files(directory: &Path) -> usize {
    let entries = std::fs::read_dir(directory).unwrap();
    entries
        .filter(|entry| entry.as_ref().unwrap().path().is_file())
        .count()
}
