//! A request for a shape, from its parameters to its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::Query;
use axum::http::StatusCode;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use syncline_store::shapes::{After, MadeShape};
use tokio::time::Instant;

use super::answer::{self, JSON, Privacy, set};
use super::invalid::Invalid;
use super::live::{Read, Reader, Woken};
use super::log::LogChunk;
use super::offset::Offset;
use super::request::{Live, Parameters, ShapeRequest, SubsetRequest};
use super::resolve::{Naming, Resolved, Unresolved, Who, find_made, resolve};
use super::settings::Deletes;
use super::snapshot::{ChunkBody, ChunkReader};
use super::sse;
use super::subset::{Subset, SubsetRead};
use crate::auth::AuthMode;
use crate::error::ApiError;
use crate::http::{Answer, Call};
use crate::log::Tenant;
use crate::random::random_from;

/// A request on its way through.
struct Asked {
    call: Call,
    tenant: Arc<Tenant>,
    request: ShapeRequest,
    privacy: Privacy,
}

/// How it was asked: what is no GET is not to be kept by caches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    Get,
    Other,
}

/// Counts the requests that are open.
#[derive(Debug, Default)]
pub(crate) struct OpenRequests {
    initial: AtomicUsize,
    existing: AtomicUsize,
}

/// A place among the open requests.
struct Place {
    requests: Arc<OpenRequests>,
    is_initial: bool,
}

impl Place {
    fn count(&self) -> &AtomicUsize {
        if self.is_initial {
            &self.requests.initial
        } else {
            &self.requests.existing
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.count().fetch_sub(1, SeqCst);
    }
}

fn parameters(call: &Call) -> Result<Parameters, Invalid> {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(&call.uri);
    let Query(pairs) = pairs.map_err(|_| Invalid::of("query", "is not percent-encoded UTF-8"))?;
    Ok(pairs.into_iter().collect())
}

/// `GET /v1/shape`.
pub(crate) async fn get(call: Call, method: Reading) -> Result<Answer, ApiError> {
    let request = parameters(&call).and_then(|given| ShapeRequest::read(given, None));
    answered(call, request, method).await
}

/// `POST /v1/shape`.
pub(crate) async fn post(call: Call) -> Result<Answer, ApiError> {
    let body = match body_of(&call) {
        Ok(body) => body,
        Err(refused) => return Ok(refused),
    };
    let request = parameters(&call).and_then(|given| ShapeRequest::read(given, body));
    answered(call, request, Reading::Other).await
}

/// The body's object; none where it is empty.
fn body_of(call: &Call) -> Result<Option<Map<String, Value>>, Answer> {
    let bad = |body: Value| answer::refusal(StatusCode::BAD_REQUEST, &body);
    if call.body.is_empty() {
        return Ok(None);
    }
    match serde_json::from_slice(&call.body) {
        Ok(Value::Object(body)) => Ok(Some(body)),
        Ok(_) => Err(bad(json!({"error": "Request body must be a JSON object"}))),
        Err(error) => Err(bad(json!({
            "error": "Invalid JSON in request body",
            "details": error.to_string(),
        }))),
    }
}

async fn answered(
    call: Call,
    request: Result<ShapeRequest, Invalid>,
    method: Reading,
) -> Result<Answer, ApiError> {
    let request = match request {
        Ok(request) => request,
        Err(invalid) => return Ok(answer::invalid(&invalid)),
    };
    let settings = &call.server.config.shapes;
    let is_initial = request.handle.is_none();
    let requests = Arc::clone(&call.server.shape_requests);
    let place = Place {
        requests,
        is_initial,
    };
    let (limit, kind) = if is_initial {
        (settings.initial_requests_max, "initial")
    } else {
        (settings.existing_requests_max, "existing")
    };
    if place.count().fetch_add(1, SeqCst) >= limit {
        return Ok(answer::overloaded(limit, kind));
    }
    let privacy = match &call.server.config.auth {
        AuthMode::None { .. } => Privacy::Shared,
        _ => Privacy::Private,
    };
    let asked = Asked {
        tenant: call.tenant().await?,
        call,
        request,
        privacy,
    };
    let mut answer = asked.answer().await?;
    if method == Reading::Other && answer.status.is_success() {
        set(&mut answer.headers, "cache-control", "no-cache");
    }
    Ok(answer.held_by(place))
}

/// `DELETE /v1/shape`.
pub(crate) async fn delete(call: Call) -> Result<Answer, ApiError> {
    if call.server.config.shapes.deletes == Deletes::Refused {
        let body = json!({"message": "DELETE not allowed"});
        return Ok(answer::refusal(StatusCode::METHOD_NOT_ALLOWED, &body));
    }
    let request = parameters(&call).and_then(|mut given| {
        // A handle alone is enough to say which.
        given
            .entry("offset".to_owned())
            .or_insert_with(|| "0_inf".to_owned());
        given
            .entry("handle".to_owned())
            .or_insert_with(|| "none".to_owned());
        ShapeRequest::read(given, None)
    });
    let mut request = match request {
        Ok(request) => request,
        Err(invalid) => return Ok(answer::invalid(&invalid)),
    };
    let named = request.handle.take().filter(|handle| handle != "none");
    let tenant = call.tenant().await?;
    let found = match find_made(&tenant, &request, &who(&call)).await {
        Ok((_, found)) => found,
        Err(unresolved) => return refused(unresolved),
    };
    let Some(shape) = found else {
        let body = json!({"message": "No existing shape found"});
        return Ok(answer::refusal(StatusCode::NOT_FOUND, &body));
    };
    if named.is_some_and(|handle| handle != shape.handle) {
        let invalid = Invalid::of("handle", "does not match the shape of this definition");
        return Ok(answer::invalid(&invalid));
    }
    tenant.delete_shape(shape.handle).await?;
    Ok(Answer::whole("", JSON).status(StatusCode::ACCEPTED))
}

fn who(call: &Call) -> Who<'_> {
    Who {
        identity: call.identity(),
        authenticator: &call.server.authenticator,
    }
}

