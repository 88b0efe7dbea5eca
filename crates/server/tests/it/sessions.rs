//! Coding sessions over HTTP.

mod chosen;

use std::sync::Arc;

use serde_json::{Value, json};
use syncline_model::session::{SessionId, session_id};
use syncline_store::control::Rights;
use syncline_store::sessions::PriceTable;

use crate::support::{Reply, TestServer, start, start_with};

/// A session with a failed tool call and a subagent, one of another agent, and a thread.
struct Sessions {
    server: TestServer,
    token: String,
}

fn id(agent: &str, native: &str) -> SessionId {
    session_id(agent, native, "")
}

fn patch(clock: u64, session: SessionId, patch: Value) -> Value {
    json!({"scope": "session", "resourceId": session, "actor": "a", "clock": clock,
        "payload": {"type": "patch", "patch": patch}})
}

async fn sessions() -> Sessions {
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    let (main, child, other) = (
        id("claude-code", "main"),
        id("claude-code", "child"),
        id("codex", "other"),
    );
    let ops = [
        patch(
            1,
            main,
            json!({
            "session": {"agent": "claude-code", "nativeId": "main", "title": "Fix the login",
                "projectPath": "/w/app", "projectName": "app", "gitBranch": "main", "machine": "desk",
                "model": "m-1", "startedAt": "2026-03-01T10:00:00.000Z",
                "updatedAt": "2026-03-01T11:00:00.000Z"},
            "messages": [
                {"id": "u1", "role": "user", "at": "2026-03-01T10:00:00.000Z", "order": 1},
                {"id": "a1", "role": "assistant", "at": "2026-03-01T10:00:02.000Z", "order": 2}],
            "parts": [
                {"messageId": "u1", "id": "0", "kind": "text", "order": 0, "text": "mend the <flowers>"},
                {"messageId": "a1", "id": "0", "kind": "text", "order": 0, "text": "they are mended"},
                {"toolId": "t1", "id": "in", "kind": "tool_input", "order": 0, "text": "cargo test"},
                {"id": "line-9", "kind": "raw", "order": 9, "text": "{\"type\":\"new\"}"}],
            "tools": [{"id": "t1", "messageId": "a1", "name": "Bash", "success": false,
                "error": "exit 101", "order": 3, "at": "2026-03-01T10:00:03.000Z",
                "files": [{"path": "src/a.rs", "action": "edit"}]}],
            "usage": [{"id": "r1", "order": 2, "at": "2026-03-01T10:00:02.000Z", "model": "m-1",
                "input": 1000, "output": 100, "costNanos": 500_000_000}]}),
        ),
        patch(
            2,
            child,
            json!({
            "session": {"agent": "claude-code", "nativeId": "child", "parentKind": "subagent",
                "parentSession": main, "startedAt": "2026-03-01T10:30:00.000Z"},
            "messages": [{"id": "b1", "role": "assistant", "at": "2026-03-01T10:30:00.000Z"}],
            "parts": [{"messageId": "b1", "id": "0", "kind": "text", "order": 0,
                "text": "flowers of a subagent"}]}),
        ),
        patch(
            3,
            other,
            json!({
            "session": {"agent": "codex", "nativeId": "other", "title": "Plant trees",
                "projectName": "garden", "gitBranch": "trees", "machine": "lap", "model": "m-2",
                "startedAt": "2026-04-01T10:00:00.000Z"},
            "messages": [{"id": "u1", "role": "user", "at": "2026-04-01T10:00:00.000Z"}],
            "parts": [{"messageId": "u1", "id": "0", "kind": "text", "order": 0,
                "text": "flowers beside trees"}]}),
        ),
    ];
    let push = json!({"clientId": "c", "ops": ops});
    server.post("/sync/push", &token, push).await.expect(200);
    let thread = json!({"thread_id": "garden-1", "project_id": "garden", "name": "Garden",
        "entries": [{"entry_id": "00000000-0000-4000-8000-000000000001", "sequence_id": 0,
            "content": "flowers in a thread", "timestamp": "2026-03-01T10:00:00Z"}]});
    server
        .post("/api/threads/sync", &token, thread)
        .await
        .expect(200);
    Sessions { server, token }
}

impl Sessions {
    async fn get(&self, path: &str) -> Value {
        self.reply(path).await.expect(200)
    }

    async fn reply(&self, path: &str) -> Reply {
        self.server.get(path, &self.token).await
    }

    async fn names(&self, query: &str) -> Vec<String> {
        let page = self.get(&format!("/api/sessions{query}")).await;
        texts(&page["sessions"], "id")
    }
}

