//! How a record came to be, over HTTP.

use serde_json::{Value, json};
use syncline_model::schema::Role;

use super::{App, LEDGER};

const HISTORY: &str = "/api/records/people/p/history";

#[tokio::test]
async fn a_history_tells_each_write_and_what_lost() {
    let app = App::of(LEDGER).await;
    let (ada, owner) = (app.token("ada"), app.member("olga", Role::Owner));
    let person = json!({"id": "p", "name": "one", "salary": "10"});
    app.post(&ada, "/api/people", person).await.expect(201);
    app.patch(
        &owner,
        "/api/people/p",
        json!({"name": "two", "salary": "20"}),
    )
    .await
    .expect(200);
    let late = json!({"name": "late", "salary": "11", "_base": {"name": "one", "salary": "10"}});
    let late = app.patch(&ada, "/api/people/p", late).await.expect(200);
    assert_eq!(late["name"], "two", "the server wins");
    let name = json!({"base": "one", "mine": "late", "theirs": "two"});
    assert_eq!(
        late["_lost"],
        json!({"name": name}),
        "nothing that a role may not read"
    );

    let entries = |answer: &Value| answer["entries"].as_array().unwrap().clone();
    let history = app.get(&owner, HISTORY).await.expect(200);
    let all = entries(&history);
    let told: Vec<_> = all
        .iter()
        .map(|entry| (&entry["by"], &entry["action"], &entry["values"]["name"]))
        .collect();
    let (editor, olga) = (json!("ada"), json!("olga"));
    assert_eq!(
        told,
        [
            (&editor, &json!("create"), &json!("one")),
            (&olga, &json!("update"), &json!("two")),
            (&editor, &json!("update"), &Value::Null),
        ]
    );
    // Whether the editor's base was right is not told to them by what stands, and so it is theirs.
    assert_eq!(all[2]["values"]["salary"], "11");
    let salary = json!({"base": "10", "mine": "11", "theirs": "20"});
    assert_eq!(
        all[2]["lost"]["salary"], salary,
        "what it overwrote is kept and readable"
    );
    assert_eq!(
        (&history["next"], &all[0]["txid"]),
        (&Value::Null, &json!(2))
    );

    let seen = entries(&app.get(&ada, HISTORY).await.expect(200));
    assert_eq!(seen[2]["lost"], json!({"name": name}));
    assert_eq!(seen[1]["values"], json!({"name": "two"}));

    let page = app
        .get(&ada, &format!("{HISTORY}?limit=2"))
        .await
        .expect(200);
    assert_eq!((entries(&page).len(), &page["next"]), (2, &all[1]["seq"]));
    let rest = format!("{HISTORY}?limit=2&after={}", page["next"]);
    let rest = app.get(&ada, &rest).await.expect(200);
    assert_eq!(entries(&rest), seen[2..]);
}

#[tokio::test]
async fn a_history_is_of_records_that_are_or_were_there_for_who_asks() {
    let app = App::of(LEDGER).await;
    let ada = app.member("ada", Role::Owner);
    app.post(&ada, "/api/people", json!({"id": "p", "name": "one"}))
        .await
        .expect(201);
    app.delete(&ada, "/api/people/p").await;
    let history = app.get(&ada, HISTORY).await.expect(200);
    assert_eq!(history["entries"][1]["action"], "delete");

    app.shares(&ada, "ada", "one", "owner").await;
    let booking = json!({"id": "b", "text": "first"});
    app.post(&ada, "/api/accounts/one/bookings", booking)
        .await
        .expect(201);
    let stranger = app.member("mallory", Role::Owner);
    let path = "/api/records/bookings/b/history";
    app.get(&stranger, path).await.refused(404, "not_found");
    app.get(&ada, path).await.expect(200);
    // Who had a role on it by membership has none on what is gone.
    let deleted = app.delete(&ada, "/api/accounts/one/bookings/b").await;
    assert_eq!(deleted.status, 204);
    app.get(&ada, path).await.refused(404, "not_found");
    for path in ["people/none", "nothing/p", "people/p%00"] {
        app.get(&ada, &format!("/api/records/{path}/history"))
            .await
            .refused(404, "not_found");
    }
    app.get(&ada, &format!("{HISTORY}?limit=0"))
        .await
        .refused(422, "invalid_field");
    let longest = app.get(&ada, &format!("{HISTORY}?limit=1000")).await;
    longest.expect(200);
    app.get(&ada, &format!("{HISTORY}?limit=1001"))
        .await
        .refused(422, "invalid_field");
}
