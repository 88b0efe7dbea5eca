//! The answer to a request whose shape is found.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use syncline_model::{Cursor, ServerSeq};
use syncline_store::Head;
use syncline_store::shapes::{After, MadeShape};
use tokio::sync::watch;
use tokio::time::Instant;

use super::super::answer::{self, JSON, set};
use super::super::encode::up_to_date;
use super::super::invalid::Invalid;
use super::super::live::{Read, Reader, Woken};
use super::super::log::LogChunk;
use super::super::offset::Offset;
use super::super::request::{Live, ShapeRequest, SubsetRequest};
use super::super::resolve::{Naming, Resolved, Unresolved, resolve};
use super::super::snapshot::{ChunkBody, ChunkReader};
use super::super::sse;
use super::super::subset::{Subset, SubsetRead};
use super::{Asked, refused, who};
use crate::error::ApiError;
use crate::http::is_known;
use crate::http::{Answer, Coding, Content};
use crate::log::Tenant;
use crate::random::random_from;

impl Asked {
    pub(super) async fn answer(&self, tenant: Arc<Tenant>) -> Result<Answer, ApiError> {
        let resolved = resolve(&tenant, &self.request, &who(&self.call)).await;
        let resolved = match resolved {
            Ok(resolved) => resolved,
            Err(unresolved) => return refused(unresolved, self.privacy),
        };
        if resolved.naming == Naming::Wrong {
            return Ok(self.must_refetch(Some(&resolved.shape.handle)));
        }
        if let Some(subset) = &self.request.subset {
            return self.subset(&tenant, &resolved, subset).await;
        }
        match self.request.offset {
            Offset::Start => self.snapshot(tenant, &resolved, 0).await,
            Offset::Chunk(chunk) if self.request.live == Live::No => {
                self.snapshot(tenant, &resolved, chunk.saturating_add(1))
                    .await
            }
            Offset::Now => self.now(&tenant, &resolved).await,
            Offset::Chunk(_) | Offset::At(..) => self.log(tenant, &resolved).await,
        }
    }

    fn must_refetch(&self, handle: Option<&str>) -> Answer {
        answer::must_refetch(self.privacy, handle)
    }

    /// Tells a reader of a shape that is gone which one there is now.
    async fn gone(&self) -> Result<Answer, ApiError> {
        let tenant = self.call.tenant().await?;
        let anew = ShapeRequest {
            handle: None,
            ..self.request.clone()
        };
        match resolve(&tenant, &anew, &who(&self.call)).await {
            Ok(resolved) => Ok(self.must_refetch(Some(&resolved.shape.handle))),
            // Without a handle, as one who asks anew, they are told what is wrong.
            Err(Unresolved::Invalid(_)) => Ok(self.must_refetch(None)),
            Err(unresolved) => refused(unresolved, self.privacy),
        }
    }

    /// The headers that every answer with a body has; none where the asker has this answer already.
    fn dressed(&self, resolved: &Resolved, end: Offset, content: Body, has: Has) -> Answer {
        let live = self.request.live;
        let content_type = if live == Live::Events {
            "text/event-stream"
        } else {
            JSON
        };
        let mut answer = Answer::with_room(HEADERS, Content::Live(content), content_type);
        self.dress(&mut answer, resolved, end, has);
        answer
    }

    fn dress(&self, answer: &mut Answer, resolved: &Resolved, end: Offset, has: Has) {
        let (request, handle) = (&self.request, &resolved.shape.handle);
        let settings = &self.call.server.config.shapes;
        let headers = &mut answer.headers;
        set(headers, "electric-handle", handle);
        // The reader of a stream takes this place at once, but what the stream holds only when it is told
        // that it is up to date: where the connection breaks between, it goes on from where it asked.
        let place = match request.live {
            Live::Events => request.offset,
            Live::No | Live::Poll => end,
        };
        set(headers, "electric-offset", &place.to_string());
        set(
            headers,
            "electric-has-data",
            if has.data { "true" } else { "false" },
        );
        if has.all {
            set(headers, "electric-up-to-date", "");
        }
        let kept = answer::cache_control(settings, self.privacy, request.offset, request.live);
        set(headers, "cache-control", &kept);
        answer::vary(headers, self.privacy);
        let mut etag = answer::etag(handle, request.offset, end);
        if !has.data && has.all {
            // Never the same again: what is not there now may be later.
            etag.push_str(&format!(":{}", since_epoch().as_nanos()));
        }
        set(headers, "etag", &format!("\"{etag}\""));
        if request.live == Live::No {
            answer::describe(headers, &resolved.definition);
        } else {
            let cursor =
                answer::cursor(since_epoch().as_secs(), settings.long_poll, request.cursor);
            set(headers, "electric-cursor", &cursor.to_string());
        }
        if request.live == Live::Events {
            set(headers, "connection", "keep-alive");
        }
    }

