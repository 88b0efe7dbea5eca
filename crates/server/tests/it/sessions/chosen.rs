//! What parameters choose, and those that choose nothing.

use super::{sessions, texts};

#[tokio::test]
async fn a_parameter_that_chooses_nothing_is_refused() {
    let world = sessions().await;
    for path in [
        "/api/sessions?from_date=2026-01-01",
        "/api/sessions/main?agents=x",
        "/api/search?q=trees&bogus=1",
        "/api/stats?group=day",
    ] {
        world.reply(path).await.refused(422, "invalid_field");
    }
    let reply = world.reply("/api/sessions?limit=1&from_date=x").await;
    let message = reply.json()["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        message.starts_with("from_date: ") && message.contains("since, until"),
        "{message}"
    );
}

#[tokio::test]
async fn stats_are_of_sessions_with_errors_or_of_a_cost_where_that_is_asked() {
    let world = sessions().await;
    for (query, agents) in [
        ("", vec!["claude-code", "codex"]),
        ("&has_error=true", vec!["claude-code"]),
        ("&has_error=false", vec!["codex"]),
        ("&min_cost=0.5", vec!["claude-code"]),
    ] {
        let stats = world.get(&format!("/api/stats?by=agent{query}")).await;
        let mut keys = texts(&stats["rows"], "key");
        keys.sort();
        assert_eq!(keys, agents, "{query}");
    }
}
