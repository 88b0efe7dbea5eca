//! Snapshots, and what becomes of their rows.

use serde_json::json;

use super::{column, shapes, shapes_with};

#[tokio::test]
async fn a_shape_begins_with_its_rows_and_goes_on_with_what_becomes_of_them() {
    let s = shapes().await;
    let one = s.thread("one", "p").await;
    let first = s.ask("table=threads&offset=-1").await;
    let messages = first.expect(200);
    assert_eq!(
        messages[0]["key"],
        format!("\"public\".\"threads\"/\"{one}\"")
    );
    assert_eq!(messages[0]["value"]["name"], "one");
    assert_eq!(messages[0]["value"]["entry_count"], "1");
    assert_eq!(
        messages[0]["headers"],
        json!({"operation": "insert", "relation": ["public", "threads"]})
    );
    let end = &messages[1]["headers"];
    let next = json!((s.head().await + 1).to_string());
    assert_eq!(
        (&end["control"], &end["xmin"], &end["xmax"]),
        (&json!("snapshot-end"), &next, &next)
    );
    assert_eq!(end["xip_list"], json!([]));
    assert_eq!(first.header("electric-offset"), "0_0");
    assert!(!first.headers.contains_key("electric-up-to-date"));
    let schema: serde_json::Value = serde_json::from_str(first.header("electric-schema")).unwrap();
    assert_eq!(
        schema["thread_id"],
        json!({"type": "text", "pk_index": 0, "not_null": true})
    );
    assert_eq!(schema["entry_count"]["type"], "int8");

    let mut follower = s.follow("table=threads").await;
    assert_eq!(follower.offset, "0_inf");
    let two = s.thread("two", "p").await;
    s.rename(&one, "uno").await;
    let changes = follower.catch_up().await;
    let told: Vec<_> = changes
        .iter()
        .map(|change| (&change["headers"]["operation"], &change["value"]["name"]))
        .collect();
    assert_eq!(told[0], (&json!("insert"), &json!("two")));
    assert_eq!(told.last().unwrap(), &(&json!("update"), &json!("uno")));
    let last = changes.last().unwrap();
    let seq = last["headers"]["txids"][0].as_u64().unwrap();
    assert_eq!(last["headers"]["lsn"], seq.to_string());
    assert_eq!(last["headers"]["last"], true);
    assert_eq!(last["headers"]["op_position"], 0);
    // The row of the op is the lower half of what follows its place.
    let (place, row) = follower.offset.split_once('_').unwrap();
    let row: u64 = row.parse().unwrap();
    assert_eq!((place, row as u32), (&*seq.to_string(), 0));
    s.remove(&two).await;
    let changes = follower.catch_up().await;
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0]["headers"]["operation"], "delete");
    assert_eq!(changes[0]["value"], json!({"thread_id": two}));
    assert_eq!(column(&follower, "name"), ["uno"]);
}

#[tokio::test]
async fn a_snapshot_stays_what_it_was() {
    let s = shapes().await;
    let one = s.thread("one", "p").await;
    let before = s.ask("table=threads&offset=-1").await;
    s.thread("two", "p").await;
    s.rename(&one, "uno").await;
    s.thread("three", "p").await;
    let after = s.ask("table=threads&offset=-1").await;
    assert_eq!(before.text, after.text);
    assert_eq!(before.header("etag"), after.header("etag"));
    let follower = s.follow("table=threads").await;
    assert_eq!(column(&follower, "name").len(), 3);
    // A shape of another definition begins with the rows as they are.
    let other = s.follow("table=threads&columns=thread_id,name").await;
    let mut names = column(&other, "name");
    names.sort();
    assert_eq!(names, ["three", "two", "uno"]);
}

#[tokio::test]
async fn what_is_erased_is_in_no_snapshot_any_more() {
    let s = shapes().await;
    let one = s.thread("one", "p").await;
    let mut follower = s.follow("table=entries").await;
    assert_eq!(column(&follower, "content"), ["of one"]);
    s.remove(&one).await;
    assert!(
        !s.ask("table=entries&offset=-1")
            .await
            .text
            .contains("of one")
    );
    let gone = follower.catch_up().await;
    assert_eq!(gone[0]["headers"]["operation"], "delete");
    assert!(column(&follower, "content").is_empty());
}

