//! The payloads of scope `session`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::patches::{
    CompactionPatch, ErrorPatch, LinkPatch, MessagePatch, Part, SessionPatch, ToolPatch, Usage,
    is_false,
};
use super::precedence::Precedence;
use crate::{Payload, PayloadError, Timestamp};

/// A payload of scope `session`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionOp<'a> {
    Patch(Box<Patch<'a>>),
    Delete(Delete),
}

/// What an op says of a session and of what is in it. Of two patches of one thing within an op the
/// later one counts, field by field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Patch<'a> {
    /// The place in the order of the agent's transcript up to which that had come when it told this,
    /// see [`super::order_after`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up_to: Option<i64>,
    /// Whether no agent told it: a person or a replica has decided so.
    #[serde(skip_serializing_if = "is_false")]
    pub decided: bool,
    #[serde(skip_serializing_if = "SessionPatch::is_empty")]
    pub session: SessionPatch<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<MessagePatch<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<ToolPatch<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub usage: Vec<Usage<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ErrorPatch<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub compactions: Vec<CompactionPatch<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<LinkPatch<'a>>,
}

impl Patch<'_> {
    /// How much it weighs.
    pub fn precedence(&self) -> Precedence {
        match (self.decided, self.up_to) {
            (true, _) => Precedence::Decided,
            (false, Some(order)) => Precedence::UpTo(order),
            (false, None) => Precedence::Unknown,
        }
    }
}

/// Deletes the session for good, with all that was ever written to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delete {
    pub at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    #[serde(rename = "type")]
    kind: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    patch: Option<Box<Patch<'a>>>,
}

/// What stands before and after the patch in a payload.
pub(super) const PATCH_OPEN: &str = r#"{"type":"patch","patch":"#;
pub(super) const PATCH_CLOSE: &str = "}";

impl<'a> SessionOp<'a> {
    /// Reads a payload; none if this version can't.
    pub fn read(payload: &'a Payload) -> Option<Self> {
        let wire: Wire<'a> = payload.read().ok()?;
        Some(match &*wire.kind {
            "patch" => Self::Patch(wire.patch?),
            "delete" => Self::Delete(Delete { at: wire.at? }),
            _ => return None,
        })
    }

    /// Writes the payload; fails where it is larger than a payload may be.
    pub fn payload(&self) -> Result<Payload, PayloadError> {
        match self {
            Self::Patch(patch) => {
                let patch = serde_json::to_string(patch).map_err(PayloadError::Syntax)?;
                Payload::parse(&format!("{PATCH_OPEN}{patch}{PATCH_CLOSE}"))
            }
            Self::Delete(Delete { at }) => Payload::from_value(&Wire {
                kind: "delete".into(),
                at: Some(*at),
                patch: None,
            }),
        }
    }
}

/// Whether a payload says what a person, or a replica that has compared sessions, has decided.
pub(crate) fn is_decided(payload: &Payload) -> bool {
    matches!(SessionOp::read(payload), Some(SessionOp::Patch(patch)) if patch.decided)
}

/// Whether a payload of this scope deletes its session.
pub fn is_delete(payload: &Payload) -> bool {
    matches!(SessionOp::read(payload), Some(SessionOp::Delete(_)))
}
