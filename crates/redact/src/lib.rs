//! Secrets taken out of what agents said and did, before anything is written.
//!
//! A [`Redactor`] is built once and shared: it is pure, takes no lock, and reads a text once unless
//! something in it looks like a secret. **Importers and hooks** call it on every text before they build
//! an op from it, and never keep the text that they gave:
//!
//! ```
//! use syncline_redact::Redactor;
//!
//! let redactor = Redactor::standard();
//! // A message's text, a thought, a tool's output, a title, a command, an error's message:
//! let password = format!("PGPASSWORD={}", "x9!kQ2vLp");
//! let part = redactor.redact_text(&password);
//! assert_eq!(part.text, "PGPASSWORD=[redacted:password]");
//! assert_eq!(part.findings[0].rule, "password");
//! // A tool's input or structured output, whose keys tell what their values are:
//! let input = serde_json::json!({"env": {"api_key": format!("{}{}", "9f8a7c6b5d4e", "3f2a1b0c")}});
//! let input = redactor.redact_json(&input);
//! assert_eq!(input.value["env"]["api_key"], "[redacted:secret]");
//! assert_eq!(input.findings[0].pointer.as_deref(), Some("/env/api_key"));
//! ```
//!
//! A raw line that is kept goes through [`Redactor::redact_raw`], which changes strings alone, and a torn
//! one through [`Redactor::redact_as_json`]. What is split into parts before it comes here can't be found: give
//! whole texts. The counts of findings may be logged and stored; the texts that went in may not.
//!
//! # What is found
//!
//! Tokens by their issuers' marks, private keys in armour, values that a name before them gives away
//! (judged by how random they look), and what headers, URLs and command lines carry. Each is also found
//! with its escapes (JSON, URLs, HTML, terminals) and broken over lines or chunks of strings: the places
//! where that may be are looked at again with escapes undone and pieces joined. Left alone are digests,
//! UUIDs without a telling name, placeholders, and the numbers of cards, which are no machine's secrets.
//!
//! # What is kept
//!
//! A [`Finding`] says which rule found something, of what kind, and where its marker stands. It has no
//! digest of the secret: a short one could be guessed from it.

mod arguments;
mod assignments;
mod blocks;
mod command_start;
mod commands;
mod entropy;
mod folded;
mod inspect;
mod json;
mod jwk;
mod lines;
mod marked;
mod marks;
mod members;
mod names;
mod own;
mod rules;
mod scan;
mod seam;
mod separators;
mod shape;
mod splice;
mod surrogates;
#[cfg(test)]
mod tests;
mod values;
mod view;
mod words;

use std::borrow::Cow;
use std::cell::LazyCell;
use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::Value;
use serde_json::value::RawValue;

use arguments::Arguments;
use own::OwnRule;
pub use own::{OwnPattern, RedactOptionsError};
use splice::{apart_from, merged, replaced};
pub use surrogates::{mend_surrogates, read_json};

/// What a user may change about redaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RedactOptions {
    /// Patterns of the user's own.
    pub own: Vec<OwnPattern>,
    /// Names of rules that find nothing.
    pub off: Vec<String>,
}

/// Takes secrets out of texts.
#[derive(Debug, Default)]
pub struct Redactor {
    own: Vec<OwnRule>,
    off: BTreeSet<String>,
}

/// What kind of secret was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A private key in armour.
    PrivateKey,
    /// A token of a known issuer.
    Token,
    /// What a user's own pattern matches.
    Own,
    /// A password or token in a URL.
    Url,
    /// A credential in a header.
    Header,
    /// A password on a command line.
    Command,
    /// A value under a password's name.
    Password,
    /// A value under another telling name.
    Assigned,
    /// A value that its entropy gives away, and nothing else.
    Random,
}

/// A secret that was taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name, as in the marker.
    pub rule: Cow<'static, str>,
    /// What it is.
    pub kind: Kind,
    /// In JSON, the pointer to the string, of a long one its end behind `…`; nothing in plain text.
    pub pointer: Option<String>,
    /// Where the marker stands in the redacted text or string, in bytes.
    pub range: Range<usize>,
}

