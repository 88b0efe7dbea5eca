//! The `syncline` binary: reads arguments and environment, calls the crates below, prints.
//!
//! It alone in the workspace may print, read the environment and choose an exit code. The tree under
//! `commands/` is the command tree; a command parses nothing itself and holds no rule that a library
//! could hold.

mod agent_places;
mod atomic_file;
mod capture_state;
mod cli;
mod commands;
mod config;
mod confirm;
mod context;
mod daemon_call;
mod delivery;
mod doctor;
mod document;
mod environment;
mod failure;
mod file_limit;
mod hooks;
mod limit;
mod logging;
mod lost_edits;
mod memory_limit;
mod near;
mod open_files;
mod output;
mod owner;
mod paths;
mod prices;
mod progress;
mod project_file;
mod remote;
mod replica_access;
mod server_data;
mod short_id;
mod signals;
mod span;
mod sync_state;
mod table;
mod things;
mod watch;
mod wording;
mod written;

fn main() -> std::process::ExitCode {
    cli::main(std::env::args_os(), environment::Environment::read())
}
