use reqwest::Method;
use serde_json::json;
use syncline_store::control::Rights;

use crate::support::{Reply, TestServer, push_of, start};

pub(crate) async fn reset(
    server: &TestServer,
    token: &str,
    if_match: Option<&str>,
    confirm: &str,
) -> Reply {
    let mut request = server
        .request(Method::POST, "/sync/reset", token)
        .json(&json!({"confirm": confirm}));
    if let Some(epoch) = if_match {
        request = request.header("if-match", epoch);
    }
    Reply::of(request).await
}

#[tokio::test]
async fn a_reset_begins_an_empty_epoch_whose_parent_replicas_follow() {
    let server = start().await;
    let token = server.token("acme", Rights::Admin);
    let before = server
        .post("/sync/push", &token, push_of("a", 1..=3))
        .await
        .expect(200);
    let old = before["epoch"].as_str().unwrap();
    let page = server.get("/sync/pull", &token).await.expect(200);
    let answer = reset(&server, &token, Some(&format!("\"{old}\"")), "acme")
        .await
        .expect(200);
    assert_ne!(answer["epoch"], before["epoch"]);
    assert_eq!(answer["serverSeq"], 0);

    let stale = server.get(&format!("/sync/pull?epoch={old}"), &token).await;
    let details = &stale.refused(409, "epoch_changed")["error"]["details"];
    assert_eq!(details["epoch"], answer["epoch"]);
    assert_eq!(details["parent"]["epoch"], before["epoch"]);
    assert_eq!(details["parent"]["mode"], "follow");
    let empty = server.get("/sync/pull", &token).await.expect(200);
    assert_eq!(empty["ops"], json!([]));
    assert_ne!(empty["cursor"]["mark"], page["cursor"]["mark"]);
    // Place 0 has a new random mark: no old cursor verifies.
    let first = server
        .post("/sync/push", &token, push_of("a", [4]))
        .await
        .expect(200);
    assert_eq!(first["serverSeq"], 1);
}

#[tokio::test]
async fn a_reset_is_made_sure_of() {
    let server = start().await;
    let token = server.token("acme", Rights::Admin);
    let before = server
        .post("/sync/push", &token, push_of("a", [1]))
        .await
        .expect(200);
    let good = format!("\"{}\"", before["epoch"].as_str().unwrap());
    let other = "\"00000000-0000-4000-8000-000000000000\"";

    reset(&server, &token, None, "acme")
        .await
        .refused(428, "precondition_required");
    for wrong in [other, "*", "nonsense", good.trim_matches('"')] {
        let refused = reset(&server, &token, Some(wrong), "acme").await;
        refused.refused(412, "precondition_failed");
    }
    reset(&server, &token, Some(&good), "umbrella")
        .await
        .refused(422, "invalid_field");
    let page = server.get("/sync/pull", &token).await.expect(200);
    assert_eq!(page["serverSeq"], 1, "nothing was reset");

    reset(&server, &token, Some(&good), "acme")
        .await
        .expect(200);
    let again = reset(&server, &token, Some(&good), "acme").await;
    again.refused(412, "precondition_failed");
}

/// Whether an op belongs to an epoch is asked where it takes its place, not before.
#[tokio::test]
async fn of_pushes_beside_a_reset_none_enters_the_epoch_that_it_does_not_name() {
    let server = start().await;
    let token = server.token("acme", Rights::Admin);
    let first = push_of("a", [1]);
    let before = server.post("/sync/push", &token, first).await.expect(200);
    let old = before["epoch"].as_str().unwrap();
    let pushes = (0..40).map(|client| {
        let mut body = push_of(&format!("b{client}"), 1..=5);
        body["epoch"] = old.into();
        server.post("/sync/push", &token, body)
    });
    let tag = format!("\"{old}\"");
    let resetting = reset(&server, &token, Some(&tag), "acme");
    let (replies, reset) = tokio::join!(futures_util::future::join_all(pushes), resetting);
    reset.expect(200);
    for reply in replies {
        if reply.status != 200 {
            reply.refused(409, "epoch_changed");
        }
    }
    let after = server.get("/sync/pull", &token).await.expect(200);
    assert_ne!(after["epoch"], before["epoch"]);
    assert_eq!(after["ops"], json!([]));
}

/// The epoch that a page names and the ops that it holds are read together.
#[tokio::test]
async fn of_pages_beside_a_reset_none_names_one_epoch_and_holds_another() {
    let server = start().await;
    let token = server.token("acme", Rights::Admin);
    let three = push_of("a", 1..=3);
    let before = server.post("/sync/push", &token, three).await.expect(200);
    let tag = format!("\"{}\"", before["epoch"].as_str().unwrap());
    let paths = ["/sync/pull", "/sync/bootstrap"];
    let pages = (0..40).map(|n| server.get(paths[n % 2], &token));
    let resetting = reset(&server, &token, Some(&tag), "acme");
    let (pages, reset) = tokio::join!(futures_util::future::join_all(pages), resetting);
    let reset = reset.expect(200);
    for page in pages {
        let page = page.expect(200);
        let is_former = page["epoch"] == before["epoch"];
        assert!(is_former || page["epoch"] == reset["epoch"], "{page}");
        let ops = if is_former { 3 } else { 0 };
        assert_eq!(page["ops"].as_array().unwrap().len(), ops);
        assert_eq!(page["cursor"]["serverSeq"], ops);
        assert_eq!(page["serverSeq"], ops);
    }
}
