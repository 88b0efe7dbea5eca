//! What an operation answers: one record, several, or something else.

use syncline_model::schema::Verb;

use super::Collection;
use crate::diagnostic::Code;
use crate::document::{Id, Node};
use crate::merged::Merged;
use crate::names;
use crate::reading::Reading;
use crate::route::Call;

/// The properties that lists of records are wrapped in, the likeliest first.
const ENVELOPES: [&str; 4] = ["items", "data", "results", "records"];

/// The properties that single records are wrapped in.
const WRAPPERS: [&str; 4] = ["data", "item", "result", "record"];

/// What an operation answers, by its schema.
#[derive(Debug)]
pub(crate) enum Answer<'d> {
    /// A list of objects.
    Records {
        /// The property that holds the list, if the answer is not the list.
        envelope: Option<&'d str>,
        item: Node<'d>,
    },
    /// One object with properties.
    Record(Node<'d>),
    /// The document does not say what.
    Nothing,
    Other,
}

/// What a collection holds.
#[derive(Debug, Clone)]
pub(crate) struct Record<'d> {
    pub(crate) schema: Merged<'d>,
    /// The schema's own place, to which all references to it lead.
    pub(crate) id: Id,
    /// The component's name, if it is one.
    pub(crate) component: Option<&'d str>,
    /// Whether an operation lists it.
    pub(crate) is_listed: bool,
}

pub(crate) fn of<'d>(reading: &Reading<'d>, call: Call<'d>) -> Answer<'d> {
    let Some(node) = call.answer(reading) else {
        return Answer::Nothing;
    };
    let merged = Merged::of(reading, node);
    if let Some(item) = list_item(reading, &merged) {
        let envelope = None;
        return Answer::Records { envelope, item };
    }
    if !merged.has_properties() {
        let says_nothing = merged.types().is_empty() && merged.unions.is_empty();
        return match says_nothing {
            true => Answer::Nothing,
            false => Answer::Other,
        };
    }
    match enveloped(reading, &merged) {
        Some((envelope, item)) => Answer::Records {
            envelope: Some(envelope),
            item,
        },
        None => Answer::Record(node),
    }
}

/// The items of an array, if they are objects with properties.
fn list_item<'d>(reading: &Reading<'d>, merged: &Merged<'d>) -> Option<Node<'d>> {
    let item = merged.get("items")?;
    let is_array = merged.types().first().is_none_or(|name| *name == "array");
    (is_array && Merged::of(reading, item).has_properties()).then_some(item)
}

/// The list in an object that wraps one: in a property of a usual name, or in its only array. An object that
/// has an id of its own is a record that happens to hold a list.
fn enveloped<'d>(reading: &Reading<'d>, merged: &Merged<'d>) -> Option<(&'d str, Node<'d>)> {
    let properties = merged.properties();
    if properties.iter().any(|(name, _)| *name == "id") {
        return None;
    }
    let lists = properties.into_iter().filter_map(|(name, schemas)| {
        let property = Merged::of_property(reading, &schemas);
        let is_array = property.get("items").is_some();
        is_array.then(|| (name, list_item(reading, &property)))
    });
    let lists: Vec<_> = lists.collect();
    let usual = ENVELOPES
        .iter()
        .find_map(|usual| lists.iter().find(|(name, _)| name == usual));
    let found = match (usual, lists.as_slice()) {
        (Some(found), _) => found,
        (None, [only]) => only,
        (None, _) => return None,
    };
    found.1.map(|item| (found.0, item))
}

/// The schema of a collection's records: what getting one answers, else what creating one does, else the
/// items of the list, else what creating or changing one takes.
pub(super) fn record<'d>(
    reading: &Reading<'d>,
    collection: &Collection<'_, 'd>,
) -> Option<Record<'d>> {
    let listed = collection.calls(Verb::List).find_map(|call| {
        let answer = of(reading, call);
        match answer {
            Answer::Records { item, .. } => Some(item),
            Answer::Record(_) | Answer::Nothing | Answer::Other => None,
        }
    });
    let answered = |verb| {
        collection
            .calls(verb)
            .find_map(|call| match of(reading, call) {
                Answer::Record(node) => unwrapped(reading, node),
                Answer::Records { .. } | Answer::Nothing | Answer::Other => None,
            })
    };
    let requested = [Verb::Create, Verb::Replace, Verb::Update]
        .into_iter()
        .flat_map(|verb| collection.calls(verb));
    let node = answered(Verb::Get)
        .or_else(|| answered(Verb::Create))
        .or(listed)
        .or_else(|| answered(Verb::Update))
        .or_else(|| answered(Verb::Replace))
        .or_else(|| {
            requested
                .filter_map(|call| call.body(reading))
                .find(|body| Merged::of(reading, *body).has_properties())
        })?;
    Some(Record {
        schema: Merged::of(reading, node),
        id: reading.follow(node)?.id(),
        component: component(node),
        is_listed: listed.is_some(),
    })
}

/// A record's schema, unless it is that of something that a record is wrapped in.
fn unwrapped<'d>(reading: &Reading<'d>, node: Node<'d>) -> Option<Node<'d>> {
    match tell_of_wrapper(reading, node) {
        true => None,
        false => Some(node),
    }
}

/// Whether a schema is that of something that a record is wrapped in, which is then told.
pub(crate) fn tell_of_wrapper<'d>(reading: &Reading<'d>, node: Node<'d>) -> bool {
    let properties = Merged::of(reading, node).properties();
    let wrapper = properties.iter().find(|(name, schemas)| {
        WRAPPERS.contains(name) && Merged::of_property(reading, schemas).has_properties()
    });
    let has_key = properties
        .iter()
        .any(|(name, _)| names::folded(name) == "id");
    match wrapper {
        Some((name, _)) if !has_key => {
            let message = format!(
                "one record is answered within `{name}`: only lists can be, so it is answered as itself"
            );
            reading.warning(node, Code::NO_SCHEMA, message);
            true
        }
        _ => false,
    }
}

/// The name at the end of a reference.
fn component(node: Node<'_>) -> Option<&str> {
    let reference = node.get("$ref")?.as_text()?;
    reference.rsplit('/').next()
}
