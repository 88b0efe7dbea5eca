//! Answers, compressed where that was asked for.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use serde::Serialize;

use super::coding::{Coding, LogCoding, gzip};
use crate::error::ApiError;

/// A shorter answer is sent as it is: compressing would save less than a packet.
pub(crate) const COMPRESS_FROM: usize = 1_024;

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

impl Answer {
    pub(crate) fn json_bytes(bytes: impl Into<Bytes>) -> Self {
        Self::whole(bytes, "application/json")
    }

    pub(crate) fn json(value: &impl Serialize) -> Result<Self, ApiError> {
        let bytes = serde_json::to_vec(value).map_err(ApiError::internal)?;
        Ok(Self::json_bytes(bytes))
    }

    pub(crate) fn whole(bytes: impl Into<Bytes>, content_type: &'static str) -> Self {
        Self::with_room(HEADERS_GUESS, Content::Whole(bytes.into()), content_type)
    }

    pub(crate) fn live(body: Body, content_type: &'static str) -> Self {
        Self::with_room(HEADERS_GUESS, Content::Live(body), content_type)
    }

    /// An answer that so many headers are still to be set on.
    pub(crate) fn with_room(headers: usize, content: Content, content_type: &'static str) -> Self {
        let mut headers = HeaderMap::with_capacity(headers);
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

    /// Says how the bytes are coded already, and that other callers get them otherwise.
    #[must_use]
    pub(crate) fn coded_as(self, coding: LogCoding) -> Self {
        let varied = self.header(header::VARY, HeaderValue::from_static("accept-encoding"));
        let name = match coding {
            LogCoding::Plain => return varied,
            LogCoding::Gzip => "gzip",
            LogCoding::Zstd => "zstd",
        };
        varied.header(header::CONTENT_ENCODING, HeaderValue::from_static(name))
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
                    let name = HeaderValue::from_static("gzip");
                    headers.insert(header::CONTENT_ENCODING, name);
                    Body::from(gzip(bytes).await?)
                }
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}
