//! Redaction of the strings of a JSON text, in place: everything else keeps its bytes.

use std::borrow::Cow;
use std::ops::Range;

use super::arguments::Arguments;
use super::members::{Late, Members};
use super::values::Style;
use super::words::is_option;
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
    /// The key last read.
    Object {
        key: Option<String>,
        members: Members,
    },
    Array {
        index: usize,
        arguments: Arguments,
    },
}

/// Redacts the strings of `json`. Of what is no JSON, as a torn line, those that are closed and can be read.
pub(super) fn walk(redactor: &Redactor, json: &str) -> Walked {
    let mut walk = Walk::new(redactor, json);
    walk.run();
    let mut edits = walk.edits;
    edits.sort_by_key(|edit| edit.range.start);
    let (mut text, mut copied, mut findings) = (String::new(), 0, Vec::new());
    for edit in edits {
        text.push_str(&json[copied..edit.range.start]);
        text.push_str(&edit.text);
        copied = edit.range.end;
        findings.extend(edit.findings);
    }
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
    /// Which of the frames are objects: what is asked of them for each string does not go by how deep it is.
    objects: Vec<usize>,
    /// How deep it is below the last of as many frames as there may be.
    deeper: usize,
    edits: Vec<Edit>,
}

/// A string that is to be replaced.
struct Edit {
    range: Range<usize>,
    text: String,
    findings: Vec<Finding>,
}

impl<'a> Walk<'a> {
    fn new(redactor: &'a Redactor, json: &'a str) -> Self {
        Self {
            redactor,
            json,
            frames: Vec::new(),
            objects: Vec::new(),
            deeper: 0,
            edits: Vec::new(),
        }
    }

    fn run(&mut self) {
        let bytes = self.json.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            match bytes[at] {
                b'{' | b'[' if self.frames.len() == FRAMES_MAX => self.deeper += 1,
                b'}' | b']' if self.deeper > 0 => self.deeper -= 1,
                b',' if self.deeper > 0 => {}
                b'{' => {
                    self.objects.push(self.frames.len());
                    let (key, members) = (None, Members::default());
                    self.frames.push(Frame::Object { key, members });
                }
                b'[' => {
                    let arguments = Arguments::of(self.program());
                    let index = 0;
                    self.frames.push(Frame::Array { index, arguments });
                }
                b'}' => {
                    if let Some(object) = self.objects.pop() {
                        self.frames.truncate(object);
                    }
                }
                b']' => self.end_array(),
                b',' => match self.frames.last_mut() {
                    Some(Frame::Object { key, .. }) => *key = None,
                    Some(Frame::Array { index, .. }) => *index += 1,
                    None => {}
                },
                b'"' => {
                    at = match string_end(bytes, at) {
                        StringEnd::Closed(end) => {
                            self.string(at..end);
                            end
                        }
                        StringEnd::Torn(end) => end,
                    };
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// Ends the array at hand, with what is not closed in it.
    fn end_array(&mut self) {
        // All are objects if nothing else is left.
        while self.frames.len() > self.objects.len() {
            match self.frames.pop() {
                Some(Frame::Object { .. }) => self.objects.pop(),
                Some(Frame::Array { .. }) | None => return,
            };
        }
    }

    fn string(&mut self, range: Range<usize>) {
        let text = self.text(&range);
        if self.deeper > 0 {
            let redacted = self.redactor.redact_text(&text);
            if !redacted.findings.is_empty() {
                self.edit(range, None, &redacted);
            }
            return;
        }
        let is_key = matches!(self.frames.last(), Some(Frame::Object { key: None, .. }));
        let label = match is_key {
            true => Label::Key,
            false => self.label(&text),
        };
        let redacted = match label {
            Label::Member(name) => self.member(name, &text, Style::Quoted),
            Label::Flagged(name) => self.member(name, &text, Style::Argument),
            // All of the array may go by a name, too.
            Label::Argument(_) if !text.starts_with('-') => {
                let name = self.name(&text);
                name.and_then(|name| self.member(name, &text, Style::Quoted))
            }
            Label::Key | Label::None | Label::Argument(_) => None,
        };
        let redacted = redacted.unwrap_or_else(|| self.redactor.redact(&text, label));
        let open = redacted.findings.is_empty().then(|| range.clone());
        if !redacted.findings.is_empty() {
            let key = is_key.then_some(redacted.text.as_ref());
            self.edit(range, key, &redacted);
        }
        let clean = redacted.text;
        let late = match self.frames.last_mut() {
            Some(Frame::Object {
                key: Some(key),
                members,
            }) => members.push(key, &clean, open),
            Some(Frame::Object { key, .. }) => {
                *key = Some(clean.into_owned());
                None
            }
            Some(Frame::Array { arguments, .. }) => {
                arguments.push(&clean);
                None
            }
            None => None,
        };
        if let Some(late) = late {
            self.late(&late);
        }
    }

    /// The text of a string; nothing where it can't be read, which leaves nothing to change.
    fn text(&self, range: &Range<usize>) -> Cow<'a, str> {
        let text = match mend_surrogates(&self.json[range.clone()]) {
            Cow::Borrowed(json) => serde_json::from_str(json).map(|Text(text)| text),
            Cow::Owned(json) => serde_json::from_str(&json).map(Cow::Owned),
        };
        text.unwrap_or_default()
    }

    /// What `text`, which is no key, is to what is around it.
    fn label(&self, text: &str) -> Label<'_> {
        if let Some(Frame::Array { arguments, .. }) = self.frames.last()
            && arguments.are_flagged(text)
        {
            // A flag that stands alone has no value.
            let flag = arguments
                .promising_flag()
                .filter(|_| !is_option(text.as_bytes()));
            return flag.map_or(Label::Argument(arguments), Label::Flagged);
        }
        self.name(text).map_or(Label::None, Label::Member)
    }

    /// What is left of `text` if it is a secret from end to end, going by `name`.
    fn member(&self, name: &str, text: &str, style: Style) -> Option<Redacted<'static>> {
        let (rule, kind) = assignments::member(name, text, style)?;
        self.redactor.is_on(rule).then(|| whole(rule, kind))
    }

