//! A request for a shape, from its parameters to its answer.

mod answers;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use axum::extract::Query;
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::answer::{self, JSON, Privacy, set};
use super::invalid::Invalid;
use super::request::{Parameters, ShapeRequest};
use super::resolve::{Unresolved, Who, find_made};
use super::settings::Deletes;
use crate::auth::AuthMode;
use crate::error::ApiError;
use crate::http::{Answer, Call};

/// A request on its way through.
struct Asked {
    call: Call,
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
        Err(refused) => return Ok(*refused),
    };
    let request = parameters(&call).and_then(|given| ShapeRequest::read(given, body));
    answered(call, request, Reading::Other).await
}

/// The body's object; none where it is empty.
fn body_of(call: &Call) -> Result<Option<Map<String, Value>>, Box<Answer>> {
    let bad = |body: Value| Box::new(answer::refusal(StatusCode::BAD_REQUEST, &body));
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
    let privacy = privacy_of(&call);
    let tenant = call.tenant().await?;
    let asked = Asked {
        call,
        request,
        privacy,
    };
    let mut answer = asked.answer(tenant).await?;
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
    let request = parameters(&call).and_then(ShapeRequest::of_shape);
    let mut request = match request {
        Ok(request) => request,
        Err(invalid) => return Ok(answer::invalid(&invalid)),
    };
    let named = request.handle.take();
    let tenant = call.tenant().await?;
    let found = match find_made(&tenant, &request, &who(&call)).await {
        Ok((_, found)) => found,
        Err(unresolved) => return refused(unresolved, privacy_of(&call)),
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
    let mut answer = Answer::whole("", JSON).status(StatusCode::ACCEPTED);
    set(&mut answer.headers, "cache-control", "no-cache");
    Ok(answer)
}

fn privacy_of(call: &Call) -> Privacy {
    match &call.server.config.auth {
        AuthMode::None { .. } => Privacy::Shared,
        _ => Privacy::Private,
    }
}

fn who(call: &Call) -> Who<'_> {
    Who {
        identity: call.identity(),
        authenticator: &call.server.authenticator,
    }
}

fn refused(unresolved: Unresolved, privacy: Privacy) -> Result<Answer, ApiError> {
    match unresolved {
        Unresolved::Invalid(invalid) => Ok(answer::invalid(&invalid)),
        Unresolved::Outdated => Ok(answer::must_refetch(privacy, None)),
        Unresolved::Refused(refused) => Err(refused.into()),
        Unresolved::Control(error) => Err(error.into()),
    }
}
