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

/// Calls `act` at each Ctrl-C from here on, which no longer ends the process by itself.
pub(crate) fn on_interrupt(act: impl Fn() + Send + 'static) -> Result<(), Failure> {
    let runtime = runtime()?;
    let failed = |error: std::io::Error| {
        Failure::new("signals_failed", "could not listen for signals").because(error)
    };
    let (ready, is_ready) = std::sync::mpsc::channel();
    let listen = move || {
        runtime.block_on(async {
            // The first poll is what begins to listen.
            let mut interrupt = std::pin::pin!(tokio::signal::ctrl_c());
            let begun = std::future::poll_fn(|task| {
                std::task::Poll::Ready(interrupt.as_mut().poll(task).is_pending())
            });
            let _ = ready.send(begun.await);
            while interrupt.as_mut().await.is_ok() {
                act();
                interrupt.set(tokio::signal::ctrl_c());
            }
        });
    };
    std::thread::Builder::new()
        .name("interrupts".to_owned())
        .spawn(listen)
        .map_err(failed)?;
    // Where nothing can be listened for, Ctrl-C ends the process as before.
    let _ = is_ready.recv();
    Ok(())
}
