use clap::Args;
use serde::Serialize;
use syncline_capture::hook::Spool;

use super::settings;
use crate::context::Context;
use crate::failure::Outcome;
use crate::hooks::{HookAgent, State};
use crate::output::printable;
use crate::wording::counted;

/// Show which agents call our hooks
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Of this agent alone
    agent: Option<HookAgent>,
}

#[derive(Debug, Serialize)]
struct Status {
    agents: Vec<AgentStatus>,
    /// Events that wait to be taken.
    waiting: u64,
    /// Since when there is no room for more of them: all transcripts are looked at when they are taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out_since: Option<String>,
    /// What a hook was given that could not be read, and is kept.
    unreadable: u64,
}

#[derive(Debug, Serialize)]
struct AgentStatus {
    agent: HookAgent,
    file: String,
    /// None: the settings can't be read.
    state: Option<State>,
    /// The settings that keep the agent from calling any hook.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(super) fn run(args: &StatusArgs, context: &Context) -> Outcome {
    let agents = HookAgent::ALL.into_iter();
    let chosen = agents.filter(|agent| args.agent.is_none_or(|chosen| chosen == *agent));
    let mut statuses = Vec::new();
    for agent in chosen {
        let settings = settings(agent, context)?;
        let (state, error) = match settings.state() {
            Ok(state) => (Some(state), None),
            Err(error) => (None, Some(with_causes(&error))),
        };
        let disabled_by = settings.disabled_by();
        statuses.push(AgentStatus {
            agent,
            disabled_by: disabled_by.map(|file| file.display().to_string()),
            file: settings.file.display().to_string(),
            state,
            error,
        });
    }
    let spool = Spool::beside(&context.replica_dir()?);
    let status = Status {
        agents: statuses,
        waiting: spool.count(),
        left_out_since: spool.left_out_since(),
        unreadable: spool.count_aside(),
    };
    context.output.data(&status, |out| {
        for AgentStatus {
            agent,
            file,
            state,
            disabled_by,
            error,
        } in &status.agents
        {
            let state = match state {
                Some(State::Installed) => "installed",
                Some(State::Outdated) => "outdated ",
                Some(State::Absent) => "absent   ",
                None => "unknown  ",
            };
            let name = agent.agent().as_str();
            writeln!(out, "{name:<11}  {state}  {}", printable(file))?;
            if let Some(file) = disabled_by {
                let file = printable(file);
                writeln!(out, "{:<11}  no hook is called: {file} disables all", "")?;
            }
            if let Some(error) = error {
                writeln!(out, "{:<11}  {}", "", printable(error))?;
            }
        }
        if status.waiting > 0 {
            let waiting = counted(status.waiting, "event");
            writeln!(
                out,
                "{waiting} of hooks to be taken by the daemon or `syncline import auto`"
            )?;
        }
        if let Some(since) = &status.left_out_since {
            let since = printable(since);
            writeln!(
                out,
                "no room for more since {since}: `syncline import auto` reads what they told of"
            )?;
        }
        if status.unreadable > 0 {
            let unreadable = counted(status.unreadable, "event");
            writeln!(out, "{unreadable} that could not be read")?;
        }
        Ok(())
    })
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
