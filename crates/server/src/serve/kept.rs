//! What the server does by itself, beside requests, for as long as it serves.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::server::Server;

/// The wait before what has failed begins anew, so that a fault that stays fills no log.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

type Keep = fn(Arc<Server>) -> Pin<Box<dyn Future<Output = ()> + Send>>;

const KEPT: [(&str, Keep); 4] = [
    ("house", |server| Box::pin(server.keep_house())),
    ("backups", |server| Box::pin(server.keep_backups())),
    ("compaction", |server| Box::pin(server.keep_compacted())),
    ("orders", |server| Box::pin(server.keep_orders())),
];

/// Begins all of it; it ends when the answer is dropped.
pub(super) fn keep_all(server: &Arc<Server>) -> JoinSet<()> {
    let begin = |(name, keep): (_, Keep)| {
        let server = Arc::clone(server);
        keep_on(name, AGAIN_AFTER, move || keep(Arc::clone(&server)))
    };
    KEPT.into_iter().map(begin).collect()
}

/// Keeps one thing going. A panic in it is a fault of ours, and is logged; but backups that ended with it
/// would not be missed before they are needed, so it begins anew.
async fn keep_on<K>(name: &'static str, again_after: Duration, mut keep: impl FnMut() -> K)
where
    K: Future<Output = ()> + Send + 'static,
{
    loop {
        let mut task = JoinSet::new();
        task.spawn(keep());
        match task.join_next().await {
            Some(Err(error)) if error.is_panic() => {
                tracing::error!(task = name, "the server's own work failed, and begins anew");
                tokio::time::sleep(again_after).await;
            }
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_panics_begins_anew() {
        let mut begun = 0;
        let keep = || {
            begun += 1;
            let fails = begun < 3;
            async move { assert!(!fails, "a fault") }
        };
        keep_on("test", Duration::ZERO, keep).await;
        assert_eq!(begun, 3);
    }
}
