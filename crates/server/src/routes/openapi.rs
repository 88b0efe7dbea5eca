//! `GET /openapi.json`: the route table as an OpenAPI document.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::records::ANY;
use crate::error::ApiError;
use crate::http::{Access, Answer, BodyRule, Call, Route};

pub(super) fn routes() -> Vec<Route> {
    let summary = "Answers this document.";
    vec![Route::new(
        Method::GET,
        "/openapi.json",
        Access::Open,
        summary,
        |call| Box::pin(openapi(call)),
    )]
}

async fn openapi(call: Call) -> Result<Answer, ApiError> {
    Answer::json(&document(&call.server.routes))
}

/// The document of these routes.
pub(crate) fn document(routes: &[Route]) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    // What tenants' own documents have is in these.
    for route in routes.iter().filter(|route| route.path != ANY) {
        let methods = paths.entry(route.path).or_insert_with(|| json!({}));
        methods[route.method.as_str().to_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Syncline",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "One log per tenant; everything anybody reads is folded from it.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Error": error_schema()},
        },
    })
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "responses": responses(route),
    });
    let parameters = parameters(route);
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if route.body != BodyRule::Ignored {
        operation["requestBody"] = json!({
            "required": true,
            "content": {"application/json": {"schema": {"type": "object"}}},
        });
    }
    match route.access {
        Access::Open => operation["security"] = json!([]),
        Access::Needs(rights) => {
            operation["security"] = json!([{"bearer": []}]);
            operation["x-rights"] = json!(rights);
        }
        Access::Operator => {
            operation["security"] = json!([{"bearer": []}]);
            operation["x-credential"] = json!("operator");
        }
    }
    operation
}

/// `GET /api/threads/{id}` is `get_api_threads_id`.
fn operation_id(route: &Route) -> String {
    let path = route.path.replace(['{', '}'], "");
    let words = path.split(['/', '.']).filter(|word| !word.is_empty());
    let method = route.method.as_str().to_lowercase();
    words.fold(method, |id, word| format!("{id}_{word}"))
}

fn parameters(route: &Route) -> Vec<Value> {
    let names = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let path = names.map(
        |name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}),
    );
    let query = route.query.iter().map(|(name, meaning)| {
        json!({
            "name": name,
            "in": "query",
            "required": false,
            "description": meaning,
            "schema": {"type": "string"},
        })
    });
    path.chain(query).collect()
}

fn responses(route: &Route) -> Value {
    let error = |description: &str| {
        json!({
            "description": description,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        })
    };
    let mut responses = json!({"default": error("Any other error.")});
    responses[route.success.to_string()] = json!({"description": "Done."});
    if route.access != Access::Open {
        responses["401"] = error("No good credential.");
        responses["403"] = error("Too few rights.");
    }
    responses
}

fn error_schema() -> Value {
    json!({
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message", "request_id"],
                "properties": {
                    "code": {"type": "string", "enum": syncline_protocol::ErrorCode::ALL
                        .iter().map(|code| code.as_str()).collect::<Vec<_>>()},
                    "message": {"type": "string"},
                    "details": {},
                    "request_id": {"type": "string"},
                },
            },
            "detail": {"type": "string", "description": "Under /api/threads: the message again."},
        },
    })
}
