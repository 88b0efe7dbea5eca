//! Shapes of a log that is compacted beneath them.

use serde_json::json;
use syncline_store::control::Rights;

use super::{Shapes, column, shapes, shapes_with};
use crate::support::PATIENCE;

impl Shapes {
    /// Drops all that no row needs, and gives the floor.
    async fn compact(&self) -> u64 {
        let admin = self.server.token("acme", Rights::Admin);
        let now = json!({"retention_seconds": 0});
        let done = self.server.post("/api/admin/compact", &admin, now).await;
        done.expect(200)["floor"].as_u64().unwrap()
    }
}

#[tokio::test]
async fn who_is_below_the_floor_begins_anew_and_others_go_on() {
    let s = shapes().await;
    let one = s.thread("one", "p").await;
    let behind = s.follow("table=threads").await;
    s.rename(&one, "uno").await;
    let mut abreast = s.follow("table=threads").await;
    assert_eq!(abreast.handle, behind.handle);
    s.rename(&one, "due").await;
    abreast.catch_up().await;
    assert_eq!(column(&abreast, "name"), ["due"]);
    assert_eq!(s.compact().await, s.head().await);
    let told = s.ask(&behind.next()).await;
    let body = told.expect(409);
    assert_eq!(body, json!([{"headers": {"control": "must-refetch"}}]));
    let handle = told.header("electric-handle");
    assert_ne!(
        handle, behind.handle,
        "its first rows are not known any more"
    );
    // Its beginning is gone as well: whoever begins does so with another one.
    let old = format!("table=threads&handle={}&offset=0_0", behind.handle);
    s.ask(&old).await.expect(409);
    let anew = s.follow("table=threads").await;
    assert_eq!(anew.handle, handle);
    assert_eq!(column(&anew, "name"), ["due"]);
    let operations = anew
        .messages
        .iter()
        .filter(|message| message["key"].is_string());
    assert_eq!(
        operations.count(),
        1,
        "it is told as it is, without what it was"
    );
    // Who had read everything goes on, and hears what comes.
    s.rename(&one, "eins").await;
    let told = abreast.catch_up().await;
    assert_eq!(told[0]["value"]["name"], "eins");
}

#[tokio::test]
async fn who_waits_at_the_head_hears_what_comes_after_a_compaction() {
    let s = shapes().await;
    let one = s.thread("one", "p").await;
    s.follow("table=threads").await;
    s.rename(&one, "uno").await;
    s.rename(&one, "due").await;
    let follower = s.follow("table=threads").await;
    let live = format!("{}&live=true", follower.next());
    let head = s.head().await;
    let written = async {
        assert_eq!(s.compact().await, head);
        // Somebody else comes, where there is nothing before the head any more.
        tokio::join!(s.ask(&live), s.rename(&one, "eins")).0
    };
    let both = async { tokio::join!(s.ask(&live), written) };
    let (told, came) = tokio::time::timeout(PATIENCE / 2, both).await.unwrap();
    for told in [told, came] {
        assert_eq!(told.expect(200)[0]["value"]["name"], "eins");
    }
}

#[tokio::test]
async fn who_reads_a_beginning_that_is_gone_begins_anew() {
    let s = shapes_with(|config| config.shapes.chunk_bytes = 200).await;
    let one = s.thread("one", "p").await;
    s.thread("two", "p").await;
    let first = s.ask("table=threads&offset=-1").await;
    first.expect(200);
    assert!(
        !first.headers.contains_key("electric-up-to-date"),
        "it has more chunks than one"
    );
    s.rename(&one, "uno").await;
    s.rename(&one, "due").await;
    assert_eq!(s.compact().await, s.head().await);
    let (handle, offset) = (
        first.header("electric-handle"),
        first.header("electric-offset"),
    );
    let rest = format!("table=threads&handle={handle}&offset={offset}");
    s.ask(&rest).await.expect(409);
}
