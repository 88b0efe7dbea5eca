//! Prompts of Codex: what a person has asked is told by an item, by an event, or by both.

use serde_json::json;
use syncline_capture::agent::Agent;
use syncline_capture::import::{Importer, Keeping, Source};
use syncline_capture::privacy::Privacy;

use crate::agents::{figures, twice};
use crate::place::Place;

const NAME: &str = "rollout-a-c1.jsonl";

fn line(seconds: u64, kind: &str, payload: &serde_json::Value) -> String {
    let at = format!("2026-01-01T10:00:{seconds:02}.000Z");
    json!({"timestamp": at, "type": kind, "payload": payload}).to_string()
}

fn header() -> String {
    line(0, "session_meta", &json!({"id": "c1", "cwd": "/w/app"}))
}

fn item(seconds: u64, texts: &[&str]) -> String {
    let blocks = texts.iter().map(|text| match *text {
        "<png>" => json!({"type": "input_image", "image_url": "https://a.example.org/b.png"}),
        text => json!({"type": "input_text", "text": text}),
    });
    let blocks: Vec<_> = blocks.collect();
    let item = json!({"type": "message", "role": "user", "content": blocks});
    line(seconds, "response_item", &item)
}

fn event(seconds: u64, text: &str) -> String {
    let event = json!({"type": "user_message", "message": text});
    line(seconds, "event_msg", &event)
}

fn done(seconds: u64, text: &str) -> String {
    let content = [json!({"type": "text", "text": text})];
    let item = json!({"type": "UserMessage", "id": "i", "content": content});
    let event = json!({"type": "item_completed", "item": item});
    line(seconds, "event_msg", &event)
}

fn answer(seconds: u64) -> String {
    let blocks = [json!({"type": "output_text", "text": "Yes."})];
    let item = json!({"type": "message", "role": "assistant", "content": blocks});
    line(seconds, "response_item", &item)
}

/// Imports a file in one go, and another as it grows by these lines; gives the prompts, which are the same.
fn prompts(lines: &[String]) -> Vec<String> {
    let mut whole = Place::new();
    whole.write(NAME, lines.join("\n") + "\n");
    twice(&mut whole, Agent::Codex);
    let mut grown = Place::new();
    for end in 1..=lines.len() {
        grown.write(NAME, lines[..end].join("\n") + "\n");
        grown.import_files(Agent::Codex);
    }
    let said = whole.rows("counted_texts");
    assert_eq!(grown.rows("counted_texts"), said);
    assert_eq!(grown.rows("messages"), whole.rows("messages"));
    assert_eq!(grown.rows("titles"), whole.rows("titles"));
    whole.age_marks();
    assert_eq!(whole.import_files(Agent::Codex).ops, 0);
    whole.lose_notes();
    assert_eq!(whole.import_files(Agent::Codex).ops, 0);
    let asked = figures(&mut whole, "c1").prompts as usize;
    let said: Vec<_> = said
        .into_iter()
        .filter(|said| !["", "Yes."].contains(&said.as_str()))
        .collect();
    assert_eq!(said.len(), asked);
    said
}

#[test]
fn a_prompt_of_codex_is_one_in_however_many_ways_and_in_whichever_order_it_is_told() {
    let tellings = [
        vec![item(1, &["go"])],
        vec![event(1, "go")],
        vec![item(1, &["go"]), event(1, "go")],
        vec![event(1, "go"), item(1, &["go"])],
        vec![item(1, &["go"]), done(2, "go")],
        vec![item(1, &["go"]), event(1, "go"), done(2, "go")],
        vec![done(1, "go"), event(1, "go"), item(2, &["go"])],
    ];
    for telling in tellings {
        for answered in [vec![], vec![answer(3)]] {
            let lines = [vec![header()], telling.clone(), answered].concat();
            assert_eq!(prompts(&lines), ["go"], "{lines:?}");
        }
    }
}

#[test]
fn what_a_person_asks_again_in_codex_is_another_prompt() {
    let lines = [
        header(),
        item(1, &["go"]),
        event(1, "go"),
        item(2, &["go"]),
        event(2, "go"),
        answer(3),
        item(4, &["go"]),
        answer(5),
        item(6, &["one"]),
        item(6, &["two"]),
        event(7, "one"),
        event(7, "two"),
    ];
    assert_eq!(prompts(&lines), ["go", "go", "go", "one", "two"]);
}