    /// Looks again at a value that was read before its name.
    fn late(&mut self, late: &Late) {
        let text = self.text(&late.range);
        if late.named.names(&text)
            && let Some(redacted) = self.member(&late.named.name, &text, Style::Quoted)
        {
            self.edit(late.range.clone(), Some(&late.key), &redacted);
        }
    }

    /// Puts `redacted` in the place of the string at `range`, which is the member at `key` of the object at
    /// hand, if that is not where the walk is.
    fn edit(&mut self, range: Range<usize>, key: Option<&str>, redacted: &Redacted<'_>) {
        let place = self.pointer(key);
        let findings = redacted.findings.iter().map(|finding| Finding {
            pointer: Some(place.clone()),
            ..finding.clone()
        });
        let findings = findings.collect();
        self.edits.push(Edit {
            range,
            text: serde_json::Value::from(redacted.text.as_ref()).to_string(),
            findings,
        });
    }

    /// The name that `text`, the string at hand, goes by: its key, that of the array around it, the `name`
    /// beside its `value`, or the key of the object that has nothing but a `value` to tell.
    fn name(&self, text: &str) -> Option<&str> {
        let objects = self.objects.iter().rev().map(|at| &self.frames[*at]);
        let mut objects = objects.filter_map(|frame| match frame {
            Frame::Object { key, members } => Some((key.as_deref(), members)),
            Frame::Array { .. } => None,
        });
        let (key, members) = objects.next()?;
        let name = members.name(key?, text, || objects.next().and_then(|(key, _)| key));
        Some(last_of(name, NAME_BYTES_MAX))
    }

    /// The program that the object at hand names.
    fn program(&self) -> Option<&str> {
        match self.frames.last()? {
            Frame::Object { members, .. } => members.program(),
            Frame::Array { .. } => None,
        }
    }

