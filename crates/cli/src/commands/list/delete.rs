use clap::Args;
use syncline_model::list::Command;
use syncline_model::registry::List;
use syncline_replica::ListChange;
use syncline_store::TenantFile;
use syncline_store::lists::{ResolvedList, items, resolve_list};

use super::reference::{find_list, find_removed_list};
use super::shared::{ChangedList, Printed, deliver_list};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::replica_access;
use crate::wording::counted;
use crate::written::WaitFlag;

/// Delete a list; `list undo` and `list restore` bring it back whole
///
/// A deleted list keeps its items, for as long as it may be restored: what they say stays on the server and on
/// every machine. With --with-items they are removed, and forgotten with it once the log is compacted.
#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    /// Id or title
    list: String,
    /// Remove its items too, also of a list that was deleted before; `list undo` brings all of it back
    #[arg(long)]
    with_items: bool,
    #[command(flatten)]
    wait: WaitFlag,
}

pub(crate) fn run(args: &DeleteArgs, context: &Context) -> Outcome {
    let mut replica = replica_access::open(context)?;
    let view = replica.view()?;
    let (list, mut commands) = if args.with_items {
        let list = find_present_or_removed(view, &args.list)?;
        let removals = removals(view, &list)?;
        (list, removals)
    } else {
        (find_list(view, &args.list)?, Vec::new())
    };
    let remove = Command::RemoveList {
        list: list.list.clone(),
    };
    let change = ListChange {
        items: commands.len() as u64,
        ..ListChange::of(&remove)
    };
    let with = match change.items {
        0 => String::new(),
        count => format!(" with {}", counted(count, "item")),
    };
    commands.push(remove);
    let changed = replica.change_lists_together(&change, &commands)?;
    let changed = ChangedList {
        list: &list.list,
        title: &list.title,
        what: &format!("deleted {}{with}", list.title),
        keys: changed.keys,
        printed: Printed::Nothing,
    };
    deliver_list(context, replica, &changed, args.wait)?;
    context.output.note("`syncline list undo` brings it back");
    Ok(())
}

/// The list that is there, or else the deleted one.
fn find_present_or_removed(view: &TenantFile, text: &str) -> Result<List, Failure> {
    match resolve_list(view.connection(), text)? {
        ResolvedList::Found(list) => Ok(list),
        ResolvedList::Ambiguous(_) => find_list(view, text),
        ResolvedList::Unknown => find_removed_list(view, text),
    }
}

/// What removes each item that the list shows, or would if it were restored.
fn removals(view: &TenantFile, list: &List) -> Result<Vec<Command>, Failure> {
    let shown = items(view.connection(), &list.list)?.into_iter();
    Ok(shown
        .map(|shown| Command::Remove {
            item: shown.item.item,
        })
        .collect())
}
