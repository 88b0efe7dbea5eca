//! What other recorders of sessions get wrong.

use syncline_model::session::{MESSAGES, PARTS, SESSIONS, TOOLS, USAGE};
use syncline_model::{Folded, Op, SkipReason, Value};

use super::memory::{Memory, kept, op, patch};

#[test]
fn a_patch_of_one_field_wipes_no_other() {
    let view = Memory::of(&[
        patch(
            "a",
            1,
            r#"{"session":{"title":"Fix login","projectPath":"/w/app","reportedInputTokens":1000,
                "reportedCostNanos":500000000,"reportedMessageCount":4}}"#,
        ),
        patch("a", 2, r#"{"session":{"model":"x"}}"#),
    ]);
    assert_eq!(view.of_session("title"), "Fix login".into());
    assert_eq!(view.of_session("project_path"), "/w/app".into());
    assert_eq!(
        view.of_session("reported_input_tokens"),
        Value::Integer(1000)
    );
    assert_eq!(
        view.of_session("reported_cost_nanos"),
        Value::Integer(500_000_000)
    );
    assert_eq!(view.of_session("model"), "x".into());
}

#[test]
fn null_empties_a_field_and_absence_keeps_it() {
    let view = Memory::of(&[
        patch("a", 1, r#"{"session":{"title":"x","model":"y"}}"#),
        patch("a", 2, r#"{"session":{"title":null}}"#),
    ]);
    assert_eq!(view.of_session("title"), Value::Null);
    assert_eq!(view.of_session("model"), "y".into());
}

#[test]
fn what_comes_before_its_session_is_kept() {
    let early = patch(
        "a",
        1,
        r#"{"tools":[{"id":"t","messageId":"m","success":false}],
            "parts":[{"messageId":"m","id":"0","kind":"text","order":0,"text":"hi"}]}"#,
    );
    let late = patch(
        "a",
        2,
        r#"{"session":{"agent":"codex"},"messages":[{"id":"m","role":"user"}]}"#,
    );
    let view = Memory::of([&early, &late]);
    assert_eq!(view, Memory::of([&late, &early]));
    assert_eq!(view.of_session("message_count"), Value::Integer(1));
    assert_eq!(view.of_session("tool_error_count"), Value::Integer(1));
    assert_eq!(view.table(&PARTS).len(), 1);
    let orphans = Memory::of([&early]);
    assert_eq!(
        orphans.table(&SESSIONS).len(),
        1,
        "nothing is without a session"
    );
}

#[test]
fn a_response_told_on_several_lines_is_used_once_as_the_last_line_tells() {
    let line = |clock, order, output| {
        patch(
            "a",
            clock,
            &format!(
                r#"{{"messages":[{{"id":"msg_1","role":"assistant"}}],
                   "usage":[{{"id":"msg_1/req_1","order":{order},"input":3,"output":{output},
                   "cacheRead":9000,"cacheWrite5m":120}}]}}"#
            ),
        )
    };
    let ops = [line(1, 10, 1), line(2, 11, 25), line(3, 12, 41)];
    let view = Memory::of(&ops);
    assert_eq!(view.table(&USAGE).len(), 1);
    let id = "msg_1/req_1";
    assert_eq!(view.cell(&USAGE, id, "output_tokens"), Value::Integer(41));
    assert_eq!(
        view.cell(&USAGE, id, "cache_read_tokens"),
        Value::Integer(9000)
    );
    assert_eq!(view.of_session("message_count"), Value::Integer(1));
    let stale = line(9, 10, 1);
    let mut after = view.clone();
    after.fold(&stale);
    assert_eq!(
        after.cell(&USAGE, id, "output_tokens"),
        Value::Integer(41),
        "a stale copy"
    );
}

#[test]
fn many_prompts_of_one_session_are_many_messages() {
    let ops = (1..=3).map(|n| {
        let message = format!(r#"{{"messages":[{{"id":"u{n}","role":"user"}}]}}"#);
        patch("a", n, &message)
    });
    let ops: Vec<Op> = ops.collect();
    let view = Memory::of(&ops);
    assert_eq!(view.of_session("prompt_count"), Value::Integer(3));
}

#[test]
fn a_message_keeps_all_its_parts_and_takes_later_text_of_each() {
    let part = |clock, id, text| {
        let part = format!(
            r#"{{"parts":[{{"messageId":"m","id":"{id}","kind":"text","order":{id},"text":"{text}"}}]}}"#
        );
        patch("a", clock, &part)
    };
    let view = Memory::of(&[
        part(1, 0, "one"),
        part(2, 1, "tw"),
        part(3, 1, "two, whole"),
    ]);
    let texts = view.table(&PARTS);
    let texts: Vec<&str> = texts
        .iter()
        .filter_map(|row| row.last()?.as_text())
        .collect();
    assert_eq!(texts, ["one", "two, whole"]);
    let gone = r#"{"parts":[{"messageId":"m","id":"1","kind":"text","order":1,"text":"x","removed":true}]}"#;
    let mut view = view;
    view.fold(&patch("a", 4, gone));
    assert!(
        view.table(&PARTS)
            .iter()
            .all(|row| row.last() != Some(&"x".into()))
    );
}

#[test]
fn copies_of_another_session_are_kept_and_not_counted() {
    let view = Memory::of(&[patch(
        "a",
        1,
        r#"{"messages":[{"id":"m1","role":"user","copiedFrom":"s0"},{"id":"m2","role":"user"}],
            "tools":[{"id":"t1","copiedFrom":"s0","success":false}],
            "usage":[{"id":"r1","order":1,"output":5,"copied":true}]}"#,
    )]);
    assert_eq!(view.of_session("message_count"), Value::Integer(1));
    assert_eq!(view.of_session("tool_call_count"), Value::Integer(0));
    assert_eq!(view.of_session("tool_error_count"), Value::Integer(0));
    assert_eq!(view.table(&MESSAGES).len(), 2);
    assert_eq!(view.table(&TOOLS).len(), 1);
    assert_eq!(view.cell(&USAGE, "r1", "copied"), Value::Integer(1));
}

