//! `/api/schema`: what a tenant's records are, shown and replaced.

use axum::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use syncline_codegen::{Diagnostic, Hiding, resolve_for};
use syncline_model::schema::{Change, ChangeKind, Schema, diff};
use syncline_protocol::ErrorCode;
use syncline_store::control::Rights;
use syncline_store::records::{CountedChange, counted_changes, schema};

use super::decide::look;
use super::own::OwnPaths;
use super::records::{refused, txid, with_place};
use crate::error::ApiError;
use crate::http::{Access, Answer, BodyRule, Call, Route};
use crate::tenant::{RecordChange, RecordWrite, Recorded};

const ALLOW: &[(&str, &str)] = &[(
    "allow",
    "Breaking changes that are meant, with commas between: drop-field, change-kind, …",
)];

#[derive(Debug, Deserialize)]
struct Query {
    #[serde(default)]
    allow: String,
}

pub(super) fn routes() -> Vec<Route> {
    let admin = Access::Needs(Rights::Admin);
    vec![
        Route::new(
            Method::GET,
            "/api/schema",
            Access::Needs(Rights::Read),
            "The entities of the tenant's records; null: it has none.",
            |call| Box::pin(show(call)),
        ),
        Route::new(
            Method::PUT,
            "/api/schema",
            admin,
            "Takes the entities of an OpenAPI document, JSON or YAML, in place of those that stand.",
            |call| Box::pin(apply(call)),
        )
        .query(ALLOW)
        .body(BodyRule::Log),
        Route::new(
            Method::POST,
            "/api/schema/diff",
            Access::Needs(Rights::Read),
            "What an OpenAPI document would change, and which of it takes something away.",
            |call| Box::pin(compare(call)),
        )
        .body(BodyRule::Log),
    ]
}

async fn show(call: Call) -> Result<Answer, ApiError> {
    let standing = look(&call, |file| Ok(schema(file.connection())?)).await?;
    Answer::json(&json!({
        "seq": standing.as_ref().map(|standing| standing.seq.0),
        "schema": standing.map(|standing| standing.schema),
    }))
}

async fn compare(call: Call) -> Result<Answer, ApiError> {
    let own = OwnPaths::of(&call.server.routes);
    let (offered, notes) = read(&call, &own)?;
    let hidden = hidden(&own, &offered);
    let changes = counted(&call, offered).await?;
    Answer::json(&json!({
        "changes": changes_json(&changes),
        "diagnostics": notes,
        "hidden": hidden,
    }))
}

/// What the schema changes of the one that stands. Which records stand against it is told to admins alone: a
/// reader may not see all of them.
async fn counted(call: &Call, offered: Schema) -> Result<Vec<CountedChange>, ApiError> {
    let is_admin = call.identity().rights.include(Rights::Admin);
    look(call, move |file| {
        let connection = file.connection();
        let standing = schema(connection)?;
        let before = standing.map(|standing| standing.schema).unwrap_or_default();
        if is_admin {
            return Ok(counted_changes(connection, &before, &offered)?);
        }
        let changes = diff(&before, &offered).into_iter();
        let uncounted = |change| CountedChange {
            change,
            violating: None,
        };
        Ok(changes.map(uncounted).collect())
    })
    .await
}

async fn apply(call: Call) -> Result<Answer, ApiError> {
    let query: Query = call.query_as()?;
    let allow = query
        .allow
        .split(',')
        .filter(|word| !word.is_empty())
        .map(|word| {
            let unknown = || ApiError::invalid_field("allow", format!("{word:?} is no change"));
            ChangeKind::parse(word).ok_or_else(unknown)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let own = OwnPaths::of(&call.server.routes);
    let (schema, notes) = read(&call, &own)?;
    let hidden = hidden(&own, &schema);
    // Before anything is done.
    let counted = counted(&call, schema.clone()).await?;
    let write = RecordWrite {
        asker: call.asker()?,
        change: RecordChange::Schema { schema, allow },
        repeat: None,
        after: Vec::new(),
        salt: None,
    };
    let tenant = call.tenant().await?;
    match tenant.write_record(write, call.body.held()).await? {
        Recorded::Applied { seq, changes } => {
            let answer = Answer::json(&json!({
                "seq": seq.0,
                "txid": txid(seq),
                "changes": changes_json(&with_counts(changes, &counted)),
                "diagnostics": notes,
                "hidden": hidden,
            }))?;
            Ok(with_place(answer, Some(seq)))
        }
        Recorded::Breaking(changes) => {
            let changes = with_counts(changes, &counted);
            let texts: Vec<_> = changes.iter().map(CountedChange::to_string).collect();
            let message = format!(
                "the schema takes something away: {}; name what is meant in `allow`",
                texts.join("; ")
            );
            let details = json!({"changes": changes_json(&changes)});
            Err(ApiError::new(ErrorCode::BreakingSchema, message).details(details))
        }
        Recorded::Refused(error) => Err(refused(*error)),
        Recorded::Written { .. } | Recorded::Repeated { .. } | Recorded::KeyReused => {
            unreachable!("a schema is no write of records")
        }
    }
}

/// The entities of the document in the body, and what there is to say of it.
fn read(call: &Call, own: &OwnPaths) -> Result<(Schema, Vec<Diagnostic>), ApiError> {
    let text = str::from_utf8(&call.body)
        .map_err(|_| ApiError::bad_request("the body is no document: it is not UTF-8"))?;
    let resolution = resolve_for(text, &|path| own.hiding(path));
    if resolution.has_errors() {
        return Err(ApiError::new(
            ErrorCode::ValidationFailed,
            "the document can't be used as it stands; nothing was changed",
        )
        .details(json!({"diagnostics": resolution.diagnostics})));
    }
    Ok((resolution.schema, resolution.diagnostics))
}

/// The operations whose paths are the server's own, and which are not served.
fn hidden(own: &OwnPaths, schema: &Schema) -> Vec<Value> {
    let operations = schema.entities.iter().flat_map(|entity| {
        let operations = entity.operations.iter();
        operations.map(move |operation| (entity, operation))
    });
    let hidden =
        operations.filter(|(_, operation)| own.hiding(&operation.path) == Some(Hiding::All));
    hidden
        .map(|(entity, operation)| {
            json!({"entity": entity.name, "method": operation.method, "path": operation.path})
        })
        .collect()
}

/// The changes as they were counted before they were made.
fn with_counts(changes: Vec<Change>, counted: &[CountedChange]) -> Vec<CountedChange> {
    let known = |change: &Change| counted.iter().find(|known| known.change == *change);
    let changes = changes.into_iter().map(|change| CountedChange {
        violating: known(&change).and_then(|known| known.violating.clone()),
        change,
    });
    changes.collect()
}

fn changes_json(changes: &[CountedChange]) -> Vec<Value> {
    let changes = changes.iter();
    changes
        .map(|counted| {
            let change = &counted.change;
            let mut told = json!({
                "kind": change.kind.as_str(),
                "is_breaking": change.kind.is_breaking(),
                "entity": change.entity,
                "field": change.field,
                "what": counted.to_string(),
            });
            if let Some(violating) = &counted.violating {
                told["violating"] = json!({"count": violating.count, "ids": violating.ids});
            }
            told
        })
        .collect()
}
