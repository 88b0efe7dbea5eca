//! The route table: every method of every path, with who may call it.
//!
//! The router, the OpenAPI document and the test of who may do what are made from it, so that a new
//! route can't be forgotten by any of them.

mod admin;
mod batch;
mod bootstrap;
mod decide;
mod health;
mod lists;
mod metrics;
mod openapi;
mod own;
mod page;
mod pull;
mod push;
mod records;
mod reset;
mod schema;
mod sessions;
mod shape;
mod status;
mod stream;
mod threads;
mod tokens;
mod whoami;
mod writes;

use serde_json::Value;

use crate::http::Route;
pub use own::OwnPaths;

/// All routes.
pub(crate) fn table() -> Vec<Route> {
    [
        push::routes(),
        pull::routes(),
        stream::routes(),
        bootstrap::routes(),
        reset::routes(),
        status::routes(),
        batch::routes(),
        threads::routes(),
        lists::routes(),
        sessions::routes(),
        tokens::routes(),
        admin::routes(),
        whoami::routes(),
        health::routes(),
        metrics::routes(),
        openapi::routes(),
        shape::routes(),
        schema::routes(),
        writes::routes(),
        records::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The OpenAPI document of all routes: what `GET /openapi.json` answers.
pub fn openapi_document() -> Value {
    openapi::document(&table())
}
