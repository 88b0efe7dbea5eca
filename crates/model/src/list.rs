//! Task lists: items with a text, a tick and a note, in an order that everybody may change at once.
//!
//! An item belongs for ever to the list in which it was made, its *origin*: all of its ops go to that
//! list's resource, and its row is keyed by origin and id. Where it is shown is a column, `home`, so
//! that a move between lists is one op. Position, existence, home and each field are parts of their
//! own; a write wins a part if its op's `(clock, actor)` is strictly greater than that of the write
//! before. So ops commute, also on items that are absent or removed: what comes before its insert
//! waits in a row that nobody sees.
//!
//! An insert and a restore write every part. That is what lets compaction collect removed items: an
//! op that makes one visible again needs nothing of what was. But a restore gives back each part as
//! its last writer has left it, so that whatever others wrote later stays; and what is made out of a
//! file, by whomever, is older than all that anybody writes.

mod carried;
mod command;
mod coverage;
mod fold;
mod names;
mod ops;
mod plan;
mod position;
mod room;
mod tables;
mod versions;
mod whole;

pub use carried::Carried;
pub(crate) use carried::WireCarried;
pub use command::{Command, FormerItem, FormerList, NewItem, Source, Spot};
pub use coverage::coverage;
pub(crate) use coverage::{folds_onto_seen, gives_back_collected};
pub use fold::fold;
pub use names::{TextError, TextKind};
pub(crate) use ops::WirePosition;
pub use ops::{Content, ItemRef, ListOp};
pub use plan::{ListView, Plan, PlanError, PlannedOp, Planning, plan};
pub use position::{GROWTH_BYTES_MAX, GapError, Jitter, Position, PositionError};
pub use room::{POSITION_BYTES_LONG, Slot};
pub use tables::{ITEM_TOMBSTONES, ITEMS, ListItem, TABLES, TITLES};
pub(crate) use versions::{Parts, Version, Versions};
