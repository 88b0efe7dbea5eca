//! The demo's server: on a thread of its own, and able to be stopped and started again.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use syncline_server::{AuthMode, Exposure, ServeConfig};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::failed;
use crate::failure::Failure;
use crate::signals;

/// A server that runs; dropped, it drains and ends.
pub(super) struct Server {
    data: PathBuf,
    address: SocketAddr,
    running: Option<Running>,
}

struct Running {
    shutdown: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Server {
    /// Starts a server on a free port.
    pub(super) fn start(data: &Path) -> Result<Self, Failure> {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (running, address) = start(data, free)?;
        Ok(Self {
            data: data.to_owned(),
            address,
            running: Some(running),
        })
    }

    pub(super) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops the server, does something with its data, and starts it again where it was.
    pub(super) fn while_down(
        &mut self,
        work: impl FnOnce(&Path) -> std::io::Result<()>,
    ) -> Result<(), Failure> {
        self.stop();
        work(&self.data).map_err(|error| failed("could not copy its server").because(error))?;
        self.running = Some(start(&self.data, self.address)?.0);
        Ok(())
    }

    fn stop(&mut self) {
        let Some(Running { shutdown, thread }) = self.running.take() else {
            return;
        };
        drop(shutdown);
        if thread.join().is_err() {
            tracing::error!("the demo's server has panicked");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn start(data: &Path, address: SocketAddr) -> Result<(Running, SocketAddr), Failure> {
    let config = ServeConfig::new(
        data,
        AuthMode::None {
            exposure: Exposure::LoopbackOnly,
        },
    );
    let runtime = signals::runtime()?;
    let ready = runtime.block_on(async {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| failed("could not listen on this machine").because(error))?;
        syncline_server::prepare(config, listener).map_err(Failure::from)
    })?;
    let address = ready.address();
    let (shutdown, asked) = oneshot::channel::<()>();
    let thread = std::thread::spawn(move || {
        // The sender is never used: that it is gone is the word to stop.
        runtime.block_on(ready.run(async { drop(asked.await) }));
    });
    Ok((Running { shutdown, thread }, address))
}

/// Copies a directory and what is in it; what is there already is replaced.
pub(super) fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    if to.exists() {
        std::fs::remove_dir_all(to)?;
    }
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
