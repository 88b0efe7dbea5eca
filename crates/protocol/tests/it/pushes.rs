//! Pushes: what is refused alone, what is refused whole.

use proptest::prelude::*;
use serde_json::{Value, json};
use syncline_model::{PayloadHash, ServerSeq};
use syncline_protocol::{
    ErrorCode, Limits, OfferedOp, PushAnswer, PushRequest, ReceivedOp, ReceivedPush, Verdict,
};

use crate::generators::{cursors, epochs, held_ops, mutated, names, own_ops};

fn decode(body: &str) -> Result<ReceivedPush, syncline_protocol::DecodeError> {
    ReceivedPush::decode(body.as_bytes(), &Limits::default())
}

/// The code of the one op in a push of it, and its key as the result repeats it.
fn refused(op: &Value) -> (ErrorCode, Value) {
    let body = json!({"clientId": "c", "ops": [op, good()]}).to_string();
    let push = decode(&body).unwrap();
    let ReceivedOp::Refused { error, .. } = &push.ops[0] else {
        panic!("{op} is taken")
    };
    assert!(
        matches!(push.ops[1], ReceivedOp::Readable(_)),
        "{op} takes its neighbour with it"
    );
    let verdicts = [
        Verdict::Rejected(error.clone()),
        Verdict::Accepted(ServerSeq(7)),
    ];
    let epoch = "00000000-0000-0000-0000-000000000001".parse().unwrap();
    let answer = PushAnswer::new(epoch, ServerSeq(7), &push.ops, verdicts).encode();
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    let result = &answer["results"][0];
    assert_eq!(result["status"], "rejected");
    assert_eq!(result["error"]["code"], error.code.as_str());
    let echo = json!([
        result["actor"],
        result["clock"],
        result["scope"],
        result["resourceId"]
    ]);
    (error.code, echo)
}

fn good() -> Value {
    json!({"scope": "thread", "resourceId": "r", "actor": "a", "clock": 1, "payload": {}})
}

fn with(field: &str, value: Value) -> Value {
    let mut op = good();
    op[field] = value;
    op
}

fn without(field: &str) -> Value {
    let mut op = good();
    op.as_object_mut().unwrap().remove(field);
    op
}

/// Each op is refused alone with this code, and its result repeats this much of its key.
fn check(cases: impl IntoIterator<Item = (Value, ErrorCode, Value)>) {
    for (op, code, echo) in cases {
        assert_eq!(refused(&op), (code, echo), "{:.200}", op.to_string());
    }
}

#[test]
fn an_op_with_a_bad_name_is_refused_alone_with_its_key_in_place() {
    let long = "x".repeat(257);
    let cases = [
        ("scope", json!("Thread"), json!(["a", 1, "Thread", "r"])),
        ("scope", json!(""), json!(["a", 1, "", "r"])),
        ("scope", json!(long), json!(["a", 1, long, "r"])),
        ("resourceId", json!(""), json!(["a", 1, "thread", ""])),
        (
            "resourceId",
            json!("a\u{1}"),
            json!(["a", 1, "thread", "a\u{1}"]),
        ),
        ("resourceId", json!(long), json!(["a", 1, "thread", long])),
        ("actor", json!(5), json!([null, 1, "thread", "r"])),
        ("actor", json!(["a"]), json!([null, 1, "thread", "r"])),
        (
            "actor",
            json!("x".repeat(5_000)),
            json!([null, 1, "thread", "r"]),
        ),
    ];
    check(cases.map(|(field, value, echo)| (with(field, value), ErrorCode::InvalidOp, echo)));
}

#[test]
fn an_op_with_a_bad_clock_is_refused_alone_with_its_key_in_place() {
    use ErrorCode::{ClockLead, InvalidOp};
    let past = 1_u64 << 53;
    let cases = [
        (json!(0), InvalidOp, json!(0)),
        (json!(-3), InvalidOp, json!(-3)),
        (json!(1.5), InvalidOp, json!(1.5)),
        (json!("1"), InvalidOp, json!(null)),
        (json!(past), ClockLead, json!(past)),
        (json!(u64::MAX), ClockLead, json!(u64::MAX)),
    ];
    check(cases.map(|(clock, code, echo)| {
        (
            with("clock", clock),
            code,
            json!(["a", echo, "thread", "r"]),
        )
    }));
}

