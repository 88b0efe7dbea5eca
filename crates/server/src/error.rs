//! Errors as answers: a stable code, a sentence that says what and what to do, and the request's id.

use std::error::Error;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use syncline_protocol::{DecodeError, Details, ErrorBody, ErrorCode};
use syncline_store::control::ControlError;

use crate::auth::Allowance;
use crate::http::RequestId;
use crate::tenant::Refused;

/// Why a request is not answered as it asked.
#[derive(Debug)]
pub(crate) struct ApiError(Box<ErrorParts>);

/// What an error consists of.
#[derive(Debug)]
pub(crate) struct ErrorParts {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
    pub(crate) details: Details,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) allowance: Option<Allowance>,
    /// The methods that the path takes, where it does not take the request's.
    pub(crate) allow: Option<HeaderValue>,
    /// Fields beside `error`, where a contract asks for them.
    pub(crate) beside: Map<String, Value>,
    /// What lies behind it: for the server's log, never for the caller.
    pub(crate) source: Option<Box<dyn Error + Send + Sync>>,
}

impl ApiError {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(Box::new(ErrorParts {
            code,
            message: message.into(),
            details: Details::None,
            retry_after: None,
            allowance: None,
            allow: None,
            beside: Map::new(),
            source: None,
        }))
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadRequest, message)
    }

    /// A field that can be read, and whose value is not allowed.
    pub(crate) fn invalid_field(field: &str, message: impl Into<String>) -> Self {
        let message: String = message.into();
        Self::new(ErrorCode::InvalidField, format!("{field}: {message}"))
            .details(json!({"field": field}))
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(ErrorCode::NotFound, format!("there is no such {what}"))
    }

    /// A failure of the server itself; the caller learns that, and no more.
    pub(crate) fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let message = "the server has failed; its log has the cause under this request id";
        let mut error = Self::new(ErrorCode::Internal, message);
        error.source = Some(source.into());
        error
    }

    pub(crate) fn unavailable(message: &str, retry_after: Duration) -> Self {
        let mut error = Self::new(ErrorCode::Unavailable, message);
        error.retry_after = Some(retry_after);
        error
    }

    #[must_use]
    pub(crate) fn details(mut self, details: Value) -> Self {
        self.details = Details::Other(details.to_string());
        self
    }

    #[must_use]
    pub(crate) fn beside(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.beside.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The causes, outermost first, in one line for the log.
    pub(crate) fn causes(&self) -> Option<String> {
        let source: &(dyn Error + 'static) = &**self.source.as_ref()?;
        let chain = std::iter::successors(Some(source), |&error| error.source());
        let chain: Vec<_> = chain.map(ToString::to_string).collect();
        Some(chain.join(": "))
    }
}

impl Deref for ApiError {
    type Target = ErrorParts;
    fn deref(&self) -> &ErrorParts {
        &self.0
    }
}

impl DerefMut for ApiError {
    fn deref_mut(&mut self) -> &mut ErrorParts {
        &mut self.0
    }
}

impl From<DecodeError> for ApiError {
    fn from(error: DecodeError) -> Self {
        let chain = std::iter::successors(error.source(), |&cause| cause.source());
        let message = chain.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
        Self::new(error.code(), message)
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        let mut error = Self::new(refused.code(), refused.advice());
        error.details = refused.details();
        error.retry_after = refused.retry_after();
        if refused.code().status() >= 500 {
            error.source = Some(Box::new(refused));
        }
        error
    }
}

impl From<ControlError> for ApiError {
    fn from(error: ControlError) -> Self {
        let mut answer = Self::unavailable(
            "the control file can't be read or written; try again",
            Duration::from_secs(1),
        );
        answer.source = Some(Box::new(error));
        answer
    }
}

/// Which contract an error's body follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorShape {
    Plain,
    /// `/api/threads*`: also `detail`, a string.
    WithDetail,
    /// `/v1/*`: also `message`, a string.
    WithMessage,
}

/// What clients of shapes know as a body that is too long.
const BODY_TOO_LARGE: &str = "Request body too large";
/// What clients of shapes know as a missing or wrong credential.
const UNKNOWN_SECRET: &str = "Unauthorized - Invalid API secret";

/// An error on its way out.
pub(crate) struct ErrorAnswer {
    pub(crate) error: ApiError,
    pub(crate) request_id: RequestId,
    pub(crate) shape: ErrorShape,
}

impl IntoResponse for ErrorAnswer {
    fn into_response(self) -> Response {
        let Self {
            error,
            request_id,
            shape,
        } = self;
        let status = error.status();
        let error = *error.0;
        let body = ErrorBody::new(error.code, error.message.clone(), request_id.as_str());
        let mut text = body.with_details(error.details).encode();
        if shape != ErrorShape::Plain || !error.beside.is_empty() {
            let is_unknown = error.code == ErrorCode::Unauthorized;
            let message = match shape {
                ErrorShape::WithMessage if is_unknown => UNKNOWN_SECRET.to_owned(),
                _ => error.message,
            };
            let mut beside = error.beside;
            if shape == ErrorShape::WithMessage && error.code == ErrorCode::PayloadTooLarge {
                beside.insert("error".to_owned(), BODY_TOO_LARGE.into());
                beside.insert("code".to_owned(), error.code.as_str().into());
            }
            text = with_fields(&text, shape, message, beside);
        }
        let mut response = (status, text).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if let Some(after) = error.retry_after {
            headers.insert(header::RETRY_AFTER, whole_seconds(after).into());
        }
        if let Some(allowance) = error.allowance {
            add_allowance(headers, allowance);
        }
        if let Some(allow) = error.allow {
            headers.insert(header::ALLOW, allow);
        }
        if error.code == ErrorCode::Unauthorized {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"syncline\""),
            );
        }
        response
    }
}

/// Adds the fields that stand beside `error`.
fn with_fields(
    body: &[u8],
    shape: ErrorShape,
    message: String,
    beside: Map<String, Value>,
) -> Vec<u8> {
    let mut fields: Map<String, Value> =
        serde_json::from_slice(body).expect("an error's body is an object, written just now");
    let name = match shape {
        ErrorShape::Plain => None,
        ErrorShape::WithDetail => Some("detail"),
        ErrorShape::WithMessage => Some("message"),
    };
    if let Some(name) = name {
        fields.insert(name.to_owned(), message.into());
    }
    fields.extend(beside);
    Value::Object(fields).to_string().into_bytes()
}

/// Writes what a caller has left of a rate.
pub(crate) fn add_allowance(headers: &mut axum::http::HeaderMap, allowance: Allowance) {
    headers.insert("ratelimit-limit", allowance.limit.into());
    headers.insert("ratelimit-remaining", allowance.remaining.into());
    headers.insert("ratelimit-reset", whole_seconds(allowance.reset).into());
    if let Some(after) = allowance.retry_after {
        headers.insert(header::RETRY_AFTER, whole_seconds(after).into());
    }
}

/// Rounded up: a caller that waits so long is not early.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
