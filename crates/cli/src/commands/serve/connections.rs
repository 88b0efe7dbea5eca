use std::num::NonZeroU32;

use clap::Args;
use syncline_server::CONNECTIONS_MAX;

use crate::context::Context;
use crate::environment::variable;
use crate::failure::Failure;
use crate::open_files;

/// How many connections may be open.
#[derive(Debug, Args)]
pub(crate) struct ConnectionArgs {
    /// At most so many open connections; more wait until one ends [default: $SYNCLINE_CONNECTIONS_MAX, or
    /// 20000, or half of the files that the system lets the server open, where that is less]
    #[arg(long, value_name = "NUMBER")]
    connections_max: Option<NonZeroU32>,
}

impl ConnectionArgs {
    /// What was given by flag, else by variable, else what there is room for.
    pub(super) fn max(&self, context: &Context) -> Result<usize, Failure> {
        let given = match self.connections_max {
            Some(given) => Some(given),
            None => context.environment.parsed(variable::CONNECTIONS_MAX)?,
        };
        let files = open_files::raise();
        let files = files.map_or(usize::MAX, |files| {
            usize::try_from(files).unwrap_or(usize::MAX)
        });
        let Some(given) = given else {
            // The other half is the tenants'.
            return Ok(CONNECTIONS_MAX.min(files / 2));
        };
        let given = given.get() as usize;
        if given >= files {
            let message = format!(
                "{given} connections are more than the {files} files that the system lets the server open"
            );
            return Err(Failure::usage("connections_too_many", message)
                .state("nothing was started")
                .fix(format!(
                    "ulimit -n {}, or a lower --connections-max",
                    2 * given
                )));
        }
        Ok(given)
    }
}
