use std::io::{Read, Write};
use std::net::TcpListener;

use crate::machine::Machine;
use crate::served::Server;

#[test]
fn a_server_that_lives_is_found_wherever_it_is_named() {
    let server = Server::start();
    let machine = Machine::new();
    let said = machine.run(&["health", &server.url]).done();
    let version = env!("CARGO_PKG_VERSION");
    let expected = format!("{} is healthy: version {version}, auth token\n", server.url);
    assert_eq!(said.stdout, expected);

    let flagged = ["health", "--endpoint", &server.url, "--json"];
    let said = machine.run_with(&[("PORT", "1")], &flagged).done().json();
    assert_eq!(said["endpoint"], server.url);
    assert_eq!(said["status"], "healthy");
    assert_eq!(said["auth_mode"], "token");
    assert_eq!(said["last_verified_backup_at"], serde_json::Value::Null);
    let backup = ["backup", "copy", "--data", "srv", "--json"];
    let made = server.machine().run(&backup).done().json();
    let said = machine.run(&flagged).done();
    assert_eq!(said.json()["last_verified_backup_at"], made["made_at"]);
    assert_eq!(said.json()["last_backup_left_out"], 0);
    assert_eq!(said.json()["storage"], "ok");
    let at = made["made_at"].as_str().unwrap();
    let expected = format!("{}, last verified backup {at}\n", expected.trim_end());

    // As in the server's own container: what it was told, and where it is reached from here.
    let port = server.address().port().to_string();
    machine.run_with(&[("PORT", &port)], &["health"]).done();
    let all = format!("0.0.0.0:{port}");
    let variables = [("SYNCLINE_LISTEN", all.as_str()), ("PORT", "1")];
    machine.run_with(&variables, &["health"]).done();
    let variables = [("SYNCLINE_LISTEN", "0.0.0.0"), ("PORT", &port)];
    machine.run_with(&variables, &["health"]).done();

    let member = server.member("ada");
    let said = member.run(&["health"]).done();
    assert_eq!(said.stdout, expected);
}

#[test]
fn a_server_that_does_not_answer_is_not_healthy() {
    let machine = Machine::new();
    // Takes connections, and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    machine
        .run(&["health", &url, "--timeout", "0"])
        .failed(1, "server_unreachable")
        .says(&url);
    machine
        .run(&["health", "nowhere"])
        .failed(2, "endpoint_invalid");
    machine
        .run_with(&[("SYNCLINE_LISTEN", "nonsense:")], &["health"])
        .failed(2, "environment_invalid")
        .says("SYNCLINE_LISTEN");
}

#[test]
fn what_has_no_such_page_is_no_server() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", other.local_addr().unwrap());
    let answers = std::thread::spawn(move || {
        let (mut caller, _) = other.accept().unwrap();
        let mut asked = [0; 4096];
        let _ = caller.read(&mut asked).unwrap();
        let answer = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
        caller.write_all(answer).unwrap();
    });
    let health = ["health", &url];
    Machine::new().run(&health).failed(1, "not_a_server");
    answers.join().unwrap();
}

#[test]
fn sync_that_is_off_asks_nobody() {
    let machine = Machine::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    silent.set_nonblocking(true).unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let variables = [
        ("SYNCLINE_ENDPOINT", url.as_str()),
        ("SYNCLINE_SYNC_ENABLED", "false"),
    ];
    machine
        .run_with(&variables, &["health"])
        .failed(1, "sync_off");
    let called = silent.accept();
    assert_eq!(called.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}
