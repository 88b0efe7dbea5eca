//! Our hooks in the settings of coding agents: how they get there, and how they leave no trace.
//!
//! Every change is worked out on the text of the settings, as pieces put in between what stands there,
//! so that all else stays as its owner wrote it. What was put in is noted in a receipt, by which it is
//! taken out again to the byte; where the settings were changed around it, ours alone is taken out.

mod agents;
mod codex;
mod diff;
mod edit;
mod json;
mod jsonc;
mod listed;
mod opencode;
mod plan;
mod receipt;
#[cfg(test)]
mod tests;

pub(crate) use agents::{HookAgent, Program};
pub(crate) use codex::CodexError;
use diff::diff;
pub(crate) use jsonc::value as jsonc_value;
pub(crate) use plan::{ContentError, Plan, PlanError, Settings, State, Verb};
