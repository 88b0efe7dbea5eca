//! What OpenCode says besides texts, and files of its that have lost something.

use serde_json::{Value, json};
use syncline_capture::agent::Agent;
use syncline_capture::privacy::{Exclusions, Privacy};
use syncline_capture::redact::Redactor;

use crate::agents::{OPENCODE, figures, twice};
use crate::place::{Done, Place};

fn place() -> Place {
    let place = Place::new();
    for (path, content) in OPENCODE {
        place.write(&format!("storage/{path}"), content);
    }
    place
}

#[test]
fn what_opencode_had_to_try_again_is_an_error() {
    let mut place = place();
    let retry = json!({"id": "p4", "type": "retry", "attempt": 1, "time": {"created": 1_767_000_001_500_i64},
        "error": {"name": "APIError", "data": {"message": "429: slow down"}}});
    place.write("storage/part/m2/p4.json", retry.to_string());
    assert_eq!(twice(&mut place, Agent::OpenCode).counts.not_understood, 0);
    assert_eq!(place.rows("errors"), ["APIError|429: slow down"]);
}

#[test]
fn what_opencode_says_in_ways_that_are_not_known_is_kept_and_counted() {
    let mut place = place();
    let message = json!({"id": "m3", "of": "tomorrow"});
    let part = json!({"id": "p5", "type": "text", "text": "said by nobody"});
    let of_m2 = json!({"id": "p6", "type": "text", "text": {"of": "tomorrow"}});
    let mut kept = [&message, &part, &of_m2].map(ToString::to_string);
    place.write("storage/message/s1/m3.json", &kept[0]);
    place.write("storage/part/m3/p5.json", &kept[1]);
    place.write("storage/part/m2/p6.json", &kept[2]);
    let done = twice(&mut place, Agent::OpenCode);
    assert_eq!((done.counts.damaged, done.counts.not_understood), (0, 2));
    let mut raw = place.rows("raw");
    raw.sort();
    kept.sort();
    assert_eq!(raw, kept);
    assert_eq!(figures(&mut place, "s1").messages, 2);
}

#[test]
fn messages_of_opencode_are_read_though_the_file_of_their_session_is_torn() {
    let mut whole = place();
    twice(&mut whole, Agent::OpenCode);
    let mut place = placed(place());
    place.write("storage/session/p1/s1.json", &OPENCODE[0].1[40..]);
    assert_eq!(place.import_files(Agent::OpenCode).counts.damaged, 1);
    assert_eq!(figures(&mut place, "s1"), figures(&mut whole, "s1"));
    assert_eq!(place.import_files(Agent::OpenCode).ops, 0);
}

/// Has the answer tell where it was given.
fn placed(place: Place) -> Place {
    let mut answer: Value = serde_json::from_str(OPENCODE[2].1).unwrap();
    answer["path"] = json!({"cwd": "/w/app", "root": "/w"});
    place.write("storage/message/s1/m2.json", answer.to_string());
    place
}

/// Imports by a rule for the directory of the session.
fn import_by_rule(place: &mut Place) -> Done {
    let rules = Exclusions {
        paths: vec!["/w/app".parse().unwrap()],
        ..Exclusions::default()
    };
    let files = place.files();
    let privacy = Privacy::new(Redactor::standard(), rules);
    place.import_with(Agent::OpenCode, &files, privacy)
}

#[test]
fn nothing_is_kept_of_a_session_of_opencode_whose_file_is_torn_until_its_place_is_known() {
    let (_, whole) = OPENCODE[0];
    for torn in ["", "null", "[", &whole[..60], &whole[40..]] {
        for mut place in [place(), placed(place())] {
            place.write("storage/session/p1/s1.json", torn);
            assert_eq!(import_by_rule(&mut place).ops, 0, "{torn}");
            place.write("storage/session/p1/s1.json", whole);
            let done = import_by_rule(&mut place);
            assert_eq!((done.ops, done.counts.excluded > 0), (0, true), "{torn}");
            place.import_files(Agent::OpenCode);
            assert_eq!(figures(&mut place, "s1").messages, 2);
        }
        // Without a rule, too, as a mark may lie there.
        let mut place = place();
        place.write("storage/session/p1/s1.json", torn);
        let done = place.import_files(Agent::OpenCode);
        assert_eq!((done.ops, done.waiting), (0, 1), "{torn}");
        place.write("storage/session/p1/s1.json", whole);
        twice(&mut place, Agent::OpenCode);
        assert_eq!(figures(&mut place, "s1").messages, 2);
    }
}
