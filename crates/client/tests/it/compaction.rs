//! Machines that are there, lag or sleep while the server's log is compacted, put back and compacted
//! again. All become equal, nothing comes back, and nothing is lost.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use syncline_client::SyncSettings;
use syncline_model::{EpochMode, ListId, Payload, Scope, Timestamp};
use syncline_replica::NewOp;
use syncline_server::ServeConfig;
use syncline_store::backup::{OtherLog, RestoreChoice, back_up_server, restore_server};
use syncline_store::control::DataDirectory;

use crate::house::{Machine, Server, live, open_to_all, until, until_equal};

/// A server, and machines that come and go.
struct House {
    server: Option<Server>,
    home: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let server = Server::start(&home.path().join("server"));
        Self {
            server: Some(server),
            home,
        }
    }

    fn address(&self) -> SocketAddr {
        self.server.as_ref().unwrap().address
    }

    fn settings(&self) -> SyncSettings {
        live(&format!("http://{}", self.address()))
    }

    fn machine(&self, name: &'static str) -> Machine {
        Machine::start(name, &self.path(name), self.settings())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        let mut stream = TcpStream::connect(self.address()).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.address(),
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
        serde_json::from_str(body).unwrap()
    }

    /// Writes a thread and renames it again and again: all names but the last are covered.
    fn thread_renamed(&self, key: &str) {
        let made = json!({"thread_id": key, "project_id": "p", "name": "first", "entries": [
            {"entry_id": uuid_of(key), "sequence_id": 0, "content": format!("in {key}"),
                "timestamp": "2024-01-01T00:00:00Z"}]});
        self.call("POST", "/api/threads/sync", &made);
        for n in 0..20 {
            let name = json!({"name": format!("{key} {n}")});
            self.call("PATCH", &format!("/api/threads/{key}"), &name);
        }
    }

    fn delete_thread(&self, key: &str) {
        self.call("DELETE", &format!("/api/threads/{key}"), &json!({}));
    }

    fn compact(&self) -> u64 {
        self.compacted()["floor"].as_u64().unwrap()
    }

    /// What a compaction of all that no live client holds has come to.
    fn compacted(&self) -> Value {
        let keep = json!({"retention_seconds": 0});
        self.call("POST", "/api/admin/compact", &keep)
    }

    /// Has all clients expire that there are.
    fn expire(&self) {
        self.call("POST", "/api/admin/expire", &json!({"idle_seconds": 0}));
    }

    /// How the log's admin sees a machine.
    fn client(&self, machine: &mut Machine) -> Value {
        let id = machine.replica.status().unwrap().replica.to_string();
        let clients = self.call("GET", "/api/admin/clients", &json!({}));
        let mut clients = clients["clients"].as_array().unwrap().iter();
        clients
            .find(|client| client["client_id"] == id.as_str())
            .unwrap_or_else(|| panic!("no client {id}: {clients:?}"))
            .clone()
    }

    /// Waits until a machine holds all that the server has.
    fn until_caught_up(&self, machine: &mut Machine) {
        until("caught up", || {
            let status = self.call("GET", "/sync/status", &json!({}));
            let cursor = machine.replica.status().unwrap().cursor;
            status["server_seq"] == cursor.server_seq.get()
        });
    }

    /// Waits until the server has been told a place that a machine holds: a request does, but for its first.
    fn until_known(&self, machine: &mut Machine) {
        until("known", || self.client(machine)["server_seq"].is_number());
    }

    fn back_up(&self, round: i64) {
        let directory = DataDirectory::open(self.path("server")).unwrap();
        let backup = self.path(&format!("backup-{round}"));
        back_up_server(&directory, &backup, time_of(round), |_| ()).unwrap();
    }

    /// Puts the server back to a backup, as a new epoch that replicas heal.
    fn put_back(&mut self, round: i64) {
        let address = self.address();
        drop(self.server.take());
        let data = self.path("server");
        let directory = DataDirectory::open(&data).unwrap();
        let backup = self.path(&format!("backup-{round}"));
        restore(&backup, &directory, time_of(round));
        let config = ServeConfig::new(&data, open_to_all());
        self.server = Some(Server::start_with(config, address));
    }
}

