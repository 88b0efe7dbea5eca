//! Finding the thread that a request means, and writing the ops that it amounts to.

use serde_json::json;
use syncline_model::thread::{ContentError, NameError};
use syncline_model::{Scope, ServerSeq};
use syncline_protocol::ErrorCode;
use syncline_store::TenantFile;
use syncline_store::threads::{PlanError, PlannedOp, Resolved, SyncError, Thread, resolve_key};

use crate::error::ApiError;
use crate::http::Call;
use crate::routes::decide::decide as decide_ops;
pub(super) use crate::routes::decide::{Stop, look};
use crate::tenant::NewOp;

impl From<PlanError> for Stop {
    fn from(error: PlanError) -> Self {
        Self::Refused(match error {
            PlanError::Store(error) => return Self::Store(error),
            PlanError::Name(error) => name_error(&error),
            PlanError::Content(error) => content_error(error),
            PlanError::LinkToItself => ApiError::invalid_field("target", "is the thread itself"),
            PlanError::Exists { .. } => {
                ApiError::invalid_field("thread_id", "the project has a thread of this key")
            }
            PlanError::Payload(error) => ApiError::new(
                ErrorCode::PayloadTooLarge,
                format!("the entry is too large: {error}"),
            ),
        })
    }
}

impl From<SyncError> for Stop {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::Plan(error) => error.into(),
            SyncError::Conflict {
                entry_id,
                expected,
                received,
            } => Self::Refused(
                ApiError::new(
                    ErrorCode::SequenceConflict,
                    format!(
                        "entry {entry_id} came as number {received}, and number {expected} is next: \
                         read the thread, and send what follows"
                    ),
                )
                .beside("expected_sequence", expected)
                .beside("received_sequence", received),
            ),
        }
    }
}

fn name_error(error: &NameError) -> ApiError {
    let field = match error.kind().as_str() {
        "project" => "project_id",
        "key" => "thread_id",
        other => other,
    };
    ApiError::invalid_field(field, error.to_string())
}

fn content_error(error: ContentError) -> ApiError {
    match error {
        ContentError::Empty => ApiError::invalid_field("content", error.to_string()),
        ContentError::TooLong { .. } => {
            ApiError::new(ErrorCode::PayloadTooLarge, error.to_string())
        }
    }
}

/// Finds the live thread of this id or key.
pub(super) fn find(
    file: &TenantFile,
    reference: &str,
    project: Option<&str>,
) -> Result<Thread, Stop> {
    match resolve_key(file.connection(), reference, project)? {
        Resolved::Found(thread) => Ok(thread),
        Resolved::Unknown => Err(ApiError::not_found("thread").into()),
        Resolved::Ambiguous(threads) => Err(ambiguous(&threads).into()),
    }
}

/// Several projects have the key.
pub(super) fn ambiguous(threads: &[Thread]) -> ApiError {
    let candidates: Vec<_> = threads
        .iter()
        .map(|thread| {
            json!({
                "thread_id": thread.thread_id,
                "key": thread.key,
                "project_id": thread.project,
                "name": thread.name,
            })
        })
        .collect();
    let message = "several projects have a thread of this key: say which by ?project_id=";
    ApiError::new(ErrorCode::Ambiguous, message).details(json!({"candidates": candidates}))
}

/// Decides on the threads as they stand when the request's turn comes.
pub(super) async fn decide<T: Send + 'static>(
    call: &Call,
    mut judge: impl FnMut(&TenantFile) -> Result<(Vec<PlannedOp>, T), Stop> + Send + 'static,
) -> Result<(T, Vec<ServerSeq>), ApiError> {
    decide_ops(call, move |file| {
        let (planned, answer) = judge(file)?;
        Ok((planned.into_iter().map(new_op).collect(), answer))
    })
    .await
}

fn new_op((resource, payload): PlannedOp) -> NewOp {
    NewOp {
        scope: Scope::thread(),
        resource,
        payload,
    }
}