#[test]
fn an_op_that_is_not_whole_or_too_large_is_refused_alone_with_its_key_in_place() {
    use ErrorCode::{InvalidOp, TooLarge};
    check([
        (
            with("payload", json!("x".repeat(1 << 20))),
            TooLarge,
            json!(["a", 1, "thread", "r"]),
        ),
        (
            without("payload"),
            InvalidOp,
            json!(["a", 1, "thread", "r"]),
        ),
        (
            without("clock"),
            InvalidOp,
            json!(["a", null, "thread", "r"]),
        ),
        (without("actor"), InvalidOp, json!([null, 1, "thread", "r"])),
        (json!(5), InvalidOp, json!([null, null, null, null])),
        (json!([good()]), InvalidOp, json!([null, null, null, null])),
        (json!({}), InvalidOp, json!([null, null, null, null])),
    ]);
}

#[test]
fn a_payload_nested_too_deep_is_refused_alone() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let push = |depth| {
        let op = format!(
            r#"{{"scope":"s","resourceId":"r","actor":"a","clock":1,"payload":{}}}"#,
            nested(depth)
        );
        decode(&format!(r#"{{"clientId":"c","ops":[{op}]}}"#))
            .unwrap()
            .ops
            .remove(0)
    };
    assert!(matches!(push(64), ReceivedOp::Readable(_)));
    for depth in [65, 300_000] {
        let ReceivedOp::Refused { error, .. } = push(depth) else {
            panic!("{depth} is taken")
        };
        assert_eq!(error.code, ErrorCode::TooLarge);
    }
}

#[test]
fn numbers_that_nobody_holds_and_fields_given_twice_are_refused_alone() {
    for op in [
        r#"{"scope":"s","resourceId":"r","actor":"a","clock":99999999999999999999999,"payload":1}"#,
        r#"{"scope":"s","resourceId":"r","actor":"a","clock":1,"clock":2,"payload":1}"#,
        r#"{"scope":"s","resourceId":"\ud800","actor":"a","clock":1,"payload":1}"#,
    ] {
        let push = decode(&format!(r#"{{"clientId":"c","ops":[{op}]}}"#)).unwrap();
        assert!(
            matches!(&push.ops[..], [ReceivedOp::Refused { .. }]),
            "{op}"
        );
    }
}

#[test]
fn what_is_wrong_around_the_ops_refuses_the_push() {
    let mark = "0".repeat(32);
    for body in [
        "",
        "null",
        "[]",
        "{",
        r#"{"clientId":"c"}"#,
        r#"{"ops":[]}"#,
        r#"{"clientId":5,"ops":[]}"#,
        r#"{"clientId":"","ops":[]}"#,
        r#"{"clientId":"c","ops":{}}"#,
        r#"{"clientId":"c","ops":null}"#,
        r#"{"clientId":"c","ops":[}"#,
        r#"{"clientId":"c","ops":[],}"#,
        r#"{"clientId":"c","ops":[]} x"#,
        r#"{"clientId":"c","clientId":"c","ops":[]}"#,
        r#"{"clientId":"c","epoch":"e","ops":[]}"#,
        r#"{"clientId":"c","cursor":7,"ops":[]}"#,
        r#"{"clientId":"c","cursor":{"serverSeq":1},"ops":[]}"#,
        &format!(r#"{{"clientId":"c","cursor":{{"serverSeq":-1,"mark":"{mark}"}},"ops":[]}}"#),
        &format!(r#"{{"clientId":"c","heal":{{"serverSeq":1e3,"mark":"{mark}"}},"ops":[]}}"#),
        &format!(
            r#"{{"clientId":"c","heal":{{"serverSeq":9007199254740992,"mark":"{mark}"}},"ops":[]}}"#
        ),
    ] {
        let error = decode(body).unwrap_err();
        assert_eq!(error.code(), ErrorCode::BadRequest, "{body}: {error}");
    }
    let invalid = ReceivedPush::decode(b"{\"clientId\":\"\xff\"}", &Limits::default());
    assert_eq!(invalid.unwrap_err().code(), ErrorCode::BadRequest);
}

#[test]
fn nulls_and_unknown_fields_are_passed_over() {
    let body = r#" { "future" : [ { } ] , "epoch" : null , "cursor" : null , "heal" : null ,
        "clientId" : "c" , "ops" : [ { "scope" : "s" , "resourceId" : "r" , "actor" : "a" ,
        "clock" : 1 , "payload" : { "a" : [ 1 ] } , "payloadHash" : 7 , "more" : { } } ] } "#;
    let push = decode(body).unwrap();
    assert_eq!((push.epoch, push.cursor, push.heal), (None, None, None));
    let ReceivedOp::Readable(op) = &push.ops[0] else {
        panic!("the op is refused")
    };
    assert_eq!(op.payload.as_ref().unwrap().as_str(), r#"{ "a" : [ 1 ] }"#);
    assert_eq!(op.payload_hash, PayloadHash::of(r#"{ "a" : [ 1 ] }"#));
}

#[test]
fn more_ops_than_allowed_are_too_large_a_push() {
    let limits = Limits {
        push_ops: 2,
        ..Limits::default()
    };
    let body = |n| json!({"clientId": "c", "ops": vec![good(); n]}).to_string();
    assert_eq!(
        ReceivedPush::decode(body(2).as_bytes(), &limits)
            .unwrap()
            .ops
            .len(),
        2
    );
    let error = ReceivedPush::decode(body(3).as_bytes(), &limits).unwrap_err();
    assert_eq!(error.code(), ErrorCode::PayloadTooLarge);
}

fn requests() -> impl Strategy<Value = PushRequest> {
    let heads = (
        names(),
        prop::option::of(epochs()),
        prop::option::of(cursors()),
    );
    let own = prop::collection::vec(own_ops(), 0..6).prop_map(|ops| (None, ops));
    let again = (cursors(), prop::collection::vec(held_ops(), 0..6))
        .prop_map(|(heal, ops)| (Some(heal), ops));
    (heads, prop_oneof![own, again]).prop_map(|((client, epoch, cursor), (heal, ops))| {
        PushRequest {
            client_id: client.parse().unwrap(),
            epoch,
            cursor,
            heal,
            ops,
        }
    })
}

proptest! {
    #[test]
    fn pushes_read_back_byte_for_byte(request in requests()) {
        let body = request.encode();
        prop_assert!(serde_json::from_slice::<Value>(&body).is_ok() || has_lone_surrogate(&body));
        let received = ReceivedPush::decode(&body, &Limits::default()).unwrap();
        let ops: Vec<OfferedOp> = received.ops.into_iter().map(|op| match op {
            ReceivedOp::Readable(op) => op,
            ReceivedOp::Refused { error, .. } => panic!("{error}"),
        }).collect();
        prop_assert_eq!(ops, request.ops);
        prop_assert_eq!(received.client_id, request.client_id);
        prop_assert_eq!(received.epoch, request.epoch);
        prop_assert_eq!(received.cursor, request.cursor);
        prop_assert_eq!(received.heal, request.heal);
    }

    #[test]
    fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = ReceivedPush::decode(&body, &Limits::default());
    }

    #[test]
    fn no_mutated_push_panics(body in mutated(requests().prop_map(|request| request.encode()))) {
        if let Ok(push) = ReceivedPush::decode(&body, &Limits::default()) {
            let verdicts = push.ops.iter().map(|_| Verdict::Duplicate(None));
            let epoch = "00000000-0000-0000-0000-000000000001".parse().unwrap();
            let answer = PushAnswer::new(epoch, ServerSeq(1), &push.ops, verdicts);
            prop_assert!(serde_json::from_slice::<&serde_json::value::RawValue>(&answer.encode()).is_ok());
        }
    }
}

/// Half a surrogate pair is JSON, and `Value` can't hold it.
fn has_lone_surrogate(body: &[u8]) -> bool {
    String::from_utf8_lossy(body).contains(r"\ud800")
}
