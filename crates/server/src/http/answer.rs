//! Answers, compressed where that was asked for.

use std::io::Write;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::BodyExt as _;
use serde::Serialize;

use crate::error::ApiError;

/// A shorter answer is sent as it is: compressing would save less than a packet.
pub(crate) const COMPRESS_FROM: usize = 1_024;
/// A longer answer is compressed away from the threads that serve requests.
const COMPRESS_HERE_MAX: usize = 64 << 10;

/// Headers of most answers, with those that every answer gets. A map with room for these is small
/// enough for the allocator's fast path, and does not grow on the way out.
const HEADERS_GUESS: usize = 6;

/// An answer that went well.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) content: Content,
}

/// What an answer holds.
#[derive(Debug)]
pub(crate) enum Content {
    /// Bytes that may be compressed on the way.
    Whole(Bytes),
    /// Sent as it comes.
    Live(Body),
}

/// How the bytes of an answer are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Plain,
    Gzip,
}

impl Coding {
    /// What the caller takes: gzip, if it says so and doesn't weigh it with nothing.
    pub(crate) fn accepted(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT_ENCODING);
        let texts = values.iter().filter_map(|value| value.to_str().ok());
        let mut codings = texts.flat_map(|text| text.split(','));
        let gzip = codings.find(|coding| coding.split(';').next().map(str::trim) == Some("gzip"));
        let refused = |coding: &str| {
            let weight = coding
                .split(';')
                .nth(1)
                .map(|weight| weight.replace(' ', ""));
            weight.is_some_and(|weight| {
                weight
                    .strip_prefix("q=0")
                    .is_some_and(|rest| rest.bytes().all(|byte| matches!(byte, b'.' | b'0')))
            })
        };
        match gzip {
            Some(coding) if !refused(coding) => Self::Gzip,
            Some(_) | None => Self::Plain,
        }
    }
}

impl Answer {
    pub(crate) fn json_bytes(bytes: impl Into<Bytes>) -> Self {
        Self::whole(bytes, "application/json")
    }

    pub(crate) fn json(value: &impl Serialize) -> Result<Self, ApiError> {
        let bytes = serde_json::to_vec(value).map_err(ApiError::internal)?;
        Ok(Self::json_bytes(bytes))
    }

    pub(crate) fn whole(bytes: impl Into<Bytes>, content_type: &'static str) -> Self {
        Self::new(Content::Whole(bytes.into()), content_type)
    }

    pub(crate) fn live(body: Body, content_type: &'static str) -> Self {
        Self::new(Content::Live(body), content_type)
    }

    fn new(content: Content, content_type: &'static str) -> Self {
        let mut headers = HeaderMap::with_capacity(HEADERS_GUESS);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self {
            status: StatusCode::OK,
            headers,
            content,
        }
    }

    #[must_use]
    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    #[must_use]
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Holds on to something until the answer was sent.
    #[must_use]
    pub(crate) fn held_by(mut self, held: impl Send + 'static) -> Self {
        if let Content::Live(body) = self.content {
            let body = body.map_frame(move |frame| {
                let _ = &held;
                frame
            });
            self.content = Content::Live(Body::new(body));
        }
        self
    }

    /// Says that the bytes are compressed already.
    #[must_use]
    pub(crate) fn coded_as_gzip(self) -> Self {
        self.header(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))
            .header(header::VARY, HeaderValue::from_static("accept-encoding"))
    }

    /// The answer as it goes out, compressed where the caller takes that and it is worth it.
    pub(crate) async fn into_response(self, coding: Coding) -> Result<Response, ApiError> {
        let mut headers = self.headers;
        let body = match self.content {
            Content::Live(body) => body,
            Content::Whole(bytes) => {
                let coded = headers.contains_key(header::CONTENT_ENCODING);
                if !coded {
                    let vary = HeaderValue::from_static("accept-encoding");
                    headers.append(header::VARY, vary);
                }
                if coded || coding == Coding::Plain || bytes.len() < COMPRESS_FROM {
                    Body::from(bytes)
                } else {
                    let gzip = HeaderValue::from_static("gzip");
                    headers.insert(header::CONTENT_ENCODING, gzip);
                    Body::from(compressed(bytes).await?)
                }
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

/// Compresses in favour of speed: pages are read once, mostly on a fast network.
pub(crate) async fn compressed(bytes: Bytes) -> Result<Bytes, ApiError> {
    if bytes.len() <= COMPRESS_HERE_MAX {
        return compress(&bytes);
    }
    tokio::task::spawn_blocking(move || compress(&bytes))
        .await
        .map_err(ApiError::internal)?
}

fn compress(bytes: &[u8]) -> Result<Bytes, ApiError> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::fast());
    encoder.write_all(bytes).map_err(ApiError::internal)?;
    Ok(encoder.finish().map_err(ApiError::internal)?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_used_only_where_it_is_taken() {
        for (value, expected) in [
            ("gzip", Coding::Gzip),
            ("br, gzip;q=0.5", Coding::Gzip),
            ("gzip; q=0", Coding::Plain),
            ("gzip;q=0.000", Coding::Plain),
            ("br", Coding::Plain),
            ("*", Coding::Plain),
            ("", Coding::Plain),
        ] {
            let value = HeaderValue::from_static(value);
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, value.clone())]);
            assert_eq!(Coding::accepted(&headers), expected, "{value:?}");
        }
        assert_eq!(Coding::accepted(&HeaderMap::new()), Coding::Plain);
    }
}
