//! A server on a free port, and a client for it.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use syncline_model::{TenantId, Timestamp, UserId};
use syncline_server::{
    AuthMode, Exposure, NewToken, ServeConfig, TokenRandom, issue_token, prepare,
};
use syncline_store::control::{ControlFile, DataDirectory, Rights, TokenId};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How long a test waits for what should come at once.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) data: TempDir,
    pub(crate) client: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

/// What reads the metrics of every test's server.
pub(crate) const OPERATOR_TOKEN: &str = "the-token-of-who-runs-the-server";

/// With tokens asked for.
pub(crate) async fn start() -> TestServer {
    start_with(|_| {}).await
}

/// With a configuration of the test's own.
pub(crate) async fn start_with(configure: impl FnOnce(&mut ServeConfig)) -> TestServer {
    start_on(TempDir::new().unwrap(), configure).await
}

/// On a data directory that is there already.
pub(crate) async fn start_on(
    data: TempDir,
    configure: impl FnOnce(&mut ServeConfig),
) -> TestServer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let path = data.path().join("data");
    let mut config = ServeConfig::new(path, AuthMode::Token { jwt: None });
    config.metrics_token = Some(OPERATOR_TOKEN.parse().unwrap());
    configure(&mut config);
    let server = prepare(config, listener).unwrap();
    let address = server.address();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(async move {
        server
            .run(async {
                let _ = stopped.await;
            })
            .await;
    });
    TestServer {
        address,
        data,
        client: reqwest::Client::builder().no_gzip().build().unwrap(),
        stop: Some(stop),
        task,
    }
}

/// Nobody is asked for a token.
pub(crate) fn open_to_all(config: &mut ServeConfig) {
    config.auth = AuthMode::None {
        exposure: Exposure::LoopbackOnly,
    };
}

pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    Timestamp::from_millis(since.as_millis() as i64).unwrap()
}

/// A token, as another process makes one.
pub(crate) struct Issued {
    pub(crate) id: TokenId,
    pub(crate) text: String,
}

impl TestServer {
    pub(crate) fn control(&self) -> ControlFile {
        let directory = DataDirectory::open(self.data.path().join("data")).unwrap();
        ControlFile::open(&directory).unwrap()
    }

    pub(crate) fn issue(
        &self,
        tenant: &str,
        rights: Rights,
        expires_at: Option<Timestamp>,
    ) -> Issued {
        self.issue_to("ada", tenant, rights, expires_at)
    }

    pub(crate) fn issue_to(
        &self,
        user: &str,
        tenant: &str,
        rights: Rights,
        expires_at: Option<Timestamp>,
    ) -> Issued {
        let token = NewToken {
            tenant: TenantId::new(tenant).unwrap(),
            user: UserId::new(user).unwrap(),
            rights,
            expires_at,
        };
        let random = TokenRandom {
            secret: std::array::from_fn(|_| fastrand()),
            id: std::array::from_fn(|_| fastrand()),
        };
        let (secret, record) = issue_token(&self.control(), token, random, now()).unwrap();
        Issued {
            id: record.id,
            text: secret.reveal().to_owned(),
        }
    }

    pub(crate) fn token(&self, tenant: &str, rights: Rights) -> String {
        self.issue(tenant, rights, None).text
    }

    pub(crate) fn revoke(&self, id: TokenId) {
        self.control().revoke_token(None, id, now()).unwrap();
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn request(&self, method: Method, path: &str, token: &str) -> RequestBuilder {
        self.client
            .request(method, self.url(path))
            .bearer_auth(token)
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Reply {
        Reply::of(self.request(Method::GET, path, token)).await
    }

    /// What the server counts.
    pub(crate) async fn metrics(&self) -> String {
        let reply = self.get("/metrics", OPERATOR_TOKEN).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.text
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: Value) -> Reply {
        Reply::of(self.request(Method::POST, path, token).json(&body)).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, token: &str, body: Value) -> Reply {
        Reply::of(self.request(method, path, token).json(&body)).await
    }

    pub(crate) async fn post_bytes(
        &self,
        path: &str,
        token: &str,
        body: impl Into<Vec<u8>>,
    ) -> Reply {
        Reply::of(self.request(Method::POST, path, token).body(body.into())).await
    }

    /// Asks the server to stop, and waits until it has.
    pub(crate) async fn stop(mut self) -> TempDir {
        let _ = self.stop.take().unwrap().send(());
        (&mut self.task).await.unwrap();
        self.data
    }
}

/// Eight random bits; tests need them different, not secret.
fn fastrand() -> u8 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish() as u8
}

/// An answer that was read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        Self {
            status: response.status(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body of an answer of this status.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.json()
    }

    /// The body of an error of this status and code, after a look at what all errors have.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) -> Value {
        let body = self.expect(status);
        let error = &body["error"];
        assert_eq!(error["code"], code, "{}", self.text);
        assert!(!error["message"].as_str().unwrap().is_empty());
        let id = error["request_id"].as_str().unwrap();
        assert_eq!(self.headers["x-request-id"], id);
        body
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// An op of a scope that nothing folds.
pub(crate) fn op(actor: &str, clock: u64) -> Value {
    json!({
        "scope": "notes", "resourceId": "r", "actor": actor, "clock": clock,
        "payload": {"n": clock},
    })
}

/// A push of such ops.
pub(crate) fn push_of(actor: &str, clocks: impl IntoIterator<Item = u64>) -> Value {
    let ops: Vec<_> = clocks.into_iter().map(|clock| op(actor, clock)).collect();
    json!({"clientId": format!("client-{actor}"), "ops": ops})
}

/// Asks until `check` says yes.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut check: impl FnMut() -> F) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !check().await {
        assert!(tokio::time::Instant::now() < deadline, "never: {what}");
        // tidy: sleep because it is the pause of a poll with a deadline
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
