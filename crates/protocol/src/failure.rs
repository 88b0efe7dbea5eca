//! From an answer that is none of status 200 to what the session makes of it.

use std::time::Duration;

use syncline_model::Epoch;

use crate::session::Failure;
use crate::{Details, EpochChange, ErrorBody, ErrorCode, RetryClass};

impl Failure {
    /// No answer, one that was cut, or one that can't be read.
    pub const TRANSPORT: Self = Self::Retry {
        class: RetryClass::Transport,
        after: None,
    };

    /// What an error means to a replica whose current tenant file is of the epoch `own`.
    pub fn of(error: &ErrorBody, own: Option<Epoch>, retry_after: Option<Duration>) -> Self {
        let retry = |class| Self::Retry {
            class,
            after: retry_after,
        };
        match error.code {
            ErrorCode::Unauthorized => Self::Unauthorized,
            ErrorCode::Forbidden => Self::Forbidden,
            ErrorCode::EpochChanged => match &error.details {
                Details::EpochChanged { epoch, lineage } => {
                    Self::EpochChanged(EpochChange::judge(own, lineage, *epoch))
                }
                Details::None
                | Details::LogDiverged { .. }
                | Details::RebuildRequired { .. }
                | Details::Other(_) => Self::Refused,
            },
            ErrorCode::LogDiverged => match error.details {
                Details::LogDiverged { head } => Self::LogDiverged { head: Some(head) },
                Details::None
                | Details::EpochChanged { .. }
                | Details::RebuildRequired { .. }
                | Details::Other(_) => Self::LogDiverged { head: None },
            },
            ErrorCode::RebuildRequired => Self::RebuildRequired,
            ErrorCode::PayloadTooLarge => Self::TooLarge,
            ErrorCode::RateLimited => retry(RetryClass::RateLimited),
            ErrorCode::StorageFull => retry(RetryClass::StorageFull),
            ErrorCode::Unavailable | ErrorCode::Internal => retry(RetryClass::Unavailable),
            ErrorCode::BadRequest
            | ErrorCode::InvalidField
            | ErrorCode::NotFound
            | ErrorCode::MethodNotAllowed
            | ErrorCode::Ambiguous
            | ErrorCode::SequenceConflict
            | ErrorCode::PreconditionFailed
            | ErrorCode::UnsupportedMediaType
            | ErrorCode::PreconditionRequired
            | ErrorCode::InvalidOp
            | ErrorCode::TooLarge
            | ErrorCode::FoldFailed
            | ErrorCode::ForeignActor
            | ErrorCode::KeyConflict
            | ErrorCode::ClockLead
            | ErrorCode::ClockBehind
            | ErrorCode::UnknownEntity
            | ErrorCode::Gone
            | ErrorCode::AlreadyExists
            | ErrorCode::ForbiddenField
            | ErrorCode::ValidationFailed
            | ErrorCode::UniqueViolation
            | ErrorCode::Conflict
            | ErrorCode::DependsOnRefused
            | ErrorCode::BreakingSchema
            | ErrorCode::MaybeCovered => Self::Refused,
        }
    }
}

/// Reads the value of `Retry-After` where it is a number of seconds, the one form that a server of
/// ours sends.
pub fn parse_retry_after(value: &str) -> Option<Duration> {
    value.trim().parse().ok().map(Duration::from_secs)
}
