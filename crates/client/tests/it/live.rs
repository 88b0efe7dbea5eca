//! Everything works: writes go everywhere, at once.

use std::time::Duration;

use syncline_client::{Delivery, Phase, SyncEnd, SyncSettings, sync_once};

use crate::house::{
    Machine, PATIENCE, Server, live, open, remote, texts, until, until_equal, write_entry,
};

#[test]
fn a_write_on_one_machine_is_told_to_subscribers_on_the_other() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("server"));
    let settings = live(&server.endpoint());
    let mut laptop = Machine::start("laptop", &home.path().join("laptop"), settings.clone());
    let mut desktop = Machine::start("desktop", &home.path().join("desktop"), settings);
    laptop.until_live();
    desktop.until_live();
    let subscription = desktop.replica.subscribe();
    let text = laptop.write();
    // Nobody polls here: the stream alone can bring it.
    until("the entry is told", || {
        subscription.wait(PATIENCE).is_some() && desktop.texts() == [text.as_str()]
    });
    until_equal(&mut [&mut laptop, &mut desktop]);
}

#[test]
fn both_may_write_at_once_and_agree_on_the_order() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("server"));
    let settings = live(&server.endpoint());
    let mut laptop = Machine::start("laptop", &home.path().join("laptop"), settings.clone());
    let mut desktop = Machine::start("desktop", &home.path().join("desktop"), settings);
    for _ in 0..50 {
        laptop.write();
        desktop.write();
    }
    until_equal(&mut [&mut laptop, &mut desktop]);
    let texts = laptop.texts();
    assert_eq!(texts.len(), 100);
    for name in ["laptop", "desktop"] {
        let own: Vec<_> = texts.iter().filter(|text| text.starts_with(name)).collect();
        let expected: Vec<_> = (1..=50).map(|number| format!("{name} {number}")).collect();
        assert_eq!(own, expected.iter().collect::<Vec<_>>());
    }
}

#[test]
fn polling_brings_what_others_wrote_too() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("server"));
    let mut polling = remote(&server.endpoint(), None);
    polling.delivery = Delivery::Poll {
        interval: Duration::from_millis(20),
    };
    let settings = SyncSettings::On(polling);
    let mut laptop = Machine::start("laptop", &home.path().join("laptop"), settings.clone());
    let mut desktop = Machine::start("desktop", &home.path().join("desktop"), settings);
    let text = laptop.write();
    until("the entry comes", || desktop.texts() == [text.as_str()]);
    assert!(matches!(
        desktop.sync.status().phase,
        Phase::Polling | Phase::Syncing
    ));
    until_equal(&mut [&mut laptop, &mut desktop]);
}

#[test]
fn sync_once_pushes_and_pulls_and_gives_the_replica_back() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("server"));
    let remote = remote(&server.endpoint(), None);
    let mut laptop = open(&home.path().join("laptop"));
    let written = write_entry(&mut laptop, "laptop", "hello");
    let (laptop, outcome) = sync_once(laptop, remote.clone(), PATIENCE).unwrap();
    assert_eq!((outcome.end, outcome.pending), (SyncEnd::Synced, 0));
    for key in &written.keys {
        let state = laptop.state_of(key).unwrap();
        assert!(
            matches!(state, syncline_replica::OpState::Pulled(_)),
            "{state:?}"
        );
    }
    let (mut desktop, outcome) =
        sync_once(open(&home.path().join("desktop")), remote, PATIENCE).unwrap();
    assert_eq!(outcome.end, SyncEnd::Synced);
    assert_eq!(texts(desktop.view().unwrap()), ["hello"]);
}

#[test]
fn nothing_is_sent_while_sync_is_off() {
    let home = tempfile::tempdir().unwrap();
    let mut laptop = Machine::start("laptop", &home.path().join("laptop"), SyncSettings::Off);
    laptop.write();
    laptop.sync.wake();
    assert_eq!(laptop.sync.sync_now(PATIENCE).end, SyncEnd::Off);
    let status = laptop.sync.status();
    assert_eq!((status.phase, status.traffic.calls), (Phase::Off, 0));
    assert_eq!(laptop.pending(), 2);
}

#[test]
fn sync_follows_settings_that_change_while_it_runs() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("server"));
    let settings = live(&server.endpoint());
    let mut laptop = Machine::start("laptop", &home.path().join("laptop"), SyncSettings::Off);
    let mut desktop = Machine::start("desktop", &home.path().join("desktop"), settings.clone());
    let first = laptop.write();
    laptop.sync.configure(settings.clone());
    until("the entry comes", || desktop.texts() == [first.as_str()]);
    laptop.sync.configure(SyncSettings::Off);
    until("it is off", || laptop.sync.status().phase == Phase::Off);
    let calls = laptop.sync.status().traffic.calls;
    laptop.write();
    assert_eq!(laptop.sync.sync_now(PATIENCE).end, SyncEnd::Off);
    assert_eq!(laptop.sync.status().traffic.calls, calls);
    laptop.sync.configure(settings);
    until_equal(&mut [&mut laptop, &mut desktop]);
    assert_eq!(desktop.texts().len(), 2);
}

#[test]
fn a_stopped_sync_has_closed_the_replica_and_freed_the_lease() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("server"));
    let laptop = Machine::start(
        "laptop",
        &home.path().join("laptop"),
        live(&server.endpoint()),
    );
    laptop.until_live();
    laptop.sync.stop();
    assert_eq!(laptop.sync.status().phase, Phase::Stopped);
    assert_eq!(laptop.sync.sync_now(PATIENCE).end, SyncEnd::Off);
    let directory = laptop.stop();
    let again = Machine::start("laptop", &directory, live(&server.endpoint()));
    again.until_live();
}

#[test]
fn a_handle_that_has_not_looked_since_tells_where_its_op_is() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("server"));
    let directory = home.path().join("laptop");
    let mut asleep = open(&directory);
    let written = write_entry(&mut asleep, "laptop", "hello");
    // The first sync makes the tenant file anew.
    let laptop = Machine::start("laptop", &directory, live(&server.endpoint()));
    laptop.sync();
    let state = asleep.state_of(&written.keys[0]).unwrap();
    assert!(
        matches!(state, syncline_replica::OpState::Pulled(_)),
        "{state:?}"
    );
}
