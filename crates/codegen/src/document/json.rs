//! JSON, read with the place of each part.

use std::borrow::Cow;

use super::builder::{Builder, fault};
use super::{Document, Fault, Place, Value};
use crate::diagnostic::Code;

pub(super) fn parse(text: &str) -> Result<Document<'_>, Fault> {
    let mut scanner = Scanner {
        text,
        at: 0,
        counted: 0,
        place: Place::START,
        builder: Builder::default(),
    };
    scanner.value()?;
    scanner.skip_space();
    match scanner.peek() {
        None => {}
        Some(_) => return Err(scanner.fault("nothing may follow the document's value")),
    }
    let place = scanner.place;
    let nothing = || fault(Code::SYNTAX, "the document is empty", place);
    scanner.builder.finish().ok_or_else(nothing)
}

struct Scanner<'t> {
    text: &'t str,
    /// The byte that is read next.
    at: usize,
    /// Up to where lines and columns are counted; `place` is there.
    counted: usize,
    place: Place,
    builder: Builder<'t>,
}

impl<'t> Scanner<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// Where the next byte is. Each byte is counted once.
    fn here(&mut self) -> Place {
        for byte in &self.text.as_bytes()[self.counted..self.at] {
            match byte {
                b'\n' => {
                    self.place.line += 1;
                    self.place.column = 1;
                }
                // The later bytes of a character.
                0x80..=0xbf => {}
                _ => self.place.column += 1,
            }
        }
        self.counted = self.at;
        self.place
    }

    fn fault(&mut self, message: &str) -> Fault {
        fault(Code::SYNTAX, message, self.here())
    }

    /// Reads a value into what is open. Its depth is that of the builder, which bounds it.
    fn value(&mut self) -> Result<(), Fault> {
        self.skip_space();
        let place = self.here();
        let value = match self.peek() {
            Some(b'{') => return self.map(place),
            Some(b'[') => return self.list(place),
            Some(b'"') => Value::Text(self.string()?),
            Some(b't') => self.word("true", Value::Boolean(true))?,
            Some(b'f') => self.word("false", Value::Boolean(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(_) => return Err(self.fault("expected a value")),
            None => return Err(self.fault("the text ends where a value should be")),
        };
        self.builder.add(value, place)?;
        Ok(())
    }

    fn map(&mut self, place: Place) -> Result<(), Fault> {
        self.builder.open_map(place)?;
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return self.builder.close();
        }
        loop {
            self.skip_space();
            let place = self.here();
            if self.peek() != Some(b'"') {
                return Err(self.fault("expected a key in quotation marks"));
            }
            let key = self.string()?;
            self.builder.key(key, place);
            self.skip_space();
            if self.peek() != Some(b':') {
                return Err(self.fault("expected a colon after the key"));
            }
            self.at += 1;
            self.value()?;
            if self.ends(b'}')? {
                return self.builder.close();
            }
        }
    }

    fn list(&mut self, place: Place) -> Result<(), Fault> {
        self.builder.open_list(place)?;
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return self.builder.close();
        }
        loop {
            self.value()?;
            if self.ends(b']')? {
                return self.builder.close();
            }
        }
    }

    /// Reads a comma or the end of a list or map, and tells whether it was the end.
    fn ends(&mut self, end: u8) -> Result<bool, Fault> {
        self.skip_space();
        match self.peek() {
            Some(b',') => self.at += 1,
            Some(byte) if byte == end => {
                self.at += 1;
                return Ok(true);
            }
            Some(_) => return Err(self.fault("expected a comma or the end of the list or map")),
            None => return Err(self.fault("the text ends within a list or map")),
        }
        Ok(false)
    }

    fn word(&mut self, word: &str, value: Value<'t>) -> Result<Value<'t>, Fault> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.fault("expected a value"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn number(&mut self) -> Result<Value<'t>, Fault> {
        let rest = &self.text[self.at..];
        let is_part = |c: char| matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E');
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let number = serde_json::from_str(&rest[..end]);
        let number = number.map_err(|_| self.fault("this is no number"))?;
        self.at += end;
        Ok(Value::Number(number))
    }

    fn string(&mut self) -> Result<Cow<'t, str>, Fault> {
        let rest = &self.text[self.at..];
        let mut escaped = false;
        let mut bytes = rest.bytes().enumerate().skip(1);
        while let Some((index, byte)) = bytes.next() {
            match byte {
                b'"' => {
                    let text = match escaped {
                        false => Cow::Borrowed(&rest[1..index]),
                        true => serde_json::from_str(&rest[..=index])
                            .map(Cow::Owned)
                            .map_err(|_| self.fault("this text has an escape that JSON lacks"))?,
                    };
                    self.at += index + 1;
                    return Ok(text);
                }
                b'\\' => {
                    escaped = true;
                    bytes.next();
                }
                0..=0x1f => return Err(self.fault("this text holds a control character")),
                _ => {}
            }
        }
        Err(self.fault("this text has no end"))
    }
}
