//! Records, as they stand, as lists, and as they came to be; and the schema that they are of.

mod compared;
mod counted;
mod filter;
mod history;
mod indexes;
mod list;
mod stored;
mod subset;
#[cfg(test)]
mod tests;

pub(crate) use compared::register;
pub use counted::{CountedChange, Violating, counted_changes, misnamed};
pub use filter::{Condition, Direction, FilterError, Order, Test};
pub use history::{HISTORY_BYTES_MAX, HistoryEntry, HistoryPage, decision_at, history};
pub(crate) use indexes::drop_indexes;
pub use indexes::{IndexError, keep_indexes};
pub use list::{LIST_BYTES_MAX, ListQuery, Listed, PageCursor, list};
pub use stored::{StandingSchema, StoredRecords, confirmed, is_pending, schema, schema_place};
pub use subset::Subset;
