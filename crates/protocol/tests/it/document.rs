//! `docs/protocol.md` says what the code does.

use syncline_model::OpKey;
use syncline_protocol::{
    BootstrapQuery, ErrorBody, Limits, PullPage, PullQuery, ReceivedAnswer, ReceivedOp,
    ReceivedPush, ResetRequest, StreamMessage, StreamParser, StreamQuery, tables,
};

const OK: u16 = 200;

const DOCUMENT: &str = include_str!("../../../../docs/protocol.md");

#[test]
fn generated_parts_are_what_the_code_prints() {
    let filled = tables::fill(DOCUMENT).unwrap();
    assert!(
        filled == DOCUMENT,
        "docs/protocol.md is not what the code prints; \
         `cargo run -p syncline-protocol --example write_tables` writes it"
    );
}

/// A request of the document and the answer to it, each with what stands for a value filled in.
struct Example {
    request: String,
    answer: String,
}

fn examples() -> Vec<Example> {
    let mut blocks = DOCUMENT.split("```").skip(1).step_by(2);
    let mut examples = Vec::new();
    while let Some(block) = blocks.next() {
        let Some(request) = block.strip_prefix("http request\n") else {
            continue;
        };
        let answer = blocks.next().unwrap_or_default();
        let answer = answer
            .strip_prefix("http answer")
            .expect("an answer follows each request");
        let (_, answer) = answer.split_once('\n').unwrap();
        examples.push(Example {
            request: filled_in(request),
            answer: filled_in(answer),
        });
    }
    assert!(examples.len() > 12, "the examples are not found");
    examples
}

fn filled_in(text: &str) -> String {
    let mut text = text.to_owned();
    for epoch in ["<epoch>", "<epoch2>"] {
        text = text.replace(epoch, "00000000-0000-4000-8000-000000000001");
    }
    for mark in ["<mark0>", "<mark2>", "<mark3>", "\"mark\":\"<any>\""] {
        let value = "000102030405060708090a0b0c0d0e0f";
        let value = if mark.starts_with('<') {
            value.into()
        } else {
            format!("\"mark\":\"{value}\"")
        };
        text = text.replace(mark, &value);
    }
    text
}

/// The first line, and what stands behind the headers.
fn parts(message: &str) -> (&str, &str) {
    let (head, body) = message
        .trim_end()
        .split_once("\n\n")
        .unwrap_or((message.trim_end(), ""));
    (head.lines().next().unwrap_or_default(), body)
}

#[test]
fn examples_are_messages_that_the_decoders_read() {
    for Example { request, answer } in examples() {
        let (line, body) = parts(&request);
        let target = line.split(' ').nth(1).unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (status, answered) = parts(&answer);
        let status: u16 = status.split(' ').nth(1).unwrap().parse().unwrap();
        if status >= 400 {
            let error = ErrorBody::read(status, answered.as_bytes());
            assert_eq!(error.code.status(), status, "{answer}");
            // Elsewhere an answer is shown in part.
            if path.starts_with("/sync/") {
                let whole = String::from_utf8(error.encode()).unwrap();
                assert_eq!(whole, squeezed(answered));
            }
        }
        match path {
            "/sync/push" => check_push(body, answered, status),
            "/sync/pull" => {
                assert_eq!(PullQuery::parse(query).is_ok(), status != 400, "{query}");
                check_page(answered, status);
            }
            "/sync/bootstrap" => {
                BootstrapQuery::parse(query).unwrap();
                check_page(answered, status);
            }
            "/sync/stream" => {
                StreamQuery::parse(query, None).unwrap();
                check_stream(answered);
            }
            "/sync/reset" => assert_eq!(
                ResetRequest::decode(body.as_bytes()).unwrap().confirm,
                "default"
            ),
            // What they say is the server's own; its tests replay them.
            "/health" | "/ready" | "/sync/status" | "/sync/batch" | "/v1/shape" => {}
            own if own.starts_with("/api/") => {}
            // Those of the tenant's own document.
            "/notes" | "/notes/n1" => {}
            other => panic!("no such path: {other}"),
        }
    }
}

fn check_push(body: &str, answered: &str, status: u16) {
    let push = ReceivedPush::decode(body.as_bytes(), &Limits::default());
    assert_eq!(push.is_ok(), status == OK, "{body}");
    let Ok(push) = push else { return };
    // The document's answer has one result per op; a key that can't be read fits any.
    let unread = "{\"scope\":\"s\",\"resourceId\":\"r\",\"actor\":\"a\",\"clock\":1,\"payload\":1}";
    let stand_in = ReceivedPush::decode(
        format!("{{\"clientId\":\"c\",\"ops\":[{unread}]}}").as_bytes(),
        &Limits::default(),
    );
    let ReceivedOp::Readable(stand_in) = stand_in.unwrap().ops.remove(0) else {
        panic!("readable")
    };
    let mut answer: serde_json::Value = serde_json::from_str(answered).unwrap();
    let mut keys: Vec<OpKey> = Vec::new();
    for (n, op) in push.ops.iter().enumerate() {
        match op {
            ReceivedOp::Readable(op) => keys.push(op.key.clone()),
            ReceivedOp::Refused { .. } => {
                assert_eq!(answer["results"][n]["status"], "rejected");
                for part in ["actor", "clock", "scope", "resourceId"] {
                    answer["results"][n][part] = serde_json::Value::Null;
                }
                keys.push(stand_in.key.clone());
            }
        }
    }
    ReceivedAnswer::decode(answer.to_string().as_bytes(), &keys).unwrap();
}

fn check_page(answered: &str, status: u16) {
    if status == OK {
        let page = PullPage::decode(answered.as_bytes()).unwrap();
        assert_eq!(
            String::from_utf8(page.encode()).unwrap(),
            squeezed(answered)
        );
    }
}

fn check_stream(answered: &str) {
    let mut parser = StreamParser::new(1 << 20);
    parser.push(answered.as_bytes());
    parser.push(b"\n\n");
    let event = parser.next_event().unwrap().unwrap();
    let StreamMessage::Page { body, reaches } = event.into() else {
        panic!("no page")
    };
    let page = PullPage::decode(&body).unwrap();
    assert_eq!(reaches, Some(page.cursor));
    assert_eq!(page.encode(), body);
}

/// The document breaks messages into lines; on the wire they are one.
fn squeezed(text: &str) -> String {
    text.lines().map(str::trim).collect()
}
