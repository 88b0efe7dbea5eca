use std::path::Path;
use std::process::Command;

use clap::Args;
use serde::Serialize;
use syncline_model::session::SessionId;
use syncline_store::sessions::Session;

use super::reference::{SessionReference, agent_of};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::replica_access;
use crate::wording::quoted;

/// Tell the command by which the agent itself goes on with a session
///
/// The agent needs its own files for that, on this machine. With --json: {session_id, id, agent,
/// directory, command}, the command as a list of words.
#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    #[command(flatten)]
    session: SessionReference,
    /// Run it, in the session's directory
    #[arg(long, conflicts_with = "json")]
    run: bool,
}

#[derive(Serialize)]
struct Resume {
    session_id: SessionId,
    id: Option<String>,
    agent: Option<String>,
    directory: Option<String>,
    command: Vec<String>,
}

pub(crate) fn run(args: &ResumeArgs, context: &Context) -> Outcome {
    let mut replica = replica_access::open(context)?;
    let session = args.session.find(replica.view()?)?;
    let command = command(&session)?;
    let directory = session.cwd.clone().or_else(|| session.project_path.clone());
    if args.run {
        drop(replica);
        return start(&command, directory.as_deref());
    }
    let text = match &directory {
        Some(directory) => format!("cd {} && {}", quoted(directory), command.join(" ")),
        None => command.join(" "),
    };
    let resume = Resume {
        session_id: session.session_id,
        id: session.native_id,
        agent: session.agent,
        directory,
        command,
    };
    context
        .output
        .data(&resume, |out| writeln!(out, "{text}"))?;
    if let Some(directory) = resume
        .directory
        .filter(|directory| !Path::new(directory).is_dir())
    {
        context.output.warn(format_args!(
            "there is no directory {directory:?} on this machine"
        ));
    }
    Ok(())
}

/// The agent's own command, word by word.
fn command(session: &Session) -> Result<Vec<String>, Failure> {
    let words = |words: &[&str]| Ok(words.iter().map(|word| (*word).to_owned()).collect());
    let agent = agent_of(session);
    if agent == "aider" {
        // It knows no sessions: it reads on in the history of the directory.
        return words(&["aider", "--restore-chat-history"]);
    }
    if session.parent_kind.as_deref() == Some("subagent") {
        let message = "a subagent can't be gone on with by itself";
        return Err(
            Failure::new("resume_unknown", message).fix("resume the session that started it")
        );
    }
    let id = session.native_id.as_deref().filter(|id| is_plain(id));
    let Some(id) = id else {
        let message = "the session has no id that could be given to its agent";
        return Err(Failure::new("resume_unknown", message).fix("syncline session show SESSION"));
    };
    match agent {
        "claude-code" => words(&["claude", "--resume", id]),
        "codex" => words(&["codex", "resume", id]),
        "opencode" => words(&["opencode", "--session", id]),
        "gemini" => words(&["gemini", "--resume", id]),
        "cursor" => words(&["cursor-agent", "--resume", id]),
        other => {
            let message = format!("it is not known how {other} goes on with a session");
            Err(Failure::new("resume_unknown", message).fix("syncline session show SESSION"))
        }
    }
}

/// Whether an id is nothing but an id. It may come from another machine, and must not be an option
/// of the agent's command.
fn is_plain(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    id.starts_with(|c: char| c.is_ascii_alphanumeric()) && id.chars().all(plain)
}

fn start(command: &[String], directory: Option<&str>) -> Outcome {
    let Some((program, arguments)) = command.split_first() else {
        return Ok(());
    };
    let mut child = Command::new(program);
    child.args(arguments);
    if let Some(directory) = directory {
        if !Path::new(directory).is_dir() {
            let message = format!("there is no directory {directory:?} on this machine");
            return Err(Failure::new("resume_failed", message).fix(
                "syncline session resume SESSION, and run what it prints where the project is",
            ));
        }
        child.current_dir(directory);
    }
    let status = child.status().map_err(|error| {
        Failure::new("resume_failed", format!("could not start {program}"))
            .because(error)
            .fix(format!("install {program}, or put it on the PATH"))
    })?;
    match status.success() {
        true => Ok(()),
        false => Err(Failure::new(
            "resume_failed",
            format!("{program} ended with {status}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn an_id_that_could_be_an_option_is_none() {
        assert!(is_plain("595f7a87-dd6e-4eb7-943a-b2b009259be7") && is_plain("ses_1.2"));
        for id in [
            "",
            "--dangerously-skip-permissions",
            "-c",
            "a b",
            "a;b",
            "../x",
            "$(x)",
        ] {
            assert!(!is_plain(id), "{id}");
        }
    }
}
