//! From a request to its answer: the one way that all routes share.

use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use futures_util::FutureExt;
use syncline_model::Timestamp;
use syncline_protocol::ErrorCode;
use syncline_store::control::Rights;

use super::{
    Access, BodyLimit, BodyRule, Call, Coding, Contract, ReceivedBody, RequestId, Route, direction,
    read_body,
};
use crate::auth::{Allowance, AuthError, Identity, MetricsRefusal, may_read_metrics};
use crate::error::{ApiError, ErrorAnswer, ErrorShape, add_allowance};
use crate::server::{Server, now};
use crate::shapes::{add_cors, secret_of};

/// The router that answers for the whole table.
pub(crate) fn router(server: &Arc<Server>) -> Router {
    let mut router = Router::new();
    for (n, route) in server.routes.iter().enumerate() {
        let method = MethodFilter::try_from(route.method.clone())
            .expect("the table has methods that axum knows");
        let server = Arc::clone(server);
        let answer = move |request| answer(Arc::clone(&server), n, request);
        router = router.route(route.path, on(method, answer));
    }
    let unknown = |code, what: &'static str| {
        let server = Arc::clone(server);
        move |request| refuse(Arc::clone(&server), request, ApiError::new(code, what))
    };
    router
        .fallback(unknown(
            ErrorCode::NotFound,
            "there is no such path: see /openapi.json",
        ))
        .method_not_allowed_fallback(unknown(
            ErrorCode::MethodNotAllowed,
            "the path doesn't take this method: see /openapi.json",
        ))
        // Without this each request would have its handler made anew.
        .with_state(())
}

/// What is known of a request before its body is read.
struct Arrival {
    id: RequestId,
    peer: IpAddr,
    now: Timestamp,
    started: Instant,
    shape: ErrorShape,
    coding: Coding,
    contract: Contract,
    origin: Option<HeaderValue>,
}

impl Arrival {
    fn new(request: &Request<Body>) -> Self {
        let peer = request.extensions().get::<SocketAddr>();
        let shape = if request.uri().path().starts_with("/api/threads") {
            ErrorShape::WithDetail
        } else if request.uri().path().starts_with("/v1/") {
            ErrorShape::WithMessage
        } else {
            ErrorShape::Plain
        };
        Self {
            id: RequestId::next(),
            peer: peer.map_or(IpAddr::from([0, 0, 0, 0]), SocketAddr::ip),
            now: now(),
            started: Instant::now(),
            shape,
            coding: Coding::accepted(request.headers()),
            contract: Contract::Own,
            origin: request.headers().get(header::ORIGIN).cloned(),
        }
    }
}

/// What is learnt of who asks, also where the request is refused then.
#[derive(Default)]
struct Caller {
    identity: Option<Identity>,
    allowance: Option<Allowance>,
}

async fn answer(server: Arc<Server>, route: usize, request: Request<Body>) -> Response {
    let mut arrival = Arrival::new(&request);
    let (parts, body) = request.into_parts();
    let mut caller = Caller::default();
    let route = &server.routes[route];
    arrival.contract = route.contract;
    // A handler that panics costs its own request only.
    let result = AssertUnwindSafe(serve(&server, route, &arrival, parts, body, &mut caller))
        .catch_unwind()
        .await;
    let result = result.unwrap_or_else(|_| Err(ApiError::internal("the handler has panicked")));
    let (mut response, error) = finish(result, &arrival);
    let (headers, origin) = (response.headers_mut(), arrival.origin.as_ref());
    match route.contract {
        Contract::Shapes => add_cors(headers, origin, route.path),
        Contract::Own => direction::let_read(&server, origin, headers),
    }
    if let Some(allowance) = caller.allowance {
        add_allowance(response.headers_mut(), allowance);
    }
    route
        .counts
        .observe(response.status(), arrival.started.elapsed());
    record(
        route.path,
        &route.method,
        &arrival,
        &response,
        error,
        caller.identity.as_ref(),
    );
    response
}

