use std::io::{self, Write};

use clap::Args;
use serde::Serialize;
use syncline_capture::hook::Spool;
use syncline_capture::import::with_causes;

use super::settings;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
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
    /// Calls of hooks that could not be read; which they were is kept.
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
    let agents = chosen.map(|agent| status_of(agent, context));
    let agents = agents.collect::<Result<_, _>>()?;
    let spool = Spool::beside(&context.replica_dir()?);
    let status = Status {
        agents,
        waiting: spool.count(),
        left_out_since: spool.left_out_since(),
        unreadable: spool.count_aside(),
    };
    context.output.data(&status, |out| {
        status
            .agents
            .iter()
            .try_for_each(|agent| agent.write(out))?;
        status.write_spool(out)
    })
}

fn status_of(agent: HookAgent, context: &Context) -> Result<AgentStatus, Failure> {
    let settings = settings(agent, context)?;
    let (state, error) = match settings.state() {
        Ok(state) => (Some(state), None),
        Err(error) => (None, Some(with_causes(&error))),
    };
    let disabled_by = settings.disabled_by();
    Ok(AgentStatus {
        agent,
        disabled_by: disabled_by.map(|file| file.display().to_string()),
        file: settings.file.display().to_string(),
        state,
        error,
    })
}

impl AgentStatus {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let state = match self.state {
            Some(State::Installed) => "installed",
            Some(State::Outdated) => "outdated ",
            Some(State::Absent) => "absent   ",
            None => "unknown  ",
        };
        let name = self.agent.agent().as_str();
        writeln!(out, "{name:<11}  {state}  {}", printable(&self.file))?;
        if let Some(file) = &self.disabled_by {
            let file = printable(file);
            writeln!(out, "{:<11}  no hook is called: {file} disables all", "")?;
        }
        if let Some(error) = &self.error {
            writeln!(out, "{:<11}  {}", "", printable(error))?;
        }
        Ok(())
    }
}

impl Status {
    /// What waits, and what could not be read.
    fn write_spool(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.waiting > 0 {
            let waiting = counted(self.waiting, "event");
            writeln!(
                out,
                "{waiting} of hooks to be taken by the daemon or `syncline import auto`"
            )?;
        }
        if let Some(since) = &self.left_out_since {
            let since = printable(since);
            writeln!(
                out,
                "no room for more since {since}: `syncline import auto` reads what they told of"
            )?;
        }
        if self.unreadable > 0 {
            let unreadable = counted(self.unreadable, "event");
            writeln!(out, "{unreadable} that could not be read")?;
        }
        Ok(())
    }
}
