//! Files that were torn for a moment, as they are written anew in their places, and are whole again.

use serde_json::{Value, json};
use syncline_capture::agent::Agent;

use crate::agents::{GEMINI, OPENCODE};
use crate::place::{Place, rest};

/// What an import leaves, besides what was kept as it stood.
const ROWS: [&str; 5] = ["titled", "messages", "tools", "said", "spent"];

/// A session of OpenCode of which a message tells the directory, too.
fn session() -> Vec<(String, String)> {
    let files = OPENCODE.map(|(path, content)| (format!("storage/{path}"), content.to_owned()));
    let mut files = Vec::from(files);
    let mut answer: Value = serde_json::from_str(OPENCODE[2].1).unwrap();
    answer["path"] = json!({"cwd": "/w/app"});
    files[2].1 = answer.to_string();
    files
}

fn place_of(files: &[(String, String)]) -> Place {
    let place = Place::new();
    for (path, content) in files {
        place.write(path, content);
    }
    place
}

/// Reads files of which one is torn, and then whole; here, and where no more is known than what was told of it torn.
fn torn_and_whole(agent: Agent, files: &[(String, String)], (path, torn): (&str, &str)) {
    let (_, whole) = files.iter().find(|(found, _)| found == path).unwrap();
    let mut never_torn = place_of(files);
    never_torn.import_files(agent);
    let expected = ROWS.map(|query| never_torn.rows(query));
    let mut place = place_of(files);
    let written = place.write(path, torn);
    rest(&written, 61);
    assert_ne!(place.import_files(agent).counts.damaged, 0, "{path}");
    let kept = place.rows("raw");
    assert!(kept.contains(&torn.to_owned()), "{path}: {kept:?}");
    let mut elsewhere = place_of(files);
    elsewhere.replica.write(&place.ops).unwrap();
    for place in [&mut place, &mut elsewhere] {
        place.write(path, whole);
        place.import_files(agent);
        assert_eq!(place.rows("raw"), [""; 0], "{path}");
        assert_eq!(ROWS.map(|query| place.rows(query)), expected, "{path}");
        for forget in [Place::lose_notes, Place::age_marks] {
            assert_eq!(place.import_files(agent).ops, 0, "{path}");
            forget(place);
        }
        assert_eq!(place.import_files(agent).ops, 0, "{path}");
    }
    // Torn once more, in other words.
    let again = &torn[..torn.len() - 1];
    rest(&place.write(path, again), 61);
    place.import_files(agent);
    let kept = place.rows("raw");
    assert!(kept.contains(&again.to_owned()), "{path}: {kept:?}");
    place.write(path, whole);
    place.import_files(agent);
    assert_eq!(place.rows("raw"), [""; 0], "{path}");
    assert_eq!(ROWS.map(|query| place.rows(query)), expected, "{path}");
    // Who has synced, and has a copy that was torn then.
    let mut other = place_of(files);
    other.replica.write(&place.ops).unwrap();
    assert_eq!(other.rows("raw"), [""; 0], "{path}");
    other.import_files(agent);
    let written = other.write(path, torn);
    rest(&written, 61);
    other.import_files(agent);
    other.write(path, whole);
    other.import_files(agent);
    assert_eq!(other.rows("raw"), [""; 0], "{path}");
    assert_eq!(ROWS.map(|query| other.rows(query)), expected, "{path}");
}

#[test]
fn what_was_torn_of_opencode_is_kept_no_more_once_it_is_whole() {
    let files = session();
    for (path, whole) in &files {
        torn_and_whole(
            Agent::OpenCode,
            &files,
            (path.as_str(), &whole[..whole.len() - 3]),
        );
    }
    // One that is kept in pieces.
    let mut files = files;
    files[5].1 = json!({"id": "p3", "type": "text", "text": "x ".repeat(150_000)}).to_string();
    let mut place = place_of(&files);
    rest(
        &place.write(&files[5].0, &files[5].1[..files[5].1.len() - 3]),
        61,
    );
    place.import_files(Agent::OpenCode);
    assert!(place.rows("raw").len() > 1);
    place.write(&files[5].0, &files[5].1);
    place.import_files(Agent::OpenCode);
    assert_eq!(place.rows("raw"), [""; 0]);
}

#[test]
fn what_is_torn_of_a_message_of_opencode_is_kept_once_its_file_has_rested() {
    let files = session();
    for (path, whole) in &files[1..] {
        let torn = &whole[..whole.len() - 3];
        let mut place = place_of(&files);
        let written = place.write(path, torn);
        rest(&written, 50);
        for again in [false, true] {
            let done = place.import_files(Agent::OpenCode);
            assert_eq!((done.ops > 0, done.unchanged), (!again, 0), "{path}");
            assert_eq!((done.counts.damaged, done.waiting), (0, 1), "{path}");
            assert_eq!(done.problems, [], "{path}");
        }
        assert_eq!(place.rows("raw"), [""; 0], "{path}");
        assert_ne!(place.rows("said"), [""; 0], "{path}");
        rest(&written, 61);
        let done = place.import_files(Agent::OpenCode);
        assert_eq!((done.counts.damaged, done.waiting), (1, 0), "{path}");
        assert!(place.rows("raw").contains(&torn.to_owned()), "{path}");
        assert_eq!(place.import_files(Agent::OpenCode).unchanged, 1, "{path}");
    }
}

#[test]
fn parts_of_opencode_are_kept_apart_no_more_once_their_message_is_there() {
    let mut files = session();
    let message = files.remove(1);
    files.push((
        "storage/message/s1/m1.json".to_owned(),
        r#"{"id":"m1"}"#.to_owned(),
    ));
    let mut place = place_of(&files);
    place.import_files(Agent::OpenCode);
    assert_eq!(place.rows("raw").len(), 2);
    place.write(&message.0, &message.1);
    place.import_files(Agent::OpenCode);
    assert_eq!(place.rows("raw"), [""; 0]);
}

#[test]
fn what_was_torn_of_gemini_is_kept_no_more_once_it_is_whole() {
    let path = "h/chats/session-a.json".to_owned();
    let root = ("h/.project_root".to_owned(), "/w/app".to_owned());
    let files = [(path.clone(), GEMINI.to_owned()), root];
    torn_and_whole(Agent::Gemini, &files, (&path, &GEMINI[..GEMINI.len() - 40]));
}

#[test]
fn of_two_files_of_a_session_of_gemini_each_takes_back_what_was_torn_of_itself() {
    let mut place = Place::new();
    let [a, b] = ["a", "b"].map(|name| format!("h/chats/session-{name}.json"));
    let other = GEMINI.replace(r#""id":"m"#, r#""id":"n"#);
    let other = other.replace("c1", "c2");
    let torn = |whole: &str| whole[..whole.len() - 40].to_owned();
    for (path, whole) in [(&a, GEMINI), (&b, &other)] {
        rest(&place.write(path, torn(whole)), 61);
    }
    place.import_files(Agent::Gemini);
    let mut kept = place.rows("raw");
    kept.sort();
    assert_eq!(kept, [torn(GEMINI), torn(&other)]);
    place.write(&b, &other);
    place.import_files(Agent::Gemini);
    assert_eq!(place.rows("raw"), [torn(GEMINI)]);
    place.write(&a, GEMINI);
    place.import_files(Agent::Gemini);
    assert_eq!(place.rows("raw"), [""; 0]);
    assert_eq!(place.figures()["g1"].messages, 4);
}