async fn serve(
    server: &Arc<Server>,
    route: &Route,
    arrival: &Arrival,
    mut parts: Parts,
    body: Body,
    caller: &mut Caller,
) -> Result<Response, ApiError> {
    direction::check(server, &parts.headers, route.contract)?;
    match route.access {
        Access::Open => {}
        Access::Needs(rights) => check_rights(server, rights, arrival, &parts, caller)?,
        Access::Operator => check_operator(server, arrival, &parts.headers)?,
    }
    let path = path_parameters(&mut parts).await?;
    let body = match body_limit(server, route.body) {
        None => ReceivedBody::default(),
        Some(limit) => read_body(body, &parts.headers, limit, &server.bodies).await?,
    };
    let who = caller.identity.clone();
    let call = Call::new(server, parts, who, path, body, arrival.now);
    let answer = (route.handler)(call).await?;
    answer.into_response(arrival.coding).await
}

fn check_rights(
    server: &Server,
    needed: Rights,
    arrival: &Arrival,
    parts: &Parts,
    caller: &mut Caller,
) -> Result<(), ApiError> {
    let secret = match arrival.contract {
        Contract::Shapes => secret_of(&parts.uri),
        Contract::Own => None,
    };
    let given = authorization(&parts.headers).or(secret.as_deref());
    let identity = identify(server, arrival, given)?;
    let identity = caller.identity.insert(identity);
    caller.allowance = check_rate(server, identity)?;
    if identity.rights.include(needed) {
        return Ok(());
    }
    let rights = identity.rights;
    let message = format!("this needs the right {needed}; the token has {rights}");
    Err(ApiError::new(ErrorCode::Forbidden, message))
}

fn check_operator(server: &Server, arrival: &Arrival, headers: &HeaderMap) -> Result<(), ApiError> {
    let config = &server.config;
    may_read_metrics(&config.auth, config.metrics_token, authorization(headers)).map_err(
        |refusal| match refusal {
            MetricsRefusal::Denied => {
                let message = "this takes the token in the server's --metrics-token-file alone";
                denied(server, arrival, message.to_owned())
            }
            MetricsRefusal::NotSetUp => ApiError::new(
                ErrorCode::Forbidden,
                "this counts over all tenants, and the server was told no token that may read it: \
                 start it with --metrics-token-file FILE",
            ),
        },
    )
}

fn authorization(headers: &HeaderMap) -> Option<&[u8]> {
    headers
        .get(header::AUTHORIZATION)
        .map(HeaderValue::as_bytes)
}

fn identify(
    server: &Server,
    arrival: &Arrival,
    authorization: Option<&[u8]>,
) -> Result<Identity, ApiError> {
    match server
        .authenticator
        .authenticate(authorization, arrival.now)
    {
        Ok(identity) => Ok(identity),
        Err(AuthError::Control(error)) => Err(error.into()),
        Err(AuthError::Denied(denial)) => Err(denied(server, arrival, denial.message())),
    }
}

/// Counts a request without a good credential, and refuses it with `message`.
fn denied(server: &Server, arrival: &Arrival, message: String) -> ApiError {
    server.metrics.auth_denied.add(1);
    let allowance = server.count_failed(arrival.peer);
    let spent = allowance.is_some_and(|allowance| allowance.retry_after.is_some());
    let mut error = if spent {
        server.metrics.rate_limited.add(1);
        let message = "too many requests without a good credential: wait, then log in";
        ApiError::new(ErrorCode::RateLimited, message)
    } else {
        ApiError::new(ErrorCode::Unauthorized, message)
    };
    error.allowance = allowance;
    error
}

fn check_rate(server: &Server, identity: &Identity) -> Result<Option<Allowance>, ApiError> {
    let allowance = server.count_request(&identity.tenant, &identity.user);
    if allowance.is_some_and(|allowance| allowance.retry_after.is_some()) {
        server.metrics.rate_limited.add(1);
        let message = "too many requests: wait as long as Retry-After says";
        let mut error = ApiError::new(ErrorCode::RateLimited, message);
        error.allowance = allowance;
        return Err(error);
    }
    Ok(allowance)
}

