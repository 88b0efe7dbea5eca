use reqwest::Method;
use serde_json::json;
use syncline_server::{AuthMode, Exposure, ServeConfig, ServeError, prepare};
use syncline_store::control::Rights;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::support::{OPERATOR_TOKEN, Reply, open_to_all, start, start_with};

#[tokio::test]
async fn health_tells_version_and_mode_without_a_token() {
    let server = start().await;
    let health = Reply::of(server.client.get(server.url("/health")))
        .await
        .expect(200);
    assert_eq!(health["status"], "healthy");
    assert_eq!(health["auth_mode"], "token");
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
    assert!(health["database"].is_string());
    Reply::of(server.client.get(server.url("/ready")))
        .await
        .expect(200);
}

#[tokio::test]
async fn the_openapi_document_names_every_route_with_its_right() {
    let server = start().await;
    let document = Reply::of(server.client.get(server.url("/openapi.json")))
        .await
        .expect(200);
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths["/sync/push"]["post"]["x-rights"], "sync");
    assert_eq!(paths["/sync/reset"]["post"]["x-rights"], "admin");
    assert_eq!(paths["/health"]["get"]["security"], serde_json::json!([]));
    let ids: Vec<_> = paths
        .values()
        .flat_map(|methods| methods.as_object().unwrap().values())
        .map(|operation| operation["operationId"].as_str().unwrap().to_owned())
        .collect();
    let mut unique = ids.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), ids.len());
}

#[tokio::test]
async fn metrics_count_by_route_and_name_no_tenant() {
    let server = start().await;
    let token = server.token("canary-tenant", syncline_store::control::Rights::Sync);
    server.get("/sync/pull", &token).await.expect(200);
    let metrics = server.get("/metrics", OPERATOR_TOKEN).await;
    assert!(
        metrics
            .header("content-type")
            .starts_with("text/plain; version=0.0.4")
    );
    let line = "syncline_http_requests_total{method=\"GET\",route=\"/sync/pull\",status=\"2xx\"} 1";
    assert!(
        metrics.text.lines().any(|found| found == line),
        "{}",
        metrics.text
    );
    assert!(!metrics.text.contains("canary"));
}

