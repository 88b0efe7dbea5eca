use serde_json::json;
use syncline_server::{AuthMode, ServeConfig, ServeError, prepare};
use syncline_store::control::{DataDirectory, Rights};
use tokio::net::TcpListener;

use crate::support::{push_of, start, start_on};

#[tokio::test]
async fn what_is_no_push_is_refused_and_changes_nothing() {
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    let deep = format!("{{\"clientId\":\"c\",\"ops\":{}", "[".repeat(200_000));
    let bodies: Vec<&[u8]> = vec![
        b"",
        b"nonsense",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b"{\"clientId\":\"c\"}",
        b"{\"ops\":[]}",
        b"{\"clientId\":7,\"ops\":[]}",
        b"{\"clientId\":\"\",\"ops\":[]}",
        b"{\"clientId\":\"a\\u0000b\",\"ops\":[]}",
        b"{\"clientId\":\"c\",\"ops\":{}}",
        b"{\"clientId\":\"c\",\"ops\":[],\"epoch\":\"x\"}",
        b"{\"clientId\":\"c\",\"ops\":[],\"cursor\":{\"serverSeq\":-1,\"mark\":\"\"}}",
        b"{\"clientId\":\"c\",\"ops\":[],\"cursor\":{\"serverSeq\":1e400,\"mark\":\"00000000000000000000000000000000\"}}",
        b"{\"clientId\":\"c\",\"ops\":[],\"cursor\":{\"serverSeq\":1}}",
        b"{\"clientId\":\"c\",\"ops\":[{\"scope\":\"n\"}}",
        b"{\"clientId\":\"\xff\",\"ops\":[]}",
        b"{\"clientId\":\"c\",\"ops\":[]} trailing",
        deep.as_bytes(),
    ];
    for body in bodies {
        let reply = server.post_bytes("/sync/push", &token, body).await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        assert_eq!(reply.status.as_u16(), 400, "{shown}: {}", reply.text);
        reply.refused(400, "bad_request");
    }
    let page = server.get("/sync/pull", &token).await.expect(200);
    assert_eq!(page["serverSeq"], 0);
}

#[tokio::test]
async fn odd_clocks_and_names_are_rejected_op_by_op() {
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    let long = "x".repeat(257);
    let cases = [
        ("clock", json!(0), "invalid_op"),
        ("clock", json!(-1), "invalid_op"),
        ("clock", json!(1.5), "invalid_op"),
        ("clock", json!("1"), "invalid_op"),
        ("clock", json!(1_u64 << 53), "clock_lead"),
        ("clock", json!(1e300), "invalid_op"),
        ("clock", json!((1_u64 << 32) + 1), "clock_lead"),
        ("scope", json!(""), "invalid_op"),
        ("scope", json!("'; DROP TABLE ops; --"), "invalid_op"),
        ("resourceId", json!("a\nb"), "invalid_op"),
        ("resourceId", json!(long), "invalid_op"),
        ("actor", json!(null), "invalid_op"),
    ];
    for (field, value, code) in cases {
        let mut push = push_of("a", [1]);
        push["ops"][0][field] = value.clone();
        let answer = server.post("/sync/push", &token, push).await.expect(200);
        assert_eq!(
            answer["results"][0]["error"]["code"], code,
            "{field}: {value}"
        );
    }
    // SQL in a name is only a name.
    let mut push = push_of("a", [1]);
    push["ops"][0]["resourceId"] = json!("'); DELETE FROM ops; --");
    push["ops"][0]["actor"] = json!("../../\"';");
    server.post("/sync/push", &token, push).await.expect(200);
    let page = server.get("/sync/pull", &token).await.expect(200);
    assert_eq!(page["ops"][0]["resourceId"], "'); DELETE FROM ops; --");
}

#[tokio::test]
async fn odd_places_are_refused() {
    let server = start().await;
    let token = server.token("acme", Rights::Read);
    for query in [
        "since=-1",
        "since=x",
        "since=1.5",
        "since=9007199254740992",
        "since=99999999999999999999999",
        "limit=0",
        "limit=-3",
        "limit=x",
        "mark=zz",
        "epoch=1",
        "floor=-1",
        "since=1&since=2",
        "clientId=%ff",
        "clientId=%00",
    ] {
        let reply = server.get(&format!("/sync/pull?{query}"), &token).await;
        assert_eq!(reply.status.as_u16(), 400, "{query}: {}", reply.text);
        reply.refused(400, "bad_request");
    }
}

