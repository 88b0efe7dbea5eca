//! The bound that a shell or a service sets to how many files what it starts may have open, connections with
//! them.

/// Has this process have as many open as the system lets it; gives how many. None: no number bounds them.
#[cfg(unix)]
pub(crate) fn raise() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        // There are systems that name no maximum, and hold to one.
        Err(error) => {
            tracing::debug!(%error, "could not raise how many files may be open");
            current
        }
    }
}

/// Nothing is bounded here.
#[cfg(not(unix))]
pub(crate) fn raise() -> Option<u64> {
    None
}
