//! Transcripts in which values were replaced by others: whatever a file says, an import goes on to its end, and what
//! stands beside it is read.

use std::fs;

use rusqlite::Connection;
use serde_json::{Value, json};
use syncline_capture::agent::Agent;
use syncline_capture::import::take_told;
use syncline_capture::privacy::Privacy;
use syncline_capture::told::{Thing, Told};

use crate::agents::{GEMINI, OPENCODE};
use crate::place::Place;
use crate::script::{Script, jsonl};

/// A world follows from its seed: a failing one is committed.
const SEEDS: std::ops::Range<u64> = 0..2;
/// How many values are replaced in each thing that a file says, besides its numbers.
const EACH: usize = 12;

/// Numbers at the ends of what numbers can be.
fn extremes() -> [Value; 6] {
    [
        json!(u64::MAX),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(1e308),
        json!(-1e308),
        json!(-1),
    ]
}

/// What stands in the place of anything.
fn odd() -> Vec<Value> {
    let values = json!([
        null, 0, 41.5, true, "", "\u{0}", "é", "\"", "\\", "9999-99-99T00:00:00Z", "-001-01-01T00:00:00Z",
        "+275760-09-13T00:00:00Z", "2026-01-01T00:00:60Z", [], {}, [[]], [{}], [null], "<system-reminder>",
        "<command-name>", "data:,", "data:;base64", {"type": "text"}, {"type": "tool_result"},
        {"type": "tool_use", "id": ""}, {"text": null}, {"text": {"of": "tomorrow"}}
    ]);
    let long = json!("é".repeat(300));
    let values = values.as_array().unwrap().iter().cloned();
    values.chain(extremes()).chain([long]).collect()
}

/// Numbers that follow from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }
}

/// The places of all values in one, as JSON pointers.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), value))
            .collect(),
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items
                .map(|(place, value)| (place.to_string(), value))
                .collect()
        }
        _ => Vec::new(),
    };
    for (name, value) in below {
        let name = name.replace('~', "~0").replace('/', "~1");
        let at = format!("{at}/{name}");
        pointers(value, &at, found);
        found.push(at);
    }
}

/// The value with others in the places of what is in it: at each number the extremes, and anywhere what the dice say.
fn mutants(value: &Value, dice: &mut Dice) -> Vec<Value> {
    let mut places = Vec::new();
    pointers(value, "", &mut places);
    let odd = odd();
    let mut replaced: Vec<(String, Value)> = Vec::new();
    for place in &places {
        if value.pointer(place).is_some_and(Value::is_number) {
            replaced.extend(extremes().map(|number| (place.clone(), number)));
        }
    }
    for _ in 0..EACH.min(places.len()) {
        let place = &places[dice.below(places.len())];
        let whole = value.pointer(place).unwrap();
        let other = match dice.below(6) {
            0 => json!([whole, whole]),
            1 => json!({"x": whole}),
            _ => odd[dice.below(odd.len())].clone(),
        };
        replaced.push((place.clone(), other));
    }
    let made = replaced.into_iter().map(|(place, other)| {
        let mut mutant = value.clone();
        *mutant.pointer_mut(&place).unwrap() = other;
        mutant
    });
    made.collect()
}

/// Imports it all, twice; a session that stands beside it is whole.
fn check(place: &mut Place, agent: Agent) {
    place.import_files(agent);
    place.import_files(agent);
    // What was made of it can be added up.
    place.figures();
    let mut script = Script::new("beside");
    place.write(
        "zz/beside.jsonl",
        jsonl(&[script.user("u1", "said beside")]),
    );
    let beside = place.files().join("zz");
    place.import(Agent::ClaudeCode, &beside);
    assert!(
        place
            .rows("said")
            .contains(&"user|text|said beside".to_owned())
    );
}

/// Has all lines told, each with its mutants, in a file of this name.
fn lines(agent: Agent, name: &str, lines: &[Value]) {
    for seed in SEEDS {
        let mut dice = Dice(seed);
        let told: Vec<Value> = lines
            .iter()
            .flat_map(|line| mutants(line, &mut dice).into_iter().chain([line.clone()]))
            .collect();
        let mut place = Place::new();
        place.write(name, jsonl(&told));
        check(&mut place, agent);
    }
}

/// A line of each shape in the fixtures of an agent.
fn fixture(agent: &str) -> Vec<Value> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let file = fs::read_dir(format!("{root}/{agent}"))
        .unwrap()
        .next()
        .unwrap();
    let text = fs::read_to_string(file.unwrap().path()).unwrap();
    let mut shapes = std::collections::BTreeSet::new();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let is_new = |line: &Value| {
        let mut places = Vec::new();
        pointers(line, "", &mut places);
        line.to_string().len() < 8_000 && shapes.insert(places)
    };
    lines.filter(is_new).collect()
}

