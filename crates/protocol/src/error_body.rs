//! The body of every error: `{error:{code, message, details?, request_id}}`.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use syncline_model::{Cursor, Epoch, EpochMode, Lineage, Parent, ServerSeq};

use crate::ErrorCode;

/// An error as it is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorBody {
    pub code: ErrorCode,
    /// A sentence that says what happened and what to do.
    pub message: String,
    pub details: Details,
    /// Finds the request in the server's log.
    pub request_id: String,
}

/// What an error says beyond its message, for a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Details {
    None,
    /// Of `epoch_changed`: the epochs that the log has had, oldest first; the last is the current.
    EpochChanged {
        epoch: Epoch,
        lineage: Vec<Lineage>,
    },
    /// Of `log_diverged`: the log's head.
    LogDiverged {
        head: ServerSeq,
    },
    /// Of `rebuild_required`: the log's floor.
    RebuildRequired {
        floor: ServerSeq,
    },
    /// JSON text, of any other code.
    Other(String),
}

impl ErrorBody {
    pub fn new(code: ErrorCode, message: impl Into<String>, request_id: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: Details::None,
            request_id: request_id.into(),
        }
    }

    #[must_use]
    pub fn with_details(self, details: Details) -> Self {
        Self { details, ..self }
    }

    pub fn encode(&self) -> Vec<u8> {
        let body = WireBody {
            error: WireError {
                code: self.code.as_str().into(),
                message: self.message.as_str().into(),
                details: self.details.to_raw(),
                request_id: self.request_id.as_str().into(),
            },
        };
        serde_json::to_vec(&body).expect("strings and JSON text can always be written")
    }

    /// Reads the body of an answer of this status. A code that a newer server has come up with is
    /// taken for that of its status, and so is a body that is none of ours: a proxy's.
    pub fn read(status: u16, body: &[u8]) -> Self {
        let by_status = ErrorCode::of_status(status);
        let Ok(WireBody { error }) = serde_json::from_slice::<WireBody<'_>>(body) else {
            return Self::new(
                by_status,
                format!("the server answered with status {status}"),
                "",
            );
        };
        let code = ErrorCode::parse(&error.code).unwrap_or(by_status);
        let details = Details::read(code, error.details.as_deref());
        Self::new(code, error.message, error.request_id).with_details(details)
    }
}

#[derive(Serialize, Deserialize)]
struct WireBody<'a> {
    #[serde(borrow)]
    error: WireError<'a>,
}

#[derive(Serialize, Deserialize)]
struct WireError<'a> {
    code: std::borrow::Cow<'a, str>,
    #[serde(default)]
    message: std::borrow::Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    details: Option<Box<RawValue>>,
    #[serde(default)]
    request_id: std::borrow::Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EpochDetails {
    epoch: Epoch,
    parent: Option<ParentDetails>,
    lineage: Vec<LineageDetails>,
}

#[derive(Serialize, Deserialize)]
struct LineageDetails {
    epoch: Epoch,
    parent: Option<ParentDetails>,
}

#[derive(Serialize, Deserialize)]
struct ParentDetails {
    epoch: Epoch,
    #[serde(flatten)]
    cursor: Cursor,
    mode: EpochMode,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HeadDetails {
    server_seq: ServerSeq,
}

#[derive(Serialize, Deserialize)]
struct FloorDetails {
    floor: ServerSeq,
}

impl Details {
    fn to_raw(&self) -> Option<Box<RawValue>> {
        let raw = match self {
            Self::None => return None,
            Self::EpochChanged { epoch, lineage } => {
                let steps = lineage.iter().map(|step| LineageDetails {
                    epoch: step.epoch,
                    parent: step.parent.map(ParentDetails::from),
                });
                serde_json::value::to_raw_value(&EpochDetails {
                    epoch: *epoch,
                    parent: lineage
                        .last()
                        .and_then(|step| step.parent)
                        .map(ParentDetails::from),
                    lineage: steps.collect(),
                })
            }
            Self::LogDiverged { head } => {
                serde_json::value::to_raw_value(&HeadDetails { server_seq: *head })
            }
            Self::RebuildRequired { floor } => {
                serde_json::value::to_raw_value(&FloorDetails { floor: *floor })
            }
            Self::Other(text) => RawValue::from_string(text.clone()),
        };
        raw.ok()
    }

