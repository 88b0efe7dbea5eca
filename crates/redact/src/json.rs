//! Redaction of the strings of a JSON text, in place: everything else keeps its bytes.

use std::borrow::Cow;
use std::ops::Range;

use super::{Finding, Kind, Label, Redacted, Redactor, assignments, marker, mend_surrogates};

/// What a walk over a JSON text brought.
#[derive(Debug)]
pub(super) struct Walked {
    /// The text with its strings redacted; nothing if none had a secret.
    pub(super) text: Option<String>,
    pub(super) findings: Vec<Finding>,
}

/// Where a walk stands.
#[derive(Debug)]
enum Frame {
    /// The key last read, and the string last found under `name` or `key`.
    Object {
        key: Option<String>,
        named: Option<String>,
    },
    Array {
        index: usize,
    },
}

/// Redacts the strings of `json`, which is valid JSON.
pub(super) fn walk(redactor: &Redactor, json: &str) -> Walked {
    let json = &*mend_surrogates(json);
    let mut walk = Walk {
        redactor,
        json,
        frames: Vec::new(),
        copied: 0,
        text: String::new(),
        findings: Vec::new(),
    };
    walk.run();
    let Walk {
        copied,
        mut text,
        findings,
        ..
    } = walk;
    let text = (!findings.is_empty()).then(|| {
        text.push_str(&json[copied..]);
        text
    });
    Walked { text, findings }
}

struct Walk<'a> {
    redactor: &'a Redactor,
    json: &'a str,
    frames: Vec<Frame>,
    /// How much of `json` is in `text`.
    copied: usize,
    text: String,
    findings: Vec<Finding>,
}

impl Walk<'_> {
    fn run(&mut self) {
        let bytes = self.json.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            match bytes[at] {
                b'{' => self.frames.push(Frame::Object {
                    key: None,
                    named: None,
                }),
                b'[' => self.frames.push(Frame::Array { index: 0 }),
                b'}' | b']' => {
                    self.frames.pop();
                }
                b',' => match self.frames.last_mut() {
                    Some(Frame::Object { key, .. }) => *key = None,
                    Some(Frame::Array { index }) => *index += 1,
                    None => {}
                },
                b'"' => {
                    let end = string_end(bytes, at);
                    self.string(at..end);
                    at = end;
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
    }

    fn string(&mut self, range: Range<usize>) {
        let Text(text) = serde_json::from_str(&self.json[range.clone()])
            .expect("a string of valid JSON is a text");
        let is_key = matches!(self.frames.last(), Some(Frame::Object { key: None, .. }));
        let label = match self.name() {
            _ if is_key => Label::Key,
            Some(name) => Label::Member(name),
            None => Label::None,
        };
        let named = match label {
            Label::Member(name) => assignments::member(name, &text),
            Label::Key | Label::None => None,
        };
        let redacted = match named.filter(|(rule, _)| self.redactor.is_on(rule)) {
            Some((rule, kind)) => whole(rule, kind),
            None => self.redactor.redact(&text, label),
        };
        if !redacted.findings.is_empty() {
            let place = self.pointer(is_key.then_some(redacted.text.as_ref()));
            for mut finding in redacted.findings {
                finding.pointer = Some(place.clone());
                self.findings.push(finding);
            }
            self.text.push_str(&self.json[self.copied..range.start]);
            self.text
                .push_str(&serde_json::Value::from(redacted.text.as_ref()).to_string());
            self.copied = range.end;
        }
        let clean = redacted.text.into_owned();
        if let Some(Frame::Object { key, named }) = self.frames.last_mut() {
            match key {
                None => *key = Some(clean),
                Some(key) if matches!(key.as_str(), "name" | "key" | "Name" | "Key") => {
                    *named = Some(clean)
                }
                Some(_) => {}
            }
        }
    }

    /// The name that the string at hand goes by: its key, that of the array around it, the `name`
    /// beside its `value`, or the key of the object that has nothing but a `value` to tell.
    fn name(&self) -> Option<&str> {
        let mut objects = self.frames.iter().rev().filter_map(|frame| match frame {
            Frame::Object { key, named } => Some((key, named)),
            Frame::Array { .. } => None,
        });
        let (key, named) = objects.next()?;
        let key = key.as_deref()?;
        if !matches!(key, "value" | "Value") {
            return Some(key);
        }
        let around = || objects.next().and_then(|(key, _)| key.as_deref());
        named.as_deref().or_else(around).or(Some(key))
    }

    /// The JSON pointer to the string at hand; to the member, if it is a key.
    fn pointer(&self, key_at_hand: Option<&str>) -> String {
        let mut pointer = String::new();
        for frame in &self.frames {
            let step = match frame {
                Frame::Object { key: Some(key), .. } => key.replace('~', "~0").replace('/', "~1"),
                Frame::Object { key: None, .. } => key_at_hand
                    .unwrap_or_default()
                    .replace('~', "~0")
                    .replace('/', "~1"),
                Frame::Array { index } => index.to_string(),
            };
            pointer.push('/');
            pointer.push_str(&step);
        }
        pointer
    }
}

/// What is left of a string that is a secret from end to end.
fn whole(rule: &str, kind: Kind) -> Redacted<'static> {
    let text = marker(rule);
    Redacted {
        findings: vec![Finding::new(rule, kind, 0..text.len())],
        text: Cow::Owned(text),
    }
}

/// A string, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The end of the string that begins at `start`, its quotes included.
fn string_end(json: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(next) = memchr::memchr2(b'"', b'\\', &json[at..]) {
        at += next;
        if json[at] == b'"' {
            return at + 1;
        }
        at = (at + 2).min(json.len());
    }
    json.len()
}
