//! Every route × every kind of credential, from the document that is made of the route table: a new
//! route without a sample here fails.

mod samples;

use reqwest::Method;
use serde_json::{Value, json};
use syncline_model::Timestamp;
use syncline_server::{Deletes, ServeConfig};
use syncline_store::control::Rights;

use samples::rows_of;

use crate::records::document;
use crate::support::{Issued, OPERATOR_TOKEN, Reply, TestServer, now, push_of, start, start_with};

/// What stands in every text of tenant `acme`, and nowhere else.
const CANARY: &str = "canary";

/// A request that each route would answer well for an admin of tenant `acme`.
pub(crate) struct Sample {
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    if_match: Option<String>,
}

/// The state that the samples are about.
pub(crate) struct World {
    pub(crate) server: TestServer,
    epoch: String,
    spare: Issued,
}

pub(crate) async fn world() -> World {
    let allow = |config: &mut ServeConfig| config.shapes.deletes = Deletes::Allowed;
    let server = start_with(allow).await;
    let admin = server.token("acme", Rights::Admin);
    let pushed = server
        .post("/sync/push", &admin, push_of(CANARY, 1..=2))
        .await
        .expect(200);
    let thread = json!({
        "thread_id": "canary-key", "project_id": "canary-project", "name": "canary-name",
        "entries": [{"entry_id": "00000000-0000-4000-8000-000000000001", "sequence_id": 0,
            "content": "canary content", "timestamp": "2024-01-01T00:00:00Z"}],
    });
    server
        .post("/api/threads/sync", &admin, thread)
        .await
        .expect(200);
    let list = json!({"list_id": "canary-list", "title": "canary title"});
    server.post("/api/lists", &admin, list).await.expect(201);
    let item = json!({"item_id": "canary-item", "text": "canary text", "note": "canary note"});
    let items = "/api/lists/canary-list/items";
    server.post(items, &admin, item).await.expect(201);
    server
        .post("/sync/batch", &admin, rows_of(CANARY))
        .await
        .expect(200);
    server
        .send(Method::PUT, "/api/schema", &admin, document())
        .await
        .expect(200);
    let note = json!({"id": "canary-note", "text": "canary note"});
    let noted = server
        .request(Method::POST, "/api/notes", &admin)
        .header("idempotency-key", "canary-write")
        .json(&note);
    Reply::of(noted).await.expect(201);
    let shape = server.get("/v1/shape?table=threads&offset=-1", &admin);
    shape.await.expect(200);
    let spare = server.issue("acme", Rights::Read, None);
    World {
        epoch: pushed["epoch"].as_str().unwrap().to_owned(),
        server,
        spare,
    }
}

impl World {
    pub(crate) fn sample(&self, method: &Method, path: &str) -> Option<Sample> {
        let method = method.as_str();
        let spare = self.spare.id.to_string();
        let (path, body) = samples::of(method, path, &spare)?;
        let if_match = (path == "/sync/reset").then(|| format!("\"{}\"", self.epoch));
        Some(Sample {
            path,
            body,
            if_match,
        })
    }

    /// Asks, and reads the whole answer, or the first event of a stream.
    async fn ask(&self, method: &Method, sample: &Sample, token: Option<&str>) -> (u16, String) {
        let body = sample.body.as_ref().map(Value::to_string);
        self.ask_with(method, sample, token, body.map(String::into_bytes))
            .await
    }

    /// Asks with another body than the sample's.
    pub(crate) async fn ask_with(
        &self,
        method: &Method,
        sample: &Sample,
        token: Option<&str>,
        body: Option<Vec<u8>>,
    ) -> (u16, String) {
        let url = self.server.url(&sample.path);
        let mut request = self.server.client.request(method.clone(), url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body);
        }
        if let Some(epoch) = &sample.if_match {
            request = request.header("if-match", epoch);
        }
        let mut response = request.send().await.unwrap();
        let status = response.status().as_u16();
        if sample.path.starts_with("/sync/stream") && status == 200 {
            let first = response.chunk().await.unwrap().unwrap();
            return (status, String::from_utf8_lossy(&first).into_owned());
        }
        (status, response.text().await.unwrap())
    }
}

/// Who may call a route.
#[derive(Debug, Clone, Copy)]
enum Access {
    Everybody,
    Bearers(Rights),
    Operator,
}

/// A route, as the document has it.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: String,
    access: Access,
    pub(crate) success: u16,
    /// The names of what its query may hold.
    pub(crate) query: Vec<String>,
}

