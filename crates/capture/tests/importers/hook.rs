//! Events of hooks: what they name is read at once, and what they say of a session is noted.

use std::path::Path;

use serde_json::{Value, json};
use syncline_capture::agent::Agent;
use syncline_capture::hook::{HookEvent, Spool, Taken, sources, take};
use syncline_capture::import::Source;
use syncline_capture::privacy::Privacy;

use crate::place::Place;

/// When all events are, as rows show it.
const ENDED: &str = "|1772362800000";

fn event(agent: &str, name: &str, payload: Value) -> HookEvent {
    let event = json!({
        "agent": agent, "event": name, "payload": payload, "at": "2026-03-01T11:00:00.000Z",
    });
    serde_json::from_value(event).unwrap()
}

fn line(session: &str, uuid: &str) -> String {
    let line = json!({
        "type": "user", "uuid": uuid, "sessionId": session, "timestamp": "2026-03-01T10:00:00.000Z",
        "cwd": "/w/app", "message": {"role": "user", "content": format!("said in {uuid}")},
    });
    format!("{line}\n")
}

fn taken(place: &mut Place, events: &[HookEvent], places: &[Source]) -> Taken {
    let lease = place.replica.try_import_lease().unwrap().unwrap();
    take(
        events,
        places,
        Privacy::standard(),
        &mut place.replica,
        &lease,
    )
    .unwrap()
}

fn source(agent: Agent, root: &Path) -> Source {
    let root = root.to_owned();
    Source { agent, root }
}

#[test]
fn a_session_that_has_ended_is_read_to_its_end_and_noted_as_ended() {
    let mut place = Place::new();
    let path = place.write("projects/p/one.jsonl", line("one", "a"));
    place.write("projects/p/one/subagents/agent-x.jsonl", {
        let mut line: Value = serde_json::from_str(&line("one", "s")).unwrap();
        line["isSidechain"] = json!(true);
        line["agentId"] = json!("x");
        format!("{line}\n")
    });
    place.write("projects/p/two.jsonl", line("two", "b"));
    let payload = json!({"session_id": "one", "transcript_path": path, "reason": "other"});
    let events = [event("claude-code", "SessionEnd", payload)];
    assert_eq!(taken(&mut place, &events, &[]).counts.new, 2);
    let sessions = place.rows("sessions");
    assert_eq!(sessions.len(), 2, "{sessions:?}");
    assert!(sessions[0].contains("one|") && sessions[0].ends_with(ENDED));
    assert!(sessions[1].contains("x|") && sessions[1].ends_with('|'));
    assert_eq!(taken(&mut place, &events, &[]).ops, 0);
}

#[test]
fn a_session_that_is_taken_up_again_has_not_ended() {
    let mut place = Place::new();
    let path = place.write("projects/p/one.jsonl", line("one", "a"));
    let payload = json!({"session_id": "one", "transcript_path": path});
    let end = event("claude-code", "SessionEnd", payload.clone());
    taken(&mut place, &[end], &[]);
    let begin = event("claude-code", "SessionStart", payload);
    taken(&mut place, &[begin], &[]);
    assert!(place.rows("sessions")[0].ends_with('|'));
}

#[test]
fn a_session_of_which_nothing_is_recorded_does_not_end_either() {
    let mut place = Place::new();
    let events = [event(
        "claude-code",
        "SessionEnd",
        json!({"session_id": "none"}),
    )];
    assert_eq!(taken(&mut place, &events, &[]).ops, 0);
    assert!(place.rows("sessions").is_empty());
}

#[test]
fn an_event_that_names_no_file_has_its_session_looked_for() {
    let place = Place::new();
    let id = "0199a213-81c0-7800-8aa1-bbab2a035a53";
    let rollout = format!("codex/2026/03/01/rollout-2026-03-01T10-00-00-{id}.jsonl");
    let rollout = place.write(&rollout, "");
    place.write("codex/2026/03/01/rollout-2026-03-01T10-00-00-0.jsonl", "");
    let transcript = place.write("cursor/p/agent-transcripts/c1.jsonl", "");
    let places = [
        source(Agent::Codex, &place.files().join("codex")),
        source(Agent::Cursor, &place.files().join("cursor")),
    ];
    let of = |event: HookEvent| sources(&[event], &places);
    let codex = of(event(
        "codex",
        "agent-turn-complete",
        json!({"thread-id": id}),
    ));
    assert_eq!(codex, [source(Agent::Codex, &rollout)]);
    let cursor = of(event(
        "cursor",
        "stop",
        json!({"conversation_id": "c1", "transcript_path": null}),
    ));
    assert_eq!(cursor, [source(Agent::Cursor, &transcript)]);
    let unknown = of(event(
        "codex",
        "agent-turn-complete",
        json!({"thread-id": "none"}),
    ));
    assert_eq!(unknown, places[..1]);
}

#[test]
fn only_a_transcript_of_the_agent_is_read_by_name() {
    let place = Place::new();
    let own = [source(Agent::ClaudeCode, &place.files())];
    let of = |path: &Path| {
        let payload = json!({"session_id": "s", "transcript_path": path});
        sources(&[event("claude-code", "Stop", payload)], &own)
    };
    let notes = place.write("notes.txt", "private");
    let foreign = place.write("projects/p/agent-transcripts/c1.jsonl", "");
    for path in [
        &notes,
        &foreign,
        &place.files().join("projects/p/none.jsonl"),
    ] {
        assert_eq!(of(path), own);
    }
    assert_eq!(of(Path::new("projects/p/s.jsonl")), own);
    let transcript = place.write("projects/p/s.jsonl", "");
    assert_eq!(of(&transcript), [source(Agent::ClaudeCode, &transcript)]);
}

#[test]
fn what_waited_in_the_spool_is_taken_as_if_it_had_just_come() {
    let mut place = Place::new();
    let path = place.write("projects/p/one.jsonl", line("one", "a"));
    let spool = Spool::beside(&place.directory.path().join("replica"));
    for name in ["SessionStart", "Stop", "SessionEnd"] {
        let payload = json!({"session_id": "one", "transcript_path": path});
        spool.put(&event("claude-code", name, payload)).unwrap();
    }
    let found = spool.read().unwrap();
    let events: Vec<HookEvent> = found.events.iter().map(|one| one.event.clone()).collect();
    taken(&mut place, &events, &[]);
    spool.remove(&found.events).unwrap();
    assert!(place.rows("sessions")[0].ends_with(ENDED));
    assert!(spool.read().unwrap().events.is_empty());
}
