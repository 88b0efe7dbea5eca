//! Parts of a shape that are asked for by themselves.

use serde_json::{Value, json};

use super::{shapes, shapes_with};

fn names(body: &Value) -> Vec<&str> {
    let rows = body["data"].as_array().unwrap();
    rows.iter()
        .map(|row| row["value"]["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_subset_is_the_rows_as_they_are_by_get_and_by_post() {
    let s = shapes().await;
    for key in ["delta", "alpha", "charlie", "bravo"] {
        s.thread(key, "p").await;
    }
    let base = "table=threads&offset=now&log=changes_only";
    let now = s.ask(base).await;
    let handle = now.header("electric-handle");
    let base = format!("table=threads&log=changes_only&offset=0_inf&handle={handle}");
    s.thread("echo", "q").await;
    let subset = "subset__where=project%20=%20$1&subset__params=%7B%221%22:%22p%22%7D\
         &subset__order_by=name%20DESC&subset__limit=2&subset__offset=1";
    let got = s.ask(&format!("{base}&{subset}")).await;
    let body = got.expect(200);
    let head = s.head().await;
    let next = json!((head + 1).to_string());
    assert_eq!(names(&body), ["charlie", "bravo"]);
    assert_eq!(got.header("electric-snapshot"), "true");
    assert_eq!(got.header("cache-control"), "no-cache");
    assert_eq!(got.header("electric-handle"), handle);
    let (place, row) = got.header("electric-offset").split_once('_').unwrap();
    let row: u64 = row.parse().unwrap();
    assert_eq!((place, row as u32), (&*head.to_string(), u32::MAX));
    let metadata = &body["metadata"];
    assert_eq!((&metadata["xmin"], &metadata["xmax"]), (&next, &next));
    assert_eq!(metadata["database_lsn"], head.to_string());
    assert_eq!(
        body["data"][0]["headers"]["snapshot_mark"],
        metadata["snapshot_mark"]
    );

    let asked = json!({"where": "project = $1", "params": {"1": "p"}, "order_by": "name",
        "limit": 1, "where_expr": {}, "order_by_expr": []});
    for body in [asked.clone(), json!({"subset": asked})] {
        let posted = s
            .server
            .post(&format!("/v1/shape?{base}"), &s.token, body)
            .await;
        assert_eq!(names(&posted.expect(200)), ["alpha"]);
        assert_eq!(posted.header("cache-control"), "no-cache");
    }
    let all = s.ask(&format!("{base}&subset__where=true")).await;
    assert_eq!(names(&all.expect(200)).len(), 5);
}

#[tokio::test]
async fn a_subset_that_can_t_be_told_says_why() {
    let s = shapes().await;
    let base = "table=threads&offset=now&log=changes_only";
    for (subset, parameter) in [
        ("subset__limit=2", "order_by"),
        ("subset__limit=0&subset__order_by=name", "limit"),
        ("subset__order_by=lower(name)", "order_by"),
        ("subset__order_by=name;drop", "order_by"),
        ("subset__order_by=name::int", "order_by"),
        ("subset__order_by=(SELECT%201)", "order_by"),
        ("subset__order_by=nothing", "order_by"),
        ("subset__where=nothing%20=%201", "where"),
        (
            "subset__where=name%20=%20$2&subset__params=%5B%5D",
            "params",
        ),
    ] {
        let body = s.ask(&format!("{base}&{subset}")).await.expect(400);
        assert!(
            body["errors"]["subset"][parameter].is_array(),
            "{subset}: {body}"
        );
    }
    let path = format!("/v1/shape?{base}");
    let broken = s.server.post_bytes(&path, &s.token, "{").await.expect(400);
    assert_eq!(broken["error"], "Invalid JSON in request body");
    let list = s.server.post(&path, &s.token, json!([])).await.expect(400);
    assert_eq!(list["error"], "Request body must be a JSON object");
    let large = s
        .server
        .post(&path, &s.token, json!({"where": "x".repeat(70_000)}))
        .await;
    assert_eq!(large.status, 413);
}

#[tokio::test]
async fn what_is_not_queryable_is_asked_by_in_no_part_of_a_subset() {
    let s = shapes().await;
    s.thread("one", "p").await;
    let base = "table=threads&offset=now&log=changes_only&queryable_columns=thread_id,name";
    for (asked, parameter) in [
        ("subset__where=project%20=%20%27p%27", "where"),
        ("subset__where=threads.project%20=%20%27p%27", "where"),
        (
            "subset__where=name%20=%20%27x%27%20OR%20%22project%22%20LIKE%20%27p%25%27",
            "where",
        ),
        ("subset__order_by=project", "order_by"),
        (
            "subset__where=true&subset__order_by=name,project%20DESC",
            "order_by",
        ),
    ] {
        let body = s.ask(&format!("{base}&{asked}")).await.expect(400);
        assert!(
            body["errors"]["subset"][parameter].is_array(),
            "{asked}: {body}"
        );
    }
    let asked = json!({"where": "project = 'p'"});
    let path = format!("/v1/shape?{base}");
    s.server.post(&path, &s.token, asked).await.expect(400);
    let other = s.ask("table=threads&offset=-1&queryable_columns=thread_id&columns=thread_id,name");
    let other = other.await.expect(400);
    assert!(other["errors"]["columns"].is_array(), "{other}");
    // Who says which columns there are says by which the shape itself is narrowed.
    let narrowed = format!("{base}&where=project%20=%20%27p%27&subset__where=name%20=%20%27one%27");
    let body = s.ask(&narrowed).await.expect(200);
    assert_eq!(names(&body), ["one"]);
    assert_eq!(
        body["data"][0]["value"].as_object().unwrap().len(),
        2,
        "{body}"
    );
}

#[tokio::test]
async fn a_subset_that_is_larger_than_one_answer_is_refused() {
    let s = shapes_with(|config| config.shapes.subset_bytes = 2_000).await;
    for n in 0..12 {
        s.thread(&format!("thread-{n}"), "p").await;
    }
    let base = "table=threads&offset=now&log=changes_only";
    for asked in [
        "subset__where=true",
        "subset__where=true&subset__order_by=name",
        "subset__where=true&subset__order_by=name&subset__limit=11",
    ] {
        let body = s.ask(&format!("{base}&{asked}")).await.expect(400);
        let message = body["errors"]["subset"]["where"][0].as_str().unwrap();
        assert!(message.contains("2000 bytes"), "{asked}: {body}");
    }
    let few = "subset__where=name%20=%20%27thread-3%27&subset__order_by=name";
    let body = s.ask(&format!("{base}&{few}")).await.expect(200);
    assert_eq!(names(&body), ["thread-3"]);
}

#[tokio::test]
async fn a_subset_is_told_up_to_the_bytes_that_its_refusal_names() {
    let query = "table=threads&offset=now&log=changes_only&subset__where=true\
         &subset__order_by=name&subset__limit=12";
    let ask = async |bytes| {
        let s = shapes_with(|config| config.shapes.subset_bytes = bytes).await;
        for n in 0..40 {
            s.thread(&format!("thread-{n:02}"), "p").await;
        }
        s.ask(query).await
    };
    let told = ask(1 << 20).await;
    assert_eq!(names(&told.expect(200)).len(), 12);
    // Marks and times have some digits more or less.
    let slack = 12 * 20;
    ask(told.text.len() + slack).await.expect(200);
    let bytes = told.text.len() - 2 * slack;
    let refused = ask(bytes).await.expect(400);
    let message = refused["errors"]["subset"]["where"][0].as_str().unwrap();
    assert!(
        message.contains(&format!("more than {bytes} bytes")),
        "{message}"
    );
}

#[tokio::test]
async fn the_first_rows_of_a_table_that_is_larger_than_one_answer_are_told() {
    let s = shapes_with(|config| config.shapes.subset_bytes = 8_000).await;
    for n in 0..40 {
        s.thread(&format!("thread-{n:02}"), "p").await;
    }
    let base = "table=threads&offset=now&log=changes_only&subset__limit=1";
    for (order, offset, name) in [("ASC", 0, "thread-00"), ("DESC", 1, "thread-38")] {
        let first =
            format!("subset__where=true&subset__order_by=name%20{order}&subset__offset={offset}");
        let body = s.ask(&format!("{base}&{first}")).await.expect(200);
        assert_eq!(names(&body), [name]);
    }
}

#[tokio::test]
async fn rows_that_are_wider_than_what_is_shown_of_them_are_held_within_the_bound_too() {
    let query = "table=threads&columns=thread_id&offset=now&log=changes_only&subset__where=true\
         &subset__order_by=thread_id&subset__limit=";
    let ask = async |bytes, limit| {
        let s = shapes_with(|config| config.shapes.subset_bytes = bytes).await;
        for n in 0..8 {
            s.thread(&n.to_string(), &"😀".repeat(128)).await;
        }
        s.ask(&format!("{query}{limit}")).await
    };
    let whole = ask(1 << 20, 8).await;
    assert_eq!(whole.expect(200)["data"].as_array().unwrap().len(), 8);
    let bytes = whole.text.len();
    ask(bytes, 1).await.expect(200);
    ask(bytes, 8).await.expect(400);
}
