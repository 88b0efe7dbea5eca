//! The loop against a server that answers as it is told.

use std::time::Duration;

use serde_json::json;
use syncline_replica::{Replica, ReplicaOptions};

use crate::scripted::{Reaction, Scripted, answer};
use crate::{Delivery, Remote, SyncEnd, sync_once};

/// What nothing here takes, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A page without ops, up to a place.
fn page(place: u64) -> String {
    json!({
        "epoch": "01900000-0000-7000-8000-000000000001", "floor": 0, "ops": [], "serverSeq": place,
        "cursor": {"serverSeq": place, "mark": "07".repeat(16)}, "hasMore": false,
    })
    .to_string()
}

#[test]
fn who_waits_for_a_replica_that_finds_its_way_back_without_a_failure_waits_for_its_end() {
    let mut pulls = 0;
    let server = Scripted::start(move |seen| {
        let body = if seen.line.contains("/sync/pull") {
            pulls += 1;
            // The first lacks an op: the log is fetched anew, after a pause as it is the second time.
            page(u64::from(pulls == 1))
        } else {
            json!({"tenant": "t", "user": "ada", "rights": "sync"}).to_string()
        };
        Reaction::Answer(answer("200 OK", body.as_bytes()))
    });
    let home = tempfile::tempdir().unwrap();
    let replica = Replica::open(home.path(), ReplicaOptions::default()).unwrap();
    let remote = Remote {
        endpoint: server.endpoint.clone(),
        token: None,
        delivery: Delivery::Live {
            interval: Duration::from_secs(30),
        },
    };
    let (_, outcome) = sync_once(replica, remote, PATIENCE).unwrap();
    let calls: Vec<_> = server.seen.try_iter().map(|seen| seen.line).collect();
    assert_eq!(outcome.end, SyncEnd::Synced, "{calls:#?}");
}
