//! Records: rows of an application's entities, as a tenant's schema declares them.
//!
//! A writer offers what it wants changed, with what it saw before ([`Offered`]). Decide holds that
//! against the schema, the writer's role and the rows as they stand, once, on the server; what it
//! makes of it, resulting values and those that lost, is what the log holds ([`Decision`]), under the
//! offered op's key and with the hash of the offered bytes. So the fold of a decision asks nobody: the
//! last one in the log stands, column by column.
//!
//! Pending ops fold what was offered, if their entity shows writes at once. An offered payload in the
//! log was never decided, and is passed over.

mod access;
mod anew;
mod compared;
mod coverage;
mod decide;
mod dependants;
mod exact;
mod fold;
mod known;
mod nested;
mod overlay;
mod payload;
mod prefill;
mod refusal;
mod replacement;
mod rules;
mod shown;
mod stamps;
mod tables;
mod values;
mod visible;

pub use access::{Asker, Records, role_of_sight, role_on, sees_everything, sight};
pub use anew::decided_anew;
pub use compared::{CompareKey, Held, compare_key, is_one_value};
pub use coverage::coverage;
pub use decide::{WRITES_MAX, decide};
pub use dependants::Undone;
pub use exact::{
    plain_decimal, read_exactly, read_whole, read_writes_exactly, unheld_number, whole_number,
};
pub use fold::fold;
pub use known::{known_id, settle_ids};
pub use payload::{
    Action, Decided, DecidedAction, Decision, Lost, Mode, Offered, RecordPayload, Values, Write,
    resource_of, touches,
};
pub use prefill::prefill;
pub use refusal::{FieldError, Refusal, RefusalCode};
pub use replacement::{Replacement, replacement};
pub use rules::{Rulebook, is_checked};
pub use shown::shown_as_kind;
pub use tables::{RECORDS, Record, TABLES};
pub use values::is_stamped;
pub use visible::{Seen, is_restricted, readable, seen, visible, visible_columns};
