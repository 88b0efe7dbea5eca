//! Which paths hold records, and what is done with these there.

mod answer;

use std::collections::BTreeMap;

use syncline_model::schema::Verb;

use crate::diagnostic::{Code, Severity};
use crate::document::Node;
use crate::extensions;
use crate::merged::Merged;
use crate::names;
use crate::reading::Reading;
use crate::route::{Call, Method, Route, Segment};

pub(crate) use answer::{Answer, Record, of as answer, tell_of_wrapper};

/// The paths of one collection: its own, and that of one of its records.
#[derive(Debug)]
pub(crate) struct Collection<'r, 'd> {
    /// The path of the collection, its parameters unnamed.
    pub(crate) template: String,
    /// What stands before that: two versions of an API have collections of their own.
    prefix: &'r str,
    pub(crate) name: String,
    /// The path's segments; the last is the name.
    pub(crate) segments: &'r [Segment<'d>],
    pub(crate) own: Vec<&'r Route<'d>>,
    pub(crate) items: Vec<(&'r Route<'d>, &'d str)>,
    pub(crate) uses: Vec<Use<'r, 'd>>,
    pub(crate) record: Option<Record<'d>>,
    /// Whether its author said something of how it syncs.
    pub(crate) declared: bool,
}

/// An operation that is one of those that every collection has.
#[derive(Debug, Clone)]
pub(crate) struct Use<'r, 'd> {
    pub(crate) verb: Verb,
    pub(crate) route: &'r Route<'d>,
    pub(crate) call: Call<'d>,
    pub(crate) key_parameter: Option<&'d str>,
    pub(crate) envelope: Option<String>,
}

/// The collections of a document, in the order of their paths. What is none is told of.
pub(crate) fn find<'r, 'd>(
    reading: &Reading<'d>,
    routes: &'r [Route<'d>],
) -> Vec<Collection<'r, 'd>> {
    let mut collections = gather(reading, routes);
    for collection in collections.values_mut() {
        collection.classify(reading);
    }
    let holds_records: Vec<_> = collections
        .values()
        .filter(|collection| collection.has_evidence() && !collection.is_single(reading))
        .map(|collection| (collection.prefix, collection.template.clone()))
        .collect();
    let mut found = Vec::new();
    for collection in collections.into_values() {
        match collection.refusal(&holds_records) {
            None => found.push(collection),
            Some(reason) => collection.leave_out(reading, Code::CUSTOM_OPERATION, &reason),
        }
    }
    found
}

/// Routes put together by the collection that they are of.
fn gather<'r, 'd>(
    reading: &Reading<'d>,
    routes: &'r [Route<'d>],
) -> BTreeMap<(&'r str, String), Collection<'r, 'd>> {
    let mut collections = BTreeMap::new();
    for route in routes {
        let (segments, key) = match route.segments.as_slice() {
            [.., Segment::Word(_)] => (route.segments.as_slice(), None),
            [before @ .., Segment::Parameter(key)]
                if matches!(before.last(), Some(Segment::Word(_))) =>
            {
                (before, Some(*key))
            }
            _ => {
                let message = "the path names no collection: it ends in several parameters";
                reading.info(route.node, Code::PATH, message);
                continue;
            }
        };
        let template = Route::template(segments);
        let prefix = route.prefix.as_str();
        let collection = collections
            .entry((prefix, template.clone()))
            .or_insert_with(|| Collection::new(prefix, template, segments));
        match key {
            None => collection.own.push(route),
            Some(key) => collection.items.push((route, key)),
        }
    }
    collections
}

impl<'r, 'd> Collection<'r, 'd> {
    fn new(prefix: &'r str, template: String, segments: &'r [Segment<'d>]) -> Self {
        let name = match segments.last() {
            Some(Segment::Word(word)) => word.clone(),
            Some(Segment::Parameter(_)) | None => String::new(),
        };
        Self {
            template,
            prefix,
            name,
            segments,
            own: Vec::new(),
            items: Vec::new(),
            uses: Vec::new(),
            record: None,
            declared: false,
        }
    }

    pub(crate) fn routes(&self) -> impl Iterator<Item = &'r Route<'d>> {
        let items = self.items.iter().map(|(route, _)| *route);
        self.own.iter().copied().chain(items)
    }

    /// Where to point to when something is wrong with the whole.
    pub(crate) fn node(&self) -> Option<Node<'d>> {
        self.routes().map(|route| route.node).next()
    }

