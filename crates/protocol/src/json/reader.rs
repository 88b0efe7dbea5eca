//! A reader that moves through a text once.

use std::borrow::Cow;

use super::token::{Kind, Token};
use crate::scan::{find_special, skip_whitespace};

/// Why a text is no JSON, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at byte {at}")]
pub(crate) struct SyntaxError {
    pub(crate) at: usize,
    pub(crate) expected: &'static str,
}

/// A place in a JSON text.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// The brackets that are open in the value that is passed over: allocated once for all of them.
    open: Vec<u8>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            open: Vec::new(),
        }
    }

    /// How many bytes are not read yet.
    pub(crate) fn left(&self) -> usize {
        self.text.len() - self.at
    }

    /// Checks that nothing but whitespace is left.
    pub(crate) fn end(&mut self) -> Result<(), SyntaxError> {
        self.skip_whitespace();
        if self.at == self.text.len() {
            Ok(())
        } else {
            Err(self.expected("the end"))
        }
    }

    /// Reads an object, and shows each field's name to `field`, which reads its value.
    pub(crate) fn object<E: From<SyntaxError>>(
        &mut self,
        mut field: impl FnMut(&mut Self, Cow<'a, str>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.byte(b'{', "an object")?;
        if self.try_byte(b'}') {
            return Ok(());
        }
        loop {
            let name = self.name()?;
            self.byte(b':', "a colon")?;
            field(self, name)?;
            if self.try_byte(b'}') {
                return Ok(());
            }
            self.byte(b',', "a comma or the object's end")?;
        }
    }

    /// Reads an array; `element` reads each of its values.
    pub(crate) fn array<E: From<SyntaxError>>(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        self.byte(b'[', "an array")?;
        if self.try_byte(b']') {
            return Ok(());
        }
        loop {
            element(self)?;
            if self.try_byte(b']') {
                return Ok(());
            }
            self.byte(b',', "a comma or the array's end")?;
        }
    }

    /// Whether the next value is an array, or an object.
    pub(crate) fn at_byte(&mut self, byte: u8) -> bool {
        self.skip_whitespace();
        self.text.as_bytes().get(self.at) == Some(&byte)
    }

    /// Reads the next value, whatever it is.
    pub(crate) fn value(&mut self) -> Result<Token<'a>, SyntaxError> {
        self.skip_whitespace();
        let start = self.at;
        let kind = match self.peek() {
            Some(b'"') => self.string()?,
            Some(b'{' | b'[') => self.nested()?,
            _ => self.scalar()?,
        };
        Ok(Token {
            text: &self.text[start..self.at],
            kind,
        })
    }

    fn name(&mut self) -> Result<Cow<'a, str>, SyntaxError> {
        self.skip_whitespace();
        let start = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.expected("a field's name"));
        }
        let kind = self.string()?;
        let token = Token {
            text: &self.text[start..self.at],
            kind,
        };
        token.as_str().ok_or(SyntaxError {
            at: start,
            expected: "whole characters",
        })
    }

    /// Passes over an array or object without recursion: its depth is the sender's choice.
    fn nested(&mut self) -> Result<Kind, SyntaxError> {
        self.open.clear();
        let mut depth = 0;
        loop {
            // A value begins here.
            self.skip_whitespace();
            match self.peek() {
                Some(bracket @ (b'{' | b'[')) => {
                    self.at += 1;
                    self.open.push(bracket);
                    depth = depth.max(self.open.len());
                    let closing = if bracket == b'{' { b'}' } else { b']' };
                    if self.try_byte(closing) {
                        self.open.pop();
                    } else {
                        if bracket == b'{' {
                            self.field_name()?;
                        }
                        continue;
                    }
                }
                Some(b'"') => {
                    self.string()?;
                }
                _ => {
                    self.scalar()?;
                }
            }
            // A value has ended here.
            loop {
                let Some(&bracket) = self.open.last() else {
                    return Ok(Kind::Nested(depth));
                };
                let closing = if bracket == b'{' { b'}' } else { b']' };
                if self.try_byte(b',') {
                    if bracket == b'{' {
                        self.field_name()?;
                    }
                    break;
                }
                self.byte(closing, "a comma or the end of what is open")?;
                self.open.pop();
            }
        }
    }

    fn field_name(&mut self) -> Result<(), SyntaxError> {
        self.skip_whitespace();
        if self.peek() != Some(b'"') {
            return Err(self.expected("a field's name"));
        }
        self.string()?;
        self.byte(b':', "a colon")
    }

    fn string(&mut self) -> Result<Kind, SyntaxError> {
        let bytes = self.text.as_bytes();
        let mut kind = Kind::PlainString;
        self.at += 1;
        loop {
            self.at = find_special(bytes, self.at);
            match bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(kind);
                }
                Some(b'\\') => {
                    kind = Kind::EscapedString;
                    self.escape()?;
                }
                Some(_) => return Err(self.expected("no bare control character")),
                None => return Err(self.expected("the string's end")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), SyntaxError> {
        let rest = &self.text.as_bytes()[self.at + 1..];
        match rest.first() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u')
                if rest
                    .get(1..5)
                    .is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) =>
            {
                self.at += 6;
            }
            _ => return Err(self.expected("an escape")),
        }
        Ok(())
    }

    fn scalar(&mut self) -> Result<Kind, SyntaxError> {
        let rest = &self.text.as_bytes()[self.at..];
        for (word, kind) in [
            ("null", Kind::Null),
            ("true", Kind::True),
            ("false", Kind::False),
        ] {
            if rest.starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(kind);
            }
        }
        match number_length(rest) {
            Some(length) => {
                self.at += length;
                Ok(Kind::Number)
            }
            None => Err(self.expected("a value")),
        }
    }

    fn byte(&mut self, byte: u8, expected: &'static str) -> Result<(), SyntaxError> {
        if self.try_byte(byte) {
            Ok(())
        } else {
            Err(self.expected(expected))
        }
    }

    fn try_byte(&mut self, byte: u8) -> bool {
        self.skip_whitespace();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_whitespace(&mut self) {
        self.at = skip_whitespace(self.text.as_bytes(), self.at);
    }

    fn expected(&self, expected: &'static str) -> SyntaxError {
        SyntaxError {
            at: self.at,
            expected,
        }
    }
}

/// The length of the number that `bytes` begins with.
fn number_length(bytes: &[u8]) -> Option<usize> {
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let mut at = usize::from(bytes.first() == Some(&b'-'));
    at += match (bytes.get(at), digits(at)) {
        (_, 0) => return None,
        // No further digit may follow a leading zero; one that does is no part of the number.
        (Some(b'0'), _) => 1,
        (_, count) => count,
    };
    if bytes.get(at) == Some(&b'.') {
        let count = digits(at + 1);
        if count == 0 {
            return None;
        }
        at += 1 + count;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let count = digits(at + 1 + sign);
        if count == 0 {
            return None;
        }
        at += 1 + sign + count;
    }
    Some(at)
}

#[cfg(test)]
mod tests;
