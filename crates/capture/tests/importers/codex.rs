//! What versions of Codex write differently.

use syncline_capture::agent::Agent;

use crate::agents::{figures, twice};
use crate::place::Place;

#[test]
fn prompts_of_bare_items_are_taken_as_no_event_tells_them() {
    let mut place = Place::new();
    let lines = [
        r#"{"id":"c0","timestamp":"2025-06-01T10:00:00.000Z","instructions":null}"#,
        r#"{"record_type":"state"}"#,
        r#"{"type":"message","role":"user","content":[{"type":"input_text","text":"<environment_context>here</environment_context>"}]}"#,
        r#"{"type":"message","role":"user","content":[{"type":"input_text","text":"list the files"}]}"#,
        r#"{"type":"function_call","id":"x","name":"shell","arguments":"{}","call_id":"k1"}"#,
        r#"{"type":"function_call_output","call_id":"k1","output":"a.rs"}"#,
        r#"{"type":"message","role":"assistant","content":[{"type":"output_text","text":"a.rs"}]}"#,
    ];
    place.write("rollout-a-c0.jsonl", lines.join("\n") + "\n");
    twice(&mut place, Agent::Codex);
    let found = figures(&mut place, "c0");
    assert_eq!((found.messages, found.prompts, found.tools), (3, 1, 1));
    assert_eq!(place.rows("titles"), ["list the files"]);
}

#[test]
fn each_response_of_codex_is_a_message_with_what_it_has_used() {
    let token = |seconds: u64, input: u64, output: u64| {
        format!(
            r#"{{"timestamp":"2026-01-01T10:00:{seconds:02}.000Z","type":"event_msg","payload":{{"type":"token_count","info":{{"total_token_usage":{{"input_tokens":{input},"cached_input_tokens":0,"output_tokens":{output}}}}}}}}}"#
        )
    };
    let lines = [
        r#"{"timestamp":"2026-01-01T10:00:00.000Z","type":"session_meta","payload":{"id":"c7","cwd":"/w/app","source":"cli"}}"#.to_owned(),
        r#"{"timestamp":"2026-01-01T10:00:01.000Z","type":"event_msg","payload":{"type":"user_message","message":"go"}}"#.to_owned(),
        // Newer versions tell of results first, older ones of what was used.
        r#"{"timestamp":"2026-01-01T10:00:02.000Z","type":"response_item","payload":{"type":"function_call","name":"shell","arguments":"{}","call_id":"k1"}}"#.to_owned(),
        r#"{"timestamp":"2026-01-01T10:00:03.000Z","type":"response_item","payload":{"type":"function_call_output","call_id":"k1","output":"a.rs"}}"#.to_owned(),
        token(4, 100, 10),
        r#"{"timestamp":"2026-01-01T10:00:05.000Z","type":"response_item","payload":{"type":"message","role":"assistant","content":[{"type":"output_text","text":"one"}]}}"#.to_owned(),
        token(6, 300, 15),
        r#"{"timestamp":"2026-01-01T10:00:07.000Z","type":"response_item","payload":{"type":"message","role":"assistant","content":[{"type":"output_text","text":"two"}]}}"#.to_owned(),
        token(8, 600, 17),
        r#"{"timestamp":"2026-01-01T10:00:09.000Z","type":"event_msg","payload":{"type":"user_message","message":"more"}}"#.to_owned(),
        // Of a response that has said nothing.
        token(10, 601, 17),
    ];
    let mut place = Place::new();
    place.write("rollout-a-c7.jsonl", lines.join("\n") + "\n");
    twice(&mut place, Agent::Codex);
    assert_eq!(
        place.rows("answered"),
        ["assistant|100|10", "assistant|200|5", "assistant|300|2"]
    );
    assert_eq!(figures(&mut place, "c7").tokens, [601, 17, 0, 0, 0, 0]);
}

#[test]
fn what_was_rolled_back_in_codex_counts_no_more() {
    let mut place = Place::new();
    let lines = [
        r#"{"timestamp":"2026-01-01T10:00:00.000Z","type":"session_meta","payload":{"id":"c4","cwd":"/w/app","source":"cli"}}"#,
        r#"{"timestamp":"2026-01-01T10:00:01.000Z","type":"event_msg","payload":{"type":"user_message","message":"first"}}"#,
        r#"{"timestamp":"2026-01-01T10:00:02.000Z","type":"response_item","payload":{"type":"message","role":"assistant","content":[{"type":"output_text","text":"said"}]}}"#,
        r#"{"timestamp":"2026-01-01T10:00:03.000Z","type":"event_msg","payload":{"type":"thread_rolled_back","num_turns":1}}"#,
        r#"{"timestamp":"2026-01-01T10:00:04.000Z","type":"event_msg","payload":{"type":"user_message","message":"second"}}"#,
    ];
    place.write("rollout-a-c4.jsonl", lines.join("\n") + "\n");
    assert_eq!(twice(&mut place, Agent::Codex).counts.not_understood, 0);
    let found = figures(&mut place, "c4");
    assert_eq!((found.messages, found.prompts), (1, 1));
}