#[test]
fn a_prompt_of_codex_with_images_or_in_several_parts_is_one() {
    let lines = [
        header(),
        item(1, &["<image name=[Image #1]>", "<png>", "</image>", "look"]),
        event(1, "look"),
        answer(2),
        item(3, &["in two", "parts"]),
        done(3, "in two\nparts"),
        answer(4),
        item(5, &["<div> is <b>not</b> closed"]),
        event(5, "<div> is <b>not</b> closed"),
    ];
    let expected = ["look", "in two\nparts", "<div> is <b>not</b> closed"];
    assert_eq!(prompts(&lines), expected);
}

#[test]
fn what_codex_itself_puts_where_a_person_speaks_is_no_prompt() {
    let injected = [
        "<environment_context>\n  <cwd>/w/app</cwd>\n</environment_context>",
        "<user_instructions>\n\nbe brief\n\n</user_instructions>",
        "# AGENTS.md instructions for /w/app\n\n<INSTRUCTIONS>\nbe brief\n</INSTRUCTIONS>",
        "<turn_aborted>\nThe user interrupted.\n</turn_aborted>",
    ];
    let items = injected.iter().zip(1..);
    let mut lines = vec![header()];
    lines.extend(items.map(|(text, seconds)| item(seconds, &[text])));
    lines.push(item(6, &[injected[2], injected[0]]));
    lines.push(item(7, &["go"]));
    assert_eq!(prompts(&lines), ["go"]);
    let mut place = Place::new();
    place.write(NAME, lines.join("\n") + "\n");
    twice(&mut place, Agent::Codex);
    let said = place.rows("said");
    for text in injected {
        assert!(said.contains(&format!("user|text|{text}")), "{said:?}");
    }
}

#[test]
fn prompts_that_an_older_reader_knows_by_their_events_stay_those() {
    for asked in [&["go"][..], &["go", "on"]] {
        let events = asked.iter().map(|text| event(1, text));
        let events: Vec<_> = events.chain([answer(2)]).collect();
        let items: Vec<_> = asked.iter().map(|text| item(1, &[text])).collect();
        let mut place = Place::new();
        let lines = [&[header()], &events[..]].concat();
        place.write(NAME, lines.join("\n") + "\n");
        place.import_files(Agent::Codex);
        let before = place.rows("messages");
        let lines = [&[header()], &items[..], &events[..]].concat();
        place.write(NAME, lines.join("\n") + "\n");
        place.import_files(Agent::Codex);
        assert_eq!(place.rows("messages"), before);
        assert_eq!(place.rows("counted_texts"), [asked, &["Yes."]].concat());
        // As where it had passed over the items.
        place.age_marks();
        let done = place.import_files(Agent::Codex);
        assert_eq!(place.rows("messages"), before);
        assert!(asked.len() > 1 || done.ops == 0);
    }
}

#[test]
fn a_prompt_is_found_wherever_an_import_ends_between_two_batches() {
    let long = |prompt: u64| format!("{prompt} {}", "and so on ".repeat(2_000));
    let told = (0..100).flat_map(|prompt| {
        let text = long(prompt);
        [item(prompt % 60, &[&text]), event(prompt % 60, &text)]
    });
    let lines: Vec<_> = std::iter::once(header()).chain(told).collect();
    let mut place = Place::new();
    place.write(NAME, lines.join("\n") + "\n");
    let sources = [Source {
        agent: Agent::Codex,
        root: place.files(),
    }];
    let mut killed = 0;
    // Each process is killed behind the first batch that says how far it has come.
    let mut goes_on = true;
    while goes_on {
        let replica = &mut place.replica;
        let importer = Importer::new(&sources, Keeping::Written, Privacy::standard(), replica);
        let mut importer = importer.unwrap().in_small_batches();
        goes_on = false;
        while let Some(batch) = importer.next_batch(replica).unwrap() {
            replica.write_imported(&batch.ops, &batch.notes).unwrap();
            if !batch.notes.files.is_empty() {
                goes_on = true;
                killed += 1;
                break;
            }
        }
    }
    assert!(killed > 4, "{killed}");
    let said = place.rows("counted_texts");
    let missing: Vec<_> = (0..100)
        .filter(|prompt| !said.contains(&long(*prompt)))
        .collect();
    assert_eq!((said.len(), missing), (100, Vec::new()));
}
