//! Checks of coding agents: what they delete, and what of them is kept here.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use serde_json::Value;
use syncline_capture::agent::Agent;
use syncline_capture::hook::Spool;
use syncline_capture::import::Source;
use syncline_capture::retention::{self, Retention};

use super::finding::Finding;
use super::settings::tried;
use crate::agent_places;
use crate::capture_state::CaptureState;
use crate::commands::hook;
use crate::context::Context;
use crate::failure::Failure;
use crate::hooks::jsonc_value;
use crate::hooks::{HookAgent, State};
use crate::paths::System;
use crate::replica_access;
use crate::wording::counted;

/// Agents that are here and delete what they keep, and whether something keeps it before.
pub(super) fn retention(context: &Context) -> Finding {
    let daemon = tried!(CaptureState::ask(context));
    let mut told = Vec::new();
    let mut fixes = Vec::new();
    for source in agent_places::standard(context, &Agent::ALL) {
        let Source { agent, root } = source;
        if !root.is_dir() {
            continue;
        }
        let settings = match settings_of(agent, &root) {
            Ok(settings) => settings,
            Err(unreadable) => {
                told.push(format!(
                    "could not read the settings of {agent}: {unreadable}"
                ));
                fixes.push(format!("mend {}", unreadable.path.display()));
                continue;
            }
        };
        let retention = retention::of(agent, &settings);
        if retention == Retention::Forever {
            continue;
        }
        let captured = daemon
            .as_ref()
            .map(|daemon| daemon.captures(agent.as_str()));
        if captured == Some(true) {
            told.push(format!("{agent} {retention}; the daemon keeps them"));
            continue;
        }
        told.push(format!("{agent} {retention}"));
        let longer = retention::key_of(agent).unwrap_or_default();
        fixes.push(format!(
            "syncline import {agent}, or keep `syncline daemon` running; {longer} in {} sets it",
            settings_file(&root).display()
        ));
    }
    told.dedup();
    match (told.is_empty(), fixes.into_iter().next()) {
        (true, _) => Finding::ok("no agent that is here deletes what it keeps"),
        (false, None) => Finding::ok(told.join("; ")),
        (false, Some(fix)) => Finding::warning(told.join("; ")).fix(fix),
    }
}

/// Settings of an agent that could not be read.
struct Unreadable {
    path: PathBuf,
    cause: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.cause)
    }
}

/// The settings of an agent that leaves transcripts in `place`, those that count most first.
fn settings_of(agent: Agent, place: &Path) -> Result<Vec<Value>, Unreadable> {
    let managed = match (agent, System::current()) {
        (Agent::ClaudeCode, System::Linux) => Some("/etc/claude-code/managed-settings.json"),
        (Agent::ClaudeCode, System::MacOs) => {
            Some("/Library/Application Support/ClaudeCode/managed-settings.json")
        }
        (Agent::Gemini, System::Linux) => Some("/etc/gemini-cli/settings.json"),
        (Agent::Gemini, System::MacOs) => {
            Some("/Library/Application Support/GeminiCli/settings.json")
        }
        _ => None,
    };
    let files = managed.map(PathBuf::from).into_iter();
    let files = files.chain([settings_file(place)]);
    let mut settings = Vec::new();
    for path in files {
        let unreadable = |cause: String| Unreadable {
            path: path.clone(),
            cause,
        };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(unreadable(error.to_string())),
        };
        let value = jsonc_value(&text).map_err(|error| unreadable(error.to_string()))?;
        settings.extend(value);
    }
    Ok(settings)
}

/// Agents that delete keep their settings beside the directory of their transcripts.
fn settings_file(place: &Path) -> PathBuf {
    place.with_file_name("settings.json")
}

/// What is kept of each agent.
pub(super) fn archived(context: &Context) -> Finding {
    let dir = tried!(context.replica_dir());
    if !dir.join(syncline_replica::LOCAL_FILE_NAME).exists() {
        return Finding::skipped("no replica yet: the first import makes one");
    }
    let mut replica = tried!(replica_access::open(context));
    let view = tried!(replica.view());
    let kept = tried!(syncline_store::sessions::archived(view.connection()));
    if kept.is_empty() {
        return Finding::ok("no session is kept yet: syncline import auto");
    }
    let kept = kept.iter().map(|kept| {
        let agent = match kept.agent.as_str() {
            "" => "unknown agent",
            agent => agent,
        };
        let oldest = kept.oldest.map(|oldest| oldest.to_string());
        let day = oldest.as_deref().and_then(|oldest| oldest.get(..10));
        format!(
            "{agent}: {}, {}, the oldest of {}",
            counted(kept.sessions, "session"),
            counted(kept.messages, "message"),
            day.unwrap_or("no known day")
        )
    });
    Finding::ok(kept.collect::<Vec<_>>().join("; "))
}

/// Whether agents call our hooks where they shall, and somebody takes what they tell.
pub(super) fn hooks(context: &Context) -> Finding {
    let replica = tried!(context.replica_dir());
    let spool = Spool::beside(&replica);
    if let Some(since) = spool.left_out_since() {
        let waiting = counted(spool.count(), "event");
        let message =
            format!("{waiting} of hooks wait, and there is no room for more since {since}");
        return Finding::warning(message).fix("syncline import auto");
    }
    let (mut installed, mut disabled) = (Vec::new(), Vec::new());
    for agent in HookAgent::ALL {
        let settings = tried!(hook::settings(agent, context));
        if !matches!(settings.state(), Ok(State::Installed | State::Outdated)) {
            continue;
        }
        match settings.disabled_by() {
            None => installed.push(agent.agent().as_str()),
            Some(file) => disabled.push((agent, file)),
        }
    }
    match disabled.first() {
        Some((agent, file)) => {
            let message = format!("{} calls no hook: its settings disable all", agent.agent());
            let fix = format!("take disableAllHooks out of {}", file.display());
            Finding::warning(message).fix(fix)
        }
        None if installed.is_empty() => Finding::ok("none are installed"),
        None => Finding::ok(format!("installed for {}", installed.join(", "))),
    }
}

/// Whether the daemon captures without trouble.
pub(super) fn capture(context: &Context) -> Finding {
    let Some(state) = tried!(CaptureState::ask(context)) else {
        return Finding::skipped("no daemon says what it captures");
    };
    match state.trouble() {
        Some(trouble) => {
            Finding::warning(format!("{}; it is tried again", trouble.message)).fix("syncline logs")
        }
        None => Finding::ok(state.line()),
    }
}
