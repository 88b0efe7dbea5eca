//! `x-sync` and `x-sync-mode`.

use syncline_model::schema::WriteMode;

use super::refuse_unknown_keys;
use crate::diagnostic::Code;
use crate::document::Node;
use crate::reading::Reading;
use crate::route::Route;

/// What a path or an operation says.
#[derive(Debug, Clone)]
struct Declaration<'d> {
    mode: Option<(WriteMode, Node<'d>)>,
    subset: Option<(&'d str, Node<'d>)>,
}

/// When clients tell their users that a write is done, and the subset that they take. An operation says more
/// than its path; it speaks for the whole collection, which has one mode.
pub(crate) fn mode<'d>(
    reading: &Reading<'d>,
    routes: &[&Route<'d>],
) -> (WriteMode, Option<(&'d str, Node<'d>)>) {
    let of_paths: Vec<_> = routes
        .iter()
        .map(|route| declaration(reading, route.item))
        .collect();
    let calls = routes.iter().flat_map(|route| &route.calls);
    let of_calls: Vec<_> = calls.map(|call| declaration(reading, call.node)).collect();
    let modes = |all: &[Declaration<'d>]| all.iter().filter_map(|one| one.mode).collect();
    let subsets = |all: &[Declaration<'d>]| all.iter().filter_map(|one| one.subset).collect();
    let mode = decided(reading, modes(&of_calls), modes(&of_paths), "mode");
    let subset = decided(reading, subsets(&of_calls), subsets(&of_paths), "`where`");
    (mode.map(|(mode, _)| mode).unwrap_or_default(), subset)
}

/// What operations agree on, else what paths do.
fn decided<'d, T: PartialEq + Copy>(
    reading: &Reading<'d>,
    of_calls: Vec<(T, Node<'d>)>,
    of_paths: Vec<(T, Node<'d>)>,
    what: &str,
) -> Option<(T, Node<'d>)> {
    let agreed = |found: &[(T, Node<'d>)]| {
        let (first, place) = found.first()?;
        for (other, node) in found {
            if other != first {
                let line = place.place().line;
                let message = format!("the {what} is another than on line {line}");
                reading.error(*node, Code::CONTRADICTION, message);
            }
        }
        Some((*first, *place))
    };
    let of_path = agreed(&of_paths);
    let of_call = agreed(&of_calls);
    if let (Some((path, _)), Some((call, node))) = (of_path, of_call)
        && path != call
    {
        let message = format!("the {what} of this operation stands, for the whole collection");
        reading.warning(node, Code::CONTRADICTION, message);
    }
    of_call.or(of_path)
}

/// The name that `x-sync: {entity: …}` gives to a collection whose path gives it none that is its own.
pub(crate) fn entity_name<'d>(reading: &Reading<'d>, routes: &[&Route<'d>]) -> Option<&'d str> {
    let holders = routes.iter().flat_map(|route| super::holders(route));
    let names = holders.filter_map(|node| node.get("x-sync")?.get("entity"));
    let mut found = None;
    for node in names {
        match (node.as_text(), found) {
            (None, _) | (Some(""), _) => {
                reading.error(node, Code::EXTENSION, "an entity's name is text");
            }
            (Some(name), Some(before)) if name != before => {
                let message = format!("the collection is called `{before}` elsewhere");
                reading.error(node, Code::CONTRADICTION, message);
            }
            (Some(name), _) => found = Some(name),
        }
    }
    found
}

fn declaration<'d>(reading: &Reading<'d>, holder: Node<'d>) -> Declaration<'d> {
    let mut found = Declaration {
        mode: None,
        subset: None,
    };
    let sync = holder.get("x-sync");
    if let Some(node) = sync {
        read_sync(reading, node, &mut found);
    }
    if let Some(node) = holder.get("x-sync-mode") {
        let ttl = sync.and_then(|sync| sync.get("ttl"));
        let mode = named_mode(reading, node, ttl);
        agree(reading, &mut found, mode, node);
    }
    check_ttl(reading, sync, &found);
    found
}

fn read_sync<'d>(reading: &Reading<'d>, node: Node<'d>, found: &mut Declaration<'d>) {
    const KEYS: [&str; 7] = [
        "local_first",
        "mode",
        "ttl",
        "where",
        "entity",
        "schema_version",
        "broadcast",
    ];
    if !node.is_map() {
        let message = "`x-sync` is a map, such as {local_first: true}";
        reading.error(node, Code::EXTENSION, message);
        return;
    }
    refuse_unknown_keys(reading, node, "x-sync", &KEYS);
    for unused in ["schema_version", "broadcast"] {
        if let Some(value) = node.get(unused) {
            let message = format!("`{unused}` has no effect: changes reach every client live");
            reading.info(value, Code::EXTENSION, message);
        }
    }
    if let Some(value) = node.get("local_first") {
        match value.as_boolean() {
            Some(true) => agree(reading, found, Some(WriteMode::Optimistic), value),
            Some(false) => agree(reading, found, Some(WriteMode::Confirmed), value),
            None => reading.error(value, Code::EXTENSION, "`local_first` is true or false"),
        }
    }
    if let Some(value) = node.get("mode") {
        let mode = named_mode(reading, value, node.get("ttl"));
        agree(reading, found, mode, value);
    }
    if let Some(value) = node.get("where") {
        match value.as_text().filter(|text| !text.trim().is_empty()) {
            Some(text) => found.subset = Some((text, value)),
            None => reading.error(value, Code::EXTENSION, "`where` is a condition, as text"),
        }
    }
}

/// Takes a mode that one more key of the same place says.
fn agree<'d>(
    reading: &Reading<'d>,
    found: &mut Declaration<'d>,
    mode: Option<WriteMode>,
    node: Node<'d>,
) {
    match (mode, found.mode) {
        (None, _) => {}
        (Some(mode), Some((before, _))) if before != mode => {
            let message = "this says another mode than what stands beside it";
            reading.error(node, Code::CONTRADICTION, message);
        }
        (Some(mode), _) => found.mode = Some((mode, node)),
    }
}

fn named_mode(reading: &Reading<'_>, node: Node<'_>, ttl: Option<Node<'_>>) -> Option<WriteMode> {
    match node.as_text() {
        Some("local_first" | "realtime" | "offline") => Some(WriteMode::Optimistic),
        Some("api") => Some(WriteMode::Confirmed),
        Some("cache") => {
            let ttl_seconds = ttl.and_then(seconds);
            if ttl_seconds.is_none() {
                let message =
                    "cache needs a `ttl` beside it: seconds, or text such as 90s, 5m, 12h, 7d";
                reading.error(ttl.unwrap_or(node), Code::EXTENSION, message);
            }
            ttl_seconds.map(|ttl_seconds| WriteMode::Cache { ttl_seconds })
        }
        _ => {
            let message = "a mode is local_first, realtime, offline, api or cache";
            reading.error(node, Code::UNKNOWN_MODE, message);
            None
        }
    }
}

fn check_ttl(reading: &Reading<'_>, sync: Option<Node<'_>>, found: &Declaration<'_>) {
    let Some(ttl) = sync.and_then(|sync| sync.get("ttl")) else {
        return;
    };
    let stands_alone = match found.mode {
        None => true,
        Some((mode, _)) => !matches!(mode, WriteMode::Cache { .. }),
    };
    let says_cache = |node: Option<Node<'_>>| {
        node.and_then(|sync| sync.get("mode"))
            .and_then(Node::as_text)
            == Some("cache")
    };
    // A cache without a good ttl has been told of.
    if stands_alone && !says_cache(sync) {
        let message = "`ttl` says nothing without mode: cache";
        reading.error(ttl, Code::CONTRADICTION, message);
    }
}

/// A length of time of at least a second.
fn seconds(node: Node<'_>) -> Option<u64> {
    if let Some(number) = node.as_number() {
        return number.as_u64().filter(|seconds| *seconds > 0);
    }
    let text = node.as_text()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit_seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let count: u64 = digits.parse().ok()?;
    count
        .checked_mul(unit_seconds)
        .filter(|seconds| *seconds > 0)
}
