//! A filter as tokens, each with its place.

use super::error::FilterError;

/// A piece of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub what: What,
    /// In characters from the filter's beginning.
    pub at: usize,
    /// As it was written, for errors.
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// A word, in lower case.
    Word,
    /// A name in double quotes, without them.
    Quoted(String),
    /// Text in single quotes, without them.
    Literal(String),
    /// Digits, maybe with a point or an exponent.
    Number,
    /// `$1`, from 1.
    Parameter(usize),
    Operator,
    /// One of `( ) [ ] , . : ;`, or `::`.
    Mark(&'static str),
    End,
}

impl Token {
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.what == What::Word && self.word() == word
    }

    pub(super) fn is_mark(&self, mark: &str) -> bool {
        matches!(self.what, What::Mark(found) if found == mark)
    }

    pub(super) fn is_operator(&self, operator: &str) -> bool {
        self.what == What::Operator && self.text == operator
    }

    /// The word in lower case.
    pub(super) fn word(&self) -> String {
        self.text.to_lowercase()
    }

    pub(super) fn unexpected(&self) -> FilterError {
        if self.what == What::End {
            FilterError::new(self.at, "syntax error at end of input")
        } else {
            FilterError::near(self.at, &self.text)
        }
    }
}

/// Reads `text` as tokens; the last is the end.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, FilterError> {
    let mut lexer = Lexer {
        text: text.chars().collect(),
        at: 0,
    };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.next()?;
        let is_end = token.what == What::End;
        tokens.push(token);
        if is_end {
            return Ok(tokens);
        }
    }
}

struct Lexer {
    text: Vec<char>,
    at: usize,
}

