//! Batches that are read while the ones before are written.

use serde_json::{Value, json};
use syncline_capture::agent::Agent;
use syncline_capture::import::{Importer, Keeping, Source};
use syncline_capture::privacy::Privacy;

use crate::place::Place;
use crate::script::{Script, jsonl, text};

/// How the batches of an import are had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Batches {
    /// Each when the one before was written.
    OneByOne,
    Ahead,
}

/// Imports the files of a place in small batches; gives how many there were, and how many ops.
fn import(place: &mut Place, batches: Batches) -> (usize, usize) {
    let sources = [Source {
        agent: Agent::ClaudeCode,
        root: place.files(),
    }];
    let replica = &mut place.replica;
    let importer = Importer::new(&sources, Keeping::Written, Privacy::standard(), replica);
    let mut importer = importer.unwrap().in_small_batches();
    let (mut count, mut ops) = (0, 0);
    match batches {
        Batches::Ahead => {
            let told = |batch: syncline_capture::import::ImportBatch| {
                count += 1;
                ops += batch.ops.len();
            };
            importer.write_all(replica, told).unwrap();
        }
        Batches::OneByOne => {
            while let Some(batch) = importer.next_batch(replica).unwrap() {
                let written = replica.write_imported(&batch.ops, &batch.notes);
                written.unwrap();
                count += 1;
                ops += batch.ops.len();
            }
        }
    }
    (count, ops)
}

/// Lines of a conversation of about so many bytes.
fn talk(script: &mut Script, name: &str, bytes: usize) -> Vec<Value> {
    let said = "A text of some length, which is not like others. ".repeat(40);
    let turns = bytes / said.len() / 2;
    let turn = |turn: usize| {
        let id = format!("{name}-{turn}");
        [
            script.user(&format!("u-{id}"), &said),
            script.answer(
                &format!("a-{id}"),
                &format!("m-{id}"),
                text(&said),
                turn as u64,
            ),
        ]
    };
    (0..turns).flat_map(turn).collect()
}

fn put(place: &Place) {
    let mut script = Script::new("long");
    let long = talk(&mut script, "long", 2_000_000);
    // What is copied stands in the batch before that of the copy.
    let copied = long.iter().skip(long.len() - 150);
    let fork = copied.cloned().map(|mut line| {
        line["sessionId"] = json!("fork");
        line
    });
    let fork: Vec<Value> = fork.chain(talk(&mut script, "own", 600_000)).collect();
    place.write("a/long.jsonl", jsonl(&long));
    place.write("b/fork.jsonl", jsonl(&fork));
}

#[test]
fn reading_ahead_writes_what_reading_batch_by_batch_does() {
    let (mut ahead, mut one_by_one) = (Place::new(), Place::new());
    put(&ahead);
    put(&one_by_one);
    let (batches, ops) = import(&mut ahead, Batches::Ahead);
    assert!(batches > 4, "{batches} batches");
    assert_eq!((batches, ops), import(&mut one_by_one, Batches::OneByOne));
    for query in ["sessions", "messages", "tools", "parts", "spent", "trees"] {
        assert!(ahead.rows(query) == one_by_one.rows(query), "{query}");
    }
    ahead.lose_notes();
    assert_eq!(import(&mut ahead, Batches::Ahead).1, 0);
}

#[test]
fn what_a_batch_on_its_way_says_is_not_taken_for_unsaid_by_the_next() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let mut titled =
        |title: &str| script.line("custom-title", title, json!({"customTitle": title}));
    let (first, second, mut third) = (titled("One"), titled("Two"), titled("One"));
    third["uuid"] = json!("again");
    let mut lines = vec![first];
    place.write("s.jsonl", jsonl(&lines));
    import(&mut place, Batches::Ahead);
    lines.push(second);
    // The batch of the second title is no smaller than that of the third, and takes longer to write
    // than that takes to read.
    lines.extend(talk(&mut script, "between", 400_000));
    let between = json!({"type": "progress", "sessionId": "s", "data": "-".repeat(200_000)});
    lines.push(between);
    lines.push(third);
    place.write("s.jsonl", jsonl(&lines));
    assert!(import(&mut place, Batches::Ahead).0 > 1);
    let titles = place.rows("titles");
    assert_eq!(titles, ["One"]);
}