pub(crate) async fn routes(server: &TestServer) -> Vec<Route> {
    let document = Reply::of(server.client.get(server.url("/openapi.json")))
        .await
        .expect(200);
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let responses = operation["responses"].as_object().unwrap();
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let query = parameters.filter(|parameter| parameter["in"] == "query");
            let success = responses
                .keys()
                .find(|status| status.starts_with('2'))
                .unwrap();
            routes.push(Route {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                access: access(operation),
                success: success.parse().unwrap(),
                query: query
                    .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
                    .collect(),
            });
        }
    }
    assert!(routes.len() >= 20, "the document has lost its routes");
    routes
}

fn access(operation: &Value) -> Access {
    match (
        operation["x-rights"].as_str(),
        operation["x-credential"].as_str(),
    ) {
        (Some(rights), None) => Access::Bearers(rights.parse().unwrap()),
        (None, Some("operator")) => Access::Operator,
        (None, None) if operation["security"] == json!([]) => Access::Everybody,
        other => panic!("who may call is not told apart: {other:?}"),
    }
}

#[tokio::test]
async fn every_route_asks_for_the_right_it_says_and_no_credential_reaches_further() {
    let world = world().await;
    let server = &world.server;
    let past = Timestamp::from_millis(now().as_millis() - 1000).unwrap();
    let expired = server.issue("acme", Rights::Admin, Some(past)).text;
    let revoked = server.issue("acme", Rights::Admin, None);
    server.revoke(revoked.id);
    let before = server
        .get("/sync/pull", &server.token("acme", Rights::Read))
        .await
        .text;

    for route in routes(server).await {
        let name = format!("{} {}", route.method, route.path);
        let sample = world.sample(&route.method, &route.path);
        let sample = sample.unwrap_or_else(|| panic!("{name} has no sample"));
        if let Access::Everybody = route.access {
            let (status, text) = world.ask(&route.method, &sample, None).await;
            assert_eq!(status, route.success, "{name}");
            assert!(
                !text.contains(CANARY),
                "{name} shows a tenant's data to everybody"
            );
            continue;
        }
        for (kind, token) in [
            ("none", None),
            ("expired", Some(&*expired)),
            ("revoked", Some(&*revoked.text)),
            ("malformed", Some("nonsense")),
        ] {
            let (status, text) = world.ask(&route.method, &sample, token).await;
            assert_eq!(status, 401, "{name} with {kind}: {text}");
            assert!(!text.contains(CANARY), "{name} with {kind}");
        }
        for rights in Rights::ALL {
            let refusal = match route.access {
                Access::Bearers(needed) if rights.include(needed) => continue,
                Access::Bearers(_) | Access::Everybody => 403,
                // A tenant's token is no token there.
                Access::Operator => 401,
            };
            let token = server.token("acme", rights);
            let (status, text) = world.ask(&route.method, &sample, Some(&token)).await;
            assert_eq!(status, refusal, "{name} with {rights}: {text}");
        }
        let after = server
            .get("/sync/pull", &server.token("acme", Rights::Read))
            .await
            .text;
        assert_eq!(after, before, "{name} changed the log for who may not");
    }
}

#[tokio::test]
async fn no_route_shows_or_changes_another_tenants_data() {
    let world = world().await;
    let server = &world.server;
    let other = server.token("umbrella", Rights::Admin);
    let own = server.token("acme", Rights::Admin);
    let before = server.get("/sync/pull", &own).await.text;
    for route in routes(server).await {
        let name = format!("{} {}", route.method, route.path);
        let sample = world.sample(&route.method, &route.path).unwrap();
        let (status, text) = world.ask(&route.method, &sample, Some(&other)).await;
        assert!(status < 500, "{name}: {status} {text}");
        assert!(
            !text.contains(CANARY),
            "{name} shows another tenant's data: {text}"
        );
        let after = server.get("/sync/pull", &own).await.text;
        assert_eq!(after, before, "{name} changed another tenant's log");
    }
    server
        .get("/api/whoami", &world.spare.text)
        .await
        .expect(200);
}

#[tokio::test]
async fn every_route_answers_its_owner_as_it_says() {
    // A world for each: some samples undo what others are about.
    let server = start().await;
    for route in routes(&server).await {
        let world = world().await;
        let sample = world.sample(&route.method, &route.path).unwrap();
        let token = match route.access {
            Access::Everybody => world.server.token("acme", Rights::default()),
            Access::Bearers(rights) => world.server.token("acme", rights),
            Access::Operator => OPERATOR_TOKEN.to_owned(),
        };
        let (status, text) = world.ask(&route.method, &sample, Some(&token)).await;
        assert_eq!(
            status, route.success,
            "{} {}: {text}",
            route.method, route.path
        );
    }
}
