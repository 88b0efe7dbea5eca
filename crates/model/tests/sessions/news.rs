//! What is read again is written once.

use std::convert::Infallible;

use syncline_model::session::{
    Batch, Change, MessagePatch, Part, Piece, Precedence, SessionPatch, ToolPatch, Usage, news_of,
};
use syncline_model::{Op, Rows, Timestamp};

use super::memory::{Memory, op, patch, session};

fn at(line: i64) -> Timestamp {
    Timestamp::from_millis(line * 1000).expect("a small time")
}

fn transcript(lines: i64) -> Vec<Piece<'static>> {
    let mut pieces = vec![Piece::Session(Box::new(SessionPatch {
        agent: Change::Set("claude-code".into()),
        title: Change::Set(format!("title {lines}").into()),
        git_branch: Change::Clear,
        updated_at: Change::Set(at(lines)),
        ..SessionPatch::default()
    }))];
    for line in 0..lines {
        let id = format!("m{line}");
        pieces.push(Piece::Message(MessagePatch {
            id: id.clone().into(),
            role: Change::Set("assistant".into()),
            at: Change::Set(at(line)),
            ..MessagePatch::default()
        }));
        pieces.push(Piece::Part(Part {
            message_id: id.clone().into(),
            id: "0".into(),
            kind: "text".into(),
            text: format!("text {line}").into(),
            ..Part::default()
        }));
        pieces.push(Piece::Tool(Box::new(ToolPatch {
            id: id.clone().into(),
            success: Change::Set(true),
            ..ToolPatch::default()
        })));
        pieces.push(Piece::Usage(Usage {
            id: "one response".into(),
            order: line,
            output: line as u64,
            ..Usage::default()
        }));
    }
    pieces
}

/// Writes what is news of the first `lines` of a transcript; gives the op, if there is one.
fn import(view: &mut Memory, actor: &str, clock: u64, lines: i64) -> Option<Op> {
    let pieces = transcript(lines);
    let told = Precedence::at(at(lines));
    let mut batch = Batch::of(told);
    for piece in pieces {
        let mut reader = view.clone();
        let mut row = |table, key: &[_]| -> Result<_, Infallible> { reader.get(table, key) };
        if let Some(piece) = news_of(&mut row, session(), piece, told).unwrap() {
            let full = batch.push(&piece).expect("small pieces");
            assert_eq!(full, None, "a small batch");
        }
    }
    let payload = batch.finish().expect("small pieces")?;
    let op = op(actor, clock, payload.as_str());
    view.fold(&op);
    Some(op)
}

#[test]
fn importing_twice_writes_nothing_new() {
    let mut view = Memory::default();
    assert!(import(&mut view, "a", 1, 4).is_some());
    let before = view.clone();
    assert_eq!(import(&mut view, "a", 2, 4), None);
    assert_eq!(view, before);
}

#[test]
fn a_transcript_that_grew_gives_what_it_grew_by() {
    let mut view = Memory::default();
    import(&mut view, "a", 1, 4);
    let op = import(&mut view, "a", 2, 5).expect("a line more");
    assert!(!op.payload.as_str().contains("text 3"));
    assert!(op.payload.as_str().contains("text 4"));
    let mut whole = Memory::default();
    import(&mut whole, "a", 1, 5);
    assert_eq!(view.rows.len(), whole.rows.len());
}

#[test]
fn a_stale_copy_changes_nothing_back() {
    let mut view = Memory::default();
    import(&mut view, "a", 1, 5);
    assert_eq!(import(&mut view, "b", 9, 3), None);
    assert_eq!(view.of_session("title"), "title 5".into());
}

#[test]
fn a_stale_copy_changes_nothing_back_of_which_was_not_told_how_far_it_goes() {
    let mut view = Memory::default();
    let mut row = |_, _: &[_]| -> Result<_, Infallible> { Ok(None) };
    let mut batch = Batch::of(Precedence::Unknown);
    for piece in transcript(5) {
        let told = Precedence::Unknown;
        let piece = news_of(&mut row, session(), piece, told).unwrap().unwrap();
        batch.push(&piece).expect("small pieces");
    }
    let payload = batch.finish().expect("small pieces").expect("a batch");
    view.fold(&op("a", 1, payload.as_str()));
    assert_eq!(import(&mut view, "b", 9, 3), None);
    assert_eq!(view.of_session("title"), "title 5".into());
    // A copy that goes further says what it tells, and from then on it is known how far that goes.
    assert!(import(&mut view, "b", 10, 6).is_some());
    assert_eq!(view.of_session("title"), "title 6".into());
}

#[test]
fn a_stale_copy_of_a_machine_that_knew_nothing_changes_nothing_back() {
    let (mut one, mut other) = (Memory::default(), Memory::default());
    let whole = import(&mut one, "a", 1, 5).unwrap();
    let stale = import(&mut other, "b", 90, 3).unwrap();
    one.fold(&stale);
    other.fold(&whole);
    assert_eq!(one, other);
    assert_eq!(one.of_session("title"), "title 5".into());
    assert_eq!(one.of_session("updated_at"), 5000.into());
    assert_eq!(one.of_session("message_count"), 5.into());
}

#[test]
fn what_a_person_says_stands_over_what_is_told_before_and_after() {
    let mut view = Memory::default();
    import(&mut view, "a", 1, 3);
    let named = r#"{"decided":true,"session":{"title":"My own"}}"#;
    view.fold(&patch("b", 2, named));
    import(&mut view, "a", 9, 5);
    assert_eq!(view.of_session("title"), "My own".into());
    assert_eq!(view.of_session("updated_at"), 5000.into());
    view.fold(&patch(
        "c",
        10,
        r#"{"decided":true,"session":{"title":"Another"}}"#,
    ));
    assert_eq!(view.of_session("title"), "Another".into());
}