    fn read(code: ErrorCode, raw: Option<&RawValue>) -> Self {
        let Some(raw) = raw else { return Self::None };
        let text = raw.get();
        let known = match code {
            ErrorCode::EpochChanged => serde_json::from_str(text).ok().map(EpochDetails::into),
            ErrorCode::LogDiverged => serde_json::from_str(text)
                .ok()
                .map(|HeadDetails { server_seq }| Self::LogDiverged { head: server_seq }),
            ErrorCode::RebuildRequired => serde_json::from_str(text)
                .ok()
                .map(|FloorDetails { floor }| Self::RebuildRequired { floor }),
            _ => None,
        };
        known.unwrap_or_else(|| Self::Other(text.to_owned()))
    }
}

impl From<EpochDetails> for Details {
    fn from(details: EpochDetails) -> Self {
        let steps = details.lineage.into_iter();
        let steps = steps.map(|step| Lineage {
            epoch: step.epoch,
            parent: step.parent.map(Into::into),
        });
        let mut lineage: Vec<Lineage> = steps.collect();
        // A server that says no lineage still says the last step of it.
        if !lineage.iter().any(|step| step.epoch == details.epoch) {
            let parent = details.parent.map(Into::into);
            lineage.push(Lineage {
                epoch: details.epoch,
                parent,
            });
        }
        Self::EpochChanged {
            epoch: details.epoch,
            lineage,
        }
    }
}

impl From<Parent> for ParentDetails {
    fn from(parent: Parent) -> Self {
        Self {
            epoch: parent.epoch,
            cursor: parent.cursor,
            mode: parent.mode,
        }
    }
}

impl From<ParentDetails> for Parent {
    fn from(parent: ParentDetails) -> Self {
        Self {
            epoch: parent.epoch,
            cursor: parent.cursor,
            mode: parent.mode,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(n: u128) -> Epoch {
        let text = format!("{n:032x}");
        format!(
            "{}-{}-{}-{}-{}",
            &text[..8],
            &text[8..12],
            &text[12..16],
            &text[16..20],
            &text[20..]
        )
        .parse()
        .unwrap()
    }

    fn reads_back(status: u16, body: &ErrorBody) {
        assert_eq!(&ErrorBody::read(status, &body.encode()), body);
    }

    #[test]
    fn every_error_reads_back_with_its_details() {
        let parent = Parent {
            epoch: epoch(1),
            cursor: Cursor {
                server_seq: ServerSeq(7),
                mark: syncline_model::Mark::origin([7; 16]),
            },
            mode: EpochMode::Follow,
        };
        let lineage = vec![
            Lineage {
                epoch: epoch(1),
                parent: None,
            },
            Lineage {
                epoch: epoch(2),
                parent: Some(parent),
            },
        ];
        let changed = Details::EpochChanged {
            epoch: epoch(2),
            lineage,
        };
        let cases = [
            (ErrorCode::EpochChanged, changed),
            (
                ErrorCode::LogDiverged,
                Details::LogDiverged { head: ServerSeq(3) },
            ),
            (
                ErrorCode::RebuildRequired,
                Details::RebuildRequired {
                    floor: ServerSeq(9),
                },
            ),
            (
                ErrorCode::Ambiguous,
                Details::Other(r#"{"candidates":["a","b"]}"#.into()),
            ),
            (ErrorCode::Internal, Details::None),
        ];
        for (code, details) in cases {
            let body = ErrorBody::new(code, "what \"happened\"", "r-1").with_details(details);
            reads_back(code.status(), &body);
        }
    }

    #[test]
    fn what_a_proxy_answers_is_taken_by_its_status() {
        for (status, code) in [
            (401, ErrorCode::Unauthorized),
            (413, ErrorCode::PayloadTooLarge),
            (502, ErrorCode::Unavailable),
            (504, ErrorCode::Unavailable),
            (507, ErrorCode::StorageFull),
            (400, ErrorCode::BadRequest),
        ] {
            assert_eq!(ErrorBody::read(status, b"<html>").code, code);
        }
        let newer = br#"{"error":{"code":"brand_new","message":"m","request_id":"r"}}"#;
        assert_eq!(ErrorBody::read(429, newer).code, ErrorCode::RateLimited);
    }
}
