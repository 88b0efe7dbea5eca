//! The arguments before and above all commands, and the way from them to an exit code.

mod usage;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::commands::Command;
use crate::commands::hook::{HookCommand, RunArgs};
use crate::context::Context;
use crate::environment::Environment;
use crate::output::{Format, Output};

/// What you, your coding agents and your applications write: in SQLite on your machine, usable offline,
/// and synced through a server that you own.
#[derive(Debug, Parser)]
#[command(name = "syncline", version, subcommand_required = true, after_long_help = ENVIRONMENT)]
pub(crate) struct Cli {
    #[command(flatten)]
    globals: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

/// The call of a hook, read alone: to make the whole tree of commands takes longer than the hook itself.
#[derive(Debug, Parser)]
#[command(name = "syncline", disable_help_flag = true)]
struct HookCall {
    #[command(flatten)]
    globals: GlobalArgs,
    #[command(subcommand)]
    hook: HookOnly,
}

#[derive(Debug, Subcommand)]
enum HookOnly {
    #[command(subcommand)]
    Hook(RunOnly),
}

#[derive(Debug, Subcommand)]
enum RunOnly {
    Run(RunArgs),
}

impl From<HookCall> for Cli {
    fn from(call: HookCall) -> Self {
        let HookOnly::Hook(RunOnly::Run(args)) = call.hook;
        Self {
            globals: call.globals,
            command: Command::Hook(HookCommand::Run(args)),
        }
    }
}

const ENVIRONMENT: &str = "\
Environment:
  SYNCLINE_ENDPOINT       The server, over the profile's endpoint
  SYNCLINE_TOKEN          A bearer token, over the stored one
  SYNCLINE_PROFILE        The profile, over the active one
  SYNCLINE_DATA_DIR       Where replicas lie
  SYNCLINE_CONFIG         The configuration file
  SYNCLINE_SYNC_ENABLED   true or false; false stops every network call
  SYNCLINE_SYNC_INTERVAL  Seconds between polls of a server that does not stream
  SYNCLINE_AUTHOR         Who writes
  SYNCLINE_LOG_LEVEL      off, error, warn, info, debug or trace
  SYNCLINE_SERVER_DATA    Where a server's data lies, for serve, token, member and admin
  SYNCLINE_SCHEMA         The OpenAPI document whose records `syncline serve` serves
  SYNCLINE_LISTEN, PORT, SYNCLINE_AUTH, SYNCLINE_HOSTS, SYNCLINE_METRICS_TOKEN_FILE,
  SYNCLINE_BACKUP_TO, SYNCLINE_COMPACT_EVERY, SYNCLINE_RETENTION, SYNCLINE_EXPIRE_AFTER,
  SYNCLINE_SHAPE_CHUNK_BYTES, SYNCLINE_SHAPE_LONG_POLL, SYNCLINE_SHAPE_STREAM,
  SYNCLINE_SHAPE_MAX_AGE, SYNCLINE_SHAPE_STALE_AGE, SYNCLINE_SHAPE_DELETES,
  SYNCLINE_CONNECTIONS_MAX
                          What `syncline serve` is not told of these by flag
  NO_COLOR                Any value: no colours

A flag goes before a variable, a variable before the profile, the profile before the default.
`syncline config list` shows where each value came from.

Exit codes: 0 done, 1 failed, 2 wrong usage.";

/// Flags that every command takes.
#[derive(Debug, Default, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Use this profile of the configuration
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Keep replicas, logs and sockets below DIR
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Read and write this configuration file
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Sync with this server
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// Read the bearer token from FILE
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Write as NAME
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) author: Option<String>,
    /// Print one JSON value instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

impl GlobalArgs {
    const fn format(&self) -> Format {
        if self.json {
            Format::Json
        } else {
            Format::Text
        }
    }
}

/// Parses the arguments, runs the command, and tells how it went.
pub(crate) fn main(
    arguments: impl IntoIterator<Item = OsString>,
    environment: Environment,
) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match parse(&arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let code = usage::explain(&error, &arguments, &environment);
            return if is_hook(&arguments) {
                ExitCode::SUCCESS
            } else {
                code
            };
        }
    };
    crate::file_limit::let_writes_fail();
    let output = Output::new(cli.globals.format(), &environment);
    let context = Context::new(cli.globals, environment, output);
    match cli.command.run(&context) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let failure = match context.has_lost_log.get() {
                true => failure.without_log(),
                false => failure,
            };
            context.output.failure(&failure);
            failure.exit_code()
        }
    }
}

fn parse(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    let call = is_hook(arguments).then(|| HookCall::try_parse_from(arguments));
    match call {
        Some(Ok(call)) => Ok(call.into()),
        // What is wrong with it is told as of any command.
        Some(Err(_)) | None => Cli::try_parse_from(arguments),
    }
}

/// Whether an agent calls: it takes the exit code of wrong usage for its hook's verdict.
fn is_hook(arguments: &[OsString]) -> bool {
    arguments.windows(2).any(|words| words == ["hook", "run"])
}
