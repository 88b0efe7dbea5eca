//! What plugins tell of sessions, and what is kept of it.

use std::path::Path;

use serde_json::{Value, json};
use syncline_daemon::Captured;

use crate::house::{Home, Running};
use crate::plugin::{Plugin, capturing, capturing_with, claude, opencode};

#[test]
fn a_plugin_tells_of_a_session_as_it_always_has() {
    let home = Home::new();
    let daemon = Running::start(capturing(&home));
    let socket = home.socket();
    let plugin = opencode(&socket);
    let health = plugin.read("health", &json!({}));
    assert_eq!(health["ok"], true);
    assert!(health["version"].is_string());
    let database = plugin.read("ensureDb", &json!({}));
    assert_eq!(database["created"], true);
    assert_eq!(plugin.read("ensureDb", &json!({}))["created"], false);
    assert_eq!(
        plugin.read("getDbPath", &json!({}))["dbPath"],
        database["dbPath"]
    );
    assert!(Path::new(database["dbPath"].as_str().unwrap()).is_file());
    tell_of_a_session(&plugin);
    let session = plugin.read("getSession", &json!({ "id": "ses_1" }))["session"].clone();
    for (field, value) in [
        ("id", json!("ses_1")),
        ("source", json!("opencode")),
        ("title", json!("Fix login")),
        ("projectPath", json!("/w/app")),
        ("promptTokens", json!(1000)),
        ("cost", json!(0.5)),
        ("messageCount", json!(1)),
        ("toolCallCount", json!(1)),
        ("errorCount", json!(1)),
        ("createdAt", json!(1_767_225_600_000_i64)),
    ] {
        assert_eq!(session[field], value, "{field}");
    }
    let messages = plugin.read("listMessages", &json!({ "sessionId": "ses_1" }));
    assert_eq!(
        messages["messages"][0]["textContent"],
        "why does login fail?"
    );
    assert_eq!(messages["next"], Value::Null);
    let found = plugin.read("search", &json!({ "query": "login", "kind": "text" }));
    assert_eq!(
        (&found["total"], &found["results"][0]["sessionId"]),
        (&json!(1), &json!("ses_1"))
    );
    let sessions = plugin.read("listSessions", &json!({ "agent": "opencode", "limit": 5 }));
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1);
    let stats = plugin.read("stats", &json!({ "by": "agent" }));
    assert_eq!(stats["rows"][0]["key"], "opencode");
    daemon.signal();
}

fn tell_of_a_session(plugin: &Plugin<'_>) {
    plugin.done("upsertSession", &json!({ "session": {
        "id": "ses_1", "title": "Fix login", "projectPath": "/w/app", "projectName": "app",
        "model": "claude-x", "provider": "anthropic", "source": "opencode", "status": "busy",
        "promptTokens": 1000, "completionTokens": 20, "cost": 0.5, "createdAt": 1_767_225_600_000_i64,
        "updatedAt": 1_767_225_660_000_i64 } }));
    plugin.done(
        "upsertMessage",
        &json!({ "message": {
        "id": "msg_1", "sessionId": "ses_1", "role": "user", "textContent": "why does login fail?",
        "source": "opencode", "createdAt": 1_767_225_601_000_i64 } }),
    );
    plugin.done(
        "upsertTool",
        &json!({ "tool": {
        "id": "ses_1-bash-call_9", "sessionId": "ses_1", "messageId": "msg_1", "toolName": "bash",
        "toolInput": "{\"command\":\"cargo test\"}", "toolOutput": "ok", "success": true,
        "durationMs": 12, "createdAt": 1_767_225_602_000_i64 } }),
    );
    plugin.done(
        "upsertSessionError",
        &json!({ "sessionError": {
        "id": "err_1", "sessionId": "ses_1", "errorType": "api", "errorMessage": "overloaded" } }),
    );
    plugin.done(
        "upsertCompactionEvent",
        &json!({ "compactionEvent": {
        "id": "cmp_1", "sessionId": "ses_1", "tokensBefore": 900, "tokensAfter": 90 } }),
    );
    plugin.done(
        "log.write",
        &json!({ "entry": {
        "timestamp": "2026-01-01T00:00:00.000Z", "level": "info", "component": "plugin",
        "message": "ready", "context": { "a": 1 } } }),
    );
}

