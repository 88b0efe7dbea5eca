//! What a schema drops stays kept from whom it was kept: in records, in their history, in the log.

use reqwest::Method;
use serde_json::{Value, json};
use syncline_model::schema::Role;
use syncline_store::control::Rights;

use super::canaries::{Kept, canary};
use super::{App, LEDGER};
use crate::support::{Reply, start_with};

/// Its pay is a field no more.
const PERSON: Kept = Kept {
    entity: "people",
    all: "/api/people",
    id: "p",
    open: "name",
    fields: &[("salary", &[])],
};

const RESTRICTED: &str = "      read_permissions:
        viewer: [open]
        editor: [open, diary]
        owner: [open, diary, pay]
";

/// The document without the pay, and without anything that was kept from anybody.
fn without_pay() -> String {
    let rest = [
        (RESTRICTED, ""),
        (", pay: [salary]", ""),
        (", diary, pay]", ", diary]"),
        (
            "        salary: { type: [string, \"null\"], maxLength: 60 }\n",
            "",
        ),
    ];
    let changed = |text: String, (what, by): (&str, &str)| {
        assert!(text.contains(what), "{what}");
        text.replace(what, by)
    };
    rest.into_iter().fold(LEDGER.to_owned(), changed)
}

/// Where `/api/people` is nothing any more, and people are none.
fn without_people() -> String {
    LEDGER.replace("/api/people", "/api/others")
}

/// The document with everybody reading all there is of people.
fn open() -> String {
    LEDGER.replace(RESTRICTED, "")
}

impl App {
    async fn apply_with(&self, document: &str, allow: &str) -> Reply {
        let admin = self.server.token("acme", Rights::Admin);
        let path = format!("/api/schema?allow={allow}");
        let request = self.server.request(Method::PUT, &path, &admin);
        Reply::of(request.body(document.to_owned())).await
    }

    /// A tenant with one person, whose pay and diary are canaries.
    async fn paid() -> Self {
        let server = start_with(|config| {
            config.shapes.stream = std::time::Duration::from_millis(300);
        });
        let app = Self {
            server: server.await,
        };
        app.apply(LEDGER).await;
        let olga = app.member("olga", Role::Owner);
        let person = json!({"id": "p", "name": "Pat", "salary": canary("salary"),
            "diary": canary("diary")});
        app.post(&olga, "/api/people", person).await.expect(201);
        app
    }

    /// All that the log gives who asks.
    async fn log(&self, token: &str) -> String {
        let ways = self.ways_of_the_log(token).await;
        ways.into_iter().map(|(_, text)| text).collect()
    }
}

#[tokio::test]
async fn a_field_that_was_kept_from_a_role_and_goes_is_kept_from_it_still() {
    let app = App::paid().await;
    let document = without_pay();
    app.apply_with(&document, "drop-field,change-access")
        .await
        .expect(200);
    for role in Role::ALL {
        let token = app.member(&format!("user-{role}"), role);
        let mut ways = app.ways_of_rest(&token, &PERSON).await;
        ways.extend(app.ways_of_shapes(&token, &PERSON).await);
        ways.extend(app.ways_of_the_log(&token).await);
        for (way, text) in ways {
            let sings = text.contains(&canary("salary"));
            assert!(!sings, "by {way} to {role}: {text}");
        }
    }
    let owner = app.token("olga");
    // The same document again is the same schema.
    let again = app.apply_with(&document, "").await.expect(200);
    assert_eq!(again["changes"], json!([]));
    let shown = app.get(&owner, "/api/people/p").await.expect(200);
    assert_eq!(shown["id"], "p");
}

#[tokio::test]
async fn a_field_that_comes_back_shows_what_it_held_to_others_only_with_leave() {
    let app = App::paid().await;
    let ada = app.member("ada", Role::Editor);
    let document = without_pay();
    let gone = app.apply_with(&document, "drop-field,change-access");
    gone.await.expect(200);
    let back = app.apply_with(&open(), "").await;
    let back = back.refused(409, "breaking_schema");
    let changes = back["error"]["details"]["changes"].as_array().unwrap();
    let is_meant = |change: &Value| {
        (&change["kind"], &change["field"]) == (&json!("change-access"), &json!("salary"))
    };
    assert!(changes.iter().any(is_meant), "{back}");
    app.apply_with(&open(), "change-access").await.expect(200);
    let shown = app.get(&ada, "/api/people/p").await.expect(200);
    assert_eq!(shown["salary"], canary("salary"));
}

