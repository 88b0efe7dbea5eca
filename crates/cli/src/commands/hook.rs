mod install;
mod run;
mod status;

use std::path::{Path, PathBuf};

use clap::Subcommand;

pub(crate) use run::RunArgs;

use crate::config::{Origin, Sourced};
use crate::context::Context;
use crate::environment::variable;
use crate::failure::{Failure, Outcome};
use crate::hooks::{ContentError, HookAgent, PlanError, Program, Settings, Verb};

/// Let coding agents say at once when there is something to record
#[derive(Debug, Subcommand)]
pub(crate) enum HookCommand {
    Install(install::InstallArgs),
    Uninstall(install::UninstallArgs),
    Status(status::StatusArgs),
    Run(run::RunArgs),
}

impl HookCommand {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        match self {
            Self::Install(args) => install::run(&args.change, Verb::Install, context),
            Self::Uninstall(args) => install::run(&args.change, Verb::Uninstall, context),
            Self::Status(args) => status::run(&args, context),
            Self::Run(args) => run::run(&args, context),
        }
    }
}

/// An agent's settings on this machine.
pub(crate) fn settings(agent: HookAgent, context: &Context) -> Result<Settings, Failure> {
    let variable = |name: &str| {
        let value = context.environment.raw(name)?;
        // Several directories may be named: the first is the agent's own.
        let value = value.to_str()?.split(',').next()?;
        Some(PathBuf::from(value)).filter(|path| path.is_absolute())
    };
    let home = context.environment.home.as_deref().ok_or_else(|| {
        Failure::new("no_home", "could not tell where agents keep their settings").fix("set HOME")
    })?;
    Ok(Settings {
        agent,
        file: agent.file(home, variable),
        program: program(context)?,
        data_dir: context.paths()?.data_dir,
    })
}

/// This program as an agent is to call it, with the flags by which it finds the same replica: what flags or
/// the environment say here the agent's own environment need not.
fn program(context: &Context) -> Result<Program, Failure> {
    let own = std::env::current_exe().map_err(|error| {
        Failure::new("program_unknown", "could not tell where this program lies").because(error)
    })?;
    // By the name that stays when a new version takes its place.
    let named = context.environment.raw("PATH").and_then(|path| {
        let name = format!("syncline{}", std::env::consts::EXE_SUFFIX);
        let mut candidates = std::env::split_paths(path).map(|directory| directory.join(&name));
        candidates.find(|path| path.is_absolute() && is_same(path, &own))
    });
    let mut words = vec![text(&named.unwrap_or(own))?];
    let Sourced { value, origin } = context.profile()?;
    if matches!(origin, Origin::Flag | Origin::Environment) {
        words.extend(["--profile".to_owned(), value.to_string()]);
    }
    let Context { globals, .. } = context;
    let paths = [
        ("--data-dir", &globals.data_dir, variable::DATA_DIR),
        ("--config", &globals.config, variable::CONFIG),
    ];
    for (flag, given, name) in paths {
        if let Some(path) = context.path(given.as_deref(), name)? {
            words.extend([flag.to_owned(), text(&path)?]);
        }
    }
    Ok(Program { words })
}

fn is_same(path: &Path, own: &Path) -> bool {
    let canonical = |path: &Path| std::fs::canonicalize(path).ok();
    canonical(path).is_some_and(|path| Some(path) == canonical(own))
}

fn text(path: &Path) -> Result<String, Failure> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| Failure::new("path_invalid", format!("{path:?} is not UTF-8 text")))
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        let (code, fix) = match &error {
            PlanError::Read { path, .. } | PlanError::Write { path, .. } => (
                "settings_unusable",
                format!("see to the owner and mode of {}", path.display()),
            ),
            PlanError::ReadOnly { .. } => (
                "settings_read_only",
                "let it be written, or put the hooks where it is made from: `--dry-run` shows them"
                    .to_owned(),
            ),
            PlanError::Name { .. } => (
                "program_name",
                "call the program syncline, or put a link of that name to it into a directory of PATH"
                    .to_owned(),
            ),
            PlanError::Changed { .. } => ("settings_changed", "try again".to_owned()),
            PlanError::Content { path, source } => match source {
                ContentError::Codex(crate::hooks::CodexError::Taken { .. }) => (
                    "notify_taken",
                    "leave it: without a hook `syncline daemon` sees what Codex writes all the same, and \
                     `syncline import codex` reads it"
                        .to_owned(),
                ),
                ContentError::OpenCode(_) => (
                    "plugin_foreign",
                    format!("see what {} is, and remove it yourself", path.display()),
                ),
                ContentError::Listed(_) | ContentError::Codex(_) | ContentError::Unsure => (
                    "settings_invalid",
                    format!("mend {} by hand", path.display()),
                ),
            },
        };
        Self::new(code, "could not change the hooks")
            .because(error)
            .state("the agent's settings are as they were")
            .fix(fix)
    }
}
