use clap::Args;
use serde::Serialize;

use super::list::json_value;
use super::parse_key;
use crate::config::Origin;
use crate::context::Context;
use crate::failure::Outcome;

/// Print the value in effect
#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// capture, endpoint, sync_enabled, sync_interval, auth, or a list of what is not recorded
    key: String,
}

#[derive(Serialize)]
struct Got {
    key: &'static str,
    value: serde_json::Value,
    origin: Origin,
}

pub(crate) fn run(args: &GetArgs, context: &Context) -> Outcome {
    let key = parse_key(&args.key)?;
    let (value, origin) = context.settings()?.shown(key);
    let got = Got {
        key: key.as_str(),
        value: json_value(value.as_ref()),
        origin,
    };
    context.output.data(&got, |out| match &value {
        Some(value) => writeln!(out, "{value}"),
        None => Ok(()),
    })?;
    if value.is_none() {
        context.output.note(format_args!("{key} is not set"));
    }
    Ok(())
}
