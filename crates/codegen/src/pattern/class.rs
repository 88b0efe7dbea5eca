//! What stands between square brackets.

use super::Reader;
use super::escape::Escaped;

/// The signs that keep their backslash in a class.
const SYNTAX: &str = "^$\\.*+?()[]{}|/-";

impl Reader<'_> {
    /// After the `[`, up to its `]`.
    pub(super) fn class(&mut self) -> Result<(), String> {
        self.written.push('[');
        if self.take("^") {
            self.written.push('^');
        }
        // To JavaScript it would be an empty class, to others the bracket itself.
        if self.rest.starts_with(']') {
            return Err("a class that begins with `]` is read in two ways".to_owned());
        }
        loop {
            if self.rest.starts_with("[:") {
                return Err("classes such as `[:alpha:]` are not known there".to_owned());
            }
            if self.take("]") {
                self.written.push(']');
                return Ok(());
            }
            let from = self.member()?;
            self.put(&from);
            if !self.rest.starts_with('-') || self.rest.starts_with("-]") {
                continue;
            }
            self.next();
            let to = self.member()?;
            match (&from, &to) {
                (Escaped::One(_, from), Escaped::One(_, to)) if from > to => {
                    return Err(format!("the range from `{from}` to `{to}` is backwards"));
                }
                (Escaped::One(..), Escaped::One(..)) => self.written.push('-'),
                // No range: the hyphen is itself.
                (Escaped::Set(_), _) | (_, Escaped::Set(_)) => self.written.push_str("\\-"),
            }
            self.put(&to);
        }
    }

    fn member(&mut self) -> Result<Escaped, String> {
        match self.next() {
            None => Err("a class has no `]`".to_owned()),
            Some('\\') if self.take("b") => Ok(Escaped::One("\\b".to_owned(), '\u{8}')),
            Some('\\') => self.escaped(SYNTAX),
            Some(sign) if SYNTAX.contains(sign) && sign != '.' => {
                Ok(Escaped::One(format!("\\{sign}"), sign))
            }
            Some(letter) => Ok(Escaped::One(letter.to_string(), letter)),
        }
    }

    fn put(&mut self, member: &Escaped) {
        match member {
            Escaped::One(written, _) | Escaped::Set(written) => self.written.push_str(written),
        }
    }
}