fn texts(rows: &Value, field: &str) -> Vec<String> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row[field].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn sessions_are_listed_by_what_the_query_asks_for() {
    let world = sessions().await;
    for (query, names) in [
        ("", vec!["other", "main"]),
        ("?subagents=true", vec!["other", "main", "child"]),
        ("?agent=codex", vec!["other"]),
        ("?project=app", vec!["main"]),
        ("?project=/w/app", vec!["main"]),
        ("?machine=desk", vec!["main"]),
        ("?branch=trees", vec!["other"]),
        ("?model=m-1", vec!["main"]),
        ("?since=2026-03-15", vec!["other"]),
        ("?until=2026-03-15T00:00:00Z", vec!["main"]),
        ("?has_error=true", vec!["main"]),
        ("?has_error=false", vec!["other"]),
        ("?min_cost=0.5", vec!["main"]),
        ("?min_cost=0.51", vec![]),
        ("?agent=nobody", vec![]),
        ("?agent=claude", vec!["main"]),
        ("?agent=claud", vec![]),
        ("?model=m", vec!["other", "main"]),
    ] {
        assert_eq!(world.names(query).await, names, "{query}");
    }
    for query in [
        "?since=soon",
        "?has_error=maybe",
        "?min_cost=-1",
        "?min_cost=NaN",
        "?limit=0",
        "?limit=201",
        "?cursor=x",
    ] {
        let reply = world.reply(&format!("/api/sessions{query}")).await;
        reply.refused(422, "invalid_field");
    }
}

#[tokio::test]
async fn pages_of_sessions_follow_each_other_by_cursor() {
    let world = sessions().await;
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world
            .get(&format!("/api/sessions?subagents=true&limit=1{cursor}"))
            .await;
        names.extend(texts(&page["sessions"], "id"));
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(names, ["other", "main", "child"]);
}

