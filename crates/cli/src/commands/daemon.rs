use std::path::PathBuf;

use clap::Args;
use syncline_capture::agent::Agent;
use syncline_daemon::{Config, DaemonError, Followed, InstanceError, Settings, SocketError};
use syncline_replica::ReplicaOptions;

use crate::cli::GlobalArgs;
use crate::context::Context;
use crate::environment::Environment;
use crate::failure::{Failure, Outcome};
use crate::logging;
use crate::output::Output;
use crate::replica_access::{self, Meeting};
use crate::{agent_places, prices, remote, signals};

/// Keep this profile in sync and capture what coding agents do, until Ctrl-C
///
/// Others' writes come within milliseconds, and commands are quicker. What agents write into their
/// transcripts is imported as they write it, with secrets taken out first; plugins and hooks of agents
/// are answered on a socket that only you can use. Both stay on this machine unless an endpoint is set.
/// `syncline config set capture false`, or a list of agents, says what is captured. A changed
/// configuration and a new login count at once. It logs to the day files that `syncline logs` shows.
///
/// Plugins that were made for clankers are answered where they look: at CLANKERS_SOCKET_PATH, else at
/// `dxta-clankers.sock` in the data directory of clankers. Where another process listens there already, it
/// goes on to, be it the daemon of another profile; this one takes its place once it has gone.
#[derive(Debug, Args)]
pub(crate) struct DaemonArgs {
    /// Answer plugins of clankers at PATH, or nowhere: `off`
    #[arg(long, value_name = "PATH")]
    plugin_socket: Option<PathBuf>,
}

pub(crate) fn run(args: &DaemonArgs, context: &Context) -> Outcome {
    logging::to_files(&context.paths()?.log_dir, context.log_level()?);
    let Meeting { socket, lock } = replica_access::meeting(context)?;
    let config = Config {
        replica: replica_access::make_dir(context)?,
        options: ReplicaOptions::default(),
        socket,
        plugin_socket: plugin_socket(args, context),
        lock,
        followed: followed(context)?,
    };
    let profile = context.profile()?.value;
    let runtime = signals::runtime()?;
    runtime.block_on(async {
        let shutdown = signals::shutdown()?;
        let daemon = syncline_daemon::prepare(config)?;
        if let Some(error) = daemon.plugin_socket_error() {
            let then = match error {
                SocketError::Taken { .. } => "; they will be once it has gone",
                _ => "",
            };
            context.output.note(format_args!(
                "plugins of clankers are not answered: {error}{then}"
            ));
        }
        context.output.note(format_args!(
            "keeping profile {profile} in sync until Ctrl-C; `syncline logs -f` shows what happens"
        ));
        Ok(daemon.run(shutdown).await?)
    })
}

/// Where plugins of clankers look for their daemon; none: they are not to be answered.
fn plugin_socket(args: &DaemonArgs, context: &Context) -> Option<PathBuf> {
    const FILE_NAME: &str = "dxta-clankers.sock";
    if let Some(path) = &args.plugin_socket {
        return Some(path.clone()).filter(|path| path.as_os_str() != "off");
    }
    if let Some(path) = context.environment.raw("CLANKERS_SOCKET_PATH") {
        return Some(path.into());
    }
    if cfg!(windows) {
        return Some(r"\\.\pipe\dxta-clankers".into());
    }
    let places = agent_places::standard(context, &[Agent::Clankers]);
    places.first().map(|place| place.root.join(FILE_NAME))
}

/// The settings, read afresh each time for the profile that is in use now: a profile that is made
/// the active one later has a replica of its own.
fn followed(context: &Context) -> Result<Followed, Failure> {
    let mut files = vec![
        context.paths()?.config_file,
        prices::file(context)?,
        context.credentials()?.path().to_owned(),
    ];
    files.extend(context.globals.token_file.clone());
    let mut surroundings = Surroundings {
        globals: context.globals.clone(),
        environment: context.environment.clone(),
        output: context.output.clone(),
    };
    surroundings.globals.profile = Some(context.profile()?.value.to_string());
    let read = move || surroundings.settings().map_err(Into::into);
    Ok(Followed {
        files,
        read: Box::new(read),
    })
}

/// What a context is made of.
struct Surroundings {
    globals: GlobalArgs,
    environment: Environment,
    output: Output,
}

impl Surroundings {
    fn settings(&self) -> Result<Settings, SettingsError> {
        let (globals, environment) = (self.globals.clone(), self.environment.clone());
        let context = Context::new(globals, environment, self.output.clone());
        Ok(Settings {
            sync: remote::settings(&context).map_err(SettingsError)?,
            capture: context.capture().map_err(SettingsError)?,
        })
    }
}

/// A failure to read the settings, as the daemon's log shows it.
#[derive(Debug)]
struct SettingsError(Failure);

impl std::fmt::Display for SettingsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(report) = self.0.report() else {
            return Ok(());
        };
        write!(f, "{}", report.message)?;
        report
            .causes
            .iter()
            .try_for_each(|cause| write!(f, ": {cause}"))
    }
}

impl std::error::Error for SettingsError {}

impl From<DaemonError> for Failure {
    fn from(error: DaemonError) -> Self {
        match error {
            DaemonError::Instance(InstanceError::Running) => Self::new(
                "daemon_running",
                "a daemon already keeps this profile in sync",
            )
            .state("it goes on")
            .fix("syncline status"),
            DaemonError::Replica(error) => error.into(),
            DaemonError::Socket(SocketError::TooLong { .. }) => Self::new(
                "socket_path_too_long",
                "the control socket's path is too long",
            )
            .because(error)
            .fix("name a shorter directory with --data-dir DIR"),
            DaemonError::WatchEnded => Self::new("daemon_failed", "the daemon could not go on")
                .because(error)
                .state(
                    "what was written before is safe; nothing more is captured until it runs again",
                )
                .fix("syncline logs tells why; then syncline daemon"),
            DaemonError::Instance(InstanceError::Io { .. })
            | DaemonError::Socket(
                SocketError::UnsafeDirectory { .. }
                | SocketError::OpenDirectory { .. }
                | SocketError::Taken { .. }
                | SocketError::Io { .. },
            )
            | DaemonError::Start(_)
            | DaemonError::Watch(_) => Self::new("daemon_failed", "the daemon could not start")
                .because(error)
                .state("what was written before is safe")
                .fix("syncline doctor"),
        }
    }
}
