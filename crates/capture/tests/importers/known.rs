//! What is known already, from another machine or from before the notes of imports were lost.

use std::fs;
use std::path::Path;

use syncline_capture::agent::Agent;
use syncline_model::session::{Delete, SessionOp, session_id};
use syncline_model::{Scope, Timestamp};
use syncline_replica::{NewOp, Replica, ReplicaOptions};

use crate::forks::{fork, named_fork};
use crate::place::Place;
use crate::script::{Script, jsonl};

/// Queries of all rows that an import leaves.
const ROWS: [&str; 6] = ["sessions", "messages", "tools", "parts", "spent", "trees"];

fn fixtures() -> Vec<(String, Vec<u8>)> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut roots = vec![here.join("tests/fixtures/claude-code")];
    let beside = here.join("../../../shared/data/transcripts/claude-code");
    roots.extend(beside.is_dir().then_some(beside));
    let mut files = Vec::new();
    for root in roots {
        for path in syncline_capture::walk::walk(&root, |_| true).files {
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
            files.push((name.to_owned(), fs::read(&path).unwrap()));
        }
    }
    files
}

/// Another machine after a sync: what the first one wrote, and none of its notes.
fn synced(from: &Place) -> Place {
    let mut place = Place::new();
    place.replica.write(&from.ops).unwrap();
    place
}

#[test]
fn a_second_machine_writes_nothing_of_what_the_first_has_brought() {
    let mut first = Place::new();
    // The origin alone at first, so that it is the fork that is the copy.
    for (name, content) in fixtures().into_iter().chain(fork()) {
        first.write(&name, content);
        first.import_files(Agent::ClaudeCode);
    }
    let mut second = synced(&first);
    for (name, content) in fixtures().into_iter().chain(fork()) {
        second.write(&name, content);
    }
    let done = second.import_files(Agent::ClaudeCode);
    assert_eq!((done.ops, done.problems), (0, vec![]));
    assert_eq!(done.counts.new, 0, "{:?}", done.counts);
    for query in ROWS {
        assert!(first.rows(query) == second.rows(query), "{query}");
    }
    // What goes on there is written, and nothing else is.
    let mut script = Script::new("fork");
    let more = script.user("u4", "and on");
    let (name, mut content) = fork().remove(1);
    content.extend(jsonl(&[more]).into_bytes());
    second.write(&name, content);
    assert_eq!(second.import_files(Agent::ClaudeCode).ops, 1);
}

#[test]
fn a_fork_that_only_the_second_machine_has_counts_nothing_of_what_the_first_has_brought() {
    let mut first = Place::new();
    let files = fork();
    first.write(&files[0].0, &files[0].1);
    first.import_files(Agent::ClaudeCode);
    let mut second = synced(&first);
    second.write(&files[1].0, &files[1].1);
    second.import_files(Agent::ClaudeCode);
    let figures = second.figures();
    assert_eq!(
        (figures["origin"].messages, figures["fork"].messages),
        (2, 2)
    );
    assert_eq!(
        (figures["origin"].tokens[1], figures["fork"].tokens[1]),
        (9, 5)
    );
}

#[test]
fn an_import_without_the_notes_of_those_before_writes_nothing() {
    let mut place = Place::new();
    for (name, content) in fixtures().into_iter().chain(fork()) {
        place.write(&name, content);
        place.import_files(Agent::ClaudeCode);
    }
    let before = ROWS.map(|query| place.rows(query));
    place.lose_notes();
    let done = place.import_files(Agent::ClaudeCode);
    assert_eq!((done.ops, done.problems), (0, vec![]));
    assert!(done.counts.files > 0 && done.counts.known > 0);
    assert_eq!(done.counts.new, 0, "{:?}", done.counts);
    assert!(before == ROWS.map(|query| place.rows(query)));
}

fn delete(place: &mut Place, session: &str) {
    let at = Timestamp::from_millis(1_772_000_000_000).unwrap();
    let delete = NewOp {
        scope: Scope::session(),
        resource: session_id("claude-code", session, "").into(),
        payload: SessionOp::Delete(Delete { at }).payload().unwrap(),
    };
    place.replica.write(&[delete]).unwrap();
}

