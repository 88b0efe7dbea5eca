use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use syncline_model::registry::List;
use syncline_store::TenantFile;
use syncline_store::checklist::{
    Bullets, Checklist, Entry, Place, Snapshot, SnapshotList, entries_of, write_markdown,
    write_snapshot,
};
use syncline_store::lists::{RemovedLists, items, lists};

use super::reference::find_list;
use crate::atomic_file::{self, Readers};
use crate::context::Context;
use crate::environment::Terminals;
use crate::failure::{Failure, Outcome};
use crate::output::{Format, printable};
use crate::replica_access;
use crate::wording::{counted, quoted};

/// Write a list as a Markdown checklist, plain text, or a JSON snapshot
///
/// `list import` reads each of them. In Markdown and text, a text's line break is `<br>`, and notes are
/// indented below their items. A snapshot lacks the `exportedAt` of its format: equal lists give equal
/// bytes, whenever and wherever they are exported.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Id or title; all lists where none is named, as JSON alone
    #[arg(value_name = "LIST")]
    list: Option<String>,
    /// In this format [default: markdown; json with --json or without LIST]
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<ExportFormat>,
    /// Into FILE, which is replaced once all is written [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExportFormat {
    /// `- [x] milk` below the title as a heading
    Markdown,
    /// A snapshot of schema net.aggregat4.tasklist.snapshot@v1
    Json,
    /// `[x] milk`
    Text,
}

pub(crate) fn run(args: &ExportArgs, context: &Context) -> Outcome {
    let format = format(args, context)?;
    let mut replica = replica_access::open(context)?;
    let view = replica.view()?;
    let chosen = match &args.list {
        Some(text) => vec![find_list(view, text)?],
        None => {
            let all = lists(view.connection(), RemovedLists::Hidden)?;
            all.into_iter().map(|overview| overview.list).collect()
        }
    };
    let mut read = Vec::with_capacity(chosen.len());
    for list in chosen {
        let entries = read_entries(view, &list)?;
        read.push((list, entries));
    }
    let (count, item_count) = (read.len(), read.iter().map(|(_, items)| items.len()).sum());
    let text = match format {
        ExportFormat::Json => snapshot(read)?,
        ExportFormat::Markdown => written(&read, Bullets::Dashes),
        ExportFormat::Text => written(&read, Bullets::None),
    };
    match &args.output {
        Some(path) => to_file(path, &text)?,
        None => {
            let text = to_show(&text, context.environment.terminals);
            context.output.write(|out| out.write_all(text.as_bytes()))?;
        }
    }
    let item_count: usize = item_count;
    context.output.note(format_args!(
        "exported {} of {}",
        counted(item_count as u64, "item"),
        counted(count as u64, "list")
    ));
    Ok(())
}

fn format(args: &ExportArgs, context: &Context) -> Result<ExportFormat, Failure> {
    let json = context.output.format() == Format::Json || args.list.is_none();
    let default = if json {
        ExportFormat::Json
    } else {
        ExportFormat::Markdown
    };
    let format = args.format.unwrap_or(default);
    if args.list.is_none() && format != ExportFormat::Json {
        return Err(
            Failure::usage("usage", "only --format json holds more lists than one")
                .fix("syncline list export LIST")
                .fix("syncline list export --format json"),
        );
    }
    Ok(format)
}

fn read_entries(view: &TenantFile, list: &List) -> Result<Vec<Entry>, Failure> {
    let found = items(view.connection(), &list.list)?;
    let shown = found.into_iter().map(|shown| shown.item);
    Ok(entries_of(&list.list, shown.collect()))
}

fn written(read: &[(List, Vec<Entry>)], bullets: Bullets) -> String {
    let lists = read.iter().map(|(list, entries)| {
        let title = (bullets == Bullets::Dashes).then_some(list.title.as_str());
        write_markdown(title, entries, bullets)
    });
    lists.collect()
}

fn snapshot(read: Vec<(List, Vec<Entry>)>) -> Result<String, Failure> {
    let lists = (1..).zip(read).map(|(number, (list, entries))| {
        let entries = (1..).zip(entries);
        let place = |item| Place::Item { list: number, item };
        SnapshotList {
            list: list.list,
            title: list.title,
            checklist: Checklist {
                title: None,
                entries: entries.map(|(item, entry)| (place(item), entry)).collect(),
                foreign: Vec::new(),
            },
        }
    });
    let snapshot = Snapshot {
        lists: lists.collect(),
    };
    let version = concat!("syncline ", env!("CARGO_PKG_VERSION"));
    write_snapshot(snapshot, version)
        .map_err(|error| Failure::new("export_failed", "could not write the lists").because(error))
}

fn to_file(path: &Path, text: &str) -> Outcome {
    let message = format!("could not write {}", path.display());
    let failure = Failure::new("export_failed", message);
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    if let Some(missing) = parent.filter(|parent| !parent.exists()) {
        let missing = quoted(&missing.display().to_string());
        return Err(failure.state("nothing was written").fix(format!(
            "mkdir -p {missing}, or name a file in another directory"
        )));
    }
    if path.is_dir() {
        return Err(failure
            .state("it is a directory, and nothing was written")
            .fix("name a file in it: --output DIRECTORY/FILE"));
    }
    // A device or a pipe takes text, and can't be replaced.
    let is_replaceable = fs::metadata(path).map_or(true, |there| there.is_file());
    let (written, state) = match is_replaceable {
        true => (
            atomic_file::replace(path, text.as_bytes(), Readers::Unchanged),
            "the file is as it was",
        ),
        false => (
            fs::write(path, text),
            "it may have taken a part of the text",
        ),
    };
    written.map_err(|error| {
        failure
            .because(error)
            .state(state)
            .fix("see to the cause, or name another file with --output FILE")
    })
}

/// What a program reads is left as it is.
fn to_show(text: &str, terminals: Terminals) -> Cow<'_, str> {
    match terminals.stdout {
        true => printable(text),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_does_not_drive_a_terminal() {
        let text = "[ ] a\u{1b}[31m\n";
        let to = |stdout| Terminals {
            stdin: false,
            stdout,
            stderr: false,
            stdout_cells: None,
        };
        assert_eq!(to_show(text, to(true)), "[ ] a\u{fffd}[31m\n");
        assert_eq!(to_show(text, to(false)), text);
    }
}
