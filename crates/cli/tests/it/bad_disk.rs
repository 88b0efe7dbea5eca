//! Disks that are full or can't be written to, and files of a newer version: what the real binary
//! makes of real ones.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use serde_json::{Value, json};

use crate::machine::{Answer, Machine, finish};
use crate::served::{Server, serve};
use crate::wire::Wire;

/// Runs with files that can't grow beyond so many blocks: what a full disk does to a write, as a
/// process may ask for it.
pub(crate) fn with_files_up_to(blocks: u64, command: &Command) -> Command {
    // The signal would end the process; ignored, the write fails.
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    behind(&["sh", "-c", &script], command)
}

/// Runs without root's power to read and write what its mode forbids.
pub(crate) fn bound_by_modes(command: &Command) -> Command {
    let user = Command::new("id").arg("-u").output().unwrap().stdout;
    if user != b"0\n" {
        return behind(&["env"], command);
    }
    let no_override = "--bounding-set=-dac_override,-dac_read_search";
    behind(&["setpriv", no_override, "--inh-caps=-all"], command)
}

/// The command, as one that is run by others before it; they are found on the usual path.
fn behind(words: &[&str], command: &Command) -> Command {
    let mut outer = Command::new(words[0]);
    outer
        .args(&words[1..])
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(command.get_current_dir().unwrap())
        .env_clear()
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    outer
}

/// Asserts that an error says what became of the data, and what to do.
#[track_caller]
fn helpful(answer: &Answer, code: &str) {
    assert_eq!(answer.code, Some(1), "{answer:#?}");
    let code = format!("error[{code}]: ");
    assert!(answer.stderr.starts_with(&code), "{answer:#?}");
    for part in ["  cause: ", "  state: ", "  fix:   "] {
        assert!(answer.stderr.contains(part), "{part}: {answer:#?}");
    }
}

#[test]
fn a_server_without_room_refuses_serves_reads_and_loses_nothing() {
    let server = Server::start();
    let token = server.token("ada");
    let machine = server.stop().machine;
    let arguments = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data",
        "srv",
        "--auth",
        "token",
    ];
    let command = machine.command(&arguments);
    let limited = Running::of(with_files_up_to(1_000, &command));
    let mut wire = connect(&limited.url, &token);
    let health = || machine.run(&["health", &limited.url, "--json"]).done();
    assert_eq!(health().json()["storage"], "ok");
    let mut acknowledged = 0;
    let refused = loop {
        let reply = push(&mut wire, acknowledged + 1);
        if reply.status != 200 {
            break reply;
        }
        acknowledged += 1;
        assert!(acknowledged < 1_000, "nothing ever was too large");
    };
    // The code of a full disk, or of one that does not say why it fails.
    let code = &refused.body["error"]["code"];
    let expected = [
        (507, "storage_full", "full"),
        (503, "unavailable", "failing"),
    ];
    let found = expected
        .iter()
        .find(|(status, of, _)| *status == refused.status && code == of);
    let (.., storage) = found.unwrap_or_else(|| panic!("{}", refused.body));
    let health = health().says("warning: the server's disk ");
    assert_eq!(health.json()["storage"], *storage);
    assert!(acknowledged > 0);
    assert_eq!(clocks(&mut wire), (1..=acknowledged).collect::<Vec<_>>());
    drop(limited);

    let free = Running::of(command);
    let mut wire = connect(&free.url, &token);
    assert_eq!(push(&mut wire, acknowledged + 1).status, 200);
    assert_eq!(
        clocks(&mut wire),
        (1..=acknowledged + 1).collect::<Vec<_>>()
    );
}

#[test]
fn a_lock_of_another_user_is_named_with_what_to_see_to() {
    let machine = Machine::new();
    machine.run(&["thread", "new", "plan", "first"]).done();
    let profile = machine
        .home()
        .join(".local/share/syncline/profiles/default");
    let lock = profile.join("restore.lock");
    fs::set_permissions(&lock, Permissions::from_mode(0o000)).unwrap();
    let answer = finish(bound_by_modes(&machine.command(&["thread", "list"])), b"");
    helpful(&answer, "replica_failed");
    let said = &answer.stderr;
    assert!(said.contains("restore.lock"), "{said}");
    assert!(said.contains("owner and mode"), "{said}");
    fs::set_permissions(&lock, Permissions::from_mode(0o600)).unwrap();
    finish(bound_by_modes(&machine.command(&["thread", "list"])), b"").done();
}

#[test]
fn a_replica_that_may_not_be_written_to_is_told_and_left_alone() {
    let machine = Machine::new();
    machine.run(&["thread", "new", "plan", "first"]).done();
    let data = machine.home().join(".local/share/syncline");
    let before = contents(&data);
    let denied = Denied::below(&data);
    for arguments in [
        &["thread", "push", "plan", "second"][..],
        &["thread", "new", "other", "first"],
        &["thread", "delete", "plan", "--yes"],
    ] {
        let answer = finish(bound_by_modes(&machine.command(arguments)), b"");
        helpful(&answer, "write_failed");
    }
    let doctor = finish(bound_by_modes(&machine.command(&["doctor"])), b"");
    assert_eq!(doctor.code, Some(1), "{doctor:#?}");
    drop(denied);
    assert_eq!(contents(&data), before);
    machine.run(&["thread", "push", "plan", "second"]).done();
    assert_eq!(machine.contents("plan"), ["first", "second"]);
}

