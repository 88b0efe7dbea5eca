//! `/api/threads`: threads over HTTP.
//!
//! What is written here becomes ops of this server's actor, and reaches every replica as any other
//! op does. A thread is named by its id, or by its key where one project alone has it or
//! `project_id` says which.

mod change;
mod entries;
mod json;
mod list;
mod read;
mod search;
mod sync;
mod target;

use axum::http::Method;
use syncline_store::control::Rights;

use crate::http::{Access, BodyRule, Route};

pub(super) use json::hit_json;

/// Bytes of a request that writes entries, expanded: a hundred of the longest. As they are sent, the
/// server's limit for all bodies holds as well.
const ENTRIES_BODY_BYTES_MAX: usize = 64 << 20;
/// Bytes of a request that changes a thread.
const CHANGE_BODY_BYTES_MAX: usize = 64 << 10;

const PROJECT_ID: (&str, &str) = ("project_id", "The project, where several have the key.");

pub(super) fn routes() -> Vec<Route> {
    let mut routes = read_routes();
    routes.extend(write_routes());
    routes
}

fn read_routes() -> Vec<Route> {
    let access = Access::Needs(Rights::Read);
    let get = |path, summary, handler| Route::new(Method::GET, path, access, summary, handler);
    vec![
        get(
            "/api/threads",
            "Lists threads, the one that changed last first.",
            |call| Box::pin(list::list(call)),
        )
        .query(list::QUERY),
        get(
            "/api/threads/search",
            "Searches entries: all words first, then any.",
            |call| Box::pin(search::search(call)),
        )
        .query(search::QUERY),
        get(
            "/api/threads/{id}",
            "Answers a thread and its last entries.",
            |call| Box::pin(read::thread(call)),
        )
        .query(read::QUERY),
        get(
            "/api/threads/{id}/status",
            "Answers the number of a thread's last entry.",
            |call| Box::pin(read::status(call)),
        )
        .query(&[PROJECT_ID]),
    ]
}

fn write_routes() -> Vec<Route> {
    let access = Access::Needs(Rights::Sync);
    vec![
        Route::new(
            Method::PATCH,
            "/api/threads/{id}",
            access,
            "Renames a thread, moves it, or sets its status.",
            |call| Box::pin(change::update(call)),
        )
        .body(BodyRule::Small(CHANGE_BODY_BYTES_MAX))
        .query(&[PROJECT_ID]),
        Route::new(
            Method::DELETE,
            "/api/threads/{id}",
            access,
            "Deletes a thread and erases its entries.",
            |call| Box::pin(change::delete(call)),
        )
        .query(&[PROJECT_ID]),
        Route::new(
            Method::POST,
            "/api/threads/{id}/entries",
            access,
            "Appends entries: {entries:[…]}, or one as {content, author?} which answers 201.",
            |call| Box::pin(entries::append(call)),
        )
        .body(BodyRule::Small(ENTRIES_BODY_BYTES_MAX))
        .query(&[PROJECT_ID]),
        Route::new(
            Method::POST,
            "/api/threads/sync",
            access,
            "Makes a thread if it is not there, and appends what is new of the entries.",
            |call| Box::pin(sync::sync(call)),
        )
        .body(BodyRule::Small(ENTRIES_BODY_BYTES_MAX)),
    ]
}
