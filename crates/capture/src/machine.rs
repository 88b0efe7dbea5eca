//! The machine that sessions run on.

/// What the system calls this machine; none: it has no name that is text.
#[cfg(unix)]
pub(crate) fn name() -> Option<String> {
    let system = rustix::system::uname();
    let name = system.nodename().to_str().ok()?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// What the system calls this machine; none: it has no name that is text.
#[cfg(not(unix))]
pub(crate) fn name() -> Option<String> {
    std::env::var("COMPUTERNAME").ok()
}
