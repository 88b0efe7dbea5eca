//! What plugins of agents say around their calls: who they are, and which version they speak.

use serde::Deserialize;
use serde_json::{Value, json};
use syncline_capture::redact::Redactor;
use syncline_capture::told::{Thing, Told, ToldError};

use crate::rpc::RpcError;

/// The versions of what plugins tell that are understood here.
pub(crate) const SCHEMA_VERSIONS: [&str; 1] = ["v1"];
/// The longest message that is logged for a plugin, in bytes.
const LOGGED_BYTES_MAX: usize = 16 * 1024;

/// What a method tells of; none: it tells nothing.
pub(crate) fn thing_of(method: &str) -> Option<Thing> {
    Some(match method {
        "upsertSession" => Thing::Session,
        "upsertMessage" => Thing::Message,
        "upsertTool" => Thing::Tool,
        "upsertSessionError" => Thing::SessionError,
        "upsertCompactionEvent" => Thing::CompactionEvent,
        _ => return None,
    })
}

/// Reads what the parameters of such a method tell.
pub(crate) fn told(thing: Thing, mut params: Value) -> Result<Told, RpcError> {
    let client = envelope(&params)?;
    let name = thing.parameter();
    let Some(value) = params.get_mut(name).map(Value::take) else {
        let message = format!("params.{name} is required");
        return Err(RpcError::new(RpcError::INVALID_PARAMS, message));
    };
    Told::parse(thing, value, client.as_deref()).map_err(|error| match &error {
        ToldError::Missing { field } => RpcError::new(RpcError::MISSING_FIELD, error.to_string())
            .with(json!({ "field": field })),
        ToldError::Value { field, .. } => {
            RpcError::new(RpcError::INVALID_PARAMS, error.to_string())
                .with(json!({ "field": field }))
        }
        ToldError::Shape { .. } | ToldError::Unknown { .. } => {
            RpcError::new(RpcError::INVALID_PARAMS, error.to_string())
        }
    })
}

/// Checks the version that parameters are in, if they say, and gives what the plugin calls itself.
pub(crate) fn envelope(params: &Value) -> Result<Option<String>, RpcError> {
    match params.get("schemaVersion") {
        None | Some(Value::Null) => {}
        Some(Value::String(version)) if SCHEMA_VERSIONS.contains(&version.as_str()) => {}
        Some(_) => return Err(no_version()),
    }
    let name = params.get("client").and_then(|client| client.get("name"));
    Ok(name.and_then(Value::as_str).map(str::to_owned))
}

fn no_version() -> RpcError {
    RpcError::new(RpcError::SCHEMA_VERSION, "no version that is spoken here")
        .with(json!({ "schemaVersions": SCHEMA_VERSIONS }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hello {
    schema_versions: Option<Vec<String>>,
    schema_version: Option<String>,
}

/// Agrees on a version: the first of the plugin's that is spoken here. One that names none gets the
/// newest.
pub(crate) fn hello(params: Value) -> Result<&'static str, RpcError> {
    let Hello {
        schema_versions,
        schema_version,
    } = crate::service::read_params(params)?;
    let wanted: Vec<String> = match (schema_versions, schema_version) {
        (Some(wanted), _) => wanted,
        (None, Some(wanted)) => vec![wanted],
        (None, None) => return Ok(SCHEMA_VERSIONS[SCHEMA_VERSIONS.len() - 1]),
    };
    let mut wanted = wanted.iter();
    let spoken = wanted.find_map(|wanted| {
        let mut spoken = SCHEMA_VERSIONS.into_iter();
        spoken.find(|spoken| spoken == wanted)
    });
    spoken.ok_or_else(no_version)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogEntry {
    level: Option<String>,
    component: Option<String>,
    message: String,
    request_id: Option<String>,
    context: Option<Value>,
}

#[derive(Deserialize)]
struct LogWrite {
    entry: LogEntry,
}

/// Logs what a plugin says, without its secrets.
pub(crate) fn log(params: Value, redactor: &Redactor) -> Result<(), RpcError> {
    let client = envelope(&params)?;
    let LogWrite { entry } = crate::service::read_params(params)?;
    let clean = |text: &str| {
        let text = redactor.redact_text(text).text.into_owned();
        let end = text.floor_char_boundary(LOGGED_BYTES_MAX);
        text[..end].to_owned()
    };
    let component = entry.component.or(client).unwrap_or_default();
    let component = clean(&component);
    let message = clean(&entry.message);
    let request = entry.request_id.as_deref().map(clean);
    let context = entry.context.map(|context| {
        let context = redactor.redact_json(&context).value.to_string();
        clean(&context)
    });
    macro_rules! log {
        ($level:ident) => {
            tracing::$level!(
                plugin.component = component,
                plugin.request = request,
                plugin.context = context,
                "{message}"
            )
        };
    }
    match entry.level.as_deref() {
        Some("debug") => log!(debug),
        Some("warn") => log!(warn),
        Some("error") => log!(error),
        _ => log!(info),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_version_of_the_plugins_that_is_spoken_here_is_agreed_on() {
        assert_eq!(
            hello(json!({ "schemaVersions": ["v9", "v1"] })).unwrap(),
            "v1"
        );
        assert_eq!(hello(json!({ "schemaVersion": "v1" })).unwrap(), "v1");
        assert_eq!(hello(Value::Null).unwrap(), "v1");
        let refused = hello(json!({ "schemaVersions": ["v2"] })).unwrap_err();
        assert_eq!(refused.code, RpcError::SCHEMA_VERSION);
        assert_eq!(refused.data, Some(json!({ "schemaVersions": ["v1"] })));
        let other = envelope(&json!({ "schemaVersion": "v2" })).unwrap_err();
        assert_eq!(other.code, RpcError::SCHEMA_VERSION);
    }

    #[test]
    fn a_field_that_is_missing_is_named_in_the_data() {
        let params = json!({ "message": { "id": "m" } });
        let error = told(Thing::Message, params).unwrap_err();
        assert_eq!(error.code, RpcError::MISSING_FIELD);
        assert_eq!(error.data, Some(json!({ "field": "sessionId" })));
        let error = told(Thing::Message, json!({})).unwrap_err();
        assert_eq!(error.code, RpcError::INVALID_PARAMS);
    }
}
