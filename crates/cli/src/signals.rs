//! The end of a process that runs in the foreground: Ctrl-C, or the system's request.

use tokio::runtime::Runtime;

use crate::failure::Failure;

/// The event loop of a command that runs until it is told to end.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::new("runtime_failed", "could not start the event loop").because(error)
        })
}

/// Is done when the process is asked to end. Needs the runtime's context; from here on the signals
/// no longer end the process by themselves.
pub(crate) fn shutdown() -> Result<impl Future<Output = ()>, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new("signals_failed", "could not listen for signals").because(error)
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(windows)]
    {
        let mut interrupt = tokio::signal::windows::ctrl_c().map_err(failed)?;
        let mut close = tokio::signal::windows::ctrl_close().map_err(failed)?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = close.recv() => {}
            }
        })
    }
}
