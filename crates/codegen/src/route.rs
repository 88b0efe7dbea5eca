//! A document's paths and what it offers under them.

use crate::diagnostic::Code;
use crate::document::Node;
use crate::merged::Merged;
use crate::names;
use crate::reading::{Reading, percent_decoded};

/// One path with its operations.
#[derive(Debug)]
pub(crate) struct Route<'d> {
    /// The document's own words.
    pub(crate) path: &'d str,
    /// The member of `paths`.
    pub(crate) node: Node<'d>,
    /// What that member is, its reference followed.
    pub(crate) item: Node<'d>,
    /// What all paths of an API, or of a version of it, begin with: `/api/v1`.
    pub(crate) prefix: String,
    /// Without that.
    pub(crate) segments: Vec<Segment<'d>>,
    /// In the order of their methods.
    pub(crate) calls: Vec<Call<'d>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment<'d> {
    /// A word, its escapes decoded.
    Word(String),
    Parameter(&'d str),
}

/// One operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'d> {
    pub(crate) method: Method,
    pub(crate) node: Node<'d>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Get, "get"),
        (Self::Post, "post"),
        (Self::Put, "put"),
        (Self::Patch, "patch"),
        (Self::Delete, "delete"),
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// All paths that can be read, in the order of their text, which is the same for every order of the document.
pub(crate) fn read<'d>(reading: &Reading<'d>) -> Vec<Route<'d>> {
    let Some(paths) = reading.root().get("paths") else {
        return Vec::new();
    };
    if !paths.is_map() {
        reading.error(paths, Code::MALFORMED, "`paths` must be a map");
    }
    let paths = paths.entries().filter(|(path, _)| !path.starts_with("x-"));
    let mut routes: Vec<_> = paths
        .filter_map(|(path, node)| read_route(reading, path, node))
        .collect();
    routes.sort_by_key(|route| route.path);
    routes
}

fn read_route<'d>(reading: &Reading<'d>, path: &'d str, node: Node<'d>) -> Option<Route<'d>> {
    let Some((prefix, segments)) = segments(path) else {
        let message = format!("`{path}` is not made of words and {{parameters}} between slashes");
        reading.info(node, Code::PATH, message);
        return None;
    };
    let item = reading.follow(node)?;
    if !item.is_map() {
        reading.error(item, Code::MALFORMED, "a path's operations must be a map");
        return None;
    }
    let mut calls = Vec::new();
    for (method, name) in Method::ALL {
        let Some(call) = item.get(name) else {
            continue;
        };
        match call.is_map() {
            true => calls.push(Call { method, node: call }),
            false => reading.error(call, Code::MALFORMED, "an operation must be a map"),
        }
    }
    Some(Route {
        path,
        node,
        item,
        prefix: Route::template(&prefix),
        segments,
        calls,
    })
}

/// The words of a prefix such as `/api/v1`, and a path's words and parameters after it; `None` where a segment
/// is partly one.
fn segments(path: &str) -> Option<(Vec<Segment<'_>>, Vec<Segment<'_>>)> {
    let path = path.strip_prefix('/')?;
    let path = path.strip_suffix('/').unwrap_or(path);
    let segments: Option<Vec<_>> = path.split('/').map(segment).collect();
    let mut segments = segments?;
    let is_prefix = |segment: &Segment<'_>| match segment {
        Segment::Word(word) => word.eq_ignore_ascii_case("api") || is_version(word),
        Segment::Parameter(_) => false,
    };
    let prefix = segments.iter().take_while(|segment| is_prefix(segment));
    let prefix = prefix.count();
    // A path of nothing else names what it names.
    let prefix = if prefix < segments.len() { prefix } else { 0 };
    let rest = segments.split_off(prefix);
    Some((segments, rest))
}

fn segment(text: &str) -> Option<Segment<'_>> {
    let inner = text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'));
    match inner {
        Some(name) if !name.is_empty() && !name.contains(['{', '}']) => {
            Some(Segment::Parameter(name))
        }
        Some(_) => None,
        None if text.is_empty() || text.contains(['{', '}']) => None,
        None => Some(Segment::Word(percent_decoded(text))),
    }
}

/// `v1`, `v2.1`, `v1beta2`.
fn is_version(word: &str) -> bool {
    let mut rest = word.strip_prefix(['v', 'V']).unwrap_or_default().chars();
    rest.next().is_some_and(|c| c.is_ascii_digit())
        && rest.all(|c| c.is_ascii_digit() || c == '.' || c.is_ascii_lowercase())
}

