//! The real binary, run as a user or an agent would, each time on a machine of its own.

#![allow(
    clippy::unwrap_used,
    reason = "a test that meets an error ends there, and shows it"
)]

#[cfg(target_os = "linux")]
mod admin;
mod backup;
mod backup_killed;
mod backup_place;
#[cfg(target_os = "linux")]
mod bad_disk;
#[cfg(target_os = "linux")]
mod capture;
mod config;
mod config_capture;
#[cfg(unix)]
mod daemon;
#[cfg(unix)]
mod demo;
mod deploy;
mod doctor;
mod foreign_log;
mod generate;
mod generate_folder;
mod generate_served;
mod generate_watch;
mod generated_sql;
mod health;
mod hook_install;
mod hook_run;
mod import;
mod list;
mod list_collected;
mod list_errors;
mod list_imported_apart;
mod list_transfer;
mod list_watch;
mod log_damaged;
mod login;
mod logs;
mod machine;
mod member;
#[cfg(target_os = "linux")]
mod planted;
mod quarantine;
mod query;
mod query_write;
mod readme;
mod record;
mod record_lost;
mod record_members;
mod record_named;
mod record_refused;
#[cfg(target_os = "linux")]
mod recorded;
mod reference;
mod reported;
mod schema;
mod serve;
mod serve_environment;
mod serve_held;
mod serve_killed;
mod serve_schema;
mod serve_shapes;
#[cfg(target_os = "linux")]
mod serve_traced;
mod served;
mod server_lost;
mod session;
mod session_change;
#[cfg(target_os = "linux")]
mod session_choice;
mod session_copies;
mod session_order;
mod session_repeated;
mod sync;
mod sync_told;
mod thread_change;
mod thread_read;
mod thread_search;
mod thread_transfer;
mod thread_write;
mod token;
mod usage;
mod wire;