#[test]
fn claude_code_is_read_whatever_its_lines_say() {
    let mut all = fixture("claude-code");
    let mut script = Script::new("s");
    let mut answer = script.answer("a1", "m1", json!({"type": "text", "text": "x"}), 41);
    answer["message"]["usage"]["cache_creation"] = json!({"ephemeral_1h_input_tokens": 20});
    all.push(answer);
    all.push(
        json!({"type": "queue-operation", "operation": "enqueue", "content": "x",
        "timestamp": "2026-01-01T00:00:00Z", "sessionId": "s"}),
    );
    all.push(json!({"type": "summary", "summary": "s", "leafUuid": "u"}));
    lines(Agent::ClaudeCode, "-m/s.jsonl", &all);
}

#[test]
fn codex_is_read_whatever_its_lines_say() {
    let name = "rollout-2026-01-01T00-00-00-01a1feb8-6dbf-77e2-93bc-53091bb24fc2.jsonl";
    lines(Agent::Codex, name, &fixture("codex"));
}

#[test]
fn gemini_is_read_whatever_its_lines_and_files_say() {
    lines(Agent::Gemini, "h/chats/session-a.jsonl", &fixture("gemini"));
    let whole: Value = serde_json::from_str(GEMINI).unwrap();
    for seed in SEEDS {
        let mut place = Place::new();
        for (number, mutant) in mutants(&whole, &mut Dice(seed)).iter().enumerate() {
            let name = format!("h/chats/session-{number}.json");
            place.write(&name, mutant.to_string());
        }
        check(&mut place, Agent::Gemini);
    }
}

#[test]
fn cursor_is_read_whatever_its_lines_and_rows_say() {
    let said = [
        json!({"role": "user", "message": {"content": [{"type": "text", "text": "<user_query>x</user_query>"}]}}),
        json!({"role": "assistant", "message": {"content": [{"type": "text", "text": "Fixed."},
            {"type": "tool_use", "name": "Shell", "input": {"command": "cargo test"}}]}}),
        json!({"type": "turn_ended"}),
    ];
    lines(Agent::Cursor, "agent-transcripts/t1/t1.jsonl", &said);
    let composer = json!({"composerId": "c", "name": "n", "createdAt": 1_767_000_001_000_i64,
        "lastUpdatedAt": 1_767_000_001_000_i64, "modelConfig": {"modelName": "m"},
        "fullConversationHeadersOnly": [{"bubbleId": "b", "type": 2}]});
    let bubble = json!({"type": 2, "bubbleId": "b", "text": "Fixed.", "createdAt": "2026-01-05T12:00:00.000Z",
        "tokenCount": {"inputTokens": 2100, "outputTokens": 35}, "thinking": {"text": "x"},
        "images": [{"path": "/a"}], "context": {"fileSelections": [{"uri": {"fsPath": "/x"}}]},
        "timingInfo": {"clientStartTime": 1_767_000_001_000_i64, "clientEndTime": 1_767_000_002_000_i64},
        "errorDetails": {"message": "m"}, "toolFormerData": {"name": "edit_file",
            "rawArgs": "{\"path\":\"a\"}", "result": "r", "status": "completed", "toolCallId": "c"}});
    for seed in SEEDS {
        let mut dice = Dice(seed);
        let mut place = Place::new();
        fs::create_dir(place.files().join("globalStorage")).unwrap();
        let path = place.files().join("globalStorage/state.vscdb");
        let database = Connection::open(path).unwrap();
        database.execute_batch(include_str!("cursor.sql")).unwrap();
        let insert = include_str!("insert_value.sql");
        let composers = mutants(&composer, &mut dice)
            .into_iter()
            .map(|one| (one, bubble.clone()));
        let bubbles = mutants(&bubble, &mut dice)
            .into_iter()
            .map(|one| (composer.clone(), one));
        for (number, (composer, bubble)) in composers.chain(bubbles).enumerate() {
            let row = (format!("composerData:c{number}"), composer.to_string());
            database.execute(insert, row).unwrap();
            let row = (format!("bubbleId:c{number}:b"), bubble.to_string());
            database.execute(insert, row).unwrap();
        }
        drop(database);
        check(&mut place, Agent::Cursor);
    }
}

/// What OpenCode keeps in a database, by the tables that it stands in.
fn opencode() -> Vec<(&'static str, Value)> {
    let of_first = OPENCODE[1..].iter().map(|(path, said)| {
        let table = path.split('/').next().unwrap();
        (table, serde_json::from_str(said).unwrap())
    });
    let of_second = include_str!("opencode_second.sql").lines();
    let of_second = of_second.filter(|line| line.contains("INTO session_message"));
    let of_second = of_second.map(|line| {
        let kind = line.split('\'').nth(5).unwrap();
        let data = &line[line.find("'{").unwrap() + 1..line.rfind('\'').unwrap()];
        (kind, serde_json::from_str(data).unwrap())
    });
    of_first.chain(of_second).collect()
}