fn time_of(round: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + round * 60_000).unwrap()
}

fn restore(backup: &Path, directory: &DataDirectory, at: Timestamp) {
    let choice = RestoreChoice {
        mode: EpochMode::Heal,
        other: OtherLog::Stays,
        now: at,
    };
    let lock = directory.lock().unwrap();
    let mut random = 0_u128;
    let next = || {
        random += 1;
        (random << 64 | at.as_millis() as u128).to_be_bytes()
    };
    restore_server(backup, directory, &lock, choice, next, |_| ()).unwrap();
}

/// An entry's id, another for each key.
fn uuid_of(key: &str) -> String {
    let number = key
        .bytes()
        .fold(0_u64, |sum, byte| sum * 31 + u64::from(byte));
    format!("00000000-0000-4000-8000-{:012x}", number & 0xffff_ffff_ffff)
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

fn threads(machine: &mut Machine) -> String {
    machine.replica.view().unwrap().dump_view().unwrap()
}

#[test]
fn a_machine_that_lags_holds_the_floor_and_goes_on_where_it_stood() {
    let house = House::new();
    let (mut laptop, mut desktop) = (house.machine("laptop"), house.machine("desktop"));
    let mut written = vec![laptop.write(), desktop.write()];
    until_equal(&mut [&mut laptop, &mut desktop]);
    house.until_known(&mut desktop);
    desktop.sync.configure(SyncSettings::Off);
    house.thread_renamed("roadmap");
    laptop.sync();
    let place = desktop.replica.status().unwrap().cursor.server_seq.get();
    let lagging = house.client(&mut desktop);
    assert_eq!(lagging["state"], "lagging", "{lagging}");
    assert!(house.compact() <= place);
    let file = desktop.replica.view().unwrap().path().to_owned();
    written.push(desktop.write());
    desktop.sync.configure(house.settings());
    until_equal(&mut [&mut laptop, &mut desktop]);
    assert_eq!(
        desktop.replica.view().unwrap().path(),
        file,
        "it was rebuilt"
    );
    assert_eq!(sorted(desktop.texts()), sorted(written));
}

#[test]
fn a_machine_that_was_expired_rebuilds_keeps_its_outbox_and_brings_nothing_back() {
    let house = House::new();
    let (mut laptop, mut desktop) = (house.machine("laptop"), house.machine("desktop"));
    house.thread_renamed("doomed");
    let mut written = vec![laptop.write(), desktop.write()];
    until_equal(&mut [&mut laptop, &mut desktop]);
    desktop.sync.configure(SyncSettings::Off);
    written.extend([desktop.write(), desktop.write()]);
    house.delete_thread("doomed");
    house.thread_renamed("roadmap");
    laptop.sync();
    let place = desktop.replica.status().unwrap().cursor.server_seq.get();
    house.expire();
    assert_eq!(house.client(&mut desktop)["state"], "expired");
    assert!(house.compact() > place);
    assert!(threads(&mut desktop).contains("in doomed"));
    let file = desktop.replica.view().unwrap().path().to_owned();
    desktop.sync.configure(house.settings());
    until_equal(&mut [&mut laptop, &mut desktop]);
    assert_ne!(
        desktop.replica.view().unwrap().path(),
        file,
        "it was not rebuilt"
    );
    assert_eq!(sorted(laptop.texts()), sorted(written));
    assert!(!threads(&mut laptop).contains("in doomed"));
    assert_eq!(desktop.replica.status().unwrap().quarantined, 0);
}

#[test]
fn a_machine_that_sleeps_through_compactions_and_epochs_loses_and_resurrects_nothing() {
    let mut house = House::new();
    let (mut laptop, mut sleeper) = (house.machine("laptop"), house.machine("sleeper"));
    house.thread_renamed("doomed");
    let mut written = vec![laptop.write(), sleeper.write()];
    until_equal(&mut [&mut laptop, &mut sleeper]);
    sleeper.sync.configure(SyncSettings::Off);
    house.delete_thread("doomed");
    for (round, name) in (0..).zip(["first", "second", "third"]) {
        house.back_up(round);
        written.extend([sleeper.write(), laptop.write()]);
        house.thread_renamed(name);
        laptop.sync();
        if round % 2 == 0 {
            house.delete_thread(name);
        }
        house.until_caught_up(&mut laptop);
        house.expire();
        house.compact();
        // What came since the backup is on the laptop alone.
        house.put_back(round);
        written.push(laptop.write());
        until_equal(&mut [&mut laptop]);
    }
    house.expire();
    house.compact();
    let mut fresh = house.machine("fresh");
    sleeper.sync.configure(house.settings());
    until_equal(&mut [&mut laptop, &mut sleeper, &mut fresh]);
    assert_eq!(sorted(sleeper.texts()), sorted(written));
    let view = threads(&mut fresh);
    assert!(view.contains("in second") && view.contains("second 19"));
    for gone in ["in doomed", "in first", "in third", "first 19"] {
        assert!(!view.contains(gone), "{gone} has come back");
    }
    assert_eq!(sleeper.replica.status().unwrap().quarantined, 0);
}

fn on_list(payload: &str) -> NewOp {
    NewOp {
        scope: Scope::new(Scope::LIST).unwrap(),
        resource: "groceries".parse().unwrap(),
        payload: Payload::parse(payload).unwrap(),
    }
}

fn insert(item: &str, text: &str) -> NewOp {
    on_list(&format!(
        r#"{{"type":"insert","itemId":"{item}","payload":{{"text":"{text}","pos":[{{"digit":1,"actor":"a"}}]}}}}"#
    ))
}

fn edit(item: &str, text: &str) -> NewOp {
    on_list(&format!(
        r#"{{"type":"update","itemId":"{item}","payload":{{"text":"{text}"}}}}"#
    ))
}

fn items(machine: &mut Machine) -> Vec<String> {
    let list = ListId::from(on_list("{}").resource);
    let view = machine.replica.view().unwrap();
    let items = syncline_store::lists::items(view.connection(), &list).unwrap();
    items.into_iter().map(|shown| shown.item.text).collect()
}

/// Its insert stands behind a tombstone that was collected meanwhile, and is stamped anew; its edit stands
/// above that, and would be accepted as it is, and undone by the insert.
#[test]
fn what_was_edited_after_a_collected_tombstone_stays_edited_though_its_insert_was_before() {
    let house = House::new();
    let (mut laptop, mut desktop) = (house.machine("laptop"), house.machine("desktop"));
    laptop.write();
    until_equal(&mut [&mut laptop, &mut desktop]);
    laptop.sync.configure(SyncSettings::Off);
    laptop
        .replica
        .write(&[insert("bread", "as added")])
        .unwrap();
    for _ in 0..10 {
        laptop.write();
    }
    laptop.replica.write(&[edit("bread", "as edited")]).unwrap();
    let remove = on_list(r#"{"type":"remove","itemId":"milk"}"#);
    desktop
        .replica
        .write(&[insert("milk", "milk"), remove])
        .unwrap();
    desktop.write();
    desktop.sync();
    house.until_caught_up(&mut desktop);
    house.expire();
    let done = house.compacted();
    assert_eq!(done["collected"], 1, "{done}");
    laptop.sync.configure(house.settings());
    until_equal(&mut [&mut laptop, &mut desktop]);
    assert_eq!(items(&mut laptop), ["as edited"]);
    assert_eq!(items(&mut desktop), ["as edited"]);
    assert_eq!(laptop.replica.status().unwrap().quarantined, 0);
}
