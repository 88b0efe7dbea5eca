//! Records, as they stand, as lists, and as they came to be; and the schema that they are of.

mod filter;
mod history;
mod list;
mod stored;
#[cfg(test)]
mod tests;

pub use filter::{Condition, Direction, FilterError, Order, Test};
pub use history::{HistoryEntry, history};
pub use list::{ListQuery, Listed, PageCursor, list};
pub use stored::{
    StandingSchema, StoredRecords, confirmed, is_pending, keep_indexes, schema, schema_place,
};
