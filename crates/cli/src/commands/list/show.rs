use std::io::{self, Write};

use clap::Args;
use serde::Serialize;
use syncline_model::registry::List;
use syncline_model::{ListId, ResourceId, Scope};
use syncline_replica::Replica;
use syncline_store::TenantFile;
use syncline_store::lists::{ListOverview, RemovedLists, items, list, lists, removed_items};

use super::reference::find_list;
use super::shared::ItemShown;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output::{Colour, Style, printable};
use crate::replica_access;
use crate::short_id::short_ids;
use crate::watch::{Picture, watch};
use crate::wording::counted;

/// Show a list, or all lists
///
/// With --json: {list_id, title, items:[{id, text, done, note, state}]}, in order; state is acknowledged,
/// or pending while a change of the item waits to be synced. Without LIST: {lists:[{list_id, title,
/// items, done}]}, which are counts. --all adds `removed`, of the same form.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Id or title; all lists where none is named
    #[arg(value_name = "LIST")]
    list: Option<String>,
    /// Also what was removed, and can be restored
    #[arg(short, long)]
    all: bool,
    /// Show it again whenever it changes, until Ctrl-C; with --json, a line each time
    #[arg(short, long)]
    watch: bool,
}

#[derive(PartialEq, Serialize)]
struct ShownList {
    list_id: ListId,
    title: String,
    items: Vec<ItemShown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<Vec<ItemShown>>,
}

#[derive(PartialEq, Serialize)]
struct ShownLists {
    lists: Vec<ListLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<Vec<ListLine>>,
}

#[derive(PartialEq, Serialize)]
struct ListLine {
    list_id: ListId,
    title: String,
    items: u64,
    done: u64,
}

impl From<ListOverview> for ListLine {
    fn from(overview: ListOverview) -> Self {
        Self {
            list_id: overview.list.list,
            title: overview.list.title,
            items: overview.items,
            done: overview.done,
        }
    }
}

pub(crate) fn run(args: &ShowArgs, context: &Context) -> Outcome {
    let mut replica = replica_access::open(context)?;
    let removed = if args.all {
        RemovedLists::Shown
    } else {
        RemovedLists::Hidden
    };
    let Some(reference) = &args.list else {
        if args.watch {
            return watch(context, replica, |view| read_lists(view, removed));
        }
        let shown = read_lists(replica.view()?, removed)?;
        context
            .output
            .data(&shown, |out| shown.draw(out, context.output.colour()))?;
        if shown.lists.is_empty() && shown.removed.as_ref().is_none_or(Vec::is_empty) {
            let all = lists(replica.view()?.connection(), RemovedLists::Shown)?;
            context.note_nothing(if all.is_empty() {
                "no lists; `syncline list new TITLE` makes one"
            } else {
                "no lists but deleted ones, which `syncline list show --all` shows"
            });
        }
        return Ok(());
    };
    let found = find_list(replica.view()?, reference)?;
    if args.watch {
        return watch(context, replica, |view| {
            let now = list(view.connection(), &found.list)?;
            match now.filter(|now| now.present) {
                Some(now) => read_list(view, now, removed),
                None => Err(deleted(&found)),
            }
        });
    }
    let refused = refused_changes(&replica, &found.list)?;
    let shown = read_list(replica.view()?, found, removed)?;
    context
        .output
        .data(&shown, |out| shown.draw(out, context.output.colour()))?;
    if refused > 0 {
        context.output.warn(format_args!(
            "the server refused {} to this list, which are not shown: \
             `syncline sync quarantine list`",
            counted(refused, "change")
        ));
    }
    Ok(())
}

fn deleted(list: &List) -> Failure {
    Failure::new("list_removed", format!("list {:?} was deleted", list.title))
        .fix("syncline list show --all")
}

/// How many changes of items made in `list` wait in quarantine.
fn refused_changes(replica: &Replica, list: &ListId) -> Result<u64, Failure> {
    let resource = ResourceId::from(list.clone());
    let refused = replica.quarantined()?;
    let of_list = refused
        .iter()
        .filter(|op| op.key.scope == Scope::list() && op.key.resource == resource);
    Ok(of_list.count() as u64)
}

fn read_list(view: &TenantFile, list: List, removed: RemovedLists) -> Result<ShownList, Failure> {
    let shown = |found: Vec<_>| found.into_iter().map(ItemShown::from).collect();
    let connection = view.connection();
    let removed = match removed {
        RemovedLists::Shown => Some(removed_items(connection, &list.list)?),
        RemovedLists::Hidden => None,
    };
    Ok(ShownList {
        items: shown(items(connection, &list.list)?),
        removed: removed.map(shown),
        list_id: list.list,
        title: list.title,
    })
}

