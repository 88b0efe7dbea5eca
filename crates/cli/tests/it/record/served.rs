//! A server of the document, and machines of its members.

use crate::machine::Machine;
use crate::serve_schema::{Backend, machine};

/// A server with tokens that serves the document, and the machine that it runs on.
pub(crate) struct Served {
    pub(crate) host: Machine,
    server: Option<Backend>,
    address: String,
}

impl Served {
    pub(crate) fn start() -> Self {
        Self::on(machine())
    }

    pub(crate) fn on(host: Machine) -> Self {
        let server = Backend::start(&host, &["--listen", "127.0.0.1:0", "--auth", "token"]);
        let address = server.address().to_owned();
        Self {
            host,
            server: Some(server),
            address,
        }
    }

    pub(crate) fn stop(&mut self) {
        self.server.take().unwrap().stop();
    }

    pub(crate) fn start_again(&mut self) {
        let flags = ["--listen", &self.address, "--auth", "token"];
        self.server = Some(Backend::start(&self.host, &flags));
    }

    /// A new server at the same place, with nothing of what this one had.
    pub(crate) fn lose(&mut self) {
        self.stop();
        std::fs::remove_dir_all(self.host.work_dir().join("srv")).unwrap();
        self.start_again();
    }

    pub(crate) fn be_owner(&self, user: &str) {
        let add = ["member", "add", user, "owner", "--data", "srv"];
        self.host.run(&add).done();
    }

    /// A machine of a user who has logged in, and has the schema.
    pub(crate) fn member(&self, user: &str) -> Machine {
        let machine = Machine::new();
        self.log_in(&machine, user);
        machine.run(&["sync"]).done();
        machine
    }

    pub(crate) fn log_in(&self, machine: &Machine, user: &str) {
        self.log_in_with(machine, user, "sync");
    }

    pub(crate) fn log_in_with(&self, machine: &Machine, user: &str, right: &str) {
        let create = ["token", "create", "--data", "srv", "--user", user];
        let token = self.host.run(&[&create[..], &["--right", right]].concat());
        let token = token.done().stdout;
        let url = format!("http://{}", self.address);
        machine.run_on(token.trim(), &["login", &url]).done();
    }
}