#[test]
fn opencode_is_read_whatever_its_rows_and_files_say() {
    for seed in SEEDS {
        let mut dice = Dice(seed);
        let mut place = Place::new();
        let database = Connection::open(place.files().join("opencode.db")).unwrap();
        let tables = include_str!("opencode.sql").lines();
        let tables: String = tables.filter(|line| !line.contains(" TRIGGER ")).collect();
        database.execute_batch(&tables).unwrap();
        database
            .execute_batch(include_str!("opencode_second.sql"))
            .unwrap();
        let inserts = include_str!("insert_mutant.sql");
        let insert_into = |table: &str| inserts.lines().find(|line| line.contains(table)).unwrap();
        for (kind, value) in opencode() {
            for mutant in mutants(&value, &mut dice) {
                let insert = match kind {
                    "message" => insert_into(" message "),
                    "part" => insert_into(" part "),
                    _ => insert_into(" session_message "),
                };
                database
                    .execute(insert, (kind, mutant.to_string()))
                    .unwrap();
            }
        }
        drop(database);
        let session: Value = serde_json::from_str(OPENCODE[0].1).unwrap();
        for (number, mutant) in mutants(&session, &mut dice).iter().enumerate() {
            let name = format!("storage/session/p1/f{number}.json");
            place.write(&name, mutant.to_string());
        }
        check(&mut place, Agent::OpenCode);
    }
}

#[test]
fn aider_is_read_whatever_its_history_says() {
    let history = "# aider chat started at 2026-01-02 10:00:00\n\n> Aider v0.86.1  \n> Main model: x/y  \n\n\
        #### rename foo to bar  \n\nRenamed.\n\n> Tokens: 4.9k sent, 1.2k cache hit, 1.0k received. \
        Cost: $0.03 message, $0.05 session.  \n";
    let words: Vec<&str> = history.split_inclusive(' ').collect();
    let odd = [
        "",
        "18446744073709551615 ",
        "1e308k ",
        "-1M ",
        "$1e308 ",
        "#### ",
        "> ",
        "\n",
        "9999-99-99 ",
        "99:99:99 ",
        "é",
    ];
    let mut place = Place::new();
    for number in 0..words.len() {
        for (other, odd) in odd.iter().enumerate() {
            let mut words = words.clone();
            words[number] = odd;
            let name = format!("{number}-{other}/.aider.chat.history.md");
            place.write(&name, words.concat());
        }
    }
    check(&mut place, Agent::Aider);
}

#[test]
fn plugins_are_heard_whatever_they_tell() {
    let told = [
        (
            Thing::Session,
            json!({"id": "s1", "title": "t", "projectPath": "/w", "promptTokens": 1,
            "completionTokens": 2, "cost": 0.5, "messageCount": 3, "toolCallCount": 4, "createdAt": 1_772_359_202_000_i64}),
        ),
        (
            Thing::Message,
            json!({"id": "m1", "sessionId": "s1", "role": "assistant", "textContent": "x", "promptTokens": 5,
            "completionTokens": 6, "durationMs": 7, "createdAt": 1_772_359_202_000_i64}),
        ),
        (
            Thing::Tool,
            json!({"id": "t1", "sessionId": "s1", "messageId": "m1", "toolName": "bash", "success": true,
            "durationMs": 8, "createdAt": 1_772_359_202_000_i64}),
        ),
        (
            Thing::CompactionEvent,
            json!({"id": "c1", "sessionId": "s1", "tokensBefore": 9, "tokensAfter": 1,
            "messagesBefore": 2, "messagesAfter": 1, "createdAt": 1_772_359_202_000_i64}),
        ),
    ];
    for seed in SEEDS {
        let mut dice = Dice(seed);
        let mut place = Place::new();
        let mutants = told.iter().flat_map(|(thing, value)| {
            let mutants = mutants(value, &mut dice).into_iter();
            mutants.map(|mutant| (*thing, mutant)).collect::<Vec<_>>()
        });
        // What is refused is none of this.
        let heard = mutants.filter_map(|(thing, value)| Told::parse(thing, value, None).ok());
        let heard: Vec<Told> = heard.collect();
        let batch = take_told(&heard, |_| true, Privacy::standard(), &mut place.replica).unwrap();
        assert!(!batch.ops.is_empty());
        place
            .replica
            .write_imported(&batch.ops, &batch.notes)
            .unwrap();
        place.figures();
    }
}
