//! Answers to pushes: one verdict per op, in order.

use proptest::prelude::*;
use syncline_model::{OpKey, ServerSeq};
use syncline_protocol::{
    ErrorCode, KeyEcho, OpError, OpResult, PushAnswer, ReceivedAnswer, Verdict,
};

use crate::generators::{epochs, keys, mutated, places};

fn verdicts() -> impl Strategy<Value = Verdict> {
    let codes = prop::sample::select(ErrorCode::ALL);
    prop_oneof![
        places().prop_map(Verdict::Accepted),
        prop::option::of(places()).prop_map(Verdict::Duplicate),
        (codes, any::<String>())
            .prop_map(|(code, message)| Verdict::Rejected(OpError::new(code, message))),
    ]
}

fn answers() -> impl Strategy<Value = (PushAnswer, Vec<OpKey>)> {
    (
        epochs(),
        places(),
        prop::collection::vec((keys(), verdicts()), 0..8),
    )
        .prop_map(|(epoch, server_seq, results)| {
            let keys = results.iter().map(|(key, _)| key.clone()).collect();
            let results = results.into_iter().map(|(key, verdict)| OpResult {
                key: KeyEcho::of_key(&key),
                verdict,
            });
            (
                PushAnswer {
                    epoch,
                    server_seq,
                    results: results.collect(),
                },
                keys,
            )
        })
}

fn sent() -> Vec<OpKey> {
    ["a", "b"]
        .map(|actor| OpKey {
            actor: actor.parse().unwrap(),
            clock: syncline_model::Clock::new(1).unwrap(),
            scope: "s".parse().unwrap(),
            resource: "r".parse().unwrap(),
        })
        .into()
}

fn decode(results: &str) -> Option<Vec<Verdict>> {
    let epoch = "00000000-0000-0000-0000-000000000001";
    let body = format!(r#"{{"epoch":"{epoch}","serverSeq":9,"results":{results}}}"#);
    Some(
        ReceivedAnswer::decode(body.as_bytes(), &sent())
            .ok()?
            .verdicts,
    )
}

#[test]
fn results_that_are_not_those_of_the_ops_sent_are_no_answer() {
    let a =
        r#"{"actor":"a","clock":1,"scope":"s","resourceId":"r","status":"accepted","serverSeq":1}"#;
    let b = a.replace(r#""a""#, r#""b""#);
    assert!(decode(&format!("[{a},{b}]")).is_some());
    for results in [
        format!("[{b},{a}]"),
        format!("[{a}]"),
        format!("[{a},{b},{b}]"),
        format!("[{a},{}]", b.replace("accepted", "maybe")),
        format!("[{a},{}]", b.replace(r#","serverSeq":1"#, "")),
        format!("[{a},5]"),
        "{}".to_owned(),
        "[]".to_owned(),
    ] {
        assert_eq!(decode(&results), None, "{results}");
    }
}

#[test]
fn a_part_that_could_not_be_repeated_fits_any_key() {
    let result =
        r#"{"actor":null,"clock":null,"scope":null,"resourceId":null,"status":"duplicate"}"#;
    let verdicts = decode(&format!("[{result},{result}]")).unwrap();
    assert_eq!(
        verdicts,
        [Verdict::Duplicate(None), Verdict::Duplicate(None)]
    );
}

#[test]
fn a_code_of_a_newer_server_sends_the_op_to_quarantine_with_the_code_in_its_message() {
    let result = r#"{"status":"rejected","error":{"code":"brand_new","message":"so it is"}}"#;
    let verdicts = decode(&format!("[{result},{result}]")).unwrap();
    let Verdict::Rejected(error) = &verdicts[0] else {
        panic!("{verdicts:?}")
    };
    assert_eq!(error.code.remedy(), syncline_protocol::Remedy::Quarantine);
    assert_eq!(error.message, "brand_new: so it is");
}

proptest! {
    #[test]
    fn answers_read_back((answer, keys) in answers()) {
        let body = answer.encode();
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&body).is_ok());
        let received = ReceivedAnswer::decode(&body, &keys).unwrap();
        let verdicts: Vec<Verdict> = answer.results.into_iter().map(|r| r.verdict).collect();
        prop_assert_eq!(received.verdicts, verdicts);
        prop_assert_eq!((received.epoch, received.server_seq), (answer.epoch, answer.server_seq));
    }

    #[test]
    fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = ReceivedAnswer::decode(&body, &sent());
    }

    #[test]
    fn no_mutated_answer_gives_a_wrong_count(
        (body, count) in answers().prop_flat_map(|(answer, keys)| {
            (mutated(Just(answer.encode())), Just(keys))
        }),
    ) {
        if let Ok(received) = ReceivedAnswer::decode(&body, &count) {
            prop_assert_eq!(received.verdicts.len(), count.len());
        }
    }

    #[test]
    fn a_cut_answer_is_none((answer, keys) in answers(), at in any::<prop::sample::Index>()) {
        let body = answer.encode();
        prop_assert!(ReceivedAnswer::decode(&body[..at.index(body.len())], &keys).is_err());
    }
}

#[test]
fn the_head_is_no_place_of_this_client() {
    // The field is there for `status`; the type that holds it can't be taken for a cursor.
    let answer = PushAnswer::new(
        "00000000-0000-0000-0000-000000000001".parse().unwrap(),
        ServerSeq(9),
        &[],
        [],
    );
    let body = answer.encode();
    assert!(!String::from_utf8(body).unwrap().contains("cursor"));
}