    fn not_modified(&self, resolved: &Resolved, end: Offset, has: Has) -> Option<Answer> {
        if !self.call.headers.contains_key(header::IF_NONE_MATCH) {
            return None;
        }
        let etag = answer::etag(&resolved.shape.handle, self.request.offset, end);
        if !is_known(&self.call.headers, &etag) {
            return None;
        }
        let content = Content::Live(Body::empty());
        let mut answer = Answer::with_room(HEADERS, content, JSON).status(StatusCode::NOT_MODIFIED);
        self.dress(&mut answer, resolved, end, has);
        Some(answer)
    }

    async fn snapshot(
        &self,
        tenant: Arc<Tenant>,
        resolved: &Arc<Resolved>,
        chunk: u64,
    ) -> Result<Answer, ApiError> {
        let end = Offset::Chunk(chunk);
        let bytes_max = self.call.server.config.shapes.chunk_bytes;
        let reader = ChunkReader::begin(
            Arc::clone(&tenant),
            Arc::clone(&resolved.definition),
            resolved.shape.clone(),
            chunk,
            bytes_max,
        );
        let Some(reader) = reader.await? else {
            return self.log(tenant, resolved).await;
        };
        let has = Has {
            data: true,
            all: false,
        };
        if let Some(known) = self.not_modified(resolved, end, has) {
            return Ok(known);
        }
        let coding = Coding::accepted(&self.call.headers);
        Ok(match reader.body(coding).await? {
            ChunkBody::Gone => return self.gone().await,
            ChunkBody::Whole(bytes) => {
                let mut answer = Answer::with_room(HEADERS, Content::Whole(bytes), JSON);
                self.dress(&mut answer, resolved, end, has);
                answer
            }
            ChunkBody::Streamed(body) => {
                let mut answer = self.dressed(resolved, end, body, has);
                let vary = HeaderValue::from_static("accept-encoding");
                answer.headers.append(header::VARY, vary);
                if coding == Coding::Gzip {
                    set(&mut answer.headers, "content-encoding", "gzip");
                }
                answer
            }
        })
    }

    /// Where the shape stands now, without its rows.
    async fn now(&self, tenant: &Tenant, resolved: &Resolved) -> Result<Answer, ApiError> {
        let head = tenant.head().await?.cursor;
        let end = behind_all(&resolved.shape, head);
        let body = format!("[{}]", up_to_date(head.server_seq));
        let mut answer = Answer::with_room(HEADERS, Content::Whole(body.into()), JSON);
        let has = Has {
            data: false,
            all: true,
        };
        self.dress(&mut answer, resolved, end, has);
        Ok(answer)
    }

    fn reader(&self, tenant: &Tenant, resolved: &Arc<Resolved>) -> Reader {
        let call = &self.call;
        let live = self.request.live;
        Reader::new(&call.server, call.identity(), resolved, live, tenant)
    }

    /// What comes after a place of the log, waiting for it where that is asked for. Who waits holds no
    /// open file.
    async fn log(&self, tenant: Arc<Tenant>, resolved: &Arc<Resolved>) -> Result<Answer, ApiError> {
        let after = self.request.offset.after(&resolved.shape);
        let mut reader = self.reader(&tenant, resolved);
        if tenant.head().await?.cursor.server_seq < after.seq
            && let Some(answer) = self.wait_for(tenant.watch(), &mut reader, after).await?
        {
            return Ok(answer);
        }
        drop(tenant);
        let settings = &self.call.server.config.shapes;
        let until = Instant::now() + settings.long_poll;
        let mut is_last = self.request.live != Live::Poll;
        loop {
            let chunk = match reader.read(after).await? {
                Read::Chunk(chunk) => chunk,
                Read::Gone => return self.gone().await,
            };
            if self.request.live == Live::Events {
                return Ok(self.events(resolved, reader, after, &chunk));
            }
            if chunk.changes > 0 || is_last {
                return Ok(self.chunk(resolved, after, &chunk));
            }
            match reader.wait(until).await {
                Woken::Moved => {}
                // Read once more: the head that is told must not be beyond what was looked at.
                Woken::TimedOut | Woken::Ended => is_last = true,
            }
        }
    }

