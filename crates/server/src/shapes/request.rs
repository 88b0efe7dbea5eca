//! The parameters of a request for a shape.

use std::collections::BTreeMap;

use axum::extract::Query;
use axum::http::Uri;
use serde_json::{Map, Value};

use super::invalid::Invalid;
use super::offset::Offset;

/// What is asked for. Parameters that only keep caches apart are not in it.
#[derive(Debug, Clone)]
pub(crate) struct ShapeRequest {
    pub table: String,
    pub offset: Offset,
    pub handle: Option<String>,
    /// One that its reader was told to let go of, and does not take again.
    pub expired: Option<String>,
    pub live: Live,
    pub cursor: Option<u64>,
    pub filter: Option<String>,
    pub parameters: Vec<String>,
    pub columns: Option<String>,
    pub queryable: Option<String>,
    pub replica: Replica,
    pub log: LogMode,
    pub subset: Option<SubsetRequest>,
}

/// Whether to wait for changes, and how they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Live {
    No,
    Poll,
    Events,
}

/// What a message holds of a changed row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replica {
    Default,
    Full,
}

/// Whether a shape begins with its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogMode {
    Full,
    ChangesOnly,
}

/// A part of a shape that is asked for by itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct SubsetRequest {
    pub filter: Option<String>,
    pub parameters: Vec<String>,
    pub limit: Option<u64>,
    pub offset: Option<u64>,
    pub order_by: Option<String>,
}

/// Parameters by name; the last of a name counts.
pub(super) type Parameters = BTreeMap<String, String>;

impl ShapeRequest {
    /// Reads the parameters that say which shape is meant, wherever its reader stands.
    pub(super) fn of_shape(mut given: Parameters) -> Result<Self, Invalid> {
        let handle = given.remove("handle").filter(|text| !text.is_empty());
        given.insert("offset".to_owned(), "now".to_owned());
        let request = Self::read(given, None)?;
        Ok(Self { handle, ..request })
    }

    /// Reads the parameters, of a body too if there is one.
    pub(super) fn read(
        mut given: Parameters,
        body: Option<Map<String, Value>>,
    ) -> Result<Self, Invalid> {
        let mut subset = body.map(|body| take_body(body, &mut given)).transpose()?;
        if given.keys().any(|name| name.starts_with("subset__")) {
            subset = Some(query_subset(&given)?);
        }
        let mut invalid = Invalid::default();
        let table = given.get("table").cloned().unwrap_or_default();
        if table.is_empty() {
            invalid.add("table", "can't be blank");
        }
        let offset = offset(&given, subset.as_ref(), &mut invalid);
        let handle = handle(&given, offset, subset.as_ref(), &mut invalid);
        let live = live(&given, offset, &mut invalid);
        let offset = match live {
            Live::Events => offset.of_stream(),
            Live::Poll | Live::No => offset,
        };
        let parameters = numbered(&given, &mut invalid);
        let replica = one_of(
            &given,
            "replica",
            &mut invalid,
            &[("default", Replica::Default), ("full", Replica::Full)],
        );
        let log = one_of(
            &given,
            "log",
            &mut invalid,
            &[
                ("full", LogMode::Full),
                ("changes_only", LogMode::ChangesOnly),
            ],
        );
        if !invalid.is_empty() {
            return Err(invalid);
        }
        let text = |name: &str| given.get(name).filter(|text| !text.is_empty()).cloned();
        Ok(Self {
            table,
            offset,
            handle,
            expired: text("expired_handle"),
            live,
            cursor: given.get("cursor").and_then(|text| text.parse().ok()),
            filter: text("where"),
            parameters,
            columns: text("columns"),
            queryable: text("queryable_columns"),
            replica,
            log,
            subset,
        })
    }
}

/// The place to go on from. A subset has none of its own.
fn offset(given: &Parameters, subset: Option<&SubsetRequest>, invalid: &mut Invalid) -> Offset {
    let offset = match (given.get("offset"), subset) {
        (Some(text), _) => Offset::parse(text),
        (None, Some(_)) => Some(Offset::Now),
        (None, None) => None,
    };
    offset.unwrap_or_else(|| {
        let is_there = given.get("offset").is_some_and(|text| !text.is_empty());
        let message = if is_there {
            "has invalid format"
        } else {
            "can't be blank"
        };
        invalid.add("offset", message);
        Offset::Start
    })
}

fn handle(
    given: &Parameters,
    offset: Offset,
    subset: Option<&SubsetRequest>,
    invalid: &mut Invalid,
) -> Option<String> {
    let handle = given.get("handle").filter(|text| !text.is_empty()).cloned();
    if subset.is_some() {
        return handle;
    }
    match offset {
        Offset::Start | Offset::Now => None,
        Offset::Chunk(_) | Offset::At(..) => {
            if handle.is_none() && invalid.is_empty() {
                invalid.add("handle", "can't be blank when offset != -1");
            }
            handle
        }
    }
}

fn is_set(given: &Parameters, name: &str) -> bool {
    given.get(name).is_some_and(|value| value != "false")
}

fn live(given: &Parameters, offset: Offset, invalid: &mut Invalid) -> Live {
    let is_live = is_set(given, "live");
    let is_stream = is_set(given, "live_sse") || is_set(given, "experimental_live_sse");
    match (is_live, offset) {
        (true, Offset::Start) => invalid.add("live", "can't be true when offset == -1"),
        (true, Offset::Now) => invalid.add("live", "can't be true when offset is 'now'"),
        (true, Offset::Chunk(_) | Offset::At(..)) | (false, _) => {}
    }
    match (is_live, is_stream) {
        (true, true) => Live::Events,
        (true, false) => Live::Poll,
        (false, true) => {
            invalid.add("live_sse", "can't be true unless live is also true");
            Live::No
        }
        (false, false) => Live::No,
    }
}

