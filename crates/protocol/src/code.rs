//! The stable error codes, and what each asks of a client.

use std::fmt;

/// What a client does about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Remedy {
    /// The same request may pass later, as it is.
    TryLater,
    /// The same request never passes; nothing but the request itself is at fault.
    MendRequest,
    /// A person logs in again, or is given more rights.
    LogIn,
    /// The client brings its log in line with the server's, and goes on by itself.
    Recover,
    /// The op is written anew, with a new actor.
    WriteAnew,
    /// The op goes to quarantine, for the user to fix, retry or drop.
    Quarantine,
}

impl Remedy {
    /// A few words for the table in `docs/protocol.md`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TryLater => "try again later",
            Self::MendRequest => "mend the request",
            Self::LogIn => "log in, or ask for the right",
            Self::Recover => "recover, by itself",
            Self::WriteAnew => "new actor, write anew",
            Self::Quarantine => "quarantine the op",
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $text:literal $status:literal $remedy:ident $cause:literal,)*) => {
        /// A stable code: of a whole answer, or of one op's result.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $(#[doc = $cause] $name,)*
        }

        impl ErrorCode {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The HTTP status of an answer with this code. An op's own code comes in an answer
            /// of status 200.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// What the client does about it.
            pub const fn remedy(self) -> Remedy {
                match self { $(Self::$name => Remedy::$remedy,)* }
            }

            /// What has happened, for the table in `docs/protocol.md`.
            pub const fn cause(self) -> &'static str {
                match self { $(Self::$name => $cause,)* }
            }

            /// The code of this text; none if a newer version has sent it.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)* _ => None }
            }
        }
    };
}

codes! {
    BadRequest "bad_request" 400 MendRequest
        "The request can't be read: no JSON, a wrong type, a number out of range.",
    InvalidField "invalid_field" 422 MendRequest
        "The request can be read, and a field's value is not allowed.",
    Unauthorized "unauthorized" 401 LogIn
        "There is no token, or it is unknown, expired or revoked.",
    Forbidden "forbidden" 403 LogIn
        "The token has too few rights, or the host or origin is not allowed.",
    NotFound "not_found" 404 MendRequest
        "There is no such path or resource.",
    MethodNotAllowed "method_not_allowed" 405 MendRequest
        "The path doesn't take this method.",
    Ambiguous "ambiguous" 409 MendRequest
        "A name fits several resources; `details` lists them.",
    SequenceConflict "sequence_conflict" 409 MendRequest
        "Entries leave a gap, or another entry has a number already.",
    EpochChanged "epoch_changed" 409 Recover
        "The log is in another epoch: it was reset, or restored from a backup.",
    LogDiverged "log_diverged" 409 Recover
        "The mark is not the log's at that place, or the place is above the head.",
    RebuildRequired "rebuild_required" 410 Recover
        "The place is below the floor, or the role has changed.",
    PreconditionFailed "precondition_failed" 412 MendRequest
        "`If-Match` names another epoch than the current one, or another state than that of the list, item or record.",
    PayloadTooLarge "payload_too_large" 413 MendRequest
        "The body, as sent or expanded, or its count of ops is over the limit.",
    UnsupportedMediaType "unsupported_media_type" 415 MendRequest
        "The body's type or encoding is not one that is read here.",
    PreconditionRequired "precondition_required" 428 MendRequest
        "`If-Match` is absent.",
    RateLimited "rate_limited" 429 TryLater
        "Too many requests; `Retry-After` says for how long.",
    Internal "internal" 500 TryLater
        "The server has failed in a way that it did not foresee; its log has the request id.",
    Unavailable "unavailable" 503 TryLater
        "The server is starting, stopping, under maintenance, or its commit failed.",
    StorageFull "storage_full" 507 TryLater
        "The server's disk is full. Nothing of the request is in the log.",
    InvalidOp "invalid_op" 422 Quarantine
        "The op's envelope is not one: a bad scope, id, actor or clock, or a field that is missing.",
    TooLarge "too_large" 413 Quarantine
        "The op's payload is too long, or nests too deep.",
    FoldFailed "fold_failed" 422 Quarantine
        "The server can't fold the op.",
    ForeignActor "foreign_actor" 403 Quarantine
        "The actor belongs to another user.",
    UnknownEntity "unknown_entity" 404 Quarantine
        "The tenant's schema has no such entity.",
    Gone "gone" 410 Quarantine
        "The record was deleted.",
    AlreadyExists "already_exists" 409 Quarantine
        "A record with this id is there already.",
    ForbiddenField "forbidden_field" 403 Quarantine
        "The role may not write one of the fields; `details` names it.",
    ValidationFailed "validation_failed" 422 Quarantine
        "A value is none that its field has; `details` names fields and rules.",
    UniqueViolation "unique_violation" 409 Quarantine
        "Another record has the values that are to be one record's alone.",
    Conflict "conflict" 409 Quarantine
        "Others have changed what the writer had seen; `details` has base, mine and theirs.",
    DependsOnRefused "depends_on_refused" 409 Quarantine
        "The op builds on one that was refused.",
    BreakingSchema "breaking_schema" 409 Quarantine
        "The schema takes something away without leave; `details` names it.",
    MaybeCovered "maybe_covered" 409 Quarantine
        "The log has dropped younger ops of the op's actor and resource, and can't tell whether this one went with them or never came. A server says so where a collected tombstone may have covered it, a replica of an op whose request came twice.",
    KeyConflict "key_conflict" 409 WriteAnew
        "Another payload stands, or was refused, under the op's key.",
    ClockLead "clock_lead" 422 WriteAnew
        "The op's clock leads the highest accepted one by more than 2^32, or is past the last clock.",
    ClockBehind "clock_behind" 422 WriteAnew
        "The op's clock is not above those of its resource whose tombstones the log has let go of.",
}

impl ErrorCode {
    /// Whether the same request may pass later, as it is.
    pub const fn is_retryable(self) -> bool {
        matches!(self.remedy(), Remedy::TryLater)
    }

    /// The code that stands for an HTTP status without a body of ours: a proxy's answer.
    pub const fn of_status(status: u16) -> Self {
        match status {
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            405 => Self::MethodNotAllowed,
            413 => Self::PayloadTooLarge,
            415 => Self::UnsupportedMediaType,
            429 => Self::RateLimited,
            500 => Self::Internal,
            507 => Self::StorageFull,
            408 | 425 | 502..=599 => Self::Unavailable,
            _ => Self::BadRequest,
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_and_is_one_word_in_snake_case() {
        for &code in ErrorCode::ALL {
            assert_eq!(ErrorCode::parse(code.as_str()), Some(code));
            assert!(
                code.as_str()
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{code}"
            );
            assert!((400..600).contains(&code.status()), "{code}");
            assert_eq!(
                code.is_retryable(),
                matches!(code.status(), 429 | 500..),
                "{code}"
            );
        }
    }
}
