//! A daemon that syncs.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use syncline_client::{Delivery, Remote, SyncEnd, SyncSettings, sync_once};
use syncline_daemon::{Config, Followed, Settings};
use syncline_model::{Payload, ResourceId, Scope};
use syncline_replica::{NewOp, OpState, Replica, ReplicaOptions};
use syncline_server::{AuthMode, Exposure, ServeConfig};

use crate::house::{Home, PATIENCE, Running, until};

/// Starts a server that ends with the process of the test; gives its endpoint.
fn serve(data: &Path) -> String {
    let config = ServeConfig::new(
        data,
        AuthMode::None {
            exposure: Exposure::LoopbackOnly,
        },
    );
    let (ready, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            ready.send(listener.local_addr().unwrap()).unwrap();
            syncline_server::serve(config, listener, std::future::pending())
                .await
                .unwrap();
        });
    });
    format!("http://{}", address.recv().unwrap())
}

fn remote(endpoint: &str) -> Result<Remote, Box<dyn std::error::Error + Send + Sync>> {
    let delivery = Delivery::Live {
        interval: Duration::from_secs(30),
    };
    Ok(Remote {
        endpoint: endpoint.parse()?,
        token: None,
        delivery,
    })
}

/// A daemon that follows a file which holds the endpoint, or is not there.
fn following(home: &Home) -> Config {
    let file = home.path("endpoint");
    let files = vec![file.clone()];
    let read = move || match std::fs::read_to_string(&file) {
        Ok(endpoint) => Ok(Settings {
            sync: SyncSettings::On(remote(&endpoint)?),
            ..Settings::off()
        }),
        Err(_) => Ok(Settings::off()),
    };
    Config {
        followed: Followed {
            files,
            read: Box::new(read),
        },
        ..home.config()
    }
}

/// Writes as a command does, in the daemon's replica; gives the op's state whenever asked.
fn write(home: &Home, text: &str) -> impl FnMut() -> OpState {
    let mut replica = Replica::open(&home.path("replica"), ReplicaOptions::default()).unwrap();
    let op = NewOp {
        scope: Scope::new("note").unwrap(),
        resource: ResourceId::new("one").unwrap(),
        payload: Payload::parse(&json!({ "text": text }).to_string()).unwrap(),
    };
    let key = replica.write(&[op]).unwrap().keys.remove(0);
    move || {
        replica.look().unwrap();
        replica.state_of(&key).unwrap()
    }
}

#[test]
fn a_write_that_the_daemon_is_told_of_is_synced() {
    let home = Home::new();
    std::fs::write(home.path("endpoint"), serve(&home.path("server"))).unwrap();
    let daemon = Running::start(following(&home));
    let mut state = write(&home, "told");
    let outcome = daemon
        .call("sync.now", json!({ "timeout_ms": 20_000 }))
        .unwrap();
    assert_eq!(
        (&outcome["state"], &outcome["pending"]),
        (&json!("synced"), &json!(0))
    );
    assert!(matches!(state(), OpState::Pulled(_)));
    daemon.call("sync.wake", Value::Null).unwrap();
    let status = daemon.call("sync.status", Value::Null).unwrap();
    assert_eq!(
        (&status["phase"], &status["error"]),
        (&json!("live"), &Value::Null)
    );
    daemon.signal();
}

#[test]
fn a_write_that_nobody_tells_of_is_noticed() {
    let home = Home::new();
    std::fs::write(home.path("endpoint"), serve(&home.path("server"))).unwrap();
    let daemon = Running::start(following(&home));
    let mut state = write(&home, "untold");
    until("it is synced", || matches!(state(), OpState::Pulled(_)));
    daemon.signal();
}

#[test]
fn changed_settings_count_without_a_restart() {
    let home = Home::new();
    let daemon = Running::start(following(&home));
    let mut state = write(&home, "early");
    let off = daemon.call("sync.now", Value::Null).unwrap();
    assert_eq!((&off["state"], state()), (&json!("off"), OpState::Pending));
    std::fs::write(home.path("endpoint"), serve(&home.path("server"))).unwrap();
    // Nobody tells the daemon.
    until("it is synced", || matches!(state(), OpState::Pulled(_)));
    std::fs::remove_file(home.path("endpoint")).unwrap();
    daemon.call("sync.wake", Value::Null).unwrap();
    until("it is off again", || {
        daemon.call("sync.status", Value::Null).unwrap()["phase"] == "off"
    });
    daemon.signal();
}

#[test]
fn what_was_written_before_the_daemon_ended_is_pushed_by_whoever_comes_next() {
    let home = Home::new();
    let endpoint = serve(&home.path("server"));
    let daemon = Running::start(following(&home));
    let mut state = write(&home, "late");
    daemon.signal();
    assert_eq!(state(), OpState::Pending);
    let replica = Replica::open(&home.path("replica"), ReplicaOptions::default()).unwrap();
    let (_, outcome) = sync_once(replica, remote(&endpoint).unwrap(), PATIENCE).unwrap();
    assert_eq!((outcome.end, outcome.pending), (SyncEnd::Synced, 0));
    assert!(matches!(state(), OpState::Pulled(_)));
}
