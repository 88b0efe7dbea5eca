use clap::Args;
use serde_json::json;

use super::list::json_value;
use super::{note_override, parse_key};
use crate::config::{ConfigFile, Setting};
use crate::context::Context;
use crate::daemon_call;
use crate::failure::{Failure, Outcome};

/// Set a value in the profile
#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// capture, endpoint, sync_enabled, sync_interval, auth, or a list of what is not recorded
    key: String,
    /// The value
    #[arg(allow_hyphen_values = true)]
    value: String,
}

pub(crate) fn run(args: &SetArgs, context: &Context) -> Outcome {
    let key = parse_key(&args.key)?;
    let setting = Setting::parse(key, &args.value).map_err(|error| {
        Failure::usage("value_invalid", format!("could not set {key}"))
            .because(error)
            .state("the configuration is unchanged")
            .fix("syncline config --help says what each key takes")
    })?;
    let profile = context.profile()?.value;
    let path = context.paths()?.config_file;
    ConfigFile::edit(&path, |file| {
        file.set(&profile, &setting).map_err(Failure::from)
    })?;
    daemon_call::tell_changed(context);
    let value = json_value(Some(&setting));
    let done = json!({ "profile": profile, "key": key.as_str(), "value": value });
    context.output.data(&done, |_| Ok(()))?;
    context
        .output
        .note(format_args!("Set {key} = {setting} (profile: {profile})"));
    note_override(context, key)
}