#[test]
fn a_message_without_an_order_stands_by_its_time() {
    let view = Memory::of(&[patch(
        "a",
        1,
        r#"{"messages":[{"id":"m1","at":"1970-01-01T00:00:01Z"},{"id":"m2","order":7}]}"#,
    )]);
    assert_eq!(view.of_message("m1", "position"), Value::Integer(1_024_000));
    assert_eq!(view.of_message("m2", "position"), Value::Integer(7));
}

#[test]
fn a_call_whose_own_line_is_not_there_stands_where_its_result_does() {
    let result = patch(
        "b",
        9,
        r#"{"upTo":9000,"tools":[{"id":"t","completedAt":"1970-01-01T00:00:01Z","success":true}],
            "parts":[{"toolId":"t","id":"tool_output","kind":"tool_output","order":1024003}]}"#,
    );
    let timeless = patch(
        "b",
        10,
        r#"{"tools":[{"id":"u","success":true}],
            "parts":[{"toolId":"u","id":"tool_output","kind":"tool_output","order":7}]}"#,
    );
    let ended = patch(
        "b",
        11,
        r#"{"tools":[{"id":"v","completedAt":"1970-01-01T00:00:01Z"}]}"#,
    );
    let stands = |ops: &[&Op], id: &str| {
        let there = Memory::of(ops.iter().copied());
        assert_eq!(there, Memory::of(ops.iter().rev().copied()));
        there.cell(&TOOLS, id, "position")
    };
    let all = [&result, &timeless, &ended];
    let places = [("t", 1_024_003), ("u", 7), ("v", 1_024_000)];
    for (id, position) in places {
        assert_eq!(stands(&all, id), Value::Integer(position), "{id}");
    }
    // Its own line tells better, however little it weighs.
    let call = patch("a", 1, r#"{"tools":[{"id":"t","name":"Bash","order":5}]}"#);
    assert_eq!(stands(&[&result, &call], "t"), Value::Integer(5));
}

#[test]
fn no_number_is_too_large_to_be_added_up() {
    let huge = u64::MAX;
    let view = Memory::of(&[patch(
        "a",
        1,
        &format!(
            r#"{{"session":{{"reportedCostNanos":{huge}}},"usage":[{{"id":"r","order":1,"output":{huge}}}]}}"#
        ),
    )]);
    let output = view.cell(&USAGE, "r", "output_tokens");
    assert_eq!(
        output
            .as_integer()
            .unwrap()
            .checked_mul(1_000_000)
            .map(|_| ()),
        Some(())
    );
}

#[test]
fn payloads_that_cannot_be_read_are_passed_over() {
    let skipped = Folded::Skipped(SkipReason::Unreadable);
    let mut view = Memory::default();
    let log = [
        op("a", 1, r#"{"type":"hologram"}"#),
        patch("a", 2, r#"{"messages":[{"id":7}]}"#),
        patch("a", 3, r#"{"session":{"startedAt":"yesterday"}}"#),
    ];
    for op in &log {
        assert_eq!(view.fold(op), skipped);
    }
    let mut spelled = patch("a", 4, r#"{"session":{"title":"x"}}"#);
    let upper = spelled.key.resource.as_str().to_uppercase();
    spelled.key.resource = syncline_model::ResourceId::new(upper).unwrap();
    assert_eq!(view.fold(&spelled), skipped, "another spelling of its id");
    assert_eq!(view, Memory::default());
    assert_eq!(kept(&log), log, "a newer version may read them");
}

#[test]
fn what_says_more_than_is_read_here_stays_in_the_log() {
    let log = [
        patch(
            "a",
            1,
            r#"{"messages":[{"id":"m","role":"user","mood":"good"}]}"#,
        ),
        patch("a", 2, r#"{"messages":[{"id":"m","role":"user"}]}"#),
        patch("a", 3, r#"{"messages":[{"id":"m","role":"user"}]}"#),
    ];
    assert_eq!(kept(&log), [log[0].clone(), log[2].clone()]);
    assert_eq!(Memory::of(&log), Memory::of(&kept(&log)));
}

#[test]
fn a_patch_that_says_nothing_makes_no_row() {
    let log = [patch("a", 1, r#"{"messages":[{"id":"m"}]}"#)];
    assert_eq!(Memory::of(&log), Memory::default());
    assert_eq!(kept(&log), []);
}