#[test]
fn a_data_directory_that_may_not_be_written_to_starts_no_server() {
    let server = Server::start();
    let token = server.token("ada");
    assert_eq!(push(&mut connect(&server.url, &token), 1).status, 200);
    let machine = server.stop().machine;
    let data = machine.work_dir().join("srv");
    let before = contents(&data);
    let arguments = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data",
        "srv",
        "--auth",
        "token",
    ];
    let command = machine.command(&arguments);
    let denied = Denied::below(&data);
    let mut bound = bound_by_modes(&command);
    // A server that listens after all can't say so, and ends as well.
    bound.stdout(fs::File::create("/dev/full").unwrap());
    helpful(&finish(bound, b""), "data_unusable");
    drop(denied);
    assert_eq!(contents(&data), before);
    let free = Running::of(command);
    assert_eq!(clocks(&mut connect(&free.url, &token)), [1]);
}

#[test]
fn a_replica_of_a_newer_version_is_told_and_left_alone() {
    let machine = Machine::new();
    machine.run(&["thread", "new", "plan", "first"]).done();
    let data = machine.home().join(".local/share/syncline");
    let files = contents(&data).into_iter().map(|(path, _)| path);
    let databases = files.filter(|path| path.extension().is_some_and(|of| of == "db"));
    let databases: Vec<_> = databases.collect();
    assert_eq!(databases.len(), 2, "{databases:?}");
    for database in databases {
        let before = format_of(&database);
        set_format(&database, before + 1_000);
        for arguments in [
            &["thread", "push", "plan", "second"][..],
            &["thread", "read", "plan"],
            &["sync"],
        ] {
            helpful(&machine.run(arguments), "format_newer");
        }
        assert_eq!(format_of(&database), before + 1_000);
        set_format(&database, before);
        assert_eq!(machine.contents("plan"), ["first"]);
    }
}

#[test]
fn a_log_of_a_newer_version_is_told_and_left_alone() {
    let server = Server::start();
    let token = server.token("ada");
    assert_eq!(push(&mut connect(&server.url, &token), 1).status, 200);
    let machine = server.stop().machine;
    machine.run(&["backup", "copy", "--data", "srv"]).done();
    let log = machine.work_dir().join("srv/tenants/t-acme.db");
    let before = format_of(&log);
    set_format(&log, before + 1_000);
    for arguments in [
        &["admin", "tenants", "--data", "srv"][..],
        &["admin", "clients", "--data", "srv"],
        &["admin", "compact", "--data", "srv"],
        &["admin", "expire", "--data", "srv"],
        &["backup", "again", "--data", "srv"],
        &["restore", "copy", "--data", "srv", "--yes"],
    ] {
        helpful(&machine.run(arguments), "format_newer");
    }
    assert_eq!(format_of(&log), before + 1_000);
}

fn format_of(database: &Path) -> i64 {
    let file = rusqlite::Connection::open(database).unwrap();
    let format = file.pragma_query_value(None, "user_version", |row| row.get(0));
    format.unwrap()
}

/// Lets a file say that another version has made it.
fn set_format(database: &Path, format: i64) {
    let file = rusqlite::Connection::open(database).unwrap();
    file.pragma_update(None, "user_version", format).unwrap();
}

/// A server, killed when dropped.
struct Running {
    child: Child,
    url: String,
}

impl Running {
    fn of(command: Command) -> Self {
        let (child, url) = serve(command);
        Self { child, url }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn connect(url: &str, token: &str) -> Wire {
    let address = url.strip_prefix("http://").unwrap().parse().unwrap();
    Wire::connect(address, token).unwrap()
}

fn push(wire: &mut Wire, clock: u64) -> crate::wire::Reply {
    let op = json!({
        "scope": "notes", "resourceId": "r", "actor": "a", "clock": clock,
        "payload": "x".repeat(50_000),
    });
    let body = json!({"clientId": "c", "ops": [op]}).to_string();
    wire.post("/sync/push", body.as_bytes()).unwrap()
}

/// The clocks of the log's ops, in its order.
fn clocks(wire: &mut Wire) -> Vec<u64> {
    let page = wire.get("/sync/pull?limit=1000").unwrap();
    assert_eq!(page.status, 200, "{}", page.body);
    let ops = page.body["ops"].as_array().unwrap().iter();
    ops.map(|op: &Value| op["clock"].as_u64().unwrap())
        .collect()
}

/// Everything below a directory: each file and what it holds, in order.
fn contents(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(contents(&path)),
            false => found.push((path.clone(), fs::read(&path).unwrap())),
        }
    }
    found.sort();
    found
}

/// Files and directories that nobody may write to, until this is dropped.
pub(crate) struct Denied(Vec<(PathBuf, Permissions)>);

impl Denied {
    pub(crate) fn below(directory: &Path) -> Self {
        let mut paths = vec![directory.to_owned()];
        let mut all = Vec::new();
        while let Some(path) = paths.pop() {
            if path.is_dir() {
                paths.extend(
                    fs::read_dir(&path)
                        .unwrap()
                        .map(|entry| entry.unwrap().path()),
                );
            }
            let before = fs::metadata(&path).unwrap().permissions();
            let mode = Permissions::from_mode(before.mode() & !0o222);
            fs::set_permissions(&path, mode).unwrap();
            all.push((path, before));
        }
        Self(all)
    }
}

impl Drop for Denied {
    fn drop(&mut self) {
        for (path, before) in &self.0 {
            let _ = fs::set_permissions(path, before.clone());
        }
    }
}
