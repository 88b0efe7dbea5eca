//! A schema that would call records otherwise than they are.

use reqwest::Method;
use serde_json::{Value, json};
use syncline_model::schema::Role;
use syncline_store::control::Rights;

use super::{App, document};
use crate::support::Reply;

/// Notes with a slug of this form, called by this field.
fn notes(key: &str, slug: &Value) -> Value {
    let mut document = document();
    let note = &mut document["components"]["schemas"]["Note"];
    note["properties"]["slug"] = slug.clone();
    let named = document
        .to_string()
        .replace("/{id}", &format!("/{{{key}}}"));
    let named = named.replace("\"name\":\"id\"", &format!("\"name\":\"{key}\""));
    serde_json::from_str(&named).unwrap()
}

async fn put(app: &App, document: &Value) -> Reply {
    let admin = app.server.token("acme", Rights::Admin);
    let path = "/api/schema?allow=change-key,change-kind,drop-operation,tighten-field";
    let request = app.server.request(Method::PUT, path, &admin);
    Reply::of(request.json(document)).await
}

#[tokio::test]
async fn a_key_that_would_call_records_otherwise_is_refused_until_there_are_none() {
    let text = json!({"type": "string"});
    let app = App::of(&notes("id", &text).to_string()).await;
    let ada = app.member("ada", Role::Owner);
    for (id, slug) in [("a", "a"), ("b", "bee"), ("7", "seven")] {
        let note = json!({"id": id, "text": "x", "slug": slug});
        app.post(&ada, "/api/notes", note).await.expect(201);
    }
    let refused = put(&app, &notes("slug", &text)).await;
    let error = refused.refused(422, "validation_failed");
    let message = error["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("2 of the records of `notes`") && message.contains("7, b"),
        "{message}"
    );
    assert_eq!(
        app.get(&ada, "/api/notes/b").await.expect(200)["slug"],
        "bee"
    );
    for path in ["/api/notes/b", "/api/notes/7"] {
        let deleted = app.delete(&ada, path).await;
        assert_eq!(deleted.status.as_u16(), 204, "{}", deleted.text);
    }
    put(&app, &notes("slug", &text)).await.expect(200);
    assert_eq!(app.get(&ada, "/api/notes/a").await.expect(200)["slug"], "a");
    // Nor may it be of a kind that they are none of.
    let uuid = json!({"type": "string", "format": "uuid"});
    let refused = put(&app, &notes("slug", &uuid)).await;
    let error = refused.refused(422, "validation_failed");
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.contains("1 of the records of `notes`"), "{message}");
}
