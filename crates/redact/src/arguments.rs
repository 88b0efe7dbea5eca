//! The strings of a JSON array as what a command is called with: `["mysql", "--password", "…"]`.

use super::scan::STANDARD;
use super::shape::Alphabet;
use super::values::Style;
use super::{Hit, Kind, assignments, marked, names};

/// The strings that an array has had so far.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Arguments {
    /// Those that are plain words, and [`OTHER`] for each other one, behind a blank each.
    line: String,
    /// Whether a flag is among them.
    flagged: bool,
}

/// What stands for an argument that is no plain word, and so tells nothing of those behind it.
const OTHER: &str = "x";
/// Names of programs and flags are no longer.
pub(super) const WORD_BYTES_MAX: usize = 64;
/// Of a command no more than this is looked back at.
const LINE_BYTES_MAX: usize = 256;
/// No password is longer.
const ARGUMENT_BYTES_MAX: usize = 1024;
/// How far behind its flag a password may be: `htpasswd -b file name password`.
const WORDS_BACK: usize = 3;

impl Arguments {
    /// Those of an array beside which a program is named.
    pub(super) fn of(program: Option<&str>) -> Self {
        let mut arguments = Self::default();
        if let Some(program) = program {
            arguments.push(program);
        }
        arguments
    }

    pub(super) fn push(&mut self, argument: &str) {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:=@%+\\".contains(&byte);
        let is_plain =
            (1..=WORD_BYTES_MAX).contains(&argument.len()) && argument.bytes().all(plain);
        self.flagged |= is_plain && argument.starts_with('-');
        self.line.push(' ');
        self.line.push_str(if is_plain { argument } else { OTHER });
    }

    /// Whether a flag is among them, or `next`.
    pub(super) fn are_flagged(&self, next: &str) -> bool {
        self.flagged || next.starts_with('-')
    }

    /// The flag whose value the next argument is, if its name promises a secret.
    pub(super) fn promising_flag(&self) -> Option<&str> {
        let word = self.words().next()?;
        let is_name = word.starts_with('-') && !word.contains('=');
        (is_name && names::promise(word.as_bytes()).is_some()).then_some(word)
    }

    /// The secret in `argument` that a flag before it, or at its begin, gives away.
    pub(super) fn hit(&self, argument: &str) -> Option<Hit<'static>> {
        if let Some(hit) = named(argument) {
            return Some(hit);
        }
        let mut words = self.words().take(WORDS_BACK);
        let marked = marked::takes_password(argument) || words.any(marked::takes_password);
        if !marked || argument.len() > ARGUMENT_BYTES_MAX {
            return None;
        }
        let line = &self.line[self.line.len().saturating_sub(LINE_BYTES_MAX)..];
        // Its quotes are its own, and it ends where it ends.
        let own = argument.replace(['\'', '"', '`', '\n', '\r'], "#");
        let (flag, value) = own.split_at(flag_length(argument));
        let is_quoted = flag.is_empty() || value.find(' ').is_some_and(|blank| blank > 0);
        let quote = if is_quoted { "'" } else { "" };
        let command = [line, " ", flag, quote, value, quote].concat();
        let start = line.len() + 1 + quote.len();
        // What a word farther back begins ends before it.
        let near = line.rmatch_indices(' ').take(WORDS_BACK).last();
        let near = near.map_or(0, |(blank, _)| blank);
        let mut hits = STANDARD.marked(command.as_bytes(), near).into_iter();
        let hit = hits.find(|hit| {
            let told = matches!(hit.kind, Kind::Command | Kind::Header);
            told && hit.range.start >= start + flag.len() && hit.range.end <= start + own.len()
        })?;
        let end = match hit.kind == Kind::Command {
            true => argument.len(),
            false => hit.range.end - start,
        };
        Some(Hit {
            range: hit.range.start - start..end,
            ..hit
        })
    }

    /// The words of the line, the last one first.
    fn words(&self) -> impl Iterator<Item = &str> {
        self.line.rsplit(' ')
    }
}

/// The value in an argument that begins with its name, if that promises a secret: `--db-password=…`.
fn named(argument: &str) -> Option<Hit<'static>> {
    let (name, value) = argument.split_once('=')?;
    let is_flag = name.starts_with('-') && Alphabet::Dotted.run(name.as_bytes()) == name.len();
    let (rule, kind) = is_flag.then(|| assignments::member(name, value, Style::Argument))??;
    Some(Hit {
        rule,
        kind,
        range: name.len() + 1..argument.len(),
    })
}

/// The length of the flag that an argument begins with, its value behind it: `-p…`, `--user=…`.
fn flag_length(argument: &str) -> usize {
    match argument.as_bytes() {
        [b'-', b'-', ..] => argument
            .find('=')
            .map_or(argument.len(), |equals| equals + 1),
        [b'-', letter, ..] if letter.is_ascii() => 2,
        _ => 0,
    }
}
