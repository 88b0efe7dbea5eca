//! Parts of a shape that are asked for by themselves.

use serde_json::{Value, json};

use super::shapes;

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
    assert_eq!(got.header("electric-offset"), format!("{head}_inf"));
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
