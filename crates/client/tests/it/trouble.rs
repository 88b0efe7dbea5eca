//! The network and the server fail; nothing is lost, nothing is doubled, and all goes on by itself.

use std::time::{Duration, Instant};

use syncline_client::{Phase, SyncEnd};
use syncline_server::{Rate, RateLimits, ServeConfig};

use crate::house::{
    Machine, PATIENCE, Server, free_address, live, open_to_all, until, until_equal,
};
use crate::proxy::{Mode, Proxy};

#[test]
fn what_is_written_offline_arrives_once_the_network_is_back() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("server"));
    let network = Proxy::start(server.address);
    let mut laptop = Machine::start(
        "laptop",
        &home.path().join("laptop"),
        live(&network.endpoint()),
    );
    let mut desktop = Machine::start(
        "desktop",
        &home.path().join("desktop"),
        live(&server.endpoint()),
    );
    laptop.write();
    until_equal(&mut [&mut laptop, &mut desktop]);

    network.set(Mode::Refuse);
    until("the laptop notices", || {
        laptop.sync.status().phase == Phase::BackingOff
    });
    for _ in 0..5 {
        laptop.write();
    }
    desktop.write();
    desktop.sync();
    assert_eq!((laptop.pending(), laptop.texts().len()), (5, 6));
    let failure = laptop.sync.status().failure.expect("it says why");
    assert_eq!(failure.code, "unreachable");
    let noted = laptop
        .replica
        .status()
        .unwrap()
        .notes
        .last_error
        .expect("status says why");
    assert_eq!(noted.code, "unreachable");

    network.set(Mode::Pass);
    until_equal(&mut [&mut laptop, &mut desktop]);
    assert_eq!(desktop.texts().len(), 7);
    until("nothing is wrong any more", || {
        laptop.sync.status().failure.is_none()
    });
}

#[test]
fn a_server_that_is_down_is_told_at_once_to_who_waits_for_sync() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("server"));
    let network = Proxy::start(server.address);
    network.set(Mode::Refuse);
    let mut laptop = Machine::start(
        "laptop",
        &home.path().join("laptop"),
        live(&network.endpoint()),
    );
    laptop.write();
    let asked = Instant::now();
    let outcome = laptop.sync.sync_now(PATIENCE);
    assert!(matches!(outcome.end, SyncEnd::Failed(_)), "{outcome:?}");
    assert_eq!(outcome.pending, 2);
    assert!(asked.elapsed() < PATIENCE);
}

#[test]
fn a_network_that_swallows_everything_delays_nobody_beyond_his_deadline() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("server"));
    let network = Proxy::start(server.address);
    let mut laptop = Machine::start(
        "laptop",
        &home.path().join("laptop"),
        live(&network.endpoint()),
    );
    laptop.until_live();
    network.set(Mode::Swallow);
    laptop.write();
    let outcome = laptop.sync.sync_now(Duration::from_millis(50));
    assert_eq!((outcome.end, outcome.pending), (SyncEnd::OutOfTime, 2));
    // The calls that hang are ended by the broken connections.
    network.set(Mode::Pass);
    until("everything is there", || laptop.pending() == 0);
}

#[test]
fn answers_cut_at_every_length_lose_and_double_nothing() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("server"));
    let network = Proxy::start(server.address);
    let mut laptop = Machine::start(
        "laptop",
        &home.path().join("laptop"),
        live(&network.endpoint()),
    );
    let mut desktop = Machine::start(
        "desktop",
        &home.path().join("desktop"),
        live(&server.endpoint()),
    );
    let mut written = Vec::new();
    for bytes in (0..1200).step_by(40) {
        network.set(Mode::CutAnswers(bytes));
        written.push(laptop.write());
        // Whether it can be synced through such a network is not said.
        let _ = laptop.sync.sync_now(PATIENCE);
    }
    network.set(Mode::Pass);
    laptop.sync.wake();
    until_equal(&mut [&mut laptop, &mut desktop]);
    assert_eq!(desktop.texts(), written);
}

#[test]
fn a_server_that_limits_requests_is_obeyed_until_everything_is_there() {
    let home = tempfile::tempdir().unwrap();
    let config = ServeConfig {
        rate_limits: RateLimits {
            failed_authentication: None,
            requests: Some(Rate {
                burst: 5,
                per: Duration::from_millis(500),
            }),
        },
        ..ServeConfig::new(home.path().join("server"), open_to_all())
    };
    let server = Server::start_with(config, free_address());
    let mut laptop = Machine::start(
        "laptop",
        &home.path().join("laptop"),
        live(&server.endpoint()),
    );
    let is_limited = |machine: &Machine| {
        let failure = machine.sync.status().failure;
        failure.is_some_and(|failure| failure.code == "rate_limited")
    };
    until("it is limited", || {
        laptop.write();
        // Whether this one was taken is not said.
        let _ = laptop.sync.sync_now(PATIENCE);
        is_limited(&laptop)
    });
    until("everything is there", || laptop.pending() == 0);
    assert_eq!(laptop.replica.status().unwrap().quarantined, 0);
}

#[test]
fn a_server_that_restarts_is_found_again() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("server");
    let server = Server::start(&data);
    let address = server.address;
    let settings = live(&server.endpoint());
    let mut laptop = Machine::start("laptop", &home.path().join("laptop"), settings.clone());
    let mut desktop = Machine::start("desktop", &home.path().join("desktop"), settings);
    laptop.write();
    until_equal(&mut [&mut laptop, &mut desktop]);
    drop(server);
    laptop.write();
    desktop.write();
    let server = Server::start_with(ServeConfig::new(&data, open_to_all()), address);
    until_equal(&mut [&mut laptop, &mut desktop]);
    assert_eq!(laptop.texts().len(), 3);
    drop(server);
}
