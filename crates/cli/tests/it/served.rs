//! A server of ours, as an operator runs it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use crate::machine::Machine;

/// A running server with its data below its machine's home; killed when dropped.
pub(crate) struct Server {
    machine: Machine,
    child: Child,
    pub(crate) url: String,
}

impl Server {
    /// Starts a server that asks for tokens.
    pub(crate) fn start() -> Self {
        Self::start_on(Machine::new(), "127.0.0.1:0")
    }

    fn start_on(machine: Machine, listen: &str) -> Self {
        let mut command = with_tokens(&machine, listen);
        command.stderr(Stdio::null());
        Self::of(machine, command)
    }

    /// What this command starts on the machine; its log goes where the command says.
    pub(crate) fn of(machine: Machine, command: Command) -> Self {
        let (child, url) = serve_with_log(command);
        Self {
            machine,
            child,
            url,
        }
    }

    /// The same server again, at the same place, after it was stopped.
    pub(crate) fn start_again(self) -> Self {
        self.stop().start()
    }

    /// Kills it where it stands, and starts it on what it left behind, at another address: the old
    /// one may be taken meanwhile by whoever tries to connect to it.
    pub(crate) fn kill_and_start_again(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        (self.child, self.url) = serve(with_tokens(&self.machine, "127.0.0.1:0"));
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(mut self) -> Stopped {
        terminate(&self.child);
        let status = self.child.wait().unwrap();
        assert_eq!(
            status.code(),
            Some(0),
            "a server that is asked to stop drains and exits 0"
        );
        // The child is gone: dropping it kills nobody.
        let machine = std::mem::replace(&mut self.machine, Machine::new());
        let address = self.url.strip_prefix("http://").unwrap().to_owned();
        Stopped { machine, address }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.url.strip_prefix("http://").unwrap().parse().unwrap()
    }

    /// Makes a token of `user` in tenant `acme`.
    pub(crate) fn token(&self, user: &str) -> String {
        let create = [
            "token", "create", "--data", "srv", "--tenant", "acme", "--user", user,
        ];
        let made = self.machine.run(&create).done();
        made.stdout.trim().to_owned()
    }

    /// The machine that it runs on.
    pub(crate) fn machine(&self) -> &Machine {
        &self.machine
    }

    /// A fresh machine whose user `user` has logged in here.
    pub(crate) fn member(&self, user: &str) -> Machine {
        let machine = Machine::new();
        self.log_in(&machine, user);
        machine
    }

    pub(crate) fn log_in(&self, machine: &Machine, user: &str) {
        let token = self.token(user);
        machine.run_on(&token, &["login", &self.url]).done();
    }
}

/// What is left of a server that was stopped.
pub(crate) struct Stopped {
    pub(crate) machine: Machine,
    address: String,
}

impl Stopped {
    /// The same server again, at the same place.
    pub(crate) fn start(self) -> Server {
        Server::start_on(self.machine, &self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn with_tokens(machine: &Machine, listen: &str) -> Command {
    machine.command(&[
        "serve", "--listen", listen, "--data", "srv", "--auth", "token",
    ])
}

/// Starts a server whose log nobody reads.
pub(crate) fn serve(mut command: Command) -> (Child, String) {
    command.stderr(Stdio::null());
    serve_with_log(command)
}

/// Starts a server, and reads the line that says that it is ready.
fn serve_with_log(mut command: Command) -> (Child, String) {
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let url = line
        .trim_end()
        .strip_prefix("listening on ")
        .unwrap_or_default();
    assert!(url.starts_with("http://"), "{line:?}");
    (child, url.to_owned())
}

/// Sends SIGTERM.
pub(crate) fn terminate(child: &Child) {
    let status = Command::new("kill")
        .arg(child.id().to_string())
        .status()
        .unwrap();
    assert!(status.success());
}
