//! What a document declares of an operation beside what it does with records: taken where a server answers so,
//! else told.

use syncline_model::schema::{Field, FieldKind, LIST_PARAMETERS, LIST_TESTS, Verb};

use super::group::Group;
use crate::collection::{Answer, Use, answer, tell_of_wrapper};
use crate::diagnostic::{Code, Severity};
use crate::document::Node;
use crate::merged::Merged;
use crate::reading::Reading;
use crate::route::Call;

/// How many names one message gives.
const NAMES_MAX: usize = 5;

/// The status of success that a server answers with, where that is another than the operation's own: a document
/// that says 200 of a create, or of a delete without an answer, has it.
pub(super) fn status<'d>(reading: &Reading<'d>, one: &Use<'_, 'd>) -> Option<u16> {
    let statuses = one.call.statuses();
    let own = own_status(one.verb);
    let is_declared = |status: u16| statuses.iter().any(|(text, _)| says(text, status));
    let says_other = !statuses.is_empty() && !is_declared(own) && is_declared(200);
    let is_served = match one.verb {
        Verb::Create => true,
        Verb::Delete => matches!(answer(reading, one.call), Answer::Nothing),
        Verb::List | Verb::Get | Verb::Update | Verb::Replace => false,
    };
    (says_other && is_served).then_some(200)
}

const fn own_status(verb: Verb) -> u16 {
    match verb {
        Verb::List | Verb::Get | Verb::Update | Verb::Replace => 200,
        Verb::Create => 201,
        Verb::Delete => 204,
    }
}

/// Whether a key of `responses` means a status, as `200`, `2XX` and `default` mean 200.
fn says(text: &str, status: u16) -> bool {
    text == status.to_string() || text.eq_ignore_ascii_case("2xx") || text == "default"
}

/// Tells of what an operation declares and a server does not do.
pub(super) fn tell<'d>(
    reading: &Reading<'d>,
    group: &Group<'_, 'd>,
    one: &Use<'_, 'd>,
    fields: &[Field],
) {
    tell_of_parameters(reading, one, fields);
    tell_of_status(reading, one);
    match one.verb {
        Verb::List => tell_of_page(reading, one),
        Verb::Get | Verb::Create | Verb::Update | Verb::Replace => {
            tell_of_record(reading, group, one);
        }
        Verb::Delete => {}
    }
}

/// The parameters of a query that nothing is narrowed by.
fn tell_of_parameters<'d>(reading: &Reading<'d>, one: &Use<'_, 'd>, fields: &[Field]) {
    let is_unserved = |(name, parameter): &(&str, Node<'d>)| match one.verb {
        Verb::List => !is_list_parameter(reading, name, *parameter, fields),
        Verb::Get | Verb::Create | Verb::Update | Verb::Replace | Verb::Delete => true,
    };
    let parameters = one.route.query_parameters(reading, one.call);
    let unserved: Vec<_> = parameters.into_iter().filter(is_unserved).collect();
    let Some((_, first)) = unserved.first() else {
        return;
    };
    let names: Vec<_> = unserved.iter().map(|(name, _)| *name).collect();
    let (place, names) = (place(one), told(&names));
    let message = match one.verb {
        Verb::List => format!(
            "{place}: a Syncline server refuses {names} in a query: a list is narrowed by its fields \
             (`field=…`, `field__gt=…`), ordered by `order`, and paged by `limit` and `cursor`"
        ),
        Verb::Get | Verb::Create | Verb::Update | Verb::Replace | Verb::Delete => {
            format!("{place}: a Syncline server does not read {names} in a query")
        }
    };
    reading.warning(*first, Code::PARAMETER, message);
}

/// Whether a server narrows, orders or pages a list by the parameter as it is declared.
fn is_list_parameter<'d>(
    reading: &Reading<'d>,
    name: &str,
    parameter: Node<'d>,
    fields: &[Field],
) -> bool {
    if LIST_PARAMETERS.contains(&name) {
        return true;
    }
    let is_field = |name: &str| {
        let field = fields.iter().find(|field| field.name == name);
        field.is_some_and(|field| !field.sync_exclude)
    };
    let (field, test) = match is_field(name) {
        true => (name, "is"),
        false => name.rsplit_once("__").unwrap_or((name, "is")),
    };
    // Several values of one name would each have to hold.
    let schema = parameter.get("schema");
    let is_list = schema.is_some_and(|schema| {
        let merged = Merged::of(reading, schema);
        merged.types().contains(&"array")
    });
    let is_json = |field: &Field| field.name == name && field.kind == FieldKind::Json;
    let is_separated = parameter.get("explode").and_then(Node::as_boolean) == Some(false);
    let takes_list = test == "in" && is_separated || fields.iter().any(is_json);
    is_field(field) && LIST_TESTS.contains(&test) && (!is_list || takes_list)
}

