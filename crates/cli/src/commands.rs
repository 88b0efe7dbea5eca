//! The command tree: a file per command, a directory per noun.

mod admin;
mod ask_failure;
mod backup;
mod completions;
mod config;
mod daemon;
mod demo;
mod doctor;
mod generate;
mod health;
pub(crate) mod hook;
mod import;
mod list;
mod login;
mod logout;
mod logs;
mod man;
mod member;
mod query;
mod record;
mod reference;
mod restore;
mod schema;
mod serve;
mod session;
mod status;
mod sync;
mod thread;
mod token;
mod whoami;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Outcome;

/// Everything `syncline` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(subcommand)]
    Thread(thread::ThreadCommand),
    #[command(subcommand)]
    List(list::ListCommand),
    #[command(subcommand)]
    Session(session::SessionCommand),
    Record(record::RecordArgs),
    Serve(Box<serve::ServeArgs>),
    Import(import::ImportArgs),
    #[command(subcommand)]
    Hook(hook::HookCommand),
    Daemon(daemon::DaemonArgs),
    Demo(demo::DemoArgs),
    Query(query::QueryArgs),
    #[command(subcommand)]
    Schema(schema::SchemaCommand),
    Generate(generate::GenerateArgs),
    Sync(sync::SyncArgs),
    Status(status::StatusArgs),
    Health(health::HealthArgs),
    Backup(backup::BackupArgs),
    Restore(restore::RestoreArgs),
    Doctor(doctor::DoctorArgs),
    Logs(logs::LogsArgs),
    #[command(subcommand)]
    Config(config::ConfigCommand),
    Login(login::LoginArgs),
    Logout(logout::LogoutArgs),
    Whoami(whoami::WhoamiArgs),
    #[command(subcommand)]
    Token(token::TokenCommand),
    #[command(subcommand)]
    Member(member::MemberCommand),
    #[command(subcommand)]
    Admin(admin::AdminCommand),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
    #[command(hide = true)]
    Reference(reference::ReferenceArgs),
}

impl Command {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        match self {
            Self::Thread(command) => command.run(context),
            Self::List(command) => command.run(context),
            Self::Session(command) => command.run(context),
            Self::Record(args) => record::run(&args, context),
            Self::Import(args) => import::run(&args, context),
            Self::Hook(command) => command.run(context),
            Self::Serve(args) => serve::run(&args, context),
            Self::Demo(args) => demo::run(&args, context),
            Self::Daemon(args) => daemon::run(&args, context),
            Self::Query(args) => query::run(&args, context),
            Self::Generate(args) => generate::run(&args, context),
            Self::Sync(args) => args.run(context),
            Self::Status(args) => status::run(&args, context),
            Self::Health(args) => health::run(&args, context),
            Self::Backup(args) => backup::run(&args, context),
            Self::Restore(args) => restore::run(&args, context),
            Self::Doctor(args) => doctor::run(&args, context),
            Self::Logs(args) => logs::run(&args, context),
            Self::Config(command) => command.run(context),
            Self::Login(args) => login::run(&args, context),
            Self::Logout(args) => logout::run(&args, context),
            Self::Whoami(args) => whoami::run(&args, context),
            Self::Token(command) => command.run(context),
            Self::Member(command) => command.run(context),
            Self::Schema(command) => command.run(context),
            Self::Admin(command) => command.run(context),
            Self::Completions(args) => completions::run(&args, context),
            Self::Man(args) => man::run(&args, context),
            Self::Reference(args) => reference::run(&args, context),
        }
    }
}