#[test]
fn a_fork_of_a_session_that_was_deleted_elsewhere_counts_its_own_alone() {
    let mut first = Place::new();
    let files = named_fork();
    first.write(&files[0].0, &files[0].1);
    first.import_files(Agent::ClaudeCode);
    let mut second = synced(&first);
    delete(&mut second, "origin");
    second.write(&files[1].0, &files[1].1);
    second.import_files(Agent::ClaudeCode);
    let fork = &second.figures()["fork"];
    assert_eq!((fork.messages, fork.tools, fork.tokens[1]), (2, 0, 5));
    assert_eq!(second.import_files(Agent::ClaudeCode).ops, 0);
    second.lose_notes();
    assert_eq!(second.import_files(Agent::ClaudeCode).ops, 0);
}

#[test]
fn a_copy_that_names_no_origin_counts_its_own_alone_where_the_origin_was_read_and_deleted() {
    let mut place = Place::new();
    let files = fork();
    place.write(&files[0].0, &files[0].1);
    place.import_files(Agent::ClaudeCode);
    delete(&mut place, "origin");
    place.write(&files[1].0, &files[1].1);
    place.import_files(Agent::ClaudeCode);
    let copy = &place.figures()["fork"];
    assert_eq!((copy.messages, copy.tools, copy.tokens[1]), (2, 0, 5));
}

#[test]
fn what_goes_on_in_a_deleted_session_is_counted_as_left_out() {
    let mut place = Place::new();
    let mut script = Script::new("gone");
    let begin = script.user("u1", "begin");
    place.write("gone.jsonl", jsonl(std::slice::from_ref(&begin)));
    assert_eq!(place.import_files(Agent::ClaudeCode).counts.new, 1);
    delete(&mut place, "gone");
    let more = script.user("u2", "go on");
    place.write("gone.jsonl", jsonl(&[begin, more]));
    let done = place.import_files(Agent::ClaudeCode);
    let counts = done.counts;
    assert_eq!((done.ops, counts.new, counts.excluded), (0, 0, 1));
}

#[test]
fn equal_ids_of_two_agents_are_two_sessions() {
    let mut place = Place::new();
    let mut script = Script::new("same");
    let line = script.user("u1", "one");
    place.write("claude/same.jsonl", jsonl(&[line]));
    let gemini = r#"{"sessionId":"same","projectHash":"h","startTime":"2026-02-01T09:00:00.000Z","messages":[{"id":"u1","timestamp":"2026-02-01T09:00:01.000Z","type":"user","content":"two"}]}"#;
    place.write("gemini/h/chats/session-a.json", gemini);
    let root = place.files();
    place.import(Agent::ClaudeCode, &root.join("claude"));
    place.import(Agent::Gemini, &root.join("gemini"));
    let said = place.rows("agents");
    assert_eq!(said, ["claude-code|same|one|1", "gemini|same|two|1"]);
}

#[test]
fn of_importers_at_once_one_reads_and_the_others_find_it_read() {
    let place = Place::new();
    for (name, content) in fork() {
        place.write(&name, content);
    }
    let (files, directory) = (place.files(), place.directory.path().join("replica"));
    let one = || {
        let replica = Replica::open(&directory, ReplicaOptions::default()).unwrap();
        let mut place = Place::around(replica);
        let lease = loop {
            match place.replica.try_import_lease().unwrap() {
                Some(lease) => break lease,
                None => std::thread::yield_now(),
            }
        };
        let done = place.import(Agent::ClaudeCode, &files);
        drop(lease);
        done.ops
    };
    let wrote: Vec<usize> = std::thread::scope(|scope| {
        let importers: Vec<_> = (0..10).map(|_| scope.spawn(one)).collect();
        let ended = importers.into_iter().map(|importer| importer.join());
        ended.map(Result::unwrap).collect()
    });
    assert_eq!(wrote.iter().filter(|ops| **ops > 0).count(), 1, "{wrote:?}");
}

#[test]
fn what_a_fork_repeats_counts_as_known() {
    let mut place = Place::new();
    for ((name, text), counts) in fork().into_iter().zip([(4, 0), (2, 4)]) {
        place.write(&name, text);
        let done = place.import_files(Agent::ClaudeCode);
        assert_eq!((done.counts.new, done.counts.known), counts, "{name}");
    }
}

#[test]
#[cfg(unix)]
fn a_transcript_whose_name_is_no_text_is_taken_once() {
    use std::os::unix::ffi::OsStrExt as _;
    let mut place = Place::new();
    let line = Script::new("s").user("u1", "begin");
    let name = std::ffi::OsStr::from_bytes(b"\xff\xfe.jsonl");
    fs::write(place.files().join(name), jsonl(&[line])).unwrap();
    for counts in [(1, 0), (0, 1)] {
        let done = place.import_files(Agent::ClaudeCode);
        assert_eq!((done.counts.new, done.counts.known), counts);
    }
}
