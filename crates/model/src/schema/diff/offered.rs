//! What another document changes of how records are offered: operations, modes, strategies.

use super::{Change, ChangeKind, of_entity};
use crate::schema::{Conflict, Entity, Operation, WriteMode};

/// Tells each change of what an entity's document offers, from what to what.
pub(super) fn compare_offered(before: &Entity, after: &Entity, changes: &mut Vec<Change>) {
    let mut tell = |kind, what: String| changes.push(of_entity(after, kind, &what));
    operations(before, after, &mut tell);
    if before.mode != after.mode {
        let is_cache = matches!(after.mode, WriteMode::Cache { .. });
        let was_cache = matches!(before.mode, WriteMode::Cache { .. });
        let kind = match is_cache && !was_cache {
            true => ChangeKind::ChangeAccess,
            false => ChangeKind::Adjust,
        };
        let (was, is) = (mode_text(&before.mode), mode_text(&after.mode));
        tell(kind, format!("its mode is {is}, before {was}"));
    }
    if before.conflict != after.conflict {
        let (was, is) = (
            conflict_text(before.conflict),
            conflict_text(after.conflict),
        );
        tell(
            ChangeKind::Adjust,
            format!("its strategy is {is}, before {was}"),
        );
    }
    if before.subset != after.subset {
        let (was, is) = (subset_text(before), subset_text(after));
        tell(
            ChangeKind::Adjust,
            format!("clients take {is}, before {was}"),
        );
    }
    if before.singular != after.singular {
        let (was, is) = (&before.singular, &after.singular);
        tell(
            ChangeKind::Adjust,
            format!("one of it is called `{is}`, before `{was}`"),
        );
    }
    for set in before
        .unique
        .iter()
        .filter(|set| !after.unique.contains(set))
    {
        let what = format!("`{}` is one record's alone no more", set.join("`, `"));
        tell(ChangeKind::Adjust, what);
    }
}

fn operations(before: &Entity, after: &Entity, tell: &mut impl FnMut(ChangeKind, String)) {
    for old in &before.operations {
        let new = after.operations.iter().find(|new| is_same_place(old, new));
        match new {
            None => tell(
                ChangeKind::DropOperation,
                format!("`{}` is gone", place(old)),
            ),
            Some(new) if new.verb != old.verb => {
                let what = format!("`{}` does something else than before", place(old));
                tell(ChangeKind::DropOperation, what);
            }
            Some(new) if new.envelope != old.envelope => {
                let held = |operation: &Operation| match &operation.envelope {
                    None => "as a list".to_owned(),
                    Some(name) => format!("in `{name}`"),
                };
                let (is, was) = (held(new), held(old));
                let what = format!("`{}` answers with records {is}, before {was}", place(old));
                tell(ChangeKind::DropOperation, what);
            }
            Some(new) if new != old => {
                let what = format!("`{}` has other words or parameters", place(old));
                tell(ChangeKind::Adjust, what);
            }
            Some(_) => {}
        }
    }
    for new in &after.operations {
        if !before.operations.iter().any(|old| is_same_place(old, new)) {
            tell(ChangeKind::Adjust, format!("`{}` is new", place(new)));
        }
    }
}

/// Whether one request is both: parameters are called as each document likes.
fn is_same_place(one: &Operation, other: &Operation) -> bool {
    let parts = |path: &'_ str| -> Vec<String> {
        let parts = path.trim_matches('/').split('/');
        let part = |part: &str| match part.starts_with('{') && part.ends_with('}') {
            true => "{}".to_owned(),
            false => part.to_owned(),
        };
        parts.map(part).collect()
    };
    one.method == other.method && parts(&one.path) == parts(&other.path)
}

fn place(operation: &Operation) -> String {
    format!("{} {}", operation.method, operation.path)
}

fn mode_text(mode: &WriteMode) -> String {
    match mode {
        WriteMode::Optimistic => "optimistic".to_owned(),
        WriteMode::Confirmed => "confirmed".to_owned(),
        WriteMode::Cache { ttl_seconds } => format!("a cache of {ttl_seconds} s, only read"),
    }
}

const fn conflict_text(conflict: Conflict) -> &'static str {
    match conflict {
        Conflict::ServerWins => "server_wins",
        Conflict::LastWriteWins => "last_write_wins",
        Conflict::Reject => "reject",
    }
}

fn subset_text(entity: &Entity) -> String {
    let subset = entity.subset.as_ref();
    subset.map_or_else(
        || "all records".to_owned(),
        |subset| format!("those with `{subset}`"),
    )
}
