//! Numbers as they are written, and fields that lists have a parameter of.

use reqwest::Method;
use serde_json::{Value, json};
use syncline_model::schema::Role;
use syncline_store::control::Rights;

use super::{App, document};
use crate::support::Reply;

/// Notes with a decimal, a number, a whole number, and any JSON.
async fn app() -> (App, String) {
    let app = App::of(&notes().to_string()).await;
    let ada = app.member("ada", Role::Owner);
    (app, ada)
}

fn notes() -> Value {
    let mut document = document();
    let note = &mut document["components"]["schemas"]["Note"];
    note["required"] = json!(["id"]);
    note["x-conflict"] = json!("reject");
    note["properties"] = json!({
        "id": {"type": "string"},
        "price": {"type": "number", "format": "decimal", "minimum": 0},
        "cost": {"anyOf": [{"type": "number"}, {"type": "string"}]},
        "size": {"type": "number"},
        "count": {"type": "integer"},
        "any": {},
        "order": {"type": "integer"},
        "limit": {"type": "integer"},
    });
    document
}

/// Sends a text of JSON, whose numbers no program has read before.
async fn send(app: &App, token: &str, method: Method, path: &str, body: &str) -> Reply {
    let request = app.server.request(method, path, token);
    let request = request.header("content-type", "application/json");
    Reply::of(request.body(body.to_owned())).await
}

#[tokio::test]
async fn a_decimal_is_kept_digit_by_digit_however_it_is_given() {
    let (app, ada) = app().await;
    for (given, kept) in [
        ("10.50", "10.50"),
        (
            "12345678901234567890.123456789",
            "12345678901234567890.123456789",
        ),
        (
            "123456789012345678901234567890",
            "123456789012345678901234567890",
        ),
        ("1.5e3", "1500"),
        ("\"10.50\"", "10.50"),
    ] {
        for field in ["price", "cost"] {
            let body = format!("{{\"{field}\": {given}}}");
            let made = send(&app, &ada, Method::POST, "/api/notes", &body).await;
            let made = made.expect(201);
            assert_eq!(made[field], kept, "{given}");
            let path = format!("/api/notes/{}", made["id"].as_str().unwrap());
            let changed = send(&app, &ada, Method::PATCH, &path, &body)
                .await
                .expect(200);
            assert_eq!(changed[field], kept, "{given}");
        }
    }
    let both = "[{\"price\": 0.10}, {\"price\": 0.20}]";
    let made = send(&app, &ada, Method::POST, "/api/notes", both)
        .await
        .expect(201);
    assert_eq!(
        (&made[0]["price"], &made[1]["price"]),
        (&json!("0.10"), &json!("0.20"))
    );
    for wrong in ["\"many\"", "true", "-1"] {
        let body = format!("{{\"price\": {wrong}}}");
        let refused = send(&app, &ada, Method::POST, "/api/notes", &body).await;
        refused.refused(422, "validation_failed");
    }
}

/// A decimal of more digits than a double has, and one whose last digit a double has not.
const LONG: &str = "0.1234567890123456789";
const SHORT: &str = "1.10";

#[tokio::test]
async fn a_queue_keeps_a_decimal_digit_by_digit_and_knows_it_again() {
    let (app, ada) = app().await;
    let write = async |name: &str, write: &str| {
        let body = format!(
            "{{\"transactions\": [{{\"write_id\": \"{name}\", \"writes\": [{{{write}}}]}}]}}"
        );
        let answer = send(&app, &ada, Method::POST, "/api/writes", &body).await;
        answer.expect(200)["results"][0].clone()
    };
    let note = "\"entity\": \"notes\", \"id\": \"a\"";
    let made = format!(
        "{note}, \"action\": \"create\", \"values\": {{\"price\": {LONG}, \"cost\": {SHORT}}}"
    );
    let made = write("one", &made).await;
    let row = &made["rows"][0];
    assert_eq!(
        (&row["price"], &row["cost"]),
        (&json!(LONG), &json!(SHORT)),
        "{made}"
    );
    // What its writer has seen is what stands: there is no conflict.
    let changed = format!(
        "{note}, \"action\": \"update\", \"values\": {{\"price\": 2{LONG}}}, \"base\": {{\"price\": {LONG}}}"
    );
    let changed = write("two", &changed).await;
    assert_eq!(changed["rows"][0]["price"], format!("2{LONG}"), "{changed}");
    let body = format!("{{\"price\": {SHORT}, \"_base\": {{\"price\": 2{LONG}}}}}");
    let patched = send(&app, &ada, Method::PATCH, "/api/notes/a", &body).await;
    assert_eq!(patched.expect(200)["price"], SHORT);
}

