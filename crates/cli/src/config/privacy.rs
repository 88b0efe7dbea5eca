//! The lists of a profile that say what of agents' sessions is not recorded.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use syncline_capture::agent::{Agent, AgentError};
use syncline_capture::privacy::{Exclusions, Glob, GlobError, Privacy};
use syncline_capture::redact::{OwnPattern, RedactOptions, RedactOptionsError, Redactor};

/// A list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PrivacyKey {
    /// Patterns of secrets, each `NAME=REGEX`.
    RedactPatterns,
    /// Names of built-in rules that find nothing.
    RedactOff,
    /// Directories and files.
    ExcludePaths,
    /// Names of projects.
    ExcludeProjects,
    /// Names of agents.
    ExcludeAgents,
}

impl PrivacyKey {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::RedactPatterns => "redact_patterns",
            Self::RedactOff => "redact_off",
            Self::ExcludePaths => "exclude_paths",
            Self::ExcludeProjects => "exclude_projects",
            Self::ExcludeAgents => "exclude_agents",
        }
    }
}

/// Why a list can't be set. Texts are not repeated but for names: a pattern may hold what it is to find.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PrivacyError {
    #[error("it must be one text, or a JSON array of texts")]
    Shape,
    #[error("a pattern must be NAME=REGEX")]
    Pattern,
    #[error("{0}")]
    Redaction(String),
    #[error(transparent)]
    Glob(#[from] GlobError),
    #[error(transparent)]
    Agent(#[from] AgentError),
}

impl From<RedactOptionsError> for PrivacyError {
    fn from(error: RedactOptionsError) -> Self {
        let cause = std::error::Error::source(&error);
        Self::Redaction(match cause {
            // What is wrong stands in its last line, below a picture of the pattern.
            Some(cause) => {
                let cause = cause.to_string();
                let last = cause.lines().last().unwrap_or_default();
                format!("{error}: {}", last.trim_start_matches("error: "))
            }
            None => error.to_string(),
        })
    }
}

/// The checked value of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PrivacyList {
    key: PrivacyKey,
    texts: Vec<String>,
}

/// All lists of a profile.
pub(crate) type PrivacyLists = BTreeMap<PrivacyKey, Vec<String>>;

impl PrivacyList {
    /// Reads one text, or a JSON array of them.
    pub(super) fn parse(key: PrivacyKey, text: &str) -> Result<Self, PrivacyError> {
        let text = text.trim();
        let texts = match text.starts_with('[') {
            true => serde_json::from_str(text).map_err(|_| PrivacyError::Shape)?,
            false if text.is_empty() => return Err(PrivacyError::Shape),
            false => vec![text.to_owned()],
        };
        // As it will be used, so that what is set can be used.
        privacy(&PrivacyLists::from([(key, texts.clone())]), None)?;
        Ok(Self { key, texts })
    }

    pub(super) fn of(key: PrivacyKey, texts: Vec<String>) -> Self {
        Self { key, texts }
    }

    pub(super) const fn key(&self) -> PrivacyKey {
        self.key
    }

    pub(crate) fn texts(&self) -> &[String] {
        &self.texts
    }
}

impl fmt::Display for PrivacyList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.texts.as_slice() {
            [text] => f.write_str(text),
            texts => {
                let texts = serde_json::to_string(texts).expect("texts are written as JSON");
                f.write_str(&texts)
            }
        }
    }
}

/// What the lists come to; a path that begins with `~/` begins at `home`.
pub(crate) fn privacy(lists: &PrivacyLists, home: Option<&Path>) -> Result<Privacy, PrivacyError> {
    let (redact, exclusions) = privacy_rules(lists, home)?;
    Ok(Privacy::new(Redactor::new(&redact)?, exclusions))
}

/// The same, as rules that can be compared.
pub(crate) fn privacy_rules(
    lists: &PrivacyLists,
    home: Option<&Path>,
) -> Result<(RedactOptions, Exclusions), PrivacyError> {
    let texts = |key| lists.get(&key).map(Vec::as_slice).unwrap_or_default();
    let mut own = Vec::new();
    for text in texts(PrivacyKey::RedactPatterns) {
        let (name, pattern) = text.split_once('=').ok_or(PrivacyError::Pattern)?;
        own.push(OwnPattern {
            name: name.trim().to_owned(),
            pattern: pattern.to_owned(),
        });
    }
    let redact = RedactOptions {
        own,
        off: texts(PrivacyKey::RedactOff).to_vec(),
    };
    let globs = |key| -> Result<Vec<Glob>, GlobError> {
        let texts = texts(key).iter();
        let globs = texts.map(|text| Ok(text.parse::<Glob>()?.at_home(home)));
        globs.collect()
    };
    let agents = texts(PrivacyKey::ExcludeAgents).iter();
    let agents = agents.map(|text| Ok(text.parse::<Agent>()?.as_str().to_owned()));
    let exclusions = Exclusions {
        agents: agents.collect::<Result<_, AgentError>>()?,
        projects: globs(PrivacyKey::ExcludeProjects)?,
        paths: globs(PrivacyKey::ExcludePaths)?,
    };
    Ok((redact, exclusions))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(key: PrivacyKey, text: &str) -> Result<Vec<String>, String> {
        let list = PrivacyList::parse(key, text);
        list.map(|list| list.texts)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_list_is_one_text_or_an_array_of_them() {
        let one = parse(PrivacyKey::ExcludePaths, "/w/a b");
        assert_eq!(one, Ok(vec!["/w/a b".to_owned()]));
        let two = parse(PrivacyKey::ExcludeProjects, r#"["a", "b*"]"#);
        assert_eq!(two, Ok(vec!["a".to_owned(), "b*".to_owned()]));
        for text in ["", "[1]", "[\"a\"", "[\"\"]"] {
            assert!(parse(PrivacyKey::ExcludePaths, text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_a_path_may_not_have_a_home_may() {
        let lists =
            |text: &str| PrivacyLists::from([(PrivacyKey::ExcludePaths, vec![text.to_owned()])]);
        let home = Some(Path::new("/home/me [work]"));
        let (_, exclusions) = privacy_rules(&lists("~/clients/*"), home).unwrap();
        let paths: Vec<_> = exclusions.paths.iter().map(Glob::to_string).collect();
        assert_eq!(paths, ["/home/me [work]/clients/*"]);
        assert!(privacy_rules(&lists("~/clients [a]"), home).is_err());
    }

    #[test]
    fn a_pattern_that_cannot_be_used_is_refused_with_why() {
        let error = parse(PrivacyKey::RedactPatterns, "ticket=T-[0-9").unwrap_err();
        assert!(
            error.contains("ticket") && error.contains("unclosed"),
            "{error}"
        );
        for (text, why) in [
            ("T-[0-9]+", "NAME=REGEX"),
            ("Bad Name=x", "Bad Name"),
            ("any=x*", "empty text"),
        ] {
            let error = parse(PrivacyKey::RedactPatterns, text).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        assert!(parse(PrivacyKey::RedactOff, "no-such-rule").is_err());
        assert!(parse(PrivacyKey::ExcludeAgents, "clippy").is_err());
    }
}