#[tokio::test]
async fn rows_enter_and_leave_by_what_the_filter_says_of_them() {
    let s = shapes().await;
    let one = s.thread("alpha", "p").await;
    s.thread("beta", "p").await;
    let query = "table=threads&where=name%20LIKE%20%27a%25%27";
    let mut follower = s.follow(query).await;
    assert_eq!(column(&follower, "name"), ["alpha"]);
    s.rename(&one, "gamma").await;
    let gone = follower.catch_up().await;
    assert_eq!(gone[0]["headers"]["operation"], "delete");
    s.rename(&one, "aleph").await;
    let back = follower.catch_up().await;
    assert_eq!(back[0]["headers"]["operation"], "insert");
    assert_eq!(
        back[0]["value"]["project"], "p",
        "a row that enters comes whole"
    );
    assert_eq!(column(&follower, "name"), ["aleph"]);
    let by_parameter = s
        .follow("table=threads&where=name%20=%20$1&params[1]=beta")
        .await;
    assert_eq!(column(&by_parameter, "name"), ["beta"]);
}

#[tokio::test]
async fn updates_hold_what_changed_or_the_whole_row() {
    let s = shapes().await;
    let one = s.thread("one", "p").await;
    let mut short = s
        .follow("table=threads&columns=thread_id,name,project")
        .await;
    let mut full = s
        .follow("table=threads&columns=thread_id,name,project&replica=full")
        .await;
    assert_ne!(short.handle, full.handle);
    s.rename(&one, "uno").await;
    let update = short.catch_up().await;
    assert_eq!(update[0]["value"], json!({"thread_id": one, "name": "uno"}));
    let update = full.catch_up().await;
    assert_eq!(
        update[0]["value"],
        json!({"thread_id": one, "name": "uno", "project": "p"})
    );
    assert_eq!(update[0]["old_value"], json!({"name": "one"}));
    s.remove(&one).await;
    let gone = full.catch_up().await;
    assert_eq!(
        gone[0]["value"],
        json!({"thread_id": one}),
        "nothing of what was erased is told"
    );
}

#[tokio::test]
async fn chunks_end_by_bytes_and_stay_the_same() {
    let s = shapes_with(|config| config.shapes.chunk_bytes = 600).await;
    for n in 0..7 {
        s.thread(&format!("thread {n}"), "p").await;
    }
    let first = s.ask("table=threads&offset=-1").await;
    assert_eq!(first.header("electric-offset"), "0_0");
    assert!(!first.text.contains("snapshot-end"), "{}", first.text);
    let handle = first.header("electric-handle");
    let next = format!("table=threads&handle={handle}&offset=0_0");
    let second = s.ask(&next).await;
    assert_eq!(second.header("electric-offset"), "0_1");
    s.thread("later", "p").await;
    assert_eq!(s.ask(&next).await.text, second.text);
    assert_eq!(s.ask(&next).await.header("etag"), second.header("etag"));
    let follower = s.follow("table=threads").await;
    assert_eq!(follower.rows().len(), 8);
    let controls = follower
        .messages
        .iter()
        .filter(|m| m["headers"]["control"] == "snapshot-end");
    assert_eq!(controls.count(), 1);
}

#[tokio::test]
async fn a_log_without_its_rows_begins_now() {
    let s = shapes().await;
    s.thread("one", "p").await;
    let first = s.ask("table=threads&offset=-1&log=changes_only").await;
    let messages = first.expect(200);
    assert_eq!(messages.as_array().unwrap().len(), 1);
    assert_eq!(messages[0]["headers"]["control"], "snapshot-end");
    let mut follower = s.follow("table=threads&log=changes_only").await;
    s.thread("two", "p").await;
    assert_eq!(follower.catch_up().await[0]["value"]["name"], "two");
    let now = s.ask("table=threads&offset=now").await;
    let messages = now.expect(200);
    assert_eq!(messages[0]["headers"]["control"], "up-to-date");
    assert_eq!(now.header("electric-has-data"), "false");
    assert!(now.headers.contains_key("electric-up-to-date"));
}

