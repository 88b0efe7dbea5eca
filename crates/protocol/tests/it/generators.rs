//! Random ops, cursors and payloads.

use proptest::prelude::*;
use serde_json::Value;
use syncline_model::{
    Clock, Cursor, Epoch, LoggedOp, Mark, OpKey, Payload, PayloadHash, ServerSeq,
};
use syncline_protocol::limits::SERVER_SEQ_MAX;
use syncline_protocol::{OfferedOp, PullPage};

pub(crate) fn epochs() -> impl Strategy<Value = Epoch> {
    any::<u128>().prop_map(|n| format!("{n:032x}").parse().unwrap())
}

pub(crate) fn places() -> impl Strategy<Value = ServerSeq> {
    prop_oneof![0_u64..1_000, 0..=SERVER_SEQ_MAX].prop_map(ServerSeq)
}

pub(crate) fn cursors() -> impl Strategy<Value = Cursor> {
    (places(), any::<[u8; 16]>()).prop_map(|(server_seq, mark)| Cursor {
        server_seq,
        mark: Mark::origin(mark),
    })
}

/// Names with what JSON escapes, and what it need not.
pub(crate) fn names() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9-]{1,40}", "[ -~é\u{2028}😀\"\\\\/]{1,20}"]
}

pub(crate) fn keys() -> impl Strategy<Value = OpKey> {
    let clocks = prop_oneof![1_u64..100, 1..1_u64 << 53];
    (names(), clocks, "[a-z][a-z0-9._-]{0,63}", names()).prop_map(
        |(actor, clock, scope, resource)| OpKey {
            actor: actor.parse().unwrap(),
            clock: Clock::new(clock).unwrap(),
            scope: scope.parse().unwrap(),
            resource: resource.parse().unwrap(),
        },
    )
}

/// JSON values in every spelling: with and without white space, carriage returns and escapes.
pub(crate) fn payloads() -> impl Strategy<Value = Payload> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let values = leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    let plain = values.clone().prop_map(|value| value.to_string());
    let spaced = values.clone().prop_map(|value| format!("{value:#}"));
    let returns = values.prop_map(|value| format!("{value:#}").replace('\n', "\r\n"));
    let escaped = Just(r#"{"a\u0062":"\ud83d\ude00\/\u00e9","lone":"\ud800"}"#.to_owned());
    prop_oneof![4 => plain, 2 => spaced, 1 => returns, 1 => escaped]
        .prop_map(|text| Payload::parse(&text).unwrap())
}

/// An op as it was first written.
pub(crate) fn own_ops() -> impl Strategy<Value = OfferedOp> {
    (keys(), payloads()).prop_map(|(key, payload)| {
        let payload_hash = payload.hash();
        OfferedOp {
            key,
            payload: Some(payload),
            payload_hash,
        }
    })
}

/// An op as a log may hold it: also decided, and so of other bytes than first sent, or erased.
pub(crate) fn held_ops() -> impl Strategy<Value = OfferedOp> {
    let odd = (keys(), prop::option::of(payloads()), any::<[u8; 16]>()).prop_map(
        |(key, payload, hash)| {
            let payload_hash = PayloadHash::from_slice(&hash).unwrap();
            OfferedOp {
                key,
                payload,
                payload_hash,
            }
        },
    );
    prop_oneof![3 => own_ops(), 1 => odd]
}

pub(crate) fn pages() -> impl Strategy<Value = PullPage> {
    let ops = prop::collection::vec((places(), held_ops()), 0..8);
    (epochs(), places(), ops, places(), cursors()).prop_map(
        |(epoch, floor, ops, server_seq, cursor)| PullPage {
            epoch,
            floor,
            ops: ops.into_iter().map(|(seq, op)| logged(seq, op)).collect(),
            server_seq,
            cursor,
            has_more: cursor.server_seq < server_seq,
            sight: None,
            collections: None,
        },
    )
}

fn logged(seq: ServerSeq, op: OfferedOp) -> LoggedOp {
    LoggedOp {
        seq,
        key: op.key,
        payload: op.payload,
        payload_hash: op.payload_hash,
    }
}

/// A message with some bytes put in the place of others.
pub(crate) fn mutated(bytes: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let splice = prop::collection::vec(
        prop_oneof![
            any::<u8>(),
            prop::sample::select(b"{}[]\",:\\0e-.nul".to_vec())
        ],
        0..4,
    );
    (bytes, any::<prop::sample::Index>(), 0_usize..6, splice).prop_map(
        |(mut bytes, at, length, splice)| {
            let at = at.index(bytes.len().max(1)).min(bytes.len());
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, splice);
            bytes
        },
    )
}
