//! Sessions of Cursor: composers and their bubbles in `state.vscdb`, and transcripts of its agent, a
//! line per message.

mod branches;
mod place;
mod state;
mod transcript;

pub(crate) use state::{read_unit, units};
pub(crate) use transcript::{Memory, enter, memory_of, read};

use crate::agent::Agent;

const AGENT: Agent = Agent::Cursor;
