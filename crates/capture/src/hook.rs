//! What an agent's hook says: that something has happened in a session, and where that is written down.
//!
//! Transcripts are the source of truth; a hook makes them be read at once, and says when a session has
//! ended. So of what it is given only that is kept which names a session and its files, never what was
//! said in it. What no daemon takes waits in a [`Spool`].

mod event;
mod fields;
mod spool;
mod take;

pub use event::{EventName, EventNameError, HookEvent};
pub use fields::{BodyError, Fields};
pub use spool::{ASIDE_MAX, Found, Kept, Spool, SpoolError, Spooled, WAITING_MAX};
pub use take::{TakeError, Taken, note_turns, sources, take};
