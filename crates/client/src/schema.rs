//! What a server's records are: shown, compared with a document, and replaced.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use syncline_model::ServerSeq;
use syncline_model::schema::{ChangeKind, Schema};
use syncline_protocol::{Details, ErrorCode};
use syncline_replica::Method;

use crate::Remote;
use crate::ask::{AskError, ask_blocking, call, read};

/// More than the entities of any document take, in bytes.
const SCHEMA_BYTES_MAX: usize = 64 << 20;

/// The schema that stands on a server.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct SchemaOnServer {
    /// Its place in the log; none: the tenant has none.
    pub seq: Option<ServerSeq>,
    pub schema: Option<Schema>,
}

/// A change, as a server tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaChange {
    /// A word that a newer server may have come up with.
    pub kind: String,
    pub is_breaking: bool,
    pub entity: String,
    pub field: Option<String>,
    /// The whole change in words.
    pub what: String,
    /// The records that stand against it. None: it asks nothing of them, or the server does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub violating: Option<ViolatingRecords>,
}

/// Records that hold what a schema does not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViolatingRecords {
    pub count: u64,
    /// The first of them.
    pub ids: Vec<String>,
}

/// A schema that stands now.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SchemaApplied {
    pub seq: ServerSeq,
    pub changes: Vec<SchemaChange>,
}

#[derive(Deserialize)]
struct Changes {
    changes: Vec<SchemaChange>,
}

/// Asks for the schema of the tenant. Blocks, for `patience` at most.
pub fn schema(remote: &Remote, patience: Duration) -> Result<SchemaOnServer, AskError> {
    ask_for(remote, patience, (Method::Get, "api/schema"), "", None)
}

/// Asks what a document would change. Blocks, for `patience` at most.
pub fn diff_schema(
    remote: &Remote,
    document: &str,
    patience: Duration,
) -> Result<Vec<SchemaChange>, AskError> {
    let document = Some(document.as_bytes().to_vec());
    let place = (Method::Post, "api/schema/diff");
    let told: Changes = ask_for(remote, patience, place, "", document)?;
    Ok(told.changes)
}

/// Has the entities of a document stand; of what takes something away only what is allowed. Blocks, for
/// `patience` at most.
pub fn apply_schema(
    remote: &Remote,
    document: &str,
    allow: &[ChangeKind],
    patience: Duration,
) -> Result<SchemaApplied, AskError> {
    let words: Vec<_> = allow.iter().map(|kind| kind.as_str()).collect();
    let query = match words.as_slice() {
        [] => String::new(),
        words => format!("allow={}", words.join(",")),
    };
    let document = Some(document.as_bytes().to_vec());
    ask_for(
        remote,
        patience,
        (Method::Put, "api/schema"),
        &query,
        document,
    )
}

/// What takes something away, where that is why a server refuses.
pub fn breaking_changes(error: &AskError) -> Option<Vec<SchemaChange>> {
    let AskError::Refused { error, .. } = error else {
        return None;
    };
    match &error.details {
        Details::Other(json) if error.code == ErrorCode::BreakingSchema => {
            let told: Changes = serde_json::from_str(json).ok()?;
            Some(told.changes)
        }
        Details::Other(_)
        | Details::None
        | Details::EpochChanged { .. }
        | Details::LogDiverged { .. }
        | Details::RebuildRequired { .. } => None,
    }
}

fn ask_for<T: serde::de::DeserializeOwned>(
    remote: &Remote,
    patience: Duration,
    (method, path): (Method, &'static str),
    query: &str,
    body: Option<Vec<u8>>,
) -> Result<T, AskError> {
    let mut call = call(method, path, body);
    call.query = query.to_owned();
    call.answer_bytes_max = SCHEMA_BYTES_MAX;
    ask_blocking(remote, patience, async |transport| {
        let answer = transport.call_compressed(call).await;
        read(&answer.map_err(AskError::Transport)?)
    })
}