    /// Waits for a place that is not there yet, half as long as for a change; an answer if it does not
    /// come, or the shape goes meanwhile.
    async fn wait_for(
        &self,
        mut head: watch::Receiver<Option<Head>>,
        reader: &mut Reader,
        after: After,
    ) -> Result<Option<Answer>, ApiError> {
        let until = Instant::now() + self.call.server.config.shapes.long_poll / 2;
        loop {
            if let Read::Gone = reader.read(after).await? {
                return self.gone().await.map(Some);
            }
            let is_there =
                |head: &Option<Head>| head.is_some_and(|head| head.cursor.server_seq >= after.seq);
            tokio::select! {
                came = head.wait_for(is_there) => if came.is_ok() {
                    return Ok(None);
                },
                woken = reader.wait(until) => match woken {
                    Woken::Moved => continue,
                    Woken::TimedOut | Woken::Ended => {}
                },
            }
            let invalid = Invalid::of("offset", "out of bounds for this shape");
            return Ok(Some(answer::invalid(&invalid)));
        }
    }

    /// The offset to go on from: the one that was asked for where nothing has come.
    fn end(&self, after: After, chunk: &LogChunk) -> Offset {
        if chunk.changes > 0 || chunk.end != after {
            return Offset::behind(chunk.end, chunk.check);
        }
        match self.request.offset {
            Offset::Chunk(_) => SNAPSHOT_END,
            other => other,
        }
    }

    fn chunk(&self, resolved: &Resolved, after: After, chunk: &LogChunk) -> Answer {
        let end = self.end(after, chunk);
        let has = Has {
            data: chunk.changes > 0,
            all: chunk.is_up_to_date,
        };
        if has.data
            && let Some(known) = self.not_modified(resolved, end, has)
        {
            return known;
        }
        let content = Content::Whole(chunk.list.clone());
        let mut answer = Answer::with_room(HEADERS, content, JSON);
        self.dress(&mut answer, resolved, end, has);
        answer
    }

    fn events(
        &self,
        resolved: &Resolved,
        reader: Reader,
        after: After,
        first: &LogChunk,
    ) -> Answer {
        let settings = &self.call.server.config.shapes;
        let end = self.end(after, first);
        let has = Has {
            data: first.changes > 0,
            all: first.is_up_to_date,
        };
        let body = sse::body(reader, first, settings.stream, settings.keep_alive);
        self.dressed(resolved, end, body, has)
    }

    async fn subset(
        &self,
        tenant: &Tenant,
        resolved: &Resolved,
        request: &SubsetRequest,
    ) -> Result<Answer, ApiError> {
        let subset = match Subset::of(request, &resolved.definition) {
            Ok(subset) => subset,
            Err(invalid) => return Ok(answer::invalid(&invalid)),
        };
        let (definition, shape) = (Arc::clone(&resolved.definition), resolved.shape.clone());
        let mark = random_from(1, 1 << 31);
        let bytes_max = self.call.server.config.shapes.subset_bytes;
        let read =
            tenant.read(move |file| subset.read(file, &definition, &shape, (mark, bytes_max)));
        let (body, head) = match read.await? {
            SubsetRead::Body(body, head) => (body, head),
            SubsetRead::Gone => return self.gone().await,
            SubsetRead::TooLarge => {
                let message = format!(
                    "the rows to hold for this come to more than {bytes_max} bytes: ask for fewer, or take \
                     the whole shape"
                );
                return Ok(answer::invalid(&Invalid::of_subset("where", message)));
            }
        };
        let mut answer = Answer::whole(body, JSON);
        let end = behind_all(&resolved.shape, head);
        answer::describe(&mut answer.headers, &resolved.definition);
        set(
            &mut answer.headers,
            "electric-handle",
            &resolved.shape.handle,
        );
        set(&mut answer.headers, "electric-offset", &end.to_string());
        set(&mut answer.headers, "electric-snapshot", "true");
        set(&mut answer.headers, "cache-control", "no-cache");
        answer::vary(&mut answer.headers, self.privacy);
        Ok(answer)
    }
}

/// Behind the snapshot.
const SNAPSHOT_END: Offset = Offset::At(ServerSeq::ZERO, None, None);

/// Behind everything that a shape holds where the log stands there.
fn behind_all(shape: &MadeShape, head: Cursor) -> Offset {
    if head.server_seq > shape.start {
        Offset::behind_all(head)
    } else {
        SNAPSHOT_END
    }
}

/// Headers that an answer gets here and on its way out: room for them is made at once.
const HEADERS: usize = 18;

/// What an answer tells of itself.
#[derive(Debug, Clone, Copy)]
struct Has {
    data: bool,
    /// Whether nothing is left after it.
    all: bool,
}

fn since_epoch() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}
