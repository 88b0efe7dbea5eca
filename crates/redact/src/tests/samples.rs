//! Secrets drawn from the rules' own shapes, always the same ones.

use super::super::rules::{self, TokenRule};
use super::super::shape::{Alphabet, Piece};

/// A generator that gives the same secrets in every run.
#[derive(Debug)]
pub(super) struct Draw(u64);

impl Draw {
    pub(super) fn new(start: u64) -> Self {
        Self(start.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits fit") % bound
    }

    /// So many letters and digits of a set, of which the second is a digit.
    pub(super) fn run(&mut self, alphabet: Alphabet, length: usize) -> String {
        let all: Vec<u8> = (b'0'..=b'z')
            .filter(|byte| byte.is_ascii_alphanumeric() && alphabet.has(*byte))
            .collect();
        (0..length)
            .map(|at| match at % 7 {
                1 => char::from(b'2' + u8::try_from(self.below(6)).expect("a digit")),
                _ => char::from(all[self.below(all.len())]),
            })
            .collect()
    }

    /// So many letters, digits and marks of a set, as chance has them.
    pub(super) fn drawn(&mut self, alphabet: Alphabet, length: usize) -> String {
        let all: Vec<u8> = (b'+'..=b'z')
            .filter(|byte| alphabet.has(*byte) && *byte != b'=')
            .collect();
        (0..length)
            .map(|_| char::from(all[self.below(all.len())]))
            .collect()
    }

    /// Base64 as encoders write it, without padding.
    pub(super) fn base64(&mut self, length: usize) -> String {
        let marks = ["+", "/"];
        (0..length)
            .map(|at| match at % 19 {
                11 => marks[self.below(2)].to_owned(),
                _ => self.run(Alphabet::Alnum, 1),
            })
            .collect()
    }

    fn pieces(&mut self, pieces: &[Piece], text: &mut String) {
        for piece in pieces {
            match piece {
                Piece::Run(alphabet, min, max) => {
                    let length = (*min).max(if *max > 40 { 24 } else { 0 });
                    text.push_str(&self.run(*alphabet, length));
                }
                Piece::Text(part) => text.push_str(part),
                Piece::AnyOf(parts) => text.push_str(parts[0]),
                Piece::Rest(pieces) => self.pieces(pieces, text),
            }
        }
    }

    /// A token of a rule, with one of its marks.
    pub(super) fn token(&mut self, rule: &TokenRule, mark: &str) -> String {
        let mut token = String::new();
        if let Some((alphabet, min, _)) = rule.before {
            token.push_str(&self.run(alphabet, min));
        }
        if rule.id == "azure-client-secret" {
            token = format!("{}8", self.run(Alphabet::Alnum, 3));
        }
        token.push_str(mark);
        self.pieces(rule.pieces, &mut token);
        token
    }
}

/// A token of each mark of each rule, but one in twenty of those whose marks are an alphabet.
pub(super) fn tokens() -> Vec<(&'static str, String)> {
    let mut draw = Draw::new(7);
    let mut tokens = Vec::new();
    for rule in rules::all() {
        for mark in rule.marks.iter().step_by(rule.marks.len() / 20 + 1) {
            tokens.push((rule.id, draw.token(rule, mark)));
        }
    }
    tokens
}