/// JSON Schema knows a whole number by what it is, and not by how it is written.
#[tokio::test]
async fn a_whole_number_is_one_however_it_is_written() {
    let (app, ada) = app().await;
    for (given, kept) in [
        ("1.0", "1"),
        ("1e3", "1000"),
        ("-12.50e1", "-125"),
        ("9007199254740991.0", "9007199254740991"),
    ] {
        let body = format!("{{\"count\": {given}, \"more\": 1.0}}");
        let made = send(&app, &ada, Method::POST, "/api/notes", &body).await;
        let made = made.expect(201);
        assert_eq!(made["count"].to_string(), kept, "{given}");
        let write = format!(
            "{{\"transactions\": [{{\"write_id\": \"{given}\", \"writes\": [{{\"entity\": \"notes\", \"id\": \"{given}\", \
             \"action\": \"create\", \"values\": {{\"count\": {given}}}}}]}}]}}"
        );
        let answer = send(&app, &ada, Method::POST, "/api/writes", &write).await;
        let row = answer.expect(200)["results"][0]["rows"][0].clone();
        assert_eq!(row["count"].to_string(), kept, "{given}");
    }
    for wrong in [
        "1.5",
        "1e-1",
        "1e300",
        "1e-401",
        "9007199254740993.0",
        "4503599627370497.5",
        "3.00000000000000000001",
    ] {
        let body = format!("{{\"count\": {wrong}}}");
        let refused = send(&app, &ada, Method::POST, "/api/notes", &body).await;
        let text = &refused.text;
        assert!(
            refused.status.as_u16() == 422
                && text.contains("count")
                && text.contains("a whole number"),
            "{wrong}: {text}"
        );
    }
    let refused = send(&app, &ada, Method::POST, "/api/notes", "{\"count\": 1e400}").await;
    let error = refused.refused(400, "bad_request");
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.contains("number out of range"), "{message}");
}

#[tokio::test]
async fn a_replica_offers_a_decimal_digit_by_digit() {
    let (app, ada) = app().await;
    let push = async |clock: u64, values: &str| {
        let body = format!(
            "{{\"clientId\": \"client-ada\", \"ops\": [{{\"scope\": \"record\", \"resourceId\": \"notes/n{clock}\", \
             \"actor\": \"ada-1\", \"clock\": {clock}, \"payload\": {{\"writes\": [{{\"entity\": \"notes\", \
             \"id\": \"n{clock}\", \"action\": \"create\", \"values\": {{{values}}}}}]}}}}]}}"
        );
        let answer = send(&app, &ada, Method::POST, "/sync/push", &body).await;
        answer.expect(200)["results"][0].clone()
    };
    let taken = push(1, &format!("\"price\": {LONG}, \"cost\": {SHORT}")).await;
    assert_eq!(taken["status"], "accepted", "{taken}");
    let note = app.get(&ada, "/api/notes/n1").await.expect(200);
    assert_eq!(
        (&note["price"], &note["cost"]),
        (&json!(LONG), &json!(SHORT))
    );
    let refused = push(2, "\"any\": [18446744073709551617]").await;
    let text = refused.to_string();
    assert!(
        text.contains("validation_failed") && text.contains("write it as text"),
        "{text}"
    );
}

