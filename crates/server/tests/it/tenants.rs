use reqwest::Method;
use syncline_store::control::Rights;
use tokio::time::timeout;

use crate::support::{PATIENCE, push_of, start_with};

#[tokio::test]
async fn many_tenants_take_turns_in_few_open_files() {
    let server = start_with(|config| config.tenants_open_max = 3).await;
    let tokens: Vec<_> = (0..10)
        .map(|n| server.token(&format!("t{n}"), Rights::Sync))
        .collect();
    // A stream holds no file, and hears of its tenant's ops also when that was closed meanwhile.
    let request = server.request(Method::GET, "/sync/stream", &tokens[0]);
    let mut stream = request.send().await.unwrap();
    for round in 1..=3 {
        for token in &tokens {
            let answer = server
                .post("/sync/push", token, push_of("a", [round]))
                .await
                .expect(200);
            assert_eq!(answer["serverSeq"], round);
        }
    }
    let metrics = server.metrics().await;
    let line = metrics
        .lines()
        .find(|line| line.starts_with("syncline_tenants_open "))
        .unwrap();
    let open: u64 = line.rsplit_once(' ').unwrap().1.parse().unwrap();
    assert!((1..=3).contains(&open), "{line}");

    let mut heard = String::new();
    while !heard.contains("id: 3-") {
        let chunk = timeout(PATIENCE, stream.chunk())
            .await
            .expect("nothing came")
            .unwrap();
        heard.push_str(std::str::from_utf8(&chunk.expect("the stream has ended")).unwrap());
    }
}

#[tokio::test]
async fn tenants_whose_names_differ_in_case_alone_stay_apart() {
    let server = start_with(|_| {}).await;
    let (lower, upper) = (
        server.token("acme", Rights::Sync),
        server.token("ACME", Rights::Sync),
    );
    server
        .post("/sync/push", &lower, push_of("a", 1..=2))
        .await
        .expect(200);
    let page = server.get("/sync/pull", &upper).await.expect(200);
    assert_eq!(page["serverSeq"], 0);
}
