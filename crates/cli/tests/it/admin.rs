//! `syncline admin`: on a stopped server's data, beside a running one, killed in the middle, and on a
//! full disk.

mod held;

use std::time::Instant;

use serde_json::{Value, json};

use crate::machine::{Answer, Machine, finish};
use crate::served::Server;
use crate::wire::Wire;

/// Ops of one push.
const OPS: u64 = 250;
/// How many ops are pushed, unless this variable says another number: a million shows what a log of
/// years comes to.
const OPS_IN_ALL: u64 = 10_000;
const OPS_VARIABLE: &str = "SYNCLINE_TEST_OPS";

fn pushes() -> u64 {
    let number = std::env::var(OPS_VARIABLE).map_or(OPS_IN_ALL, |text| text.parse().unwrap());
    number / OPS
}

/// Pushes ops of a few drawings, each of which replaces all before it of its drawing.
fn draw(server: &Server, token: &str) {
    let mut wire = Wire::connect(server.address(), token).unwrap();
    for push in 0..pushes() {
        let ops: Vec<Value> = (1..=OPS)
            .map(|n| {
                json!({"scope": "sketch", "resourceId": format!("drawing-{}", n % 10), "actor": "a",
                    "clock": push * OPS + n,
                    "payload": {"replaces": true, "text": format!("{push} {n} {}", "x".repeat(400))}})
            })
            .collect();
        let body = json!({"clientId": "laptop", "ops": ops}).to_string();
        assert_eq!(
            wire.post("/sync/push", body.as_bytes()).unwrap().status,
            200
        );
    }
}

/// What a new replica is given.
fn whole_log(server: &Server, token: &str) -> Vec<Value> {
    let mut wire = Wire::connect(server.address(), token).unwrap();
    let page = wire.get("/sync/pull?limit=1000").unwrap().body;
    assert_eq!(page["hasMore"], false, "{page}");
    let mut ops = page["ops"].as_array().unwrap().clone();
    ops.sort_by_key(|op| op["resourceId"].to_string());
    ops.iter().map(|op| op["payload"].clone()).collect()
}

/// Whether these are of the last push.
fn are_newest<'a>(payloads: impl IntoIterator<Item = &'a Value>) -> bool {
    let newest = format!("{} ", pushes() - 1);
    let text = |payload: &'a Value| payload["text"].as_str().unwrap();
    payloads
        .into_iter()
        .all(|payload| text(payload).starts_with(&newest))
}

/// Runs a command that says something to a person, and shows what and in which time.
#[expect(
    clippy::print_stdout,
    reason = "what a run by hand at full size is for"
)]
fn show(machine: &Machine, arguments: &[&str]) -> Answer {
    let begun = Instant::now();
    let said = machine.run(arguments).done();
    println!(
        "$ syncline {}   # {:.1?}",
        arguments.join(" "),
        begun.elapsed()
    );
    println!("{}", said.stdout);
    said
}

fn tenants(machine: &Machine) -> Value {
    let listed = machine
        .run(&["admin", "tenants", "--data", "srv", "--json"])
        .done()
        .json();
    listed["tenants"][0].clone()
}

const COMPACT: [&str; 7] = [
    "admin",
    "compact",
    "--data",
    "srv",
    "--retention",
    "0s",
    "--json",
];

#[test]
fn a_running_server_compacts_as_the_command_line_asks_and_the_file_is_smaller_when_that_returns() {
    let server = Server::start();
    let token = server.token("ada");
    draw(&server, &token);
    let before = tenants(server.machine());
    assert_eq!(before["ops"], pushes() * OPS);
    show(server.machine(), &["admin", "tenants", "--data", "srv"]);
    let done = show(server.machine(), &COMPACT).json();
    show(server.machine(), &["admin", "tenants", "--data", "srv"]);
    let after = tenants(server.machine());
    assert_eq!(after["ops"], 10);
    assert_eq!(done["tenants"][0]["dropped"], pushes() * OPS - 10);
    let bytes = |report: &Value| report["bytes"].as_u64().unwrap();
    assert!(bytes(&after) * 5 < bytes(&before), "{before} {after}");
    // The server knows: a new replica gets what is left, and writes go on.
    let drawn = whole_log(&server, &token);
    assert_eq!(drawn.len(), 10);
    assert!(are_newest(&drawn));

    let expire = ["admin", "expire", "--data", "srv", "--idle", "0s", "--json"];
    let expired = server.machine().run(&expire).done().json();
    assert_eq!(expired["tenants"][0]["tenant"], "acme");
    let clients = ["admin", "clients", "--data", "srv"];
    let clients = server.machine().run(&clients).done();
    assert!(clients.stdout.contains("laptop"), "{clients:?}");
    let unknown = ["admin", "compact", "--data", "srv", "--tenant", "nobody"];
    server
        .machine()
        .run(&unknown)
        .failed(1, "tenant_unknown")
        .says("syncline admin tenants");
}

