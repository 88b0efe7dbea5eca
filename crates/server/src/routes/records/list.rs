//! Lists of records: narrowed, ordered, page by page.

use axum::http::{HeaderName, HeaderValue};
use serde_json::json;
use syncline_model::record::Seen;
use syncline_model::schema::Entity;
use syncline_protocol::ErrorCode;
use syncline_store::records::{
    Condition, Direction, FilterError, ListQuery, Order, PageCursor, Test, list as read_list,
};

use super::target::{Target, read_value};
use crate::error::ApiError;
use crate::http::{Answer, Call};
use crate::routes::decide::Stop;

/// Records of a page, unless the request says how many.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1_000;
/// Conditions of a list, and values that one of them names, at most; and columns that order it. Each is
/// part of one statement, which has bounds of its own.
const CONDITIONS_MAX: usize = 100;
const VALUES_MAX: usize = 1_000;
const ORDER_MAX: usize = 16;

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
    let envelope = target.operation().envelope.clone();
    let backend = target.backend().clone();
    let (rows, next) = backend
        .look(move |view| {
            let query = ListQuery {
                asker: Some(view.asker),
                subset: None,
                conditions: &asked.conditions,
                order: &asked.order,
                after: asked.after.as_ref(),
                limit: asked.limit,
            };
            let entity = target.entity();
            let listed = read_list(view.file.connection(), entity, &query).map_err(stop)?;
            let mut rows = Vec::new();
            for record in listed.records {
                rows.extend(view.seen(entity, record)?.map(Seen::into_row));
            }
            Ok((rows, listed.next))
        })
        .await?;
    let next = next.map(|cursor| cursor.to_string());
    let answer = match envelope {
        None => Answer::json(&rows)?,
        Some(name) => Answer::json(&json!({name: rows, "next_cursor": next}))?,
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
        FilterError::Cursor | FilterError::CursorOrder { .. } => {
            ApiError::invalid_field("cursor", error.to_string()).into()
        }
        FilterError::UnknownColumn { column } => {
            ApiError::invalid_field(&column, "is no field of these records").into()
        }
        FilterError::Incomparable {
            column,
            value,
            expected,
        } => {
            let has_space = value.as_str().is_some_and(|text| text.contains(' '));
            let hint = if has_space {
                "; in a URL, a plus is %2B"
            } else {
                ""
            };
            ApiError::invalid_field(&column, format!("must be {expected}{hint}")).into()
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
    let of_path = target.fields().iter().map(|(field, value)| Condition {
        column: field.clone(),
        test: Test::Is(value.clone()),
    });
    asked.conditions.extend(of_path);
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
                let wrong = |_| ApiError::invalid_field("cursor", "is none that a page has given");
                asked.after = Some(text.parse().map_err(wrong)?);
            }
            "order" => asked.order = order(&text)?,
            _ => asked
                .conditions
                .push(condition(target.entity(), &name, &text)?),
        }
    }
    if asked.conditions.len() > CONDITIONS_MAX {
        let message = format!("a list takes {CONDITIONS_MAX} conditions at most");
        return Err(ApiError::invalid_field("query", message));
    }
    Ok(asked)
}

fn order(text: &str) -> Result<Vec<Order>, ApiError> {
    let columns: Vec<_> = text
        .split(',')
        .filter(|column| !column.is_empty())
        .map(|column| match column.strip_prefix('-') {
            Some(column) => (column, Direction::Falling),
            None => (column, Direction::Rising),
        })
        .map(|(column, direction)| Order {
            column: column.to_owned(),
            direction,
        })
        .collect();
    if columns.len() > ORDER_MAX {
        let message = format!("must name {ORDER_MAX} fields at most");
        return Err(ApiError::invalid_field("order", message));
    }
    Ok(columns)
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
            let values = values.collect::<Result<Vec<_>, _>>()?;
            if values.len() > VALUES_MAX {
                let message = format!("must name {VALUES_MAX} values at most");
                return Err(ApiError::invalid_field(name, message));
            }
            Test::OneOf(values)
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
