//! Entities as an OpenAPI document with its extensions.

mod schemas;

use serde_json::{Map, Value, json};
use syncline_model::schema::{Conflict, Entity as Declared, Operation, Verb, WriteMode};

use crate::Entity;
use schemas::{component, of_parameter};

/// An OpenAPI 3.1 document of entities.
#[derive(Debug, Clone)]
pub struct Document {
    title: String,
    version: String,
    entities: Vec<Declared>,
}

impl Document {
    pub fn new(title: &str, version: &str) -> Self {
        Self {
            title: title.to_owned(),
            version: version.to_owned(),
            entities: Vec::new(),
        }
    }

    /// Adds the entity that a struct declares.
    #[must_use]
    pub fn with<E: Entity>(self) -> Self {
        self.with_declared(E::entity())
    }

    #[must_use]
    pub fn with_declared(mut self, entity: Declared) -> Self {
        self.entities.push(entity);
        self
    }

    pub fn to_json(&self) -> Value {
        let mut paths = Map::new();
        let mut components = Map::new();
        for entity in &self.entities {
            for operation in &entity.operations {
                let path = paths
                    .entry(operation.path.clone())
                    .or_insert_with(|| path_item(entity, operation));
                path[operation.method.to_lowercase()] = written(entity, operation);
            }
            components.insert(component(entity), schemas::record(entity));
            components.insert(
                format!("{}Change", component(entity)),
                schemas::change(entity),
            );
        }
        json!({
            "openapi": "3.1.0",
            "info": { "title": self.title, "version": self.version },
            "paths": paths,
            "components": { "schemas": components },
        })
    }

    pub fn to_yaml(&self) -> String {
        serde_norway::to_string(&self.to_json()).expect("every JSON value is one of YAML")
    }
}

/// A path with its parameters. The collection's own has what is declared of the whole.
fn path_item(entity: &Declared, operation: &Operation) -> Value {
    let mut item = json!({});
    let of_fields = operation.field_parameters.iter();
    let of_fields = of_fields.map(|(parameter, field)| (parameter, field));
    let of_key = operation.key_parameter.iter().map(|key| (key, &entity.key));
    let parameters: Vec<_> = of_fields
        .chain(of_key)
        .map(|(parameter, field)| of_parameter(entity, parameter, field))
        .collect();
    if !parameters.is_empty() {
        item["parameters"] = json!(parameters);
    }
    if operation.key_parameter.is_none() {
        declare(entity, &mut item);
    }
    item
}

fn declare(entity: &Declared, item: &mut Value) {
    let mut sync = match entity.mode {
        WriteMode::Optimistic => json!({ "local_first": true }),
        WriteMode::Confirmed => json!({ "local_first": false }),
        WriteMode::Cache { ttl_seconds } => json!({ "mode": "cache", "ttl": ttl_seconds }),
    };
    if let Some(condition) = &entity.subset {
        sync["where"] = json!(condition);
    }
    item["x-sync"] = sync;
    match entity.conflict {
        Conflict::ServerWins => {}
        Conflict::LastWriteWins => item["x-conflict"] = json!("last_write_wins"),
        Conflict::Reject => item["x-conflict"] = json!("reject"),
    }
    if !entity.unique.is_empty() {
        item["x-unique"] = json!(entity.unique);
    }
    let access = &entity.access;
    let mut rbac = Map::new();
    if !access.field_groups.is_empty() {
        rbac.insert("field_groups".to_owned(), json!(access.field_groups));
    }
    if !access.role_permissions.is_empty() {
        rbac.insert(
            "role_permissions".to_owned(),
            json!(access.role_permissions),
        );
    }
    if let Some(permissions) = &access.read_permissions {
        rbac.insert("read_permissions".to_owned(), json!(permissions));
    }
    if let Some(role_via) = &access.role_via {
        rbac.insert("role_via".to_owned(), json!(role_via));
    }
    if !rbac.is_empty() {
        item["x-rbac"] = Value::Object(rbac);
    }
}

fn written(entity: &Declared, operation: &Operation) -> Value {
    let record = json!({ "$ref": format!("#/components/schemas/{}", component(entity)) });
    let change = json!({ "$ref": format!("#/components/schemas/{}Change", component(entity)) });
    let body = |schema: &Value| json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    let answer = |status: &str, schema: &Value| json!({ status: { "description": "Done.", "content": { "application/json": { "schema": schema } } } });
    let mut call = match operation.verb {
        Verb::List => {
            let list = json!({ "type": "array", "items": record });
            let list = match &operation.envelope {
                None => list,
                Some(envelope) => json!({ "type": "object", "properties": { envelope: list } }),
            };
            json!({ "responses": answer("200", &list) })
        }
        Verb::Get => json!({ "responses": answer("200", &record) }),
        Verb::Create => {
            json!({ "requestBody": body(&record), "responses": answer("201", &record) })
        }
        Verb::Update => {
            json!({ "requestBody": body(&change), "responses": answer("200", &record) })
        }
        Verb::Replace => {
            json!({ "requestBody": body(&record), "responses": answer("200", &record) })
        }
        Verb::Delete => json!({ "responses": { "204": { "description": "Done." } } }),
    };
    if let Some(id) = &operation.id {
        call["operationId"] = json!(id);
    }
    if operation.public {
        call["security"] = json!([]);
    }
    call
}