impl<'d> Route<'d> {
    /// The path with its parameters unnamed, by which routes to one collection find one another.
    pub(crate) fn template(segments: &[Segment<'_>]) -> String {
        let parts = segments.iter().map(|segment| match segment {
            // Words can't hold a slash, and a brace only as a parameter's: no two paths fall together.
            Segment::Word(word) => format!("/{}", word.replace('/', "%2F")),
            Segment::Parameter(_) => "/{}".to_owned(),
        });
        parts.collect()
    }

    /// The parameters that one of its operations takes in a query, each where the document names it: the
    /// operation's own before the path's.
    pub(crate) fn query_parameters(
        &self,
        reading: &Reading<'d>,
        call: Call<'d>,
    ) -> Vec<(&'d str, Node<'d>)> {
        let lists = [call.node, self.item].into_iter();
        let named = lists
            .filter_map(|node| node.get("parameters"))
            .flat_map(Node::items);
        let mut found: Vec<(&str, Node<'_>)> = Vec::new();
        for parameter in named.filter_map(|node| reading.follow(node)) {
            let text = |key| parameter.get(key).and_then(Node::as_text);
            if let (Some(name), Some("query")) = (text("name"), text("in"))
                && !found.iter().any(|(known, _)| *known == name)
            {
                found.push((name, parameter));
            }
        }
        found
    }

    /// The schema of a path parameter of one of the route's operations.
    pub(crate) fn parameter(&self, reading: &Reading<'d>, name: &str) -> Option<Node<'d>> {
        let of_calls = self.calls.iter().map(|call| call.node);
        let lists = of_calls.chain([self.item]);
        let parameters = lists
            .filter_map(|node| node.get("parameters"))
            .flat_map(Node::items);
        let parameters = parameters.filter_map(|parameter| reading.follow(parameter));
        let is_named = |parameter: &Node<'_>| {
            let has = |key, value| parameter.get(key).and_then(Node::as_text) == Some(value);
            has("name", name) && has("in", "path")
        };
        parameters.into_iter().find(is_named)?.get("schema")
    }
}

impl<'d> Call<'d> {
    /// The statuses of success with their answers: 200 before 201 before 2XX, in whatever order they stand.
    pub(crate) fn statuses(self) -> Vec<(&'d str, Node<'d>)> {
        let responses = self.node.get("responses").into_iter();
        let mut statuses: Vec<_> = responses
            .flat_map(Node::entries)
            .filter(|(status, _)| status.starts_with('2'))
            .collect();
        statuses.sort_by_key(|(status, _)| *status);
        statuses
    }

    /// The schema of the answer of success, if it is JSON.
    pub(crate) fn answer(self, reading: &Reading<'d>) -> Option<Node<'d>> {
        let responses = self.statuses().into_iter().map(|(_, response)| response);
        responses
            .filter_map(|response| reading.follow(response))
            .find_map(json_schema)
    }

    /// The first answer of an error whose form the document declares.
    pub(crate) fn error(self, reading: &Reading<'d>) -> Option<Node<'d>> {
        let responses = self.node.get("responses").into_iter();
        let errors = responses
            .flat_map(Node::entries)
            .filter(|(status, _)| status.starts_with(['4', '5']));
        let mut errors = errors.map(|(_, response)| response);
        errors.find(|response| reading.follow(*response).and_then(json_schema).is_some())
    }

    /// The schema of the request's body, if it is JSON.
    pub(crate) fn body(self, reading: &Reading<'d>) -> Option<Node<'d>> {
        let body = self.node.get("requestBody")?;
        json_schema(reading.follow(body)?)
    }

    /// The forms that the request's body may have, by their names.
    pub(crate) fn content(self, reading: &Reading<'d>) -> Option<Node<'d>> {
        let body = self.node.get("requestBody")?;
        reading.follow(body)?.get("content")
    }

    /// A request body's schema, merged, where it names properties.
    pub(crate) fn request(self, reading: &Reading<'d>) -> Option<Merged<'d>> {
        let merged = Merged::of(reading, self.body(reading)?);
        merged.has_properties().then_some(merged)
    }

    pub(crate) fn id(self) -> Option<&'d str> {
        self.node.get("operationId").and_then(Node::as_text)
    }
}

/// The schema of JSON content: `application/json` before its relatives.
fn json_schema(content: Node<'_>) -> Option<Node<'_>> {
    let content = content.get("content")?;
    let media_type = |name: &str| {
        let name = name.split(';').next().unwrap_or_default().trim();
        name.to_ascii_lowercase()
    };
    let is_exact = |name: &str| media_type(name) == "application/json";
    let is_relative = |name: &str| {
        let name = media_type(name);
        name.ends_with("+json") || name == "text/json" || name == "*/*" || name == "application/*"
    };
    let mut kinds: Vec<_> = content.entries().collect();
    kinds.sort_by_key(|(name, _)| *name);
    let exact = kinds.iter().find(|(name, _)| is_exact(name));
    let found = exact.or_else(|| kinds.iter().find(|(name, _)| is_relative(name)));
    found.and_then(|(_, kind)| kind.get("schema"))
}

/// The name that a parameter gives to one record: `contact_id` and `contactId` give `contact`.
pub(crate) fn record_of_parameter(parameter: &str) -> String {
    let snake = names::snake_case(parameter);
    const ENDINGS: [&str; 6] = ["_id", "_uuid", "_key", "_slug", "_number", "_code"];
    let record = ENDINGS.iter().find_map(|ending| snake.strip_suffix(ending));
    record.unwrap_or(&snake).to_owned()
}