/// The values of `params[1]`, `params[2]`, …
fn numbered(given: &Parameters, invalid: &mut Invalid) -> Vec<String> {
    let keys = given.iter().filter_map(|(name, value)| {
        let key = name.strip_prefix("params[")?.strip_suffix(']')?;
        Some((key.to_owned(), value.clone()))
    });
    in_order(keys.collect()).unwrap_or_else(|message| {
        invalid.add("params", message);
        Vec::new()
    })
}

fn in_order(keys: Vec<(String, String)>) -> Result<Vec<String>, &'static str> {
    let number = |(key, value): (String, String)| Some((key.parse::<u32>().ok()?, value));
    let numbered: Option<BTreeMap<u32, String>> = keys.into_iter().map(number).collect();
    let numbered = numbered.ok_or("Parameters can only use numbers as keys")?;
    let is_dense = numbered.keys().zip(1..).all(|(key, place)| *key == place);
    if is_dense {
        Ok(numbered.into_values().collect())
    } else {
        Err("Parameters must be numbered sequentially, starting from 1")
    }
}

fn one_of<T: Copy>(
    given: &Parameters,
    name: &'static str,
    invalid: &mut Invalid,
    values: &[(&str, T)],
) -> T {
    let text = given.get(name).filter(|text| !text.is_empty());
    let found = text.and_then(|text| values.iter().find(|(value, _)| value == text));
    if text.is_some() && found.is_none() {
        invalid.add(name, "is invalid");
    }
    found.unwrap_or(&values[0]).1
}

/// Takes a subset out of a body; what else is in it counts as parameters.
fn take_body(
    mut body: Map<String, Value>,
    given: &mut Parameters,
) -> Result<SubsetRequest, Invalid> {
    let mut subset = match body.remove("subset") {
        Some(Value::Object(subset)) => subset,
        Some(_) => return Err(Invalid::of("subset", "is invalid")),
        None => Map::new(),
    };
    for name in ["where", "params", "limit", "offset", "order_by"] {
        if let Some(value) = body.remove(name) {
            subset.entry(name).or_insert(value);
        }
    }
    for (name, value) in body {
        if name != "where_expr" && name != "order_by_expr" {
            given.insert(name, plain(&value));
        }
    }
    let text = |name: &str| match subset.get(name) {
        None | Some(Value::Null) => None,
        Some(value) => Some(plain(value)),
    };
    let parameters = match subset.get("params") {
        None | Some(Value::Null) => Vec::new(),
        Some(params) => parameters_of(params)?,
    };
    read_subset(
        [
            text("where"),
            text("limit"),
            text("offset"),
            text("order_by"),
        ],
        parameters,
    )
}

fn query_subset(given: &Parameters) -> Result<SubsetRequest, Invalid> {
    let text = |name: &str| given.get(&format!("subset__{name}")).cloned();
    let parameters = match text("params") {
        None => Vec::new(),
        Some(text) => {
            let params = serde_json::from_str(&text);
            let params = params.map_err(|_| Invalid::of_subset("params", "is not valid JSON"))?;
            parameters_of(&params)?
        }
    };
    read_subset(
        [
            text("where"),
            text("limit"),
            text("offset"),
            text("order_by"),
        ],
        parameters,
    )
}

fn parameters_of(params: &Value) -> Result<Vec<String>, Invalid> {
    let Value::Object(params) = params else {
        return Err(Invalid::of_subset("params", "must be an object"));
    };
    let keys = params
        .iter()
        .map(|(key, value)| (key.clone(), plain(value)));
    in_order(keys.collect()).map_err(|message| Invalid::of_subset("params", message))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn read_subset(
    [filter, limit, offset, order_by]: [Option<String>; 4],
    parameters: Vec<String>,
) -> Result<SubsetRequest, Invalid> {
    let number = |name: &'static str, text: Option<String>, least: u64| {
        let Some(text) = text else {
            return Ok(None);
        };
        let found = text.parse::<u64>().ok().filter(|number| *number >= least);
        let message = if least == 0 {
            "must be a non-negative integer"
        } else {
            "must be a positive integer"
        };
        found
            .map(Some)
            .ok_or_else(|| Invalid::of_subset(name, message))
    };
    let subset = SubsetRequest {
        limit: number("limit", limit, 1)?,
        offset: number("offset", offset, 0)?,
        filter: filter.filter(|text| !text.is_empty()),
        order_by: order_by.filter(|text| !text.is_empty()),
        parameters,
    };
    if subset.order_by.is_none() && (subset.limit.is_some() || subset.offset.is_some()) {
        return Err(Invalid::of_subset(
            "order_by",
            "order_by is required when limit or offset is given",
        ));
    }
    Ok(subset)
}

/// A token that stands among the parameters, as an authorization.
pub(crate) fn secret_of(uri: &Uri) -> Option<Vec<u8>> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).ok()?;
    let named = |name: &str| pairs.iter().find(|(key, _)| key == name);
    let (_, secret) = named("secret").or_else(|| named("api_secret"))?;
    Some(format!("Bearer {secret}").into_bytes())
}
