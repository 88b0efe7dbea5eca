//! `GET /sync/bootstrap`: the log from its beginning, as pages or as one file.

use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Method, header};
use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzEncoder;
use futures_util::stream;
use syncline_protocol::{BootstrapQuery, Claims};
use syncline_store::PageLimit;
use syncline_store::control::Rights;
use tokio::sync::{Semaphore, SemaphorePermit, TryAcquireError};

use super::pull::note;
use crate::error::ApiError;
use crate::http::{Access, Answer, Call, LogCoding, Route, zstandard};
use crate::log::{PreparedFile, Sight};

/// The media type of the prepared tenant file.
const SQLITE: &str = "application/vnd.sqlite3";
/// Bytes read from the file at once.
const CHUNK_BYTES: usize = 256 << 10;
/// Prepared files that are on their way to who doesn't take Zstandard: each is expanded as it is
/// taken, which holds its window of 4 MiB for as long.
const EXPANDED_MAX: usize = 32;

static EXPANDED: Semaphore = Semaphore::const_new(EXPANDED_MAX);

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
            return file_answer(file, LogCoding::accepted(&call.headers));
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
    page.answer(LogCoding::accepted(&call.headers)).await
}

fn is_sqlite(accepted: &str) -> bool {
    accepted.split(';').next().map(str::trim) == Some(SQLITE)
}

/// The file as it stands on the disk, or coded anew for who doesn't take Zstandard.
fn file_answer(prepared: PreparedFile, coding: LogCoding) -> Result<Answer, ApiError> {
    let PreparedFile {
        file,
        bytes,
        cursor,
    } = prepared;
    let place = HeaderValue::from(cursor.server_seq.get());
    let answer = |body| {
        Answer::live(body, SQLITE)
            .header(
                header::HeaderName::from_static("syncline-server-seq"),
                place,
            )
            .coded_as(coding)
    };
    let (body, turn) = match coding {
        LogCoding::Zstd => {
            let length = HeaderValue::from(bytes);
            return Ok(answer(chunks(file)).header(header::CONTENT_LENGTH, length));
        }
        LogCoding::Gzip => {
            let (plain, turn) = expanded(file)?;
            (chunks(GzEncoder::new(plain, Compression::fast())), turn)
        }
        LogCoding::Plain => {
            let (plain, turn) = expanded(file)?;
            (chunks(plain), turn)
        }
    };
    Ok(answer(body).held_by(turn))
}

/// What is in the file, and the turn that its reader holds.
fn expanded(
    file: File,
) -> Result<(impl Read + Send + 'static, SemaphorePermit<'static>), ApiError> {
    let turn = EXPANDED.try_acquire().map_err(|refused| match refused {
        TryAcquireError::NoPermits => ApiError::unavailable(
            "the server expands too many prepared files; try again, or accept zstd",
            Duration::from_secs(1),
        ),
        closed @ TryAcquireError::Closed => ApiError::internal(closed),
    })?;
    let plain = zstandard::unpacked(file).map_err(ApiError::internal)?;
    Ok((plain, turn))
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
    use std::io::Seek;

    use flate2::read::GzDecoder;
    use http_body_util::BodyExt;
    use syncline_model::{Cursor, Mark, ServerSeq};
    use syncline_protocol::ErrorCode;

    use super::*;
    use crate::http::Content;

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

    /// A file that was prepared, and what is in it.
    fn prepared() -> (PreparedFile, Vec<u8>) {
        let plain: Vec<u8> = (0..200_000_u32).flat_map(u32::to_be_bytes).collect();
        let length = plain.len() as u64;
        let to = tempfile::tempfile().unwrap();
        let mut file = zstandard::pack(&plain[..], length, to).unwrap();
        let bytes = file.metadata().unwrap().len();
        file.rewind().unwrap();
        let cursor = Cursor {
            server_seq: ServerSeq::ZERO,
            mark: Mark::origin([7; 16]),
        };
        let file = PreparedFile {
            file,
            bytes,
            cursor,
        };
        (file, plain)
    }

    async fn sent(answer: Answer) -> Bytes {
        let Content::Live(body) = answer.content else {
            panic!("a file is sent as it is read")
        };
        body.collect().await.unwrap().to_bytes()
    }

    #[tokio::test]
    async fn a_file_is_sent_as_it_stands_to_all_and_expanded_for_so_many_at_once() {
        let mut expanded = Vec::new();
        for _ in 0..EXPANDED_MAX / 2 {
            for coding in [LogCoding::Gzip, LogCoding::Plain] {
                expanded.push((coding, file_answer(prepared().0, coding).unwrap()));
            }
        }
        for coding in [LogCoding::Gzip, LogCoding::Plain] {
            let refused = file_answer(prepared().0, coding).unwrap_err();
            assert_eq!(refused.code, ErrorCode::Unavailable);
        }
        let (file, plain) = prepared();
        let packed = sent(file_answer(file, LogCoding::Zstd).unwrap()).await;
        assert_eq!(zstd::decode_all(&packed[..]).unwrap(), plain);
        for (coding, answer) in expanded.drain(..2) {
            let bytes = sent(answer).await;
            let mut read = Vec::new();
            match coding {
                LogCoding::Gzip => GzDecoder::new(&bytes[..]).read_to_end(&mut read).unwrap(),
                LogCoding::Plain | LogCoding::Zstd => (&bytes[..]).read_to_end(&mut read).unwrap(),
            };
            assert_eq!(read, plain);
        }
        // Two have been sent, so that two more may be.
        assert_eq!(EXPANDED.available_permits(), 2);
    }

    #[tokio::test]
    async fn a_body_ends_with_its_source_and_tells_of_a_source_that_fails() {
        let read = |source: Box<dyn Read + Send>| chunks(source).collect();
        let bytes = vec![7; 3 * CHUNK_BYTES + 5];
        let whole = read(Box::new(io::Cursor::new(bytes.clone())))
            .await
            .unwrap();
        assert_eq!(whole.to_bytes(), bytes);
        let torn = read(Box::new(zstd::Decoder::new(&b"no zstd"[..]).unwrap())).await;
        assert!(torn.is_err());
    }
}
