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
