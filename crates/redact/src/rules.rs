//! The tokens that their issuers give a mark of their own, from the issuers' documented formats.
//!
//! Minimum lengths are a little under the documented ones, and the upper bound is open wherever an
//! issuer may lengthen its tokens: the prefix is what tells them.

mod artificial;
mod cloud;
mod code;
mod money;
mod talk;
mod watch;

use super::shape::{Alphabet, Piece};

/// A token known by its beginning, or by a mark in its middle.
#[derive(Debug)]
pub(super) struct TokenRule {
    /// What the marker names.
    pub(super) id: &'static str,
    /// The marks, any of which begins an attempt.
    pub(super) marks: &'static [&'static str],
    /// What stands before the mark and belongs to the token: set, least and most bytes.
    pub(super) before: Option<(Alphabet, usize, usize)>,
    /// What follows the mark.
    pub(super) pieces: &'static [Piece],
    pub(super) proof: Proof,
}

/// What a match must show besides its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// The mark is telling: only placeholders are let through.
    Shape,
    /// The mark is short: the body must look drawn at random.
    Random,
}

/// No upper bound.
const OPEN: usize = usize::MAX;

/// A mark, then one run.
const fn token(
    id: &'static str,
    marks: &'static [&'static str],
    pieces: &'static [Piece],
) -> TokenRule {
    TokenRule {
        id,
        marks,
        before: None,
        pieces,
        proof: Proof::Shape,
    }
}

/// The same, whose mark is short.
const fn weak(
    id: &'static str,
    marks: &'static [&'static str],
    pieces: &'static [Piece],
) -> TokenRule {
    TokenRule {
        id,
        marks,
        before: None,
        pieces,
        proof: Proof::Random,
    }
}

/// A mark in the middle.
const fn around(
    id: &'static str,
    before: (Alphabet, usize, usize),
    marks: &'static [&'static str],
    pieces: &'static [Piece],
) -> TokenRule {
    TokenRule {
        id,
        marks,
        before: Some(before),
        pieces,
        proof: Proof::Random,
    }
}

/// Every rule; a rule's number is its place here.
pub(super) fn all() -> impl Iterator<Item = &'static TokenRule> {
    [
        cloud::RULES,
        code::RULES,
        artificial::RULES,
        money::RULES,
        talk::RULES,
        watch::RULES,
    ]
    .into_iter()
    .flatten()
}
