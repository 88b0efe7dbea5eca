//! `/v1/shape`: live subsets of tables, over Electric's protocol.

use axum::http::{HeaderName, HeaderValue, Method, header};
use serde_json::json;
use syncline_store::control::Rights;

use crate::error::ApiError;
use crate::http::{Access, Answer, BodyRule, Call, Contract, Route};
use crate::shapes::{self, Reading};

/// Bytes of a subset's body: a filter and its parameters.
const BODY_BYTES_MAX: usize = 64 << 10;

const QUERY: &[(&str, &str)] = &[
    ("table", "The table, quoted where its name has capitals."),
    (
        "offset",
        "Where to go on: -1, now, or what the last answer said.",
    ),
    ("handle", "The shape, as the last answer named it."),
    ("live", "Whether to wait for changes."),
    ("live_sse", "Whether they come as server-sent events."),
    ("where", "Which rows, as a Postgres condition."),
    ("params[1]", "What $1 stands for in it."),
    ("columns", "Which columns; the key is among them."),
    ("replica", "default, or full for whole rows in updates."),
    ("log", "full, or changes_only to begin without rows."),
    ("secret", "A token, for who can't send it as a bearer."),
];

pub(super) fn routes() -> Vec<Route> {
    let reads = Access::Needs(Rights::Read);
    let get = "Answers a chunk of a shape: its rows at first, then what becomes of them.";
    let routes = [
        Route::new(
            Method::GET,
            "/",
            Access::Open,
            "Answers that a server is here.",
            |call| Box::pin(root(call)),
        ),
        Route::new(Method::GET, "/v1/shape", reads, get, |call| {
            Box::pin(shapes::get(call, Reading::Get))
        })
        .query(QUERY),
        Route::new(Method::HEAD, "/v1/shape", reads, get, |call| {
            Box::pin(shapes::get(call, Reading::Other))
        }),
        Route::new(
            Method::POST,
            "/v1/shape",
            reads,
            "Answers a part of a shape that the body names, as it is now.",
            |call| Box::pin(shapes::post(call)),
        )
        .body(BodyRule::Small(BODY_BYTES_MAX)),
        Route::new(
            Method::DELETE,
            "/v1/shape",
            Access::Needs(Rights::Sync),
            "Forgets a shape, so that its readers begin anew.",
            |call| Box::pin(shapes::delete(call)),
        )
        .success(202),
        Route::new(
            Method::OPTIONS,
            "/v1/shape",
            Access::Open,
            "Tells pages of other origins what they may ask.",
            |call| Box::pin(options(call)),
        )
        .success(204),
        Route::new(
            Method::GET,
            "/v1/health",
            Access::Open,
            "Answers that shapes are served.",
            |call| Box::pin(health(call)),
        ),
    ];
    let routes = routes.into_iter();
    routes
        .map(|route| route.contract(Contract::Shapes))
        .collect()
}

async fn options(call: Call) -> Result<Answer, ApiError> {
    Ok(shapes::preflight(
        call.header(header::ACCESS_CONTROL_REQUEST_HEADERS),
    ))
}

async fn root(_: Call) -> Result<Answer, ApiError> {
    Ok(Answer::whole("", "text/plain"))
}

async fn health(_: Call) -> Result<Answer, ApiError> {
    let kept = HeaderValue::from_static("no-cache, no-store, must-revalidate");
    let name = HeaderName::from_static("cache-control");
    Ok(Answer::json(&json!({"status": "active"}))?.header(name, kept))
}