    /// The JSON pointer to the string at hand, or to the member at `key` of the object at hand: of a long one
    /// the end.
    fn pointer(&self, mut member: Option<&str>) -> String {
        let (mut steps, mut length) = (Vec::new(), 0);
        for frame in self.frames.iter().rev() {
            let step = match frame {
                Frame::Object { key, .. } => {
                    let key = member.take().or(key.as_deref()).unwrap_or_default();
                    // So much is cut again, and a sign put before it.
                    let key = last_of(key, 2 * POINTER_BYTES_MAX);
                    key.replace('~', "~0").replace('/', "~1")
                }
                Frame::Array { index, .. } => index.to_string(),
            };
            length += 1 + step.len();
            steps.push(step);
            if length > POINTER_BYTES_MAX {
                break;
            }
        }
        let steps = steps.iter().rev();
        let pointer: String = steps.flat_map(|step| ["/", step.as_str()]).collect();
        match length > POINTER_BYTES_MAX {
            true => ["…", last_of(&pointer, POINTER_BYTES_MAX - "…".len())].concat(),
            false => pointer,
        }
    }
}

/// JSON that somebody has written is not as deep: what is deeper is junk, and each bracket would take more than
/// a hundred bytes.
const FRAMES_MAX: usize = 4096;
/// Every finding has a pointer, and all strings of an object may stand below a long key.
const POINTER_BYTES_MAX: usize = 256;
/// Names are no longer, and all strings of an array may go by one.
const NAME_BYTES_MAX: usize = 256;

/// The end of a text, which tells the most of a name and of a pointer.
fn last_of(text: &str, bytes_max: usize) -> &str {
    let from = text.len().saturating_sub(bytes_max);
    &text[text.ceil_char_boundary(from)..]
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

/// Where a string ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StringEnd {
    /// Behind its quotes.
    Closed(usize),
    /// At the line's end, which stands in no string of JSON: what comes behind it may be whole.
    Torn(usize),
}

/// The end of the string that begins at `start`.
fn string_end(json: &[u8], start: usize) -> StringEnd {
    let mut at = start + 1;
    while let Some(next) = memchr::memchr3(b'"', b'\\', b'\n', &json[at..]) {
        at += next;
        match json[at] {
            b'"' => return StringEnd::Closed(at + 1),
            b'\n' => return StringEnd::Torn(at),
            _ => at = (at + 2).min(json.len()),
        }
    }
    StringEnd::Torn(json.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_each_string_goes_by_neither_depth_nor_length() {
        let redactor = Redactor::standard();
        let json = format!(r#"{{"{}":{}"#, "key".repeat(1_000), "[".repeat(1_000));
        let mut walk = Walk::new(&redactor, &json);
        walk.run();
        assert_eq!(
            (walk.frames.len(), walk.objects.as_slice()),
            (1_001, &[0][..])
        );
        assert_eq!(walk.name("text").map(str::len), Some(256));
    }

    #[test]
    fn what_is_deeper_than_anybody_writes_takes_no_memory_and_is_looked_at_as_a_text() {
        let redactor = Redactor::standard();
        for opened in ["[", "{", r#"{"a":["#, r#"{"password":"#] {
            let mut json = opened.repeat(4 * FRAMES_MAX);
            json.push_str(r#"{"a":["PGPASSWORD=x9!kQ2vLp","docker","login"],"b":"#);
            let mut walk = Walk::new(&redactor, &json);
            walk.run();
            assert_eq!(walk.frames.len(), FRAMES_MAX);
            let texts: Vec<_> = walk.edits.iter().map(|edit| &*edit.text).collect();
            assert_eq!(texts, [r#""PGPASSWORD=[redacted:password]""#]);
        }
    }

    #[test]
    fn what_was_found_is_not_looked_at_again_when_its_name_comes() {
        let mut members = Members::default();
        assert!(members.push("value", "clean", Some(0..7)).is_none());
        assert!(members.push("key", "DB_PASSWORD", Some(8..21)).is_some());
        assert!(members.push("value", &marker("password"), None).is_none());
        assert!(members.push("key", "DB_PASSWORD", Some(30..43)).is_none());
    }
}
