use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use syncline_model::ListId;
use syncline_model::list::{Command, ListView, PlanError, Spot, TextKind};
use syncline_model::registry::List;
use syncline_replica::{ListChange, Replica};
use syncline_store::checklist::{
    Checklist, EntryProblem, ForeignLine, ImportPlan, SnapshotError, SnapshotList, plan_import,
    read_markdown, read_snapshot,
};
use syncline_store::lists::{StoredLists, items, list};

use super::input;
use super::reference::{find_list, named};
use super::shared::brief;
use crate::context::Context;
use crate::delivery::{self, Delivered};
use crate::failure::{Failure, Outcome};
use crate::replica_access::{self, WriteState};
use crate::wording::{counted, quoted};
use crate::written::{WaitFlag, show, tell};

/// How many problems, and how many lines that are none, are told one by one.
const TOLD_MAX: usize = 20;

/// Import a Markdown checklist, a plain one, or a JSON snapshot of lists
///
/// An item is a line such as `- [x] milk`, `1. [ ] bread` or `[ ] tea`; what stands before its bullet
/// becomes part of the text, and lines to its right its note. A file that comes again adds what is new in
/// it, ticks what it has ticked, and notes what has no note. All else stays: what was ticked, edited, noted
/// or removed since, and what only the list has; also by others, whom this machine has not heard of yet.
///
/// A snapshot's lists are made and filled by their own ids, unless --into names another for the only one.
/// Where one item can be none (too long, a control character), nothing is imported. A line with a tick and
/// no text is left out, unless the list has such an item; a snapshot's items may be blank.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The file; `-` reads standard input
    file: PathBuf,
    /// The list to fill
    #[arg(long, value_name = "LIST")]
    into: Option<String>,
    #[command(flatten)]
    wait: WaitFlag,
}

#[derive(Serialize)]
struct Imported {
    lists: Vec<ImportedList>,
    /// A file with any is not imported.
    #[serde(skip)]
    problems: Vec<Problem>,
    left_out: Vec<LeftOut>,
    state: WriteState,
}

#[derive(Serialize)]
struct ImportedList {
    /// As a command names it.
    #[serde(skip)]
    named: String,
    list_id: ListId,
    title: String,
    items_new: u64,
    items_changed: u64,
    items_known: u64,
    items_gone: u64,
}

/// An item that can't be one.
struct Problem {
    place: String,
    cause: String,
}

/// A line that is not part of a checklist, or an item without a text.
#[derive(Serialize)]
struct LeftOut {
    line: u64,
    text: String,
}

impl LeftOut {
    fn blank(line: u64) -> Self {
        let text = String::new();
        Self { line, text }
    }
}

impl From<&EntryProblem> for Problem {
    fn from(problem: &EntryProblem) -> Self {
        Self {
            place: problem.place.to_string(),
            cause: problem.cause.to_string(),
        }
    }
}

impl From<ForeignLine> for LeftOut {
    fn from(line: ForeignLine) -> Self {
        Self {
            line: line.line,
            text: line.text,
        }
    }
}

/// What is to be filled with what.
struct Filling {
    list: List,
    /// Whether the list is to be made first.
    is_new: bool,
    checklist: Checklist,
}

pub(crate) fn run(args: &ImportArgs, context: &Context) -> Outcome {
    let text = input::file(&args.file, context)?;
    let mut replica = replica_access::open(context)?;
    let fillings = fillings(args, &text, &mut replica)?;
    let mut imported = Imported {
        lists: Vec::new(),
        problems: Vec::new(),
        left_out: Vec::new(),
        state: WriteState::Unchanged,
    };
    let mut commands = Vec::new();
    for filling in fillings {
        fill(&mut replica, filling, &mut commands, &mut imported)?;
    }
    refuse_problems(context, &imported.problems)?;
    let keys = match change(&imported.lists) {
        Some(change) => replica.import_lists(&change, &commands)?.keys,
        None => Vec::new(),
    };
    let Delivered {
        state, delivery, ..
    } = delivery::after_write(context, replica, &keys, args.wait.stay());
    imported.state = state;
    show(context, &imported, |_| Ok(()))?;
    for list in &imported.lists {
        tell(context, &list.line(), state, &delivery);
        if list.items_gone > 0 {
            context.output.note(format_args!(
                "what was removed stays so: `syncline list restore {0} ITEM` brings back what `syncline list \
                 show {0} --all` shows, and `syncline list redo` what was undone last",
                list.named
            ));
        }
    }
    tell_left_out(context, &imported.left_out);
    Ok(())
}

