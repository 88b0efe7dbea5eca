//! The empty handler: reads a body, answers `{}`; or lets requests wait, and answers them all with the
//! bytes that it is told. What requests cost before anything is done.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::routing::{get, post};
use bytes::Bytes;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::sync::watch;

/// What all who wait are answered.
type Answer = (HeaderMap, Bytes);
type Waiting = Arc<watch::Sender<Answer>>;

/// Serves on a free port, which it prints, until it is killed.
pub(crate) fn serve() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let router: Router = Router::new()
            .route("/sync/push", post(|_: Bytes| async { axum::Json(()) }))
            .route("/wait", get(wait).post(wake))
            .with_state(Arc::new(watch::Sender::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("listening on http://{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let service = TowerToHyperService::new(router.clone());
            tokio::spawn(async move {
                let connection = hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .serve_connection(TokioIo::new(stream), service);
                if let Err(error) = connection.await {
                    eprintln!("connection: {error}");
                }
            });
        }
    })
}

async fn wait(State(waiting): State<Waiting>) -> Answer {
    let mut waiting = waiting.subscribe();
    // The sender lives as long as the server.
    let _ = waiting.changed().await;
    waiting.borrow().clone()
}

/// Answers all who wait with this body, and with the headers of this request that begin with `x-`,
/// without that.
async fn wake(State(waiting): State<Waiting>, headers: HeaderMap, body: Bytes) {
    let told = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix("x-")?;
        Some((HeaderName::try_from(name).ok()?, value.clone()))
    });
    let told: HeaderMap<HeaderValue> = told.collect();
    waiting.send_replace((told, body));
}