#[test]
fn a_subagent_of_codex_is_asked_what_its_parent_has_not_said() {
    let mut place = Place::new();
    let parent = [
        r#"{"timestamp":"2026-01-01T10:00:00.000Z","type":"session_meta","payload":{"id":"c5","cwd":"/w/app","source":"cli"}}"#,
        r#"{"timestamp":"2026-01-01T10:00:01.000Z","type":"event_msg","payload":{"type":"user_message","message":"first"}}"#,
    ];
    let called = [
        r#"{"timestamp":"2026-01-01T10:05:00.000Z","type":"session_meta","payload":{"id":"c6","cwd":"/w/app","source":{"subagent":{"thread_spawn":{"parent_thread_id":"c5"}}}}}"#,
        r#"{"timestamp":"2026-01-01T10:05:00.100Z","type":"event_msg","payload":{"type":"user_message","message":"first"}}"#,
        r#"{"timestamp":"2026-01-01T10:05:00.200Z","type":"event_msg","payload":{"type":"user_message","message":"the task"}}"#,
    ];
    place.write("rollout-a-c5.jsonl", parent.join("\n") + "\n");
    place.write("rollout-b-c6.jsonl", called.join("\n") + "\n");
    twice(&mut place, Agent::Codex);
    assert_eq!(figures(&mut place, "c6").prompts, 1);
    assert_eq!(figures(&mut place, "c5").prompts, 1);
}

