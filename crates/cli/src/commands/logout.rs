use clap::Args;
use serde::Serialize;

use crate::config::{Auth, ConfigFile, Key, ProfileName};
use crate::context::Context;
use crate::environment::variable;
use crate::failure::{Failure, Outcome};

/// Forget the stored token
///
/// The endpoint and everything that waits to be synced stay; a new login goes on.
#[derive(Debug, Args)]
pub(crate) struct LogoutArgs {}

#[derive(Serialize)]
struct LoggedOut {
    profile: ProfileName,
    was_logged_in: bool,
}

pub(crate) fn run(LogoutArgs {}: &LogoutArgs, context: &Context) -> Outcome {
    let profile = context.profile()?.value;
    let was_logged_in = context.credentials()?.remove(&profile)?;
    ConfigFile::edit(&context.paths()?.config_file, |file| {
        if file.layer(&profile)?.auth == Some(Auth::Token) {
            file.unset(&profile, Key::Auth)?;
        }
        Ok::<_, Failure>(())
    })?;
    let done = LoggedOut {
        profile,
        was_logged_in,
    };
    context.output.data(&done, |_| Ok(()))?;
    let what = if was_logged_in {
        "logged out; the token itself is good until it is revoked"
    } else {
        "no token was stored"
    };
    context
        .output
        .note(format_args!("{what} (profile: {})", done.profile));
    if context.environment.raw(variable::TOKEN).is_some() {
        context.output.warn(format_args!(
            "{} is set, and is used all the same",
            variable::TOKEN
        ));
    }
    Ok(())
}
