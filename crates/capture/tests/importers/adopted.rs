//! Sessions that somebody tells of before anybody has said whose they are.

use serde_json::{Value, json};
use syncline_capture::agent::Agent;
use syncline_capture::import::take_told;
use syncline_capture::privacy::Privacy;
use syncline_capture::told::{Thing, Told};
use syncline_model::Scope;
use syncline_model::session::{Delete, SessionOp, session_id};
use syncline_replica::NewOp;

use crate::place::Place;

/// Writes what one caller tells at once; gives how many ops it is.
fn tell(place: &mut Place, client: Option<&str>, things: Vec<(Thing, Value)>) -> usize {
    let told = things.into_iter();
    let told = told.map(|(thing, value)| Told::parse(thing, value, client).unwrap());
    let told: Vec<Told> = told.collect();
    let batch = take_told(&told, |_| true, Privacy::standard(), &mut place.replica).unwrap();
    let written = place.replica.write_imported(&batch.ops, &batch.notes);
    written.unwrap();
    batch.ops.len()
}

fn said(id: &str) -> (Thing, Value) {
    let message = json!({ "id": id, "sessionId": "s1", "role": "user", "textContent": id,
        "createdAt": 1_772_359_202_000_i64 });
    (Thing::Message, message)
}

/// Told of a time before the messages'.
fn named() -> (Thing, Value) {
    let session = json!({ "id": "s1", "title": "Named", "updatedAt": 1_772_359_201_000_i64 });
    (Thing::Session, session)
}

fn line(uuid: &str, more: Value) -> String {
    let mut line = json!({ "type": "user", "uuid": uuid, "parentUuid": null, "sessionId": "s1",
        "timestamp": "2026-03-01T10:00:02.000Z", "cwd": "/w/app", "version": "2.1.81",
        "isSidechain": false, "message": { "role": "user", "content": uuid } });
    let more = more.as_object().unwrap().clone();
    line.as_object_mut().unwrap().extend(more);
    format!("{line}\n")
}

#[test]
fn a_session_that_is_named_after_its_messages_is_one_and_its_transcript_goes_there() {
    let mut place = Place::new();
    tell(&mut place, None, vec![said("u1")]);
    assert_eq!(place.rows("titled"), ["unknown|s1||||"]);
    tell(&mut place, Some("claude-code"), vec![named()]);
    tell(&mut place, None, vec![said("u2")]);
    tell(&mut place, Some("claude-code"), vec![said("u3")]);
    let mut nobodys = named();
    nobodys.1["source"] = "unknown".into();
    nobodys.1["updatedAt"] = 1_772_359_300_000_i64.into();
    tell(&mut place, None, vec![nobodys]);
    assert_eq!(place.rows("titled"), ["claude-code|s1|Named|||"]);
    assert_eq!(place.figures()["s1"].messages, 3);
    let path = place.write(
        "app/s1.jsonl",
        line("u1", json!({})) + &line("u4", json!({})),
    );
    place.import_files(Agent::ClaudeCode);
    assert_eq!(place.figures()["s1"].messages, 4);
    let grown = std::fs::read_to_string(&path).unwrap() + &line("u5", json!({}));
    place.write("app/s1.jsonl", grown + &line("u6", json!({})));
    place.import_files(Agent::ClaudeCode);
    let fork =
        json!({ "sessionId": "s2", "forkedFrom": { "sessionId": "s1", "messageUuid": "u1" } });
    place.write(
        "app/s2.jsonl",
        line("u1", fork) + &line("u7", json!({ "sessionId": "s2" })),
    );
    place.import_files(Agent::ClaudeCode);
    let mut agents = place.rows("titled");
    agents.retain(|row| row.contains("|s1|"));
    assert_eq!(agents.len(), 1, "{agents:?}");
    assert_eq!(place.figures()["s1"].messages, 6);
    assert_eq!(place.figures()["s2"].messages, 1);
    assert_eq!(place.rows("forked"), ["s2|fork|s1"]);
}

#[test]
fn of_what_is_told_at_once_all_goes_where_any_of_it_says() {
    let mut place = Place::new();
    let mut named = named();
    named.1["source"] = "mine".into();
    tell(&mut place, None, vec![said("m1"), named, said("m2")]);
    assert_eq!(place.rows("titled"), ["mine|s1|Named|||"]);
    assert_eq!(place.figures()["s1"].messages, 2);
}

#[test]
fn a_session_that_another_agent_has_taken_or_a_person_deleted_is_nobody_elses() {
    let mut place = Place::new();
    tell(&mut place, None, vec![said("u1")]);
    tell(&mut place, Some("opencode"), vec![named()]);
    tell(&mut place, Some("claude-code"), vec![named()]);
    let mut rows = place.rows("titled");
    rows.sort();
    let both = ["claude-code|s1|Named|||", "opencode|s1|Named|||"];
    assert_eq!(rows, both);
    let delete = SessionOp::Delete(Delete {
        at: "2026-03-02T00:00:00Z".parse().unwrap(),
    });
    let delete = NewOp {
        scope: Scope::session(),
        resource: session_id("unknown", "s1", "").into(),
        payload: delete.payload().unwrap(),
    };
    place.replica.write(&[delete]).unwrap();
    assert_eq!(tell(&mut place, Some("opencode"), vec![said("u2")]), 0);
}