#[test]
fn nothing_that_an_agent_tells_weighs_as_much_as_what_a_person_says() {
    let mut view = Memory::default();
    let named = r#"{"decided":true,"session":{"title":"My own"}}"#;
    view.fold(&patch("a", 1, named));
    let far = format!(r#"{{"upTo":{},"session":{{"title":"Told"}}}}"#, i64::MAX);
    view.fold(&patch("b", 2, &far));
    assert_eq!(view.of_session("title"), "My own".into());
}

#[test]
fn what_is_decided_is_news_until_it_stands_as_decided() {
    let mut view = Memory::default();
    import(&mut view, "a", 1, 3);
    let said = Piece::Session(Box::new(SessionPatch {
        title: Change::Set("title 3".into()),
        git_branch: Change::Clear,
        ..SessionPatch::default()
    }));
    let role = Piece::Message(MessagePatch {
        id: "m0".into(),
        role: Change::Set("assistant".into()),
        ..MessagePatch::default()
    });
    let news = |view: &Memory, piece: &Piece<'static>| {
        let mut reader = view.clone();
        let mut row = |table, key: &[_]| -> Result<_, Infallible> { reader.get(table, key) };
        news_of(&mut row, session(), piece.clone(), Precedence::Decided).unwrap()
    };
    let mut batch = Batch::of(Precedence::Decided);
    for piece in [&said, &role] {
        assert_eq!(news(&view, piece).as_ref(), Some(piece));
        batch.push(piece).expect("small pieces");
    }
    let payload = batch.finish().expect("small pieces").expect("a batch");
    view.fold(&op("b", 2, payload.as_str()));
    for piece in [&said, &role] {
        assert_eq!(news(&view, piece), None);
    }
}

#[test]
fn a_deleted_session_is_not_written_again() {
    let mut view = Memory::default();
    import(&mut view, "a", 1, 2);
    view.fold(&op(
        "a",
        2,
        r#"{"type":"delete","at":"2026-03-01T10:00:00Z"}"#,
    ));
    assert_eq!(import(&mut view, "b", 3, 5), None);
}

#[test]
fn two_machines_that_read_one_transcript_show_the_same() {
    let (mut one, mut other) = (Memory::default(), Memory::default());
    let from_one = import(&mut one, "a", 1, 4).unwrap();
    let from_other = import(&mut other, "b", 1, 4).unwrap();
    assert_eq!(from_one.payload, from_other.payload);
    one.fold(&from_other);
    other.fold(&from_one);
    assert_eq!(one, other);
    assert_eq!(one.of_session("message_count"), 4.into());
}

#[test]
fn what_is_told_alone_is_news_until_it_stands_as_such_and_over_all_that_is_told_up_to_a_place() {
    let mut view = Memory::default();
    import(&mut view, "a", 1, 3);
    let title = |grade, order| {
        let said = Piece::Session(Box::new(SessionPatch {
            title: Change::Set("title 3".into()),
            ..SessionPatch::default()
        }));
        (said, Precedence::graded(grade, order))
    };
    let news = |view: &Memory, grade, order| {
        let (said, told) = title(grade, order);
        let mut reader = view.clone();
        let mut row = |table, key: &[_]| -> Result<_, Infallible> { reader.get(table, key) };
        news_of(&mut row, session(), said, told).unwrap().is_some()
    };
    assert!(news(&view, 2, 7));
    let (said, told) = title(2, 7);
    let mut batch = Batch::of(told);
    batch.push(&said).expect("a small piece");
    let payload = batch.finish().expect("a small piece").expect("a batch");
    view.fold(&op("b", 2, payload.as_str()));
    for (grade, order, is_news) in [
        (1, i64::MAX, false),
        (2, 7, false),
        (2, 8, true),
        (3, 0, true),
    ] {
        assert_eq!(news(&view, grade, order), is_news, "{grade} {order}");
    }
    import(&mut view, "a", 9, 5);
    assert_eq!(view.of_session("title"), "title 3".into());
}

#[test]
fn a_text_that_was_taken_back_up_to_the_same_place_is_no_news() {
    let part = |removed| {
        Piece::Part(Part {
            message_id: "m".into(),
            id: "0".into(),
            kind: "text".into(),
            text: "of the queue".into(),
            removed,
            ..Part::default()
        })
    };
    let cases = [
        (Precedence::UpTo(5), Precedence::UpTo(4), false),
        (Precedence::UpTo(5), Precedence::UpTo(5), false),
        (Precedence::UpTo(5), Precedence::UpTo(6), true),
        // Of what nobody has told how far it goes the last counts: a text may be emptied, and written anew.
        (Precedence::Unknown, Precedence::Unknown, true),
    ];
    for (taken, told, is_news) in cases {
        let mut view = Memory::default();
        let mut batch = Batch::of(taken);
        batch.push(&part(true)).expect("small pieces");
        let payload = batch.finish().expect("small pieces").expect("a batch");
        view.fold(&op("a", 1, payload.as_str()));
        let mut row = |table, key: &[_]| -> Result<_, Infallible> { view.get(table, key) };
        let news = news_of(&mut row, session(), part(false), told).unwrap();
        assert_eq!(news.is_some(), is_news, "{taken:?}, {told:?}");
        assert_eq!(
            news_of(&mut row, session(), part(true), taken).unwrap(),
            None
        );
    }
}
