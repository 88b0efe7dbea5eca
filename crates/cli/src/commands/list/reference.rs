//! LIST and ITEM, as a command is given them.

use clap::Args;
use syncline_model::ItemId;
use syncline_model::list::ListItem;
use syncline_model::registry::List;
use syncline_store::TenantFile;
use syncline_store::lists::{
    RemovedLists, ResolvedList, ShownItem, full_name, items, items_called, lists, resolve_list,
    resolve_removed_list,
};

use super::shared::brief;
use crate::failure::Failure;
use crate::short_id::CHARS_MIN;
use crate::wording::quoted;

/// A list that must be there.
#[derive(Debug, Clone, Args)]
pub(super) struct ListReference {
    /// Id or title
    #[arg(value_name = "LIST")]
    list: String,
}

impl ListReference {
    pub(super) fn find(&self, view: &TenantFile) -> Result<List, Failure> {
        find_list(view, &self.list)
    }
}

/// Finds the list that `text` names.
pub(super) fn find_list(view: &TenantFile, text: &str) -> Result<List, Failure> {
    match resolve_list(view.connection(), text)? {
        ResolvedList::Found(list) => Ok(list),
        ResolvedList::Ambiguous(found) => Err(ambiguous_list(text, &found)),
        ResolvedList::Unknown => find_by_letters(view, text),
    }
}

/// The only list whose title is `text` but for capitals.
fn find_by_letters(view: &TenantFile, text: &str) -> Result<List, Failure> {
    let found = only_by_letters(view, text, |list| list.present)?;
    found.map_or_else(|| unknown_list(view, text), Ok)
}

/// Finds the list to bring back that `text` names, as [`find_list`] does; else the one that is there.
pub(super) fn find_removed_list(view: &TenantFile, text: &str) -> Result<List, Failure> {
    match resolve_removed_list(view.connection(), text)? {
        ResolvedList::Found(list) => return Ok(list),
        ResolvedList::Ambiguous(found) => return Err(ambiguous_list(text, &found)),
        ResolvedList::Unknown => {}
    }
    if let ResolvedList::Found(list) = resolve_list(view.connection(), text)? {
        return Ok(list);
    }
    let removed = only_by_letters(view, text, |list| !list.present)?;
    removed.map_or_else(|| find_list(view, text), Ok)
}

/// The list with the title `text` but for capitals; an error where several have it.
fn only_by_letters(
    view: &TenantFile,
    text: &str,
    counts: impl Fn(&List) -> bool,
) -> Result<Option<List>, Failure> {
    let wanted = text.to_lowercase();
    let all = lists(view.connection(), RemovedLists::Shown)?.into_iter();
    let all = all
        .map(|overview| overview.list)
        .filter(|list| counts(list));
    let mut like: Vec<List> = all
        .filter(|list| list.title.to_lowercase() == wanted)
        .collect();
    if like.len() > 1 {
        return Err(ambiguous_list(text, &like));
    }
    Ok(like.pop())
}

/// The title is that of several lists.
pub(super) fn ambiguous_list(text: &str, found: &[List]) -> Failure {
    let message = format!("{text:?} is the title of {} lists", found.len());
    let failure = Failure::new("list_ambiguous", message).state("nothing was changed");
    let failure = found.iter().fold(failure, |failure, list| {
        failure.candidate(format!("{} ({})", list.list, list.title))
    });
    failure.fix("name the list by its id")
}

fn unknown_list(view: &TenantFile, text: &str) -> Result<List, Failure> {
    let all = lists(view.connection(), RemovedLists::Shown)?;
    let wanted = text.to_lowercase();
    let removed = all.iter().map(|overview| &overview.list).find(|list| {
        !list.present && (list.title.to_lowercase() == wanted || list.list.as_str() == text)
    });
    if let Some(removed) = removed {
        let message = format!("list {:?} was deleted", removed.title);
        return Err(Failure::new("list_removed", message)
            .state("nothing was changed")
            .fix(format!("syncline list restore {}", quoted(text))));
    }
    let failure =
        Failure::new("list_unknown", format!("no list {text:?}")).state("nothing was changed");
    let like = all
        .iter()
        .map(|overview| &overview.list)
        .filter(|list| list.present && list.title.to_lowercase().contains(&wanted));
    let failure = like.fold(failure, |failure, list| failure.candidate(&list.title));
    Err(failure
        .fix(format!("syncline list new {}", quoted(text)))
        .fix("syncline list show"))
}

