//! Rows of sessions, as recorders send them.

use serde_json::{Value, json};
use syncline_store::control::Rights;

use crate::support::{Reply, TestServer, open_to_all, start, start_with};

fn session_row() -> Value {
    json!({
        "id": "s1", "title": "Fix login", "project_path": "/w/app", "project_name": "app",
        "model": "m-1", "provider": "p", "source": "opencode", "status": "active",
        "prompt_tokens": 1000, "completion_tokens": 50, "cost": 0.5, "message_count": 4,
        "tool_call_count": 2, "permission_mode": "default", "created_at": 1_767_000_000_000_u64,
        "updated_at": 1_767_000_100_000_u64, "ended_at": null,
    })
}

fn message_row(id: &str, text: &str) -> Value {
    json!({
        "id": id, "session_id": "s1", "role": "user", "text_content": text, "model": "m-1",
        "prompt_tokens": 10, "completion_tokens": 2, "duration_ms": 7,
        "created_at": 1_767_000_001_000_u64, "completed_at": "2025-12-29T09:20:02Z",
    })
}

fn batch(sessions: Vec<Value>, messages: Vec<Value>) -> Value {
    json!({"sessions": sessions, "messages": messages, "sync_timestamp": "2026-01-30T10:00:00Z"})
}

struct Recorder {
    server: TestServer,
    token: String,
}

async fn recorder() -> Recorder {
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    Recorder { server, token }
}

impl Recorder {
    async fn send(&self, body: Value) -> Reply {
        self.server.post("/sync/batch", &self.token, body).await
    }

    async fn status(&self) -> Value {
        self.server
            .get("/sync/status", &self.token)
            .await
            .expect(200)
    }

    /// What the log holds, as text.
    async fn log(&self) -> String {
        self.server.get("/sync/pull", &self.token).await.text
    }
}

#[tokio::test]
async fn a_batch_is_taken_whatever_it_counts() {
    let recorder = recorder().await;
    let mut message = message_row("m1", "fix it");
    message["prompt_tokens"] = json!(u64::MAX);
    message["completion_tokens"] = json!(u64::MAX);
    let body = batch(vec![session_row()], vec![message]);
    recorder.send(body).await.expect(200);
}

#[tokio::test]
async fn a_batch_is_answered_with_exactly_the_keys_that_recorders_read() {
    let server = start_with(open_to_all).await;
    let body = json!({"sessions": [{"id": "s1", "title": "Test"}], "messages": [],
        "sync_timestamp": "2026-01-30T10:00:00Z"});
    let request = server.client.post(server.url("/sync/batch")).json(&body);
    let reply = Reply::of(request).await.expect(200);
    let at = reply["sync_timestamp"].as_str().unwrap().to_owned();
    assert!(at.ends_with('Z') && *at > *"2026-01-30", "{at}");
    let expected = json!({"sessions_synced": 1, "messages_synced": 0, "sync_timestamp": at,
        "tenant": "default"});
    assert_eq!(reply, expected);
    let health = Reply::of(server.client.get(server.url("/health"))).await;
    let health = health.expect(200);
    assert_eq!(health["status"], "healthy");
    assert_eq!(health["auth_mode"], "none");
    assert!(health["version"].is_string() && health["database"].is_string());
    let status = Reply::of(server.client.get(server.url("/sync/status"))).await;
    let status = status.expect(200);
    assert_eq!(status["total_sessions"], 1);
    assert_eq!(status["total_messages"], 0);
    assert_eq!(status["last_sync"], at.as_str());
}

#[tokio::test]
async fn a_batch_that_is_sent_again_writes_nothing_again() {
    let recorder = recorder().await;
    let body = batch(vec![session_row()], vec![message_row("m1", "hello")]);
    let first = recorder.send(body.clone()).await.expect(200);
    assert_eq!(
        (&first["sessions_synced"], &first["messages_synced"]),
        (&json!(1), &json!(1))
    );
    let before = recorder.log().await;
    assert!(before.contains("Fix login") && before.contains("hello"));
    let again = recorder.send(body).await.expect(200);
    assert_eq!(again["messages_synced"], 1);
    assert_eq!(recorder.log().await, before);
}

#[tokio::test]
async fn two_rows_of_one_thing_in_a_batch_are_one_and_the_later_counts() {
    let recorder = recorder().await;
    let rows = vec![message_row("m1", "first"), message_row("m1", "second")];
    let body = batch(
        vec![session_row(), json!({"id": "s1", "title": "Later"})],
        rows,
    );
    recorder.send(body.clone()).await.expect(200);
    let before = recorder.log().await;
    assert!(before.contains("second") && !before.contains("first"));
    assert!(before.contains("Later") && before.contains("/w/app"));
    recorder.send(body).await.expect(200);
    assert_eq!(recorder.log().await, before);
}