/// A text without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted<'t> {
    /// The text, borrowed if nothing was found.
    pub text: Cow<'t, str>,
    /// What was found, in the order of the text.
    pub findings: Vec<Finding>,
}

/// A JSON value without its secrets.
#[derive(Debug, Clone, PartialEq)]
pub struct RedactedJson {
    /// The value.
    pub value: Value,
    /// What was found, in the order of the value's text.
    pub findings: Vec<Finding>,
}

/// A JSON text without its secrets.
#[derive(Debug, Clone)]
pub struct RedactedRaw<'t> {
    /// The text, borrowed if nothing was found.
    pub raw: Cow<'t, RawValue>,
    /// What was found, in the order of the text.
    pub findings: Vec<Finding>,
}

/// A secret found in a text at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hit<'r> {
    rule: &'r str,
    kind: Kind,
    range: Range<usize>,
}

/// What a text is to the JSON around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Label<'n> {
    /// There is none.
    None,
    /// It is a key of an object.
    Key,
    /// It is the value that goes by this name.
    Member(&'n str),
    /// It stands in an array behind this flag, whose value it is.
    Flagged(&'n str),
    /// It stands behind these in an array, with a flag among them.
    Argument(&'n Arguments),
}

impl Label<'_> {
    /// Whether a text that looks random is an id: a single word, as a key, or by the name of ids.
    fn tells_an_id(self, text: &str) -> bool {
        let public = match self {
            Self::None | Self::Argument(_) => false,
            Self::Key => true,
            Self::Member(name) | Self::Flagged(name) => names::is_public(name.as_bytes()),
        };
        public && !text.bytes().any(|byte| byte.is_ascii_whitespace())
    }

    /// The secret of `text` that nothing in it tells.
    fn hit(self, text: &str) -> Option<Hit<'static>> {
        match self {
            Self::Member(name) if names::is_of_cookies(name.as_bytes()) => {
                marked::cookie(text.as_bytes(), 0)
            }
            Self::Argument(arguments) => arguments.hit(text),
            Self::None | Self::Key | Self::Member(_) | Self::Flagged(_) => None,
        }
    }
}

/// What begins every marker.
const MARKER: &str = "[redacted:";
/// After so many rounds nothing new comes to light but by design of the text.
const ROUNDS_MAX: usize = 16;

impl Redactor {
    /// The redactor of the standard rules.
    #[must_use]
    pub fn standard() -> Self {
        Self::default()
    }

    /// A redactor with a user's settings.
    ///
    /// # Errors
    /// When a pattern can't be used, or a rule to switch off is not known.
    pub fn new(options: &RedactOptions) -> Result<Self, RedactOptionsError> {
        let known = Self::rules();
        if let Some(rule) = options
            .off
            .iter()
            .find(|rule| !known.contains(rule.as_str()))
        {
            let rule = rule.clone();
            return Err(RedactOptionsError::UnknownRule { rule });
        }
        Ok(Self {
            own: options
                .own
                .iter()
                .map(OwnRule::new)
                .collect::<Result<_, _>>()?,
            off: options.off.iter().cloned().collect(),
        })
    }