#[tokio::test]
async fn every_view_of_a_query_is_a_table() {
    let s = shapes().await;
    s.thread("one", "p").await;
    let list = json!({"title": "Groceries"});
    let made = s.server.post("/api/lists", &s.token, list).await;
    assert!(made.status.is_success(), "{}", made.text);
    let list = made.json()["list_id"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    for table in [
        "threads", "entries", "sessions", "messages", "tools", "lists", "items",
    ] {
        let mut follower = s.follow(&format!("table={table}")).await;
        assert!(follower.catch_up().await.is_empty(), "{table}");
    }
    let mut items = s.follow("table=items").await;
    let mut lists = s.follow("table=lists").await;
    for text in ["milk", "bread"] {
        let path = format!("/api/lists/{list}/items");
        let added = s.server.post(&path, &s.token, json!({"text": text})).await;
        assert!(added.status.is_success(), "{}", added.text);
    }
    items.catch_up().await;
    lists.catch_up().await;
    let mut shown = column(&items, "text");
    shown.sort();
    assert_eq!(shown, ["bread", "milk"]);
    assert_eq!(column(&lists, "item_count"), ["2"]);
    assert_eq!(column(&lists, "title"), ["Groceries"]);
    let entries = s.follow("table=entries").await;
    assert_eq!(column(&entries, "content"), ["of one"]);
}

#[tokio::test]
async fn shapes_outlive_the_server() {
    let s = shapes().await;
    s.thread("one", "p").await;
    let follower = s.follow("table=threads").await;
    let (handle, offset) = (follower.handle.clone(), follower.offset.clone());
    s.thread("two", "p").await;
    let token = s.token.clone();
    let data = s.server.stop().await;
    let server = crate::support::start_on(data, |_| {}).await;
    let path = format!("/v1/shape?table=threads&handle={handle}&offset={offset}");
    let told = server.get(&path, &token).await.expect(200);
    assert_eq!(told[0]["value"]["name"], "two");
}

/// What is larger than a piece is sent as it is read, and each piece is packed as it comes.
#[tokio::test]
async fn a_snapshot_of_several_pieces_is_the_same_compressed_and_plain() {
    let s = shapes().await;
    for n in 0..3 {
        let entry = |m: usize| {
            let id = format!("00000000-0000-4000-8000-{:012x}", n * 100 + m);
            let content: String = (0..9_000)
                .map(|k| (k * (m + 2) % 977).to_string())
                .collect();
            json!({"entry_id": id, "sequence_id": m, "author": "ada",
                "timestamp": "2026-01-01T00:00:00.000Z", "content": content})
        };
        let entries: Vec<_> = (0..12).map(entry).collect();
        let thread = json!({"thread_id": format!("t{n}"), "project_id": "p", "name": "n",
            "entries": entries});
        let made = s.server.post("/api/threads/sync", &s.token, thread).await;
        made.expect(200);
    }
    let path = "/v1/shape?table=entries&offset=-1";
    let ask = |coding: &str| {
        let request = s.server.request(reqwest::Method::GET, path, &s.token);
        request.header("accept-encoding", coding).send()
    };
    let plain = ask("identity").await.unwrap();
    assert!(!plain.headers().contains_key("content-encoding"));
    let plain = plain.bytes().await.unwrap();
    assert!(plain.len() > 512 << 10, "{} bytes", plain.len());
    let packed = ask("gzip").await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let packed = packed.bytes().await.unwrap();
    assert!(packed.len() < plain.len());
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(
        &mut flate2::read::GzDecoder::new(&packed[..]),
        &mut unpacked,
    )
    .unwrap();
    assert!(unpacked == plain, "the same bytes");
    let messages: Vec<serde_json::Value> = serde_json::from_slice(&plain).unwrap();
    assert_eq!(messages.len(), 37);
}
