//! JSON as people write it: with comments and commas at the end, each value with its place in the text.

use std::ops::Range;

use serde::de::IgnoredAny;
use serde_json::Value;

/// How deep values may lie in each other.
const DEPTH_MAX: usize = 128;

/// A value, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) place: Range<usize>,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Object(Vec<Member>),
    Array(Vec<Node>),
    Text(String),
    /// A number, or one of the three words.
    Other,
}

/// A key of an object with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) key: String,
    /// Where the key begins.
    pub(super) start: usize,
    pub(super) value: Node,
}

/// Where a text stops being JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {expected}")]
pub(crate) struct JsoncError {
    line: usize,
    column: usize,
    expected: &'static str,
}

impl Node {
    /// The value of a key; where it is given several times, the last one counts.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        let members = self.members()?.iter().rev();
        members
            .into_iter()
            .find(|member| member.key == key)
            .map(|member| &member.value)
    }

    fn value(&self, text: &str) -> Value {
        match &self.kind {
            Kind::Object(members) => {
                let members = members.iter();
                let fields = members.map(|member| (member.key.clone(), member.value.value(text)));
                Value::Object(fields.collect())
            }
            Kind::Array(items) => items.iter().map(|item| item.value(text)).collect(),
            Kind::Text(text) => Value::String(text.clone()),
            Kind::Other => {
                let word = &text[self.place.clone()];
                serde_json::from_str(word).expect("it was read as a value")
            }
        }
    }

    pub(super) fn members(&self) -> Option<&[Member]> {
        match &self.kind {
            Kind::Object(members) => Some(members),
            Kind::Array(_) | Kind::Text(_) | Kind::Other => None,
        }
    }

    pub(super) fn items(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::Array(items) => Some(items),
            Kind::Object(_) | Kind::Text(_) | Kind::Other => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            Kind::Object(_) | Kind::Array(_) | Kind::Other => None,
        }
    }
}

/// Reads a text; none: there is nothing in it but space and comments.
pub(super) fn parse(text: &str) -> Result<Option<Node>, JsoncError> {
    let mut scanner = Scanner { text, at: 0 };
    if text.starts_with('\u{feff}') {
        scanner.at = '\u{feff}'.len_utf8();
    }
    scanner.skip()?;
    if scanner.peek().is_none() {
        return Ok(None);
    }
    let node = scanner.value(0)?;
    scanner.skip()?;
    match scanner.peek() {
        None => Ok(Some(node)),
        Some(_) => Err(scanner.error("nothing may follow the value")),
    }
}

/// What a text holds, for who only reads it; none: there is nothing in it but space and comments.
pub(crate) fn value(text: &str) -> Result<Option<Value>, JsoncError> {
    Ok(parse(text)?.map(|root| root.value(text)))
}

