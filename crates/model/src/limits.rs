//! The named bounds of ops, in one place, so that client and server refuse the same things.

/// The longest scope name, in bytes.
pub const SCOPE_BYTES_MAX: usize = 64;
/// The longest resource id, actor, client id, tenant or user name, in bytes.
pub const ID_BYTES_MAX: usize = 256;
/// The deepest nesting of arrays and objects in a payload. A fold that parses a payload recurses
/// this deep at most.
pub const PAYLOAD_DEPTH_MAX: usize = 64;
/// The largest payload, in bytes of JSON text.
pub const PAYLOAD_BYTES_MAX: usize = 1024 * 1024;
/// How far a clock may lead the highest accepted one.
pub const CLOCK_LEAD_MAX: u64 = 1 << 32;
/// The last clock: the largest integer that every JSON reader holds exactly.
pub const CLOCK_MAX: u64 = (1 << 53) - 1;
/// The longest project of a thread, in characters.
pub const PROJECT_CHARS_MAX: usize = 128;
/// The longest key of a thread, in characters: as long as a name, since names give keys.
pub const KEY_CHARS_MAX: usize = 256;
/// The longest name of a thread, in characters.
pub const NAME_CHARS_MAX: usize = 256;
/// The longest author of an entry, in characters.
pub const AUTHOR_CHARS_MAX: usize = 64;
/// The longest tag, in characters.
pub const TAG_CHARS_MAX: usize = 64;
/// The longest note on a link, in characters.
pub const NOTE_CHARS_MAX: usize = 1_000;
/// The longest content of an entry, in characters. Its payload fits [`PAYLOAD_BYTES_MAX`] even where
/// every character is escaped.
pub const CONTENT_CHARS_MAX: usize = 100_000;
/// How many authors a thread's row lists: those of a longer discussion are found in its entries.
pub const AUTHORS_LISTED_MAX: usize = 32;
/// The longest title of a task list, in characters.
pub const TITLE_CHARS_MAX: usize = 1_000;
/// The longest text of an item, in characters. An item with the longest text and the longest note
/// fits [`PAYLOAD_BYTES_MAX`], whatever characters they are made of.
pub const ITEM_TEXT_CHARS_MAX: usize = 100_000;
/// The longest note of an item, in characters.
pub const ITEM_NOTE_CHARS_MAX: usize = 100_000;
