//! Checks of what is beyond this process: the daemon and the server.

use std::time::Duration;

use serde_json::json;
use syncline_client::{AskError, Member, Remote, SyncSettings, health, whoami};
use syncline_daemon::CallError;

use super::finding::{Finding, Repair};
use super::settings::tried;
use crate::atomic_file;
use crate::config::Auth;
use crate::context::Context;
use crate::environment::variable;
use crate::failure::Failure;
use crate::{remote, replica_access};

/// All of these together stay within what a person waits for.
const PATIENCE: Duration = Duration::from_secs(1);
const DAEMON_PATIENCE: Duration = Duration::from_millis(500);
/// A token that ends sooner is worth a word.
const EXPIRY_MILLIS_MIN: i64 = 7 * 86_400_000;

pub(super) fn daemon(context: &Context) -> Finding {
    let socket = tried!(replica_access::meeting(context)).socket;
    match syncline_daemon::call(&socket, "health", json!({}), DAEMON_PATIENCE) {
        Ok(health) => {
            let version = health["version"].as_str().unwrap_or("unknown").to_owned();
            if version == env!("CARGO_PKG_VERSION") {
                Finding::ok(format!("runs, process {}", health["pid"]))
            } else {
                Finding::warning(format!("runs version {version}")).fix("start it again")
            }
        }
        Err(CallError::NotRunning) => Finding::ok("none runs: commands sync by themselves"),
        Err(error) => {
            Finding::warning(format!("runs, and does not answer: {error}")).fix("syncline logs")
        }
    }
}

pub(super) fn runtime_dir(context: &Context) -> Finding {
    let socket = tried!(replica_access::meeting(context)).socket;
    let Some(dir) = socket.parent().filter(|dir| dir.is_dir()) else {
        return Finding::skipped("no control socket yet");
    };
    match atomic_file::is_exposed(dir) {
        Ok(false) => Finding::ok(format!("{} is yours alone", dir.display())),
        Ok(true) => Finding::failed(format!("other users may look into {}", dir.display()))
            .repair_by(Repair::MakePrivate(dir.to_owned())),
        Err(error) => Finding::failed(format!("could not look at {}: {error}", dir.display())),
    }
}

/// The server to ask, or the finding that there is none.
fn server(context: &Context) -> Result<Remote, Finding> {
    match remote::settings(context) {
        Ok(SyncSettings::On(remote)) => Ok(remote),
        Ok(SyncSettings::Off) => Err(Finding::skipped("no server, or sync is turned off")),
        Err(failure) => Err(Finding::from(failure)),
    }
}

pub(super) fn server_reached(context: &Context) -> Finding {
    let remote = match server(context) {
        Ok(remote) => remote,
        Err(finding) => return finding,
    };
    match health(&remote, PATIENCE) {
        Ok(health) => Finding::ok(format!(
            "{} runs version {}, auth {}",
            remote.endpoint, health.version, health.auth_mode
        )),
        Err(error) => unreached(&remote, &error),
    }
}

pub(super) fn server_auth(context: &Context) -> Finding {
    let remote = match server(context) {
        Ok(remote) => remote,
        Err(finding) => return finding,
    };
    let auth = tried!(context.settings()).auth.value;
    match health(&remote, PATIENCE) {
        Ok(health) if health.auth_mode == "none" && auth == Auth::Token => {
            Finding::warning("the server asks for no token, and one is sent")
                .fix("syncline logout, or syncline config set auth none")
        }
        Ok(health) if health.auth_mode != "none" && auth == Auth::None => {
            Finding::failed("the server asks for a token, and auth is none").fix("syncline login")
        }
        Ok(health) => Finding::ok(health.auth_mode),
        Err(_) => Finding::skipped("the server is not reached"),
    }
}

pub(super) fn server_login(context: &Context) -> Finding {
    let remote = match server(context) {
        Ok(remote) => remote,
        Err(finding) => return finding,
    };
    match whoami(&remote, PATIENCE) {
        Ok(member) => judge(context, &member),
        Err(AskError::Refused { error, .. }) => {
            let fix = match context.environment.raw(variable::TOKEN) {
                Some(_) => "unset SYNCLINE_TOKEN, which goes before the stored token",
                None => "syncline login",
            };
            Finding::failed(format!("refused: {}", error.message)).fix(fix)
        }
        Err(_) => Finding::skipped("the server is not reached"),
    }
}

fn judge(context: &Context, member: &Member) -> Finding {
    let who = format!(
        "{} of tenant {} ({})",
        member.user, member.tenant, member.rights
    );
    if let Some(held) = tried!(replica_access::held_tenant(context))
        && held != member.tenant
    {
        return Finding::failed(format!("{who}, and the replica holds tenant {held}"))
            .fix("syncline config profiles create NAME, and log in with it");
    }
    if member.rights == "read" {
        return Finding::warning(format!("{who}: nothing that you write can be sent"))
            .fix("syncline login, with a token that has the right sync");
    }
    match member.expires_at {
        Some(end) if end.as_millis() - context.now().as_millis() < EXPIRY_MILLIS_MIN => {
            Finding::warning(format!("{who}, until {end}")).fix("syncline login, with a new token")
        }
        Some(end) => Finding::ok(format!("{who}, until {end}")),
        None => Finding::ok(who),
    }
}

fn unreached(remote: &Remote, error: &AskError) -> Finding {
    let mut message = format!("{}: {error}", remote.endpoint);
    if let Some(cause) = std::error::Error::source(error) {
        message = format!("{message}: {cause}");
    }
    Finding::failed(message).fix("see to the network and the endpoint; what you write waits safely")
}
