//! Lists of records: narrowed, ordered, page by page.

use axum::http::{HeaderName, HeaderValue};
use serde_json::{Map, Value, json};
use syncline_model::record::{Record, role_on, visible_columns};
use syncline_model::schema::Entity;
use syncline_protocol::ErrorCode;
use syncline_store::records::{
    Condition, Direction, FilterError, ListQuery, Order, PageCursor, StoredRecords, Test,
    list as read_list,
};

use super::target::{Target, read_value};
use crate::error::ApiError;
use crate::http::{Answer, Call};
use crate::routes::decide::{Stop, look};

/// Records of a page, unless the request says how many.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1_000;

/// What narrows, orders and pages a list.
#[derive(Debug, Default)]
struct Asked {
    conditions: Vec<Condition>,
    order: Vec<Order>,
    after: Option<PageCursor>,
    limit: usize,
}

pub(super) async fn list(call: &Call, target: Target) -> Result<Answer, ApiError> {
    let asked = asked(call, &target)?;
    let asker = call.asker()?;
    let envelope = target.operation.envelope.clone();
    let (rows, next) = look(call, move |file| {
        let query = ListQuery {
            asker: Some(&asker),
            conditions: &asked.conditions,
            order: &asked.order,
            after: asked.after.as_ref(),
            limit: asked.limit,
        };
        let listed = read_list(file.connection(), &target.entity, &query).map_err(stop)?;
        let mut rows = Vec::new();
        for Record { mut columns, .. } in listed.records {
            let mut stored = StoredRecords(file.connection());
            // Who lost their role meanwhile does not see it.
            let Some(role) = role_on(&mut stored, &target.entity, &columns, &asker)? else {
                continue;
            };
            visible_columns(&target.entity, role, &mut columns);
            columns.insert("_role".to_owned(), json!(role));
            rows.push(json!(columns));
        }
        Ok((rows, listed.next))
    })
    .await?;
    let next = next.map(|cursor| hex(cursor.as_str()));
    let answer = match envelope {
        None => Answer::json(&rows)?,
        Some(name) => {
            let mut body = Map::new();
            body.insert(name, Value::Array(rows));
            body.insert("next_cursor".to_owned(), json!(next));
            Answer::json(&body)?
        }
    };
    Ok(
        match next.and_then(|next| HeaderValue::try_from(next).ok()) {
            Some(next) => answer.header(HeaderName::from_static("syncline-next-cursor"), next),
            None => answer,
        },
    )
}

fn stop(error: FilterError) -> Stop {
    match error {
        FilterError::UnknownColumn { .. } | FilterError::Cursor => {
            ApiError::new(ErrorCode::InvalidField, error.to_string()).into()
        }
        FilterError::Unreadable { .. } => {
            ApiError::new(ErrorCode::ForbiddenField, error.to_string()).into()
        }
        FilterError::Store(error) => error.into(),
    }
}

/// Reads the query: a field by its name, or with a test behind two underscores; `order`, `limit`, `cursor`.
fn asked(call: &Call, target: &Target) -> Result<Asked, ApiError> {
    let pairs: Vec<(String, String)> = call.query_as()?;
    let mut asked = Asked {
        limit: LIMIT,
        ..Asked::default()
    };
    for (field, value) in &target.fields {
        asked.conditions.push(Condition {
            column: field.clone(),
            test: Test::Is(value.clone()),
        });
    }
    for (name, text) in pairs {
        match name.as_str() {
            "limit" => {
                let limit = text
                    .parse()
                    .ok()
                    .filter(|limit| (1..=LIMIT_MAX).contains(limit));
                let message = format!("must be 1 to {LIMIT_MAX}");
                asked.limit = limit.ok_or_else(|| ApiError::invalid_field("limit", message))?;
            }
            "cursor" => {
                let cursor = unhex(&text);
                let message = "is none that a page has given";
                let cursor = cursor.ok_or_else(|| ApiError::invalid_field("cursor", message))?;
                asked.after = Some(PageCursor::new(cursor));
            }
            "order" => asked.order = order(&text),
            _ => asked
                .conditions
                .push(condition(&target.entity, &name, &text)?),
        }
    }
    Ok(asked)
}

fn order(text: &str) -> Vec<Order> {
    text.split(',')
        .filter(|column| !column.is_empty())
        .map(|column| match column.strip_prefix('-') {
            Some(column) => (column, Direction::Falling),
            None => (column, Direction::Rising),
        })
        .map(|(column, direction)| Order {
            column: column.to_owned(),
            direction,
        })
        .collect()
}

fn condition(entity: &Entity, name: &str, text: &str) -> Result<Condition, ApiError> {
    let (column, test) = match entity.field(name) {
        Some(_) => (name, "is"),
        None => name.rsplit_once("__").unwrap_or((name, "is")),
    };
    let unknown = || ApiError::invalid_field(name, "is neither a field nor a test of one");
    let field = entity.field(column).ok_or_else(unknown)?;
    let value = || read_value(field, text);
    let test = match test {
        "is" => Test::Is(value()?),
        "ne" => Test::IsNot(value()?),
        "lt" => Test::Less(value()?),
        "lte" => Test::AtMost(value()?),
        "gt" => Test::More(value()?),
        "gte" => Test::AtLeast(value()?),
        "in" => {
            let values = text.split(',').map(|text| read_value(field, text));
            Test::OneOf(values.collect::<Result<_, _>>()?)
        }
        "contains" => Test::Contains(text.to_owned()),
        "null" => match text {
            "true" => Test::IsNull,
            "false" => Test::IsNotNull,
            _ => return Err(ApiError::invalid_field(name, "must be true or false")),
        },
        _ => return Err(unknown()),
    };
    Ok(Condition {
        column: column.to_owned(),
        test,
    })
}

/// A cursor as text that needs no escapes, whatever it holds.
fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<String> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits?;
    if digits.len() % 2 != 0 {
        return None;
    }
    let bytes = digits
        .chunks_exact(2)
        .map(|pair| (pair[0] * 16 + pair[1]) as u8);
    String::from_utf8(bytes.collect()).ok()
}
