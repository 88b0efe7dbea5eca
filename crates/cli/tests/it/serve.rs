use std::io::Read;
use std::process::Stdio;

use crate::machine::Machine;
use crate::served::{Server, terminate};
use crate::wire::Wire;

#[test]
fn a_server_prints_one_line_and_drains_on_sigterm() {
    let machine = Machine::new();
    let mut command = machine.command(&["serve", "--data", "srv"]);
    command.env("PORT", "0").stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut first = [0; 64];
    let read = stdout.read(&mut first).unwrap();
    let line = String::from_utf8_lossy(&first[..read]).into_owned();
    assert!(
        line.starts_with("listening on http://127.0.0.1:") && line.ends_with('\n'),
        "{line:?}"
    );
    terminate(&child);
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_server_whose_standard_error_takes_nothing_answers_and_works() {
    let machine = Machine::new();
    let full = std::fs::File::options().write(true).open("/dev/full");
    let mut command = machine.command(&["serve", "--data", "srv", "--listen", "127.0.0.1:0"]);
    command.stderr(full.unwrap());
    let server = Server::of(machine, command);
    let mut wire = Wire::connect(server.address(), "").unwrap();
    assert_eq!(wire.get("/api/lists/nope").unwrap().status, 404);
    let compact = ["admin", "compact", "--data", "srv", "--retention", "0s"];
    server.machine().run(&compact).done();
}

#[test]
fn what_keeps_a_server_from_starting_is_told_before_it_listens() {
    let server = Server::start();
    let address = server.url.strip_prefix("http://").unwrap();
    let machine = server.machine();
    let other = ["serve", "--listen", address, "--data", "other"];
    machine.run(&other).failed(1, "not_listening").says(address);
    let same_data = ["serve", "--listen", "127.0.0.1:0", "--data", "srv"];
    machine.run(&same_data).failed(1, "data_locked");
    let open = ["serve", "--listen", "0.0.0.0:0", "--data", "other"];
    machine
        .run(&open)
        .failed(1, "open_to_others")
        .says("--allow-open");
    machine
        .run(&["serve", "--listen", "nowhere"])
        .failed(1, "not_listening");
    machine.run(&["serve", "--listen", ":"]).failed(2, "usage");
    machine
        .run(&["serve", "--rate-limit", "0/0"])
        .failed(2, "usage");
    let no_audience = ["serve", "--auth", "token", "--jwt-key", "HS256:x"];
    machine.run(&no_audience).failed(2, "usage");
    let no_file = [
        "serve",
        "--auth",
        "token",
        "--jwt-key",
        "HS256:x",
        "--jwt-audience",
        "a",
        "--data",
        "o",
    ];
    machine.run(&no_file).failed(1, "key_unreadable");
    std::fs::write(machine.work_dir().join("x"), "short\n").unwrap();
    machine
        .run(&no_file)
        .failed(1, "auth_invalid")
        .says("fewer than 32");
}

#[test]
fn prices_that_cannot_be_read_keep_a_server_from_starting() {
    let machine = Machine::new();
    let data = machine.work_dir().join("o");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("prices.json"), "{").unwrap();
    let serve = ["serve", "--data", "o", "--listen", "127.0.0.1:0"];
    machine
        .run(&serve)
        .failed(1, "prices_invalid")
        .says("o/prices.json");
}

#[test]
fn a_server_comes_back_with_what_it_had() {
    let server = Server::start();
    let machine = server.member("ada");
    machine
        .run(&["thread", "new", "plan", "first"])
        .done()
        .says("synced");
    let server = server.start_again();
    let fresh = server.member("ada");
    fresh.run(&["sync"]).done();
    let read = fresh
        .run(&["thread", "read", "plan", "--json"])
        .done()
        .json();
    assert_eq!(read["entries"][0]["content"], "first");
    fresh.run(&["thread", "search", "\"first", "--json"]).done();
}
