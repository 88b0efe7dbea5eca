//! More shapes than there may be.

use syncline_store::control::Rights;

use super::{Shapes, shapes_with};
use crate::support::{PATIENCE, Reply};

/// The shape of the threads with this name, for who has a token.
async fn made(s: &Shapes, token: &str, name: &str) -> String {
    let path = format!("/v1/shape?table=threads&offset=-1&where=name%20=%20%27{name}%27");
    let reply = s.server.get(&path, token).await;
    reply.header("electric-handle").to_owned()
}

async fn asked(s: &Shapes, token: &str, name: &str, handle: &str, live: &str) -> Reply {
    let query = format!("where=name%20=%20%27{name}%27&offset=0_inf&handle={handle}{live}");
    s.server
        .get(&format!("/v1/shape?table=threads&{query}"), token)
        .await
}

#[tokio::test]
async fn who_asks_for_many_shapes_loses_their_own_and_hears_of_it() {
    let s = shapes_with(|config| {
        config.shapes.shapes_max = 10;
        config.shapes.long_poll = PATIENCE * 4;
    })
    .await;
    s.thread("one", "p").await;
    let mallory = s
        .server
        .issue_to("mallory", "acme", Rights::Sync, None)
        .text;
    let old = made(&s, &s.token, "one").await;
    let first = made(&s, &mallory, "first").await;
    let waiting = asked(&s, &mallory, "first", &first, "&live=true");
    let more = async {
        for n in 0..20 {
            made(&s, &mallory, &format!("more-{n}")).await;
        }
    };
    let both = async { tokio::join!(waiting, more) };
    let (waiting, ()) = tokio::time::timeout(PATIENCE, both).await.unwrap();
    waiting.expect(409);
    asked(&s, &s.token, "one", &old, "").await.expect(200);
}