#[tokio::test]
async fn who_writes_to_a_field_that_is_gone_is_told_that_nobody_is_shown_it() {
    let app = App::paid().await;
    app.apply_with(&without_pay(), "drop-field,change-access")
        .await
        .expect(200);
    let olga = app.token("olga");
    let change = json!({"name": "Pam", "salary": "9"});
    let changed = app
        .send(&olga, Method::PATCH, "/api/people/p", change.clone())
        .await;
    assert_eq!(changed.header("syncline-ignored"), "salary");
    assert_eq!(changed.expect(200)["name"], "Pam");
    let write = json!({"entity": "people", "id": "p", "action": "update", "values": change});
    let queue = json!({"transactions": [{"write_id": "w", "writes": [write]}]});
    let told = app.post(&olga, "/api/writes", queue).await.expect(200);
    assert_eq!(told["results"][0]["ignored"], json!([["salary"]]), "{told}");
}

#[tokio::test]
async fn records_of_an_entity_that_is_gone_are_kept_from_whom_they_were() {
    let app = App::paid().await;
    let (vi, olga) = (app.member("vi", Role::Viewer), app.token("olga"));
    let document = without_people();
    app.apply_with(&document, "drop-entity").await.expect(200);
    assert!(!app.log(&vi).await.contains("canary"));
    assert!(app.log(&olga).await.contains(&canary("diary")));
    let back = app.apply_with(&open(), "").await;
    back.refused(409, "breaking_schema");
    let back = app.apply_with(LEDGER, "drop-entity").await.expect(200);
    let is_people = |change: &&Value| change["entity"] == "people";
    let changes = back["changes"].as_array().unwrap();
    let told: Vec<_> = changes.iter().filter(is_people).collect();
    let what = "add-entity people: is there again, with the records that it had";
    assert_eq!(told.len(), 1, "{back}");
    assert_eq!(
        (&told[0]["what"], told[0].get("violating")),
        (&json!(what), None)
    );
    let shown = app.get(&vi, "/api/people/p").await;
    assert!(!shown.text.contains("canary"), "{}", shown.text);
    shown.expect(200);
}

#[tokio::test]
async fn an_entity_that_comes_back_is_told_with_the_records_that_it_does_not_take() {
    let app = App::paid().await;
    let document = without_people();
    app.apply_with(&document, "drop-entity").await.expect(200);
    let strict = LEDGER.replace(
        "name: { type: string, maxLength: 40",
        "name: { type: string, maxLength: 2",
    );
    assert_ne!(strict, LEDGER);
    let back = app.apply_with(&strict, "drop-entity").await.expect(200);
    let changes = back["changes"].as_array().unwrap();
    let told = changes.iter().find(|change| change["entity"] == "people");
    let told = told.expect("people are told of");
    assert_eq!(told["violating"], json!({"count": 1, "ids": ["p"]}));
    let what = told["what"].as_str().unwrap();
    let wanted = "with the records that it had; 1 record holds what it does not take: p";
    assert!(what.ends_with(wanted), "{what}");
}

#[tokio::test]
async fn an_entity_that_comes_back_is_told_with_the_records_that_share_what_is_unique_now() {
    let app = App::paid().await;
    let olga = app.member("olga", Role::Owner);
    for id in ["one", "other"] {
        let twin = json!({"id": id, "name": "twin"});
        app.post(&olga, "/api/people", twin).await.expect(201);
    }
    app.apply_with(&without_people(), "drop-entity")
        .await
        .expect(200);
    let unique = LEDGER.replace(
        "name: { type: string, maxLength: 40",
        "name: { type: string, x-unique: true, maxLength: 40",
    );
    assert_ne!(unique, LEDGER);
    let back = app.apply_with(&unique, "drop-entity").await.expect(200);
    let changes = back["changes"].as_array().unwrap();
    let told = changes.iter().find(|change| change["entity"] == "people");
    let told = told.expect("people are told of");
    let twins = json!({"count": 2, "ids": ["one", "other"]});
    assert_eq!(told["violating"], twins);
}
