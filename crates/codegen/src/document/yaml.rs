//! YAML 1.2, read with the place of each part.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};
use serde_json::Number;

use super::builder::{Builder, fault};
use super::{Document, Fault, Id, Place, Value};
use crate::diagnostic::Code;

pub(super) fn parse(text: &str) -> Result<Document<'_>, Fault> {
    let mut loader = Loader {
        builder: Builder::default(),
        anchors: HashMap::new(),
        open: Vec::new(),
        documents: 0,
    };
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| fault(Code::SYNTAX, error.info(), place_of(*error.marker())))?;
        loader.take(event, place_of(span.start))?;
    }
    let nothing = || fault(Code::SYNTAX, "the document is empty", Place::START);
    loader.builder.finish().ok_or_else(nothing)
}

struct Loader<'t> {
    builder: Builder<'t>,
    /// What an alias may name: only what has ended, so that nothing holds itself.
    anchors: HashMap<usize, Id>,
    /// The anchors of the lists and maps that are open.
    open: Vec<(usize, Id)>,
    documents: usize,
}

impl<'t> Loader<'t> {
    fn take(&mut self, event: Event<'t>, place: Place) -> Result<(), Fault> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    let message = "the text holds more than one document";
                    return Err(fault(Code::SYNTAX, message, place));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                if self.builder.wants_key() {
                    self.builder.key(text, place);
                    return Ok(());
                }
                let id = self.builder.add(scalar(text, style, tag), place)?;
                self.name(anchor, id);
            }
            Event::SequenceStart(anchor, _) => {
                self.refuse_as_key(place)?;
                let id = self.builder.open_list(place)?;
                self.open.push((anchor, id));
            }
            Event::MappingStart(anchor, _) => {
                self.refuse_as_key(place)?;
                let id = self.builder.open_map(place)?;
                self.open.push((anchor, id));
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.builder.merge();
                self.builder.close()?;
                if let Some((anchor, id)) = self.open.pop() {
                    self.name(anchor, id);
                }
            }
            Event::Alias(anchor) => {
                self.refuse_as_key(place)?;
                let id = self.anchors.get(&anchor).copied();
                let circular = || fault(Code::SYNTAX, "an alias stands within its anchor", place);
                self.builder.attach(id.ok_or_else(circular)?);
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    /// Notes what an anchor names. What has none has the anchor 0.
    fn name(&mut self, anchor: usize, id: Id) {
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
    }

    fn refuse_as_key(&self, place: Place) -> Result<(), Fault> {
        match self.builder.wants_key() {
            false => Ok(()),
            true => Err(fault(Code::SYNTAX, "a key must be text", place)),
        }
    }
}

fn place_of(marker: Marker) -> Place {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Place {
        line: number(marker.line()),
        column: number(marker.col()).saturating_add(1),
    }
}

/// A scalar by the core schema.
fn scalar<'t>(text: Cow<'t, str>, style: ScalarStyle, tag: Option<Cow<'t, Tag>>) -> Value<'t> {
    let is_text = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
    if is_text || style != ScalarStyle::Plain {
        return Value::Text(text);
    }
    match text.as_ref() {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Boolean(true),
        "false" | "False" | "FALSE" => Value::Boolean(false),
        plain => match number(plain) {
            Some(number) => Value::Number(number),
            None => Value::Text(text),
        },
    }
}

fn number(text: &str) -> Option<Number> {
    if let Some(digits) = text.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok().map(Number::from);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return u64::from_str_radix(digits, 8).ok().map(Number::from);
    }
    let is_part = |c: char| matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E');
    // Keeps out `inf`, `nan` and words, which a parser of floats takes.
    if !text.chars().all(is_part) || !text.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let digits = text.strip_prefix('+').unwrap_or(text);
    if let Ok(number) = digits.parse::<i64>() {
        return Some(number.into());
    }
    if let Ok(number) = digits.parse::<u64>() {
        return Some(number.into());
    }
    digits.parse().ok().and_then(Number::from_f64)
}
