//! Calls over HTTP: one request, one answer, both bounded.
//!
//! A transport is bound to one endpoint and one token, and sends the token nowhere else: redirects
//! are reported, not followed. It keeps its connections open between calls.

mod stream;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode};
use tokio::time::timeout;

use crate::traffic::Traffic;
use crate::{Endpoint, Token};

pub(crate) use stream::EventStream;

/// How long to wait for a connection.
const CONNECT_WAIT: Duration = Duration::from_secs(10);
/// How long to wait for the head of an answer: a server may wait for its disk behind many others.
const HEAD_WAIT: Duration = Duration::from_secs(60);
/// How long an answer may stand still once it has begun.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// The largest answer other than a prepared file, expanded, in bytes: several times what a page of
/// the log may hold.
pub(crate) const ANSWER_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Idle connections kept: one for calls, one that a stream has left behind.
const IDLE_CONNECTIONS_MAX: usize = 2;

/// A request, as the transport sends it.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Below the endpoint, without a leading slash.
    pub(crate) path: &'static str,
    pub(crate) query: Vec<(&'static str, String)>,
    /// The media type wanted.
    pub(crate) accept: &'static str,
    /// JSON.
    pub(crate) body: Option<Bytes>,
    /// The largest answer to take, expanded, in bytes.
    pub(crate) answer_bytes_max: u64,
}

/// What the server answered, whole.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) media_type: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Bytes,
}

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
    #[error("the answer is larger than {bytes_max} bytes")]
    TooLarge { bytes_max: u64 },
    #[error("the server redirects to {location:?}; set the endpoint to where it really is")]
    Redirected { location: String },
}

/// The way to one server.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    http: reqwest::Client,
    endpoint: Endpoint,
    token: Option<Token>,
    traffic: Arc<Traffic>,
}

impl Transport {
    /// Sets up the way to `endpoint`; connects to nothing.
    pub(crate) fn new(
        endpoint: Endpoint,
        token: Option<Token>,
        traffic: Arc<Traffic>,
    ) -> Result<Self, TransportError> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("syncline/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_WAIT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX);
        if endpoint.is_loopback() {
            // Nothing stands between: a proxy could not reach it, and compression only costs.
            builder = builder.no_proxy().no_gzip();
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
            traffic,
        })
    }

    /// Does a call, and takes its whole answer.
    pub(crate) async fn call(&self, request: Request) -> Result<Answer, TransportError> {
        let bytes_max = request.answer_bytes_max;
        let response = self.send(request).await?;
        self.whole_answer(response, bytes_max).await
    }

    /// Sends a request, and waits for the head of its answer.
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let mut url = self.endpoint.url(request.path);
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let mut builder = self
            .http
            .request(request.method, url)
            .header(ACCEPT, request.accept);
        if let Some(token) = &self.token {
            builder = builder.header(AUTHORIZATION, token.authorization());
        }
        let body_bytes = request.body.as_ref().map_or(0, Bytes::len);
        if let Some(body) = request.body {
            builder = builder.header(CONTENT_TYPE, "application/json").body(body);
        }
        self.traffic.count_sent(body_bytes);
        let response = timeout(HEAD_WAIT, builder.send())
            .await
            .map_err(|_| TransportError::TimedOut)?
            .map_err(failure)?;
        let status = response.status();
        if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
            let location = response
                .headers()
                .get(LOCATION)
                .map(|value| value.as_bytes());
            let location = String::from_utf8_lossy(location.unwrap_or_default()).into_owned();
            return Err(TransportError::Redirected { location });
        }
        Ok(response)
    }

    async fn whole_answer(
        &self,
        mut response: Response,
        bytes_max: u64,
    ) -> Result<Answer, TransportError> {
        let status = response.status().as_u16();
        let media_type = media_type(response.headers());
        let retry_after = retry_after(response.headers());
        let too_large = || TransportError::TooLarge { bytes_max };
        if response
            .content_length()
            .is_some_and(|bytes| bytes > bytes_max)
        {
            return Err(too_large());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = next_chunk(&mut response, SILENCE_MAX).await? {
            self.traffic.count_received(chunk.len());
            if (body.len() + chunk.len()) as u64 > bytes_max {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status,
            media_type,
            retry_after,
            body: body.freeze(),
        })
    }
}

async fn next_chunk(
    response: &mut Response,
    patience: Duration,
) -> Result<Option<Bytes>, TransportError> {
    let chunk = timeout(patience, response.chunk()).await;
    chunk
        .map_err(|_| TransportError::TimedOut)?
        .map_err(failure)
}

/// Sorts an error of the HTTP client. Its URL is left out: the query holds ids.
fn failure(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    if error.is_timeout() {
        TransportError::TimedOut
    } else if error.is_connect() {
        TransportError::Connect(error)
    } else {
        TransportError::Cut(error)
    }
}

fn media_type(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let essence = text.split(';').next().unwrap_or(text);
    Some(essence.trim().to_ascii_lowercase())
}

/// The wait that the server asks for. Only seconds are understood: a date would need clocks that
/// agree.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}