fn refused(unresolved: Unresolved) -> Result<Answer, ApiError> {
    match unresolved {
        Unresolved::Invalid(invalid) => Ok(answer::invalid(&invalid)),
        Unresolved::Refused(refused) => Err(refused.into()),
        Unresolved::Control(error) => Err(error.into()),
    }
}

impl Asked {
    async fn answer(&self) -> Result<Answer, ApiError> {
        let resolved = resolve(&self.tenant, &self.request, &who(&self.call)).await;
        let resolved = match resolved {
            Ok(resolved) => resolved,
            Err(unresolved) => return refused(unresolved),
        };
        if resolved.naming == Naming::Wrong {
            return Ok(self.must_refetch(Some(&resolved.shape.handle)));
        }
        if let Some(subset) = &self.request.subset {
            return self.subset(&resolved, subset).await;
        }
        match self.request.offset {
            Offset::Start => self.snapshot(&resolved, 0).await,
            Offset::Chunk(chunk) if self.request.live == Live::No => {
                self.snapshot(&resolved, chunk.saturating_add(1)).await
            }
            Offset::Now => self.now(&resolved).await,
            Offset::Chunk(_) | Offset::At(..) => self.log(&resolved).await,
        }
    }

    fn must_refetch(&self, handle: Option<&str>) -> Answer {
        answer::must_refetch(self.privacy, handle)
    }

