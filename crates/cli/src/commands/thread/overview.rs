use std::io::{self, Write};

use clap::Args;
use serde::Serialize;
use syncline_model::Timestamp;
use syncline_model::thread::Status;
use syncline_store::TenantFile;
use syncline_store::threads::{
    ListFilter, ListStart, ProjectOverview, list_threads, overview, tag_counts,
};

use super::list::Listed;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output::{Colour, Style, printable};
use crate::replica_access;
use crate::wording::{counted, minute};

/// How many threads of a project are named.
const RECENT_THREADS: u64 = 5;

/// Show what is going on: projects, their threads, tags and authors
#[derive(Debug, Args)]
pub(crate) struct OverviewArgs {
    /// This project alone [default: that of the nearest syncline.toml, else all]
    project: Option<String>,
}

#[derive(Serialize)]
struct Overview {
    projects: Vec<Project>,
}

#[derive(Serialize)]
struct Project {
    project: String,
    threads: u64,
    active: u64,
    archived: u64,
    blocked: u64,
    entries: u64,
    last_activity: Timestamp,
    authors: Vec<String>,
    tags: Vec<TagUse>,
    recent_threads: Vec<Listed>,
}

#[derive(Serialize)]
struct TagUse {
    tag: String,
    threads: u64,
}

pub(crate) fn run(args: &OverviewArgs, context: &Context) -> Outcome {
    let chosen = context.chosen_project(args.project.as_deref())?;
    let mut replica = replica_access::open(context)?;
    let view = replica.view()?;
    let found = overview(view.connection(), chosen.as_deref())?;
    let projects: Result<_, Failure> = found
        .into_iter()
        .map(|seen| look_into(view, seen))
        .collect();
    let shown = Overview {
        projects: projects?,
    };
    let colour = context.output.colour();
    context.output.data(&shown, |out| {
        shown
            .projects
            .iter()
            .try_for_each(|project| print(project, out, colour))
    })?;
    if shown.projects.is_empty() {
        context.note_nothing("no threads; `syncline thread new NAME TEXT` makes one");
    }
    Ok(())
}

fn look_into(view: &TenantFile, seen: ProjectOverview) -> Result<Project, Failure> {
    let filter = ListFilter {
        project: Some(&seen.project),
        status: Some(Status::Active),
        tag: None,
    };
    let connection = view.connection();
    let recent = list_threads(connection, &filter, ListStart::Offset(0), RECENT_THREADS)?;
    let tags = tag_counts(connection, Some(&seen.project))?;
    let tag_use = |count: syncline_store::threads::TagCount| TagUse {
        tag: count.tag,
        threads: count.threads,
    };
    Ok(Project {
        threads: seen.threads(),
        active: seen.active,
        archived: seen.archived,
        blocked: seen.blocked,
        entries: seen.entries,
        last_activity: seen.last_activity,
        authors: seen.authors,
        tags: tags.into_iter().map(tag_use).collect(),
        recent_threads: recent.threads.into_iter().map(Listed::from).collect(),
        project: seen.project,
    })
}

fn print(project: &Project, out: &mut dyn Write, colour: Colour) -> io::Result<()> {
    let name = printable(&project.project);
    writeln!(out, "{}", colour.paint(Style::Strong, name))?;
    writeln!(
        out,
        "  {} ({} active, {} archived, {} blocked), {}, changed {}",
        counted(project.threads, "thread"),
        project.active,
        project.archived,
        project.blocked,
        counted(project.entries, "entry"),
        minute(project.last_activity)
    )?;
    if !project.authors.is_empty() {
        writeln!(out, "  by {}", printable(&project.authors.join(", ")))?;
    }
    for thread in &project.recent_threads {
        writeln!(out, "    {}", printable(&thread.line()))?;
    }
    let tags = project
        .tags
        .iter()
        .map(|tag| format!("{} ({})", tag.tag, tag.threads));
    let tags: Vec<String> = tags.collect();
    if !tags.is_empty() {
        writeln!(out, "  tags: {}", printable(&tags.join(", ")))?;
    }
    Ok(())
}
