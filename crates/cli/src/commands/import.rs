mod clankers;
mod hooked;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use serde::Serialize;
use syncline_capture::agent::Agent;
use syncline_capture::import::{
    Counts, ImportBatch, ImportError, Importer, Keeping, Problem as LeftOut, Source,
};
use syncline_model::session::SessionId;
use syncline_replica::{Lease, Replica};

use crate::agent_places;
use crate::context::Context;
use crate::delivery::{Imports, whereabouts};
use crate::failure::{Failure, Outcome};
use crate::progress::Progress;
use crate::replica_access::{self, WriteState, cure_of_file};
use crate::wording::counted;

/// How many problems are told one by one; the log has them all.
const PROBLEMS_TOLD_MAX: usize = 20;

/// Import the sessions of coding agents from what the agents keep on this machine
///
/// Files are read on from where the last import ended, and what is here already is passed over: import
/// as often as you like. Secrets are taken out before anything is written. The agents' own files are
/// never changed.
///
/// Of the clankers.json that clankers keeps in its data directory, endpoint, sync_enabled and sync_interval
/// of each profile are taken over where they are not set here, once you said yes; else, and of such a file
/// elsewhere, the commands that set the same are told. Its active profile is told too, and not taken over:
/// what is imported goes into the profile that is in use here. With --json: {dry_run, sources, sessions, new,
/// known, not_understood, …, state, problems, settings:[{file, profile, active, values, commands, taken}]}.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Whose sessions; `auto`: those of every agent that is found
    agent: Chosen,
    /// A transcript, or a directory with some; without it, where the agent keeps them
    path: Option<PathBuf>,
    /// Write nothing, and say what would be new
    #[arg(long)]
    dry_run: bool,
    /// Take over the settings of clankers without asking
    #[arg(short, long)]
    yes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Chosen {
    ClaudeCode,
    Codex,
    #[value(name = "opencode")]
    OpenCode,
    Cursor,
    Gemini,
    Aider,
    /// A clankers.db, with the clankers.json beside it
    Clankers,
    Auto,
}

impl Chosen {
    fn agents(self) -> Vec<Agent> {
        vec![match self {
            Self::ClaudeCode => Agent::ClaudeCode,
            Self::Codex => Agent::Codex,
            Self::OpenCode => Agent::OpenCode,
            Self::Cursor => Agent::Cursor,
            Self::Gemini => Agent::Gemini,
            Self::Aider => Agent::Aider,
            Self::Clankers => Agent::Clankers,
            Self::Auto => return Agent::ALL.to_vec(),
        }]
    }
}

/// What an import did, or would do.
#[derive(Debug, Default, Serialize)]
struct Imported {
    dry_run: bool,
    sources: Vec<String>,
    /// Sessions of which anything is new.
    sessions: u64,
    files_unchanged: u64,
    #[serde(flatten)]
    counts: Counts,
    ops: u64,
    /// Where it is; none: nothing was to be written.
    state: Option<WriteState>,
    /// Secrets that were taken out, by the rules that found them.
    secrets: BTreeMap<String, u64>,
    /// Files that are left out by rules of the user.
    files_excluded: u64,
    /// Sessions of which entries are left out, by rules of the user and by marks.
    sessions_excluded: u64,
    /// What hooks have left that could not be read, and is set aside.
    hook_events_set_aside: u64,
    /// Sessions that are not to be recorded, as was found when some of them was.
    marked_late: Vec<SessionId>,
    /// Files and sessions that are not kept yet, as nothing tells where they take place, nobody has spoken in them, or they are damaged.
    waiting: u64,
    /// Sessions that rules by path and project could not be held to: nothing tells their directories.
    unplaced: Vec<SessionId>,
    problems: Vec<LeftOut>,
    /// What the configuration of clankers sets, and what of it was taken over.
    settings: Vec<clankers::Settings>,
}

