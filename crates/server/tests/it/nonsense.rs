//! Every route × requests that no client means: whatever comes, the answer is an error that can be
//! read, nothing panics, and the log is as it was.

use serde_json::{Value, json};
use syncline_store::control::Rights;

use crate::matrix::{Route, Sample, World, routes, world};

/// Values that some field or other does not hold.
fn odd_values() -> [Value; 10] {
    let deep = (0..100).fold(json!(0), |inner, _| json!([inner]));
    [
        Value::Null,
        json!(true),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(""),
        json!("a\u{0}b"),
        json!("'; DROP TABLE ops; --"),
        json!({"$ref": "#"}),
        deep,
    ]
}

/// What a query or a path may hold instead, as it stands in a URL.
const ODD_WORDS: [&str; 9] = [
    "",
    "-1",
    "1.5",
    "9007199254740993",
    "99999999999999999999999",
    "%00",
    "%ff",
    "..%2f..%2fcontrol.db",
    "'%3B%20DROP%20TABLE%20ops%3B%20--",
];

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused_by_every_route() {
    let deep = format!("{{\"a\":{}", "[".repeat(200_000));
    let bodies: [&[u8]; 9] = [
        b"",
        b"nonsense",
        b"{",
        b"[]",
        b"null",
        b"7",
        b"{\"a\":\"\xff\"}",
        b"{} {}",
        deep.as_bytes(),
    ];
    let world = world().await;
    let admin = world.server.token("acme", Rights::Admin);
    let before = world.server.get("/sync/pull", &admin).await.text;
    // All that they may be told can be left out.
    let orders = ["/api/admin/compact", "/api/admin/expire"];
    for (route, sample) in with_bodies(&world).await {
        for body in bodies {
            if body.is_empty() && orders.contains(&route.path.as_str()) {
                continue;
            }
            let shown = String::from_utf8_lossy(&body[..body.len().min(20)]).into_owned();
            let shown = format!("{} {} {shown:?}", route.method, route.path);
            let (status, text) = world
                .ask_with(&route.method, &sample, Some(&admin), Some(body.to_vec()))
                .await;
            assert!((400..500).contains(&status), "{shown}: {status} {text}");
            check_error(&shown, status, &text);
        }
    }
    let after = world.server.get("/sync/pull", &admin).await.text;
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_field_that_is_missing_or_of_another_kind_is_no_reason_to_fail() {
    let world = world().await;
    let admin = world.server.token("acme", Rights::Admin);
    for (route, sample) in with_bodies(&world).await {
        let body = sample.body.clone().unwrap();
        for field in fields(&body) {
            let odd = odd_values().map(Some).into_iter().chain([None]);
            for value in odd {
                let shown = format!("{} {} {field} = {value:?}", route.method, route.path);
                let body = changed(&body, &field, value).to_string().into_bytes();
                let (status, text) = world
                    .ask_with(&route.method, &sample, Some(&admin), Some(body))
                    .await;
                check_error(&shown, status, &text);
            }
        }
    }
}

#[tokio::test]
async fn a_field_that_nobody_knows_is_passed_over_and_refused_where_it_may_be_a_misspelt_limit() {
    let first = world().await;
    for (route, _) in with_bodies(&first).await {
        // A world for each: some samples undo what others are about.
        let world = world().await;
        let admin = world.server.token("acme", Rights::Admin);
        let sample = world.sample(&route.method, &route.path).unwrap();
        let mut body = sample.body.clone().unwrap();
        body["of a newer version"] = json!({"deep": [1, {"er": null}]});
        let body = body.to_string().into_bytes();
        let (status, text) = world
            .ask_with(&route.method, &sample, Some(&admin), Some(body))
            .await;
        let shown = format!("{} {}: {text}", route.method, route.path);
        // A misspelt limit of a credential must not be a credential without that limit, nor a misspelt
        // window a compaction with another.
        let is_strict = ["/api/tokens", "/api/admin/", "/api/lists"];
        if is_strict.iter().any(|start| route.path.starts_with(start)) {
            assert_eq!(status, 422, "{shown}");
            assert!(text.contains("of a newer version"), "{shown}");
        } else {
            assert_eq!(status, route.success, "{shown}");
        }
    }
}

#[tokio::test]
async fn odd_words_in_a_query_or_a_path_are_answered_and_change_nothing() {
    let world = world().await;
    let admin = world.server.token("acme", Rights::Admin);
    let before = world.server.get("/sync/pull", &admin).await.text;
    let long = "x".repeat(5_000);
    let words = ODD_WORDS.into_iter().chain([long.as_str()]);
    for route in routes(&world.server).await {
        if is_foreign(&route) {
            continue;
        }
        let sample = world.sample(&route.method, &route.path).unwrap();
        let plain = sample.path.split('?').next().unwrap_or_default().to_owned();
        for word in words.clone() {
            // Nothing is meant by no word: the sample's own schema is taken.
            if route.path == "/api/schema" && word.is_empty() {
                continue;
            }
            let queries = route.query.iter();
            let mut paths: Vec<_> = queries
                .map(|name| format!("{plain}?{name}={word}"))
                .collect();
            if route.path.contains("{id}") && !word.is_empty() {
                paths.push(route.path.replace("{id}", word));
            }
            for path in paths {
                let mut sample = world.sample(&route.method, &route.path).unwrap();
                sample.path = path;
                let body = sample.body.as_ref().map(Value::to_string);
                let (status, text) = world
                    .ask_with(
                        &route.method,
                        &sample,
                        Some(&admin),
                        body.map(String::into_bytes),
                    )
                    .await;
                check_error(&sample.path, status, &text);
            }
        }
    }
    let after = world.server.get("/sync/pull", &admin).await.text;
    assert_eq!(after, before);
}

/// Whether a route speaks another contract, whose errors have a form of their own.
fn is_foreign(route: &Route) -> bool {
    route.path.starts_with("/v1/")
}

/// The routes that take a body, each with a request that it would answer well.
async fn with_bodies(world: &World) -> Vec<(Route, Sample)> {
    let mut found = Vec::new();
    for route in routes(&world.server).await {
        let sample = world.sample(&route.method, &route.path).unwrap();
        if sample.body.is_some() && !is_foreign(&route) {
            found.push((route, sample));
        }
    }
    assert!(found.len() >= 6, "the routes have lost their bodies");
    found
}

/// Asserts that an answer is none of a server that failed, and that an error says what it is.
#[track_caller]
fn check_error(shown: &str, status: u16, text: &str) {
    assert!(status < 500, "{shown}: {status} {text}");
    if status < 400 {
        return;
    }
    let body: Value = serde_json::from_str(text).unwrap_or_else(|_| panic!("{shown}: {text}"));
    for name in ["code", "message", "request_id"] {
        let said = body["error"][name].as_str().unwrap_or_default();
        assert!(!said.is_empty(), "{shown}: {text}");
    }
}

/// The places of all fields of a body, those within its lists' first members too.
fn fields(body: &Value) -> Vec<String> {
    let children: Vec<(String, &Value)> = match body {
        Value::Object(members) => members.iter().map(|(k, v)| (pointer(k), v)).collect(),
        Value::Array(members) => members
            .first()
            .map(|v| ("/0".to_owned(), v))
            .into_iter()
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    let mut all = Vec::new();
    for (path, value) in children {
        all.extend(
            fields(value)
                .into_iter()
                .map(|below| format!("{path}{below}")),
        );
        all.push(path);
    }
    all
}

/// A name as a part of a JSON pointer.
fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// The body with another value in that place, or without it.
fn changed(body: &Value, place: &str, value: Option<Value>) -> Value {
    let mut body = body.clone();
    match value {
        Some(value) => *body.pointer_mut(place).unwrap() = value,
        None => {
            let (parent, name) = place.rsplit_once('/').unwrap();
            match body.pointer_mut(parent).unwrap() {
                Value::Object(members) => {
                    drop(members.remove(&name.replace("~1", "/").replace("~0", "~")));
                }
                Value::Array(members) => drop(members.remove(0)),
                other => panic!("{place} is in {other}"),
            }
        }
    }
    body
}
