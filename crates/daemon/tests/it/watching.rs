//! What agents leave, imported as they leave it.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};
use syncline_capture::agent::Agent;
use syncline_capture::import::Source;
use syncline_daemon::Captured;

use crate::house::{Home, Running, until};
use crate::plugin::{capturing_with, line};

/// A daemon that watches `transcripts`, whether it is there or not.
fn watching(home: &Home) -> Running {
    let place = Source {
        agent: Agent::ClaudeCode,
        root: home.path("transcripts"),
    };
    Running::start(capturing_with(home, move |capture| {
        capture.places = vec![place]
    }))
}

fn append(path: &Path, text: &str) {
    let mut options = fs::OpenOptions::new();
    let mut file = options.create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// How many texts have these words.
fn found(daemon: &Running, words: &str) -> usize {
    let found = daemon.call("search", json!({ "query": words, "kind": "text" }));
    let results = found.unwrap()["results"].clone();
    let results = results.as_array().unwrap().iter();
    results
        .filter(|one| one["content"].as_str().unwrap().contains(words))
        .count()
}

fn waits_for(daemon: &Running, words: &str) {
    until(words, || found(daemon, words) == 1);
}

fn swept(daemon: &Running) {
    until("everything was looked at", || {
        !daemon.call("capture.status", Value::Null).unwrap()["last_sweep_at"].is_null()
    });
}

#[test]
fn a_transcript_is_read_as_it_grows_and_a_torn_line_when_it_is_whole() {
    let home = Home::new();
    fs::create_dir_all(home.path("transcripts/-w-app")).unwrap();
    let path = home.path("transcripts/-w-app/s1.jsonl");
    append(&path, &line("u1", "written before"));
    let daemon = watching(&home);
    waits_for(&daemon, "written before");
    swept(&daemon);
    append(&path, &line("u2", "written after"));
    waits_for(&daemon, "written after");
    let torn = line("u3", "torn apart");
    let (head, tail) = torn.split_at(60);
    append(&path, head);
    append(
        &home.path("transcripts/-w-app/s2.jsonl"),
        &line("u4", "another file"),
    );
    waits_for(&daemon, "another file");
    assert_eq!(found(&daemon, "torn apart"), 0);
    append(&path, tail);
    waits_for(&daemon, "torn apart");
    let status = daemon.call("capture.status", Value::Null).unwrap();
    assert_eq!(
        status["agents"]["claude-code"]["places"][0]["watched"],
        "told"
    );
    assert!(!status["agents"]["claude-code"]["last_read_at"].is_null());
    assert_eq!(status["error"], Value::Null);
    daemon.signal();
}

#[test]
fn directories_that_come_later_are_read_with_what_is_in_them() {
    let home = Home::new();
    fs::create_dir(home.path("transcripts")).unwrap();
    let daemon = watching(&home);
    swept(&daemon);
    // Made elsewhere and moved here: no file in it is told of.
    fs::create_dir_all(home.path("elsewhere/below")).unwrap();
    append(
        &home.path("elsewhere/below/s1.jsonl"),
        &line("u1", "moved here"),
    );
    fs::rename(home.path("elsewhere"), home.path("transcripts/moved")).unwrap();
    waits_for(&daemon, "moved here");
    append(
        &home.path("transcripts/moved/below/s1.jsonl"),
        &line("u2", "and on"),
    );
    waits_for(&daemon, "and on");
    daemon.signal();
}

#[test]
fn files_that_vanish_rotate_or_are_no_text_stop_nothing() {
    let home = Home::new();
    fs::create_dir(home.path("transcripts")).unwrap();
    let daemon = watching(&home);
    swept(&daemon);
    let path = home.path("transcripts/s1.jsonl");
    for number in 0..50 {
        let vanishing = home.path(&format!("transcripts/gone{number}.jsonl"));
        append(&vanishing, &line(&format!("g{number}"), "gone"));
        fs::remove_file(vanishing).unwrap();
    }
    append(&path, &line("u1", "first file"));
    waits_for(&daemon, "first file");
    fs::rename(&path, home.path("transcripts/s1.old.jsonl")).unwrap();
    append(&path, &line("u2", "second file"));
    waits_for(&daemon, "second file");
    fs::write(home.path("transcripts/junk.jsonl"), [0xff, 0, b'\n', 0xfe]).unwrap();
    std::os::unix::fs::symlink(home.path("transcripts"), home.path("transcripts/loop")).unwrap();
    append(&path, &line("u3", "third line"));
    waits_for(&daemon, "third line");
    assert_eq!(found(&daemon, "first file"), 1);
    daemon.signal();
}

#[test]
fn a_place_that_goes_and_comes_again_is_watched_again() {
    let home = Home::new();
    let daemon = watching(&home);
    let watched = |daemon: &Running| {
        let status = daemon.call("capture.status", Value::Null).unwrap();
        status["agents"]["claude-code"]["places"][0]["watched"].clone()
    };
    until("it is known as missing", || watched(&daemon) == "missing");
    daemon.signal();
    fs::create_dir(home.path("transcripts")).unwrap();
    let daemon = watching(&home);
    until("it is watched", || watched(&daemon) == "told");
    daemon.signal();
}

#[test]
fn an_agent_that_is_not_captured_is_not_read() {
    let home = Home::new();
    fs::create_dir(home.path("transcripts")).unwrap();
    append(
        &home.path("transcripts/s1.jsonl"),
        &line("u1", "not captured"),
    );
    let place = Source {
        agent: Agent::ClaudeCode,
        root: home.path("transcripts"),
    };
    let daemon = Running::start(capturing_with(&home, move |capture| {
        capture.captured = Captured::These(vec![Agent::Codex]);
        capture.places = vec![place];
    }));
    swept(&daemon);
    assert_eq!(found(&daemon, "not captured"), 0);
    let status = daemon.call("capture.status", Value::Null).unwrap();
    assert_eq!(status["agents"], json!({}));
    daemon.signal();
}

#[test]
fn what_was_read_is_not_read_again_by_the_next_daemon() {
    let home = Home::new();
    fs::create_dir(home.path("transcripts")).unwrap();
    let path = home.path("transcripts/s1.jsonl");
    append(&path, &line("u1", "once"));
    let daemon = watching(&home);
    waits_for(&daemon, "once");
    daemon.signal();
    append(&path, &line("u2", "while nobody watched"));
    let daemon = watching(&home);
    waits_for(&daemon, "while nobody watched");
    let messages = daemon
        .call("listMessages", json!({ "sessionId": "s1" }))
        .unwrap();
    assert_eq!(messages["messages"].as_array().unwrap().len(), 2);
    daemon.signal();
}

#[test]
fn histories_of_aider_are_read_in_repositories_where_others_have_worked() {
    let home = Home::new();
    for directory in ["transcripts", "app/src"] {
        fs::create_dir_all(home.path(directory)).unwrap();
    }
    let history = home.path("app/.aider.chat.history.md");
    let chat = "# aider chat started at 2026-03-01 10:00:00\n\n#### asked before  \n\nDone.\n";
    append(&history, chat);
    let worked_at = home.path("app/src");
    let told = line("u1", "said to another").replace("/w/app", worked_at.to_str().unwrap());
    append(&home.path("transcripts/s1.jsonl"), &told);
    let daemon = watching(&home);
    waits_for(&daemon, "asked before");
    append(&history, "\n#### asked after  \n\nDone.\n");
    waits_for(&daemon, "asked after");
    daemon.signal();
}
