//! The server's life: from a listener to the last answer.

mod kept;
mod patience;
mod places;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use syncline_model::TenantId;
use syncline_store::control::{
    ControlError, ControlOpenError, DataDirectory, DataDirectoryError, ServeLock,
};
use tokio::net::TcpListener;
use tower::ServiceExt;

use crate::auth::{AuthMode, AuthSetupError, Exposure};
use crate::config::ServeConfig;
use crate::http::{router, settle_path};
use crate::log::{ServedSchemaError, TenantBreak};
use crate::metrics::Held;
use crate::server::{Server, SetupError};
use crate::tenant::Refused;
use kept::keep_all;
use patience::Patient;
use places::Places;

/// Bytes of a connection's buffer at most, and so of a request's head: a URL may hold the condition of a
/// shape. It begins with an eighth of that, so that an idle stream has no more.
const BUFFER_BYTES: usize = 64 << 10;
/// A client that takes longer over a request's head is let go of; so is an idle connection.
const HEAD_WAIT_MAX: Duration = Duration::from_secs(75);
/// The wait after the system has refused a connection, for want of file handles say.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// Why a server does not start, or stops other than asked to.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(
        "without authentication everybody who reaches {address} may read and write: \
         listen on loopback, use --auth token, or say --allow-open"
    )]
    OpenToOthers { address: SocketAddr },
    #[error(transparent)]
    Directory(#[from] DataDirectoryError),
    #[error(transparent)]
    Control(#[from] ControlOpenError),
    #[error("could not set up authentication")]
    Auth(#[source] AuthSetupError),
    #[error("could not use the listener")]
    Listener(#[source] io::Error),
    #[error(transparent)]
    Note(ControlError),
    #[error("could not start a thread")]
    Thread(#[source] io::Error),
    #[error("the schema takes something away of what {} have", count(.0))]
    BreakingSchema(Vec<TenantBreak>),
    #[error("could not put the schema in place for tenant {tenant}")]
    Schema {
        tenant: TenantId,
        #[source]
        source: Refused,
    },
}

fn count(broken: &[TenantBreak]) -> String {
    match broken {
        [one] => format!("tenant {}", one.tenant),
        many => format!("{} tenants", many.len()),
    }
}

impl From<SetupError> for ServeError {
    fn from(error: SetupError) -> Self {
        match error {
            SetupError::Auth(source) => Self::Auth(source),
            SetupError::Control(source) => Self::Control(source),
            SetupError::Note(source) => Self::Note(source),
            SetupError::Thread(source) => Self::Thread(source),
            SetupError::Schema(ServedSchemaError::Directory(source)) => Self::Directory(source),
            SetupError::Schema(ServedSchemaError::Breaking(broken)) => Self::BreakingSchema(broken),
            SetupError::Schema(ServedSchemaError::Refused { tenant, source }) => {
                Self::Schema { tenant, source }
            }
        }
    }
}

/// A server that is set up, and accepts once it is run.
#[derive(Debug)]
#[must_use = "a server answers nobody until it is run"]
pub struct ReadyServer {
    server: Arc<Server>,
    listener: TcpListener,
    address: SocketAddr,
    _lock: ServeLock,
}

/// Serves until `shutdown` is done, then lets open requests end, and returns.
pub async fn serve(
    config: ServeConfig,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    prepare(config, listener)?.run(shutdown).await;
    Ok(())
}

/// Checks the configuration and opens the data directory; what can fail at a start fails here.
pub fn prepare(config: ServeConfig, listener: TcpListener) -> Result<ReadyServer, ServeError> {
    let address = listener.local_addr().map_err(ServeError::Listener)?;
    check_exposure(&config.auth, address)?;
    let directory = DataDirectory::open(&config.data)?;
    let lock = directory.lock()?;
    let server = Arc::new(Server::new(config, directory, address)?);
    Ok(ReadyServer {
        server,
        listener,
        address,
        _lock: lock,
    })
}

fn check_exposure(auth: &AuthMode, address: SocketAddr) -> Result<(), ServeError> {
    let AuthMode::None { exposure } = auth else {
        return Ok(());
    };
    match exposure {
        _ if address.ip().is_loopback() => Ok(()),
        Exposure::LoopbackOnly => Err(ServeError::OpenToOthers { address }),
        Exposure::Anywhere => {
            tracing::warn!(%address, "everybody who reaches this address may read and write");
            Ok(())
        }
    }
}

impl ReadyServer {
    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` is done, then lets open requests end.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let Self {
            server, listener, ..
        } = &self;
        let router = router(server);
        let connections = GracefulShutdown::new();
        let kept = keep_all(server);
        let accept = accept_all(server, listener, &router, &connections);
        tokio::select! {
            () = accept => {}
            () = shutdown => {}
        }
        // Streams end by this; other requests are answered.
        server.beat.send_modify(|beat| beat.draining = true);
        let drained = tokio::time::timeout(server.config.drain, connections.shutdown());
        if drained.await.is_err() {
            tracing::warn!("requests were cut off: they took longer than the drain allows");
        }
        drop(kept);
        server.note_uses().await;
        server.tenants.close_all().await;
    }
}

async fn accept_all(
    server: &Arc<Server>,
    listener: &TcpListener,
    router: &Router,
    connections: &GracefulShutdown,
) {
    let mut http = http1::Builder::new();
    http.max_buf_size(BUFFER_BYTES)
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WAIT_MAX);
    let mut places = Places::of(server.config.connections_max);
    let mut is_refused = false;
    loop {
        let place = places.next().await;
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                if !std::mem::replace(&mut is_refused, true) {
                    tracing::warn!(error = &error as &dyn std::error::Error, "could not accept");
                }
                tokio::time::sleep(ACCEPT_RETRY).await;
                continue;
            }
        };
        is_refused = false;
        // Answers are written whole: waiting for more to send only delays them.
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            settle_path(request.uri_mut());
            router.clone().oneshot(request.map(Body::new))
        });
        let stream = Patient::new(stream, server.config.write_wait);
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let connection = connections.watch(connection);
        let counted = Held::new(&server.metrics, |metrics| &metrics.connections);
        tokio::spawn(async move {
            let _held = (place, counted);
            // A connection that breaks is its client's to mend.
            let _ = connection.await;
        });
    }
}
