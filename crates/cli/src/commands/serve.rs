mod auth;
mod backups;
mod compaction;
mod connections;
pub(super) mod listen;
mod metrics;
mod rate;
mod schema;
mod shapes;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use syncline_server::{RateLimits, ServeConfig, ServeError};
use tokio::net::TcpListener;

use crate::context::Context;
use crate::document::Source;
use crate::environment::variable;
use crate::failure::{Failure, Outcome};
use crate::logging::{self, Reader};
use crate::output::Format;
use crate::prices;
use crate::server_data::ServerDataArgs;
use crate::signals;

use auth::AuthArgs;
use backups::BackupArgs;
use compaction::CompactionArgs;
use connections::ConnectionArgs;
use listen::Listen;
use metrics::MetricsArgs;
use rate::RateLimit;
use schema::SchemaArgs;
use shapes::ShapeArgs;

/// Run a server, until Ctrl-C or SIGTERM
///
/// Prints one line, `listening on http://ADDRESS:PORT`, when it is ready; logs to standard error. When
/// asked to stop, it answers what is open and exits with 0. A `prices.json` in the data directory takes the
/// place of the prices by which costs of sessions are computed.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Where to listen; port 0 takes a free one [default: $SYNCLINE_LISTEN, or 127.0.0.1:8080; $PORT
    /// is the port of an address without one]
    #[arg(long, value_name = "ADDRESS[:PORT]")]
    listen: Option<Listen>,
    #[command(flatten)]
    data: ServerDataArgs,
    #[command(flatten)]
    schema: SchemaArgs,
    #[command(flatten)]
    auth: AuthArgs,
    /// Answer to this name too; may be given again [default: the names in $SYNCLINE_HOSTS, between
    /// commas]
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// Let pages of this origin call the server, such as `https://app.example`; may be given again
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<String>,
    /// At most so many requests in so many seconds, for each user [default: off]
    #[arg(
        long,
        value_name = "REQUESTS/SECONDS",
        default_value = "off",
        hide_default_value = true
    )]
    rate_limit: RateLimit,
    /// At most so many failed authentications in so many seconds, for each address
    #[arg(long, value_name = "REQUESTS/SECONDS", default_value = "600/60")]
    auth_failure_limit: RateLimit,
    #[command(flatten)]
    connections: ConnectionArgs,
    #[command(flatten)]
    metrics: MetricsArgs,
    #[command(flatten)]
    backups: BackupArgs,
    #[command(flatten)]
    compaction: CompactionArgs,
    #[command(flatten)]
    shapes: ShapeArgs,
    /// How long open requests may go on once asked to stop
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    drain: u64,
}

pub(crate) fn run(args: &ServeArgs, context: &Context) -> Outcome {
    let auth = args.auth.mode(context)?;
    let source = args.schema.source(context)?;
    let schema = source.as_ref().map(|source| schema::read(source, context));
    let data = args.data.path(context)?;
    let config = ServeConfig {
        metrics_token: args.metrics.token(context)?,
        hosts: hosts(&args.hosts, context)?,
        origins: args.origins.clone(),
        rate_limits: RateLimits {
            failed_authentication: args.auth_failure_limit.rate(),
            requests: args.rate_limit.rate(),
        },
        connections_max: args.connections.max(context)?,
        drain: Duration::from_secs(args.drain),
        backups: args.backups.plan(&data, context)?,
        compaction: args.compaction.plan(context)?,
        shapes: args.shapes.settings(context)?,
        schema: schema.transpose()?,
        prices: Arc::new(prices::of_server(&data)?.table),
        ..ServeConfig::new(data, auth)
    };
    let listen = listen::resolve(args.listen.as_ref(), context)?;
    log_to_stderr(context)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::new("runtime_failed", "could not start the event loop").because(error)
        })?;
    runtime.block_on(serve(config, source.as_ref(), &listen, context))
}

/// The names that were given by flag, else those in the variable.
fn hosts(given: &[String], context: &Context) -> Result<Vec<String>, Failure> {
    if !given.is_empty() {
        return Ok(given.to_owned());
    }
    let text = context.environment.text(variable::HOSTS)?;
    let names = text.unwrap_or_default().split(',').map(str::trim);
    let names = names.filter(|name| !name.is_empty());
    Ok(names.map(str::to_owned).collect())
}

async fn serve(
    config: ServeConfig,
    source: Option<&Source>,
    listen: &Listen,
    context: &Context,
) -> Outcome {
    // Before the line that says it is ready: a signal from then on is a request to drain.
    let shutdown = signals::shutdown()?;
    let listener = TcpListener::bind(listen.to_string())
        .await
        .map_err(|error| not_bound(listen, error))?;
    let data = config.data.display().to_string();
    let ready = syncline_server::prepare(config, listener).map_err(|error| match source {
        Some(source) => schema::not_started(error, source, &data),
        None => error.into(),
    })?;
    let address = ready.address();
    context
        .output
        .write(|out| writeln!(out, "listening on http://{address}"))?;
    ready.run(shutdown).await;
    Ok(())
}

fn log_to_stderr(context: &Context) -> Outcome {
    let person = context.environment.terminals.stderr && context.output.format() == Format::Text;
    let reader = if person {
        Reader::Person(context.output.talk_colour())
    } else {
        Reader::Program
    };
    logging::to_stderr(context.log_level()?, reader);
    Ok(())
}

fn not_bound(listen: &Listen, error: io::Error) -> Failure {
    let failure = Failure::new("not_listening", format!("could not listen on {listen}"));
    match error.kind() {
        io::ErrorKind::AddrInUse => failure.fix("--listen 127.0.0.1:0 takes a free port"),
        io::ErrorKind::PermissionDenied => failure.fix("take a port above 1023"),
        _ => failure.fix("--listen takes an address of this machine"),
    }
    .because(error)
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        let code = match error {
            ServeError::Directory(error) => return error.into(),
            ServeError::Control(error) => return error.into(),
            ServeError::OpenToOthers { .. } => "open_to_others",
            ServeError::Auth(_) => "auth_invalid",
            ServeError::BreakingSchema(_) => "breaking_schema",
            ServeError::Schema { .. } => "schema_not_applied",
            ServeError::Listener(_) | ServeError::Note(_) | ServeError::Thread(_) => "serve_failed",
        };
        Self::new(code, "the server could not start")
            .because(error)
            .state("nothing was changed")
            .fix("syncline serve --help")
    }
}
