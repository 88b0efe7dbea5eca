use clap::Args;
use serde::Serialize;

use super::settings;
use crate::confirm::{Answer, confirm};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::hooks::{HookAgent, Plan, Verb};
use crate::output::printable;

/// Put our hooks into an agent's settings
///
/// Shows the change and asks. Nothing else in the settings is touched, and `syncline hook uninstall`
/// takes the hooks out again to the byte.
#[derive(Debug, Args)]
pub(crate) struct InstallArgs {
    #[command(flatten)]
    pub(super) change: ChangeArgs,
}

/// Take our hooks out of an agent's settings
///
/// Shows the change and asks. What was put in goes, and what its owner has changed meanwhile stays.
#[derive(Debug, Args)]
pub(crate) struct UninstallArgs {
    #[command(flatten)]
    pub(super) change: ChangeArgs,
}

#[derive(Debug, Args)]
pub(super) struct ChangeArgs {
    agent: HookAgent,
    /// Change nothing, and show what would be
    #[arg(long)]
    dry_run: bool,
    /// Don't ask
    #[arg(short, long)]
    yes: bool,
}

/// What became of the settings.
#[derive(Debug, Serialize)]
struct Changed {
    agent: HookAgent,
    file: String,
    changed: bool,
    dry_run: bool,
    diff: String,
}

pub(super) fn run(args: &ChangeArgs, verb: Verb, context: &Context) -> Outcome {
    let settings = settings(args.agent, context)?;
    let file = settings.file.display().to_string();
    let plan = settings.plan(verb)?;
    if !plan.changes() {
        let done = match verb {
            Verb::Install => "the hooks are there",
            Verb::Uninstall => "no hooks of ours are there",
        };
        context
            .output
            .note(format_args!("nothing to change in {file}: {done}"));
        plan.carry_out()?;
        return tell(args, context, file, None);
    }
    let diff = plan.diff();
    if args.dry_run {
        return tell(args, context, file, Some(diff));
    }
    agree(args, context, &plan, &file)?;
    plan.carry_out()?;
    let done = match verb {
        Verb::Install => "put the hooks into",
        Verb::Uninstall => "took the hooks out of",
    };
    context.output.note(format_args!(
        "{done} {file}; the agent calls what stands there from its next start on"
    ));
    tell(args, context, file, Some(diff))
}

/// Asks, with the change before it.
fn agree(args: &ChangeArgs, context: &Context, plan: &Plan, file: &str) -> Outcome {
    if args.yes {
        return Ok(());
    }
    match confirm(context, &format!("{}Change {file}?", plan.diff()))? {
        Answer::Yes => Ok(()),
        Answer::No => Err(Failure::new("not_confirmed", "nothing was changed")),
        Answer::NobodyAsked => Err(Failure::usage(
            "not_confirmed",
            format!("changing {file} must be confirmed"),
        )
        .state("nothing was changed")
        .fix("the same with --yes, or with --dry-run to look only")),
    }
}

fn tell(args: &ChangeArgs, context: &Context, file: String, diff: Option<String>) -> Outcome {
    let changed = Changed {
        agent: args.agent,
        file,
        changed: diff.is_some() && !args.dry_run,
        dry_run: args.dry_run,
        diff: diff.unwrap_or_default(),
    };
    context.output.data(&changed, |out| {
        // Who was asked has seen it.
        match args.yes || args.dry_run {
            true => out.write_all(printable(&changed.diff).as_bytes()),
            false => Ok(()),
        }
    })
}
