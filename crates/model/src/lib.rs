//! The words of Syncline: ids, ops, clocks, marks, payloads, and the folds that turn ops into view rows.
//!
//! Everything here is a pure function over values: no I/O, no clock, no randomness. Time and random
//! bytes are arguments, so a fold gives the same rows on a laptop, on a server and in the simulator.

mod clock;
mod epoch;
mod fold;
mod id;
mod mark;
mod mint;
mod op;
mod payload;
mod row;
mod time;
mod uuid_id;

pub mod compaction;
pub mod limits;
pub mod list;
pub mod planted;
pub mod record;
pub mod registry;
pub mod schema;
pub mod session;
pub mod shape;
pub mod thread;

pub use clock::{Clock, ClockError, ServerSeq};
pub use epoch::{EpochMode, Lineage, Parent};
pub use fold::{Folded, Place, SkipReason, fold, tables, touched, touches_several};
pub use id::{
    ActorId, ClientId, Epoch, IdError, ItemId, ListId, ResourceId, Scope, TenantId, UserId,
};
pub use mark::{Mark, MarkError};
pub use mint::{mint, mint_rising};
pub use op::{Cursor, LoggedOp, Op, OpKey, OpVersion};
pub use payload::{Payload, PayloadError, PayloadHash, Salt};
pub use row::{Column, Draft, Row, Rows, Table, Value};
pub use time::{Timestamp, TimestampError};