async fn path_parameters(parts: &mut Parts) -> Result<Vec<String>, ApiError> {
    let parameters = RawPathParams::from_request_parts(parts, &()).await;
    let parameters =
        parameters.map_err(|_| ApiError::bad_request("the path is not percent-encoded UTF-8"))?;
    Ok(parameters
        .iter()
        .map(|(_, value)| value.to_owned())
        .collect())
}

fn body_limit(server: &Server, rule: BodyRule) -> Option<BodyLimit> {
    let limits = &server.config.limits;
    match rule {
        BodyRule::Ignored => None,
        BodyRule::Log => Some(BodyLimit {
            sent: limits.body_bytes,
            expanded: limits.expanded_bytes,
        }),
        BodyRule::Small(bytes) => Some(BodyLimit {
            sent: bytes.min(limits.body_bytes),
            expanded: bytes.min(limits.expanded_bytes),
        }),
    }
}

/// Answers a request that no route takes: a browser's question whether a page may call, or a refusal.
async fn refuse(server: Arc<Server>, request: Request<Body>, error: ApiError) -> Response {
    let arrival = Arrival::new(&request);
    let method = request.method().clone();
    let result = direction::check(&server, request.headers(), Contract::Own)
        .and_then(|()| direction::preflight(&request).ok_or(error));
    let (mut response, error) = finish(result, &arrival);
    direction::let_read(&server, arrival.origin.as_ref(), response.headers_mut());
    record("unknown", &method, &arrival, &response, error, None);
    response
}

/// What an error leaves for the log.
struct Failed {
    code: ErrorCode,
    causes: Option<String>,
}

fn finish(result: Result<Response, ApiError>, arrival: &Arrival) -> (Response, Option<Failed>) {
    let (mut response, failed) = match result {
        Ok(response) => (response, None),
        Err(error) => {
            let failed = Failed {
                code: error.code,
                causes: error.causes(),
            };
            let answer = ErrorAnswer {
                error,
                request_id: arrival.id.clone(),
                shape: arrival.shape,
            };
            (answer.into_response(), Some(failed))
        }
    };
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(arrival.id.as_str()) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    let is_kept = arrival.contract == Contract::Shapes && failed.is_none();
    if !is_kept {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if arrival.contract == Contract::Shapes && failed.is_some() {
        let name = HeaderName::from_static("surrogate-control");
        headers.insert(name, HeaderValue::from_static("no-store"));
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    (response, failed)
}

/// Writes the request down, without its query, its body, or any part of a path that names a thing.
fn record(
    route: &str,
    method: &axum::http::Method,
    arrival: &Arrival,
    response: &Response,
    failed: Option<Failed>,
    identity: Option<&Identity>,
) {
    let status = response.status().as_u16();
    let duration_ms = arrival.started.elapsed().as_secs_f64() * 1e3;
    let (tenant, user) = identity.map_or(("", ""), |identity| {
        (identity.tenant.as_str(), identity.user.as_str())
    });
    let code = failed.as_ref().map_or("", |failed| failed.code.as_str());
    let causes = failed.and_then(|failed| failed.causes);
    macro_rules! event {
        ($level:ident) => {
            tracing::$level!(
                request.id = %arrival.id,
                http.method = %method,
                http.route = route,
                http.status = status,
                http.duration_ms = duration_ms,
                peer.ip = %arrival.peer,
                tenant.id = tenant,
                user.id = user,
                error.code = code,
                error.causes = causes,
                "request answered"
            )
        };
    }
    // What went well is a line only for who asks for it: it would be most of the lines, and a good
    // part of the time that a small request takes.
    match status {
        500.. => event!(error),
        400..500 => event!(info),
        _ => event!(debug),
    }
}
