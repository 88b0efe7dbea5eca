//! Coding sessions as their readers see them: queries on the view, and what is known of them already.
//!
//! Everything takes a connection to a tenant file, so that a server node and a replica share it. The
//! queries run in whatever transaction the caller has begun.

mod archived;
mod events;
mod figures;
mod known;
mod links;
mod list;
mod prices;
mod repeated;
mod resolve;
pub(crate) mod row;
mod stats;
#[cfg(test)]
mod tests;

pub use archived::{Archived, archived};
pub use events::{
    Event, EventCursor, EventPage, SessionCompaction, SessionError, SessionMessage, SessionPart,
    SessionTool, SessionUsage, read_events,
};
pub(crate) use figures::TREE_IDS;
pub use figures::{Cost, CostSource, Figures, Tokens, figures};
pub use known::{
    agent_of_native, directories, is_any_known, is_deleted, is_known, news, origin_of_message,
    own_raw_parts, raw_parts_with, session_of_native, session_that_said,
};
pub use links::{SessionLink, session_links};
pub use list::{
    CursorError, ListedSession, SessionCursor, SessionFilter, SessionPage, Which, list_sessions,
    sessions_among,
};
pub(crate) use list::{matching, named};
pub use prices::{PriceError, PriceTable};
pub use repeated::{SaidBy, copies, forked_from, forks_of, sessions_that_count};
pub use resolve::{ResolvedSession, resolve_session};
pub use row::{Session, SessionTotals, session, session_ids, session_totals, subagents};
pub use stats::{
    FileCount, StatGroup, StatRow, StatSpan, ToolCount, session_stats, tool_counts, touched_files,
};
