//! From an OpenAPI document to the client of an application.

mod folder;
mod watch;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use syncline_codegen::client::{self, File, LackReason, Local, Options, Part};
use syncline_codegen::{Diagnostic, Resolution, ServedFault, placed, served, told_lacks};

use crate::context::Context;
use crate::document::Source;
use crate::failure::{Failure, Outcome};
use crate::wording::counted;
use folder::{Change, Folder, ListChange};

/// Write the typed client of an application from its OpenAPI document
///
/// Tables and triggers of a local database, types, schemas, hooks and collections, for React and for the
/// server of `syncline serve --schema`, or any API whose rows come over Electric. What is written follows
/// from the document alone: the same document gives the same bytes. Files that this command wrote before
/// and no longer writes are removed, unless they were edited; others are never touched.
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// The OpenAPI document, 3.0 or 3.1, JSON or YAML: a file, a URL, or - for standard input
    ///
    /// The address of a server's /api/schema is as good, and so is what `syncline schema show --json` prints.
    #[arg(value_name = "OPENAPI")]
    document: String,
    /// The folder to write
    #[arg(long, short, value_name = "DIR")]
    out: PathBuf,
    /// Write these parts and those that they need
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    only: Option<Vec<PartName>>,
    /// Where the page keeps its rows: in a database of its own, or in memory alone
    #[arg(long, value_enum, default_value_t = LocalName::Pglite)]
    local: LocalName,
    /// Write nothing; fail if the folder is not what would be written
    #[arg(long, conflicts_with = "watch")]
    check: bool,
    /// Write again whenever the document changes, until Ctrl-C
    #[arg(long)]
    watch: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PartName {
    Schema,
    Types,
    Schemas,
    Client,
    Hooks,
    Collections,
    Entities,
}

impl From<PartName> for Part {
    fn from(name: PartName) -> Self {
        match name {
            PartName::Schema => Self::Schema,
            PartName::Types => Self::Types,
            PartName::Schemas => Self::Schemas,
            PartName::Client => Self::Client,
            PartName::Hooks => Self::Hooks,
            PartName::Collections => Self::Collections,
            PartName::Entities => Self::Entities,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LocalName {
    Pglite,
    Memory,
}

#[derive(Serialize)]
struct Generated<'a> {
    document: &'a str,
    out: String,
    /// The names of the entities.
    entities: Vec<&'a str>,
    /// Files in all.
    files: usize,
    written: Vec<&'a str>,
    removed: Vec<&'a str>,
    /// Files that were edited and are no longer written: they stay.
    left: Vec<&'a str>,
    /// Fields of the document that the client lacks, behind their entities' names.
    left_out: &'a [String],
    diagnostics: Vec<&'a Diagnostic>,
}

impl GenerateArgs {
    /// The command that writes the client, as it is typed again.
    fn command(&self) -> String {
        let mut words = format!(
            "syncline generate {} --out {}",
            self.document,
            self.out.display()
        );
        if let Some(only) = &self.only {
            let parts: Vec<&str> = only.iter().map(|name| Part::from(*name).as_str()).collect();
            words.push_str(&format!(" --only {}", parts.join(",")));
        }
        match self.local {
            LocalName::Pglite => words,
            LocalName::Memory => words + " --local memory",
        }
    }
}

pub(crate) fn run(args: &GenerateArgs, context: &Context) -> Outcome {
    let source = Source::parse(&args.document)?;
    let make = |text: &str| make(args, &source, text, context);
    if args.watch {
        let write =
            |client: &Client| Ok(tell(args, &source, client, &write(args, client)?, context));
        return watch::run(&source, make, write, context);
    }
    let client = make(&source.read()?)?;
    if args.check {
        return check(&client, args, &source, context);
    }
    tell(args, &source, &client, &write(args, &client)?, context)
}

/// What a document gives, to be written.
struct Client {
    resolution: Resolution,
    files: Vec<File>,
    /// Fields of the document that the client lacks, behind their entities' names.
    left_out: Vec<String>,
    /// What is to be told of them, and of fields that it can't keep whole.
    lacks: Vec<Diagnostic>,
}

impl Client {
    fn told<'c>(&'c self, args: &'c GenerateArgs, change: &'c Change) -> Generated<'c> {
        let entities = self.resolution.schema.entities.iter();
        let diagnostics = self.resolution.diagnostics.iter().chain(&self.lacks);
        Generated {
            document: &args.document,
            out: args.out.display().to_string(),
            entities: entities.map(|one| one.name.as_str()).collect(),
            files: self.files.len(),
            written: change.written.iter().map(String::as_str).collect(),
            removed: change.removed.iter().map(String::as_str).collect(),
            left: change.left.iter().map(String::as_str).collect(),
            left_out: &self.left_out,
            diagnostics: diagnostics.collect(),
        }
    }
}

