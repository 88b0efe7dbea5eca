//! Who may read what the server counts over all tenants.

use std::path::{Path, PathBuf};

use clap::Args;
use syncline_server::OperatorToken;

use crate::atomic_file::is_exposed;
use crate::context::Context;
use crate::environment::variable;
use crate::failure::Failure;

/// The directory of files that systemd has put there for this service alone. It shows them with the
/// mode of a group that may read, which is how their access list looks from here.
const SERVICE_CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// The flag by which a server is told the token of who runs it.
#[derive(Debug, Args)]
pub(super) struct MetricsArgs {
    /// Show /metrics to bearers of the token in FILE, which nobody else may read (mode 0600)
    /// [default: $SYNCLINE_METRICS_TOKEN_FILE, else nobody sees them under --auth token]
    #[arg(long, value_name = "FILE")]
    metrics_token_file: Option<PathBuf>,
}

impl MetricsArgs {
    pub(super) fn token(&self, context: &Context) -> Result<Option<OperatorToken>, Failure> {
        let given = self.metrics_token_file.as_deref();
        let Some(path) = context.path(given, variable::METRICS_TOKEN_FILE)? else {
            return Ok(None);
        };
        let shown = path.display();
        let exposed = is_exposed(&path).and_then(|exposed| {
            let text = std::fs::read_to_string(&path)?;
            Ok((exposed && !is_of_the_service(&path, context), text))
        });
        let (exposed, text) = exposed.map_err(|error| {
            let message = format!("could not read the token in {shown}");
            Failure::new("token_unreadable", message)
                .because(error)
                .fix(format!("see to the owner and mode of {shown}"))
        })?;
        if exposed {
            let message = format!("others than its owner may read the token in {shown}");
            return Err(Failure::new("token_exposed", message)
                .state("the server was not started")
                .fix(format!("chmod 600 {shown}")));
        }
        text.parse().map(Some).map_err(|error| {
            let message = format!("{shown} holds no token for the metrics");
            Failure::new("token_invalid", message)
                .because(error)
                .fix(format!("(umask 077 && openssl rand -hex 32 > {shown})"))
        })
    }
}

fn is_of_the_service(path: &Path, context: &Context) -> bool {
    let directory = context.environment.raw(SERVICE_CREDENTIALS);
    directory.is_some_and(|directory| path.starts_with(directory))
}
