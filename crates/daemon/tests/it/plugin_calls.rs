//! How plugins call: batches, versions, pages, many at once, and clients that don't behave.

use std::io::{BufReader, Write};
use std::os::unix::net::UnixStream;

use serde_json::{Value, json};
use syncline_daemon::{framed, read_frame_blocking};

use crate::house::{Home, Running};
use crate::plugin::{ask, capturing, claude, opencode};

#[test]
fn a_batch_answers_each_of_its_calls_and_one_that_fails_stops_none() {
    let home = Home::new();
    let daemon = Running::start(capturing(&home));
    let socket = home.socket();
    let plugin = claude(&socket);
    let calls = json!({ "calls": [
        { "method": "upsertSession", "params": { "session": { "id": "s", "title": "one" } } },
        { "method": "upsertMessage", "params": { "message": { "id": "m" } } },
        { "method": "upsertSession", "params": { "session": { "id": "s", "title": "two" } } },
        { "method": "getSession", "params": { "id": "s" } },
        { "method": "batch", "params": { "calls": [] } },
    ] });
    let results = plugin.read("batch", &calls)["results"].clone();
    assert_eq!(results[0]["result"], json!({ "ok": true }));
    assert_eq!(results[1]["error"]["code"], 4001);
    assert_eq!(results[1]["error"]["data"], json!({ "field": "sessionId" }));
    assert_eq!(results[3]["result"]["session"]["title"], "two");
    assert_eq!(results[3]["result"]["session"]["source"], "claude-code");
    assert_eq!(results[4]["error"]["code"], -32602);
    let request = |id: Value, method: &str| json!({ "jsonrpc": "2.0", "id": id, "method": method });
    let mut silent = request(Value::Null, "health");
    silent.as_object_mut().unwrap().remove("id");
    let array = json!([
        request(json!("a"), "health"),
        silent,
        7,
        request(json!(2), "no.such")
    ]);
    let answers = ask(&socket, &array);
    let ids: Vec<_> = answers
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["id"])
        .collect();
    assert_eq!(ids, [&json!("a"), &Value::Null, &json!(2)]);
    let codes = [1, 2].map(|place: usize| answers[place]["error"]["code"].clone());
    assert_eq!(codes, [json!(-32600), json!(-32601)]);
    daemon.signal();
}

#[test]
fn versions_are_agreed_on_and_others_refused() {
    let home = Home::new();
    let daemon = Running::start(capturing(&home));
    let hello = |params| daemon.call("hello", params).unwrap()["schemaVersion"].clone();
    assert_eq!(hello(json!({ "schemaVersions": ["v7", "v1"] })), "v1");
    assert_eq!(daemon.call("initialize", json!({})).unwrap()["ok"], true);
    let request = json!({ "jsonrpc": "2.0", "id": "x", "method": "upsertSession",
        "params": { "schemaVersion": "v9", "session": { "id": "s" } } });
    let refused = ask(&home.socket(), &request);
    assert_eq!(refused["error"]["code"], 4002);
    assert_eq!(
        refused["error"]["data"],
        json!({ "schemaVersions": ["v1"] })
    );
    daemon.signal();
}

#[test]
fn ten_agents_at_once_lose_nothing() {
    const AGENTS: usize = 10;
    const MESSAGES: usize = 30;
    let home = Home::new();
    let daemon = Running::start(capturing(&home));
    let socket = home.socket();
    std::thread::scope(|scope| {
        for agent in 0..AGENTS {
            let socket = &socket;
            scope.spawn(move || {
                let plugin = opencode(socket);
                let id = format!("ses_{agent}");
                plugin.done("upsertSession", &json!({ "session": { "id": id } }));
                for number in 0..MESSAGES {
                    let message = json!({ "id": format!("m{number}"), "sessionId": id,
                        "role": "user", "textContent": format!("said {number}") });
                    plugin.done("upsertMessage", &json!({ "message": message }));
                }
            });
        }
    });
    let sessions = opencode(&socket).read("listSessions", &json!({}))["sessions"].clone();
    let counts: Vec<_> = sessions
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["messageCount"])
        .collect();
    assert_eq!(counts, vec![&json!(MESSAGES); AGENTS]);
    daemon.signal();
}

#[test]
fn pages_of_messages_go_on_where_they_ended() {
    let home = Home::new();
    let daemon = Running::start(capturing(&home));
    let socket = home.socket();
    let plugin = opencode(&socket);
    let calls: Vec<Value> = (0..25_i64)
        .map(|number| {
            let message = json!({ "id": format!("m{number:02}"), "sessionId": "s", "role": "user",
                "textContent": "x", "createdAt": 1_767_225_600_000 + number });
            json!({ "method": "upsertMessage", "params": { "message": message } })
        })
        .collect();
    plugin.read("batch", &json!({ "calls": calls }));
    let (mut ids, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = plugin.read(
            "listMessages",
            &json!({ "sessionId": "s", "limit": 10, "after": after }),
        );
        let messages = page["messages"].as_array().unwrap().clone();
        assert!(messages.len() <= 10);
        ids.extend(
            messages
                .iter()
                .map(|one| one["id"].as_str().unwrap().to_owned()),
        );
        after = page["next"].clone();
        if after.is_null() {
            break;
        }
    }
    let all: Vec<String> = (0..25).map(|number| format!("m{number:02}")).collect();
    assert_eq!(ids, all);
    daemon.signal();
}

#[test]
fn a_client_that_never_reads_holds_nobody_up() {
    let home = Home::new();
    let daemon = Running::start(capturing(&home));
    let socket = home.socket();
    let mut deaf: Vec<UnixStream> = Vec::new();
    let request = framed(
        &json!({ "jsonrpc": "2.0", "id": 1, "method": "health" })
            .to_string()
            .into_bytes(),
    );
    for _ in 0..20 {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.set_nonblocking(true).unwrap();
        // Until neither side takes any more.
        let more = request.repeat(1000);
        while stream.write(&more).is_ok() {}
        deaf.push(stream);
    }
    opencode(&socket).done("upsertSession", &json!({ "session": { "id": "s" } }));
    drop(deaf);
    daemon.signal();
}

#[test]
fn one_connection_may_carry_many_calls() {
    let home = Home::new();
    let daemon = Running::start(capturing(&home));
    let stream = UnixStream::connect(home.socket()).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    for number in 0..50 {
        let request = json!({ "jsonrpc": "2.0", "id": number, "method": "health" });
        stream
            .write_all(&framed(request.to_string().as_bytes()))
            .unwrap();
        let answer = read_frame_blocking(&mut reader).unwrap().unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["id"], number);
    }
    daemon.signal();
}
