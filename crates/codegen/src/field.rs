//! A property of a record's schema as a field.

mod kind;
mod nested;
mod rules;
mod unchecked;

use std::collections::HashSet;

use serde_json::Value;
use syncline_model::record::Rulebook;
use syncline_model::schema::{Field, FieldKind};

use crate::diagnostic::Code;
use crate::document::Node;
use crate::merged::{Merged, Schemas};
use crate::reading::Reading;

pub(crate) use unchecked::tell_of_records;

/// The schemas that a document has for one property.
#[derive(Debug, Clone)]
pub(crate) struct Sources<'d> {
    /// In what the server answers.
    pub(crate) record: Schemas<'d>,
    /// In what it takes for a new record, then for a change.
    pub(crate) requests: Schemas<'d>,
    /// In any of them: what keeps a field private there is heeded.
    pub(crate) others: Vec<Node<'d>>,
}

impl<'d> Sources<'d> {
    /// Each of the schemas once.
    pub(crate) fn all(&self) -> impl Iterator<Item = Node<'d>> {
        let mut known = HashSet::new();
        let own = self.record.nodes().chain(self.requests.nodes());
        let all = own.chain(self.others.iter().copied());
        all.filter(move |node| known.insert(node.id()))
    }

    /// Where to point to when something is wrong with the property.
    pub(crate) fn node(&self) -> Option<Node<'d>> {
        self.record.first().or_else(|| self.requests.first())
    }
}

/// The field that a property is. Whether it must be named, and whether clients may write it, follows from
/// the requests, which the caller knows; here it is what `readOnly` says.
pub(crate) fn read<'d>(reading: &Reading<'d>, name: &str, sources: &Sources<'d>) -> Option<Field> {
    let node = sources.node()?;
    let request = Merged::of_property(reading, &sources.requests);
    let record = match sources.record.is_empty() {
        true => request.clone(),
        false => Merged::of_property(reading, &sources.record),
    };
    let kind = kind_of(reading, &record, &request, node);
    // What a request must satisfy is asked of writes; what answers satisfy is the next best.
    let ruling = match request.parts.is_empty() || request_says_less(reading, &request, &kind) {
        true => &record,
        false => &request,
    };
    if !sources.record.is_empty() {
        tell_of_other_type(reading, name, (&record, &kind), &request);
    }
    let is_decimal = kind == FieldKind::Decimal;
    let number = is_decimal.then(|| kind::number_alternative(reading, ruling));
    let number = number.flatten();
    let ruling = number.as_ref().unwrap_or(ruling);
    let (nullable_values, mut rules) = rules::read(reading, ruling, &kind);
    unchecked::tell(reading, ruling, &kind);
    if kind == FieldKind::Json {
        let of = ruling.parts.last().copied().unwrap_or(node);
        rules.json = nested::read(reading, ruling, of).map(Box::new);
    }
    let all: Vec<_> = sources.all().collect();
    let anywhere = Merged::of_all(reading, &all);
    let nullable = record.nullable || request.nullable || nullable_values;
    let default = request.get("default").or_else(|| record.get("default"));
    let of_default = default;
    let default = match default {
        // On a field that has no null this is how some frameworks say that there is no default.
        Some(node) if node.is_null() => nullable.then_some(Value::Null),
        Some(node) => default_of(reading, node, &kind),
        None => None,
    };
    let mut field = Field {
        name: name.to_owned(),
        default,
        nullable,
        required: false,
        read_only: record.is_read_only(reading) || request.is_read_only(reading),
        sync_exclude: anywhere.flag("x-sync-exclude"),
        owner_only: anywhere.flag("x-owner-only"),
        rules,
        references: None,
        description: description(&record).or_else(|| description(&request)),
        kind,
    };
    if let Some(node) = of_default {
        leave_out_refused_default(reading, node, &mut field);
    }
    Some(field)
}

