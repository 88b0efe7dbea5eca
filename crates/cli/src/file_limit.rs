//! The bound that a shell or a service sets to the size of the files of what it starts.

use std::error::Error;

use syncline_store::is_refused_write;

/// The most bytes that a file of this process may have; none: as many as there is room for.
#[cfg(unix)]
fn file_bytes_max() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Fsize).current
}

/// Nothing is bounded here.
#[cfg(not(unix))]
fn file_bytes_max() -> Option<u64> {
    None
}

/// The bound that a write was most likely refused for; none: it failed for another cause.
pub(crate) fn refused_beyond(error: &(dyn Error + 'static)) -> Option<u64> {
    file_bytes_max().filter(|_| is_refused_write(error))
}

/// Lets writes beyond the bound fail, where there is one, instead of end the process without a word.
#[cfg(unix)]
pub(crate) fn let_writes_fail() {
    use tokio::signal::unix::{SignalKind, signal};

    if file_bytes_max().is_none() {
        return;
    }
    let Ok(runtime) = crate::signals::runtime() else {
        return;
    };
    let _in_runtime = runtime.enter();
    // It is caught for good, also once nobody listens. Where it can't be, the process ends as before.
    let _ = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()));
}

/// Writes fail as they are.
#[cfg(not(unix))]
pub(crate) fn let_writes_fail() {}
