//! What clankers has recorded of other agents.

use rusqlite::Connection;
use serde_json::json;
use syncline_capture::agent::Agent;

use crate::agents::{figures, twice};
use crate::place::Place;
use crate::script::{Script, jsonl, text};

fn record(place: &Place, statements: &[&str]) {
    let database = Connection::open(place.files().join("clankers.db")).unwrap();
    for statements in statements {
        database.execute_batch(statements).unwrap();
    }
}

#[test]
fn clankers_is_kept_and_counts_where_nothing_better_is_known() {
    let mut place = Place::new();
    record(&place, &[include_str!("clankers.sql")]);
    twice(&mut place, Agent::Clankers);
    let open = figures(&mut place, "ses_1");
    assert_eq!((open.messages, open.tools, open.failed), (2, 1, 1));
    assert_eq!(open.tokens, [100, 20, 0, 0, 0, 0]);
    assert_eq!(figures(&mut place, "claude-1").messages, 0);
    let titled = [
        "opencode|ses_1|Fix|/w/app||gpt-x",
        "claude-code|claude-1||/w/app||",
    ];
    let mut found = place.rows("titled");
    found.sort_by_key(|row| !row.starts_with("opencode"));
    assert_eq!(found, titled);
}

/// The recorder asks for the row of a session on one of its connections only.
#[test]
fn what_clankers_has_of_a_session_without_a_row_says_whose_it_is() {
    let mut place = Place::new();
    let statements = [
        include_str!("clankers.sql"),
        include_str!("clankers_lost.sql"),
    ];
    record(&place, &statements);
    twice(&mut place, Agent::Clankers);
    assert_eq!(figures(&mut place, "lost").messages, 1);
}

#[test]
fn a_call_stands_where_it_ended_until_its_transcript_tells_better() {
    let mut place = Place::new();
    let statements = [
        include_str!("clankers.sql"),
        include_str!("clankers_tool.sql"),
    ];
    record(&place, &statements);
    twice(&mut place, Agent::Clankers);
    let of_opencode = ["ses_1|msg_1", "ses_1|msg_2", "ses_1|k1"];
    let recorded = ["claude-1|claude-1-user-1", "claude-1|toolu_1"];
    assert_eq!(
        place.rows("in_order"),
        [recorded.as_slice(), &of_opencode].concat()
    );
    let mut script = Script::new("claude-1");
    let call = json!({"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {}});
    let lines = [
        script.user("u1", "list"),
        script.answer("a1", "m1", call, 3),
        script.result("u2", "toolu_1", json!("a.rs")),
        script.answer("a2", "m2", text("One."), 4),
    ];
    place.write("claude-1.jsonl", jsonl(&lines));
    place.import_files(Agent::ClaudeCode);
    place.lose_notes();
    place.import_files(Agent::Clankers);
    let told = [
        "claude-1|claude-1-user-1",
        "claude-1|u1",
        "claude-1|m1:req_m1",
        "claude-1|toolu_1",
        "claude-1|m2:req_m2",
    ];
    assert_eq!(
        place.rows("in_order"),
        [told.as_slice(), &of_opencode].concat()
    );
}
