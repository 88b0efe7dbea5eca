//! A document's `pattern` as a regular expression of JavaScript under its `u` flag.
//!
//! OpenAPI asks for JavaScript's expressions; documents come from Python, Java and Go. What means the same there
//! is written as JavaScript has it, the rest is told: an expression that JavaScript can't read would end the page
//! that holds it.

mod class;
mod escape;

use std::collections::BTreeSet;

/// A regular expression that JavaScript reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) source: String,
    /// `u`, and what the expression asks for at its beginning.
    pub(crate) flags: String,
}

/// Reads `text`. What JavaScript has no word for is the error, lower case.
pub(crate) fn read(text: &str) -> Result<Pattern, String> {
    let (rest, flags) = flags_of(text)?;
    let mut reader = Reader {
        rest,
        written: String::new(),
        groups: 0,
        names: BTreeSet::new(),
        named: Vec::new(),
        numbered: 0,
    };
    reader.alternatives(0)?;
    if !reader.rest.is_empty() {
        return Err("a `)` closes nothing".to_owned());
    }
    if reader.numbered > reader.groups {
        return Err(format!("there is no group {}", reader.numbered));
    }
    if let Some(name) = reader
        .named
        .iter()
        .find(|name| !reader.names.contains(*name))
    {
        return Err(format!("there is no group `{name}`"));
    }
    Ok(Pattern {
        source: reader.written,
        flags,
    })
}

/// How deep groups may lie in one another.
const DEPTH_MAX: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Term {
    Atom,
    /// It can't be repeated.
    Assertion,
}

struct Reader<'t> {
    rest: &'t str,
    written: String,
    groups: u32,
    names: BTreeSet<String>,
    /// The groups that are referred to, and the highest number of one.
    named: Vec<String>,
    numbered: u32,
}

/// Flags for the whole expression, as Python, Go and Rust write them before it.
fn flags_of(text: &str) -> Result<(&str, String), String> {
    let Some((flags, rest)) = text
        .strip_prefix("(?")
        .and_then(|rest| rest.split_once(')'))
        .filter(|(flags, _)| !flags.is_empty() && flags.chars().all(|c| c.is_ascii_lowercase()))
    else {
        return Ok((text, "u".to_owned()));
    };
    let mut all = BTreeSet::from(['u']);
    for flag in flags.chars() {
        if !matches!(flag, 'i' | 'm' | 's' | 'u') {
            return Err(format!("the flag `{flag}` is not known there"));
        }
        all.insert(flag);
    }
    Ok((rest, all.into_iter().collect()))
}

impl Reader<'_> {
    fn take(&mut self, prefix: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(prefix) else {
            return false;
        };
        self.rest = rest;
        true
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest.chars().next()?;
        self.rest = &self.rest[next.len_utf8()..];
        Some(next)
    }

    /// Up to the end, or to the `)` of the group that they are in.
    fn alternatives(&mut self, depth: usize) -> Result<(), String> {
        if depth > DEPTH_MAX {
            return Err(format!("groups are nested over {DEPTH_MAX} deep"));
        }
        while let Some(next) = self.rest.chars().next().filter(|next| *next != ')') {
            if next == '|' {
                self.next();
                self.written.push('|');
                continue;
            }
            let term = self.term(depth)?;
            self.quantifier(term)?;
        }
        Ok(())
    }

    fn term(&mut self, depth: usize) -> Result<Term, String> {
        match self.next() {
            Some('(') => self.group(depth),
            Some('[') => self.class().map(|()| Term::Atom),
            Some('\\') => self.escape(),
            Some(sign @ ('^' | '$')) => {
                self.written.push(sign);
                Ok(Term::Assertion)
            }
            Some('*' | '+' | '?') => Err("nothing to repeat".to_owned()),
            // Text where it counts nothing.
            Some(bracket @ ('{' | '}' | ']')) => {
                self.written.push('\\');
                self.written.push(bracket);
                Ok(Term::Atom)
            }
            Some(letter) => {
                self.written.push(letter);
                Ok(Term::Atom)
            }
            None => Ok(Term::Assertion),
        }
    }

    fn group(&mut self, depth: usize) -> Result<Term, String> {
        let mut term = Term::Atom;
        if self.take("?P=") {
            let name = self.name(')')?;
            self.written.push_str(&format!("\\k<{name}>"));
            self.named.push(name);
            return Ok(Term::Atom);
        }
        let assertions = ["?=", "?!", "?<=", "?<!"];
        if let Some(opening) = assertions.into_iter().find(|opening| self.take(opening)) {
            term = Term::Assertion;
            self.written.push('(');
            self.written.push_str(opening);
        } else if self.take("?:") {
            self.written.push_str("(?:");
        } else if self.take("?P<") || self.take("?<") {
            let name = self.name('>')?;
            self.written.push_str(&format!("(?<{name}>"));
            self.groups += 1;
            if !self.names.insert(name.clone()) {
                return Err(format!("two groups are called `{name}`"));
            }
        } else if self.rest.starts_with('?') {
            let opening: String = self.rest.chars().take(3).collect();
            return Err(format!("`({opening}` is not known there"));
        } else {
            self.groups += 1;
            self.written.push('(');
        }
        self.alternatives(depth + 1)?;
        if !self.take(")") {
            return Err("a group is not closed".to_owned());
        }
        self.written.push(')');
        Ok(term)
    }

    fn name(&mut self, end: char) -> Result<String, String> {
        let Some((name, rest)) = self.rest.split_once(end) else {
            return Err("the name of a group has no end".to_owned());
        };
        let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_name {
            return Err(format!("`{name}` is no name of a group"));
        }
        self.rest = rest;
        Ok(name.to_owned())
    }

    fn quantifier(&mut self, term: Term) -> Result<(), String> {
        let before = self.written.len();
        if let Some(sign) = ["*", "+", "?"].into_iter().find(|sign| self.take(sign)) {
            self.written.push_str(sign);
        } else if let Some(counts) = counts_of(self.rest) {
            if is_backwards(counts) {
                return Err(format!("`{{{counts}}}` counts backwards"));
            }
            self.written.push_str(&format!("{{{counts}}}"));
            self.rest = &self.rest[counts.len() + 2..];
        }
        if self.written.len() == before {
            return Ok(());
        }
        if term == Term::Assertion {
            return Err("nothing to repeat".to_owned());
        }
        if self.take("?") {
            self.written.push('?');
        }
        if self.rest.starts_with(['*', '+', '?']) || counts_of(self.rest).is_some() {
            return Err("what is repeated can't be repeated again".to_owned());
        }
        Ok(())
    }
}

/// The counts of `{2}`, `{2,}` or `{2,5}` at the beginning of a text.
fn counts_of(rest: &str) -> Option<&str> {
    let (counts, _) = rest.strip_prefix('{')?.split_once('}')?;
    let (least, most) = counts.split_once(',').unwrap_or((counts, ""));
    let is_number = |text: &str| text.chars().all(|digit| digit.is_ascii_digit());
    (!least.is_empty() && is_number(least) && is_number(most)).then_some(counts)
}

fn is_backwards(counts: &str) -> bool {
    let (least, most) = counts.split_once(',').unwrap_or((counts, ""));
    // As numbers of any length are compared.
    let trimmed = |text: &str| {
        let digits = text.trim_start_matches('0').to_owned();
        (digits.len(), digits)
    };
    !most.is_empty() && trimmed(most) < trimmed(least)
}