    /// Tells a reader of a shape that is gone which one there is now.
    async fn gone(&self) -> Result<Answer, ApiError> {
        let anew = ShapeRequest {
            handle: None,
            ..self.request.clone()
        };
        match resolve(&self.tenant, &anew, &who(&self.call)).await {
            Ok(resolved) => Ok(self.must_refetch(Some(&resolved.shape.handle))),
            Err(unresolved) => refused(unresolved),
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
        let mut answer = Answer::live(content, content_type);
        self.dress(&mut answer, resolved, end, has);
        answer
    }

    fn dress(&self, answer: &mut Answer, resolved: &Resolved, end: Offset, has: Has) {
        let (request, handle) = (&self.request, &resolved.shape.handle);
        let settings = &self.call.server.config.shapes;
        let headers = &mut answer.headers;
        answer::describe(headers, &resolved.definition, handle);
        set(headers, "electric-offset", &end.to_string());
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
        if request.live != Live::No {
            headers.remove("electric-schema");
            let cursor =
                answer::cursor(since_epoch().as_secs(), settings.long_poll, request.cursor);
            set(headers, "electric-cursor", &cursor.to_string());
        }
        if request.live == Live::Events {
            set(headers, "connection", "keep-alive");
        }
    }

    fn not_modified(&self, resolved: &Resolved, end: Offset) -> Option<Answer> {
        let etag = answer::etag(&resolved.shape.handle, self.request.offset, end);
        if !answer::is_known(&self.call.headers, &etag) {
            return None;
        }
        let mut answer = Answer::live(Body::empty(), JSON).status(StatusCode::NOT_MODIFIED);
        let has = Has {
            data: true,
            all: false,
        };
        self.dress(&mut answer, resolved, end, has);
        Some(answer)
    }

    async fn snapshot(&self, resolved: &Resolved, chunk: u64) -> Result<Answer, ApiError> {
        let end = Offset::Chunk(chunk);
        let bytes_max = self.call.server.config.shapes.chunk_bytes;
        let reader = ChunkReader::begin(
            Arc::clone(&self.tenant),
            Arc::clone(&resolved.definition),
            resolved.shape.clone(),
            chunk,
            bytes_max,
        );
        let Some(reader) = reader.await? else {
            return self.log(resolved).await;
        };
        if let Some(known) = self.not_modified(resolved, end) {
            return Ok(known);
        }
        let has = Has {
            data: true,
            all: false,
        };
        Ok(match reader.body().await? {
            ChunkBody::Gone => return self.gone().await,
            ChunkBody::Whole(bytes) => {
                let mut answer = Answer::whole(bytes, JSON);
                self.dress(&mut answer, resolved, end, has);
                answer
            }
            ChunkBody::Streamed(body) => self.dressed(resolved, end, body, has),
        })
    }

    /// Where the shape stands now, without its rows.
    async fn now(&self, resolved: &Resolved) -> Result<Answer, ApiError> {
        let head = self.tenant.head().await?.cursor.server_seq;
        let end = if head > resolved.shape.start {
            Offset::At(head, None)
        } else {
            Offset::At(syncline_model::ServerSeq::ZERO, None)
        };
        let body = format!("[{}]", super::encode::up_to_date(head));
        let mut answer = Answer::whole(body, JSON);
        let has = Has {
            data: false,
            all: true,
        };
        self.dress(&mut answer, resolved, end, has);
        Ok(answer)
    }

    fn reader(&self, resolved: &Resolved) -> Reader {
        let call = &self.call;
        let head = self.tenant.watch();
        Reader::new(
            &call.server,
            call.identity(),
            &resolved.definition,
            &resolved.shape,
            head,
        )
    }

    /// What comes after a place of the log, waiting for it where that is asked for.
    async fn log(&self, resolved: &Resolved) -> Result<Answer, ApiError> {
        let after = self.request.offset.after(&resolved.shape);
        let mut reader = self.reader(resolved);
        if let Some(refusal) = self.wait_for(after).await? {
            return Ok(refusal);
        }
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

    /// Waits for a place that is not there yet, half as long as for a change; a refusal if it does not
    /// come.
    async fn wait_for(&self, after: After) -> Result<Option<Answer>, ApiError> {
        let mut head = self.tenant.watch();
        if self.tenant.head().await?.cursor.server_seq >= after.seq {
            return Ok(None);
        }
        let half = self.call.server.config.shapes.long_poll / 2;
        let is_there = |head: &Option<syncline_store::Head>| {
            head.is_some_and(|head| head.cursor.server_seq >= after.seq)
        };
        let came = tokio::time::timeout(half, head.wait_for(is_there)).await;
        Ok(match came {
            Ok(Ok(_)) => None,
            Ok(Err(_)) | Err(_) => {
                let invalid = Invalid::of("offset", "out of bounds for this shape");
                Some(answer::invalid(&invalid))
            }
        })
    }

    /// The offset to go on from: the one that was asked for where nothing has come.
    fn end(&self, after: After, chunk: &LogChunk) -> Offset {
        if chunk.changes > 0 || chunk.end != after {
            return Offset::behind(chunk.end);
        }
        let snapshot = Offset::At(syncline_model::ServerSeq::ZERO, None);
        match self.request.offset {
            Offset::Chunk(_) => snapshot,
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
            && let Some(known) = self.not_modified(resolved, end)
        {
            return known;
        }
        let mut body = Vec::with_capacity(chunk.body.len() + 2);
        body.push(b'[');
        body.extend_from_slice(&chunk.body);
        body.push(b']');
        let mut answer = Answer::whole(Bytes::from(body), JSON);
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
        resolved: &Resolved,
        request: &SubsetRequest,
    ) -> Result<Answer, ApiError> {
        let subset = match Subset::of(request, &resolved.definition) {
            Ok(subset) => subset,
            Err(invalid) => return Ok(answer::invalid(&invalid)),
        };
        let (definition, shape) = (Arc::clone(&resolved.definition), resolved.shape.clone());
        let mark = random_from(1, 1 << 31);
        let read = self
            .tenant
            .read(move |file| subset.read(file, &definition, &shape, mark));
        let (body, head) = match read.await? {
            SubsetRead::Body(body, head) => (body, head),
            SubsetRead::Gone => return self.gone().await,
            SubsetRead::TooLarge => {
                let invalid = Invalid::of_subset("order_by", "too many rows to be ordered");
                return Ok(answer::invalid(&invalid));
            }
        };
        let mut answer = Answer::whole(body, JSON);
        let end = self.subset_end(&resolved.shape, head);
        answer::describe(
            &mut answer.headers,
            &resolved.definition,
            &resolved.shape.handle,
        );
        set(&mut answer.headers, "electric-offset", &end.to_string());
        set(&mut answer.headers, "electric-snapshot", "true");
        set(&mut answer.headers, "cache-control", "no-cache");
        answer::vary(&mut answer.headers, self.privacy);
        Ok(answer)
    }

    fn subset_end(&self, shape: &MadeShape, head: syncline_model::ServerSeq) -> Offset {
        if head > shape.start {
            Offset::At(head, None)
        } else {
            Offset::At(syncline_model::ServerSeq::ZERO, None)
        }
    }
}

/// What an answer tells of itself.
#[derive(Debug, Clone, Copy)]
struct Has {
    data: bool,
    /// Whether nothing is left after it.
    all: bool,
}

fn since_epoch() -> std::time::Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}