#[tokio::test]
async fn a_field_that_is_absent_or_empty_stays_and_one_that_is_null_is_emptied() {
    let recorder = recorder().await;
    let body = batch(vec![session_row()], vec![]);
    recorder.send(body).await.expect(200);
    let part = json!({"id": "s1", "source": "opencode", "title": "", "model": "m-2",
        "status": null, "project_name": "Untitled Session"});
    recorder.send(batch(vec![part], vec![])).await.expect(200);
    let log: Value = serde_json::from_str(&recorder.log().await).unwrap();
    let last = &log["ops"].as_array().unwrap().last().unwrap()["payload"]["patch"]["session"];
    let expected = json!({"model": "m-2", "status": null, "projectName": "Untitled Session"});
    assert_eq!(last, &expected);
}

#[tokio::test]
async fn a_message_belongs_to_the_session_that_is_known_and_waits_for_none() {
    let recorder = recorder().await;
    recorder
        .send(batch(vec![session_row()], vec![]))
        .await
        .expect(200);
    recorder
        .send(batch(vec![], vec![message_row("m1", "known")]))
        .await
        .expect(200);
    let status = recorder.status().await;
    assert_eq!(status["total_sessions"], 1);
    let early = json!({"id": "m9", "session_id": "s9", "role": "user", "text_content": "early"});
    recorder.send(batch(vec![], vec![early])).await.expect(200);
    let status = recorder.status().await;
    assert_eq!(status["total_sessions"], 2);
    assert_eq!(status["total_messages"], 2);
}