pub(crate) fn run(args: &ImportArgs, context: &Context) -> Outcome {
    let hooked = match (args.agent, &args.path, args.dry_run) {
        (Chosen::Auto, None, false) => Some(hooked::Waiting::read(context)?),
        _ => None,
    };
    let sources = match &hooked {
        Some(hooked) => hooked.with(sources(args, context))?,
        None => sources(args, context)?,
    };
    let mut replica = replica_access::open(context)?;
    let imports = Imports::begin(&mut replica)?;
    let mut imported = Imported {
        dry_run: args.dry_run,
        sources: sources.iter().map(told).collect(),
        ..Imported::default()
    };
    read(args, context, &sources, &mut replica, &mut imported)?;
    if let Some(hooked) = hooked {
        imported.hook_events_set_aside = hooked.set_aside;
        imported.ops += hooked.finish(&mut replica)?;
    }
    let profile = context.profile()?.value;
    for source in sources
        .iter()
        .filter(|source| source.agent == Agent::Clankers)
    {
        let Imported {
            settings, problems, ..
        } = &mut imported;
        clankers::read(&source.root, &profile, settings, problems);
    }
    let rest = if args.dry_run {
        "nothing was written".to_owned()
    } else if imported.ops == 0 {
        imported.state = Some(WriteState::Unchanged);
        "nothing new".to_owned()
    } else {
        let (state, delivery) = imports.deliver(context, replica)?;
        imported.state = Some(state);
        whereabouts(state, &delivery)
    };
    let consent = match (args.dry_run, args.yes) {
        (true, _) => clankers::Consent::DryRun,
        (false, true) => clankers::Consent::Given,
        (false, false) => clankers::Consent::Ask,
    };
    clankers::take_over(context, &mut imported.settings, consent)?;
    context.output.data(&imported, |_| Ok(()))?;
    context
        .output
        .note(format_args!("{} ({rest})", read_of(&imported)));
    tell_left_out(context, &imported);
    tell_problems(context, &imported.problems)
}

/// What was read, and what came of it.
fn read_of(imported: &Imported) -> String {
    let counts = &imported.counts;
    let unchanged = format!("{} unchanged", counted(imported.files_unchanged, "file"));
    if counts.files == 0 && imported.files_unchanged > 0 {
        return unchanged;
    }
    let rest = match imported.files_unchanged {
        0 => String::new(),
        _ => format!("; {unchanged}"),
    };
    format!(
        "{} of {}: {} new, {} known, {} not understood{rest}",
        counted(counts.files, "file"),
        counted(imported.sessions, "session"),
        counts.new,
        counts.known,
        counts.not_understood,
    )
}

/// Where to look. A place that is named must be there; one that is only usual need not.
fn sources(args: &ImportArgs, context: &Context) -> Result<Vec<Source>, Failure> {
    let agents = args.agent.agents();
    if let Some(path) = &args.path {
        if args.agent == Chosen::Auto {
            let message = "a path is of one agent: name the agent in place of `auto`";
            let fix = format!("syncline import claude-code {}", path.display());
            return Err(Failure::usage("agent_unknown", message).fix(fix));
        }
        let mut root = std::fs::canonicalize(path).map_err(|error| {
            let message = format!("could not read {}", path.display());
            Failure::new("file_unreadable", message).because(error)
        })?;
        if args.agent == Chosen::Clankers && root.ends_with(clankers::FILE_NAME) {
            // The store is beside it.
            root.pop();
        }
        let of = |agent| Source {
            agent,
            root: root.clone(),
        };
        return Ok(agents.into_iter().map(of).collect());
    }
    let mut sources = agent_places::standard(context, &agents);
    sources.retain(|source| match source.agent {
        // The daemon makes the directory too, for its plugins' socket.
        Agent::Clankers => ["clankers.db", clankers::FILE_NAME]
            .iter()
            .any(|name| source.root.join(name).exists()),
        _ => source.root.exists(),
    });
    if agents.contains(&Agent::Aider) {
        sources.extend(agent_places::histories(context)?);
    }
    if sources.is_empty() {
        let failure = Failure::new("nothing_found", "found no sessions where agents keep them");
        return Err(failure
            .state("nothing was read or written")
            .fix("name the file or directory: syncline import AGENT PATH"));
    }
    Ok(sources)
}

fn told(source: &Source) -> String {
    format!("{} {}", source.agent, source.root.display())
}

fn read(
    args: &ImportArgs,
    context: &Context,
    sources: &[Source],
    replica: &mut Replica,
    imported: &mut Imported,
) -> Outcome {
    let keeping = match args.dry_run {
        true => Keeping::Discarded,
        false => Keeping::Written,
    };
    let mut progress = Progress::new(context, Instant::now());
    let _lease = match keeping {
        Keeping::Written => Some(wait_for_lease(context, replica)?),
        Keeping::Discarded => None,
    };
    let mut importer = Importer::new(sources, keeping, context.privacy()?, replica)?;
    imported.files_unchanged = importer.unchanged();
    imported.files_excluded = importer.excluded();
    let (mut sessions, mut excluded) = (BTreeSet::new(), BTreeSet::new());
    let mut count = |batch: ImportBatch| {
        sessions.extend(batch.ops.iter().map(|op| op.resource.clone()));
        imported.ops += batch.ops.len() as u64;
        imported.counts.add(&batch.counts);
        excluded.extend(batch.excluded);
        for (rule, count) in batch.findings {
            *imported.secrets.entry(rule).or_default() += count;
        }
        imported.marked_late.extend(batch.marked_late);
        imported.waiting += batch.waiting;
        imported.unplaced.extend(batch.unplaced);
        imported.problems.extend(batch.problems);
        progress.show(batch.done, Some(batch.whole));
    };
    match keeping {
        Keeping::Written => importer.write_all(replica, count)?,
        Keeping::Discarded => {
            while let Some(batch) = importer.next_batch(replica)? {
                count(batch);
            }
        }
    }
    imported.sessions = sessions.len() as u64;
    imported.sessions_excluded = excluded.len() as u64;
    Ok(())
}

