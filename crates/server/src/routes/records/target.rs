//! Which operation of the schema a request is for.

use std::collections::BTreeMap;

use serde_json::Value;
use syncline_model::schema::{Entity, Field, FieldKind, Operation, Schema};
use syncline_protocol::ErrorCode;
use syncline_store::records::schema;

use crate::error::ApiError;
use crate::http::Call;
use crate::routes::decide::look;

/// An operation, and what the request's path says.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) schema: Schema,
    pub(super) entity: Entity,
    pub(super) operation: Operation,
    /// The record's key, where the path holds it.
    pub(super) id: Option<String>,
    /// The fields that the path holds, with their values.
    pub(super) fields: Vec<(String, Value)>,
}

impl Target {
    pub(super) async fn find(call: &Call) -> Result<Self, ApiError> {
        let standing = look(call, |file| Ok(schema(file.connection())?)).await?;
        let schema = standing.map(|standing| standing.schema).unwrap_or_default();
        let method = call.method.as_str();
        let path = call.uri.path();
        let mut is_path = false;
        let mut best: Option<(Entity, Operation, BTreeMap<String, String>)> = None;
        for entity in &schema.entities {
            for operation in &entity.operations {
                let Some(parameters) = parameters(&operation.path, path) else {
                    continue;
                };
                is_path = true;
                // A path that says more in words goes before one that leaves more open.
                let is_better = best
                    .as_ref()
                    .is_none_or(|(.., known)| parameters.len() < known.len());
                if operation.method == method && is_better {
                    best = Some((entity.clone(), operation.clone(), parameters));
                }
            }
        }
        let Some((entity, operation, parameters)) = best else {
            return Err(if is_path {
                let message = "the path doesn't take this method: see the tenant's document";
                ApiError::new(ErrorCode::MethodNotAllowed, message)
            } else {
                let message = "there is no such path: see /openapi.json, and /api/schema for the tenant's own";
                ApiError::new(ErrorCode::NotFound, message)
            });
        };
        let id = operation
            .key_parameter
            .as_ref()
            .and_then(|name| parameters.get(name).cloned());
        let fields = operation
            .field_parameters
            .iter()
            .filter_map(|(name, field)| {
                let field = entity.field(field)?;
                let value = read_value(field, parameters.get(name)?);
                Some(value.map(|value| (field.name.clone(), value)))
            });
        let fields = fields.collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            schema,
            entity,
            operation,
            id,
            fields,
        })
    }

    /// The record's key, of an operation that is about one.
    pub(super) fn id(&self) -> Result<&str, ApiError> {
        let missing = || ApiError::not_found(&self.entity.singular);
        self.id.as_deref().ok_or_else(missing)
    }
}

/// What a path says in the places that a template leaves open; none: it is no such path.
fn parameters(template: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let parts = |text: &str| -> Vec<String> {
        let text = text.trim_matches('/');
        text.split('/').map(str::to_owned).collect()
    };
    let (template, path) = (parts(template), parts(path));
    if template.len() != path.len() {
        return None;
    }
    let mut found = BTreeMap::new();
    for (wanted, part) in template.iter().zip(&path) {
        let part = decoded(part)?;
        match wanted
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'))
        {
            Some(_) if part.is_empty() => return None,
            Some(name) => _ = found.insert(name.to_owned(), part),
            None if *wanted == part => {}
            None => return None,
        }
    }
    Some(found)
}

fn decoded(part: &str) -> Option<String> {
    let mut plain = Vec::with_capacity(part.len());
    let mut bytes = part.bytes();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                (digit()? * 16 + digit()?) as u8
            }
            other => other,
        });
    }
    String::from_utf8(plain).ok()
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
        let found = |path| parameters("/api/accounts/{account_id}/invoices/{id}", path);
        let both = found("/api/accounts/a%2Fb/invoices/7/").unwrap();
        assert_eq!(both["account_id"], "a/b");
        assert_eq!(both["id"], "7");
        for path in [
            "/api/accounts/a/invoices",
            "/api/accounts//invoices/7",
            "/api/accounts/a/bills/7",
            "/api/accounts/%zz/invoices/7",
            "/api/accounts/%ff/invoices/7",
        ] {
            assert_eq!(found(path), None, "{path}");
        }
    }
}
