//! Patterns of users, checked when they are read.

use regex::{Regex, RegexBuilder};

use super::{Hit, Kind};

/// A user's pattern and the name that its markers carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnPattern {
    /// Small letters, digits and `-`, at most 40 of them.
    pub name: String,
    /// A regular expression in the syntax of the `regex` crate. A group named `secret` is what is
    /// replaced; without one, the whole match is.
    pub pattern: String,
}

/// Why settings of redaction can't be used.
#[derive(Debug, thiserror::Error)]
pub enum RedactOptionsError {
    /// The name would make a marker that can't be read.
    #[error(
        "the name {name:?} of a redaction pattern is not 1 to 40 small letters, digits and `-`"
    )]
    Name { name: String },
    /// The pattern is not a regular expression, or too big a one.
    #[error("the redaction pattern {name:?} is not a regular expression that can be used")]
    Pattern {
        name: String,
        #[source]
        source: Box<regex::Error>,
    },
    /// The pattern would replace nothing, everywhere.
    #[error("the redaction pattern {name:?} matches the empty text")]
    MatchesNothing { name: String },
    /// No rule of this name can be switched off.
    #[error("there is no redaction rule {rule:?} to switch off")]
    UnknownRule { rule: String },
}

/// A pattern made ready.
#[derive(Debug)]
pub(super) struct OwnRule {
    name: String,
    pattern: Regex,
}

/// A compiled pattern takes no more memory than this.
const PATTERN_BYTES_MAX: usize = 4 << 20;

impl OwnRule {
    pub(super) fn new(own: &OwnPattern) -> Result<Self, RedactOptionsError> {
        let name = own.name.clone();
        let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if name.is_empty() || name.len() > 40 || !name.bytes().all(fits) {
            return Err(RedactOptionsError::Name { name });
        }
        let pattern = RegexBuilder::new(&own.pattern)
            .size_limit(PATTERN_BYTES_MAX)
            .dfa_size_limit(PATTERN_BYTES_MAX)
            .build();
        match pattern {
            Ok(pattern) if pattern.is_match("") => Err(RedactOptionsError::MatchesNothing { name }),
            Ok(pattern) => Ok(Self { name, pattern }),
            Err(source) => Err(RedactOptionsError::Pattern {
                name,
                source: Box::new(source),
            }),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Every match in `text`.
    pub(super) fn hits<'r>(&'r self, text: &str) -> Vec<Hit<'r>> {
        let mut hits = Vec::new();
        for captures in self.pattern.captures_iter(text) {
            let found = captures.name("secret").or_else(|| captures.get(0));
            if let Some(found) = found.filter(|found| !found.is_empty()) {
                hits.push(Hit {
                    rule: &self.name,
                    kind: Kind::Own,
                    range: found.range(),
                });
            }
        }
        hits
    }
}
