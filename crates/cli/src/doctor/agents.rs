//! Checks of coding agents: what they delete, and what of them is kept here.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use serde_json::Value;
use syncline_capture::agent::Agent;
use syncline_capture::hook::Spool;
use syncline_capture::import::Source;
use syncline_capture::retention::{self, Retention};
use syncline_store::sessions::Archived;

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

const NO_REPLICA: &str = "no replica yet: the first import makes one";

/// What is kept of each agent, by the replica; none: there is no replica.
fn kept(context: &Context) -> Result<Option<Vec<Archived>>, Failure> {
    let dir = context.replica_dir()?;
    if !dir.join(syncline_replica::LOCAL_FILE_NAME).exists() {
        return Ok(None);
    }
    let mut replica = replica_access::open(context)?;
    let view = replica.view()?;
    Ok(Some(syncline_store::sessions::archived(view.connection())?))
}

/// Sessions that were kept though rules by path and project could not be held to them.
pub(super) fn unplaced(context: &Context) -> Finding {
    let privacy = tried!(context.privacy());
    let Some(kept) = tried!(kept(context)) else {
        return Finding::skipped(NO_REPLICA);
    };
    let unplaced: Vec<_> = kept.iter().filter(|kept| kept.unplaced > 0).collect();
    let Some(most) = unplaced.iter().max_by_key(|kept| kept.unplaced) else {
        return Finding::ok("the directory of each session is known");
    };
    let told = unplaced.iter().map(|kept| {
        let agent = agent_of(kept);
        format!("{} of {agent}", counted(kept.unplaced, "session"))
    });
    let told = told.collect::<Vec<_>>().join(", ");
    let message = format!(
        "nothing tells the directory of {told}: exclude_paths and exclude_projects can't leave them out"
    );
    if !privacy.has_rules_of_place() {
        return Finding::ok(message);
    }
    let warning = Finding::warning(message);
    // Nothing to name where no agent is known.
    let agent = match most.agent.as_str() {
        "" => return warning,
        agent => agent,
    };
    warning.fix(format!(
        "syncline session list --agent {agent}, and session delete for those that are not to be kept; \
         syncline config set exclude_agents {agent} leaves out all of it from then on"
    ))
}

fn agent_of(kept: &Archived) -> &str {
    match kept.agent.as_str() {
        "" => "unknown agent",
        agent => agent,
    }
}

/// What is kept of each agent.
pub(super) fn archived(context: &Context) -> Finding {
    let Some(kept) = tried!(kept(context)) else {
        return Finding::skipped(NO_REPLICA);
    };
    if kept.is_empty() {
        return Finding::ok("no session is kept yet: syncline import auto");
    }
    let kept = kept.iter().map(|kept| {
        let agent = agent_of(kept);
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