fn make(
    args: &GenerateArgs,
    source: &Source,
    text: &str,
    context: &Context,
) -> Result<Client, Failure> {
    let resolution = match served(text) {
        None => source.resolve_text(text, context, "nothing was written")?,
        Some(read) => Resolution {
            schema: read.map_err(|fault| not_served(source, fault))?,
            diagnostics: Vec::new(),
        },
    };
    let schema = &resolution.schema;
    if schema.entities.is_empty() {
        source.tell_refused(&resolution.diagnostics, &[], context)?;
        return Err(Failure::new(
            "no_entities",
            format!("{source} has no entity: no path holds records; nothing was written"),
        )
        .fix("give the document paths such as /api/contacts and /api/contacts/{id}"));
    }
    let options = Options {
        local: match args.local {
            LocalName::Pglite => Local::Pglite,
            LocalName::Memory => Local::Memory,
        },
        only: args
            .only
            .as_ref()
            .map(|names| names.iter().copied().map(Part::from).collect()),
    };
    let files = match client::generate(schema, &options) {
        Ok(files) => files,
        Err(problems) => {
            let beside = placed(text, &problems);
            source.tell_refused(&resolution.diagnostics, &beside, context)?;
            return Err(names_invalid(source));
        }
    };
    let lacks = client::lacks(schema, options.local);
    let left_out = lacks
        .iter()
        .filter(|lack| lack.reason == LackReason::LeftOut);
    Ok(Client {
        resolution,
        files,
        left_out: left_out
            .map(|lack| format!("{}.{}", lack.entity, lack.field))
            .collect(),
        lacks: told_lacks(text, &lacks),
    })
}

fn write(args: &GenerateArgs, client: &Client) -> Result<Change, Failure> {
    let folder = Folder::open(&args.out)?;
    let change = folder.compare(&client.files)?;
    folder.apply(&client.files, &change)?;
    Ok(change)
}

/// Says what was written.
fn tell(
    args: &GenerateArgs,
    source: &Source,
    client: &Client,
    change: &Change,
    context: &Context,
) -> Outcome {
    source.tell_beside(&client.lacks, context);
    for path in &change.left {
        context.output.warn(format_args!(
            "{path} is no longer written, and was edited: it stays; remove it, or move it away, before it is written again"
        ));
    }
    let generated = client.told(args, change);
    context.output.data(&generated, |out| {
        writeln!(
            out,
            "{}: {}, {} ({} written, {} removed)",
            generated.out,
            counted(generated.entities.len() as u64, "entity"),
            counted(generated.files as u64, "file"),
            generated.written.len(),
            generated.removed.len()
        )
    })
}

/// Why no client can be written of what a server says.
fn not_served(source: &Source, fault: ServedFault) -> Failure {
    let (code, fix) = match &fault {
        ServedFault::Missing => ("no_schema", "syncline schema apply openapi.yaml"),
        ServedFault::Several => (
            "several_schemas",
            "syncline schema show --data DIR --tenant TENANT --json",
        ),
        ServedFault::Unreadable(_) | ServedFault::Invalid(_) => (
            "schema_invalid",
            "run the command with the syncline of the server's version",
        ),
    };
    Failure::new(code, format!("{source} gives no schema of a server"))
        .because(fault)
        .state("nothing was written")
        .fix(fix)
}

fn names_invalid(source: &Source) -> Failure {
    let message = format!("no client can be written for names of {source}; nothing was written");
    Failure::new("names_invalid", message)
        .fix("rename in the document what is named above, and run the command again")
}

fn check(client: &Client, args: &GenerateArgs, source: &Source, context: &Context) -> Outcome {
    let change = Folder::open(&args.out)?.compare(&client.files)?;
    if change.is_empty() {
        let generated = client.told(args, &change);
        return context.output.data(&generated, |out| {
            let files = counted(generated.files as u64, "file");
            writeln!(out, "{}: {files}, as {source} gives them", generated.out)
        });
    }
    let mut failure = Failure::new(
        "client_stale",
        format!("{} is not what {source} gives", args.out.display()),
    );
    for path in &change.written {
        failure = failure.candidate(format!("{path} differs or is missing"));
    }
    for path in &change.removed {
        failure = failure.candidate(format!("{path} is no longer written"));
    }
    for path in &change.left {
        failure = failure.candidate(format!(
            "{path} is no longer written, and was edited: it stays"
        ));
    }
    if change.list == ListChange::Written {
        failure = failure.candidate(format!("{} differs or is missing", folder::MANIFEST));
    }
    Err(failure.fix(args.command()))
}
