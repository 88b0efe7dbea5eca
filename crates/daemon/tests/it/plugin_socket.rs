//! The socket that plugins made for clankers know: a place that is not the daemon's own.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;

use serde_json::{Value, json};
use syncline_daemon::{Config, call};

use crate::house::{Home, PATIENCE, Running, until};
use crate::plugin::{capturing, opencode};

fn answering(home: &Home) -> Config {
    Config {
        plugin_socket: Some(home.path("clankers/dxta-clankers.sock")),
        ..capturing(home)
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn plugins_are_answered_where_they_have_always_looked() {
    let home = Home::new();
    let socket = home.path("clankers/dxta-clankers.sock");
    let daemon = Running::start(answering(&home));
    let plugin = opencode(&socket);
    assert_eq!(plugin.read("health", &json!({}))["ok"], true);
    plugin.done(
        "upsertSession",
        &json!({ "session": { "id": "ses_1", "title": "Fix login" } }),
    );
    let session = opencode(&home.socket()).read("getSession", &json!({ "id": "ses_1" }));
    assert_eq!(session["session"]["title"], "Fix login");
    assert_eq!(
        (mode(socket.parent().unwrap()), mode(&socket)),
        (0o700, 0o600)
    );
    daemon.signal();
    assert!(!socket.exists() && !home.socket().exists());
}

#[test]
fn who_listens_there_already_goes_on() {
    let home = Home::new();
    let socket = home.path("clankers/dxta-clankers.sock");
    std::fs::create_dir(home.path("clankers")).unwrap();
    let theirs = UnixListener::bind(&socket).unwrap();
    let daemon = Running::start(answering(&home));
    theirs.set_nonblocking(true).unwrap();
    while theirs.accept().is_ok() {}
    assert!(
        call(
            &socket,
            "health",
            Value::Null,
            std::time::Duration::from_millis(50)
        )
        .is_err()
    );
    assert!(theirs.accept().is_ok(), "the call was theirs to take");
    daemon.signal();
    assert!(socket.exists());
}

#[test]
fn the_daemon_that_came_first_answers_plugins_and_the_other_once_it_has_gone() {
    let (first, other) = (Home::new(), Home::new());
    let socket = first.path("clankers/dxta-clankers.sock");
    let plugin = opencode(&socket);
    let told = |home: &Home, id: &str| {
        let found = call(&home.socket(), "getSession", json!({ "id": id }), PATIENCE);
        found.is_ok()
    };
    let kept_from = |daemon: &Running| {
        let status = daemon.call("sync.status", Value::Null).unwrap();
        status["plugin_socket"]["error"].clone()
    };
    let one = Running::start(answering(&first));
    let two = Running::start(Config {
        plugin_socket: Some(socket.clone()),
        ..capturing(&other)
    });
    assert_eq!(kept_from(&one), Value::Null);
    assert!(
        kept_from(&two)
            .as_str()
            .unwrap()
            .contains("another process listens there")
    );
    plugin.done("upsertSession", &json!({ "session": { "id": "ses_1" } }));
    assert_eq!(
        (told(&first, "ses_1"), told(&other, "ses_1")),
        (true, false)
    );
    one.signal();
    until("the other answers", || kept_from(&two) == Value::Null);
    plugin.done("upsertSession", &json!({ "session": { "id": "ses_2" } }));
    assert!(told(&other, "ses_2"));
    two.signal();
    assert!(!socket.exists());
}

#[test]
fn what_a_dead_process_left_makes_way_and_what_is_no_socket_stays() {
    let home = Home::new();
    let socket = home.path("clankers/dxta-clankers.sock");
    std::fs::create_dir(home.path("clankers")).unwrap();
    std::fs::write(&socket, "a file").unwrap();
    Running::start(answering(&home)).signal();
    assert_eq!(std::fs::read(&socket).unwrap(), b"a file");
    std::fs::remove_file(&socket).unwrap();
    drop(UnixListener::bind(&socket).unwrap());
    let daemon = Running::start(answering(&home));
    call(&socket, "health", Value::Null, PATIENCE).unwrap();
    // Somebody else takes its place: at the end, it is not this daemon's to remove.
    std::fs::remove_file(&socket).unwrap();
    let _theirs = UnixListener::bind(&socket).unwrap();
    daemon.signal();
    assert!(socket.exists());
}

#[test]
fn a_directory_that_everybody_may_change_holds_no_socket() {
    let home = Home::new();
    let directory = home.path("clankers");
    std::fs::create_dir(&directory).unwrap();
    std::fs::set_permissions(&directory, PermissionsExt::from_mode(0o777)).unwrap();
    let daemon = Running::start(answering(&home));
    assert!(!directory.join("dxta-clankers.sock").exists());
    assert_eq!(mode(&directory), 0o777);
    daemon.signal();
}
