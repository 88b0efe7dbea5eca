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
    until("it gets through", || {
        laptop.sync.sync_now(PATIENCE).end == SyncEnd::Synced
    });
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

/// What servers and those between say instead of an answer, and the code under which it is told.
const NO_ANSWERS: [(&str, &str); 6] = [
    (
        "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n",
        "unavailable",
    ),
    (
        "HTTP/1.1 507 Insufficient Storage\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n",
        "storage_full",
    ),
    (
        "HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n",
        "rate_limited",
    ),
    (
        "HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>",
        "unavailable",
    ),
    (
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html>Log in!",
        "unreadable_answer",
    ),
    (
        "HTTP/1.1 302 Found\r\nlocation: http://portal.invalid/\r\ncontent-length: 0\r\n\r\n",
        "unreachable",
    ),
];

#[test]
fn whatever_is_said_instead_of_an_answer_nothing_is_lost() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("server"));
    let network = Proxy::start(server.address);
    let mut laptop = Machine::start(
        "laptop",
        &home.path().join("laptop"),
        live(&network.endpoint()),
    );
    let mut written = Vec::new();
    for (answer, code) in NO_ANSWERS {
        until("the last trouble is over", || {
            laptop.sync.sync_now(PATIENCE).end == SyncEnd::Synced
        });
        network.set(Mode::Say(answer));
        written.push(laptop.write());
        until("it is told", || {
            // The first may be about the connection that was cut.
            let outcome = laptop.sync.sync_now(PATIENCE);
            matches!(&outcome.end, SyncEnd::Failed(failure) if failure.code == code)
        });
        let status = laptop.replica.status().unwrap();
        assert_ne!((status.pending(), status.quarantined), (0, 1));
        network.set(Mode::Pass);
    }
    laptop.sync.sync_now(PATIENCE);
    let mut desktop = Machine::start(
        "desktop",
        &home.path().join("desktop"),
        live(&server.endpoint()),
    );
    until_equal(&mut [&mut laptop, &mut desktop]);
    assert_eq!(desktop.texts(), written);
    assert_eq!(laptop.replica.status().unwrap().quarantined, 0);
}

#[test]
fn a_server_that_asks_for_patience_is_not_asked_again_before() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("server"));
    let network = Proxy::start(server.address);
    network.set(Mode::Say(
        "HTTP/1.1 503 Service Unavailable\r\nretry-after: 20\r\ncontent-length: 0\r\n\r\n",
    ));
    let mut laptop = Machine::start(
        "laptop",
        &home.path().join("laptop"),
        live(&network.endpoint()),
    );
    until("it has asked", || {
        laptop.sync.status().phase == Phase::BackingOff
    });
    let asked = laptop.sync.status().traffic.calls;
    // A write alone is no reason to ask before.
    for _ in 0..5 {
        laptop.write();
    }
    let slow = laptop.sync.status();
    assert_eq!((slow.phase, slow.traffic.calls), (Phase::BackingOff, asked));
    // A person's wish is.
    network.set(Mode::Pass);
    until("it gets through", || {
        laptop.sync.sync_now(PATIENCE).end == SyncEnd::Synced
    });
}