fn read_lists(view: &TenantFile, shown: RemovedLists) -> Result<ShownLists, Failure> {
    let found = lists(view.connection(), RemovedLists::Shown)?;
    let (present, removed): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|found| found.list.present);
    let lines = |found: Vec<ListOverview>| found.into_iter().map(ListLine::from).collect();
    Ok(ShownLists {
        lists: lines(present),
        removed: (shown == RemovedLists::Shown).then(|| lines(removed)),
    })
}

impl Picture for ShownList {
    fn draw(&self, out: &mut dyn Write, colour: Colour) -> io::Result<()> {
        let done = self.items.iter().filter(|item| item.done).count();
        let pending = self.items.iter().filter(|item| item.is_pending()).count();
        let count = match (self.items.len(), pending) {
            (0, _) => "empty".to_owned(),
            (all, 0) => format!("{done} of {all} done"),
            (all, pending) => format!("{done} of {all} done, {pending} pending"),
        };
        let title = colour.paint(Style::Strong, printable(&self.title));
        writeln!(out, "{title}  {}", colour.paint(Style::Faint, count))?;
        draw_items(&self.items, out, colour)?;
        let removed = self.removed.as_deref().unwrap_or_default();
        if !removed.is_empty() {
            writeln!(out, "{}", colour.paint(Style::Faint, "removed:"))?;
        }
        draw_items(removed, out, colour)
    }
}

fn draw_items(items: &[ItemShown], out: &mut dyn Write, colour: Colour) -> io::Result<()> {
    let ids: Vec<&str> = items.iter().map(|item| item.id.as_str()).collect();
    let ids = short_ids(&ids);
    let width = ids.iter().map(|id| id.chars().count()).max().unwrap_or(0);
    // Where all are pending, as on a machine that never syncs, the head says so.
    let marked = !items.iter().all(ItemShown::is_pending);
    for (item, id) in items.iter().zip(ids) {
        draw_item(item, (id, width), out, colour)?;
        if marked && item.is_pending() {
            write!(out, "  {}", colour.paint(Style::Warning, "(pending)"))?;
        }
        out.write_all(b"\n")?;
        draw_more(item, width, out, colour)?;
    }
    Ok(())
}

/// The first line of an item, which is not ended.
fn draw_item(
    item: &ItemShown,
    (id, width): (&str, usize),
    out: &mut dyn Write,
    colour: Colour,
) -> io::Result<()> {
    let (indent, text) = indented(item);
    let id = colour.paint(Style::Faint, format_args!("{:<width$}", printable(id)));
    let first = text.lines().next().unwrap_or_default();
    if item.done {
        let tick = colour.paint(Style::Good, "[x]");
        let first = colour.paint(Style::Faint, first);
        write!(out, "{id}  {indent}{tick} {first}")
    } else {
        write!(out, "{id}  {indent}[ ] {first}")
    }
}

/// The other lines of an item's text, and its note.
fn draw_more(
    item: &ItemShown,
    width: usize,
    out: &mut dyn Write,
    colour: Colour,
) -> io::Result<()> {
    let (indent, text) = indented(item);
    let margin = " ".repeat(width + "  [ ] ".len() + indent.len());
    for line in text.lines().skip(1) {
        writeln!(out, "{margin}{line}")?;
    }
    for line in printable(&item.note).lines() {
        if line.is_empty() {
            out.write_all(b"\n")?;
        } else {
            writeln!(out, "{margin}{}", colour.paint(Style::Faint, line))?;
        }
    }
    Ok(())
}

/// What stands before the tick, and what behind it.
fn indented(item: &ItemShown) -> (String, String) {
    let text = printable(&item.text);
    let body = text.trim_start_matches([' ', '\t']);
    let indent = text[..text.len() - body.len()].replace('\t', "    ");
    (indent, body.to_owned())
}

impl Picture for ShownLists {
    fn draw(&self, out: &mut dyn Write, colour: Colour) -> io::Result<()> {
        draw_lists(&self.lists, out, colour)?;
        let removed = self.removed.as_deref().unwrap_or_default();
        if !removed.is_empty() {
            writeln!(out, "{}", colour.paint(Style::Faint, "deleted:"))?;
        }
        draw_lists(removed, out, colour)
    }
}

/// Lists by their titles; those that share one also by their ids.
fn draw_lists(lists: &[ListLine], out: &mut dyn Write, colour: Colour) -> io::Result<()> {
    let titles: Vec<String> = lists
        .iter()
        .map(|list| printable(&list.title).replace(['\n', '\t'], " "))
        .collect();
    let width = titles.iter().map(|title| title.chars().count()).max();
    let width = width.unwrap_or(0);
    for (list, title) in lists.iter().zip(&titles) {
        let count = match list.items {
            0 => "empty".to_owned(),
            items => format!("{} of {items} done", list.done),
        };
        let shared = titles.iter().filter(|other| *other == title).count() > 1;
        let id = match shared {
            true => format!("  {}", list.list_id),
            false => String::new(),
        };
        let count = colour.paint(Style::Faint, format_args!("{count}{id}"));
        writeln!(out, "{title:<width$}  {count}")?;
    }
    Ok(())
}