#[test]
fn what_is_not_told_stays_and_null_empties() {
    let home = Home::new();
    let daemon = Running::start(capturing(&home));
    let socket = home.socket();
    let plugin = opencode(&socket);
    let upsert = |session: Value| plugin.done("upsertSession", &json!({ "session": session }));
    upsert(json!({ "id": "s", "title": "Fix login", "projectPath": "/w", "status": "busy" }));
    upsert(json!({ "id": "s", "model": "m" }));
    upsert(json!({ "id": "s", "status": null, "title": "" }));
    let session = plugin.read("getSession", &json!({ "id": "s" }))["session"].clone();
    let shown = ["title", "projectPath", "model", "status"].map(|field| session[field].clone());
    assert_eq!(
        shown,
        [json!("Fix login"), json!("/w"), json!("m"), Value::Null]
    );
    let upsert = |message: Value| plugin.done("upsertMessage", &json!({ "message": message }));
    upsert(json!({ "id": "m", "sessionId": "s", "role": "assistant", "textContent": "half" }));
    upsert(json!({ "id": "m", "sessionId": "s", "textContent": "half and whole" }));
    upsert(json!({ "id": "m", "sessionId": "s", "durationMs": 7 }));
    let said = || plugin.read("listMessages", &json!({ "sessionId": "s" }))["messages"][0].clone();
    assert_eq!(said()["textContent"], "half and whole");
    assert_eq!(said()["role"], "assistant");
    upsert(json!({ "id": "m", "sessionId": "s", "textContent": null }));
    assert_eq!(said()["textContent"], Value::Null);
    daemon.signal();
}

#[test]
fn ids_that_collide_across_agents_are_told_apart() {
    let home = Home::new();
    let daemon = Running::start(capturing(&home));
    let socket = home.socket();
    for (plugin, title) in [(opencode(&socket), "theirs"), (claude(&socket), "ours")] {
        let session = json!({ "id": "same", "title": title });
        plugin.done("upsertSession", &json!({ "session": session }));
        let tool = json!({ "id": "t", "sessionId": "same", "toolName": title });
        plugin.done("upsertTool", &json!({ "tool": tool }));
    }
    let plugin = opencode(&socket);
    let ambiguous = plugin.call("getSession", &json!({ "id": "same" }));
    assert_eq!(ambiguous["error"]["code"], 4004, "{ambiguous}");
    for (agent, title) in [("opencode", "theirs"), ("claude-code", "ours")] {
        let one = plugin.read("getSession", &json!({ "id": "same", "agent": agent }));
        assert_eq!(one["session"]["title"], title);
        assert_eq!(one["session"]["toolCallCount"], 1);
    }
    daemon.signal();
}

#[test]
fn a_secret_is_taken_out_before_it_is_written_and_what_is_unknown_is_kept() {
    let home = Home::new();
    let daemon = Running::start(capturing(&home));
    let socket = home.socket();
    let secret = format!("ghp_{}", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8");
    let plugin = claude(&socket);
    let session = json!({ "id": "s", "title": format!("use {secret}"), "env": { "T": secret } });
    plugin.done("upsertSession", &json!({ "session": session }));
    let message = json!({ "id": "m", "sessionId": "s", "role": "user", "textContent": secret });
    plugin.done("upsertMessage", &json!({ "message": message }));
    let found = plugin.read("search", &json!({ "query": "env" }));
    assert_eq!(found["results"][0]["kind"], "raw", "{found}");
    daemon.signal();
    for entry in std::fs::read_dir(home.path("replica")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
}

#[test]
fn what_rules_marks_and_settings_leave_out_is_not_kept() {
    let home = Home::new();
    let daemon = Running::start(capturing_with(&home, |capture| {
        capture.exclusions.paths = vec!["/w/secret".parse().unwrap()];
        capture.exclusions.agents = vec!["codex".to_owned()];
    }));
    let socket = home.socket();
    let plugin = claude(&socket);
    let session = |id: &str, more: Value| {
        let mut session = json!({ "id": id });
        session
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        plugin.done("upsertSession", &json!({ "session": session }));
    };
    let say = |id: &str, text: &str| {
        let message = json!({ "id": text, "sessionId": id, "role": "user", "textContent": text });
        plugin.done("upsertMessage", &json!({ "message": message }));
    };
    session("kept", json!({ "projectPath": "/w/open" }));
    session("path", json!({ "projectPath": "/w/secret/app" }));
    say("path", "words of a path");
    session("agent", json!({ "source": "codex" }));
    session("marked", json!({ "title": "before" }));
    say("marked", "#do-not-record");
    say("marked", "words behind the mark");
    let sessions = plugin.read("listSessions", &json!({}))["sessions"].clone();
    let mut ids: Vec<_> = sessions
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].clone())
        .collect();
    ids.sort_by_key(ToString::to_string);
    assert_eq!(ids, ["kept", "marked"]);
    assert_eq!(
        plugin.read("search", &json!({ "query": "words" }))["total"],
        0
    );
    daemon.signal();
    let daemon = Running::start(capturing_with(&home, |capture| {
        capture.captured = Captured::Nobody;
    }));
    session("off", json!({}));
    let gone = plugin.call("getSession", &json!({ "id": "off" }));
    assert_eq!(gone["error"]["code"], 4003);
    daemon.signal();
}
