//! `GET /api/lists…`.

use serde::Deserialize;
use serde_json::{Value, json};
use syncline_model::PayloadHash;
use syncline_store::lists::{self as stored, ListOverview, RemovedLists, item_tag, list_tag};

use super::json::{item_json, overview_json};
use super::page::{list_cursor, parse_item_cursor, parse_list_cursor, read_page};
use super::target::{item_of_path, list_of_path, present_item, present_list};
use crate::error::ApiError;
use crate::http::{Answer, Call};
use crate::routes::decide::look;

pub(super) const LISTS_QUERY: &[(&str, &str)] = &[
    ("deleted", "true shows deleted lists among the others."),
    (
        "limit",
        "Lists of the page at most: 1 to 500, 100 if absent.",
    ),
    ("cursor", "next_cursor of the page before."),
];
pub(super) const ITEMS_QUERY: &[(&str, &str)] = &[
    (
        "limit",
        "Items of the page at most: 1 to 1000, 1000 if absent.",
    ),
    ("cursor", "next_cursor of the page before."),
];
const LISTS_MAX: usize = 500;
const LISTS_USUAL: usize = 100;
const ITEMS_MAX: usize = 1_000;

#[derive(Deserialize)]
struct ListsQuery {
    deleted: Option<bool>,
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Deserialize)]
struct ItemsQuery {
    limit: Option<usize>,
    cursor: Option<String>,
}

pub(super) async fn lists(call: Call) -> Result<Answer, ApiError> {
    call.takes_only(LISTS_QUERY)?;
    let query: ListsQuery = call.query_as()?;
    let limit = bounded(query.limit, LISTS_USUAL, LISTS_MAX)?;
    let start = query.cursor.as_deref().map(parse_list_cursor).transpose()?;
    let removed = if query.deleted.unwrap_or(false) {
        RemovedLists::Shown
    } else {
        RemovedLists::Hidden
    };
    let mut found = look(&call, move |file| {
        Ok(stored::lists(file.connection(), removed)?)
    })
    .await?;
    if let Some((position, id)) = &start {
        let start = (Some(position), id);
        found.retain(|one| (one.list.position.as_ref(), &one.list.list) > start);
    }
    let next = (found.len() > limit)
        .then(|| cursor_of(&found[limit - 1]))
        .flatten();
    found.truncate(limit);
    let lists: Vec<Value> = found.iter().map(overview_json).collect();
    let body = json!({"lists": lists, "next_cursor": next}).to_string();
    let tag = PayloadHash::of(&body);
    let answer = Answer::json_bytes(body).tagged_as_bytes(tag);
    Ok(answer.unless_known(&call.headers))
}

fn cursor_of(last: &ListOverview) -> Option<String> {
    let position = last.list.position.as_ref()?;
    Some(list_cursor(position, &last.list.list))
}

pub(super) async fn list(call: Call) -> Result<Answer, ApiError> {
    call.takes_only(ITEMS_QUERY)?;
    let query: ItemsQuery = call.query_as()?;
    let limit = bounded(query.limit, ITEMS_MAX, ITEMS_MAX)?;
    let start = query.cursor.as_deref().map(parse_item_cursor).transpose()?;
    let id = list_of_path(&call)?;
    let (answer, tag) = look(&call, move |file| {
        let list = present_list(file, &id)?;
        let page = read_page(file, &id, start, limit)?;
        let items: Vec<Value> = page.items.iter().map(item_json).collect();
        let answer = json!({
            "list_id": list.list,
            "title": list.title,
            "items": items,
            "next_cursor": page.next,
        });
        Ok((answer, list_tag(file.connection(), &id)?))
    })
    .await?;
    let answer = Answer::json(&answer)?.tagged(tag);
    Ok(answer.unless_known(&call.headers))
}

pub(super) async fn item(call: Call) -> Result<Answer, ApiError> {
    let (list, id) = (list_of_path(&call)?, item_of_path(&call)?);
    let (answer, tag) = look(&call, move |file| {
        let found = present_item(file, &list, &id)?;
        let tag = item_tag(file.connection(), &found.item.item)?;
        Ok((item_json(&found), tag))
    })
    .await?;
    let answer = Answer::json(&answer)?.tagged(tag);
    Ok(answer.unless_known(&call.headers))
}

/// A number from 1 to `max`.
fn bounded(value: Option<usize>, usual: usize, max: usize) -> Result<usize, ApiError> {
    match value {
        None => Ok(usual),
        Some(value) if (1..=max).contains(&value) => Ok(value),
        Some(_) => Err(ApiError::invalid_field(
            "limit",
            format!("must be from 1 to {max}"),
        )),
    }
}
