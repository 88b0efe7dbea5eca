//! The bound of what a process takes in memory that runs what somebody typed.
//!
//! SQLite counts no memory here (see `.cargo/config.toml`), so that its own bound of it would hold nothing.
//! Where the system gives it no more, it answers so, and the statement ends.

/// The most memory that a query may take, in bytes: many times its longest row, of which a table holds
/// several copies, each up to three times as long where its characters are told by their names.
pub(crate) const MEMORY_BYTES_MAX: u64 = 2 << 30;

/// Sets it for this process, unless it has a lower one.
#[cfg(unix)]
pub(crate) fn set() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Data);
    let bound = Rlimit {
        current: Some(current.map_or(MEMORY_BYTES_MAX, |bytes| bytes.min(MEMORY_BYTES_MAX))),
        maximum,
    };
    if let Err(error) = setrlimit(Resource::Data, bound) {
        tracing::debug!(%error, "could not bound the memory of a query");
    }
}

/// Nothing is bounded here.
#[cfg(not(unix))]
pub(crate) fn set() {}
