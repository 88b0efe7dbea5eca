//! Lists: narrowed, ordered, page by page.

use reqwest::Method;
use serde_json::json;

use super::{App, LEDGER, ask, served};

#[tokio::test]
async fn a_list_is_narrowed_ordered_and_paged() {
    let (server, writer) = served().await;
    let notes: Vec<_> = (0..7)
        .map(|n| json!({"id": format!("n{n}"), "text": format!("t{}", n % 3), "place": n}))
        .collect();
    ask(
        &server,
        Method::POST,
        "/api/notes",
        &writer,
        Some(json!(notes)),
    )
    .await
    .expect(201);
    let ids = async |query: &str| {
        let listed = ask(
            &server,
            Method::GET,
            &format!("/api/notes?{query}"),
            &writer,
            None,
        )
        .await
        .expect(200);
        let ids = listed
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ids("text=t1").await, "n1 n4");
    assert_eq!(ids("place__gte=5").await, "n5 n6");
    assert_eq!(ids("id__in=n2,n6&order=-place").await, "n6 n2");
    assert_eq!(ids("order=text,-place&limit=3").await, "n6 n3 n0");
    let page = ask(
        &server,
        Method::GET,
        "/api/notes?order=-place&limit=4",
        &writer,
        None,
    )
    .await;
    let cursor = page.header("syncline-next-cursor").to_owned();
    assert_eq!(
        ids(&format!("order=-place&limit=4&cursor={cursor}")).await,
        "n2 n1 n0"
    );
    for (query, field) in [
        ("nothing=1", "nothing"),
        ("place=x", "place"),
        ("place__near=1", "place__near"),
        ("limit=0", "limit"),
        ("cursor=zz", "cursor"),
        ("cursor=5b5d", "cursor"),
        ("order=nothing", "nothing"),
    ] {
        let path = format!("/api/notes?{query}");
        let refused = ask(&server, Method::GET, &path, &writer, None).await;
        let refused = refused.refused(422, "invalid_field");
        assert_eq!(refused["error"]["details"]["field"], field, "{query}");
    }
}

#[tokio::test]
async fn a_page_is_turned_though_it_is_ordered_by_long_texts() {
    let app = App::of(LEDGER).await;
    let ada = app.token("ada");
    let people: Vec<_> = (0..3)
        .map(|n| json!({"id": format!("p{n}"), "name": "n", "diary": "d".repeat(90_000)}))
        .collect();
    for person in people {
        app.post(&ada, "/api/people", person).await.expect(201);
    }
    let mut cursor = String::new();
    for n in 0..3 {
        let path = format!("/api/people?order=diary&limit=1{cursor}");
        let reply = app.get(&ada, &path).await;
        assert_eq!(reply.expect(200)[0]["id"], format!("p{n}"));
        cursor = format!("&cursor={}", reply.header("syncline-next-cursor"));
        assert!(cursor.len() < 1_000, "{}", cursor.len());
    }
}

#[tokio::test]
async fn more_conditions_than_a_list_takes_are_refused_as_such() {
    let app = App::of(LEDGER).await;
    let ada = app.token("ada");
    for query in [
        ["name=x"; 101].join("&"),
        format!("order={}", ["name"; 17].join(",")),
        format!("id__in={}", ["x"; 1_001].join(",")),
    ] {
        let reply = app.get(&ada, &format!("/api/people?{query}")).await;
        reply.refused(422, "invalid_field");
    }
    for query in [
        ["name=x"; 100].join("&"),
        format!("order={}", ["-name"; 16].join(",")),
        format!("id__in={}", ["some-id-of-40-characters"; 1_000].join(",")),
    ] {
        let reply = app.get(&ada, &format!("/api/people?{query}")).await;
        reply.expect(200);
    }
}

#[tokio::test]
async fn pages_hold_each_record_once_though_others_write_meanwhile() {
    let app = App::of(LEDGER).await;
    let ada = app.token("ada");
    let people: Vec<_> = (0..20)
        .map(|n| json!({"id": format!("p{n:02}"), "name": format!("n{}", n % 4)}))
        .collect();
    app.post(&ada, "/api/people", json!(people))
        .await
        .expect(201);
    let mut seen = Vec::new();
    let mut cursor = String::new();
    for page in 0.. {
        let query = format!("/api/people?order=-name&limit=3{cursor}");
        let reply = app.get(&ada, &query).await;
        let rows = reply.expect(200);
        let rows = rows.as_array().unwrap();
        seen.extend(
            rows.iter()
                .map(|row| row["id"].as_str().unwrap().to_owned()),
        );
        match reply.header("syncline-next-cursor") {
            "" => break,
            next => cursor = format!("&cursor={next}"),
        }
        // One comes before the place, and the one that ends the page goes.
        let new = json!({"id": format!("new{page}"), "name": "zz"});
        app.post(&ada, "/api/people", new).await.expect(201);
        let last = seen.last().unwrap();
        app.delete(&ada, &format!("/api/people/{last}")).await;
    }
    seen.sort();
    let all: Vec<_> = (0..20).map(|n| format!("p{n:02}")).collect();
    assert_eq!(seen, all);
}
