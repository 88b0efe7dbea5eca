use clap::Args;
use serde_json::json;

use super::parse_key;
use crate::config::ConfigFile;
use crate::context::Context;
use crate::daemon_call;
use crate::failure::{Failure, Outcome};

/// Take a value out of the profile, so that the default counts
#[derive(Debug, Args)]
pub(crate) struct UnsetArgs {
    /// capture, endpoint, sync_enabled, sync_interval, auth, or a list of what is not recorded
    key: String,
}

pub(crate) fn run(args: &UnsetArgs, context: &Context) -> Outcome {
    let key = parse_key(&args.key)?;
    let profile = context.profile()?.value;
    let path = context.paths()?.config_file;
    let was_set = ConfigFile::edit(&path, |file| {
        file.unset(&profile, key).map_err(Failure::from)
    })?;
    daemon_call::tell_changed(context);
    let done = json!({ "profile": profile, "key": key.as_str(), "was_set": was_set });
    context.output.data(&done, |_| Ok(()))?;
    let what = if was_set { "Unset" } else { "Not set:" };
    context
        .output
        .note(format_args!("{what} {key} (profile: {profile})"));
    Ok(())
}
