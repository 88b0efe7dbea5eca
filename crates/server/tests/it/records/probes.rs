//! What an answer gives away without showing it, and what a reader of very many records sees.

use serde_json::{Value, json};
use syncline_model::schema::Role;

use super::{App, LEDGER};

/// What is told of a write, but for the name it was given.
fn told(mut result: Value) -> Value {
    result.as_object_mut().unwrap().remove("write_id");
    result
}

#[tokio::test]
async fn a_guess_at_a_field_that_may_not_be_read_is_answered_alike_right_or_wrong() {
    let app = App::of(LEDGER).await;
    let olga = app.member("olga", Role::Owner);
    let person = json!({"id": "p", "name": "Pat", "salary": "CANARY"});
    app.post(&olga, "/api/people", person).await.expect(201);
    let ada = app.member("ada", Role::Editor);
    let missing = json!({"entity": "people", "id": "none", "action": "update",
        "values": {"name": "x"}});
    let write = |action: &str, values: Value, base: Value| json!({"entity": "people", "id": "p", "action": action, "values": values, "base": base});
    let mut answers = Vec::new();
    for (n, guess) in ["CANARY", "no"].into_iter().enumerate() {
        let guess = json!({"salary": guess});
        let probes = [
            write("delete", json!({}), guess.clone()),
            write("update", json!({"name": "Pat"}), guess.clone()),
            write("update", json!({"salary": "mine"}), guess.clone()),
            write("update", guess.clone(), json!({})),
        ];
        let mut told_of_guess = Vec::new();
        for (m, probe) in probes.into_iter().enumerate() {
            // What comes after it takes all of it back.
            let transaction = json!({"write_id": format!("{n}-{m}"), "writes": [probe, missing]});
            let body = json!({"transactions": [transaction]});
            let answer = app.post(&ada, "/api/writes", body).await.expect(200);
            told_of_guess.push(told(answer["results"][0].clone()));
        }
        answers.push(told_of_guess);
    }
    assert_eq!(answers[0], answers[1]);
    for path in [
        "order=salary",
        "salary=CANARY",
        "salary__contains=C",
        "salary__gt=A",
    ] {
        let reply = app.get(&ada, &format!("/api/people?{path}")).await;
        assert!(!reply.status.is_success(), "{path}: {}", reply.text);
    }
}

#[tokio::test]
async fn more_than_a_thousand_memberships_all_count() {
    let app = App::of(LEDGER).await;
    let (olga, vi) = (app.token("olga"), app.token("vi"));
    let member = |n: usize| {
        json!({"id": format!("m{n:04}"), "user_id": "vi", "account_id": format!("a{n:04}"),
            "role": "viewer"})
    };
    for all in [0..1_000, 1_000..1_030] {
        let all: Vec<Value> = all.map(member).collect();
        let made = app.post(&olga, "/api/memberships", json!(all)).await;
        made.expect(201);
    }
    for account in ["a0000", "a1029"] {
        app.shares(&olga, "olga", account, "owner").await;
        let booking = json!({"id": format!("b-{account}"), "text": "t"});
        let path = format!("/api/accounts/{account}/bookings");
        app.post(&olga, &path, booking).await.expect(201);
    }
    let shape = "/v1/shape?table=bookings&offset=-1";
    let shown = app.get(&vi, shape).await;
    assert!(
        shown.text.contains("b-a0000") && shown.text.contains("b-a1029"),
        "{}",
        shown.text
    );
    let page = app.get(&vi, "/sync/pull").await.expect(200);
    let (sight, cursor) = (page["sight"].as_str().unwrap(), &page["cursor"]);
    app.delete(&olga, "/api/memberships/m1029").await;
    let (since, mark) = (&cursor["serverSeq"], cursor["mark"].as_str().unwrap());
    let next = format!("/sync/pull?since={since}&mark={mark}&sight={sight}");
    app.get(&vi, &next).await.refused(410, "rebuild_required");
    let shown = app.get(&vi, shape).await;
    assert!(!shown.text.contains("b-a1029"), "{}", shown.text);
    let lost = app.get(&vi, "/api/accounts/a1029/bookings/b-a1029").await;
    assert_eq!(lost.status, 404);
}
