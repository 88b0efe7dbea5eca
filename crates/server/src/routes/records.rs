//! The REST operations of a tenant's own document, at the document's own paths.
//!
//! Which paths there are is the tenant's schema's to say: these routes take every path that no other
//! route has, and find the operation when the tenant is known.

mod backend;
mod body;
mod change;
mod history;
mod list;
mod show;
mod target;
mod told;

use axum::http::Method;
use syncline_model::schema::Verb;
use syncline_store::control::Rights;

use crate::error::ApiError;
use crate::http::{Access, Answer, BodyRule, Call, Route};
pub(super) use backend::{Backend, View};
use target::Target;
pub(super) use told::{ignored, refused, told_by, txid, unkept_of, with_place};

/// Every path that is no other route's.
pub(super) const ANY: &str = "/{*document_path}";

pub(super) fn routes() -> Vec<Route> {
    let summary = "An operation of the tenant's own document, at its own path.";
    let route = |method, rights| {
        Route::new(method, ANY, Access::Needs(rights), summary, |call| {
            Box::pin(answer(call))
        })
        .body(BodyRule::Log)
    };
    vec![
        route(Method::GET, Rights::Read),
        route(Method::POST, Rights::Sync).success(201),
        route(Method::PATCH, Rights::Sync),
        route(Method::PUT, Rights::Sync),
        route(Method::DELETE, Rights::Sync).success(204),
        history::route(),
    ]
}

async fn answer(call: Call) -> Result<Answer, ApiError> {
    let backend = Backend::of(&call).await?;
    let target = Target::find(&call, backend)?;
    match target.operation().verb {
        Verb::List => list::list(&call, target).await,
        Verb::Get => show::get(&call, target).await,
        Verb::Create => change::create(&call, &target).await,
        Verb::Update => change::update(&call, &target).await,
        Verb::Replace => change::replace(&call, &target).await,
        Verb::Delete => change::delete(&call, &target).await,
    }
}