impl ImportedList {
    fn line(&self) -> String {
        let gone = match self.items_gone {
            0 => String::new(),
            gone => format!(", {gone} removed here since"),
        };
        format!(
            "{}: {} new, {} changed, {} known{gone}",
            self.title, self.items_new, self.items_changed, self.items_known
        )
    }
}

/// What the file fills; nothing is changed yet.
fn fillings(args: &ImportArgs, text: &str, replica: &mut Replica) -> Result<Vec<Filling>, Failure> {
    let into = match &args.into {
        Some(into) => Some(find_list(replica.view()?, into)?),
        None => None,
    };
    let begin = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    if begin.starts_with('{') {
        return snapshot_fillings(text, into, replica);
    }
    let checklist = read_markdown(text);
    if checklist.entries.is_empty() {
        let message = format!("no checklist in {}", args.file.display());
        return Err(Failure::new("file_invalid", message)
            .state("nothing was changed")
            .fix("write items as `- [ ] text`, each on a line"));
    }
    let Some(list) = into else {
        let title = checklist.title.as_deref();
        let title = title.filter(|title| !title.starts_with('-'));
        let title = title.unwrap_or("TITLE");
        let file = quoted(&args.file.display().to_string());
        return Err(Failure::usage("usage", "--into must name the list to fill")
            .state("nothing was changed")
            .fix(format!(
                "syncline list new {0} && syncline list import {file} --into {0}",
                quoted(title)
            )));
    };
    Ok(vec![Filling {
        list,
        is_new: false,
        checklist,
    }])
}

fn snapshot_fillings(
    text: &str,
    into: Option<List>,
    replica: &mut Replica,
) -> Result<Vec<Filling>, Failure> {
    let mut lists = read_snapshot(text)?.lists;
    if lists.is_empty() {
        return Err(Failure::new("file_invalid", "the snapshot holds no list")
            .state("nothing was changed")
            .fix("syncline list export LIST --format json, for a snapshot with a list"));
    }
    if let Some(list) = into {
        let (Some(only), true) = (lists.pop(), lists.is_empty()) else {
            return Err(
                Failure::usage("usage", "the file does not hold one list alone")
                    .state("nothing was changed")
                    .fix("leave out --into: each list is then made or filled by its own id"),
            );
        };
        return Ok(vec![Filling {
            list,
            is_new: false,
            checklist: only.checklist,
        }]);
    }
    let connection = replica.view()?.connection();
    let mut fillings: Vec<Filling> = Vec::with_capacity(lists.len());
    for read in lists {
        if fillings.iter().any(|other| other.list.list == read.list) {
            let message = format!("two lists of the file have the id {}", read.list);
            return Err(Failure::new("file_invalid", message)
                .state("nothing was changed")
                .fix("give each list of the file an id of its own"));
        }
        let here = list(connection, &read.list)?;
        fillings.push(own_filling(read, here)?);
    }
    Ok(fillings)
}

/// A list of a snapshot goes into the one of its id, which is made if it is not there.
fn own_filling(read: SnapshotList, here: Option<List>) -> Result<Filling, Failure> {
    if let Some(list) = here {
        if !list.present {
            let message = format!("list {:?} of the file was deleted here", list.title);
            let id = quoted(list.list.as_str());
            return Err(Failure::new("list_removed", message)
                .state("nothing was changed")
                .fix(format!("syncline list restore {id}")));
        }
        return Ok(Filling {
            list,
            is_new: false,
            checklist: read.checklist,
        });
    }
    // All lists are looked at before the first of them is made.
    TextKind::Title
        .check(&read.title)
        .map_err(PlanError::Text)?;
    Ok(Filling {
        list: List {
            list: read.list,
            position: None,
            present: true,
            title: read.title,
        },
        is_new: true,
        checklist: read.checklist,
    })
}

