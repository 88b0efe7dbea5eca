//! Ops: immutable changes, and their places.

use serde::{Deserialize, Serialize};

use crate::{ActorId, Clock, Mark, Payload, PayloadHash, ResourceId, Scope, ServerSeq};

/// The identity of an op: unique as a whole within a tenant's log.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OpKey {
    pub actor: ActorId,
    pub clock: Clock,
    pub scope: Scope,
    pub resource: ResourceId,
}

/// An immutable change; the unit of atomicity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Op {
    pub key: OpKey,
    pub payload: Payload,
}

impl Op {
    pub fn version(&self) -> OpVersion {
        OpVersion {
            clock: self.key.clock,
            actor: self.key.actor.clone(),
        }
    }
}

/// An op in a log, at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedOp {
    pub seq: ServerSeq,
    pub key: OpKey,
    /// None when the op was erased.
    pub payload: Option<Payload>,
    /// The hash of the payload as first sent, kept when the payload is erased.
    pub payload_hash: PayloadHash,
}

/// A place in the log and its mark: the point up to which a replica has applied it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cursor {
    pub server_seq: ServerSeq,
    pub mark: Mark,
}

impl Cursor {
    /// Place 0, common to all logs, where its mark is not known. No server checks it.
    pub const ORIGIN: Self = Self {
        server_seq: ServerSeq::ZERO,
        mark: Mark::origin([0; 16]),
    };
}

/// The stamp by which the last writer of a field wins: clock first, then actor.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OpVersion {
    pub clock: Clock,
    pub actor: ActorId,
}
