//! Paths that hold more than a record's key.

use reqwest::Method;
use serde_json::json;
use syncline_model::schema::Role;

use super::{App, LEDGER};

/// Two accounts that `ada` owns, with a booking `b` on the first.
async fn booked() -> (App, String) {
    let app = App::of(LEDGER).await;
    let ada = app.member("ada", Role::Editor);
    for account in ["one", "two"] {
        app.shares(&ada, "ada", account, "owner").await;
    }
    let booking = json!({"id": "b", "text": "first"});
    let made = app
        .post(&ada, "/api/accounts/one/bookings", booking)
        .await
        .expect(201);
    assert_eq!(made["account_id"], "one", "the path says it");
    (app, ada)
}

#[tokio::test]
async fn a_record_is_there_under_its_own_parent_alone() {
    let (app, ada) = booked().await;
    let other = "/api/accounts/two/bookings/b";
    app.get(&ada, other).await.refused(404, "not_found");
    app.patch(&ada, other, json!({"text": "x"}))
        .await
        .refused(404, "not_found");
    let put = json!({"text": "x", "margin": null});
    app.send(&ada, Method::PUT, other, put)
        .await
        .refused(404, "not_found");
    app.delete(&ada, other).await.refused(404, "not_found");
    let list = app.get(&ada, "/api/accounts/two/bookings").await;
    assert_eq!(list.expect(200)["items"], json!([]));
    let own = app.get(&ada, "/api/accounts/one/bookings/b").await;
    assert_eq!(own.expect(200)["text"], "first", "nothing has changed it");
}

#[tokio::test]
async fn a_record_that_is_put_stays_under_its_parent() {
    let (app, ada) = booked().await;
    let own = "/api/accounts/one/bookings/b";
    let put = app
        .send(&ada, Method::PUT, own, json!({"text": "new"}))
        .await;
    let put = put.expect(200);
    assert_eq!(
        (&put["text"], &put["account_id"]),
        (&json!("new"), &json!("one"))
    );
}

#[tokio::test]
async fn a_body_says_of_the_parent_what_the_path_does() {
    let (app, ada) = booked().await;
    let at = "/api/accounts/one/bookings";
    let elsewhere = json!({"id": "c", "text": "x", "account_id": "two"});
    app.post(&ada, at, elsewhere.clone())
        .await
        .refused(422, "invalid_field");
    let one = format!("{at}/b");
    for method in [Method::PATCH, Method::PUT] {
        app.send(&ada, method, &one, elsewhere.clone())
            .await
            .refused(422, "invalid_field");
    }
    let renamed = json!({"id": "other", "text": "x"});
    app.patch(&ada, &one, renamed)
        .await
        .refused(422, "validation_failed");
    let same = json!({"id": "b", "account_id": "one", "text": "y"});
    let same = app.send(&ada, Method::PUT, &one, same).await.expect(200);
    assert_eq!(same["text"], "y");
}