#[tokio::test]
async fn a_session_is_shown_with_its_figures_and_what_happened() {
    let world = sessions().await;
    let shown = world.get("/api/sessions/main").await;
    let session = &shown["session"];
    assert_eq!(session["title"], "Fix the login");
    assert_eq!(session["message_count"], 3, "its subagent's with it");
    assert_eq!(session["cost"], 0.5);
    assert_eq!(session["cost_source"], "reported");
    assert_eq!(texts(&session["subagents"], "id"), ["child"]);
    let stats = json!({"message_count": 3, "total_tokens": 1100, "total_cost": 0.5});
    assert_eq!(shown["stats"], stats);
    assert_eq!(texts(&shown["messages"], "id"), ["u1", "a1"]);
    assert_eq!(
        shown["messages"][0]["parts"][0]["text"],
        "mend the <flowers>"
    );
    let tool = &shown["tools"][0];
    assert_eq!(tool["name"], "Bash");
    assert_eq!(tool["message_id"], "a1");
    assert_eq!(
        tool["files"],
        json!([{"path": "src/a.rs", "action": "edit"}])
    );
    assert_eq!(shown["raw"][0]["text"], r#"{"type":"new"}"#);
    assert_eq!(shown["next_cursor"], Value::Null);
    let by_id = world
        .get(&format!("/api/sessions/{}", id("claude-code", "main")))
        .await;
    assert_eq!(by_id, shown);
    world
        .reply("/api/sessions/nobody")
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn what_happened_comes_in_pages() {
    let world = sessions().await;
    let mut ids = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = world
            .get(&format!("/api/sessions/main?limit=1{cursor}"))
            .await;
        ids.extend(texts(&page["messages"], "id"));
        ids.extend(texts(&page["tools"], "id"));
        ids.extend(texts(&page["raw"], "id"));
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(ids, ["u1", "a1", "t1", "line-9"]);
}

#[tokio::test]
async fn an_id_of_two_agents_is_ambiguous_until_one_is_named() {
    let world = sessions().await;
    let twin = patch(
        9,
        id("codex", "main"),
        json!({"session": {"agent": "codex", "nativeId": "main"}}),
    );
    let push = json!({"clientId": "c", "ops": [twin]});
    world
        .server
        .post("/sync/push", &world.token, push)
        .await
        .expect(200);
    let refused = world.reply("/api/sessions/main").await;
    let refused = refused.refused(409, "ambiguous");
    let candidates = &refused["error"]["details"]["candidates"];
    assert_eq!(texts(candidates, "agent").len(), 2);
    let shown = world.get("/api/sessions/main?agent=codex").await;
    assert_eq!(shown["session"]["agent"], "codex");
}

#[tokio::test]
async fn a_session_that_did_not_change_is_not_sent_again() {
    let world = sessions().await;
    let first = world.reply("/api/sessions/main").await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    let again = |tag: String| {
        let request =
            world
                .server
                .request(reqwest::Method::GET, "/api/sessions/main", &world.token);
        Reply::of(request.header("if-none-match", tag))
    };
    let same = again(format!("\"other\", {tag}")).await;
    assert_eq!((same.status.as_u16(), &*same.text), (304, ""));
    assert_eq!(same.header("etag"), tag);
    let news = patch(
        8,
        id("claude-code", "main"),
        json!({"session": {"title": "New"}}),
    );
    let push = json!({"clientId": "c", "ops": [news]});
    world
        .server
        .post("/sync/push", &world.token, push)
        .await
        .expect(200);
    let changed = again(tag.clone()).await;
    assert_eq!(changed.status.as_u16(), 200);
    assert_ne!(changed.header("etag"), tag);
}

#[tokio::test]
async fn a_search_finds_what_was_said_in_sessions_and_threads() {
    let world = sessions().await;
    let found = world.get("/api/search?q=flowers").await;
    assert_eq!(found["total"], 4);
    let scopes = texts(&found["results"], "scope");
    assert_eq!(&scopes[..2], ["session", "thread"], "in turn");
    for (query, count) in [
        ("&scope=session", 3),
        ("&scope=thread", 1),
        ("&agent=codex", 1),
        ("&project=garden", 2),
        ("&kind=text", 3),
        ("&kind=tool_input", 0),
        ("&has_error=true", 2),
        ("&has_error=false", 1),
        ("&min_cost=0.5", 2),
        ("&until=2026-03-15", 2),
    ] {
        let found = world.get(&format!("/api/search?q=flowers{query}")).await;
        assert_eq!(found["total"], count, "{query}");
        assert_eq!(found["results"].as_array().unwrap().len(), count, "{query}");
    }
    let marked = world.get("/api/search?q=mend+flowers&limit=1").await;
    assert_eq!(
        marked["results"][0]["content"],
        "<mark>mend</mark> the &lt;<mark>flowers</mark>&gt;"
    );
    let whole = texts(&found["results"], "content");
    let mut paged = Vec::new();
    for offset in 0..4 {
        let page = format!("/api/search?q=flowers&limit=1&offset={offset}");
        paged.extend(texts(&world.get(&page).await["results"], "content"));
    }
    assert_eq!(paged, whole);
    for query in [
        "",
        "?q=",
        "?q=x&scope=list",
        "?q=x&scope=thread&agent=a",
        "?q=x&offset=10001",
    ] {
        let reply = world.reply(&format!("/api/search{query}")).await;
        reply.refused(422, "invalid_field");
    }
}

#[tokio::test]
async fn stats_add_up_by_day_project_model_and_agent() {
    let world = sessions().await;
    for (by, keys) in [
        ("", vec!["2026-03-01", "2026-04-01"]),
        ("?by=project", vec!["app", "", "garden"]),
        ("?by=agent", vec!["claude-code", "codex"]),
        ("?by=day&since=2026-03-15", vec!["2026-04-01"]),
        ("?by=day&limit=1", vec!["2026-04-01"]),
        ("?by=project&limit=1", vec!["app"]),
        ("?by=agent&agent=codex", vec!["codex"]),
    ] {
        let stats = world.get(&format!("/api/stats{by}")).await;
        assert_eq!(texts(&stats["rows"], "key"), keys, "{by}");
    }
    let stats = world.get("/api/stats").await;
    assert_eq!(stats["by"], "day");
    let total = &stats["total"];
    assert_eq!(total["message_count"], 4);
    assert_eq!(total["tool_error_rate"], 1.0);
    assert_eq!(total["cost"], 0.5);
    let tool =
        json!({"name": "Bash", "calls": 1, "errors": 1, "error_rate": 1.0, "duration_ms": 0});
    assert_eq!(stats["tools"], json!([tool]));
    assert_eq!(stats["files"][0]["path"], "src/a.rs");
    let reply = world.reply("/api/stats?by=week").await;
    reply.refused(422, "invalid_field");
}

#[tokio::test]
async fn costs_are_computed_from_the_prices_of_the_operator() {
    let table =
        r#"{"prices": [{"model": "in-house", "from": "2026-01-01", "input": 3, "output": 5}]}"#;
    let server = start_with(|config| {
        config.prices = Arc::new(PriceTable::parse(table).unwrap());
    })
    .await;
    let token = server.token("acme", Rights::Sync);
    let session = id("codex", "s");
    let op = patch(
        1,
        session,
        json!({
            "session": {"agent": "codex", "nativeId": "s", "source": "exec", "startedAt": "2026-03-01T10:00:00.000Z"},
            "usage": [{"id": "r", "order": 1, "model": "in-house", "input": 1_000_000}]}),
    );
    let push = json!({"clientId": "c", "ops": [op]});
    server.post("/sync/push", &token, push).await.expect(200);
    let get = async |path: &str| server.get(path, &token).await.expect(200);
    let listed = get("/api/sessions").await["sessions"][0]["cost"].clone();
    let shown = get(&format!("/api/sessions/{session}")).await["session"]["cost"].clone();
    let stats = get("/api/stats").await["total"]["cost"].clone();
    let first = get("/api/sessions").await["sessions"][0].clone();
    assert_eq!(
        (&first["source"], &first["channel"]),
        (&json!("codex"), &json!("exec"))
    );
    assert_eq!(json!([listed, shown, stats]), json!([3.0, 3.0, 3.0]));
    assert_eq!(
        get("/api/sessions?min_cost=2.9").await["sessions"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}
