//! The configuration of clankers, a recorder whose store is imported: told, and not taken over. Where
//! sessions are sent is for the user to say, not for a file of another program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use syncline_capture::import::Problem;

use crate::config::{Key, Setting};
use crate::context::Context;

pub(super) const FILE_NAME: &str = "clankers.json";
/// No such file is larger; what is, is something else.
const BYTES_MAX: u64 = 1024 * 1024;

/// What a profile of it sets that could be set here.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Settings {
    file: PathBuf,
    profile: String,
    active: bool,
    values: BTreeMap<&'static str, String>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    profiles: BTreeMap<String, BTreeMap<String, serde_json::Value>>,
    active_profile: Option<String>,
}

/// Reads the file beside a store, if there is one.
pub(super) fn read(root: &Path, settings: &mut Vec<Settings>, problems: &mut Vec<Problem>) {
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
        Ok(file) => settings.extend(settings_of(&path, file)),
        Err(error) => fail(format!("it is no configuration of clankers: {error}")),
    }
}

fn settings_of(path: &Path, file: File) -> Vec<Settings> {
    let active = file.active_profile.as_deref().unwrap_or("default");
    let profiles = file.profiles.iter().map(|(profile, values)| Settings {
        file: path.to_owned(),
        profile: profile.clone(),
        active: profile == active,
        values: values.iter().filter_map(usable).collect(),
    });
    profiles.filter(|found| !found.values.is_empty()).collect()
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

/// Tells how to set the same here.
pub(super) fn tell(context: &Context, settings: &[Settings]) {
    for found in settings.iter().filter(|found| found.active) {
        context.output.note(format_args!(
            "{} is not taken over; to set the same here:",
            found.file.display()
        ));
        for (key, value) in &found.values {
            context
                .output
                .note(format_args!("  syncline config set {key} {value}"));
        }
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
        read(
            &directory.path().join("clankers.db"),
            &mut settings,
            &mut problems,
        );
        assert_eq!((settings.len(), problems.len()), (1, 0));
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
        read(directory.path(), &mut settings, &mut problems);
        assert_eq!((settings.len(), problems.len()), (1, 1));
    }
}