/// Tells what privacy has cost.
fn tell_left_out(context: &Context, imported: &Imported) {
    let counts = &imported.counts;
    if counts.redacted > 0 {
        let secrets = counted(counts.redacted, "secret");
        context.output.note(format_args!("{secrets} left out"));
    }
    if counts.excluded + imported.files_excluded > 0 {
        let files = (imported.files_excluded > 0).then(|| counted(imported.files_excluded, "file"));
        let entries = (counts.excluded > 0).then(|| {
            let (entries, sessions) = (counts.excluded, imported.sessions_excluded);
            let entries = counted(entries, "entry");
            format!("{entries} of {}", counted(sessions, "session"))
        });
        let left_out: Vec<_> = files.into_iter().chain(entries).collect();
        let left_out = left_out.join(", and ");
        context
            .output
            .note(format_args!("left out by rules and marks: {left_out}"));
    }
    if imported.hook_events_set_aside > 0 {
        let events = counted(imported.hook_events_set_aside, "event");
        let text = format_args!("{events} of hooks could not be read, and wait aside");
        context.output.warn(text);
    }
    for session in &imported.marked_late {
        context.output.warn(format_args!(
            "session {session} is not to be recorded, and some of it is: \
             `syncline session delete {session}` erases it"
        ));
    }
    if imported.waiting > 0 {
        let sessions = counted(imported.waiting, "session");
        context.output.note(format_args!(
            "{sessions} not kept yet: nothing tells the directory, as rules and marks need, nobody has spoken yet, or the \
             file is damaged; read again later"
        ));
    }
    if !imported.unplaced.is_empty() {
        let sessions = counted(imported.unplaced.len() as u64, "session");
        context.output.warn(format_args!(
            "nothing tells the directory of {sessions}: exclude_paths and exclude_projects can't leave \
             them out, exclude_agents can"
        ));
    }
}

/// Importers of one replica take turns: what one has read, the next finds read.
fn wait_for_lease(context: &Context, replica: &Replica) -> Result<Lease, Failure> {
    const STEP: Duration = Duration::from_millis(50);
    let mut told = false;
    loop {
        if let Some(lease) = replica.try_import_lease()? {
            return Ok(lease);
        }
        if !told {
            context
                .output
                .note(format_args!("waiting for another import"));
            told = true;
        }
        std::thread::sleep(STEP);
    }
}

/// What was left out does not stop the rest; that something was is a failure all the same.
fn tell_problems(context: &Context, problems: &[LeftOut]) -> Outcome {
    if problems.is_empty() {
        return Ok(());
    }
    for (n, problem) in problems.iter().enumerate() {
        let path = problem.path.display();
        tracing::warn!(
            %path, line = problem.line, cause = problem.cause,
            "some of what agents left could not be read"
        );
        if n >= PROBLEMS_TOLD_MAX {
            continue;
        }
        let place = match problem.line {
            Some(line) => format!("{path}:{line}"),
            None => path.to_string(),
        };
        context
            .output
            .warn(format_args!("{place}: {}", problem.cause));
    }
    if problems.len() > PROBLEMS_TOLD_MAX {
        let more = counted((problems.len() - PROBLEMS_TOLD_MAX) as u64, "more place");
        context
            .output
            .warn(format_args!("and {more}, which the log names"));
    }
    let count = problems.len();
    let left_out = counted(count as u64, "place");
    Err(
        Failure::new("import_incomplete", format!("{left_out} could not be read"))
            .state("everything else is imported, and what was passed over is not tried again")
            .fix(format!(
                "`syncline logs -n {count}` names all of them: see to those files; what is added to them is \
                 read by the next import"
            )),
    )
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        if let ImportError::Write(error) = error {
            return Self::from(error);
        }
        let fix = cure_of_file(&error);
        Self::new("import_failed", "could not go on with the import")
            .because(error)
            .state("what was imported before stays; the same import goes on there")
            .fix(fix)
    }
}
