//! What the server writes down of its requests.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use syncline_store::control::Rights;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{push_of, start};

/// Lines that were logged.
#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn of_requests(&self) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines
            .filter(|line: &Value| line["fields"]["http.route"].is_string())
            .collect()
    }
}

#[tokio::test]
async fn a_request_is_logged_by_its_route_and_nothing_of_what_it_says() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(lines.clone())
        .finish();
    // For this thread, on which the whole server runs here.
    let _logged = tracing::subscriber::set_default(subscriber);
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    let mut push = push_of("a", [1]);
    push["ops"][0]["payload"] = "canary-body".into();
    server.post("/sync/push", &token, push).await.expect(200);
    let search = "/api/threads/search?q=canary-query";
    server.get(search, &token).await.expect(200);
    let missing = server.get("/api/threads/canary-key", &token).await;
    missing.refused(404, "not_found");
    server
        .get("/canary-path", &token)
        .await
        .refused(404, "not_found");

    let logged = lines.of_requests();
    let routes: Vec<_> = logged
        .iter()
        .map(|line| line["fields"]["http.route"].as_str().unwrap())
        .collect();
    let search = "/api/threads/search";
    assert_eq!(
        routes,
        [
            "/sync/push",
            search,
            "/api/threads/{id}",
            "/{*document_path}"
        ]
    );
    let fields = &logged[2]["fields"];
    assert_eq!(fields["http.status"], 404);
    assert_eq!(fields["error.code"], "not_found");
    assert_eq!(fields["tenant.id"], "acme");
    assert_eq!(fields["request.id"], missing.header("x-request-id"));
    let ours: Vec<_> = lines
        .text()
        .lines()
        .filter(|line| line.contains("\"syncline_"))
        .map(str::to_owned)
        .collect();
    for line in ours {
        assert!(!line.contains("canary") && !line.contains(&token), "{line}");
    }
}
