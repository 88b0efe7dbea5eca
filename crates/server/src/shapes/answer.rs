//! The headers of answers: what clients go on by, and what caches may do.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::Value;

use super::definition::Definition;
use super::invalid::Invalid;
use super::offset::Offset;
use super::request::Live;
use super::settings::ShapeSettings;
use crate::http::Answer;
use crate::random::random_from;

pub(super) const JSON: &str = "application/json; charset=utf-8";
const SERVER: &str = concat!("ElectricSQL/syncline-", env!("CARGO_PKG_VERSION"));
const EXPOSED: &str = "electric-cursor,electric-handle,electric-has-data,electric-offset,\
     electric-schema,electric-up-to-date,electric-internal-known-error,retry-after";
/// The second from which cursors count: 2024-10-09T00:00Z.
const CURSOR_EPOCH_SECONDS: u64 = 1_728_432_000;

/// Whether answers may be kept by caches that many share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Privacy {
    /// Everybody is answered alike.
    Shared,
    /// It was asked for with a credential.
    Private,
}

impl Privacy {
    fn word(self) -> &'static str {
        match self {
            Self::Shared => "public",
            Self::Private => "private",
        }
    }
}

pub(super) fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// How long what was asked for may be kept.
pub(super) fn cache_control(
    settings: &ShapeSettings,
    privacy: Privacy,
    offset: Offset,
    live: Live,
) -> String {
    let word = privacy.word();
    match (offset, live) {
        (Offset::Start, _) if privacy == Privacy::Shared => {
            "public, max-age=604800, s-maxage=3600, stale-while-revalidate=2629746".to_owned()
        }
        (Offset::Start, _) => "private, max-age=604800, stale-while-revalidate=2629746".to_owned(),
        (_, Live::Poll) => format!("{word}, max-age=5, stale-while-revalidate=5"),
        (_, Live::Events) => {
            let seconds = settings.stream.as_secs().saturating_sub(1);
            format!("{word}, max-age={seconds}")
        }
        (_, Live::No) => {
            let (age, stale) = (
                settings.cache_max_age.as_secs(),
                settings.cache_stale_age.as_secs(),
            );
            format!("{word}, max-age={age}, stale-while-revalidate={stale}")
        }
    }
}

/// Marks what the answer depends on beside its address.
pub(super) fn vary(headers: &mut HeaderMap, privacy: Privacy) {
    if privacy == Privacy::Private {
        headers.append(header::VARY, HeaderValue::from_static("authorization"));
    }
}

/// What keeps live requests of one time together, and those after it apart.
pub(super) fn cursor(now_seconds: u64, long_poll: Duration, given: Option<u64>) -> u64 {
    let step = long_poll.as_secs().max(1);
    let since = now_seconds.saturating_sub(CURSOR_EPOCH_SECONDS);
    let next = since.div_ceil(step) * step;
    match given {
        Some(given) if next <= given => given.saturating_add(random_from(1, 3_600)),
        Some(_) | None => next,
    }
}

/// What names the state of an answer, for who has it already.
pub(super) fn etag(handle: &str, asked: Offset, answered: Offset) -> String {
    format!("{handle}:{asked}:{answered}")
}

/// An answer that tells of a shape.
pub(super) fn describe(headers: &mut HeaderMap, definition: &Definition) {
    set(headers, "electric-schema", &ascii(&definition.schema()));
}

/// JSON in which everything beyond ASCII is escaped: a header can't hold it otherwise.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for char in json.chars() {
        if char.is_ascii() {
            text.push(char);
        } else {
            let mut units = [0; 2];
            for unit in char.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text
}

/// A refusal with a JSON body.
pub(super) fn refusal(status: StatusCode, body: &Value) -> Answer {
    let mut answer = Answer::whole(body.to_string(), JSON).status(status);
    set(&mut answer.headers, "cache-control", "no-store");
    set(&mut answer.headers, "surrogate-control", "no-store");
    answer
}

