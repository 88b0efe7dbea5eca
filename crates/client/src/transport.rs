//! Calls over HTTP: one request, one answer, both bounded.
//!
//! A transport is bound to one endpoint and one token, and sends the token nowhere else: redirects
//! are reported, not followed. It keeps its connections open between calls.

mod incoming;
mod save;
mod stream;
#[cfg(test)]
mod tests;

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, IF_MATCH,
    LOCATION, RETRY_AFTER,
};
use reqwest::{RequestBuilder, Response, StatusCode};
use syncline_protocol::parse_retry_after;
use syncline_replica::{Answer, AnswerBody, Call, Host, Method, PREPARED_FILE_TYPE, Unanswered};
use tokio::time::timeout;

use crate::traffic::Traffic;
use crate::{Endpoint, Remote, Token};

use incoming::Incoming;

pub(crate) use stream::{EventStream, Opened};

/// How long to wait for a connection.
const CONNECT_WAIT: Duration = Duration::from_secs(10);
/// How long to wait for the head of an answer: a server may wait for its disk behind many others.
const HEAD_WAIT: Duration = Duration::from_secs(60);
/// How long what was sent may stay unconfirmed by the other machine before the connection counts as
/// dead: after a sleep, say, or behind a router that has forgotten it.
const UNHEARD_MAX: Duration = Duration::from_secs(20);
/// How long an answer may stand still once it has begun.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// Idle connections kept: one for calls, one that a stream has left behind.
const IDLE_CONNECTIONS_MAX: usize = 2;

