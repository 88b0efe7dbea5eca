//! Reading a file that grows: whole lines from where the last read ended.
//!
//! A [`Mark`] remembers a place in a file, and enough of what stands before it to tell a file that has
//! grown from one that was cut, rewound or replaced. Such a file is read again from its start; what it
//! repeats is known by its ids, which is its reader's business.

mod lines;
mod mark;
mod outline;
mod packed;
mod shortened;
#[cfg(test)]
mod tests;

pub(crate) use lines::BYTE_ORDER_MARK;
pub use lines::{LINE_BYTES_MAX, Line, Lines, LongLine};
pub use mark::{Beside, Mark, Standing, Tail, TailError, open};
pub use packed::Contents;
