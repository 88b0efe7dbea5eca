//! The checks of `syncline doctor`. Each looks at one thing and changes nothing; what can be put right
//! without a decision of the user carries its repair.

mod agents;
mod finding;
mod machine;
mod network;
mod replica;
mod settings;

use crate::context::Context;

pub(crate) use finding::{Finding, State};

/// A check: its stable name, and what finds out.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    look: fn(&Context) -> Finding,
    /// Looks at what takes too long for who asks for no repair.
    look_at_all: fn(&Context) -> Finding,
}

impl Check {
    /// Looks, and with `Repairs::Made` puts right what can be.
    pub(crate) fn run(&self, context: &Context, repairs: Repairs) -> Finding {
        let look = match repairs {
            Repairs::Offered => self.look,
            Repairs::Made => self.look_at_all,
        };
        let found = look(context);
        match (repairs, found.repair()) {
            (Repairs::Made, Some(repair)) => match repair.make() {
                Ok(()) => look(context).repaired(&found),
                Err(failure) => found.not_repaired(failure),
            },
            (Repairs::Made | Repairs::Offered, _) => found,
        }
    }
}

/// Whether repairs are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repairs {
    Offered,
    Made,
}

/// All checks, in the order in which they are shown: a later one may hang on an earlier one.
pub(crate) const CHECKS: &[Check] = &[
    check("config_file", settings::config_file),
    check("config_keys", settings::config_keys),
    check("environment", settings::environment),
    check("profile", settings::profile),
    check("project_file", settings::project_file),
    check("endpoint", settings::endpoint),
    check("credentials", settings::credentials),
    check("login", settings::login),
    check("data_dir", machine::data_dir),
    check("data_dir_private", machine::data_dir_private),
    check("disk", machine::disk),
    check("logs", machine::logs),
    check("log_errors", machine::log_errors),
    check("clock", machine::clock),
    check("sqlite", machine::sqlite),
    Check {
        name: "local_file",
        look: replica::local_file,
        look_at_all: replica::local_file_of_any_size,
    },
    Check {
        name: "tenant_file",
        look: replica::tenant_file,
        look_at_all: replica::tenant_file_of_any_size,
    },
    check("unread_ops", replica::unread_ops),
    check("outbox", replica::outbox),
    check("quarantine", replica::quarantine),
    check("last_sync", replica::last_sync),
    check("kept_files", replica::kept_files),
    check("replaced", replica::replaced),
    check("agents_retention", agents::retention),
    check("agents_archived", agents::archived),
    check("agents_unplaced", agents::unplaced),
    check("daemon", network::daemon),
    check("capture", agents::capture),
    check("hooks", agents::hooks),
    check("runtime_dir", network::runtime_dir),
    check("server", network::server_reached),
    check("server_auth", network::server_auth),
    check("server_login", network::server_login),
];

const fn check(name: &'static str, look: fn(&Context) -> Finding) -> Check {
    Check {
        name,
        look,
        look_at_all: look,
    }
}