    pub(crate) fn calls(&self, verb: Verb) -> impl Iterator<Item = Call<'d>> {
        let of_verb = self.uses.iter().filter(move |one| one.verb == verb);
        of_verb.map(|one| one.call)
    }

    /// The schemas of one record in what its operations answer with.
    pub(crate) fn answers(&self, reading: &Reading<'d>) -> Vec<Node<'d>> {
        let answers = self.uses.iter().map(|one| answer::of(reading, one.call));
        let records = answers.filter_map(|answer| match answer {
            Answer::Records { item, .. } => Some(item),
            Answer::Record(node) => Some(node),
            Answer::Nothing | Answer::Other => None,
        });
        records.collect()
    }

    /// Whether clients can change its records.
    pub(crate) fn is_written(&self) -> bool {
        let reads = |one: &Use<'_, '_>| matches!(one.verb, Verb::List | Verb::Get);
        !self.uses.iter().all(reads)
    }

    fn classify(&mut self, reading: &Reading<'d>) {
        let routes: Vec<_> = self.routes().collect();
        self.declared = routes.iter().any(|route| extensions::declares(route));
        if let Some(name) = extensions::entity_name(reading, &routes) {
            self.name = name.to_owned();
        }
        let mut uses = Vec::new();
        for route in self.own.iter().copied() {
            for call in route.calls.iter().copied() {
                let (verb, envelope) = match own_verb(reading, call) {
                    Some(found) => found,
                    None => continue,
                };
                uses.push(Use {
                    verb,
                    route,
                    call,
                    key_parameter: None,
                    envelope,
                });
            }
        }
        for (route, key) in self.items.iter().copied() {
            for call in route.calls.iter().copied() {
                if let Some(verb) = self.item_verb(reading, call) {
                    uses.push(Use {
                        verb,
                        route,
                        call,
                        key_parameter: Some(key),
                        envelope: None,
                    });
                }
            }
        }
        self.uses = uses;
        self.record = answer::record(reading, self);
    }

    /// What an operation on one record does.
    fn item_verb(&self, reading: &Reading<'d>, call: Call<'d>) -> Option<Verb> {
        let is_record = matches!(answer::of(reading, call), Answer::Record(_));
        match call.method {
            Method::Get => {
                let is_list = matches!(answer::of(reading, call), Answer::Records { .. });
                (!is_list).then_some(Verb::Get)
            }
            Method::Patch => Some(Verb::Update),
            Method::Put if self.changes_partly(reading, call) => Some(Verb::Update),
            Method::Put => Some(Verb::Replace),
            // Some APIs change records by POST; others act on them.
            Method::Post => (is_record && call.body(reading).is_some()).then_some(Verb::Update),
            Method::Delete => Some(Verb::Delete),
        }
    }

    /// Whether a PUT takes any of the properties where a new record needs some: how many frameworks write
    /// what others call PATCH.
    fn changes_partly(&self, reading: &Reading<'d>, put: Call<'d>) -> bool {
        let routes = self.items.iter().flat_map(|(route, _)| &route.calls);
        let has_patch = routes.into_iter().any(|call| call.method == Method::Patch);
        let posts = self.own.iter().flat_map(|route| &route.calls);
        let mut posts = posts.filter(|call| call.method == Method::Post);
        let create = posts.find_map(|call| call.request(reading));
        let body = put.request(reading);
        let asks = |merged: Option<&Merged<'_>>| merged.map(Merged::requires_anything);
        !has_patch && asks(create.as_ref()) == Some(true) && asks(body.as_ref()) == Some(false)
    }

    /// Whether what the paths answer shows that they hold records.
    fn has_evidence(&self) -> bool {
        self.uses.iter().any(|one| match one.verb {
            Verb::List => one.envelope.is_some() || self.lists_records(),
            Verb::Get => self.record.is_some(),
            Verb::Update | Verb::Replace | Verb::Delete => true,
            Verb::Create => false,
        })
    }

    /// Whether the path itself answers one record, as `/user` does that of who asks: what stands behind it is no
    /// view of a collection.
    fn is_single(&self, reading: &Reading<'d>) -> bool {
        let calls = self.own.iter().flat_map(|route| &route.calls);
        let mut gets = calls.filter(|call| call.method == Method::Get);
        gets.any(|call| matches!(answer::of(reading, *call), Answer::Record(_)))
    }

    fn lists_records(&self) -> bool {
        self.record.as_ref().is_some_and(|record| record.is_listed)
    }

    /// Why this is no collection, though its paths have the form of one.
    fn refusal(&self, holds_records: &[(&str, String)]) -> Option<String> {
        if self.declared {
            return None;
        }
        if !self.has_evidence() {
            return Some("does not list, get, create, change or delete records".to_owned());
        }
        if !self.items.is_empty() {
            return None;
        }
        let mut above = &self.segments[..self.segments.len().saturating_sub(1)];
        while let [before @ .., Segment::Word(_)] = above {
            let above_this = (self.prefix, Route::template(above));
            // Sorted, as the map that they come from.
            if holds_records.binary_search(&above_this).is_ok() {
                return Some(format!("is a view or an action of `{}`", above_this.1));
            }
            above = before;
        }
        // In `/search/contacts` as in `/contacts/search`.
        let mut words = self.segments.iter().filter_map(|segment| match segment {
            Segment::Word(word) => Some(word),
            Segment::Parameter(_) => None,
        });
        let action = words.find(|word| names::is_action(word));
        action.map(|action| format!("goes by `{action}`, which names an action"))
    }

    /// Tells that the collection is not taken: an error where its author wanted it to sync, and a warning where
    /// another one has its name.
    pub(crate) fn leave_out(&self, reading: &Reading<'d>, code: Code, reason: &str) {
        let severity = match self.declared {
            true => Severity::Error,
            false if code == Code::AMBIGUOUS_ENTITY => Severity::Warning,
            false => Severity::Info,
        };
        for route in self.routes() {
            let methods: Vec<_> = route
                .calls
                .iter()
                .map(|call| call.method.as_str())
                .collect();
            if !methods.is_empty() {
                let message = format!("{} {} {reason}", methods.join(", "), route.path);
                reading.tell(severity, route.node, code, message);
            }
        }
    }

    /// Tells of the operations that are none of those that every collection has.
    pub(crate) fn tell_of_customs(&self, reading: &Reading<'d>) {
        for route in self.routes() {
            for call in &route.calls {
                if !self.uses.iter().any(|one| one.call.node == call.node) {
                    let message = format!(
                        "{} {} does not list, get, create, change or delete records of `{}`",
                        call.method.as_str(),
                        route.path,
                        self.name
                    );
                    reading.info(call.node, Code::CUSTOM_OPERATION, message);
                }
            }
        }
    }
}

/// What an operation on a whole collection does.
fn own_verb<'d>(reading: &Reading<'d>, call: Call<'d>) -> Option<(Verb, Option<String>)> {
    match call.method {
        Method::Get => match answer::of(reading, call) {
            Answer::Records { envelope, .. } => Some((Verb::List, envelope.map(str::to_owned))),
            Answer::Nothing => Some((Verb::List, None)),
            Answer::Record(_) | Answer::Other => None,
        },
        Method::Post => {
            let body = call.body(reading).map(|body| Merged::of(reading, body));
            let is_bulk = body.is_some_and(|body| body.types().contains(&"array"));
            (!is_bulk).then_some((Verb::Create, None))
        }
        Method::Put | Method::Patch | Method::Delete => None,
    }
}
