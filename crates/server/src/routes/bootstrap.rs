//! `GET /sync/bootstrap`: the log from its beginning, as pages or as one file.

use std::io::{self, Read};

use axum::body::Body;
use axum::http::{HeaderValue, Method, header};
use bytes::Bytes;
use flate2::read::GzDecoder;
use syncline_protocol::{BootstrapQuery, Claims};
use syncline_store::PageLimit;
use syncline_store::control::Rights;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::pull::note;
use crate::error::ApiError;
use crate::http::{Access, Answer, Call, Coding, Route};
use crate::log::PreparedFile;

/// The media type of the prepared tenant file.
const SQLITE: &str = "application/vnd.sqlite3";
/// Bytes read from the file at once.
const CHUNK_BYTES: usize = 256 << 10;
/// Chunks that wait for a slow reader.
const CHUNKS_MAX: usize = 4;

pub(super) fn routes() -> Vec<Route> {
    let access = Access::Needs(Rights::Read);
    let summary = "Answers the log from place 0: its first page, or with Accept: \
                   application/vnd.sqlite3 the prepared tenant file.";
    vec![
        Route::new(Method::GET, "/sync/bootstrap", access, summary, |call| {
            Box::pin(bootstrap(call))
        })
        .query(&[("clientId", "Who asks.")]),
    ]
}

async fn bootstrap(call: Call) -> Result<Answer, ApiError> {
    let query = BootstrapQuery::parse(call.query())?;
    let tenant = call.tenant().await?;
    let accepts = call.header(header::ACCEPT).unwrap_or_default();
    if accepts.split(',').any(is_sqlite) {
        let file = tenant.prepared().await?;
        return Ok(file_answer(file, Coding::accepted(&call.headers)));
    }
    let limits = &call.server.config.limits;
    let limit = PageLimit {
        ops: limits.page_ops_for(None),
        bytes: limits.page_bytes,
    };
    let page = tenant.page(Claims::default(), limit).await?;
    note(&call, &tenant, query.client_id, &Claims::default());
    page.answer(Coding::accepted(&call.headers)).await
}

fn is_sqlite(accepted: &str) -> bool {
    accepted.split(';').next().map(str::trim) == Some(SQLITE)
}

/// The file as it stands on the disk, or expanded for who doesn't take gzip.
fn file_answer(prepared: PreparedFile, coding: Coding) -> Answer {
    let PreparedFile {
        file,
        bytes,
        cursor,
    } = prepared;
    let place = HeaderValue::from(cursor.server_seq.get());
    let body = match coding {
        Coding::Gzip => chunks(file),
        Coding::Plain => chunks(GzDecoder::new(file)),
    };
    let answer = Answer::live(body, SQLITE).header(
        header::HeaderName::from_static("syncline-server-seq"),
        place,
    );
    match coding {
        Coding::Plain => answer,
        Coding::Gzip => answer
            .coded_as_gzip()
            .header(header::CONTENT_LENGTH, HeaderValue::from(bytes)),
    }
}

/// A body that is read chunk by chunk, as fast as it is taken.
fn chunks(mut source: impl Read + Send + 'static) -> Body {
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(CHUNKS_MAX);
    tokio::task::spawn_blocking(move || {
        loop {
            let chunk = read_chunk(&mut source);
            let is_last = chunk.as_ref().map_or(true, Bytes::is_empty);
            if chunk.as_ref().is_ok_and(Bytes::is_empty) {
                break;
            }
            // Whoever took the chunks has gone.
            if sender.blocking_send(chunk).is_err() || is_last {
                break;
            }
        }
    });
    Body::from_stream(ReceiverStream::new(receiver).fuse())
}

fn read_chunk(source: &mut impl Read) -> io::Result<Bytes> {
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    source.take(CHUNK_BYTES as u64).read_to_end(&mut chunk)?;
    Ok(chunk.into())
}