/// Where the space and comments that begin at `at` end, and where the last comment among them does.
pub(super) fn skip(text: &str, at: usize) -> (usize, usize) {
    let mut scanner = Scanner { text, at };
    let last = scanner.skip().unwrap_or(at);
    (scanner.at, last.max(at))
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn error(&self, expected: &'static str) -> JsoncError {
        let before = &self.text[..self.at.min(self.text.len())];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        JsoncError {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            expected,
        }
    }

    /// Passes over space and comments; gives where the last comment ended.
    fn skip(&mut self) -> Result<usize, JsoncError> {
        let mut last = self.at;
        loop {
            let rest = self.rest();
            let space = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
            if space > 0 {
                self.at += space;
            } else if rest.starts_with("//") {
                let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
                self.at += end;
                last = self.at;
            } else if rest.starts_with("/*") {
                let end = rest
                    .find("*/")
                    .ok_or_else(|| self.error("a comment has no end"))?;
                self.at += end + 2;
                last = self.at;
            } else {
                return Ok(last);
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, JsoncError> {
        if depth > DEPTH_MAX {
            return Err(self.error("values lie too deep in each other"));
        }
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Kind::Text(self.string()?),
            Some(_) => self.word()?,
            None => return Err(self.error("expected a value")),
        };
        Ok(Node {
            place: start..self.at,
            kind,
        })
    }

    fn object(&mut self, depth: usize) -> Result<Kind, JsoncError> {
        let mut members = Vec::new();
        self.at += 1;
        loop {
            self.skip()?;
            let start = self.at;
            match self.peek() {
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Kind::Object(members));
                }
                Some(b'"') => {}
                _ => return Err(self.error("expected a key in quotes, or `}`")),
            }
            let key = self.string()?;
            self.skip()?;
            if self.peek() != Some(b':') {
                return Err(self.error("expected `:`"));
            }
            self.at += 1;
            self.skip()?;
            let value = self.value(depth + 1)?;
            members.push(Member { key, start, value });
            self.comma(b'}', "expected `,` or `}`")?;
        }
    }

    fn array(&mut self, depth: usize) -> Result<Kind, JsoncError> {
        let mut items = Vec::new();
        self.at += 1;
        loop {
            self.skip()?;
            if self.peek() == Some(b']') {
                self.at += 1;
                return Ok(Kind::Array(items));
            }
            items.push(self.value(depth + 1)?);
            self.comma(b']', "expected `,` or `]`")?;
        }
    }

    /// Passes over a comma, or stops before the end.
    fn comma(&mut self, end: u8, expected: &'static str) -> Result<(), JsoncError> {
        self.skip()?;
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(())
            }
            Some(next) if next == end => Ok(()),
            _ => Err(self.error(expected)),
        }
    }

    fn string(&mut self) -> Result<String, JsoncError> {
        let mut escaped = false;
        let end = self.rest().bytes().skip(1).position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        });
        let end = end.ok_or_else(|| self.error("a text has no end"))? + 1;
        let text = serde_json::from_str::<String>(&self.rest()[..=end]);
        let text = text.map_err(|_| self.error("this is no text of JSON"))?;
        self.at += end + 1;
        Ok(text)
    }

    fn word(&mut self) -> Result<Kind, JsoncError> {
        let is_end = |c: char| c.is_whitespace() || matches!(c, ',' | ']' | '}' | ':' | '/' | '"');
        let end = self.rest().find(is_end).unwrap_or(self.rest().len());
        let is_value = serde_json::from_str::<IgnoredAny>(&self.rest()[..end]).is_ok();
        if !is_value {
            return Err(self.error("expected a value"));
        }
        self.at += end;
        Ok(Kind::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_where_they_stand() {
        let text = "\u{feff}// settings\r\n{ \"a\\\"\": [1, /* two */ \"\\u0032\",], \"b\": {}, \"b\": null, }\n";
        let root = parse(text).unwrap().unwrap();
        let items = root.get("a\"").unwrap().items().unwrap();
        assert_eq!(items[1].text(), Some("2"));
        assert_eq!(&text[items[1].place.clone()], "\"\\u0032\"");
        assert_eq!(root.get("b").unwrap().kind, Kind::Other);
        assert_eq!(&text[root.place.end..], "\n");
        assert_eq!(parse(" // nothing\n"), Ok(None));
        let expected = serde_json::json!({"a\"": [1, "2"], "b": null});
        assert_eq!(value(text), Ok(Some(expected)));
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        for (text, place) in [
            ("{", "line 1, column 2"),
            ("{\n \"a\" 1}", "line 2, column 6"),
            ("{} x", "line 1, column 4"),
            ("[1 2]", "line 1, column 4"),
            ("{a: 1}", "line 1, column 2"),
            ("[tru]", "line 1, column 2"),
            ("[01]", "line 1, column 2"),
            ("\"a\nb\"", "line 1, column 1"),
            ("{\"a\": }", "line 1, column 7"),
            ("[/* ]", "line 1, column 2"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.starts_with(place), "{text}: {error}");
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}
