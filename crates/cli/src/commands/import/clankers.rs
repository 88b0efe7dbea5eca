//! The configuration of clankers, a recorder whose store is imported: what has a counterpart here is taken
//! over, profile by profile, once the user said so.
//!
//! A server may be named in it, so it is taken from the place where clankers itself keeps it and from no
//! other: a file elsewhere may have come with a repository. Of such a one the commands are told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use syncline_capture::agent::Agent;
use syncline_capture::import::Problem;

use crate::agent_places;
use crate::config::{ConfigFile, Key, ProfileName, Setting};
use crate::confirm::{Answer, confirm};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::wording::quoted;

pub(super) const FILE_NAME: &str = "clankers.json";
/// No such file is larger; what is, is something else.
const BYTES_MAX: u64 = 1024 * 1024;

/// Whether the user was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consent {
    /// Not yet.
    Ask,
    /// `--yes` was given.
    Given,
    /// Nothing is to be written.
    DryRun,
}

/// What a profile of it sets that can be set here.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Settings {
    file: PathBuf,
    profile: String,
    active: bool,
    values: BTreeMap<&'static str, String>,
    /// What sets the same here.
    commands: Vec<String>,
    /// The keys that were set here; those that the profile had here before stay as they are.
    taken: Vec<&'static str>,
    /// What makes it the active one here, where it is that of clankers and another is in use.
    #[serde(skip)]
    activate: Option<String>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    profiles: BTreeMap<String, BTreeMap<String, serde_json::Value>>,
    active_profile: Option<String>,
}

/// Reads the file beside a store, if there is one.
pub(super) fn read(
    root: &Path,
    in_use: &ProfileName,
    settings: &mut Vec<Settings>,
    problems: &mut Vec<Problem>,
) {
    let directory = if root.is_dir() {
        Some(root)
    } else {
        root.parent()
    };
    let Some(path) = directory.map(|directory| directory.join(FILE_NAME)) else {
        return;
    };
    let Ok(found) = std::fs::metadata(&path) else {
        return;
    };
    let mut fail = |cause: String| {
        problems.push(Problem {
            path: path.clone(),
            line: None,
            cause,
        });
    };
    if found.len() > BYTES_MAX {
        return fail(format!("it has more than {BYTES_MAX} bytes"));
    }
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => return fail(error.to_string()),
    };
    match serde_json::from_slice::<File>(&bytes) {
        Ok(file) => settings.extend(settings_of(&path, file, in_use)),
        Err(error) => fail(format!("it is no configuration of clankers: {error}")),
    }
}

fn settings_of(path: &Path, file: File, in_use: &ProfileName) -> Vec<Settings> {
    let active = file.active_profile.as_deref().unwrap_or("default");
    let profiles = file.profiles.iter().map(|(profile, values)| {
        let mut values: BTreeMap<&'static str, String> = values.iter().filter_map(usable).collect();
        // To clankers, sync is off unless it is turned on; here it is on where there is a server.
        if values.contains_key(Key::Endpoint.as_str()) {
            let off = || "false".to_owned();
            values.entry(Key::SyncEnabled.as_str()).or_insert_with(off);
        }
        let is_active = profile == active;
        let activate = (is_active && profile != in_use.as_str())
            .then(|| format!("syncline config profiles use {}", quoted(profile)));
        Settings {
            file: path.to_owned(),
            profile: profile.clone(),
            active: is_active,
            commands: commands(profile, &values, activate.as_ref()),
            values,
            taken: Vec::new(),
            activate,
        }
    });
    profiles
        .filter(|found| !found.values.is_empty() || found.activate.is_some())
        .collect()
}

/// The commands that set the same here. Sync is turned off before it is told where to.
fn commands(
    profile: &str,
    values: &BTreeMap<&'static str, String>,
    activate: Option<&String>,
) -> Vec<String> {
    let profile = quoted(profile);
    let sets = values.iter().rev().map(|(key, value)| {
        let value = quoted(value);
        format!("syncline --profile {profile} config set {key} {value}")
    });
    let made = (profile != "default").then(|| format!("syncline config profiles create {profile}"));
    made.into_iter()
        .chain(sets)
        .chain(activate.cloned())
        .collect()
}

/// A value that could be set here.
fn usable((key, value): (&String, &serde_json::Value)) -> Option<(&'static str, String)> {
    let key = match key.parse().ok()? {
        key @ (Key::Endpoint | Key::SyncEnabled | Key::SyncInterval) => key,
        // Credentials are per server, and lists are ours alone.
        Key::Auth | Key::Capture | Key::Privacy(_) => return None,
    };
    let text = match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let setting = Setting::parse(key, &text).ok()?;
    Some((key.as_str(), setting.to_string()))
}