#[tokio::test]
async fn metrics_are_for_who_runs_the_server_and_for_no_tenant() {
    let server = start_with(|config| config.metrics_token = None).await;
    let admin = server.token("acme", syncline_store::control::Rights::Admin);
    for token in [&*admin, OPERATOR_TOKEN] {
        let refused = server
            .get("/metrics", token)
            .await
            .refused(403, "forbidden");
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(message.contains("--metrics-token-file"), "{message}");
    }
    // Where nobody is asked for a token, there is one tenant.
    let open = start_with(|config| {
        open_to_all(config);
        config.metrics_token = None;
    })
    .await;
    let reply = Reply::of(open.client.get(open.url("/metrics"))).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    // Unless a token was set.
    let open = start_with(open_to_all).await;
    let reply = Reply::of(open.client.get(open.url("/metrics"))).await;
    reply.refused(401, "unauthorized");
    assert!(open.metrics().await.contains("syncline_build_info"));
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused_as_json() {
    let server = start().await;
    let token = server.token("acme", Rights::Read);
    for path in [
        "/sync",
        "/sync/push/",
        "/../etc/passwd",
        "/%2e%2e/x",
        "/api/threads/a/b/c",
    ] {
        server.get(path, &token).await.refused(404, "not_found");
        // Which paths a tenant's document has is nobody else's to know.
        let reply = Reply::of(server.client.get(server.url(path))).await;
        assert!(matches!(reply.status.as_u16(), 401 | 404), "{reply:?}");
    }
    let reply = Reply::of(server.client.put(server.url("/sync/push"))).await;
    reply.refused(405, "method_not_allowed");
    assert!(reply.header("allow").contains("POST"), "{reply:?}");
}

#[tokio::test]
async fn pages_of_other_sites_and_names_that_are_not_ours_are_refused() {
    let server = start().await;
    let ask = |host: &str, origin: Option<&str>| {
        let mut request = server
            .client
            .get(server.url("/health"))
            .header("host", host);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        Reply::of(request)
    };
    let own = server.address.to_string();
    ask(&own, None).await.expect(200);
    ask(&own, Some(&format!("http://{own}"))).await.expect(200);
    ask("evil.example", None).await.refused(403, "forbidden");
    ask(&own, Some("http://evil.example"))
        .await
        .refused(403, "forbidden");
    ask(&own, Some("null")).await.refused(403, "forbidden");
    // The router's own refusals tell a stranger no more.
    let path = server.url("/nowhere");
    let reply = Reply::of(server.client.get(path).header("host", "evil.example")).await;
    reply.refused(403, "forbidden");
}

#[tokio::test]
async fn pages_of_an_origin_that_the_server_was_started_with_ask_and_read() {
    let server = start_with(|config| config.origins = vec!["https://app.example".to_owned()]).await;
    let token = server.token("acme", Rights::Sync);
    let ask = async |method: Method, path: &str, origin: &str| {
        let request = server.client.request(method, server.url(path));
        Reply::of(request.header("origin", origin)).await
    };
    let preflight = async |path: &str, origin: &str| {
        let request = server.client.request(Method::OPTIONS, server.url(path));
        let request = request
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "authorization,content-type",
            );
        Reply::of(request).await
    };
    let app = "https://app.example";
    for path in ["/api/writes", "/sync/push", "/api/invoices/1"] {
        let may = preflight(path, app).await;
        assert_eq!(may.status.as_u16(), 204, "{path}: {may:?}");
        assert_eq!(may.header("access-control-allow-origin"), app);
        assert_eq!(may.header("access-control-allow-methods"), "POST");
        let taken = may.header("access-control-allow-headers");
        for name in [
            "authorization",
            "content-type",
            "idempotency-key",
            "if-match",
        ] {
            assert!(taken.contains(name), "{taken}");
        }
        preflight(path, "https://evil.example")
            .await
            .refused(403, "forbidden");
    }
    // What is refused is to be read as well.
    let refused = ask(Method::POST, "/api/writes", app).await;
    assert_eq!(refused.header("access-control-allow-origin"), app);
    refused.refused(401, "unauthorized");
    let body = json!({"transactions": []});
    let request = server.request(Method::POST, "/api/writes", &token);
    let written = Reply::of(request.header("origin", app).json(&body)).await;
    assert_eq!(written.header("access-control-allow-origin"), app);
    let mut vary = written.headers.get_all("vary").iter();
    assert!(vary.any(|name| name == "origin"), "{written:?}");
    let exposed = written.header("access-control-expose-headers").to_owned();
    for name in [
        "syncline-txid",
        "syncline-next-cursor",
        "etag",
        "retry-after",
    ] {
        assert!(exposed.contains(name), "{exposed}");
    }
    written.expect(200);
    // Without such a question, the method is none of the path's.
    ask(Method::OPTIONS, "/api/writes", app)
        .await
        .refused(405, "method_not_allowed");
    let own = ask(
        Method::GET,
        "/health",
        &format!("http://{}", server.address),
    )
    .await;
    assert!(own.headers.get("access-control-allow-origin").is_none());
}

#[tokio::test]
async fn head_is_answered_like_get_without_a_body() {
    let server = start().await;
    let reply = Reply::of(server.client.request(Method::HEAD, server.url("/health"))).await;
    assert_eq!((reply.status.as_u16(), reply.text.as_str()), (200, ""));
}

async fn refused_start(address: &str, exposure: Exposure, data: &TempDir) -> Option<ServeError> {
    let listener = TcpListener::bind(address).await.unwrap();
    let path = data.path().join("data");
    prepare(
        ServeConfig::new(path, AuthMode::None { exposure }),
        listener,
    )
    .err()
}

#[tokio::test]
async fn without_authentication_only_loopback_is_served_unless_said() {
    let data = TempDir::new().unwrap();
    let refused = refused_start("0.0.0.0:0", Exposure::LoopbackOnly, &data).await;
    assert!(matches!(refused, Some(ServeError::OpenToOthers { .. })));
    assert!(
        refused_start("0.0.0.0:0", Exposure::Anywhere, &data)
            .await
            .is_none()
    );
    assert!(
        refused_start("127.0.0.1:0", Exposure::LoopbackOnly, &data)
            .await
            .is_none()
    );
}

#[tokio::test]
async fn two_servers_never_work_on_one_directory() {
    let data = TempDir::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = ServeConfig::new(data.path().join("data"), AuthMode::Token { jwt: None });
    let first = prepare(config.clone(), listener).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refused = prepare(config.clone(), listener).unwrap_err();
    assert!(matches!(refused, ServeError::Directory(_)), "{refused}");
    drop(first);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    drop(prepare(config, listener).unwrap());
}
