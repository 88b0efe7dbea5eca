//! Titles of sessions, by who gave them.

use serde::{Deserialize, Serialize};
use syncline_model::session::Precedence;

/// How good a title is; a better one is not replaced by a lesser.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TitleRank {
    /// There is none.
    #[default]
    None,
    /// The beginning of the first prompt.
    Prompt,
    /// A summary that stands in another session's file.
    Elsewhere,
    /// A summary of the session, or what a model called it.
    Model,
    /// What the user called it.
    User,
}

impl TitleRank {
    /// Whether a title of rank `next` is to take the place of one of this rank: the latest of the
    /// best, and the first of prompts.
    pub(crate) fn gives_way(self, next: Self) -> bool {
        next > self || (next == self && next > Self::Prompt)
    }

    /// What a title of this rank weighs at a place, whatever else was told there, and how far any copy has
    /// come; none: no more than all else.
    pub(crate) fn precedence(self, order: i64) -> Option<Precedence> {
        let grade = match self {
            Self::None | Self::Prompt => return None,
            Self::Elsewhere => 1,
            Self::Model => 2,
            Self::User => 3,
        };
        Some(Precedence::graded(grade, order))
    }
}

/// The first line of a title, as long as a title may be.
pub(crate) fn headline(title: &str) -> String {
    const CHARS: usize = 120;
    let line = title.lines().map(str::trim).find(|line| !line.is_empty());
    let line = line.unwrap_or_default();
    let mut headline: String = line.chars().take(CHARS).collect();
    if line.chars().nth(CHARS).is_some() {
        headline.push('…');
    }
    headline
}
