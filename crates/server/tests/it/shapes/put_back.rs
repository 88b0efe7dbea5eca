//! A data directory that was put back: a copy of its files that somebody kept.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::{Shapes, column, of, shapes};
use crate::support::start_on;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

impl Shapes {
    /// Stops the server; gives its directory.
    async fn stop(self) -> TempDir {
        self.server.stop().await
    }

    /// A server on a directory that is there already.
    async fn on(data: TempDir) -> Self {
        of(start_on(data, |_| {}).await)
    }

    /// Where an answer's reader goes on from.
    async fn place(&self, query: &str) -> String {
        let reply = self.ask(query).await;
        reply.expect(200);
        reply.header("electric-offset").to_owned()
    }
}

#[tokio::test]
async fn who_has_read_what_a_log_that_was_put_back_has_lost_begins_anew() {
    let s = shapes().await;
    let one = s.thread("one", "p").await;
    let follower = s.follow("table=threads").await;
    let (early, handle) = (follower.next(), follower.handle.clone());
    let kept = TempDir::new().unwrap();
    let data = s.stop().await;
    copy(data.path(), kept.path());

    let s = Shapes::on(data).await;
    s.rename(&one, "lost").await;
    let reads_on = format!("table=threads&handle={handle}&offset=");
    let told = s.place(&early).await;
    s.rename(&one, "lost too").await;
    let now = s.place("table=threads&offset=now").await;
    let subset = s
        .place(&format!("{reads_on}{told}&subset__where=true"))
        .await;
    drop(s.stop().await);

    let s = Shapes::on(kept).await;
    let asked = async |place: &str, more: &str| s.ask(&format!("{reads_on}{place}{more}")).await;
    let is_over = async || {
        for place in [&told, &now, &subset] {
            for more in ["", "&live=true", "&live=true&live_sse=true"] {
                let reply = asked(place, more).await;
                reply.expect(409);
                let anew = reply.header("electric-handle");
                assert!(!anew.is_empty());
                assert_ne!(anew, handle, "who lets go of it is not given it again");
            }
        }
    };
    is_over().await;
    // Also when the log has come as far again, with others.
    for name in ["found", "found too", "last"] {
        s.rename(&one, name).await;
    }
    is_over().await;
    // Who had read nothing of what was lost goes on, and so does who began anew.
    s.ask(&early).await.expect(200);
    let reads = asked(&s.place(&early).await, "").await;
    reads.expect(200);
    let anew = s.follow("table=threads").await;
    assert_eq!(column(&anew, "name"), ["last"]);
    s.ask(&anew.next()).await.expect(200);
}
