//! Coding sessions: what agents and their users said and did, as transcripts and hooks tell it.
//!
//! A session is the resource of its ops. An op carries patches: what it says of the session, of its
//! messages with their parts, of tool calls, usage, errors and compactions, each by the agent's own id.
//! Every field belongs to its last writer by `(precedence, clock, actor)`, and a field that a patch leaves
//! out stays as it is: nothing has to be known whole, or come in order. What is told of a transcript weighs
//! by how far that had come, so that whoever reads an older copy, and wherever, changes nothing back; what
//! a person says stands over it. Usage alone is a snapshot: of those of one response the last within the
//! transcript counts, whoever brought it and when.
//!
//! Figures of tokens and cost are not part of the rows: they follow from usage when they are asked
//! for. A delete is a tombstone that erases.

mod batch;
mod change;
mod coverage;
mod fields;
mod fold;
mod ids;
mod merge;
mod news;
mod ops;
mod order;
mod patches;
mod precedence;
mod repeated;
mod snapshot;
mod stamps;
mod tables;

pub use batch::{Batch, CHUNK_BYTES, Piece, TEXT_CHARS_MAX, pieces_of_text};
pub use change::Change;
pub use coverage::coverage;
pub use fields::FileTouch;
pub use fold::{fold, is_erased};
pub use ids::{SessionId, session_id};
pub use news::news_of;
pub(crate) use ops::is_decided;
pub use ops::{Delete, Patch, SessionOp, is_delete};
pub use order::order_after;
pub use patches::{
    CompactionPatch, ErrorPatch, LinkPatch, MessagePatch, Part, SessionPatch, ToolPatch, Usage,
};
pub use precedence::Precedence;
pub use repeated::{Counting, is_named_everywhere, origin_among};
pub(crate) use tables::repeats_a_field;
pub use tables::{
    COMPACTIONS, ERRORS, MESSAGES, PARTS, SESSION_LINKS, SESSIONS, TABLES, TOOLS, USAGE,
};

/// The words of fields that this version gives a meaning; any other word is kept as it stands.
pub mod words {
    /// The agent of a session of which nobody has said whose it is.
    pub const NOBODY: &str = "unknown";

    /// What a person says.
    pub const USER: &str = "user";
    /// What the model says.
    pub const ASSISTANT: &str = "assistant";

    /// Kinds of parts: what was said.
    pub const TEXT: &str = "text";
    /// What the model thought.
    pub const THINKING: &str = "thinking";
    /// An image, by reference.
    pub const IMAGE: &str = "image";
    /// A document, by reference.
    pub const FILE: &str = "file";
    /// What a tool was given: JSON, or text as the agent wrote it.
    pub const TOOL_INPUT: &str = "tool_input";
    /// What a tool gave.
    pub const TOOL_OUTPUT: &str = "tool_output";
    /// A line of a transcript that no importer could name, as it stood there.
    pub const RAW: &str = "raw";

    /// How a session came from its parent: a tool call started it.
    pub const SUBAGENT: &str = "subagent";
    /// It began as a copy of its parent.
    pub const FORK: &str = "fork";
    /// It goes on where its parent ended.
    pub const RESUME: &str = "resume";

    /// What was done to a file.
    pub const READ: &str = "read";
    /// It was made or written anew.
    pub const WRITE: &str = "write";
    /// A part of it was changed.
    pub const EDIT: &str = "edit";
    /// It was removed.
    pub const DELETE: &str = "delete";
}