const OPERATORS: &str = "+-*/<>=~!@#%^&|`?";
const MARKS: &[&str] = &["::", "(", ")", "[", "]", ",", ".", ":", ";"];

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.text.get(self.at + ahead).copied()
    }

    fn starts(&self, text: &str) -> bool {
        text.chars()
            .enumerate()
            .all(|(n, char)| self.peek(n) == Some(char))
    }

    fn next(&mut self) -> Result<Token, FilterError> {
        self.skip_blanks()?;
        let at = self.at;
        let Some(first) = self.peek(0) else {
            return Ok(self.token(What::End, at));
        };
        if (first == 'e' || first == 'E') && self.peek(1) == Some('\'') {
            self.at += 1;
            let text = self.quoted('\'', Escapes::Backslash)?;
            return Ok(self.token(What::Literal(text), at));
        }
        let what = match first {
            '\'' => What::Literal(self.quoted('\'', Escapes::None)?),
            '"' => What::Quoted(self.name()?),
            '$' if self.peek(1).is_some_and(|char| char.is_ascii_digit()) => self.parameter()?,
            _ if first.is_ascii_digit()
                || first == '.' && self.peek(1).is_some_and(|char| char.is_ascii_digit()) =>
            {
                self.number()?;
                What::Number
            }
            _ if is_word_start(first) => {
                self.take_while(|char| is_word_start(char) || char.is_ascii_digit() || char == '$');
                What::Word
            }
            _ if OPERATORS.contains(first) => {
                self.operator();
                What::Operator
            }
            _ => {
                let mark = MARKS.iter().find(|mark| self.starts(mark));
                let mark = mark.ok_or_else(|| FilterError::near(at, &first.to_string()))?;
                self.at += mark.len();
                What::Mark(mark)
            }
        };
        Ok(self.token(what, at))
    }

    fn token(&self, what: What, at: usize) -> Token {
        let text = self.text[at..self.at].iter().collect();
        Token { what, at, text }
    }

    fn take_while(&mut self, is_part: impl Fn(char) -> bool) {
        while self.peek(0).is_some_and(&is_part) {
            self.at += 1;
        }
    }

    /// Skips blanks and comments.
    fn skip_blanks(&mut self) -> Result<(), FilterError> {
        loop {
            self.take_while(char::is_whitespace);
            if self.starts("--") {
                self.take_while(|char| char != '\n');
            } else if self.starts("/*") {
                self.skip_comment()?;
            } else {
                return Ok(());
            }
        }
    }

    fn skip_comment(&mut self) -> Result<(), FilterError> {
        let start = self.at;
        let mut depth = 0;
        loop {
            if self.starts("/*") {
                depth += 1;
                self.at += 2;
            } else if self.starts("*/") {
                depth -= 1;
                self.at += 2;
            } else if self.peek(0).is_some() {
                self.at += 1;
            } else {
                return Err(FilterError::new(start, "unterminated /* comment"));
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    fn name(&mut self) -> Result<String, FilterError> {
        let at = self.at;
        let name = self.quoted('"', Escapes::None)?;
        if name.is_empty() {
            return Err(FilterError::new(at, "zero-length delimited identifier"));
        }
        Ok(name)
    }

    /// What stands between two quotes; a doubled one is one of its characters.
    fn quoted(&mut self, quote: char, escapes: Escapes) -> Result<String, FilterError> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(char) = self.peek(0) else {
                let what = if quote == '"' { "identifier" } else { "string" };
                return Err(FilterError::new(
                    start,
                    format!("unterminated quoted {what}"),
                ));
            };
            self.at += 1;
            if char == quote {
                if self.peek(0) != Some(quote) {
                    return Ok(text);
                }
                self.at += 1;
                text.push(quote);
            } else if char == '\\' && escapes == Escapes::Backslash {
                text.push(match self.peek(0) {
                    Some('n') => '\n',
                    Some('t') => '\t',
                    Some('r') => '\r',
                    Some('b') => '\u{8}',
                    Some('f') => '\u{c}',
                    Some(other) if !other.is_alphanumeric() => other,
                    Some(_) | None => {
                        return Err(FilterError::new(self.at, "this escape is not supported"));
                    }
                });
                self.at += 1;
            } else {
                text.push(char);
            }
        }
    }

    fn parameter(&mut self) -> Result<What, FilterError> {
        let at = self.at;
        self.at += 1;
        self.take_while(|char| char.is_ascii_digit());
        let digits: String = self.text[at + 1..self.at].iter().collect();
        let number = digits.parse().ok().filter(|number| *number > 0);
        let missing = || FilterError::new(at, format!("there is no parameter ${digits}"));
        number.map(What::Parameter).ok_or_else(missing)
    }

    fn number(&mut self) -> Result<(), FilterError> {
        let start = self.at;
        self.take_while(|char| char.is_ascii_digit());
        if self.peek(0) == Some('.') {
            self.at += 1;
            self.take_while(|char| char.is_ascii_digit());
        }
        if matches!(self.peek(0), Some('e' | 'E')) {
            let sign = usize::from(matches!(self.peek(1), Some('+' | '-')));
            if self
                .peek(1 + sign)
                .is_some_and(|char| char.is_ascii_digit())
            {
                self.at += 1 + sign;
                self.take_while(|char| char.is_ascii_digit());
            }
        }
        if self.peek(0).is_some_and(is_word_start) {
            let end = self.at + 1;
            let text: String = self.text[start..end].iter().collect();
            let message = format!("trailing junk after numeric literal at or near \"{text}\"");
            return Err(FilterError::new(start, message));
        }
        Ok(())
    }

    /// Takes the longest operator: it ends before a comment, and ends with a sign only if it holds a
    /// character that no number begins with.
    fn operator(&mut self) {
        let start = self.at;
        while self.peek(0).is_some_and(|char| OPERATORS.contains(char))
            && (self.at == start || !self.starts("--") && !self.starts("/*"))
        {
            self.at += 1;
        }
        let is_special = |char: &char| "~!@#%^&|`?".contains(*char);
        while self.at - start > 1
            && matches!(self.text[self.at - 1], '+' | '-')
            && !self.text[start..self.at].iter().any(is_special)
        {
            self.at -= 1;
        }
    }
}

/// Whether a backslash begins an escape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escapes {
    None,
    Backslash,
}

fn is_word_start(char: char) -> bool {
    char.is_ascii_alphabetic() || char == '_' || !char.is_ascii() && !char.is_whitespace()
}
