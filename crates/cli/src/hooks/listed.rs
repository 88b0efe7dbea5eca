//! Settings in JSON that list, event by event, what is to be called: Claude Code's and Cursor's.

use super::agents::{HookAgent, Program, Shape, is_ours};
use super::edit::{self, Edit, Element};
use super::json::Json;
use super::jsonc::{self, JsoncError, Node};
use super::plan::State;

/// The key below which hooks are listed.
const HOOKS: &str = "hooks";

/// Why hooks can't be listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ListedError {
    #[error("it is not JSON")]
    Syntax(#[from] JsoncError),
    #[error("{key} must be {expected}")]
    Shape { key: String, expected: &'static str },
}

/// One of our handlers: the places of its event, of its group and of itself.
#[derive(Debug, Clone, Copy)]
struct Place {
    event: usize,
    group: usize,
    handler: usize,
}

/// Whether our hooks are there, all of them and as they would be put there now.
pub(super) fn state(text: &str, agent: HookAgent, program: &Program) -> Result<State, ListedError> {
    let root = root(text)?;
    let Some(hooks) = root.as_ref().and_then(|root| root.get(HOOKS)) else {
        return Ok(State::Absent);
    };
    let (mut ours, mut current) = (0, 0);
    for (event, line) in lines(hooks, agent) {
        if is_ours(line, agent) {
            ours += 1;
            let is_known = agent.events().contains(&event);
            current += usize::from(is_known && line == program.line(agent, event));
        }
    }
    Ok(match ours {
        0 => State::Absent,
        ours if ours == current && ours == agent.events().len() => State::Installed,
        _ => State::Outdated,
    })
}

/// Whether settings keep their agent from calling any hook of its user's.
pub(super) fn is_disabled(text: &str, agent: HookAgent) -> bool {
    let Ok(Some(root)) = root(text) else {
        return false;
    };
    let mut keys = agent.disabling_keys().iter();
    keys.any(|key| {
        let value = root.get(key);
        value.is_some_and(|value| &text[value.place.clone()] == "true")
    })
}

/// The text with our hooks, which are not in it, and what was put in.
pub(super) fn with(
    text: &str,
    agent: HookAgent,
    program: &Program,
) -> Result<(String, Vec<Edit>), ListedError> {
    let entry = |event: &str| agent.entry(program.line(agent, event));
    let list = |event: &&'static str| (*event, Json::Array(vec![entry(event)]));
    let Some(root) = root(text)? else {
        let hooks = Json::Object(agent.events().iter().map(list).collect());
        let (text, edit) = edit::write_whole(text, &agent.whole(hooks));
        return Ok((text, vec![edit]));
    };
    let Some(hooks) = root.get(HOOKS) else {
        let hooks = Json::Object(agent.events().iter().map(list).collect());
        let element = [Element {
            key: Some(HOOKS),
            value: hooks,
        }];
        let (text, edit) = edit::append(text, &root, &root, &element);
        return Ok((text, vec![edit]));
    };
    object(hooks, HOOKS)?;
    let (listed, missing): (Vec<&'static str>, Vec<&'static str>) = agent
        .events()
        .iter()
        .partition(|event| hooks.get(event).is_some());
    let mut text = text.to_owned();
    let mut edits = Vec::new();
    for event in listed {
        let value = entry(event);
        put(
            &mut text,
            &mut edits,
            Some(event),
            &[Element { key: None, value }],
        )?;
    }
    let missing = missing.iter().map(|event| Element {
        key: Some(event),
        value: list(event).1,
    });
    let missing: Vec<Element> = missing.collect();
    if !missing.is_empty() {
        put(&mut text, &mut edits, None, &missing)?;
    }
    Ok((text, edits))
}

/// Puts elements into the list of an event, or into the object of all.
fn put(
    text: &mut String,
    edits: &mut Vec<Edit>,
    event: Option<&'static str>,
    elements: &[Element],
) -> Result<(), ListedError> {
    let root = root(text)?;
    let hooks = root.as_ref().and_then(|root| root.get(HOOKS));
    let list = hooks.and_then(|hooks| event.map_or(Some(hooks), |event| hooks.get(event)));
    let key = event.map_or(HOOKS.to_owned(), |event| format!("{HOOKS}.{event}"));
    let expected = "an array";
    let is_list = |list: &&Node| event.is_none() || list.items().is_some();
    let (root, list) = root
        .as_ref()
        .zip(list.filter(is_list))
        .ok_or(ListedError::Shape { key, expected })?;
    let (changed, edit) = edit::append(text, root, list, elements);
    *text = changed;
    edits.push(edit);
    Ok(())
}

/// The text without our hooks, and without the lists that are empty then.
pub(super) fn without(text: &str, agent: HookAgent) -> Result<String, ListedError> {
    let mut text = text.to_owned();
    loop {
        let Some(root) = root(&text)? else {
            return Ok(text);
        };
        let Some(place) = root
            .get(HOOKS)
            .and_then(|hooks| first_of_ours(hooks, agent))
        else {
            return Ok(text);
        };
        text = without_one(&text, &root, place, agent.shape());
    }
}

/// Takes one handler out, with whatever holds nothing else.
fn without_one(text: &str, root: &Node, place: Place, shape: Shape) -> String {
    let members = root.members().unwrap_or_default();
    let at = members
        .iter()
        .rposition(|member| member.key == HOOKS)
        .unwrap_or_default();
    let hooks = &members[at].value;
    let events = hooks.members().unwrap_or_default();
    let list = &events[place.event].value;
    let groups = list.items().unwrap_or_default();
    if shape == Shape::Groups
        && let Some(handlers) = groups[place.group].get(HOOKS)
        && handlers.items().is_some_and(|items| items.len() > 1)
    {
        return edit::remove(text, handlers, place.handler);
    }
    match (groups.len(), events.len()) {
        (1, 1) => edit::remove(text, root, at),
        (1, _) => edit::remove(text, hooks, place.event),
        _ => edit::remove(text, list, place.group),
    }
}

/// Whether nothing is left but what we would have put into a new file.
pub(super) fn is_bare(text: &str, agent: HookAgent) -> bool {
    let Ok(Some(root)) = root(text) else {
        return text.trim().is_empty();
    };
    let members = root.members().unwrap_or_default();
    members
        .iter()
        .all(|member| agent == HookAgent::Cursor && member.key == "version")
}

fn root(text: &str) -> Result<Option<Node>, ListedError> {
    let root = jsonc::parse(text)?;
    root.as_ref()
        .map_or(Ok(()), |root| object(root, "the whole"))?;
    Ok(root)
}

fn object(node: &Node, key: &str) -> Result<(), ListedError> {
    let shape = || ListedError::Shape {
        key: key.to_owned(),
        expected: "an object",
    };
    node.members().map(drop).ok_or_else(shape)
}

/// What is called for each event, line by line.
fn lines(hooks: &Node, agent: HookAgent) -> Vec<(&str, &str)> {
    let places = places(hooks, agent);
    places
        .into_iter()
        .map(|(_, event, line)| (event, line))
        .collect()
}

fn first_of_ours(hooks: &Node, agent: HookAgent) -> Option<Place> {
    let mut places = places(hooks, agent).into_iter();
    places
        .find(|(_, _, line)| is_ours(line, agent))
        .map(|(place, _, _)| place)
}

fn places(hooks: &Node, agent: HookAgent) -> Vec<(Place, &str, &str)> {
    let mut places = Vec::new();
    for (event, member) in hooks.members().unwrap_or_default().iter().enumerate() {
        for (group, item) in member.value.items().unwrap_or_default().iter().enumerate() {
            let handlers = match agent.shape() {
                Shape::Groups => item.get(HOOKS).and_then(Node::items).unwrap_or_default(),
                Shape::Handlers => std::slice::from_ref(item),
            };
            for (handler, node) in handlers.iter().enumerate() {
                if let Some(line) = node.get("command").and_then(Node::text) {
                    let place = Place {
                        event,
                        group,
                        handler,
                    };
                    places.push((place, member.key.as_str(), line));
                }
            }
        }
    }
    places
}