/// Adds what one list needs to the commands, and what that comes to.
fn fill(
    replica: &mut Replica,
    filling: Filling,
    commands: &mut Vec<Command>,
    imported: &mut Imported,
) -> Outcome {
    let Filling {
        list,
        is_new,
        mut checklist,
    } = filling;
    if is_new {
        commands.push(Command::NewList {
            list: list.list.clone(),
            title: list.title.clone(),
            spot: Spot::End,
        });
    }
    let left_out = std::mem::take(&mut checklist.foreign).into_iter();
    imported.left_out.extend(left_out.map(LeftOut::from));
    let plan = plan(replica, &list.list, checklist)?;
    commands.extend(plan.commands);
    let blank = plan.blank_lines.into_iter();
    imported.left_out.extend(blank.map(LeftOut::blank));
    imported.left_out.sort_by_key(|line| line.line);
    let problems = plan.problems.iter().map(Problem::from);
    imported.problems.extend(problems);
    imported.lists.push(ImportedList {
        named: named(replica.view()?, &list)?,
        list_id: list.list,
        title: list.title,
        items_new: plan.items_new,
        items_changed: plan.items_changed,
        items_known: plan.items_known,
        items_gone: plan.items_gone,
    });
    Ok(())
}

/// What the history calls it; none: the file has no list.
fn change(lists: &[ImportedList]) -> Option<ListChange> {
    let (first, others) = lists.split_first()?;
    let items = lists.iter().map(|list| list.items_new + list.items_changed);
    Some(ListChange {
        kind: "import".to_owned(),
        list: first.list_id.clone(),
        item: None,
        items: items.sum(),
        other_lists: others.len() as u64,
    })
}

fn plan(replica: &mut Replica, list: &ListId, file: Checklist) -> Result<ImportPlan, Failure> {
    let connection = replica.view()?.connection();
    let shown = items(connection, list)?.into_iter();
    let shown: Vec<_> = shown.map(|shown| shown.item).collect();
    let view = StoredLists::new(connection);
    Ok(plan_import(list, &shown, file, |item| view.item(item))?)
}

/// Lines that are not part of a checklist are no mistake, but the person is to know.
fn tell_left_out(context: &Context, left_out: &[LeftOut]) {
    for line in left_out.iter().take(TOLD_MAX) {
        if line.text.is_empty() {
            let output = &context.output;
            output.warn(format_args!(
                "line {} has no text, and is left out",
                line.line
            ));
            continue;
        }
        context.output.warn(format_args!(
            "line {} is not part of the checklist: {}",
            line.line,
            crate::output::printable(&brief(&line.text))
        ));
    }
    if left_out.len() > TOLD_MAX {
        let more = counted((left_out.len() - TOLD_MAX) as u64, "line");
        context
            .output
            .warn(format_args!("{more} more are left out"));
    }
}

/// Refuses a file of which a part would be left out, and names the part.
fn refuse_problems(context: &Context, problems: &[Problem]) -> Outcome {
    if problems.is_empty() {
        return Ok(());
    }
    for problem in problems.iter().take(TOLD_MAX) {
        context.output.warn(format_args!(
            "{} can't be an item: {}",
            problem.place, problem.cause
        ));
    }
    let count = counted(problems.len() as u64, "item");
    Err(Failure::new(
        "item_invalid",
        format!("{count} of the file can't be imported"),
    )
    .state("nothing was changed")
    .fix("mend the file, and import it again"))
}

impl From<SnapshotError> for Failure {
    fn from(error: SnapshotError) -> Self {
        let (code, fix) = match &error {
            SnapshotError::Newer { .. } => (
                "format_newer",
                "use a newer syncline, or export it in the older format",
            ),
            SnapshotError::Shape(_) | SnapshotError::Foreign { .. } => (
                "file_invalid",
                "syncline list export --format json, for a file of the right form",
            ),
        };
        Self::new(code, "could not read the file")
            .because(error)
            .state("nothing was changed")
            .fix(fix)
    }
}