/// Takes over what the user lets, and tells how to set the rest.
pub(super) fn take_over(context: &Context, settings: &mut [Settings], consent: Consent) -> Outcome {
    for found in settings {
        if consent != Consent::DryRun
            && !found.values.is_empty()
            && is_own(context, &found.file)
            && agreed(context, found, consent)?
        {
            take(context, found)?;
        }
        tell(context, found);
    }
    Ok(())
}

/// Whether this is the file that clankers itself reads.
fn is_own(context: &Context, file: &Path) -> bool {
    let places = agent_places::standard(context, &[Agent::Clankers]);
    let own = places.iter().map(|place| place.root.join(FILE_NAME));
    let own = own.filter_map(|path| path.canonicalize().ok());
    let file = file.canonicalize().ok();
    file.is_some_and(|file| own.into_iter().any(|own| own == file))
}

fn agreed(context: &Context, found: &Settings, consent: Consent) -> Result<bool, Failure> {
    if consent == Consent::Given {
        return Ok(true);
    }
    let values = found
        .values
        .iter()
        .map(|(key, value)| format!("{key} = {value}"));
    let question = format!(
        "Set {} in profile {}, as clankers has it?",
        values.collect::<Vec<_>>().join(", "),
        found.profile
    );
    Ok(confirm(context, &question)? == Answer::Yes)
}

fn take(context: &Context, found: &mut Settings) -> Outcome {
    // A name that can't be one of ours is told with its commands, which say why.
    let Ok(profile) = found.profile.parse::<ProfileName>() else {
        return Ok(());
    };
    let path = context.paths()?.config_file;
    found.taken = ConfigFile::edit(&path, |file| {
        let here = file.layer(&profile)?;
        let is_set = |key: &str| match key {
            "endpoint" => here.endpoint.is_some(),
            "sync_enabled" => here.sync_enabled.is_some(),
            _ => here.sync_interval.is_some(),
        };
        let mut taken = Vec::new();
        for (key, value) in found.values.iter().filter(|(key, _)| !is_set(key)) {
            let parsed = key
                .parse::<Key>()
                .and_then(|key| Setting::parse(key, value));
            let setting = parsed.expect("it was parsed when the file was read");
            file.set(&profile, &setting)?;
            taken.push(*key);
        }
        Ok::<_, Failure>(taken)
    })?;
    Ok(())
}

fn tell(context: &Context, found: &Settings) {
    let (file, profile) = (found.file.display(), &found.profile);
    if !found.taken.is_empty() {
        let keys = found.taken.join(", ");
        context
            .output
            .note(format_args!("took {keys} of profile {profile} from {file}"));
        if let Some(activate) = &found.activate {
            context.output.note(format_args!(
                "it is the active profile of clankers, and not the one in use here: `{activate}` makes it so"
            ));
        }
        return;
    }
    context.output.note(format_args!(
        "profile {profile} of {file} is not taken over; to set the same here:"
    ));
    for command in &found.commands {
        context.output.note(format_args!("  {command}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_set_here_is_told_and_nothing_else_is_taken() {
        let directory = tempfile::tempdir().unwrap();
        let text = r#"{"profiles":{"default":{"endpoint":"https://h.example.org","sync_enabled":false,
            "sync_interval":30,"auth":"none","token":"hush"},"other":{"sync_interval":0}},
            "active_profile":"default"}"#;
        std::fs::write(directory.path().join(FILE_NAME), text).unwrap();
        let (mut settings, mut problems) = (Vec::new(), Vec::new());
        let in_use = ProfileName::default();
        read(
            &directory.path().join("clankers.db"),
            &in_use,
            &mut settings,
            &mut problems,
        );
        assert_eq!((settings.len(), problems.len()), (1, 0));
        assert_eq!(
            settings[0].commands,
            [
                "syncline --profile default config set sync_interval 30",
                "syncline --profile default config set sync_enabled false",
                "syncline --profile default config set endpoint https://h.example.org",
            ]
        );
        let values: Vec<_> = settings[0]
            .values
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let expected = [
            "endpoint=https://h.example.org",
            "sync_enabled=false",
            "sync_interval=30",
        ];
        assert_eq!(values, expected);
        assert!(!format!("{settings:?}").contains("hush"));
        std::fs::write(directory.path().join(FILE_NAME), "[1").unwrap();
        read(directory.path(), &in_use, &mut settings, &mut problems);
        assert_eq!((settings.len(), problems.len()), (1, 1));
    }
}
