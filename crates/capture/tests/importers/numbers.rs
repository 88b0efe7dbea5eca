//! Counts, however their programs write them.

use serde_json::json;
use syncline_capture::agent::Agent;

use crate::agents::{CODEX, GEMINI, OPENCODE, figures, twice};
use crate::place::Place;
use crate::script::{Script, jsonl, text};

/// A transcript of an agent, and the names of the counts in it.
fn transcripts() -> [(Agent, &'static str, String, &'static [&'static str]); 4] {
    let mut script = Script::new("s");
    let mut answer = script.answer("a1", "m1", text("Fixed."), 41);
    answer["message"]["usage"]["cache_creation"] = json!({"ephemeral_1h_input_tokens": 20});
    let lines = [script.user("u1", "fix it"), answer];
    let written = jsonl(&lines);
    let claude: &[&str] = &[
        "input_tokens",
        "output_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "ephemeral_1h_input_tokens",
    ];
    let codex: &[&str] = &[
        "input_tokens",
        "cached_input_tokens",
        "output_tokens",
        "reasoning_output_tokens",
    ];
    let gemini: &[&str] = &["input", "output", "cached", "thoughts", "tool"];
    let opencode: &[&str] = &["input", "output", "reasoning", "read", "write"];
    let (_, answered) = OPENCODE[2];
    [
        (Agent::ClaudeCode, "s.jsonl", written, claude),
        (Agent::Codex, "rollout-a-c1.jsonl", CODEX.to_owned(), codex),
        (
            Agent::Gemini,
            "h/chats/session-a.json",
            GEMINI.to_owned(),
            gemini,
        ),
        (
            Agent::OpenCode,
            "storage/message/s1/m2.json",
            answered.to_owned(),
            opencode,
        ),
    ]
}

/// The text with `ending` behind each of the counts of these names.
fn with_ending(text: &str, names: &[&str], ending: &str) -> String {
    let mut text = text.to_owned();
    for name in names {
        let name = format!("\"{name}\":");
        let mut rest = text.split(&name);
        let mut ended = rest.next().unwrap().to_owned();
        for rest in rest {
            let end = rest.find(|sign: char| !sign.is_ascii_digit()).unwrap();
            let ending = if end > 0 { ending } else { "" };
            ended += &format!("{name}{}{ending}{}", &rest[..end], &rest[end..]);
        }
        text = ended;
    }
    text
}

fn place_of(agent: Agent, name: &str, text: &str) -> Place {
    let place = Place::new();
    if agent == Agent::OpenCode {
        for (path, content) in OPENCODE {
            place.write(&format!("storage/{path}"), content);
        }
    }
    place.write(name, text);
    place
}

#[test]
fn a_whole_number_that_is_written_with_a_point_counts() {
    for (agent, name, text, counts) in transcripts() {
        let mut plain = place_of(agent, name, &text);
        twice(&mut plain, agent);
        let mut pointed = place_of(agent, name, &with_ending(&text, counts, ".0"));
        assert_eq!(twice(&mut pointed, agent).counts.not_understood, 0);
        assert_ne!(plain.rows("answered"), Vec::<String>::new());
        assert_eq!(
            pointed.rows("answered"),
            plain.rows("answered"),
            "{agent:?}"
        );
        assert_eq!(pointed.figures(), plain.figures(), "{agent:?}");
    }
}

#[test]
fn a_count_that_cannot_be_read_is_kept_as_it_stands_and_what_was_said_beside_it() {
    for (agent, name, text, counts) in transcripts() {
        let mut plain = place_of(agent, name, &text);
        twice(&mut plain, agent);
        let mut broken = place_of(agent, name, &with_ending(&text, &counts[..1], ".5"));
        assert!(twice(&mut broken, agent).counts.not_understood > 0);
        assert_eq!(broken.rows("spent"), Vec::<String>::new(), "{agent:?}");
        assert_eq!(broken.rows("said"), plain.rows("said"), "{agent:?}");
        let raw = broken.rows("raw").concat();
        assert!(raw.contains(".5"), "{raw}");
    }
}

#[test]
fn what_a_response_has_used_counts_though_its_model_is_not_named_and_what_no_model_wrote_does_not()
{
    let mut place = Place::new();
    let mut script = Script::new("s");
    let mut unnamed = script.answer("a1", "m1", text("Fixed."), 41);
    unnamed["message"].as_object_mut().unwrap().remove("model");
    let mut nobodys = script.answer("a2", "m2", text("No answer."), 7);
    nobodys["message"]["model"] = json!("<synthetic>");
    place.write("s.jsonl", jsonl(&[unnamed, nobodys]));
    twice(&mut place, Agent::ClaudeCode);
    assert_eq!(figures(&mut place, "s").tokens[..2], [3, 41]);
}

#[test]
fn nothing_among_the_blocks_of_a_message_takes_nothing_from_the_others() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let mut asked = script.user("u1", "");
    asked["message"]["content"] = json!([null, text("fix it")]);
    let call = json!({"type": "tool_use", "id": "t1", "name": "Bash", "input": {}});
    let mut answered = script.answer("a1", "m1", call.clone(), 41);
    answered["message"]["content"] = json!([null, text("Well"), null, call]);
    let given = script.result("u2", "t1", json!([null, text("done")]));
    place.write("s.jsonl", jsonl(&[asked, answered, given]));
    assert_eq!(
        twice(&mut place, Agent::ClaudeCode).counts.not_understood,
        0
    );
    let figures = figures(&mut place, "s");
    assert_eq!(
        (figures.messages, figures.tools, figures.tokens[1]),
        (2, 1, 41)
    );
    assert_eq!(
        place.rows("said"),
        ["user|text|fix it", "assistant|text|Well"]
    );
    assert_eq!(place.rows("raw"), Vec::<String>::new());
    let told = place.rows("told").join("\n");
    assert!(told.contains("tool_output|done"), "{told}");
}

#[test]
fn nothing_among_the_blocks_of_codex_takes_nothing_from_the_others() {
    let mut place = Place::new();
    let with_null = CODEX.replace(":[{", ":[null,{");
    assert_ne!(with_null, CODEX);
    place.write("rollout-a-c1.jsonl", with_null);
    twice(&mut place, Agent::Codex);
    let mut plain = Place::new();
    plain.write("rollout-a-c1.jsonl", CODEX);
    twice(&mut plain, Agent::Codex);
    assert_eq!(place.rows("said"), plain.rows("said"));
}
