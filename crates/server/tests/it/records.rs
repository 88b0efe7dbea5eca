//! One document is a backend: its own paths, and the queue of clients with a database of their own.

mod bad;
mod canaries;
mod capitals;
mod declared;
mod dropped;
mod formats;
mod guesses;
mod hidden;
mod history;
mod lists;
mod nested;
mod numbers;
mod probes;
mod renamed;
mod repeats;
mod respelled;
mod roles;
mod schema;
mod spellings;
mod told;
mod versions;
mod violations;
mod wakes;

use reqwest::Method;
use serde_json::{Value, json};
use syncline_model::schema::Role;
use syncline_model::{TenantId, UserId};
use syncline_store::control::{Member, Rights};

use crate::support::{Reply, TestServer, now, start};

/// A document with roles of every kind.
const LEDGER: &str = include_str!("records/ledger.yaml");

/// A document of one entity.
pub(crate) fn document() -> Value {
    let note = json!({"$ref": "#/components/schemas/Note"});
    let content = |schema: &Value| json!({"application/json": {"schema": schema}});
    let answer = |schema: &Value| json!({"200": {"description": "", "content": content(schema)}});
    let made = json!({"201": {"description": "", "content": content(&note)}});
    let sent = json!({"content": content(&note)});
    json!({
        "openapi": "3.1.0",
        "info": {"title": "notes", "version": "1"},
        "paths": {
            "/api/notes": {
                "get": {"responses": answer(&json!({"type": "array", "items": note}))},
                "post": {"requestBody": sent, "responses": made},
            },
            "/api/notes/{id}": {
                "parameters": [{"name": "id", "in": "path", "required": true,
                    "schema": {"type": "string"}}],
                "get": {"responses": answer(&note)},
                "patch": {"requestBody": sent, "responses": answer(&note)},
                "put": {"requestBody": sent, "responses": answer(&note)},
                "delete": {"responses": {"204": {"description": ""}}},
            },
        },
        "components": {"schemas": {"Note": {
            "type": "object",
            "required": ["id", "text"],
            "properties": {
                "id": {"type": "string"},
                "text": {"type": "string", "maxLength": 20},
                "done": {"type": "boolean"},
                "place": {"type": ["integer", "null"], "format": "int32"},
                "secret": {"type": "string", "x-owner-only": true},
                "here": {"type": "string", "x-sync-exclude": true},
            },
        }}},
    })
}

/// A server whose tenant `acme` has the document, and a token that may write.
async fn served() -> (TestServer, String) {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    let applied = ask(
        &server,
        Method::PUT,
        "/api/schema",
        &admin,
        Some(document()),
    )
    .await;
    let applied = applied.expect(200);
    assert_eq!(applied["changes"][0]["kind"], "add-entity");
    let writer = server.token("acme", Rights::Sync);
    (server, writer)
}

async fn ask(
    server: &TestServer,
    method: Method,
    path: &str,
    token: &str,
    body: Option<Value>,
) -> Reply {
    let request = server.request(method, path, token);
    Reply::of(match body {
        None => request,
        Some(body) => request.json(&body),
    })
    .await
}

/// A tenant `acme` with a document of the test's own.
struct App {
    server: TestServer,
}

impl App {
    /// With a document, as JSON or YAML.
    async fn of(document: &str) -> Self {
        let app = Self {
            server: start().await,
        };
        app.apply(document).await;
        app
    }

    async fn apply(&self, document: &str) {
        let admin = self.server.token("acme", Rights::Admin);
        let request = self.server.request(Method::PUT, "/api/schema", &admin);
        Reply::of(request.body(document.to_owned()))
            .await
            .expect(200);
    }

    /// The token of a user who has a role in the tenant.
    fn member(&self, user: &str, role: Role) -> String {
        let member = Member {
            tenant: TenantId::new("acme").unwrap(),
            user: UserId::new(user).unwrap(),
            role,
            changed_at: now(),
        };
        self.server.control().put_member(&member).unwrap();
        self.token(user)
    }

    /// The token of a user without a role of their own.
    fn token(&self, user: &str) -> String {
        let issued = self.server.issue_to(user, "acme", Rights::Sync, None);
        issued.text
    }

