//! Which operation of the schema a request is for.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{HeaderValue, Method};
use serde_json::Value;
use syncline_model::record::{Values, is_one_value};
use syncline_model::schema::{Entity, Field, FieldKind, Operation};
use syncline_protocol::ErrorCode;

use super::backend::Backend;
use crate::error::ApiError;
use crate::http::{Call, decoded_text};

/// An operation, and what the request's path says.
#[derive(Debug)]
pub(super) struct Target {
    backend: Backend,
    /// The places of the entity in the schema, and of the operation in it.
    entity: usize,
    operation: usize,
    id: Option<String>,
    fields: Vec<(String, Value)>,
}

impl Target {
    pub(super) fn find(call: &Call, backend: Backend) -> Result<Self, ApiError> {
        // A HEAD is answered as the GET, and the router leaves the body out.
        let method = match call.method {
            Method::HEAD => "GET",
            _ => call.method.as_str(),
        };
        let path = decoded_parts(call.uri.path());
        let path =
            path.ok_or_else(|| ApiError::bad_request("the path is not percent-encoded UTF-8"))?;
        let mut methods = BTreeSet::new();
        let mut best: Option<(usize, usize, BTreeMap<&str, &str>)> = None;
        for (e, entity) in backend.schema.entities.iter().enumerate() {
            for (o, operation) in entity.operations.iter().enumerate() {
                let Some(parameters) = parameters(&operation.path, &path) else {
                    continue;
                };
                methods.insert(operation.method.as_str());
                // A path that says more in words goes before one that leaves more open.
                let is_better = best
                    .as_ref()
                    .is_none_or(|(.., known)| parameters.len() < known.len());
                if operation.method == method && is_better {
                    best = Some((e, o, parameters));
                }
            }
        }
        let (entity, operation, parameters) = match best {
            Some(best) => best,
            None if methods.is_empty() => return Err(unknown_path()),
            None => return Err(wrong_method(methods)),
        };
        let (id, fields) = {
            let entity = &backend.schema.entities[entity];
            said(entity, &entity.operations[operation], &parameters)?
        };
        Ok(Self {
            backend,
            entity,
            operation,
            id,
            fields,
        })
    }

    pub(super) fn backend(&self) -> &Backend {
        &self.backend
    }

    pub(super) fn entity(&self) -> &Entity {
        &self.backend.schema.entities[self.entity]
    }

    pub(super) fn operation(&self) -> &Operation {
        &self.entity().operations[self.operation]
    }

    /// The record's key, of an operation that is about one.
    pub(super) fn id(&self) -> Result<&str, ApiError> {
        let missing = || ApiError::not_found(&self.entity().singular);
        self.id.as_deref().ok_or_else(missing)
    }

    /// The fields that the path holds, with their values: a record is there under it if it has them.
    pub(super) fn fields(&self) -> &[(String, Value)] {
        &self.fields
    }

    /// The values of a body, if they say nothing else than the path does.
    pub(super) fn agreed(&self, values: Values) -> Result<Values, ApiError> {
        let entity = self.entity();
        let is_other = |(name, value): &&(String, Value)| {
            let named = values.get(name).zip(entity.field(name));
            named.is_some_and(|(named, field)| !is_one_value(&field.kind, named, value))
        };
        match self.fields.iter().find(is_other) {
            None => Ok(values),
            Some((name, value)) => {
                let message = format!("is {value} in the path");
                Err(ApiError::invalid_field(name, message))
            }
        }
    }
}

fn wrong_method(mut takes: BTreeSet<&str>) -> ApiError {
    if takes.contains("GET") {
        takes.insert("HEAD");
    }
    let message = "the path doesn't take this method: see the tenant's document";
    let mut error = ApiError::new(ErrorCode::MethodNotAllowed, message);
    let takes: Vec<_> = takes.into_iter().collect();
    error.allow = HeaderValue::try_from(takes.join(",")).ok();
    error
}

fn unknown_path() -> ApiError {
    let message = "there is no such path: see /openapi.json, and /api/schema for the tenant's own";
    ApiError::new(ErrorCode::NotFound, message)
}

/// What the parameters of a path say: the key, and fields with their values.
type Said = (Option<String>, Vec<(String, Value)>);

fn said(
    entity: &Entity,
    operation: &Operation,
    parameters: &BTreeMap<&str, &str>,
) -> Result<Said, ApiError> {
    let id = operation.key_parameter.as_deref();
    let id = id.and_then(|name| parameters.get(name));
    let fields = operation.field_parameters.iter();
    let fields = fields.filter_map(|(name, field)| {
        let field = entity.field(field)?;
        let value = read_value(field, parameters.get(&**name)?);
        Some(value.map(|value| (field.name.clone(), value)))
    });
    let fields = fields.collect::<Result<_, _>>()?;
    Ok((id.map(|id| (*id).to_owned()), fields))
}

/// The parts of a path, decoded; none: one of them can't be.
fn decoded_parts(path: &str) -> Option<Vec<String>> {
    path.trim_matches('/')
        .split('/')
        .map(decoded_text)
        .collect()
}

/// What a path says in the places that a template leaves open; none: it is no such path.
fn parameters<'a>(template: &'a str, path: &'a [String]) -> Option<BTreeMap<&'a str, &'a str>> {
    let template = template.trim_matches('/').split('/');
    if template.clone().count() != path.len() {
        return None;
    }
    let mut found = BTreeMap::new();
    for (wanted, part) in template.zip(path) {
        let name = wanted.strip_prefix('{');
        match name.and_then(|name| name.strip_suffix('}')) {
            Some(_) if part.is_empty() => return None,
            Some(name) => _ = found.insert(name, part.as_str()),
            None if decoded_text(wanted).as_ref() == Some(part) => {}
            None => return None,
        }
    }
    Some(found)
}

/// A value as its field holds it, from the text of a path or query.
pub(super) fn read_value(field: &Field, text: &str) -> Result<Value, ApiError> {
    let wrong = |what: &str| ApiError::invalid_field(&field.name, format!("must be {what}"));
    Ok(match field.kind {
        FieldKind::Boolean => match text {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => return Err(wrong("true or false")),
        },
        FieldKind::Int32 | FieldKind::Int64 => {
            let number: i64 = text.parse().map_err(|_| wrong("a whole number"))?;
            number.into()
        }
        FieldKind::Float => {
            let number: f64 = text.parse().map_err(|_| wrong("a number"))?;
            serde_json::Number::from_f64(number)
                .map(Value::Number)
                .ok_or_else(|| wrong("a finite number"))?
        }
        FieldKind::Json => serde_json::from_str(text).map_err(|_| wrong("JSON"))?,
        FieldKind::Text
        | FieldKind::Uuid
        | FieldKind::Decimal
        | FieldKind::Date
        | FieldKind::Time
        | FieldKind::Timestamp => Value::String(text.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_takes_paths_of_its_form_alone() {
        let template = "/api/accounts/{account_id}/invoices/{id}";
        let both = decoded_parts("/api/accounts/a%2Fb/invoices/7/").unwrap();
        let both = parameters(template, &both).unwrap();
        assert_eq!((both["account_id"], both["id"]), ("a/b", "7"));
        for path in [
            "/api/accounts/a/invoices",
            "/api/accounts//invoices/7",
            "/api/accounts/a/bills/7",
        ] {
            let parts = decoded_parts(path).unwrap();
            assert_eq!(parameters(template, &parts), None, "{path}");
        }
        for path in [
            "/api/accounts/%zz/invoices/7",
            "/api/accounts/%ff/invoices/7",
        ] {
            assert_eq!(decoded_parts(path), None, "{path}");
        }
    }
}
