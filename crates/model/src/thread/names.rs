//! What people call things: projects, keys, names, authors, tags, and what they may be.

use std::fmt;

use crate::limits::{
    AUTHOR_CHARS_MAX, CONTENT_CHARS_MAX, KEY_CHARS_MAX, NAME_CHARS_MAX, NOTE_CHARS_MAX,
    PROJECT_CHARS_MAX, TAG_CHARS_MAX,
};

/// A short text that a thread op carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NameKind {
    Project,
    Key,
    Name,
    Author,
    Tag,
    Note,
}

/// Why a short text is not what it is meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("{kind} is empty")]
    Empty { kind: NameKind },
    #[error("{kind} has {chars} characters, more than the {max} allowed")]
    TooLong {
        kind: NameKind,
        chars: usize,
        max: usize,
    },
    #[error("{kind} has a control character")]
    Control { kind: NameKind },
    #[error("project has a '/', which parts project and key")]
    SlashInProject,
}

impl NameError {
    /// What was checked.
    pub const fn kind(&self) -> NameKind {
        match self {
            Self::Empty { kind } | Self::TooLong { kind, .. } | Self::Control { kind } => *kind,
            Self::SlashInProject => NameKind::Project,
        }
    }
}

impl NameKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Key => "key",
            Self::Name => "name",
            Self::Author => "author",
            Self::Tag => "tag",
            Self::Note => "note",
        }
    }

    /// The longest text of this kind, in characters.
    pub const fn chars_max(self) -> usize {
        match self {
            Self::Project => PROJECT_CHARS_MAX,
            Self::Key => KEY_CHARS_MAX,
            Self::Name => NAME_CHARS_MAX,
            Self::Author => AUTHOR_CHARS_MAX,
            Self::Tag => TAG_CHARS_MAX,
            Self::Note => NOTE_CHARS_MAX,
        }
    }

    /// Checks `text` before it goes into an op.
    pub fn check(self, text: &str) -> Result<(), NameError> {
        if text.trim().is_empty() {
            return Err(NameError::Empty { kind: self });
        }
        let (chars, max) = (text.chars().count(), self.chars_max());
        if chars > max {
            return Err(NameError::TooLong {
                kind: self,
                chars,
                max,
            });
        }
        if text.chars().any(char::is_control) {
            return Err(NameError::Control { kind: self });
        }
        if self == Self::Project && text.contains('/') {
            return Err(NameError::SlashInProject);
        }
        Ok(())
    }
}

impl fmt::Display for NameKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a text is no entry's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    #[error("content is empty")]
    Empty,
    #[error("content has {chars} characters, more than the {CONTENT_CHARS_MAX} allowed")]
    TooLong { chars: usize },
}

/// Checks an entry's content before it goes into an op. Any character may stand in it.
pub fn check_content(content: &str) -> Result<(), ContentError> {
    if content.is_empty() {
        return Err(ContentError::Empty);
    }
    // Few texts are near the limit: those with fewer bytes than it need no counting.
    if content.len() > CONTENT_CHARS_MAX {
        let chars = content.chars().count();
        if chars > CONTENT_CHARS_MAX {
            return Err(ContentError::TooLong { chars });
        }
    }
    Ok(())
}

/// The key that a name gives: lower case, with `-` for all but letters, digits, `.`, `_` and `-`.
pub fn key_from_name(name: &str) -> String {
    let lower = name.trim().to_lowercase();
    lower
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || matches!(c, '.' | '_' | '-') {
                c
            } else {
                '-'
            }
        })
        .collect()
}
