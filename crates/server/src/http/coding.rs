//! How answers are coded on the way: what the caller takes, and the coders.

use std::io::Write;

use axum::http::{HeaderMap, header};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::Semaphore;

use super::zstandard;
use crate::error::ApiError;

/// A longer answer is compressed away from the threads that serve requests.
const COMPRESS_HERE_MAX: usize = 64 << 10;
/// Pages that are compressed as Zstandard at once, over all tenants: each takes 2.6 MB beside its
/// bytes, and a core.
const ZSTD_PAGES_MAX: usize = 8;

static ZSTD_PAGES: Semaphore = Semaphore::const_new(ZSTD_PAGES_MAX);

/// How the bytes of an answer are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Plain,
    Gzip,
}

impl Coding {
    /// What the caller takes: gzip, if it says so and doesn't weigh it with nothing.
    pub(crate) fn accepted(headers: &HeaderMap) -> Self {
        if weight(headers, "gzip") > 0.0 {
            Self::Gzip
        } else {
            Self::Plain
        }
    }
}

/// How what is told of a log in bulk is coded: its pages, and the prepared file. The ids in them are
/// found again only by what looks far back, as Zstandard does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogCoding {
    Plain,
    Gzip,
    Zstd,
}

impl LogCoding {
    /// What the caller weighs most, and Zstandard where it weighs both the same.
    pub(crate) fn accepted(headers: &HeaderMap) -> Self {
        let zstd = weight(headers, "zstd");
        if zstd > 0.0 && zstd >= weight(headers, "gzip") {
            return Self::Zstd;
        }
        match Coding::accepted(headers) {
            Coding::Gzip => Self::Gzip,
            Coding::Plain => Self::Plain,
        }
    }
}

/// How much a caller wants a coding, 0 to 1; nothing where it doesn't name it. A weight that is none
/// counts as not given.
fn weight(headers: &HeaderMap, coding: &str) -> f32 {
    let values = headers.get_all(header::ACCEPT_ENCODING);
    let texts = values.iter().filter_map(|value| value.to_str().ok());
    let mut named = texts.flat_map(|text| text.split(',')).filter_map(|named| {
        let mut parts = named.split(';').map(str::trim);
        (parts.next() == Some(coding)).then(|| parts.next())
    });
    let Some(parameter) = named.next() else {
        return 0.0;
    };
    let weight = parameter.map(|parameter| parameter.replace(' ', ""));
    let weight = weight.and_then(|weight| weight.strip_prefix("q=")?.parse::<f32>().ok());
    weight
        .filter(|weight| (0.0..=1.0).contains(weight))
        .unwrap_or(1.0)
}

/// As gzip, in favour of speed: what is read once, mostly on a fast network.
pub(crate) async fn gzip(bytes: Bytes) -> Result<Bytes, ApiError> {
    if bytes.len() <= COMPRESS_HERE_MAX {
        return gzip_here(&bytes);
    }
    tokio::task::spawn_blocking(move || gzip_here(&bytes))
        .await
        .map_err(ApiError::internal)?
}

fn gzip_here(bytes: &[u8]) -> Result<Bytes, ApiError> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::fast());
    encoder.write_all(bytes).map_err(ApiError::internal)?;
    Ok(encoder.finish().map_err(ApiError::internal)?.into())
}

/// As Zstandard: a page of a log.
pub(crate) async fn zstd(bytes: Bytes) -> Result<Bytes, ApiError> {
    if bytes.len() <= COMPRESS_HERE_MAX {
        return zstd_here(&bytes);
    }
    let turn = ZSTD_PAGES.acquire().await.map_err(ApiError::internal)?;
    let compress = move || {
        let compressed = zstd_here(&bytes);
        // Who asked may be gone by now: what it asked for takes its turn to the end.
        drop(turn);
        compressed
    };
    tokio::task::spawn_blocking(compress)
        .await
        .map_err(ApiError::internal)?
}

fn zstd_here(bytes: &[u8]) -> Result<Bytes, ApiError> {
    Ok(zstandard::compress(bytes)
        .map_err(ApiError::internal)?
        .into())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn an_answer_is_coded_as_its_caller_wants_it_most() {
        use {Coding as Any, LogCoding as Log};
        for (value, any, log) in [
            ("gzip", Any::Gzip, Log::Gzip),
            ("br, gzip;q=0.5", Any::Gzip, Log::Gzip),
            ("gzip; q=0", Any::Plain, Log::Plain),
            ("gzip;q=0.000", Any::Plain, Log::Plain),
            ("br", Any::Plain, Log::Plain),
            ("*", Any::Plain, Log::Plain),
            ("", Any::Plain, Log::Plain),
            ("zstd", Any::Plain, Log::Zstd),
            ("zstd, gzip", Any::Gzip, Log::Zstd),
            ("gzip, deflate, br, zstd", Any::Gzip, Log::Zstd),
            ("gzip;q=0.5, zstd;q=0.500", Any::Gzip, Log::Zstd),
            ("gzip, zstd;q=0.9", Any::Gzip, Log::Gzip),
            ("gzip;q=0.1, zstd ; q=0.2", Any::Gzip, Log::Zstd),
            ("gzip, zstd;q=0", Any::Gzip, Log::Gzip),
            ("gzip;q=0, zstd;q=0.0", Any::Plain, Log::Plain),
            ("gzip;q=0, zstd", Any::Plain, Log::Zstd),
            ("gzip;q=nan, zstd;q=7", Any::Gzip, Log::Zstd),
            ("zstandard, gzips", Any::Plain, Log::Plain),
        ] {
            let accepted = HeaderValue::from_static(value);
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, accepted)]);
            assert_eq!(Any::accepted(&headers), any, "{value:?}");
            assert_eq!(Log::accepted(&headers), log, "{value:?}");
        }
        assert_eq!(Any::accepted(&HeaderMap::new()), Any::Plain);
        assert_eq!(Log::accepted(&HeaderMap::new()), Log::Plain);
    }

    #[tokio::test]
    async fn more_pages_than_are_compressed_at_once_wait_for_their_turn() {
        let page = Bytes::from(vec![b'a'; COMPRESS_HERE_MAX + 1]);
        let pages = (0..3 * ZSTD_PAGES_MAX).map(|_| zstd(page.clone()));
        let compressed = futures_util::future::join_all(pages);
        for compressed in compressed.await {
            let plain = ::zstd::decode_all(&compressed.unwrap()[..]).unwrap();
            assert_eq!(plain, page);
        }
        assert_eq!(ZSTD_PAGES.available_permits(), ZSTD_PAGES_MAX);
    }
}
