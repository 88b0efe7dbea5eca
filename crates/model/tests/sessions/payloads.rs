//! What payloads of sessions say, and how many pieces become few of them.

use syncline_model::limits::PAYLOAD_BYTES_MAX;
use syncline_model::session::{
    Batch, CHUNK_BYTES, Change, Delete, MessagePatch, Part, Patch, Piece, SessionOp, SessionPatch,
    TEXT_CHARS_MAX, Usage, order_after, pieces_of_text, session_id,
};
use syncline_model::{Payload, Timestamp};

fn read(payload: &Payload) -> Patch<'_> {
    match SessionOp::read(payload) {
        Some(SessionOp::Patch(patch)) => *patch,
        other => panic!("no patch: {other:?}"),
    }
}

#[test]
fn absent_null_and_a_value_are_three_things() {
    let text = r#"{"type":"patch","patch":{"session":{"title":null,"agent":"codex"}}}"#;
    let payload = Payload::parse(text).unwrap();
    let patch = read(&payload);
    assert_eq!(patch.session.title, Change::Clear);
    assert_eq!(patch.session.agent, Change::Set("codex".into()));
    assert_eq!(patch.session.model, Change::Keep);
    let again = SessionOp::Patch(Box::new(patch)).payload().unwrap();
    assert_eq!(again.as_str().len(), text.len());
    let whole = serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(
        again.read::<serde_json::Value>().unwrap(),
        whole,
        "what was left out is not written"
    );
}

#[test]
fn what_is_not_understood_is_no_op() {
    for text in [
        "7",
        r#"{"type":"patch"}"#,
        r#"{"type":"hologram","patch":{}}"#,
        r#"{"type":"delete"}"#,
        r#"{"type":"patch","patch":{"messages":[{"role":"user"}]}}"#,
        r#"{"type":"patch","patch":{"messages":[{"id":"m","isSidechain":"yes"}]}}"#,
    ] {
        assert_eq!(
            SessionOp::read(&Payload::parse(text).unwrap()),
            None,
            "{text}"
        );
    }
    let at = Timestamp::UNIX_EPOCH;
    let delete = SessionOp::Delete(Delete { at }).payload().unwrap();
    assert_eq!(
        SessionOp::read(&delete),
        Some(SessionOp::Delete(Delete { at }))
    );
}

#[test]
fn a_batch_holds_what_was_pushed_in_few_payloads() {
    let mut batch = Batch::default();
    let mut payloads = Vec::new();
    let text = "x".repeat(TEXT_CHARS_MAX / 2);
    let session = SessionPatch {
        agent: Change::Set("claude-code".into()),
        ..SessionPatch::default()
    };
    payloads.extend(batch.push(&Piece::Session(Box::new(session))).unwrap());
    for n in 0..40 {
        let id = format!("m{n}");
        let message = MessagePatch {
            id: id.as_str().into(),
            ..MessagePatch::default()
        };
        let part = Part {
            message_id: id.as_str().into(),
            id: "0".into(),
            text: text.as_str().into(),
            ..Part::default()
        };
        let usage = Usage {
            id: id.as_str().into(),
            output: n,
            ..Usage::default()
        };
        for piece in [
            Piece::Message(message),
            Piece::Part(part),
            Piece::Usage(usage),
        ] {
            payloads.extend(batch.push(&piece).unwrap());
        }
    }
    payloads.extend(batch.finish().unwrap());
    assert!((8..=10).contains(&payloads.len()), "{}", payloads.len());
    assert!(
        payloads
            .iter()
            .all(|p| p.as_str().len() < CHUNK_BYTES + 1024)
    );
    let patches: Vec<Patch<'_>> = payloads.iter().map(read).collect();
    assert_eq!(patches[0].session.agent, Change::Set("claude-code".into()));
    assert_eq!(patches.iter().map(|p| p.messages.len()).sum::<usize>(), 40);
    assert_eq!(patches.iter().map(|p| p.usage.len()).sum::<usize>(), 40);
    let parts = patches.iter().flat_map(|patch| &patch.parts);
    assert!(
        parts
            .map(|part| part.text.len())
            .all(|len| len == text.len())
    );
    assert!(Batch::default().finish().unwrap().is_none());
}

#[test]
fn the_longest_part_fits_whatever_its_characters() {
    for c in ['\u{1}', '"', 'x', '😀'] {
        let text: String = std::iter::repeat_n(c, TEXT_CHARS_MAX).collect();
        let part = Part {
            id: "0".into(),
            kind: "text".into(),
            text: text.into(),
            ..Part::default()
        };
        let mut batch = Batch::default();
        assert_eq!(batch.push(&Piece::Part(part)).unwrap(), None);
        let payload = batch.finish().unwrap().expect("a part was pushed");
        assert!(payload.as_str().len() < PAYLOAD_BYTES_MAX, "{c:?}");
    }
}

#[test]
fn long_texts_are_cut_at_characters() {
    let text = "é".repeat(2 * TEXT_CHARS_MAX + 1);
    let pieces: Vec<&str> = pieces_of_text(&text).collect();
    assert_eq!(pieces.len(), 3);
    assert_eq!(pieces.concat(), text);
    assert_eq!(pieces_of_text("").collect::<Vec<_>>(), [""]);
    let whole = "x".repeat(TEXT_CHARS_MAX);
    assert_eq!(pieces_of_text(&whole).count(), 1);
}

#[test]
fn ids_follow_from_the_agent_its_id_and_what_tells_equal_ones_apart() {
    let id = session_id("claude-code", "5c0e", "");
    assert_eq!(id, session_id("claude-code", "5c0e", ""));
    for other in [
        session_id("codex", "5c0e", ""),
        session_id("claude-code", "5c0e", "/w/app"),
        session_id("claude-code", "5c0", "e"),
        session_id("claude-code5", "c0e", ""),
    ] {
        assert_ne!(id, other);
    }
}

#[test]
fn order_keys_ascend_along_a_file_and_follow_time() {
    let at = |millis| Timestamp::from_millis(millis).ok();
    let first = order_after(None, at(1_000));
    let same = order_after(Some(first), at(1_000));
    let back = order_after(Some(same), at(10));
    let later = order_after(Some(back), at(2_000));
    assert!(first < same && same < back && back < later);
    assert_eq!(later, order_after(None, at(2_000)));
    assert_eq!(order_after(Some(7), None), 8);
}