/// What values a property of a record has, by the schemas for it there alone.
pub(crate) fn kind_of_record<'d>(reading: &Reading<'d>, schemas: &Schemas<'d>) -> FieldKind {
    match schemas.first() {
        Some(node) => kind::of(reading, &Merged::of_property(reading, schemas), node),
        None => FieldKind::Json,
    }
}

/// An answer says what a value is. Only a decimal is often plain text there, and told by what requests take.
fn kind_of<'d>(
    reading: &Reading<'d>,
    record: &Merged<'d>,
    request: &Merged<'d>,
    node: Node<'d>,
) -> FieldKind {
    let kind = kind::of(reading, record, node);
    let is_decimal = kind == FieldKind::Text
        && record.get("format").is_none()
        && !request.unions.is_empty()
        && kind::of(reading, request, node) == FieldKind::Decimal;
    match is_decimal {
        true => FieldKind::Decimal,
        false => kind,
    }
}

/// Whether the request's schema is of another kind, so that its rules are not for this one.
fn request_says_less<'d>(reading: &Reading<'d>, request: &Merged<'d>, kind: &FieldKind) -> bool {
    let Some(node) = request.parts.first() else {
        return true;
    };
    kind::of(reading, request, *node) != *kind
}

/// Tells of a request that names values of a type of which the record's are none.
fn tell_of_other_type<'d>(
    reading: &Reading<'d>,
    name: &str,
    (record, kind): (&Merged<'d>, &FieldKind),
    request: &Merged<'d>,
) {
    let Some(node) = request.parts.first() else {
        return;
    };
    let asked = kind::of(reading, request, *node);
    let types = (type_of(request, &asked), type_of(record, kind));
    if let (Some(asked), Some(answered)) = types
        && asked != answered
    {
        let message = format!(
            "requests have {asked} as `{name}`, and records {answered}, which is what is taken"
        );
        reading.warning(*node, Code::TYPE, message);
    }
}

/// The type of JSON that values of a kind have; none: one of several.
fn type_of(merged: &Merged<'_>, kind: &FieldKind) -> Option<&'static str> {
    match kind {
        FieldKind::Text
        | FieldKind::Uuid
        | FieldKind::Date
        | FieldKind::Time
        | FieldKind::Timestamp => Some("text"),
        FieldKind::Int32 | FieldKind::Int64 | FieldKind::Float => Some("a number"),
        FieldKind::Boolean => Some("true or false"),
        FieldKind::Decimal => None,
        FieldKind::Json => match merged.types().as_slice() {
            ["array"] => Some("a list"),
            ["object"] => Some("an object"),
            _ => None,
        },
    }
}

fn description(merged: &Merged<'_>) -> Option<String> {
    // What a reference leads to describes the type; what stands beside it describes the field.
    let own = merged.parts.iter().rev();
    let mut texts = own.filter_map(|part| part.get("description").and_then(Node::as_text));
    texts
        .find(|text| !text.trim().is_empty())
        .map(|text| text.trim().to_owned())
}

/// What a server would give a new record must be what it takes from one.
fn leave_out_refused_default(reading: &Reading<'_>, node: Node<'_>, field: &mut Field) {
    let Some(default) = field.default.as_ref().filter(|default| !default.is_null()) else {
        return;
    };
    if let Some(fault) = Rulebook::of_field(field).check(field, default) {
        let message = format!(
            "the default {default} is refused by its own field, and left out: {}",
            fault.message
        );
        reading.warning(node, Code::DEFAULT, message);
        field.default = None;
    }
}

/// A default that is not null.
fn default_of(reading: &Reading<'_>, node: Node<'_>, kind: &FieldKind) -> Option<Value> {
    let Some(value) = node.to_json() else {
        reading.warning(node, Code::LIMIT, "the default is too large, and left out");
        return None;
    };
    if !kind::takes(kind, &value) {
        let message = format!("the default {value} is no value of its own field, and left out");
        reading.warning(node, Code::DEFAULT, message);
        return None;
    }
    Some(kind::normal(kind, value))
}
