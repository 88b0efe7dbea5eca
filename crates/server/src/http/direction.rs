//! Which names a request may use for this server, which pages may send it, and what those of other
//! origins need to read the answers.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use syncline_protocol::ErrorCode;

use super::Contract;
use crate::auth::{AuthMode, Misdirection};
use crate::error::ApiError;
use crate::server::Server;

/// What a page of another origin may read of an answer beside its body.
const EXPOSED: &str = "etag, location, retry-after, syncline-ignored, syncline-next-cursor, \
                       syncline-seq, syncline-txid, x-request-id";
/// What such a page may say beside what every page may.
const TAKEN: &str = "accept, authorization, content-type, idempotency-key, if-match, if-none-match, \
                     last-event-id";
/// For how long a browser need not ask again whether it may call; browsers hold none for longer.
const ALLOWED_SECONDS: HeaderValue = HeaderValue::from_static("7200");

/// Refuses what was sent to a name that is none of ours, or by a page that may not call us.
pub(super) fn check(
    server: &Server,
    headers: &HeaderMap,
    contract: Contract,
) -> Result<(), ApiError> {
    let text = |name| {
        headers
            .get(name)
            .map(|value: &HeaderValue| value.to_str().unwrap_or(""))
    };
    // A page that must bring a token of its own can't misuse its reader's.
    let brings_token = !matches!(server.config.auth, AuthMode::None { .. });
    let origin = match contract {
        Contract::Shapes if brings_token => None,
        Contract::Shapes | Contract::Own => text(header::ORIGIN),
    };
    let checked = server.hosts.check(text(header::HOST), origin);
    checked.map_err(|misdirection| match misdirection {
        Misdirection::NoHost => ApiError::bad_request("the request names no Host"),
        Misdirection::Host => ApiError::new(
            ErrorCode::Forbidden,
            "the Host is none of this server's names: use one that it was started with",
        ),
        Misdirection::Origin => ApiError::new(
            ErrorCode::Forbidden,
            "pages of this Origin may not call this server: if they may, start it with `--origin` and the origin",
        ),
    })
}

/// Lets a page of an origin that the server was started with read the answer.
pub(super) fn let_read(server: &Server, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
    let is_let = |origin: &&HeaderValue| {
        let text = origin.to_str();
        text.is_ok_and(|origin| server.hosts.lets_in(origin))
    };
    let Some(origin) = origin.filter(is_let) else {
        return;
    };
    let exposed = HeaderValue::from_static(EXPOSED);
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    headers.append(header::VARY, HeaderValue::from_static("origin"));
}

/// The answer to a browser that asks, before it sends what a page wants sent, whether that may be;
/// none: the request is no such question. Asked after [`check`].
pub(super) fn preflight(request: &Request<Body>) -> Option<Response> {
    let headers = request.headers();
    let wanted = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD)?;
    if request.method() != Method::OPTIONS || !headers.contains_key(header::ORIGIN) {
        return None;
    }
    let mut answer = StatusCode::NO_CONTENT.into_response();
    let allowed = answer.headers_mut();
    allowed.insert(header::ACCESS_CONTROL_ALLOW_METHODS, wanted.clone());
    let taken = HeaderValue::from_static(TAKEN);
    allowed.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, taken);
    allowed.insert(header::ACCESS_CONTROL_MAX_AGE, ALLOWED_SECONDS);
    Some(answer)
}