#[tokio::test]
async fn tenants_that_would_leave_their_directory_have_no_name() {
    for name in [
        "..", "../x", "a/b", "a\\b", ".hidden", "", "a\0b", "C:", "a%2fb",
    ] {
        assert!(syncline_model::TenantId::new(name).is_err(), "{name}");
    }
}

#[tokio::test]
async fn a_data_directory_of_a_newer_version_is_refused_and_left_alone() {
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    server
        .post("/sync/push", &token, push_of("a", [1]))
        .await
        .expect(200);
    let data = server.stop().await;
    let path = data.path().join("data");
    let directory = DataDirectory::open(&path).unwrap();
    let tenant = directory.tenant_file(&syncline_model::TenantId::new("acme").unwrap());
    let raise = |file: &std::path::Path, version: i64| {
        let raw = rusqlite::Connection::open(file).unwrap();
        raw.pragma_update(None, "user_version", version).unwrap();
    };
    let ours: i64 = rusqlite::Connection::open(&tenant)
        .and_then(|raw| raw.pragma_query_value(None, "user_version", |row| row.get(0)))
        .unwrap();
    // A newer tenant file: its tenant has to wait, others go on.
    raise(&tenant, 1_000);
    let server = start_on(data, |_| {}).await;
    let reply = server.get("/sync/pull", &token).await;
    reply.refused(503, "unavailable");
    assert!(!reply.header("retry-after").is_empty());
    let other = server.token("other", Rights::Sync);
    server
        .post("/sync/push", &other, push_of("a", [1]))
        .await
        .expect(200);
    let data = server.stop().await;
    raise(&tenant, ours);
    let server = start_on(data, |_| {}).await;
    assert_eq!(
        server.get("/sync/pull", &token).await.expect(200)["serverSeq"],
        1
    );

    // A newer control file: nothing starts.
    let data = server.stop().await;
    raise(&path.join("control.db"), 1_000);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = ServeConfig::new(&path, AuthMode::Token { jwt: None });
    let refused = prepare(config, listener).unwrap_err();
    assert!(
        matches!(refused, ServeError::Auth(_) | ServeError::Control(_)),
        "{refused}"
    );
    drop(data);
}

#[tokio::test]
async fn thread_requests_of_another_shape_name_the_field() {
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    let entry = json!({"entry_id": "00000000-0000-4000-8000-000000000001", "sequence_id": 0,
        "content": "x", "timestamp": "2024-01-01T00:00:00Z"});
    let good = json!({"thread_id": "k", "project_id": "p", "name": "n", "entries": [entry]});
    let with = |path: &str, value: serde_json::Value| {
        let mut body = good.clone();
        *body.pointer_mut(path).unwrap() = value;
        body
    };
    for body in [
        with("/thread_id", json!(7)),
        with("/thread_id", json!("")),
        with("/thread_id", json!("a\nb")),
        with("/thread_id", json!("x".repeat(129))),
        with("/project_id", json!("a/b")),
        with("/name", json!("x".repeat(257))),
        with("/entries", json!([])),
        with("/entries", json!({})),
        with("/entries/0/entry_id", json!("not-a-uuid")),
        with("/entries/0/sequence_id", json!(-1)),
        with("/entries/0/content", json!("")),
        with("/entries/0/timestamp", json!("yesterday")),
        json!({"thread_id": "k", "project_id": "p", "name": "n"}),
        json!([]),
    ] {
        let reply = server.post("/api/threads/sync", &token, body.clone()).await;
        assert_eq!(reply.status.as_u16(), 422, "{body}: {}", reply.text);
        let body = reply.refused(422, "invalid_field");
        assert_eq!(body["detail"], body["error"]["message"]);
    }
    let reply = server
        .post_bytes("/api/threads/sync", &token, "{\"thread_id\":")
        .await;
    let body = reply.refused(400, "bad_request");
    assert!(body["detail"].as_str().unwrap().contains("line 1"));
    for (query, status) in [
        ("status=open", 422),
        ("limit=0", 422),
        ("limit=101", 422),
        ("offset=-1", 422),
        ("cursor=x", 422),
        ("project_id=%ff", 400),
    ] {
        let reply = server.get(&format!("/api/threads?{query}"), &token).await;
        assert_eq!(reply.status.as_u16(), status, "{query}: {}", reply.text);
    }
}
