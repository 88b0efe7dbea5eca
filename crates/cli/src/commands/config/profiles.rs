use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use crate::config::{ConfigFile, DEFAULT_PROFILE, ProfileName};
use crate::context::{Context, unknown_profile};
use crate::failure::{Failure, Outcome};

/// Work with profiles: each has its own settings, login and replica
#[derive(Debug, Subcommand)]
pub(crate) enum ProfilesCommand {
    /// List the profiles
    List,
    /// Make a profile the active one
    Use(NameArgs),
    /// Make a profile
    Create(NameArgs),
    /// Delete a profile's settings and login; its replica stays on disk
    Delete(NameArgs),
}

#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// The profile
    name: String,
}

#[derive(Serialize)]
struct Listing<'a> {
    profiles: &'a [ProfileName],
    active_profile: &'a ProfileName,
}

impl ProfilesCommand {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        match self {
            Self::List => list(context),
            Self::Use(args) => activate(&parse(&args.name)?, context),
            Self::Create(args) => create(&parse(&args.name)?, context),
            Self::Delete(args) => delete(&parse(&args.name)?, context),
        }
    }
}

fn parse(text: &str) -> Result<ProfileName, Failure> {
    text.parse().map_err(|error| {
        Failure::usage("profile_invalid", format!("{text:?} can't be a profile")).because(error)
    })
}

fn list(context: &Context) -> Outcome {
    let active = context.profile()?.value;
    let profiles = context.config()?.profiles()?;
    let listing = Listing {
        profiles: &profiles,
        active_profile: &active,
    };
    context.output.data(&listing, |out| {
        for name in &profiles {
            if *name == active {
                writeln!(out, "* {name} (active)")?;
            } else {
                writeln!(out, "  {name}")?;
            }
        }
        Ok(())
    })
}

fn activate(name: &ProfileName, context: &Context) -> Outcome {
    ConfigFile::edit(&context.paths()?.config_file, |file| {
        if !file.has_profile(name)? {
            return Err(unknown_profile(name, &file.profiles()?));
        }
        file.use_profile(name);
        Ok(())
    })?;
    let done = json!({ "active_profile": name });
    context.output.data(&done, |_| Ok(()))?;
    context.output.note(format_args!("Active profile: {name}"));
    Ok(())
}

fn create(name: &ProfileName, context: &Context) -> Outcome {
    ConfigFile::edit(&context.paths()?.config_file, |file| {
        let known = file.has_profile(name)?;
        if known || !file.create_profile(name)? {
            return Err(
                Failure::new("profile_exists", format!("profile {name} exists already"))
                    .state("it is unchanged")
                    .fix(format!("syncline config profiles use {name}")),
            );
        }
        Ok(())
    })?;
    let done = json!({ "profile": name, "created": true });
    context.output.data(&done, |_| Ok(()))?;
    context.output.note(format_args!(
        "Created profile {name}; `syncline config profiles use {name}` makes it the active one"
    ));
    Ok(())
}

fn delete(name: &ProfileName, context: &Context) -> Outcome {
    ConfigFile::edit(&context.paths()?.config_file, |file| {
        if !file.has_profile(name)? {
            return Err(unknown_profile(name, &file.profiles()?));
        }
        if name.as_str() == DEFAULT_PROFILE || file.active_profile()?.as_ref() == Some(name) {
            let (why, fix) = if name.as_str() == DEFAULT_PROFILE {
                (
                    "profile default can't be deleted",
                    "syncline config unset KEY, for each of its values",
                )
            } else {
                (
                    "the active profile can't be deleted",
                    "syncline config profiles use OTHER",
                )
            };
            return Err(Failure::new("profile_in_use", why)
                .state("it is unchanged")
                .fix(fix));
        }
        Ok(file.delete_profile(name)?)
    })?;
    context.credentials()?.remove(name)?;
    let replica = context
        .paths()?
        .data_dir
        .join("profiles")
        .join(name.as_str());
    let kept = replica.exists().then(|| replica.display().to_string());
    let done = json!({ "profile": name, "deleted": true, "replica": kept });
    context.output.data(&done, |_| Ok(()))?;
    context.output.note(format_args!("Deleted profile {name}"));
    if let Some(kept) = kept {
        context
            .output
            .note(format_args!("Its replica stays at {kept}"));
    }
    Ok(())
}
