//! Reading bodies within their limits, as sent and expanded.

use std::io::Read;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use futures_util::FutureExt;
use http_body_util::BodyExt;
use syncline_protocol::ErrorCode;

use crate::error::ApiError;

/// Bytes of bodies that may be in memory at once, over all requests, expanded and until what they
/// ask for is done. What is over is asked to come back: a flood then costs time, not the machine.
const BODIES_BYTES_MAX: usize = 256 << 20;
/// The longest wait for the next part of a body.
const PART_WAIT_MAX: Duration = Duration::from_secs(30);
/// A body is expanded so much at a time, and counted then.
const EXPAND_STEP_BYTES: u64 = 256 << 10;
/// A body that is longer when expanded is expanded away from the threads that serve requests.
const EXPAND_HERE_MAX: usize = 64 << 10;

/// What bodies may be, for one route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BodyLimit {
    pub(crate) sent: usize,
    pub(crate) expanded: usize,
}

/// Counts the bytes of all bodies that are in memory.
#[derive(Debug, Default)]
pub(crate) struct BodyBudget(AtomicUsize);

/// Bytes taken from the budget, given back when dropped.
#[derive(Debug, Default)]
pub(crate) struct HeldBytes {
    /// None where nothing is held.
    budget: Option<Arc<BodyBudget>>,
    bytes: usize,
}

impl HeldBytes {
    fn none_yet(budget: &Arc<BodyBudget>) -> Self {
        Self {
            budget: Some(Arc::clone(budget)),
            bytes: 0,
        }
    }

    /// How many they are.
    pub(crate) fn count(&self) -> usize {
        self.bytes
    }

    fn more(&mut self, bytes: usize) -> Result<(), ApiError> {
        let Some(budget) = &self.budget else {
            return Ok(());
        };
        self.bytes += bytes;
        if budget.0.fetch_add(bytes, SeqCst) + bytes > BODIES_BYTES_MAX {
            return Err(ApiError::unavailable(
                "the server holds too many large requests; try again",
                Duration::from_secs(1),
            ));
        }
        Ok(())
    }
}

impl Drop for HeldBytes {
    fn drop(&mut self) {
        if let Some(budget) = &self.budget {
            budget.0.fetch_sub(self.bytes, SeqCst);
        }
    }
}

/// A body, expanded, and its share of the budget.
#[derive(Debug, Default)]
pub(crate) struct ReceivedBody {
    bytes: Bytes,
    held: Arc<HeldBytes>,
}

impl ReceivedBody {
    /// The share of the budget, for who keeps what was made of the bytes: it takes about as much,
    /// also after the request was given up.
    pub(crate) fn held(&self) -> Arc<HeldBytes> {
        Arc::clone(&self.held)
    }
}