/// A status of success that the document has and the server has not.
fn tell_of_status<'d>(reading: &Reading<'d>, one: &Use<'_, 'd>) {
    let own = status(reading, one).unwrap_or(own_status(one.verb));
    let statuses = one.call.statuses();
    let is_answered = statuses.iter().any(|(text, _)| says(text, own));
    let Some((text, node)) = statuses.first().filter(|_| !is_answered) else {
        return;
    };
    let what = match one.verb {
        Verb::List => "the records",
        Verb::Get | Verb::Create | Verb::Update | Verb::Replace => "the record",
        Verb::Delete => "nothing",
    };
    let message = format!(
        "{} is answered {own} with {what}, and not {text} as declared here",
        place(one)
    );
    reading.warning(*node, Code::ANSWER, message);
}

/// What a page of a list is declared to hold beside its records.
fn tell_of_page<'d>(reading: &Reading<'d>, one: &Use<'_, 'd>) {
    let (Some(envelope), Some(node)) = (&one.envelope, one.call.answer(reading)) else {
        return;
    };
    let page = Merged::of(reading, node);
    let is_other = |name: &&str| *name != envelope && *name != "next_cursor";
    let all = page.properties().into_iter().map(|(name, _)| name);
    let others: Vec<_> = all.filter(is_other).collect();
    if others.is_empty() {
        return;
    }
    let (severity, names) = match others.iter().any(|name| page.requires(name)) {
        true => {
            let required = others.into_iter().filter(|name| page.requires(name));
            (Severity::Warning, required.collect())
        }
        false => (Severity::Info, others),
    };
    let message = format!(
        "{}: a page of a Syncline server holds `{envelope}` and `next_cursor`, and no {}",
        place(one),
        told(&names)
    );
    reading.tell(severity, node, Code::ANSWER, message);
}

/// What an operation on one record is declared to answer, where that is no record.
fn tell_of_record<'d>(reading: &Reading<'d>, group: &Group<'_, 'd>, one: &Use<'_, 'd>) {
    let Some(node) = one.call.answer(reading) else {
        return;
    };
    let is_record = match answer(reading, one.call) {
        Answer::Nothing => true,
        Answer::Record(node) => {
            if tell_of_wrapper(reading, node) {
                return;
            }
            !Merged::of(reading, node).property(&group.key).is_empty()
        }
        Answer::Records { .. } | Answer::Other => false,
    };
    if !is_record {
        let message = format!(
            "{} is answered with the record, and not as declared here",
            place(one)
        );
        reading.warning(node, Code::ANSWER, message);
    }
}

/// Tells once that errors are the server's own, at the first answer of one that the document declares.
pub(super) fn tell_of_errors<'d>(reading: &Reading<'d>, calls: impl Iterator<Item = Call<'d>>) {
    let mut declared = calls.filter_map(|call| call.error(reading));
    if let Some(node) = declared.next() {
        let message = "whatever the document says of errors, a Syncline server answers them with \
                       `{error: {code, message, details}}`";
        reading.info(node, Code::ANSWER, message);
    }
}

/// Tells once of bodies that are declared in other forms than JSON, at the first: where one is, most are.
pub(super) fn tell_of_bodies<'u, 'r: 'u, 'd: 'r>(
    reading: &Reading<'d>,
    uses: impl Iterator<Item = &'u Use<'r, 'd>>,
) {
    let has_json = |one: &&Use<'_, 'd>| one.call.body(reading).is_some();
    let mut others = uses.filter(|one| !has_json(one)).filter_map(|one| {
        let content = one.call.content(reading)?;
        content
            .entries()
            .next()
            .map(|(name, _)| (one, content, name))
    });
    let Some((first, content, name)) = others.next() else {
        return;
    };
    let more = match others.count() {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    let message = format!(
        "{}{more}: a Syncline server reads bodies of JSON alone, and not `{name}`",
        place(first)
    );
    reading.warning(content, Code::REQUEST, message);
}

fn place(one: &Use<'_, '_>) -> String {
    format!("{} {}", one.call.method.as_str(), one.route.path)
}

/// The names in words, as far as anybody reads them.
pub(super) fn told(names: &[&str]) -> String {
    let first: Vec<_> = names.iter().take(NAMES_MAX).collect();
    let first: Vec<_> = first.iter().map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(NAMES_MAX);
    match more {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
