//! The control socket, as commands meet it.

use std::io::{BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};
use syncline_daemon::{
    CallError, Config, DaemonError, InstanceError, RpcError, SocketError, call, framed,
    read_frame_blocking,
};
use syncline_replica::{Replica, ReplicaOptions};

use crate::house::{Home, PATIENCE, Running, refused};

/// Sends bytes as they are, and reads one answer.
fn exchange(socket: &Path, bytes: &[u8]) -> Value {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.write_all(bytes).unwrap();
    let answer = read_frame_blocking(&mut BufReader::new(stream))
        .unwrap()
        .unwrap();
    serde_json::from_slice(&answer).unwrap()
}

fn refusal(outcome: Result<Value, CallError>) -> RpcError {
    match outcome {
        Err(CallError::Refused(error)) => error,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn health_says_who_answers() {
    let home = Home::new();
    let daemon = Running::start(home.config());
    let health = daemon.call("health", Value::Null).unwrap();
    assert_eq!(health["ok"], true);
    assert_eq!(health["pid"], std::process::id());
    assert_eq!(health["protocol"], syncline_daemon::PROTOCOL);
    daemon.signal();
}

#[test]
fn without_an_endpoint_sync_is_off_and_says_so() {
    let home = Home::new();
    let daemon = Running::start(home.config());
    let outcome = daemon
        .call("sync.now", json!({ "timeout_ms": 1000 }))
        .unwrap();
    assert_eq!(outcome["state"], "off");
    assert_eq!(
        daemon.call("sync.status", Value::Null).unwrap()["phase"],
        "off"
    );
    assert_eq!(
        daemon.call("sync.wake", Value::Null).unwrap(),
        json!({ "ok": true, "endpoint": null })
    );
    daemon.signal();
}

#[test]
fn a_stop_ends_the_daemon_and_leaves_the_replica_to_others() {
    let home = Home::new();
    let daemon = Running::start(home.config());
    assert_eq!(
        daemon.call("stop", Value::Null).unwrap(),
        json!({ "ok": true })
    );
    daemon.thread.join().unwrap().unwrap();
    assert!(!home.socket().exists());
    let gone = call(&home.socket(), "health", Value::Null, PATIENCE);
    assert!(matches!(gone, Err(CallError::NotRunning)));
    Replica::open(&home.path("replica"), ReplicaOptions::default()).unwrap();
    // Nothing of the first is in the way of a second.
    Running::start(home.config()).signal();
}

#[test]
fn a_second_daemon_is_refused_and_the_first_goes_on() {
    let home = Home::new();
    let first = Running::start(home.config());
    let second = refused(home.config());
    assert!(
        matches!(second, DaemonError::Instance(InstanceError::Running)),
        "{second:?}"
    );
    first.call("health", Value::Null).unwrap();
    first.signal();
}

#[test]
fn what_a_dead_daemon_left_is_no_obstacle() {
    let home = Home::new();
    std::fs::create_dir(home.path("run")).unwrap();
    drop(std::os::unix::net::UnixListener::bind(home.socket()).unwrap());
    std::fs::write(home.path("daemon.lock"), "999999\n").unwrap();
    Running::start(home.config()).signal();
}

#[test]
fn others_can_neither_see_nor_use_the_socket() {
    let home = Home::new();
    std::fs::create_dir(home.path("run")).unwrap();
    std::fs::set_permissions(home.path("run"), PermissionsExt::from_mode(0o755)).unwrap();
    let daemon = Running::start(home.config());
    let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(home.path("run")), 0o700);
    assert_eq!(mode(home.socket()), 0o600);
    daemon.signal();
}

#[test]
fn a_directory_that_is_a_link_is_not_trusted() {
    let home = Home::new();
    std::fs::create_dir(home.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink(home.path("elsewhere"), home.path("run")).unwrap();
    let refused = refused(home.config());
    let unsafe_directory = matches!(
        refused,
        DaemonError::Socket(SocketError::UnsafeDirectory { .. })
    );
    assert!(unsafe_directory, "{refused:?}");
}

#[test]
fn a_directory_of_another_user_is_not_trusted() {
    let home = Home::new();
    std::fs::create_dir(home.path("run")).unwrap();
    if std::os::unix::fs::chown(home.path("run"), Some(54_321), None).is_err() {
        println!("not run: only root can give a directory to another user");
        return;
    }
    let refused = refused(home.config());
    let unsafe_directory = matches!(
        refused,
        DaemonError::Socket(SocketError::UnsafeDirectory { .. })
    );
    assert!(unsafe_directory, "{refused:?}");
}

#[test]
fn a_path_longer_than_a_socket_may_have_is_told() {
    let home = Home::new();
    let config = Config {
        socket: home.path(&"s".repeat(120)),
        ..home.config()
    };
    let refused = refused(config);
    let too_long = matches!(refused, DaemonError::Socket(SocketError::TooLong { .. }));
    assert!(too_long, "{refused:?}");
}

#[test]
fn what_is_no_call_is_answered_with_its_code() {
    let home = Home::new();
    let daemon = Running::start(home.config());
    assert_eq!(
        refusal(daemon.call("sync.later", Value::Null)).code,
        RpcError::METHOD_NOT_FOUND
    );
    for params in [
        json!({ "timeout_ms": "soon" }),
        json!({ "timeout_ms": -1 }),
        json!({ "timeout_ms": u64::MAX }),
    ] {
        let code = refusal(daemon.call("sync.now", params)).code;
        assert_eq!(code, RpcError::INVALID_PARAMS);
    }
    let code =
        |body: &str| exchange(&home.socket(), &framed(body.as_bytes()))["error"]["code"].clone();
    // A text that was cut between the halves of a surrogate pair is none the less one.
    assert_eq!(
        code(r#"{"id":1,"method":"\ud83d"}"#),
        RpcError::INVALID_REQUEST
    );
    assert_eq!(code("{"), RpcError::PARSE);
    assert_eq!(code("\u{fe}"), RpcError::PARSE);
    assert_eq!(code("[]"), RpcError::INVALID_REQUEST);
    assert_eq!(
        code(r#"{"jsonrpc":"1.0","id":1,"method":"health"}"#),
        RpcError::INVALID_REQUEST
    );
    assert_eq!(
        code(r#"{"jsonrpc":"2.0","id":1}"#),
        RpcError::INVALID_REQUEST
    );
    daemon.signal();
}

#[test]
fn a_malformed_frame_ends_its_own_connection_only() {
    let home = Home::new();
    let daemon = Running::start(home.config());
    let mut patient = UnixStream::connect(home.socket()).unwrap();
    let half = framed(br#"{"jsonrpc":"2.0","id":7,"method":"health"}"#);
    let (head, rest) = half.split_at(20);
    patient.write_all(head).unwrap();
    for garbage in [
        &b"\r\n\r\n"[..],
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length: 99999999999\r\n\r\n",
    ] {
        let mut stream = UnixStream::connect(home.socket()).unwrap();
        stream.write_all(garbage).unwrap();
        let mut rest = Vec::new();
        // The daemon closes; what was not read by then may show as a reset.
        let _ = stream.read_to_end(&mut rest);
        assert_eq!(rest, b"");
    }
    drop(UnixStream::connect(home.socket()).unwrap());
    patient.write_all(rest).unwrap();
    let answer = read_frame_blocking(&mut BufReader::new(patient))
        .unwrap()
        .unwrap();
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(
        (&answer["id"], &answer["result"]["ok"]),
        (&json!(7), &json!(true))
    );
    daemon.signal();
}

#[test]
fn a_message_without_an_id_is_done_and_not_answered() {
    let home = Home::new();
    let daemon = Running::start(home.config());
    let mut bytes = framed(br#"{"jsonrpc":"2.0","method":"sync.wake"}"#);
    bytes.extend(framed(
        br#"{"jsonrpc":"2.0","id":"next","method":"health"}"#,
    ));
    assert_eq!(exchange(&home.socket(), &bytes)["id"], "next");
    daemon.signal();
}

#[test]
fn many_commands_at_once_are_all_answered() {
    let home = Home::new();
    let daemon = Running::start(home.config());
    let (done, answers): (_, Receiver<bool>) = channel();
    for _ in 0..100 {
        let (socket, done) = (home.socket(), done.clone());
        std::thread::spawn(move || {
            done.send(call(&socket, "health", Value::Null, PATIENCE).is_ok())
                .unwrap();
        });
    }
    drop(done);
    assert_eq!(answers.iter().filter(|answered| *answered).count(), 100);
    daemon.signal();
}

#[test]
fn who_finds_no_place_is_told_so_and_finds_one_once_another_has_gone() {
    const CONNECTIONS_MAX: usize = 256;
    let home = Home::new();
    let daemon = Running::start(home.config());
    let connect = |_| UnixStream::connect(home.socket()).unwrap();
    let mut open: Vec<UnixStream> = (0..CONNECTIONS_MAX).map(connect).collect();
    let refused = refusal(call(&home.socket(), "health", Value::Null, PATIENCE));
    assert_eq!(refused.code, RpcError::TOO_MANY_CONNECTIONS);
    open.pop();
    let answer = call(&home.socket(), "health", Value::Null, PATIENCE);
    assert_eq!(answer.unwrap()["ok"], true);
    drop(open);
    daemon.signal();
}