impl Deref for ReceivedBody {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads a body, expanding it where it is compressed.
pub(crate) async fn read_body(
    body: Body,
    headers: &HeaderMap,
    limit: BodyLimit,
    budget: &Arc<BodyBudget>,
) -> Result<ReceivedBody, ApiError> {
    let is_compressed = is_gzip(headers)?;
    let told = headers.get(header::CONTENT_LENGTH);
    let told = told.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if told.is_some_and(|bytes| bytes > limit.sent as u64) {
        return Err(too_large("as sent", limit.sent));
    }
    let mut held = HeldBytes::none_yet(budget);
    let sent = read_parts(body, limit, &mut held).await?;
    if !is_compressed {
        return if sent.len() > limit.expanded {
            Err(too_large("as sent", limit.expanded))
        } else {
            Ok(ReceivedBody {
                bytes: sent,
                held: Arc::new(held),
            })
        };
    }
    if sent.len() <= EXPAND_HERE_MAX && limit.expanded <= EXPAND_HERE_MAX {
        return expand(&sent, limit.expanded, held);
    }
    tokio::task::spawn_blocking(move || expand(&sent, limit.expanded, held))
        .await
        .map_err(ApiError::internal)?
}

async fn read_parts(
    mut body: Body,
    limit: BodyLimit,
    held: &mut HeldBytes,
) -> Result<Bytes, ApiError> {
    let (mut first, mut whole) = (Bytes::new(), BytesMut::new());
    while !body.is_end_stream() {
        // A part that is here already needs no timer.
        let part = match body.frame().now_or_never() {
            Some(part) => part,
            None => tokio::time::timeout(PART_WAIT_MAX, body.frame())
                .await
                .map_err(|_| too_slow())?,
        };
        let Some(part) = part else { break };
        let part = part.map_err(|error| {
            ApiError::bad_request(format!("the body ended early or is malformed: {error}"))
        })?;
        let Ok(part) = part.into_data() else {
            continue;
        };
        if first.len() + whole.len() + part.len() > limit.sent {
            return Err(too_large("as sent", limit.sent));
        }
        held.more(part.len())?;
        // A body mostly comes in one part, which is then not copied.
        if first.is_empty() && whole.is_empty() {
            first = part;
        } else {
            whole.extend_from_slice(&first);
            first = Bytes::new();
            whole.extend_from_slice(&part);
        }
    }
    Ok(if whole.is_empty() {
        first
    } else {
        whole.freeze()
    })
}

/// Expands what was sent, counting what comes of it while it grows.
fn expand(sent: &[u8], limit: usize, mut held: HeldBytes) -> Result<ReceivedBody, ApiError> {
    let mut expanded = Vec::new();
    let mut decoder = MultiGzDecoder::new(sent);
    loop {
        let part = decoder
            .by_ref()
            .take(EXPAND_STEP_BYTES)
            .read_to_end(&mut expanded)
            .map_err(|_| ApiError::bad_request("the body is not gzip, as Content-Encoding says"))?;
        if expanded.len() > limit {
            return Err(too_large("expanded", limit));
        }
        if part == 0 {
            break;
        }
        held.more(part)?;
    }
    Ok(ReceivedBody {
        bytes: expanded.into(),
        held: Arc::new(held),
    })
}

fn is_gzip(headers: &HeaderMap) -> Result<bool, ApiError> {
    let Some(coding) = headers.get(header::CONTENT_ENCODING) else {
        return Ok(false);
    };
    match coding.as_bytes() {
        b"gzip" | b"x-gzip" => Ok(true),
        b"identity" | b"" => Ok(false),
        _ => Err(ApiError::new(
            ErrorCode::UnsupportedMediaType,
            "the body's Content-Encoding is not read here: send gzip or none",
        )),
    }
}

fn too_large(how: &str, limit: usize) -> ApiError {
    ApiError::new(
        ErrorCode::PayloadTooLarge,
        format!("the body has more than {limit} bytes {how}: send less at a time"),
    )
    .details(serde_json::json!({"limit": limit}))
}

fn too_slow() -> ApiError {
    ApiError::bad_request("the body came too slowly: send it again")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const LIMIT: BodyLimit = BodyLimit {
        sent: 1000,
        expanded: 5000,
    };

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn map(headers: &[(header::HeaderName, &str)]) -> HeaderMap {
        let headers = headers.iter().cloned();
        HeaderMap::from_iter(headers.map(|(name, value)| (name, value.parse().unwrap())))
    }

    async fn read(
        body: Vec<u8>,
        headers: &[(header::HeaderName, &str)],
    ) -> Result<Bytes, ApiError> {
        let budget = Arc::new(BodyBudget::default());
        let read = read_body(Body::from(body), &map(headers), LIMIT, &budget).await;
        let read = read.map(|body| body.bytes.clone());
        assert_eq!(budget.0.load(SeqCst), 0, "the budget was not given back");
        read
    }

    const GZIP: (header::HeaderName, &str) = (header::CONTENT_ENCODING, "gzip");

    #[tokio::test]
    async fn plain_and_compressed_bodies_are_read() {
        assert_eq!(read(b"plain".to_vec(), &[]).await.unwrap(), "plain");
        let zipped = gzip(&[b'a'; 4000]);
        assert_eq!(read(zipped, &[GZIP]).await.unwrap(), vec![b'a'; 4000]);
    }

    #[tokio::test]
    async fn what_is_over_a_limit_is_refused_as_sent_and_as_expanded() {
        let code = |read: Result<Bytes, ApiError>| read.unwrap_err().code;
        assert_eq!(
            code(read(vec![b'a'; 1001], &[]).await),
            ErrorCode::PayloadTooLarge
        );
        let bomb = gzip(&[0; 100_000]);
        assert!(bomb.len() < LIMIT.sent);
        assert_eq!(code(read(bomb, &[GZIP]).await), ErrorCode::PayloadTooLarge);
        // The length that is told is believed where it is too much.
        let told = [(header::CONTENT_LENGTH, "100000")];
        assert_eq!(code(read(vec![], &told).await), ErrorCode::PayloadTooLarge);
    }

    #[tokio::test]
    async fn what_is_no_gzip_or_of_another_coding_is_refused() {
        let code = |read: Result<Bytes, ApiError>| read.unwrap_err().code;
        assert_eq!(
            code(read(b"plain".to_vec(), &[GZIP]).await),
            ErrorCode::BadRequest
        );
        let mut cut = gzip(&[b'a'; 4000]);
        cut.truncate(cut.len() - 4);
        assert_eq!(code(read(cut, &[GZIP]).await), ErrorCode::BadRequest);
        let other = [(header::CONTENT_ENCODING, "br")];
        assert_eq!(
            code(read(vec![], &other).await),
            ErrorCode::UnsupportedMediaType
        );
    }

    #[tokio::test]
    async fn all_bodies_together_are_bounded() {
        let budget = Arc::new(BodyBudget(AtomicUsize::new(BODIES_BYTES_MAX - 3)));
        let headers = HeaderMap::new();
        let read = |text: &'static str| read_body(Body::from(text), &headers, LIMIT, &budget);
        assert_eq!(read("four").await.unwrap_err().code, ErrorCode::Unavailable);
        assert_eq!(*read("too").await.unwrap(), *b"too");
    }

    #[tokio::test]
    async fn a_body_counts_as_expanded_until_nothing_made_of_it_is_left() {
        let budget = Arc::new(BodyBudget::default());
        let zipped = gzip(&[b'a'; 4000]);
        let sent = zipped.len();
        let body = read_body(Body::from(zipped), &map(&[GZIP]), LIMIT, &budget).await;
        let body = body.unwrap();
        assert_eq!(budget.0.load(SeqCst), sent + 4000);
        let held = body.held();
        drop(body);
        assert_eq!(
            (held.count(), budget.0.load(SeqCst)),
            (sent + 4000, sent + 4000)
        );
        drop(held);
        assert_eq!(budget.0.load(SeqCst), 0);
    }

    #[tokio::test]
    async fn what_expands_past_the_budget_is_asked_to_come_back() {
        let zipped = gzip(&[b'a'; 4000]);
        let left = zipped.len() + 3999;
        let budget = Arc::new(BodyBudget(AtomicUsize::new(BODIES_BYTES_MAX - left)));
        let read = read_body(Body::from(zipped), &map(&[GZIP]), LIMIT, &budget).await;
        assert_eq!(read.unwrap_err().code, ErrorCode::Unavailable);
        assert_eq!(budget.0.load(SeqCst), BODIES_BYTES_MAX - left);
    }
}
