//! The command tree: a file per command, a directory per noun.

mod completions;
mod config;
mod daemon;
mod doctor;
mod logs;
mod man;
mod reference;
mod serve;
mod thread;
mod token;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Outcome;

/// Everything `syncline` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(subcommand)]
    Thread(thread::ThreadCommand),
    Serve(serve::ServeArgs),
    Daemon(daemon::DaemonArgs),
    Doctor(doctor::DoctorArgs),
    Logs(logs::LogsArgs),
    #[command(subcommand)]
    Config(config::ConfigCommand),
    #[command(subcommand)]
    Token(token::TokenCommand),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
    #[command(hide = true)]
    Reference(reference::ReferenceArgs),
}

impl Command {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        match self {
            Self::Thread(command) => command.run(context),
            Self::Serve(args) => serve::run(&args, context),
            Self::Daemon(args) => daemon::run(&args, context),
            Self::Doctor(args) => doctor::run(&args, context),
            Self::Logs(args) => logs::run(&args, context),
            Self::Config(command) => command.run(context),
            Self::Token(command) => command.run(context),
            Self::Completions(args) => completions::run(&args, context),
            Self::Man(args) => man::run(&args, context),
            Self::Reference(args) => reference::run(&args, context),
        }
    }
}