#[test]
fn how_long_a_call_took_is_as_its_output_tells() {
    let outputs = [
        r#""{\"output\":\"a\",\"metadata\":{\"exit_code\":0,\"duration_seconds\":0.5}}""#,
        r#""Chunk ID: d3\nWall time: 0.2524 seconds\nProcess exited with code 0\nOutput:\nWall time: 9 s""#,
        r#""Exit code: 1\nWall time: 2 seconds\nOutput:\nno""#,
        r#""Output:\nWall time: 9 seconds""#,
    ];
    let mut lines = vec![r#"{"timestamp":"2026-01-01T10:00:00.000Z","type":"session_meta","payload":{"id":"c9","cwd":"/w/app","source":"cli"}}"#.to_owned()];
    for (call, output) in outputs.iter().enumerate() {
        lines.push(format!(r#"{{"timestamp":"2026-01-01T10:00:01.000Z","type":"response_item","payload":{{"type":"function_call","name":"shell","arguments":"{{}}","call_id":"k{call}"}}}}"#));
        lines.push(format!(r#"{{"timestamp":"2026-01-01T10:00:04.000Z","type":"response_item","payload":{{"type":"function_call_output","call_id":"k{call}","output":{output}}}}}"#));
    }
    let mut place = Place::new();
    place.write("rollout-a-c9.jsonl", lines.join("\n") + "\n");
    twice(&mut place, Agent::Codex);
    let calls = [
        "shell|1|500|",
        "shell|1|252|",
        "shell|0|2000|",
        "shell|1|3000|",
    ];
    assert_eq!(place.rows("calls"), calls);
}

const FIXTURE: &str = include_str!(
    "../fixtures/codex/rollout-2026-11-21T15-27-42-01a1feb8-6dbf-77e2-93bc-53091bb24fc2.jsonl"
);
const FIXTURE_ID: &str = "01a1feb8-6dbf-77e2-93bc-53091bb24fc2";

#[test]
fn a_header_of_codex_that_cannot_be_read_takes_no_session() {
    let name = format!("rollout-2026-11-21T15-27-42-{FIXTURE_ID}.jsonl");
    let mut whole = Place::new();
    whole.write(&name, FIXTURE);
    let known = twice(&mut whole, Agent::Codex).counts.not_understood;
    let (header, rest) = FIXTURE.split_once('\n').unwrap();
    let torn = format!("{}\n{rest}", &header[..60]);
    let of_another_shape = format!("{}\n{rest}", r#"{"type":"session_meta","payload":"new"}"#);
    for (text, damaged, not_understood) in [(torn, 1, 0), (of_another_shape, 0, 1)] {
        let mut place = Place::new();
        place.write(&name, text);
        let done = place.import_files(Agent::Codex);
        assert_eq!(
            (done.counts.damaged, done.counts.not_understood),
            (damaged, known + not_understood)
        );
        assert_eq!(
            figures(&mut place, FIXTURE_ID),
            figures(&mut whole, FIXTURE_ID)
        );
        assert_eq!(place.rows("said"), whole.rows("said"));
        let about = place.rows("about");
        assert!(
            about[0].starts_with("codex|list the files|/home/ada/app|app|"),
            "{about:?}"
        );
        assert_eq!(place.import_files(Agent::Codex).ops, 0);
    }
}

#[test]
fn what_a_header_of_codex_says_in_another_way_takes_nothing_else_of_it() {
    let mut place = Place::new();
    let header = r#"{"timestamp":"2026-01-01T10:00:00.000Z","type":"session_meta","payload":{"id":"c8","cwd":"/w/app","git":"main","cli_version":1,"model_provider":{"id":"x"},"forked_from_id":{"id":"c1"}}}"#;
    let prompt = r#"{"timestamp":"2026-01-01T10:00:01.000Z","type":"event_msg","payload":{"type":"user_message","message":"go"}}"#;
    place.write("rollout-a-c8.jsonl", format!("{header}\n{prompt}\n"));
    let done = place.import_files(Agent::Codex);
    assert_eq!(done.problems, []);
    assert_eq!((done.counts.new, done.counts.not_understood), (1, 1));
    assert_eq!(place.rows("titled"), ["codex|c8|go|/w/app||"]);
    assert_eq!(place.rows("raw"), [header]);
    assert_eq!(place.import_files(Agent::Codex).ops, 0);
}

#[test]
fn what_codex_says_in_ways_that_are_not_known_is_kept_and_counted() {
    let line = |seconds: u64, kind: &str, payload: &str| {
        format!(
            r#"{{"timestamp":"2026-01-01T10:00:{seconds:02}.000Z","type":"{kind}","payload":{payload}}}"#
        )
    };
    let refused = r#"{"type":"refusal","refusal":"I would rather not"}"#;
    let heard = r#"{"type":"input_audio","transcript":"as I said"}"#;
    let thought = r#"{"type":"encrypted","of":"thoughts"}"#;
    let answer = format!(
        r#"{{"type":"message","role":"assistant","content":[{{"type":"output_text","text":"No."}},{refused}]}}"#
    );
    let prompt = format!(r#"{{"type":"message","role":"user","content":[{heard}]}}"#);
    let thoughts = format!(r#"{{"type":"reasoning","summary":[null],"content":[{thought}]}}"#);
    let kept = [
        line(4, "event_msg", r#"{"type":"item_completed","item":{"type":"Plan","id":"p","text":"first the doors"}}"#),
        line(5, "response_item", r#"{"type":"function_call_output","output":"of no call"}"#),
        line(6, "response_item", &prompt),
        r#"{"timestamp":1772359200000,"type":"event_msg","payload":{"type":"user_message","message":"at a number"}}"#.to_owned(),
    ];
    let head = [
        line(0, "session_meta", r#"{"id":"c3","cwd":"/w/app"}"#),
        line(1, "event_msg", r#"{"type":"user_message","message":"go"}"#),
        line(2, "response_item", &answer),
        line(3, "response_item", &thoughts),
    ];
    let mut place = Place::new();
    place.write(
        "rollout-a-c3.jsonl",
        [&head[..], &kept[..]].concat().join("\n") + "\n",
    );
    let done = place.import_files(Agent::Codex);
    assert_eq!(done.problems, []);
    assert_eq!((done.counts.new, done.counts.not_understood), (2, 6));
    let said = [
        "user|text|go".to_owned(),
        "assistant|text|No.".to_owned(),
        format!("assistant|raw|{refused}"),
        format!("assistant|raw|{thought}"),
    ];
    assert_eq!(place.rows("said"), said);
    let raw = place.rows("raw");
    for line in &kept {
        assert!(raw.contains(line), "{line} in {raw:?}");
    }
    assert_eq!(place.import_files(Agent::Codex).ops, 0);
}

#[test]
fn an_output_of_codex_is_kept_in_whichever_shape_it_comes() {
    let outputs = [
        (r#"{"content":"plain","success":false}"#, "plain"),
        (
            r#"{"content":[{"type":"input_text","text":"a block"}],"success":true}"#,
            "a block",
        ),
        (
            r#"{"content":"plain","of":"tomorrow"}"#,
            r#"{"content":"plain","of":"tomorrow"}"#,
        ),
        (r#"{"result":7}"#, r#"{"result":7}"#),
        (
            r#"[{"type":"input_text","text":"one"},{"type":"new","said":"two"},"three"]"#,
            "one\n{\"type\":\"new\",\"said\":\"two\"}\nthree",
        ),
        (r#""{\"content\":[5]}""#, r#"{"content":[5]}"#),
        ("null", ""),
    ];
    let mut lines = vec![r#"{"timestamp":"2026-01-01T10:00:00.000Z","type":"session_meta","payload":{"id":"c9","cwd":"/w/app","source":"cli"}}"#.to_owned()];
    for (call, (output, _)) in outputs.iter().enumerate() {
        lines.push(format!(r#"{{"timestamp":"2026-01-01T10:00:01.000Z","type":"response_item","payload":{{"type":"function_call","name":"shell","arguments":"{{}}","call_id":"k{call}"}}}}"#));
        lines.push(format!(r#"{{"timestamp":"2026-01-01T10:00:04.000Z","type":"response_item","payload":{{"type":"function_call_output","call_id":"k{call}","output":{output}}}}}"#));
    }
    let mut place = Place::new();
    place.write("rollout-a-c9.jsonl", lines.join("\n") + "\n");
    twice(&mut place, Agent::Codex);
    let given: Vec<String> = outputs
        .iter()
        .map(|(_, text)| format!("shell|{text}"))
        .collect();
    assert_eq!(place.rows("given"), given);
    assert_eq!(figures(&mut place, "c9").failed, 1);
}
