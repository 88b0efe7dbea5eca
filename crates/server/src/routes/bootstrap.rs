//! `GET /sync/bootstrap`: the log from its beginning, as pages or as one file.

use std::io::{self, Read};

use axum::body::Body;
use axum::http::{HeaderValue, Method, header};
use bytes::Bytes;
use flate2::read::GzDecoder;
use futures_util::stream;
use syncline_protocol::{BootstrapQuery, Claims};
use syncline_store::PageLimit;
use syncline_store::control::Rights;

use super::pull::note;
use crate::error::ApiError;
use crate::http::{Access, Answer, Call, Coding, Route};
use crate::log::{PreparedFile, Sight};

/// The media type of the prepared tenant file.
const SQLITE: &str = "application/vnd.sqlite3";
/// Bytes read from the file at once.
const CHUNK_BYTES: usize = 256 << 10;

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
    let sight = tenant.sight(|| call.asker()).await?;
    // Who sees a part of the log folds that part: a copy of the file would hold the rest too.
    let sees_all = !matches!(sight, Sight::Part(..));
    if sees_all && accepts.split(',').any(is_sqlite) {
        let file = tenant.prepared().await?;
        // The file may be newer than the schema that let them see all of it.
        if !matches!(tenant.sight_anew(|| call.asker()).await?, Sight::Part(..)) {
            return Ok(file_answer(file, Coding::accepted(&call.headers)));
        }
    }
    let limits = &call.server.config.limits;
    let limit = PageLimit {
        ops: limits.page_ops_for(None),
        bytes: limits.page_bytes,
    };
    let asker = || call.asker();
    let (page, _) = tenant
        .page_as_seen(Claims::default(), limit, None, asker)
        .await?;
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

/// A body that is read chunk by chunk, as fast as it is taken. A thread is busy with it only while
/// it reads: those who take nothing would hold all threads that read for others.
fn chunks(source: impl Read + Send + 'static) -> Body {
    Body::from_stream(stream::unfold(Some(source), |source| async move {
        let mut source = source?;
        let read = tokio::task::spawn_blocking(move || (read_chunk(&mut source), source));
        match read.await {
            Ok((Ok(chunk), _)) if chunk.is_empty() => None,
            Ok((Ok(chunk), source)) => Some((Ok(chunk), Some(source))),
            Ok((Err(error), _)) => Some((Err(error), None)),
            Err(panicked) => Some((Err(io::Error::other(panicked)), None)),
        }
    }))
}

fn read_chunk(source: &mut impl Read) -> io::Result<Bytes> {
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    source.take(CHUNK_BYTES as u64).read_to_end(&mut chunk)?;
    Ok(chunk.into())
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[test]
    fn a_body_that_nobody_takes_holds_no_thread() {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().max_blocking_threads(1).build();
        runtime.unwrap().block_on(async {
            let mut body = chunks(io::repeat(7));
            let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
            assert_eq!(first.len(), CHUNK_BYTES);
            let other = tokio::task::spawn_blocking(|| ());
            let patience = std::time::Duration::from_secs(20);
            let other = tokio::time::timeout(patience, other).await;
            other.expect("the one thread is held").unwrap();
        });
    }

    #[tokio::test]
    async fn a_body_ends_with_its_source_and_tells_of_a_source_that_fails() {
        let read = |source: Box<dyn Read + Send>| chunks(source).collect();
        let bytes = vec![7; 3 * CHUNK_BYTES + 5];
        let whole = read(Box::new(io::Cursor::new(bytes.clone())))
            .await
            .unwrap();
        assert_eq!(whole.to_bytes(), bytes);
        let torn = read(Box::new(GzDecoder::new(&b"no gzip"[..]))).await;
        assert!(torn.is_err());
    }
}
