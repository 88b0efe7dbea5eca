//! A side goes back in time, or stands there twice. All become equal again without a user's step.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use syncline_server::ServeConfig;

use crate::house::{Machine, Server, copy, live, open_to_all, restore, until, until_equal};

/// A server that can be put back, with two machines.
struct House {
    laptop: Machine,
    desktop: Machine,
    server: Option<Server>,
    home: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let server = Server::start(&home.path().join("server"));
        let settings = live(&server.endpoint());
        Self {
            laptop: Machine::start("laptop", &home.path().join("laptop"), settings.clone()),
            desktop: Machine::start("desktop", &home.path().join("desktop"), settings),
            server: Some(server),
            home,
        }
    }

    /// Stops the server, does something to its data, and starts it again at the same address.
    fn with_server_down(&mut self, work: impl FnOnce(&Path)) {
        let server = self.server.take().unwrap();
        let address = server.address;
        drop(server);
        let data = self.home.path().join("server");
        work(&data);
        let config = ServeConfig::new(&data, open_to_all());
        self.server = Some(Server::start_with(config, address));
    }

    fn until_equal(&mut self) {
        until_equal(&mut [&mut self.laptop, &mut self.desktop]);
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.home.path().join(name)
    }
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

#[test]
fn a_server_put_back_to_an_older_copy_gets_back_what_it_lost() {
    let mut house = House::new();
    let mut written = vec![house.laptop.write(), house.desktop.write()];
    house.until_equal();
    let older = house.path("older");
    house.with_server_down(|data| copy(data, &older));
    written.extend([house.laptop.write(), house.desktop.write()]);
    house.until_equal();
    house.with_server_down(|data| restore(&older, data));
    house.until_equal();
    assert_eq!(sorted(house.laptop.texts()), sorted(written));
}

#[test]
fn a_server_that_regrew_past_the_cursors_after_a_restore_is_noticed() {
    let mut house = House::new();
    let mut written = vec![house.laptop.write()];
    house.until_equal();
    let older = house.path("older");
    house.with_server_down(|data| copy(data, &older));
    written.push(house.laptop.write());
    house.until_equal();
    // Only a machine that knows nothing of the loss is there while the server grows again.
    let endpoint = house.server.as_ref().unwrap().endpoint();
    house
        .laptop
        .sync
        .configure(syncline_client::SyncSettings::Off);
    house
        .desktop
        .sync
        .configure(syncline_client::SyncSettings::Off);
    house.with_server_down(|data| restore(&older, data));
    let mut third = Machine::start("third", &house.path("third"), live(&endpoint));
    for _ in 0..5 {
        written.push(third.write());
    }
    third.sync();
    house.laptop.sync.configure(live(&endpoint));
    house.desktop.sync.configure(live(&endpoint));
    until_equal(&mut [&mut house.laptop, &mut house.desktop, &mut third]);
    assert_eq!(sorted(third.texts()), sorted(written));
}

#[test]
fn a_server_that_lost_everything_is_filled_from_the_replicas() {
    let mut house = House::new();
    let mut written: Vec<_> = (0..10).map(|_| house.laptop.write()).collect();
    written.push(house.desktop.write());
    house.until_equal();
    house.with_server_down(|data| std::fs::remove_dir_all(data).unwrap());
    house.until_equal();
    assert_eq!(sorted(house.laptop.texts()), sorted(written));
    assert_eq!(house.laptop.replica.status().unwrap().quarantined, 0);
}

#[test]
fn a_reset_log_stays_empty_of_what_it_held() {
    let mut house = House::new();
    house.laptop.write();
    house.desktop.write();
    house.until_equal();
    let epoch = house.laptop.replica.status().unwrap().epoch.unwrap();
    reset(house.server.as_ref().unwrap(), &epoch.to_string());
    let laptop = &mut house.laptop;
    until("the laptop follows", || laptop.texts().is_empty());
    let text = house.laptop.write();
    house.until_equal();
    assert_eq!(house.desktop.texts(), [text]);
    assert_ne!(
        house.desktop.replica.status().unwrap().epoch.unwrap(),
        epoch
    );
}

fn reset(server: &Server, epoch: &str) {
    let body = r#"{"confirm":"default"}"#;
    let mut stream = TcpStream::connect(server.address).unwrap();
    write!(
        stream,
        "POST /sync/reset HTTP/1.1\r\nhost: {}\r\nif-match: \"{epoch}\"\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        server.address,
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn a_copied_replica_becomes_one_of_its_own() {
    let mut house = House::new();
    let mut written = vec![house.laptop.write()];
    house.until_equal();
    // The outbox is copied too: both have what waits in it.
    house
        .laptop
        .sync
        .configure(syncline_client::SyncSettings::Off);
    written.push(house.laptop.write());
    house.laptop.sync.stop();
    copy(&house.path("laptop"), &house.path("copy"));
    let endpoint = house.server.as_ref().unwrap().endpoint();
    let mut original = Machine::start("original", &house.path("laptop"), live(&endpoint));
    let mut copied = Machine::start("copied", &house.path("copy"), live(&endpoint));
    written.extend([original.write(), copied.write()]);
    until_equal(&mut [&mut original, &mut copied, &mut house.desktop]);
    assert_eq!(sorted(copied.texts()), sorted(written));
    let id = |machine: &mut Machine| machine.replica.status().unwrap().replica;
    assert_ne!(id(&mut original), id(&mut copied));
}

#[test]
fn a_replica_put_back_to_an_older_copy_takes_a_new_actor_and_loses_nothing() {
    let mut house = House::new();
    let mut written = vec![house.laptop.write()];
    house.until_equal();
    house.laptop.sync.stop();
    let (directory, older) = (house.path("laptop"), house.path("older"));
    copy(&directory, &older);
    let endpoint = house.server.as_ref().unwrap().endpoint();
    let mut laptop = Machine::start("before", &directory, live(&endpoint));
    written.push(laptop.write());
    laptop.sync();
    laptop.stop();
    // The files themselves are written over, as a file system's snapshot does: same inodes.
    for entry in std::fs::read_dir(&older).unwrap() {
        let entry = entry.unwrap();
        let bytes = std::fs::read(entry.path()).unwrap();
        std::fs::write(directory.join(entry.file_name()), bytes).unwrap();
    }
    let mut laptop = Machine::start("after", &directory, live(&endpoint));
    written.extend([laptop.write(), laptop.write()]);
    until_equal(&mut [&mut laptop, &mut house.desktop]);
    assert_eq!(sorted(laptop.texts()), sorted(written));
    assert_eq!(laptop.replica.status().unwrap().quarantined, 0);
}

#[test]
fn a_damaged_tenant_file_is_fetched_again_and_the_outbox_kept() {
    let mut house = House::new();
    let mut written: Vec<_> = (0..5).map(|_| house.laptop.write()).collect();
    house.until_equal();
    house
        .laptop
        .sync
        .configure(syncline_client::SyncSettings::Off);
    written.push(house.laptop.write());
    house.laptop.sync.stop();
    let directory = house.path("laptop");
    let endpoint = house.server.as_ref().unwrap().endpoint();
    drop(house.laptop);
    for entry in std::fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.starts_with("tenant-") && name.ends_with(".db") {
            std::fs::write(path, "no database").unwrap();
        }
    }
    let mut laptop = Machine::start("laptop again", &directory, live(&endpoint));
    until_equal(&mut [&mut laptop, &mut house.desktop]);
    assert_eq!(sorted(laptop.texts()), sorted(written));
}
