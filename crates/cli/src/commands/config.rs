mod get;
mod list;
mod profiles;
mod set;
mod unset;

use clap::Subcommand;

use crate::config::{Key, SettingError};
use crate::context::Context;
use crate::failure::{Failure, Outcome};

/// Read and change the configuration
///
/// Keys: endpoint (URL of the server), sync_enabled (true or false), sync_interval (seconds), auth
/// (none or token), capture (true, false, or a JSON array of agents).
///
/// What of agents' sessions is not recorded, each one text or a JSON array of texts: redact_patterns
/// (NAME=REGEX: what matches, or its group named secret, is taken out; in the syntax of Rust's regex),
/// redact_off (names of built-in rules), exclude_paths (directories of sessions, or transcripts),
/// exclude_projects (names), exclude_agents. In paths and names `*` stands for any characters, and `**`
/// in a path for any directories; `?`, brackets and braces are refused. Beside these, a session is not recorded where a file .do-not-record
/// is in its directory or above, and from a prompt on that has a line `#do-not-record`.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    Set(set::SetArgs),
    Get(get::GetArgs),
    Unset(unset::UnsetArgs),
    List(list::ListArgs),
    #[command(subcommand)]
    Profiles(profiles::ProfilesCommand),
}

impl ConfigCommand {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        match self {
            Self::Set(args) => set::run(&args, context),
            Self::Get(args) => get::run(&args, context),
            Self::Unset(args) => unset::run(&args, context),
            Self::List(args) => list::run(&args, context),
            Self::Profiles(command) => command.run(context),
        }
    }
}

fn parse_key(text: &str) -> Result<Key, Failure> {
    text.parse().map_err(|error: SettingError| {
        Failure::usage("key_unknown", format!("no key {text:?}"))
            .because(error)
            .state("the configuration is unchanged")
            .fix("syncline config list")
    })
}

/// Says so when what was just written is not what counts.
fn note_override(context: &Context, key: Key) -> Outcome {
    let (_, origin) = context.settings()?.shown(key);
    match origin {
        crate::config::Origin::Environment => context.output.warn(format_args!(
            "{} is set, and counts instead of the profile",
            key.variable().unwrap_or_default()
        )),
        crate::config::Origin::Flag => context
            .output
            .warn("the flag given here counts for this command alone"),
        crate::config::Origin::Profile | crate::config::Origin::Default => {}
    }
    Ok(())
}
