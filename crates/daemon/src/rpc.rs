//! JSON-RPC 2.0, as far as the control socket speaks it: requests with named parameters, one or a batch
//! at a time on a connection.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A request; one without an `id` wants no response.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    pub jsonrpc: Version,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Value>,
    pub method: String,
    #[serde(default)]
    pub params: Value,
}

/// A response: a result or an error.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Response {
    pub jsonrpc: Version,
    pub id: Value,
    #[serde(flatten)]
    pub outcome: Outcome,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Result(Value),
    Error(RpcError),
}

/// Why a request was not done.
#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct RpcError {
    pub code: i64,
    pub message: String,
    /// What a program acts on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

impl RpcError {
    pub const PARSE: i64 = -32700;
    pub const INVALID_REQUEST: i64 = -32600;
    pub const METHOD_NOT_FOUND: i64 = -32601;
    pub const INVALID_PARAMS: i64 = -32602;
    pub const INTERNAL: i64 = -32603;
    /// A field that is required is not there; `data.field` names it.
    pub const MISSING_FIELD: i64 = 4001;
    /// None of the versions of the caller's is spoken here; `data.schemaVersions` are.
    pub const SCHEMA_VERSION: i64 = 4002;
    /// There is no such session.
    pub const NO_SESSION: i64 = 4003;
    /// There are several such sessions; `data.agents` tells them apart.
    pub const AMBIGUOUS: i64 = 4004;
    /// There is no room for it on the disk.
    pub const DISK_FULL: i64 = 4005;
    /// As many connections are open as may be; nothing of what was sent was read.
    pub const TOO_MANY_CONNECTIONS: i64 = 4006;

    pub fn new(code: i64, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            data: None,
        }
    }

    /// With what a program acts on.
    pub fn with(mut self, data: Value) -> Self {
        self.data = Some(data);
        self
    }
}

/// The text `2.0`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum Version {
    #[serde(rename = "2.0")]
    Two,
}

impl Request {
    /// A call of `method` that wants a response.
    pub fn call(method: &str, params: Value) -> Self {
        Self {
            jsonrpc: Version::Two,
            id: Some(Value::from(1)),
            method: method.to_owned(),
            params,
        }
    }
}

impl Response {
    pub fn new(id: Value, outcome: Result<Value, RpcError>) -> Self {
        let outcome = match outcome {
            Ok(result) => Outcome::Result(result),
            Err(error) => Outcome::Error(error),
        };
        Self {
            jsonrpc: Version::Two,
            id,
            outcome,
        }
    }
}