/// Finds the item of `list` that `text` names: an id, what one id alone ends with, or a text.
pub(super) fn find_item(view: &TenantFile, list: &List, text: &str) -> Result<ListItem, Failure> {
    let mut found = matching(view, list, text)?;
    match found.len() {
        0 => Err(unknown_item(view, list, text)?),
        1 => Ok(found.remove(0).item),
        _ => Err(ambiguous_item(list, text, &found)),
    }
}

fn matching(view: &TenantFile, list: &List, text: &str) -> Result<Vec<ShownItem>, Failure> {
    let connection = view.connection();
    // The usual case goes by an index.
    if let Ok(id) = ItemId::new(text) {
        let mut called = items_called(connection, &list.list, &id)?;
        // By its id alone one of them goes at most.
        if called.iter().any(|shown| shown.called == text) {
            called.retain(|shown| shown.called == text);
        }
        if !called.is_empty() {
            return Ok(called);
        }
    }
    let mut all = items(connection, &list.list)?;
    all.retain(|shown| is_meant(shown, text));
    Ok(all)
}

/// Whether `text`, which is no whole id, can mean this item: by what its id ends with, or by its
/// text. A text that looks like another item's id is ambiguous, and told so.
pub(super) fn is_meant(shown: &ShownItem, text: &str) -> bool {
    let id = shown.item.item.item.as_str();
    let ends = id.ends_with(text) && text.chars().count() >= CHARS_MIN;
    let says = shown.item.text.trim() == text.trim() && !text.trim().is_empty();
    ends || says || full_name(&shown.item.item) == text
}

fn ambiguous_item(list: &List, text: &str, found: &[ShownItem]) -> Failure {
    let message = format!(
        "{text:?} could be {} items of {:?}",
        found.len(),
        list.title
    );
    let failure = Failure::new("item_ambiguous", message).state("nothing was changed");
    let first = &found[0].item.item.item;
    let same = found.iter().all(|shown| shown.item.item.item == *first);
    let failure = found.iter().fold(failure, |failure, shown| {
        let name = if same {
            full_name(&shown.item.item)
        } else {
            shown.item.item.item.to_string()
        };
        failure.candidate(format!("{name} ({})", brief(&shown.item.text)))
    });
    failure.fix("name the item by more of its id")
}

/// The word of a command that names this list: its title, where no other has it and it is not taken for
/// a flag.
pub(super) fn named(view: &TenantFile, list: &List) -> Result<String, Failure> {
    let by_title = resolve_list(view.connection(), &list.title)?;
    Ok(match by_title {
        ResolvedList::Found(found) if found.list == list.list && !list.title.starts_with('-') => {
            quoted(&list.title)
        }
        ResolvedList::Found(_) | ResolvedList::Ambiguous(_) | ResolvedList::Unknown => {
            quoted(list.list.as_str())
        }
    })
}

fn unknown_item(view: &TenantFile, list: &List, text: &str) -> Result<Failure, Failure> {
    for overview in lists(view.connection(), RemovedLists::Hidden)? {
        let other = overview.list;
        let found = matching(view, &other, text)?;
        if let [found] = found.as_slice() {
            let message = format!(
                "item {:?} is in {:?}, not in {:?}",
                brief(&found.item.text),
                other.title,
                list.title
            );
            return Ok(Failure::new("item_in_other_list", message)
                .state("nothing was changed")
                .fix(format!("syncline list show {}", named(view, &other)?)));
        }
    }
    let message = format!("no item {text:?} in {:?}", list.title);
    Ok(Failure::new("item_unknown", message)
        .state("nothing was changed")
        .fix(format!("syncline list show {}", named(view, list)?)))
}