    /// The names of the standard rules.
    #[must_use]
    pub fn rules() -> BTreeSet<&'static str> {
        const OTHERS: [&str; 15] = [
            "aws-secret-access-key",
            "basic-auth",
            "bearer-token",
            "command-password",
            "cookie",
            entropy::RULE,
            jwk::RULE,
            "mnemonic",
            "password",
            "private-key",
            "secret",
            "session",
            "url-password",
            "url-token",
            "one-time-seed",
        ];
        rules::all().map(|rule| rule.id).chain(OTHERS).collect()
    }

    /// The text with a marker in each secret's place.
    ///
    /// Redacting what comes out again changes nothing.
    #[must_use]
    pub fn redact_text<'t>(&self, text: &'t str) -> Redacted<'t> {
        self.redact(text, Label::None)
    }

    fn redact<'t>(&self, text: &'t str, label: Label<'_>) -> Redacted<'t> {
        let mut redacted = Redacted {
            text: Cow::Borrowed(text),
            findings: Vec::new(),
        };
        for _ in 0..ROUNDS_MAX {
            let hits = self.hits(&redacted.text, label);
            if hits.is_empty() {
                break;
            }
            let (text, findings) = replaced(&redacted.text, &hits, &redacted.findings);
            redacted.text = Cow::Owned(text);
            redacted.findings = findings;
        }
        redacted
    }

    /// The value with a marker in each secret's place, its strings judged by their keys too.
    #[must_use]
    pub fn redact_json(&self, value: &Value) -> RedactedJson {
        let walked = json::walk(self, &value.to_string());
        let clean = walked.text.map(|text| {
            serde_json::from_str(&text)
                .expect("strings put in the place of strings keep JSON valid")
        });
        RedactedJson {
            value: clean.unwrap_or_else(|| value.clone()),
            findings: walked.findings,
        }
    }

    /// The same of JSON text, of which everything but strings with secrets keeps its bytes.
    #[must_use]
    pub fn redact_raw<'t>(&self, raw: &'t RawValue) -> RedactedRaw<'t> {
        let walked = json::walk(self, raw.get());
        let clean = walked.text.map(|text| {
            RawValue::from_string(text)
                .expect("strings put in the place of strings keep JSON valid")
        });
        RedactedRaw {
            raw: clean.map_or(Cow::Borrowed(raw), Cow::Owned),
            findings: walked.findings,
        }
    }

    /// A text that begins as JSON and may be torn: its strings are judged as JSON's as far as they can be read,
    /// and then all of it is as a text.
    #[must_use]
    pub fn redact_as_json<'t>(&self, text: &'t str) -> Redacted<'t> {
        let walked = json::walk(self, text);
        let Some(clean) = walked.text else {
            return self.redact_text(text);
        };
        let rest = self.redact_text(&clean);
        Redacted {
            findings: [walked.findings, rest.findings].concat(),
            text: Cow::Owned(rest.text.into_owned()),
        }
    }

    fn is_on(&self, rule: &str) -> bool {
        !self.off.contains(rule)
    }

    /// The secrets of `text`, apart and in order, markers left out.
    fn hits<'r>(&'r self, text: &str, label: Label<'_>) -> Vec<Hit<'r>> {
        let mut hits: Vec<Hit<'r>> = inspect::hits(text.as_bytes());
        hits.extend(label.hit(text));
        hits.retain(|hit| {
            let random = hit.kind == Kind::Random;
            self.is_on(hit.rule) && !(random && label.tells_an_id(text))
        });
        for own in &self.own {
            hits.extend(own.hits(text));
        }
        if hits.is_empty() {
            return hits;
        }
        let hits = merged(text, hits);
        apart_from(&self.markers(text), hits)
    }

    /// The markers that stand in a text: those of known rules, as anything may stand in brackets.
    fn markers(&self, text: &str) -> Vec<Range<usize>> {
        let rules = LazyCell::new(Self::rules);
        text.match_indices(MARKER)
            .filter_map(|(start, _)| {
                let name = start + MARKER.len();
                let length = text[name..]
                    .bytes()
                    .take(41)
                    .position(|byte| byte == b']')?;
                let known = rules.contains(&text[name..name + length])
                    || self
                        .own
                        .iter()
                        .any(|own| own.name() == &text[name..name + length]);
                known.then_some(start..name + length + 1)
            })
            .collect()
    }
}

impl Finding {
    fn new(rule: &str, kind: Kind, range: Range<usize>) -> Self {
        Self {
            rule: Cow::Owned(rule.to_owned()),
            kind,
            pointer: None,
            range,
        }
    }

    /// The finding where it stands when what stood at `from` stands at `to`.
    fn moved(&self, from: usize, to: usize) -> Self {
        let start = self.range.start - from + to;
        Self {
            range: start..start + self.range.len(),
            ..self.clone()
        }
    }
}

fn marker(rule: &str) -> String {
    format!("{MARKER}{rule}]")
}