#[tokio::test]
async fn a_whole_number_that_nobody_would_read_again_is_refused_and_never_another_one() {
    let (app, ada) = app().await;
    for body in [
        "{\"any\": {\"deep\": [18446744073709551617]}}",
        "{\"any\": -9223372036854775809}",
        "{\"unknown\": 18446744073709551617}",
    ] {
        let refused = send(&app, &ada, Method::POST, "/api/notes", body).await;
        let error = refused.refused(422, "invalid_field");
        let message = error["error"]["message"].as_str().unwrap();
        assert!(message.contains("write it as text"), "{message}");
    }
    let body = "{\"count\": 18446744073709551617}";
    let refused = send(&app, &ada, Method::POST, "/api/notes", body).await;
    let error = refused.refused(422, "validation_failed");
    assert_eq!(error["error"]["details"]["fields"][0]["field"], "count");
    // In a queue it is refused alone, and who builds on it with it.
    let write = |name: &str, value: &str, after: &str| {
        format!(
            "{{\"write_id\": \"{name}\", \"after\": [{after}], \"writes\": [{{\"entity\": \"notes\", \"id\": \"{name}\", \
             \"action\": \"create\", \"values\": {{\"any\": {value}}}}}]}}"
        )
    };
    let queued = format!(
        "{{\"transactions\": [{}, {}, {}]}}",
        write("bad", "[18446744073709551617]", ""),
        write("good", "1", ""),
        write("on-bad", "2", "\"bad\"")
    );
    let told = send(&app, &ada, Method::POST, "/api/writes", &queued).await;
    let told = told.expect(200);
    let codes = [0, 1, 2].map(|at| told["results"][at]["error"]["code"].clone());
    let expected = [
        json!("validation_failed"),
        Value::Null,
        json!("depends_on_refused"),
    ];
    assert_eq!(codes, expected, "{told}");
    let fields = &told["results"][0]["error"]["details"]["fields"];
    assert_eq!(fields[0]["field"], "any", "{told}");
    // What is held is taken: 64 bits, and doubles as programs write them.
    let body =
        "{\"any\": [18446744073709551615, 100000000000000000000], \"size\": 100000000000000000000}";
    let made = send(&app, &ada, Method::POST, "/api/notes", body)
        .await
        .expect(201);
    assert_eq!(made["any"][0], json!(18446744073709551615u64));
    assert_eq!(made["size"], json!(1e20));
}

#[tokio::test]
async fn a_write_that_was_taken_is_known_again_under_rules_that_refuse_it() {
    let (app, ada) = app().await;
    let write = async |name: &str| {
        let body = format!(
            "{{\"transactions\": [{{\"write_id\": \"{name}\", \"writes\": [{{\"entity\": \"notes\", \"id\": \"{name}\", \
             \"action\": \"create\", \"values\": {{\"size\": 18446744073709551617}}}}]}}]}}"
        );
        let told = send(&app, &ada, Method::POST, "/api/writes", &body).await;
        told.expect(200)["results"][0].clone()
    };
    let taken = write("taken").await;
    assert_eq!(taken["status"], "accepted", "{taken}");
    // A number is a double, and has the digits that it has; of any JSON all are kept.
    let mut looser = notes();
    looser["components"]["schemas"]["Note"]["properties"]["size"] = json!({});
    let admin = app.server.token("acme", Rights::Admin);
    let path = "/api/schema?allow=change-kind";
    let request = app.server.request(Method::PUT, path, &admin);
    Reply::of(request.json(&looser)).await.expect(200);

    let again = write("taken").await;
    assert_eq!(
        (&again["status"], &again["seq"]),
        (&json!("accepted"), &taken["seq"]),
        "{again}"
    );
    let refused = write("new").await;
    assert_eq!(refused["error"]["code"], "validation_failed", "{refused}");
    let kept = app.get(&ada, "/api/writes/new").await.expect(200);
    assert_eq!(kept["error"], refused["error"]);
}

#[tokio::test]
async fn a_field_of_the_name_of_a_parameter_narrows_by_its_test() {
    let (app, ada) = app().await;
    for order in [1, 2, 3] {
        let note = json!({"id": format!("n{order}"), "order": order, "limit": 9});
        app.post(&ada, "/api/notes", note).await.expect(201);
    }
    for (query, ids) in [
        ("order__is=2", vec!["n2"]),
        ("order__in=1,3&order=-order", vec!["n3", "n1"]),
        ("limit__is=9&limit=1", vec!["n1"]),
    ] {
        let listed = send(&app, &ada, Method::GET, &format!("/api/notes?{query}"), "").await;
        let listed: Vec<Value> = serde_json::from_value(listed.expect(200)).unwrap();
        let found: Vec<_> = listed
            .iter()
            .map(|note| note["id"].as_str().unwrap())
            .collect();
        assert_eq!(found, ids, "{query}");
    }
}
