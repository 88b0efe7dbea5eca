//! THREAD, as a command is given it.

use clap::Args;
use syncline_model::thread::EntryId;
use syncline_store::TenantFile;
use syncline_store::threads::{FoundEntry, Resolved, Thread, find_entry, resolve};

use crate::context::{Context, DEFAULT_PROJECT};
use crate::failure::Failure;
use crate::wording::{counted, quoted};

/// A thread that must be there.
#[derive(Debug, Clone, Args)]
pub(super) struct ThreadReference {
    /// Key, id, name, or project/key
    #[arg(value_name = "THREAD")]
    thread: String,
    #[command(flatten)]
    project: ProjectFlag,
}

/// The project to look or write in.
#[derive(Debug, Clone, Args)]
pub(super) struct ProjectFlag {
    /// The project [default: by the nearest syncline.toml; else `default` for a new thread, all for those there are]
    #[arg(short, long, value_name = "PROJECT")]
    project: Option<String>,
}

impl ProjectFlag {
    /// The project that was chosen; None where nothing chooses one.
    pub(super) fn chosen(&self, context: &Context) -> Result<Option<String>, Failure> {
        context.chosen_project(self.project.as_deref())
    }

    /// The project to write in.
    pub(super) fn target(&self, context: &Context) -> Result<String, Failure> {
        let chosen = self.chosen(context)?;
        Ok(chosen.unwrap_or_else(|| DEFAULT_PROJECT.to_owned()))
    }
}

impl ThreadReference {
    /// Finds the thread in `view`.
    ///
    /// Where nothing chooses a project, a thread of `default` goes first, then one that only one
    /// project has.
    pub(super) fn find(&self, context: &Context, view: &TenantFile) -> Result<Thread, Failure> {
        let chosen = self.project.chosen(context)?;
        find_in(view, &self.thread, chosen.as_deref())
    }
}

/// Finds the thread that `text` names in the chosen project, or in any if none was chosen.
pub(crate) fn find_in(
    view: &TenantFile,
    text: &str,
    chosen: Option<&str>,
) -> Result<Thread, Failure> {
    let connection = view.connection();
    let mut found = resolve(connection, text, Some(chosen.unwrap_or(DEFAULT_PROJECT)))?;
    if chosen.is_none() && found == Resolved::Unknown {
        found = resolve(connection, text, None)?;
    }
    match found {
        Resolved::Found(thread) => Ok(thread),
        Resolved::Ambiguous(threads) => Err(ambiguous(text, &threads)),
        Resolved::Unknown => {
            let elsewhere = match chosen {
                Some(_) => resolve(connection, text, None)?,
                None => Resolved::Unknown,
            };
            Err(unknown(text, chosen, elsewhere))
        }
    }
}

/// Finds the thread that `text` names in `project`, else in any.
pub(super) fn find_near(view: &TenantFile, text: &str, project: &str) -> Result<Thread, Failure> {
    // A name that is ambiguous in its own project is not settled by a thread of another.
    let near = match resolve(view.connection(), text, Some(project))? {
        Resolved::Unknown => None,
        Resolved::Found(_) | Resolved::Ambiguous(_) => Some(project),
    };
    find_in(view, text, near)
}

fn ambiguous(text: &str, threads: &[Thread]) -> Failure {
    let message = format!("{text:?} could be {} threads", threads.len());
    let failure = Failure::new("thread_ambiguous", message).state("nothing was changed");
    threads.iter().fold(failure, |failure, thread| {
        failure.candidate(format!(
            "{} ({}, {}, {})",
            address(thread),
            thread.name,
            thread.thread_id,
            counted(thread.entry_count, "entry")
        ))
    })
}

fn unknown(text: &str, chosen: Option<&str>, elsewhere: Resolved) -> Failure {
    let place = chosen.map(|project| format!(" in project {project}"));
    let message = format!("no thread {text:?}{}", place.unwrap_or_default());
    let failure = Failure::new("thread_unknown", message).state("nothing was changed");
    let others = match elsewhere {
        Resolved::Found(thread) => vec![thread],
        Resolved::Ambiguous(threads) => threads,
        Resolved::Unknown => Vec::new(),
    };
    let failure = others.iter().fold(failure, |failure, thread| {
        failure.candidate(address(thread))
    });
    let project = chosen.map(|project| format!(" --project {}", quoted(project)));
    failure
        .fix(format!(
            "syncline thread new {}{}",
            quoted(text),
            project.unwrap_or_default()
        ))
        .fix("syncline thread list")
}

/// `project/key`: what names a thread alone.
pub(crate) fn address(thread: &Thread) -> String {
    format!("{}/{}", thread.project, thread.key)
}

/// Finds the entry of `thread` whose id begins with `text`.
pub(super) fn find_entry_in(
    view: &TenantFile,
    thread: &Thread,
    text: &str,
) -> Result<EntryId, Failure> {
    let (code, message, candidates) =
        match find_entry(view.connection(), Some(thread.thread_id), text)? {
            FoundEntry::One(entry) => return Ok(entry.entry_id),
            FoundEntry::Unknown => (
                "entry_unknown",
                format!("no entry {text:?} in {}", address(thread)),
                Vec::new(),
            ),
            FoundEntry::Ambiguous(entries) => (
                "entry_ambiguous",
                format!("{text:?} begins more than one id"),
                entries,
            ),
        };
    let failure = Failure::new(code, message).state("nothing was changed");
    let failure = candidates.iter().fold(failure, |failure, entry| {
        failure.candidate(entry.entry_id.to_string())
    });
    Err(failure.fix(format!(
        "syncline thread read {} --all --json",
        quoted(&address(thread))
    )))
}
