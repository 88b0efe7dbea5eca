//! Paths of a document that the server answers itself are told of, whatever routes it has.

use reqwest::{Method, header};
use serde_json::{Value, json};
use syncline_model::schema::Role;
use syncline_server::openapi_document;
use syncline_store::control::Rights;

use super::App;
use crate::support::Reply;

/// A document of one entity, whatever its path is called.
fn things_at(path: &str) -> Value {
    let thing = json!({
        "type": "object",
        "properties": {
            "id": {"type": "string"}, "p0": {"type": "string"}, "p1": {"type": "string"},
            "mark": {"type": "string"},
        },
    });
    let schema = match path.trim_end_matches('/').ends_with("/{id}") {
        true => thing,
        false => json!({"type": "array", "items": thing}),
    };
    let answer = json!({"description": "", "content": {"application/json": {"schema": schema}}});
    json!({
        "openapi": "3.1.0",
        "info": {"title": "things", "version": "1"},
        "paths": {path: {"x-sync": {"entity": "things"}, "get": {"responses": {"200": answer}}}},
    })
}

/// An own path as a document has it: its parameters are fields, and the last names the record.
fn as_documented(own: &str) -> String {
    let count = own.split('/').count();
    let mut fields = 0;
    let parts = own.split('/').enumerate().map(|(n, part)| {
        if !part.starts_with('{') {
            return part.to_owned();
        }
        if n + 1 == count {
            return "{id}".to_owned();
        }
        fields += 1;
        format!("{{p{}}}", fields - 1)
    });
    parts.collect::<Vec<_>>().join("/")
}

/// What the server says of a document with this path, which then stands; and whether a request there is
/// answered by the document's operation.
async fn told_and_served(app: &App, admin: &str, path: &str) -> (Value, bool) {
    let allowing = "/api/schema?allow=drop-operation";
    let request = app.server.request(Method::PUT, allowing, admin);
    let told = Reply::of(request.json(&things_at(path))).await.expect(200);
    let asked = ["{p0}", "{p1}", "{id}"]
        .iter()
        .fold(path.to_owned(), |path, open| path.replace(open, "x"));
    (told, is_served(app, admin, &asked).await)
}

async fn is_served(app: &App, token: &str, path: &str) -> bool {
    let request = app.server.request(Method::GET, path, token);
    let answer = request.send().await.unwrap();
    let kind = answer.headers().get(header::CONTENT_TYPE);
    // A stream has no end, and a file of the log holds every record.
    let is_json = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    is_json && {
        let text = answer.text().await.unwrap();
        text.contains("of the document") && text.contains("_role")
    }
}

#[tokio::test]
async fn every_path_that_the_server_answers_itself_is_told_of_and_no_other() {
    let app = App::of(&things_at("/api/things").to_string()).await;
    let admin = app.server.token("acme", Rights::Admin);
    let ada = app.member("ada", Role::Owner);
    let values = json!({"p0": "x", "p1": "x", "mark": "of the document"});
    let write = json!({"entity": "things", "id": "x", "action": "create", "values": values});
    let written = app.writes(&ada, &[("w", write)]).await;
    assert_eq!(written[0]["status"], "accepted", "{written:?}");

    let own = openapi_document();
    let own = own["paths"].as_object().unwrap();
    assert!(own.len() > 40, "{}", own.len());
    // No entity can be at the root, which holds no word.
    for path in own.keys().filter(|path| *path != "/") {
        let path = as_documented(path);
        let (told, served) = told_and_served(&app, &admin, &path).await;
        assert!(!served, "{path} is the server's own");
        let hidden = json!([{"entity": "things", "method": "GET", "path": path}]);
        assert_eq!(told["hidden"], hidden, "{told}");
        let note = &told["diagnostics"][0];
        let place = format!("/paths/{}", path.replace('/', "~1"));
        assert_eq!(
            (&note["code"], &note["severity"], &note["pointer"]),
            (&json!("hidden_path"), &json!("warning"), &json!(place)),
            "{told}"
        );
        assert!(note["line"].as_u64() > Some(0), "{told}");

        // Neither what goes on where it ends, nor what it is when a slash follows, is the server's.
        let beyond = [
            format!("{}/more", path.replace("{id}", "{p1}")),
            format!("{path}/"),
        ];
        for path in beyond.iter().filter(|path| !path.ends_with("shape/")) {
            let (told, served) = told_and_served(&app, &admin, path).await;
            let is_hidden = told["hidden"] != json!([]);
            let is_told = told["diagnostics"].to_string().contains("\"warning\"");
            assert_eq!((is_hidden, is_told), (!served, !served), "{path}: {told}");
        }
    }
    // The records are there by what is told in its place.
    let rows = app.get(&ada, "/v1/shape?table=things&offset=-1").await;
    let rows = rows.expect(200).to_string();
    assert!(rows.contains("of the document"), "{rows}");
}

#[tokio::test]
async fn parameters_hide_words_and_words_hide_some_of_a_parameters_values() {
    let app = App::of(&things_at("/api/things").to_string()).await;
    let admin = app.server.token("acme", Rights::Admin);
    let (told, served) = told_and_served(&app, &admin, "/api/threads/mine").await;
    assert_eq!(
        (told["hidden"][0]["entity"].as_str(), served),
        (Some("things"), false)
    );

    let ada = app.member("ada", Role::Owner);
    let values = json!({"p0": "x", "mark": "of the document"});
    let write = json!({"entity": "things", "id": "x", "action": "create", "values": values});
    app.writes(&ada, &[("w", write)]).await;
    let (told, served) = told_and_served(&app, &admin, "/{p0}/status").await;
    assert_eq!((&told["hidden"], served), (&json!([]), true));
    let note = told["diagnostics"][0].clone();
    assert_eq!(
        (&note["code"], &note["severity"]),
        (&json!("hidden_path"), &json!("info"))
    );
    let message = note["message"].as_str().unwrap();
    assert!(message.contains("/sync/status"), "{message}");
}

#[tokio::test]
async fn a_path_with_escapes_is_served() {
    let app = App::of(&things_at("/api/caf%C3%A9s").to_string()).await;
    let ada = app.member("ada", Role::Owner);
    let write = json!({"entity": "things", "id": "x", "action": "create",
        "values": {"mark": "of the document"}});
    app.writes(&ada, &[("w", write)]).await;
    assert!(is_served(&app, &ada, "/api/caf%C3%A9s").await);
    assert!(is_served(&app, &ada, "/api/caf%c3%a9s").await);
}