/// Why there is no whole answer. A request that failed so may or may not have been done.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    #[error("could not set up the HTTP client")]
    SetUp(#[source] reqwest::Error),
    #[error("could not connect to the server")]
    Connect(#[source] reqwest::Error),
    #[error("the server did not answer in time")]
    TimedOut,
    #[error("the answer broke off")]
    Cut(#[source] reqwest::Error),
    #[error("the server ended the stream")]
    StreamOver,
    #[error("the answer is larger than {bytes_max} bytes")]
    TooLarge { bytes_max: usize },
    #[error("the answer is coded as {coding:?}, which was not asked for")]
    Coding { coding: String },
    #[error("could not expand the answer")]
    Expand(#[source] io::Error),
    #[error("the server redirects to {location:?}; set the endpoint to where it really is")]
    Redirected { location: String },
    #[error("could not write the answer to its file")]
    Save(#[source] io::Error),
}

impl TransportError {
    /// The error with its causes, as an engine takes it.
    pub(crate) fn into_unanswered(self) -> Unanswered {
        Unanswered {
            message: crate::status::chain(&self),
        }
    }
}

/// How answers may be coded on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Plain,
    Compressed,
}

/// What a whole answer may be compressed as: Zstandard finds an id again that stands far back, gzip is
/// what servers knew before.
const COMPRESSED: &str = "zstd, gzip";

/// The way to one server.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    http: reqwest::Client,
    endpoint: Endpoint,
    token: Option<Token>,
    coding: Coding,
    host: Arc<dyn Host>,
    traffic: Arc<Traffic>,
}

impl Transport {
    /// Sets up the way to `remote`; connects to nothing. Files that are fetched go to `host`.
    pub(crate) fn new(
        remote: &Remote,
        host: Arc<dyn Host>,
        traffic: Arc<Traffic>,
    ) -> Result<Self, TransportError> {
        // On one machine compression only costs.
        let coding = if remote.endpoint.is_loopback() {
            Coding::Plain
        } else {
            Coding::Compressed
        };
        Self::with_coding(remote, host, traffic, coding)
    }

    fn with_coding(
        remote: &Remote,
        host: Arc<dyn Host>,
        traffic: Arc<Traffic>,
        coding: Coding,
    ) -> Result<Self, TransportError> {
        let Remote {
            endpoint,
            token,
            delivery: _,
        } = remote.clone();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("syncline/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_WAIT)
            .tcp_keepalive(UNHEARD_MAX)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .gzip(coding == Coding::Compressed);
        #[cfg(target_os = "linux")]
        {
            builder = builder.tcp_user_timeout(UNHEARD_MAX);
        }
        if endpoint.is_loopback() {
            // A proxy could not reach it.
            builder = builder.no_proxy();
        }
        if !endpoint.is_encrypted() {
            // Reading the system's certificates takes longer than a call to this machine.
            builder = builder.tls_certs_only([]);
        }
        let http = builder.build().map_err(TransportError::SetUp)?;
        Ok(Self {
            http,
            endpoint,
            token,
            coding,
            host,
            traffic,
        })
    }

    /// Carries a call, and takes its whole answer.
    pub(crate) async fn call(&self, call: Call) -> Result<Answer, TransportError> {
        let Call {
            answer_bytes_max, ..
        } = call;
        let mut save_to = call.save_to.clone();
        let incoming = self.begin(self.request(call)).await?;
        let head = Head::of(incoming.response());
        let is_file =
            head.media_type.as_deref() == Some(PREPARED_FILE_TYPE) && head.status == StatusCode::OK;
        match save_to.take_if(|_| is_file) {
            Some(path) => {
                self.save(incoming, path).await?;
                Ok(head.with(AnswerBody::Saved))
            }
            None => {
                let body = self.whole_body(incoming, answer_bytes_max).await?;
                Ok(head.with(AnswerBody::Bytes(body)))
            }
        }
    }

    /// Carries a call that is done only if what it is about still has the tag `if_match`.
    pub(crate) async fn call_matching(
        &self,
        call: Call,
        if_match: &str,
    ) -> Result<Answer, TransportError> {
        let bytes_max = call.answer_bytes_max;
        let request = self.request(call).header(IF_MATCH, if_match);
        self.whole_answer(request, bytes_max).await
    }

    /// Carries a call with its body compressed, of which a server takes more.
    pub(crate) async fn call_compressed(&self, mut call: Call) -> Result<Answer, TransportError> {
        let bytes_max = call.answer_bytes_max;
        let is_sent = call.body.is_some();
        call.body = call.body.as_deref().map(compressed);
        let mut request = self.request(call);
        if is_sent {
            request = request.header(CONTENT_ENCODING, "gzip");
        }
        self.whole_answer(request, bytes_max).await
    }

    async fn whole_answer(
        &self,
        request: RequestBuilder,
        bytes_max: usize,
    ) -> Result<Answer, TransportError> {
        let incoming = self.begin(request).await?;
        let head = Head::of(incoming.response());
        let body = self.whole_body(incoming, bytes_max).await?;
        Ok(head.with(AnswerBody::Bytes(body)))
    }

    /// Sends a request, and waits for the head of its answer, which may be compressed.
    async fn begin(&self, request: RequestBuilder) -> Result<Incoming, TransportError> {
        let request = match self.coding {
            Coding::Plain => request,
            Coding::Compressed => request.header(ACCEPT_ENCODING, COMPRESSED),
        };
        Incoming::begin(head_of_answer(request).await?, self.coding)
    }

    fn request(&self, call: Call) -> RequestBuilder {
        let mut url = self.endpoint.url(call.path);
        url.set_query(Some(&*call.query).filter(|query| !query.is_empty()));
        let method = match call.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
        };
        let mut builder = self.http.request(method, url).header(ACCEPT, call.accept);
        if let Some(token) = &self.token {
            builder = builder.header(AUTHORIZATION, token.authorization());
        }
        self.traffic
            .count_sent(call.body.as_ref().map_or(0, Vec::len));
        if let Some(body) = call.body {
            builder = builder.header(CONTENT_TYPE, "application/json").body(body);
        }
        builder
    }

    async fn whole_body(
        &self,
        mut incoming: Incoming,
        bytes_max: usize,
    ) -> Result<Vec<u8>, TransportError> {
        let too_large = || TransportError::TooLarge { bytes_max };
        let told = incoming
            .response()
            .content_length()
            .map_or(Ok(0), usize::try_from);
        let told = told.map_err(|_| too_large())?;
        if told > bytes_max {
            return Err(too_large());
        }
        let mut body = Vec::with_capacity(told);
        while let Some(chunk) = self.next_chunk(&mut incoming).await? {
            if body.len() + chunk.len() > bytes_max {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// An answer without its body.
struct Head {
    status: u16,
    media_type: Option<String>,
    retry_after: Option<Duration>,
}

impl Head {
    fn of(response: &Response) -> Self {
        let headers = response.headers();
        let media_type = text_of(headers, &CONTENT_TYPE);
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        Self {
            status: response.status().as_u16(),
            media_type: (!essence.is_empty()).then(|| essence.to_ascii_lowercase()),
            retry_after: parse_retry_after(&text_of(headers, &RETRY_AFTER)),
        }
    }

    fn with(self, body: AnswerBody) -> Answer {
        let Self {
            status,
            media_type,
            retry_after,
        } = self;
        Answer {
            status,
            media_type,
            retry_after,
            body,
        }
    }
}

/// A body as gzip.
fn compressed(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let done = encoder.write_all(body).and_then(|()| encoder.finish());
    done.expect("memory is written to without an error")
}

/// The value of a header; empty where there is none.
fn text_of(headers: &HeaderMap, name: &reqwest::header::HeaderName) -> String {
    let value = headers.get(name).map(|value| value.as_bytes());
    String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
}

async fn head_of_answer(request: RequestBuilder) -> Result<Response, TransportError> {
    let response = timeout(HEAD_WAIT, request.send())
        .await
        .map_err(|_| TransportError::TimedOut)?
        .map_err(failure)?;
    if response.status().is_redirection() {
        let location = text_of(response.headers(), &LOCATION);
        return Err(TransportError::Redirected { location });
    }
    Ok(response)
}

/// Sorts an error of the HTTP client. Its URL is left out: the query holds ids.
fn failure(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    if error.is_connect() {
        TransportError::Connect(error)
    } else if error.is_timeout() {
        TransportError::TimedOut
    } else {
        TransportError::Cut(error)
    }
}
