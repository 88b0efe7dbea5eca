//! What stands after a backslash.

use super::{Reader, Term};

/// The signs that mean something outside of a class.
pub(super) const SYNTAX: &str = "^$\\.*+?()[]{}|/";

/// One character, or a set of them.
pub(super) enum Escaped {
    /// As it is written, and which it is.
    One(String, char),
    Set(String),
}

impl Reader<'_> {
    /// After a backslash outside of a class.
    pub(super) fn escape(&mut self) -> Result<Term, String> {
        let boundaries = [
            ("b", "\\b"),
            ("B", "\\B"),
            ("A", "^"),
            ("Z", "$"),
            ("z", "$"),
        ];
        if let Some((_, written)) = boundaries.into_iter().find(|(sign, _)| self.take(sign)) {
            self.written.push_str(written);
            return Ok(Term::Assertion);
        }
        if self.take("k<") {
            let name = self.name('>')?;
            self.written.push_str(&format!("\\k<{name}>"));
            self.named.push(name);
            return Ok(Term::Atom);
        }
        if self
            .rest
            .starts_with(|digit: char| matches!(digit, '1'..='9'))
        {
            let length = self
                .rest
                .find(|digit: char| !digit.is_ascii_digit())
                .unwrap_or(self.rest.len());
            let (number, rest) = self.rest.split_at(length);
            self.numbered = self.numbered.max(number.parse().unwrap_or(u32::MAX));
            self.written.push_str(&format!("\\{number}"));
            self.rest = rest;
            return Ok(Term::Atom);
        }
        match self.escaped(SYNTAX)? {
            Escaped::One(written, _) | Escaped::Set(written) => self.written.push_str(&written),
        }
        Ok(Term::Atom)
    }

    /// What is alike in a class and outside. Signs that are not among `kept` stand for themselves.
    pub(super) fn escaped(&mut self, kept: &str) -> Result<Escaped, String> {
        let Some(sign) = self.next() else {
            return Err("it ends with a backslash".to_owned());
        };
        let one = |written: String, is: char| Ok(Escaped::One(written, is));
        match sign {
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => Ok(Escaped::Set(format!("\\{sign}"))),
            'p' | 'P' => self.property(sign),
            'f' => one("\\f".to_owned(), '\u{c}'),
            'n' => one("\\n".to_owned(), '\n'),
            'r' => one("\\r".to_owned(), '\r'),
            't' => one("\\t".to_owned(), '\t'),
            'v' => one("\\v".to_owned(), '\u{b}'),
            'a' => one("\\x07".to_owned(), '\u{7}'),
            '0' if !self.rest.starts_with(|next: char| next.is_ascii_digit()) => {
                one("\\0".to_owned(), '\0')
            }
            'x' | 'u' | 'U' => self.numbered_character(sign),
            sign if sign.is_ascii_alphanumeric() => Err(format!("`\\{sign}` is not known there")),
            sign if kept.contains(sign) => one(format!("\\{sign}"), sign),
            sign => one(sign.to_string(), sign),
        }
    }

    /// `\x41`, `\u0041`, `\u{41}`, and `\x{41}` and `\U00000041` of others.
    fn numbered_character(&mut self, sign: char) -> Result<Escaped, String> {
        let wrong = || format!("`\\{sign}` has no number of a character after it");
        let digits = if let Some((digits, rest)) = self
            .rest
            .strip_prefix('{')
            .and_then(|rest| rest.split_once('}'))
        {
            self.rest = rest;
            digits
        } else {
            let length = match sign {
                'x' => 2,
                'u' => 4,
                _ => 8,
            };
            let (digits, rest) = self.rest.split_at_checked(length).ok_or_else(wrong)?;
            self.rest = rest;
            digits
        };
        if digits.is_empty() || !digits.chars().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| wrong())?;
        let is = char::from_u32(number).ok_or_else(wrong)?;
        Ok(Escaped::One(format!("\\u{{{number:x}}}"), is))
    }

    /// `\p{Lu}`, and `\pL` of others.
    fn property(&mut self, sign: char) -> Result<Escaped, String> {
        let name = if let Some((name, rest)) = self
            .rest
            .strip_prefix('{')
            .and_then(|rest| rest.split_once('}'))
        {
            self.rest = rest;
            name.to_owned()
        } else {
            self.next().map(String::from).unwrap_or_default()
        };
        let is_known = match name.split_once('=') {
            None => CATEGORIES.contains(&name.as_str()) || BINARY.contains(&name.as_str()),
            Some(("General_Category" | "gc", value)) => CATEGORIES.contains(&value),
            Some(("Script" | "sc" | "Script_Extensions" | "scx", value)) => {
                SCRIPTS.contains(&value)
            }
            Some(_) => false,
        };
        if is_known {
            Ok(Escaped::Set(format!("\\{sign}{{{name}}}")))
        } else {
            Err(format!("`\\{sign}{{{name}}}` is not known there"))
        }
    }
}

/// Those of Unicode, by their short names and the long ones that are used.
const CATEGORIES: [&str; 49] = [
    "C",
    "Cc",
    "Cf",
    "Cn",
    "Co",
    "Cs",
    "L",
    "LC",
    "Ll",
    "Lm",
    "Lo",
    "Lt",
    "Lu",
    "M",
    "Mc",
    "Me",
    "Mn",
    "N",
    "Nd",
    "Nl",
    "No",
    "P",
    "Pc",
    "Pd",
    "Pe",
    "Pf",
    "Pi",
    "Po",
    "Ps",
    "S",
    "Sc",
    "Sk",
    "Sm",
    "So",
    "Z",
    "Zl",
    "Zp",
    "Zs",
    "Control",
    "Decimal_Number",
    "Letter",
    "Lowercase_Letter",
    "Mark",
    "Number",
    "Punctuation",
    "Separator",
    "Space_Separator",
    "Symbol",
    "Uppercase_Letter",
];

const BINARY: [&str; 14] = [
    "ASCII",
    "ASCII_Hex_Digit",
    "Alpha",
    "Alphabetic",
    "Any",
    "Emoji",
    "Emoji_Presentation",
    "Extended_Pictographic",
    "Hex_Digit",
    "ID_Continue",
    "ID_Start",
    "Lowercase",
    "Uppercase",
    "White_Space",
];

const SCRIPTS: [&str; 20] = [
    "Arabic",
    "Armenian",
    "Bengali",
    "Common",
    "Cyrillic",
    "Devanagari",
    "Ethiopic",
    "Georgian",
    "Greek",
    "Gujarati",
    "Han",
    "Hangul",
    "Hebrew",
    "Hiragana",
    "Katakana",
    "Khmer",
    "Latin",
    "Tamil",
    "Telugu",
    "Thai",
];