#[tokio::test]
async fn a_session_whose_agent_is_told_after_its_messages_is_one() {
    let recorder = recorder().await;
    let told = [
        batch(vec![], vec![message_row("m1", "before")]),
        batch(vec![session_row()], vec![]),
        batch(vec![], vec![message_row("m2", "after")]),
    ];
    for body in told {
        recorder.send(body).await.expect(200);
    }
    let path = "/api/sessions";
    let sessions = recorder.server.get(path, &recorder.token).await.expect(200);
    let sessions = sessions["sessions"].as_array().unwrap();
    let found = sessions.iter().map(|session| {
        let shown = ["agent", "title", "message_count"].map(|field| &session[field]);
        shown.map(ToString::to_string).join(" ")
    });
    assert_eq!(found.collect::<Vec<_>>(), [r#""opencode" "Fix login" 2"#]);
    let mut other = session_row();
    other["source"] = json!("codex");
    recorder.send(batch(vec![other], vec![])).await.expect(200);
    assert_eq!(recorder.status().await["total_sessions"], 2);
}

#[tokio::test]
async fn sessions_of_one_id_and_several_agents_stay_apart_in_one_batch() {
    let recorder = recorder().await;
    // Told before anybody said whose it is: it goes to the first that is named, and to no other.
    let early = json!({"id": "m0", "session_id": "dup", "role": "user", "text_content": "early"});
    recorder.send(batch(vec![], vec![early])).await.expect(200);
    let session = |agent: &str, title: &str| json!({"id": "dup", "title": title, "source": agent});
    let message = |id: &str, agent: Value| json!({"id": id, "session_id": "dup", "role": "user", "text_content": id, "source": agent});
    let sessions = || vec![session("codex", "A"), session("opencode", "B")];
    let unsaid = batch(sessions(), vec![message("m1", Value::Null)]);
    let refused = recorder.send(unsaid).await.refused(409, "ambiguous");
    assert_eq!(
        refused["error"]["details"],
        json!({"field": "messages[0].source", "agents": ["codex", "opencode"]})
    );
    let messages = vec![
        message("m1", json!("codex")),
        message("m2", json!("opencode")),
        message("m3", json!("opencode")),
    ];
    let body = batch(sessions(), messages);
    recorder.send(body.clone()).await.expect(200);
    let found = || async {
        let path = "/api/sessions";
        let sessions = recorder.server.get(path, &recorder.token).await.expect(200);
        let sessions = sessions["sessions"].as_array().unwrap();
        let found = sessions.iter().map(|session| {
            let shown = ["agent", "title", "message_count"].map(|field| &session[field]);
            shown.map(ToString::to_string).join(" ")
        });
        let mut found: Vec<_> = found.collect();
        found.sort();
        found
    };
    let expected = [r#""codex" "A" 2"#, r#""opencode" "B" 2"#];
    assert_eq!(found().await, expected);
    let before = recorder.log().await;
    recorder.send(body).await.expect(200);
    assert_eq!(recorder.log().await, before);
    assert_eq!(found().await, expected);
}

#[tokio::test]
async fn a_batch_with_one_bad_field_names_it_and_leaves_nothing() {
    let recorder = recorder().await;
    let before = recorder.log().await;
    let good = message_row("m1", "hello");
    let with = |field: &str, value: Value| {
        let mut row = message_row("m2", "bad");
        row[field] = value;
        batch(vec![session_row()], vec![good.clone(), row])
    };
    let long = "x".repeat(5_000);
    for (field, value) in [
        ("id", json!("")),
        ("id", json!(7)),
        ("session_id", json!("")),
        ("role", json!(["user"])),
        ("model", json!(long)),
        ("prompt_tokens", json!(-1)),
        ("duration_ms", json!(1.5)),
        ("created_at", json!("yesterday")),
        ("completed_at", json!(9_007_199_254_740_993_i64)),
        ("text_content", json!({"a": 1})),
    ] {
        let refused = recorder.send(with(field, value.clone())).await;
        let refused = refused.refused(422, "invalid_field");
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(
            message.contains("messages[1]") && message.contains(field),
            "{field} = {value}: {message}"
        );
    }
    for cost in [json!(-0.5), json!(1e300)] {
        let mut row = session_row();
        row["cost"] = cost;
        let refused = recorder.send(batch(vec![row], vec![])).await;
        let refused = refused.refused(422, "invalid_field");
        assert_eq!(refused["error"]["details"]["field"], "sessions[0].cost");
    }
    let many = (0..1_001).map(|n| message_row(&n.to_string(), "x"));
    let refused = recorder.send(batch(vec![], many.collect())).await;
    refused.refused(413, "payload_too_large");
    assert_eq!(recorder.log().await, before);
}

#[tokio::test]
async fn a_long_text_is_taken_whole() {
    let recorder = recorder().await;
    let text = format!("{}end", "é\u{1}\"".repeat(200_000));
    let body = batch(vec![session_row()], vec![message_row("m1", &text)]);
    recorder.send(body.clone()).await.expect(200);
    let log: Value = serde_json::from_str(&recorder.log().await).unwrap();
    let ops = log["ops"].as_array().unwrap().iter();
    let parts = ops.flat_map(|op| {
        op["payload"]["patch"]["parts"]
            .as_array()
            .into_iter()
            .flatten()
    });
    let parts: Vec<&Value> = parts.collect();
    assert_eq!(parts[0]["continues"], Value::Null);
    assert!(parts.len() > 1 && parts[1..].iter().all(|part| part["continues"] == true));
    let parts = parts.into_iter();
    let found: String = parts.map(|part| part["text"].as_str().unwrap()).collect();
    assert!(found == text, "the text is not what was sent");
    let before = recorder.log().await;
    recorder.send(body).await.expect(200);
    assert_eq!(recorder.log().await, before);
}

#[tokio::test]
async fn a_text_that_was_cut_within_a_character_is_taken_and_its_secret_is_not() {
    let recorder = recorder().await;
    let token = ["ghp", "_16C7e42F292c6912E7710c838347Ae178B4a"].concat();
    let text = format!("use {token} CUT");
    let body = batch(
        vec![session_row()],
        vec![message_row("m1", &text), message_row("m2", "whole")],
    );
    let body = body.to_string().replace("CUT", "\\ud83d");
    let (path, key) = ("/sync/batch", &recorder.token);
    let reply = recorder.server.post_bytes(path, key, body).await;
    assert_eq!(reply.expect(200)["messages_synced"], 2);
    let log = recorder.log().await;
    assert!(
        log.contains("[redacted:") && log.contains("\u{fffd}"),
        "{log}"
    );
    assert!(log.contains("whole") && !log.contains(&token), "{log}");
}

#[tokio::test]
async fn no_secret_that_is_sent_is_in_any_file_of_the_server() {
    let recorder = recorder().await;
    // Put together here: no text of this repository looks like a token.
    let tokens =
        ["A1", "B2", "C3"].map(|salt| format!("ghp_{salt}q9Xw7Lr2Vt5Zk8Bn3Mh6Jf4Dc1Gs{salt}p0Ye"));
    let password = "x9!kQ2vLp";
    let mut session = session_row();
    session["title"] = json!(format!("use {}", tokens[0]));
    session["status"] = json!(format!("waits for {}", tokens[1]));
    let text = format!(
        "export GITHUB_TOKEN={}\nPGPASSWORD={password} psql\nand go on",
        tokens[2]
    );
    let body = batch(vec![session], vec![message_row("m1", &text)]);
    recorder.send(body.clone()).await.expect(200);
    let log = recorder.log().await;
    assert!(
        log.contains("[redacted:") && log.contains("and go on"),
        "{log}"
    );
    recorder.send(body).await.expect(200);
    assert_eq!(recorder.log().await, log);
    let mut waiting = vec![recorder.server.data.path().to_owned()];
    let mut files = 0;
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(
                std::fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            continue;
        }
        files += 1;
        let bytes = std::fs::read(&path).unwrap();
        for secret in tokens.iter().map(String::as_str).chain([password]) {
            let mut windows = bytes.windows(secret.len());
            let is_there = windows.any(|window| window == secret.as_bytes());
            assert!(!is_there, "{secret} is in {}", path.display());
        }
    }
    assert!(files > 1);
}
