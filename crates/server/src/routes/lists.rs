//! `/api/lists`: task lists over HTTP, for clients that keep no replica.
//!
//! What is written here becomes ops of this server's actor, planned on the lists as they stand when
//! the request's turn comes. `If-Match` makes a write depend on what its sender has seen; a write
//! whose wish is fulfilled already changes nothing and goes well, so that every one can be repeated.

mod change;
mod items;
mod json;
mod page;
mod read;
mod repeat;
mod spot;
mod target;

use axum::http::Method;
use syncline_store::control::Rights;

use crate::http::{Access, BodyRule, Route};

/// Bytes of a request about a list, expanded.
const LIST_BODY_BYTES_MAX: usize = 64 << 10;
/// Bytes of a request about an item, expanded: the longest text and note, each character escaped.
const ITEM_BODY_BYTES_MAX: usize = 4 << 20;

pub(super) fn routes() -> Vec<Route> {
    let mut routes = read_routes();
    routes.extend(list_routes());
    routes.extend(item_routes());
    routes
}

fn read_routes() -> Vec<Route> {
    let access = Access::Needs(Rights::Read);
    let get = |path, summary, handler| Route::new(Method::GET, path, access, summary, handler);
    vec![
        get(
            "/api/lists",
            "Lists the task lists in their order.",
            |call| Box::pin(read::lists(call)),
        )
        .query(read::LISTS_QUERY),
        get(
            "/api/lists/{list_id}",
            "Answers a task list and its items in order.",
            |call| Box::pin(read::list(call)),
        )
        .query(read::ITEMS_QUERY),
        get(
            "/api/lists/{list_id}/items/{item_id}",
            "Answers an item.",
            |call| Box::pin(read::item(call)),
        ),
    ]
}

fn list_routes() -> Vec<Route> {
    let access = Access::Needs(Rights::Sync);
    let route = |method, path, summary, handler| Route::new(method, path, access, summary, handler);
    vec![
        route(
            Method::POST,
            "/api/lists",
            "Makes a task list: {title}, at the end or where before, after or position says.",
            |call| Box::pin(change::create(call)),
        )
        .body(BodyRule::Small(LIST_BODY_BYTES_MAX))
        .success(201),
        route(
            Method::PATCH,
            "/api/lists/{list_id}",
            "Renames a task list, or gives it another place.",
            |call| Box::pin(change::update(call)),
        )
        .body(BodyRule::Small(LIST_BODY_BYTES_MAX)),
        route(
            Method::DELETE,
            "/api/lists/{list_id}",
            "Hides a task list with all that it shows.",
            |call| Box::pin(change::delete(call)),
        ),
        route(
            Method::POST,
            "/api/lists/{list_id}/restore",
            "Shows a deleted task list again, whole.",
            |call| Box::pin(change::restore(call)),
        ),
    ]
}

fn item_routes() -> Vec<Route> {
    let access = Access::Needs(Rights::Sync);
    let route = |method, path, summary, handler| Route::new(method, path, access, summary, handler);
    vec![
        route(
            Method::POST,
            "/api/lists/{list_id}/items",
            "Makes an item: {text, done?, note?}, at the end or where before, after or position says.",
            |call| Box::pin(items::create(call)),
        )
        .body(BodyRule::Small(ITEM_BODY_BYTES_MAX))
        .success(201),
        route(
            Method::PATCH,
            "/api/lists/{list_id}/items/{item_id}",
            "Changes an item's text, tick or note.",
            |call| Box::pin(items::update(call)),
        )
        .body(BodyRule::Small(ITEM_BODY_BYTES_MAX)),
        route(
            Method::POST,
            "/api/lists/{list_id}/items/{item_id}/move",
            "Gives an item another place, in its list or in another.",
            |call| Box::pin(items::move_to(call)),
        )
        .body(BodyRule::Small(LIST_BODY_BYTES_MAX)),
        route(
            Method::DELETE,
            "/api/lists/{list_id}/items/{item_id}",
            "Removes an item.",
            |call| Box::pin(items::delete(call)),
        ),
        route(
            Method::POST,
            "/api/lists/{list_id}/items/{item_id}/restore",
            "Makes a removed item again, as it was.",
            |call| Box::pin(items::restore(call)),
        ),
    ]
}