#[test]
fn a_compaction_that_is_killed_anywhere_loses_nothing_and_is_done_by_the_next() {
    let server = Server::start();
    let token = server.token("ada");
    draw(&server, &token);
    let mut stopped = server.stop();
    for lines in 0..6 {
        let mut child = stopped.machine.command(&COMPACT).spawn().unwrap();
        // Later with each round, by work of about the kind that the command does.
        for _ in 0..lines {
            stopped
                .machine
                .run(&["admin", "tenants", "--data", "srv"])
                .done();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let server = stopped.start();
        let drawn = whole_log_by_resource(&server, &token);
        assert_eq!(drawn.len(), 10, "a drawing is lost");
        stopped = server.stop();
    }
    stopped.machine.run(&COMPACT).done();
    assert_eq!(tenants(&stopped.machine)["ops"], 10);
    let server = stopped.start();
    let drawn = whole_log(&server, &token);
    assert!(are_newest(&drawn));
}

/// The last payload of each resource, also of a log that is partly compacted.
fn whole_log_by_resource(
    server: &Server,
    token: &str,
) -> std::collections::BTreeMap<String, Value> {
    let mut wire = Wire::connect(server.address(), token).unwrap();
    let mut last = std::collections::BTreeMap::new();
    let mut query = String::new();
    loop {
        let page = wire.get(&format!("/sync/pull?limit=1000{query}")).unwrap();
        assert_eq!(page.status, 200, "{}", page.body);
        let page = page.body;
        for op in page["ops"].as_array().unwrap() {
            last.insert(op["resourceId"].to_string(), op["payload"].clone());
        }
        if page["hasMore"] == false {
            assert!(are_newest(last.values()), "{last:?}");
            return last;
        }
        let (cursor, floor) = (&page["cursor"], &page["floor"]);
        let mark = cursor["mark"].as_str().unwrap();
        query = format!("&since={}&mark={mark}&floor={floor}", cursor["serverSeq"]);
    }
}

#[test]
fn a_compaction_without_room_says_so_and_loses_nothing() {
    let server = Server::start();
    let token = server.token("ada");
    draw(&server, &token);
    let stopped = server.stop();
    // Less than the write-ahead log needs, so that some step fails.
    let command = stopped.machine.command(&COMPACT[..6]);
    let failed = finish(crate::bad_disk::with_files_up_to(200, &command), b"");
    assert_eq!(failed.code, Some(1), "{failed:#?}");
    for part in ["error[", "  cause: ", "  state: ", "  fix:   "] {
        assert!(failed.stderr.contains(part), "{part}: {failed:#?}");
    }
    let server = stopped.start();
    assert_eq!(whole_log_by_resource(&server, &token).len(), 10);
    server.machine().run(&COMPACT).done();
    assert_eq!(whole_log(&server, &token).len(), 10);
}

/// Pushes a few ops, each of which replaces the one before it, and an earlier one that stays.
fn draw_a_little(server: &Server, token: &str) {
    let mut wire = Wire::connect(server.address(), token).unwrap();
    let ops: Vec<Value> = (1..=20)
        .map(|clock| {
            json!({"scope": "sketch", "resourceId": "one", "actor": "a", "clock": clock,
                "payload": {"replaces": true, "text": "x".repeat(clock)}})
        })
        .collect();
    let body = json!({"clientId": "laptop", "ops": ops}).to_string();
    assert_eq!(
        wire.post("/sync/push", body.as_bytes()).unwrap().status,
        200
    );
}

#[test]
fn a_damaged_log_is_named_and_hides_no_other() {
    let server = Server::start();
    draw_a_little(&server, &server.token("ada"));
    let create = [
        "token", "create", "--data", "srv", "--tenant", "bolt", "--user", "ada",
    ];
    let bolt = server.machine().run(&create).done().stdout;
    draw_a_little(&server, bolt.trim());
    let stopped = server.stop();
    let path = stopped.machine.work_dir().join("srv/tenants/t-bolt.db");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[..4_000].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    for command in ["tenants", "clients", "compact", "expire"] {
        let answer = stopped
            .machine
            .run(&["admin", command, "--data", "srv", "--json"]);
        assert_eq!(answer.code, Some(1), "{answer:#?}");
        assert!(answer.stdout.contains(r#""tenant":"acme""#), "{answer:#?}");
        answer
            .says(r#""code":"admin_incomplete""#)
            .says("1 log could not be worked on: bolt")
            .says("bolt: could not work on a tenant's log: ");
        stopped
            .machine
            .run(&["admin", command, "--data", "srv", "--tenant", "bolt"])
            .failed(1, "file_damaged")
            .says("syncline restore BACKUP --data DIR");
    }
    let (bolts, acmes) = (
        path,
        stopped.machine.work_dir().join("srv/tenants/t-acme.db"),
    );
    std::fs::remove_file(acmes).unwrap();
    assert!(bolts.exists());
    stopped
        .machine
        .run(&["backup", "copy", "--data", "srv"])
        .failed(1, "file_damaged")
        .says("syncline restore BACKUP --data DIR");
}

#[test]
fn what_was_dropped_and_can_still_be_read_is_no_success() {
    let server = Server::start();
    draw_a_little(&server, &server.token("ada"));
    let stopped = server.stop();
    let path = stopped.machine.work_dir().join("srv/tenants/t-acme.db");
    let reader = rusqlite::Connection::open(path).unwrap();
    reader.execute_batch("BEGIN; SELECT 1 FROM ops;").unwrap();
    let answer = stopped.machine.run(&COMPACT);
    assert_eq!(answer.code, Some(1), "{answer:#?}");
    assert_eq!(answer.json()["tenants"][0]["log_left"], "full");
    answer
        .says(r#""code":"compact_incomplete""#)
        .says("write-ahead log of acme");
    drop(reader);
    let done = stopped.machine.run(&COMPACT).done();
    assert_eq!(done.json()["tenants"][0]["log_left"], "empty");
}

#[test]
fn compact_and_expire_keep_what_the_server_is_set_to_keep() {
    let machine = Machine::new();
    let settings = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data",
        "srv",
        "--retention",
        "0s",
        "--expire-after",
        "0s",
    ];
    let (mut child, url) = crate::served::serve(machine.command(&settings));
    let address = url.strip_prefix("http://").unwrap().parse().unwrap();
    let mut wire = Wire::connect(address, "").unwrap();
    let op = |clock: u64| {
        json!({"scope": "sketch", "resourceId": "one", "actor": "a", "clock": clock,
        "payload": {"replaces": true}})
    };
    let body = json!({"clientId": "laptop", "ops": [op(1), op(2)]}).to_string();
    let pushed = wire.post("/sync/push", body.as_bytes()).unwrap();
    assert_eq!(pushed.status, 200);
    crate::served::terminate(&child);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let run = |command: &[&str]| {
        let fixed = ["admin", "--data", "srv", "--json"];
        let words = [&fixed[..1], command, &fixed[1..]].concat();
        machine.run(&words).done().json()["tenants"][0].clone()
    };
    assert_eq!(run(&["compact", "--retention", "7d"])["dropped"], 0);
    assert_eq!(run(&["compact"])["dropped"], 1);
}

#[test]
fn who_only_looks_or_copies_makes_nothing_in_a_directory_of_something_else() {
    let machine = Machine::new();
    let foreign = machine.work_dir().join("photos");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("cat.jpg"), "purr").unwrap();
    for command in [
        &["admin", "tenants"][..],
        &["admin", "clients"],
        &["admin", "compact"],
        &["admin", "expire"],
        &["token", "list"],
        &["member", "list"],
        &["schema", "show"],
        &["backup", "copy"],
    ] {
        let command = [command, &["--data", "photos"]].concat();
        machine
            .run(&command)
            .failed(1, "data_missing")
            .says("no server keeps its data in photos");
        let left: Vec<_> = std::fs::read_dir(&foreign).unwrap().collect();
        assert_eq!(left.len(), 1, "{command:?}: {left:?}");
    }
    assert!(!machine.work_dir().join("copy").exists());
}

#[test]
fn clients_of_a_running_server_are_shown_as_they_are_by_now() {
    let server = Server::start();
    let token = server.token("ada");
    draw(&server, &token);
    let mut wire = Wire::connect(server.address(), &token).unwrap();
    let page = wire.get("/sync/pull?limit=10").unwrap().body;
    let mark = page["cursor"]["mark"].as_str().unwrap();
    let pull = format!("/sync/pull?clientId=phone&since=10&mark={mark}");
    wire.get(&pull).unwrap();
    let clients = ["admin", "clients", "--data", "srv", "--json"];
    let clients = server.machine().run(&clients).done().json();
    let [laptop, phone] = &clients["clients"].as_array().unwrap()[..] else {
        panic!("two clients: {clients}")
    };
    assert_eq!(
        (&phone["server_seq"], &phone["state"]),
        (&json!(10), &json!("lagging"))
    );
    // It has pushed, and has not said where it is.
    assert_eq!(
        (&laptop["server_seq"], &laptop["state"]),
        (&Value::Null, &json!("live"))
    );
    let held = tenants(server.machine());
    assert_eq!(held["clients_live"], 2);
    // Nothing of what came lately goes, whoever stands where.
    assert_eq!(held["held_by"], Value::Null);
}