pub(super) fn invalid(invalid: &Invalid) -> Answer {
    refusal(StatusCode::BAD_REQUEST, &invalid.body())
}

/// Tells the asker to begin anew, with the shape that it means now if there is one.
pub(super) fn must_refetch(privacy: Privacy, handle: Option<&str>) -> Answer {
    let body = "[{\"headers\":{\"control\":\"must-refetch\"}}]";
    let mut answer = Answer::whole(body, JSON).status(StatusCode::CONFLICT);
    let age = if handle.is_some() { 60 } else { 1 };
    let kept = format!("{}, max-age={age}, must-revalidate", privacy.word());
    set(&mut answer.headers, "cache-control", &kept);
    vary(&mut answer.headers, privacy);
    if let Some(handle) = handle {
        set(&mut answer.headers, "electric-handle", handle);
    }
    answer
}

/// Asks to come back later: too many readers are served as it is.
pub(super) fn overloaded(limit: usize, kind: &str) -> Answer {
    let message =
        format!("Concurrent {kind} request limit exceeded (limit: {limit}), please retry");
    let body = serde_json::json!({
        "code": "concurrent_request_limit_exceeded",
        "message": message,
    });
    let mut answer = refusal(StatusCode::SERVICE_UNAVAILABLE, &body);
    let seconds = random_from(5, 6).to_string();
    set(&mut answer.headers, "retry-after", &seconds);
    set(&mut answer.headers, "electric-internal-known-error", "true");
    answer
}

/// Adds what pages of other origins need to read an answer.
pub(crate) fn add_cors(headers: &mut HeaderMap, origin: Option<&HeaderValue>, path: &str) {
    if origin.is_some() {
        // A cache is not to give one page the answer that names another's origin.
        headers.append(header::VARY, HeaderValue::from_static("origin"));
    }
    let origin = origin.cloned().unwrap_or(HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    let methods = if path.ends_with("/shape") {
        "GET, POST, HEAD, DELETE, OPTIONS"
    } else {
        "GET, HEAD"
    };
    for (name, value) in [
        ("access-control-allow-methods", methods),
        ("access-control-expose-headers", EXPOSED),
        ("electric-server", SERVER),
        // Its reader sees by which protocol it came, and so how many it may ask for at a time.
        ("timing-allow-origin", "*"),
    ] {
        let value = HeaderValue::from_static(value);
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// Answers a page that asks whether it may ask.
pub(crate) fn preflight(asked: Option<&str>) -> Answer {
    const TAKEN: &[&str] = &[
        "authorization",
        "content-type",
        "if-none-match",
        "traceparent",
    ];
    let asked = asked
        .unwrap_or_default()
        .split(',')
        .map(|name| name.trim().to_lowercase());
    let taken: Vec<_> = asked
        .filter(|name| TAKEN.contains(&name.as_str()))
        .collect();
    let mut answer = Answer::whole("", JSON).status(StatusCode::NO_CONTENT);
    answer.headers.remove(header::CONTENT_TYPE);
    set(&mut answer.headers, "access-control-max-age", "86400");
    set(&mut answer.headers, "connection", "keep-alive");
    if !taken.is_empty() {
        set(
            &mut answer.headers,
            "access-control-allow-headers",
            &taken.join(","),
        );
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_fall_on_the_ends_of_polls_and_always_rise() {
        let poll = Duration::from_secs(20);
        let at = |seconds, given| cursor(CURSOR_EPOCH_SECONDS + seconds, poll, given);
        assert_eq!(at(1, None), 20);
        assert_eq!(at(20, None), 20);
        assert_eq!(at(21, Some(20)), 40);
        assert_eq!(at(21, Some(u64::MAX)), u64::MAX);
        let beyond = at(15, Some(20));
        assert!((21..=3_620).contains(&beyond), "{beyond}");
    }
}
