//! Reading bodies within their limits, as sent and expanded.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt;
use syncline_protocol::ErrorCode;

use crate::error::ApiError;

/// Bytes of bodies that may be in memory at once, over all requests, as sent. What is over is
/// asked to come back: a flood then costs time, not the machine.
const BODIES_BYTES_MAX: usize = 256 << 20;
/// The longest wait for the next part of a body.
const PART_WAIT_MAX: Duration = Duration::from_secs(30);
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
#[derive(Debug)]
struct Taken {
    budget: Arc<BodyBudget>,
    bytes: usize,
}

impl Taken {
    fn more(&mut self, bytes: usize) -> Result<(), ApiError> {
        self.bytes += bytes;
        if self.budget.0.fetch_add(bytes, SeqCst) + bytes > BODIES_BYTES_MAX {
            return Err(ApiError::unavailable(
                "the server holds too many large requests; try again",
                Duration::from_secs(1),
            ));
        }
        Ok(())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.budget.0.fetch_sub(self.bytes, SeqCst);
    }
}

/// Reads a body, expanding it where it is compressed.
pub(crate) async fn read_body(
    body: Body,
    headers: &HeaderMap,
    limit: BodyLimit,
    budget: &Arc<BodyBudget>,
) -> Result<Bytes, ApiError> {
    let is_compressed = is_gzip(headers)?;
    let told = headers.get(header::CONTENT_LENGTH);
    let told = told.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if told.is_some_and(|bytes| bytes > limit.sent as u64) {
        return Err(too_large("as sent", limit.sent));
    }
    let mut taken = Taken {
        budget: Arc::clone(budget),
        bytes: 0,
    };
    let sent = read_parts(body, limit, &mut taken).await?;
    if !is_compressed {
        return if sent.len() > limit.expanded {
            Err(too_large("as sent", limit.expanded))
        } else {
            Ok(sent)
        };
    }
    if sent.len() <= EXPAND_HERE_MAX && limit.expanded <= EXPAND_HERE_MAX {
        return expand(&sent, limit.expanded);
    }
    tokio::task::spawn_blocking(move || expand(&sent, limit.expanded))
        .await
        .map_err(ApiError::internal)?
}

async fn read_parts(
    mut body: Body,
    limit: BodyLimit,
    taken: &mut Taken,
) -> Result<Bytes, ApiError> {
    let (mut first, mut whole) = (Bytes::new(), BytesMut::new());
    loop {
        let part = tokio::time::timeout(PART_WAIT_MAX, body.frame()).await;
        let Some(part) = part.map_err(|_| too_slow())? else {
            break;
        };
        let part = part.map_err(|error| {
            ApiError::bad_request(format!("the body ended early or is malformed: {error}"))
        })?;
        let Ok(part) = part.into_data() else {
            continue;
        };
        if first.len() + whole.len() + part.len() > limit.sent {
            return Err(too_large("as sent", limit.sent));
        }
        taken.more(part.len())?;
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

fn expand(sent: &[u8], limit: usize) -> Result<Bytes, ApiError> {
    let mut expanded = Vec::new();
    let mut decoder = MultiGzDecoder::new(sent).take(limit as u64 + 1);
    decoder
        .read_to_end(&mut expanded)
        .map_err(|_| ApiError::bad_request("the body is not gzip, as Content-Encoding says"))?;
    if expanded.len() > limit {
        return Err(too_large("expanded", limit));
    }
    Ok(expanded.into())
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

    async fn read(
        body: Vec<u8>,
        headers: &[(header::HeaderName, &str)],
    ) -> Result<Bytes, ApiError> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(name, value.parse().unwrap());
        }
        let budget = Arc::new(BodyBudget::default());
        let read = read_body(Body::from(body), &map, LIMIT, &budget).await;
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
        assert_eq!(read("too").await.unwrap(), "too");
    }
}
