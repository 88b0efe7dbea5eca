//! What the texts of lists and items may be.

use std::fmt;

use crate::limits::{ITEM_NOTE_CHARS_MAX, ITEM_TEXT_CHARS_MAX, TITLE_CHARS_MAX};

/// A text of a list or an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextKind {
    /// A list's title: one line, not blank.
    Title,
    /// An item's text: any lines, not blank.
    Text,
    /// An item's note: any lines, or none.
    Note,
}

/// Why a text is not what it is meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    #[error("{kind} is empty")]
    Blank { kind: TextKind },
    #[error("{kind} has {chars} characters, more than the {max} allowed")]
    TooLong {
        kind: TextKind,
        chars: usize,
        max: usize,
    },
    #[error("{kind} has a control character")]
    Control { kind: TextKind },
}

impl TextError {
    /// The stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Blank { .. } => "text_empty",
            Self::TooLong { .. } => "text_too_long",
            Self::Control { .. } => "text_control_character",
        }
    }
}

impl TextKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Text => "text",
            Self::Note => "note",
        }
    }

    /// The longest text of this kind, in characters.
    pub const fn chars_max(self) -> usize {
        match self {
            Self::Title => TITLE_CHARS_MAX,
            Self::Text => ITEM_TEXT_CHARS_MAX,
            Self::Note => ITEM_NOTE_CHARS_MAX,
        }
    }

    /// Checks what a person typed, before it goes into an op.
    pub fn check(self, text: &str) -> Result<(), TextError> {
        if self != Self::Note && text.trim().is_empty() {
            return Err(TextError::Blank { kind: self });
        }
        self.check_form(text)
    }

    /// Checks length and characters alone: a text that was there before may be blank. Lines may end
    /// and tabs stand in texts and notes; no other control character may.
    pub fn check_form(self, text: &str) -> Result<(), TextError> {
        let (chars, max) = (text.chars().count(), self.chars_max());
        if chars > max {
            return Err(TextError::TooLong {
                kind: self,
                chars,
                max,
            });
        }
        let allowed = |c| self != Self::Title && matches!(c, '\n' | '\t');
        if text.chars().any(|c| c.is_control() && !allowed(c)) {
            return Err(TextError::Control { kind: self });
        }
        Ok(())
    }
}

impl fmt::Display for TextKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