    async fn get(&self, token: &str, path: &str) -> Reply {
        self.server.get(path, token).await
    }

    async fn send(&self, token: &str, method: Method, path: &str, body: Value) -> Reply {
        self.server.send(method, path, token, body).await
    }

    async fn post(&self, token: &str, path: &str, body: Value) -> Reply {
        self.send(token, Method::POST, path, body).await
    }

    async fn patch(&self, token: &str, path: &str, body: Value) -> Reply {
        self.send(token, Method::PATCH, path, body).await
    }

    async fn delete(&self, token: &str, path: &str) -> Reply {
        Reply::of(self.server.request(Method::DELETE, path, token)).await
    }

    /// What became of transactions of `/api/writes`, each of one write: `(write_id, write)`.
    async fn writes(&self, token: &str, writes: &[(&str, Value)]) -> Vec<Value> {
        let transactions = writes.iter();
        let transactions =
            transactions.map(|(write_id, write)| json!({"write_id": write_id, "writes": [write]}));
        let body = json!({"transactions": transactions.collect::<Vec<_>>()});
        let answer = self.post(token, "/api/writes", body).await.expect(200);
        answer["results"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn a_document_gives_a_tenant_paths_that_no_other_has() {
    let (server, writer) = served().await;
    let note = json!({"id": "a", "text": "one"});
    let made = ask(&server, Method::POST, "/api/notes", &writer, Some(note)).await;
    assert_eq!(made.header("syncline-txid"), "2");
    let made = made.expect(201);
    assert_eq!(
        (&made["text"], &made["txid"], &made["_role"]),
        (&json!("one"), &json!(2), &json!("editor"))
    );
    let wrong = ask(&server, Method::PUT, "/api/notes", &writer, None).await;
    assert_eq!(wrong.header("allow"), "GET,HEAD,POST");
    wrong.refused(405, "method_not_allowed");
    let other = server.token("other", Rights::Sync);
    ask(&server, Method::GET, "/api/notes", &other, None)
        .await
        .refused(404, "not_found");
    let reader = server.token("acme", Rights::Read);
    ask(&server, Method::GET, "/api/notes", &reader, None)
        .await
        .expect(200);
    let note = json!({"text": "x"});
    ask(&server, Method::POST, "/api/notes", &reader, Some(note))
        .await
        .refused(403, "forbidden");
}

#[tokio::test]
async fn a_record_is_changed_put_in_place_of_and_deleted() {
    let (server, writer) = served().await;
    let at = "/api/notes/a";
    let send = async |method, body| ask(&server, method, at, &writer, body).await;
    let note = json!({"id": "a", "text": "one"});
    ask(&server, Method::POST, "/api/notes", &writer, Some(note))
        .await
        .expect(201);
    let changed = json!({"done": true, "place": 5, "new_word": [1]});
    let changed = send(Method::PATCH, Some(changed)).await.expect(200);
    assert_eq!(
        (&changed["done"], &changed["place"]),
        (&json!(true), &json!(5))
    );
    assert_eq!(changed["new_word"], json!([1]), "an unknown field is kept");

    let less = send(Method::PUT, Some(json!({"done": true}))).await;
    let less = less.refused(422, "validation_failed");
    let field = &less["error"]["details"]["fields"][0];
    assert_eq!(
        (&field["field"], &field["code"]),
        (&json!("text"), &json!("required")),
        "what can't be emptied must be named"
    );
    let put = json!({"text": "two"});
    let put = send(Method::PUT, Some(put)).await.expect(200);
    assert_eq!((&put["text"], &put["place"]), (&json!("two"), &Value::Null));
    assert_eq!(put.get("done"), None, "what may be absent is so again");
    assert_eq!(put["new_word"], json!([1]), "an unknown field is kept");

    let gone = send(Method::DELETE, None).await;
    assert_eq!(
        (gone.status.as_u16(), gone.header("syncline-txid")),
        (204, "5")
    );
    send(Method::GET, None).await.refused(404, "not_found");
}

#[tokio::test]
async fn what_breaks_the_document_is_refused_field_by_field_and_nothing_is_written() {
    let (server, writer) = served().await;
    let both =
        json!([{"id": "a", "text": "fits"}, {"id": "b", "text": "x".repeat(21), "place": "no"}]);
    let refused = ask(&server, Method::POST, "/api/notes", &writer, Some(both)).await;
    let error = refused.refused(422, "validation_failed");
    assert_eq!(error["error"]["details"]["write"], 1);
    let fields: Vec<_> = error["error"]["details"]["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| field["field"].clone())
        .collect();
    assert_eq!(fields, ["place", "text"]);
    ask(&server, Method::GET, "/api/notes/a", &writer, None)
        .await
        .refused(404, "not_found");

    let owners = json!({"id": "c", "text": "x", "secret": "s"});
    ask(&server, Method::POST, "/api/notes", &writer, Some(owners))
        .await
        .refused(403, "forbidden_field");
    let here = json!({"id": "d", "text": "x", "here": "mine"});
    let made = ask(&server, Method::POST, "/api/notes", &writer, Some(here))
        .await
        .expect(201);
    assert_eq!(made.get("here"), None);
    ask(
        &server,
        Method::POST,
        "/api/notes",
        &writer,
        Some(json!("text")),
    )
    .await
    .refused(422, "invalid_field");
}

#[tokio::test]
async fn null_empties_a_field_and_absence_leaves_it() {
    let app = App::of(LEDGER).await;
    let ada = app.token("ada");
    let person = json!({"id": "p", "name": "one", "email": "e", "diary": "d"});
    app.post(&ada, "/api/people", person).await.expect(201);
    let change = json!({"email": null});
    let changed = app.patch(&ada, "/api/people/p", change).await.expect(200);
    assert_eq!(
        (&changed["email"], &changed["diary"]),
        (&Value::Null, &json!("d"))
    );
    app.patch(&ada, "/api/people/p", json!({"name": null}))
        .await
        .refused(422, "validation_failed");
    let put = json!({"name": "two"});
    let put = app.send(&ada, Method::PUT, "/api/people/p", put).await;
    let put = put.expect(200);
    assert_eq!(
        (&put["diary"], &put["joined"]),
        (&Value::Null, &json!("2020-01-01"))
    );
}

#[tokio::test]
async fn a_conflict_that_rejects_shows_base_mine_and_theirs() {
    let app = App::of(LEDGER).await;
    let ada = app.member("ada", Role::Editor);
    app.shares(&ada, "ada", "one", "owner").await;
    let all = "/api/accounts/one/bookings";
    let booking = json!({"id": "b", "text": "first"});
    app.post(&ada, all, booking).await.expect(201);
    let one = format!("{all}/b");
    let change = |text: &str| json!({"text": text, "_base": {"text": "first"}});
    app.patch(&ada, &one, change("second")).await.expect(200);
    let late = app.patch(&ada, &one, change("late")).await;
    let late = late.refused(409, "conflict");
    assert_eq!(
        late["error"]["details"]["conflicts"],
        json!({"text": {"base": "first", "mine": "late", "theirs": "second"}})
    );
}

#[tokio::test]
async fn a_value_that_is_one_records_alone_is_kept_so() {
    let app = App::of(LEDGER).await;
    let ada = app.token("ada");
    let person = |id: &str, email: Value| json!({"id": id, "name": "n", "email": email});
    app.post(&ada, "/api/people", person("p", json!("e")))
        .await
        .expect(201);
    let same = app.post(&ada, "/api/people", person("q", json!("e"))).await;
    let same = same.refused(409, "unique_violation");
    assert_eq!(same["error"]["details"]["fields"][0]["field"], "email");
    let both = json!([person("q", json!("f")), person("r", json!("f"))]);
    app.post(&ada, "/api/people", both)
        .await
        .refused(409, "unique_violation");
    app.get(&ada, "/api/people/q")
        .await
        .refused(404, "not_found");
    let nulls = json!([person("q", Value::Null), person("r", Value::Null)]);
    app.post(&ada, "/api/people", nulls).await.expect(201);
}
