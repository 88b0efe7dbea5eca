//! Secrets that a protocol's or a program's own syntax gives away: headers, URLs, command lines.

use std::ops::Range;

use super::shape::Alphabet;
use super::values;
use super::{Hit, Kind, commands};

/// A mark in the text, and what it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// `Bearer `
    Bearer,
    /// `Basic `
    Basic,
    /// `Cookie:`
    Cookie,
    /// `://`
    Url,
    /// ` -p`, of programs that take a password so.
    ShortPassword,
    /// ` -u `, of programs that take a name and a password so.
    User,
    /// A program that takes a password as a plain argument.
    Sshpass,
    /// `--password-stdin` and the like, of programs that take a password from what is piped to them.
    Piped,
    /// `IDENTIFIED BY 'password'`
    Identified,
    /// `CREATE ROLE name PASSWORD 'password'`
    Role,
    /// `ConvertTo-SecureString "password"`
    SecureString,
    /// `net use DRIVE SHARE /user:NAME password`
    NetUse,
    /// `:port:database:user:password`
    PasswordFile,
    /// `phrase` and twelve words or more.
    Mnemonic,
}

pub(super) const MARKS: &[(&str, Mark)] = &[
    ("earer ", Mark::Bearer),
    ("EARER ", Mark::Bearer),
    ("earer%20", Mark::Bearer),
    ("earer+", Mark::Bearer),
    ("Basic ", Mark::Basic),
    ("basic ", Mark::Basic),
    ("ookie:", Mark::Cookie),
    ("ookie\":", Mark::Cookie),
    ("ookie': ", Mark::Cookie),
    ("://", Mark::Url),
    (" -p", Mark::ShortPassword),
    (" -k ", Mark::ShortPassword),
    (" -a ", Mark::ShortPassword),
    (" -w ", Mark::ShortPassword),
    (" -P ", Mark::ShortPassword),
    (" -N ", Mark::ShortPassword),
    (" -passin pass:", Mark::ShortPassword),
    (" pass:", Mark::ShortPassword),
    (" 'pass:", Mark::ShortPassword),
    (" \"pass:", Mark::ShortPassword),
    (" -u", Mark::User),
    (" --user", Mark::User),
    (" -U", Mark::User),
    (" --proxy-user", Mark::User),
    (" -b ", Mark::User),
    ("sshpass ", Mark::Sshpass),
    ("sshpass+", Mark::Sshpass),
    ("sshpass%20", Mark::Sshpass),
    (" --password-stdin", Mark::Piped),
    (" --with-token", Mark::Piped),
    (" --stdin", Mark::Piped),
    ("chpasswd", Mark::Piped),
    ("sudo -S", Mark::Piped),
    ("DENTIFIED ", Mark::Identified),
    ("dentified ", Mark::Identified),
    (" PASSWORD '", Mark::Role),
    (" password '", Mark::Role),
    ("\tPASSWORD '", Mark::Role),
    ("\tpassword '", Mark::Role),
    ("\nPASSWORD '", Mark::Role),
    ("\npassword '", Mark::Role),
    ("onvertTo-SecureString ", Mark::SecureString),
    ("onvertto-securestring ", Mark::SecureString),
    (" /user:", Mark::NetUse),
    (" /USER:", Mark::NetUse),
    (":5432:", Mark::PasswordFile),
    (":3306:", Mark::PasswordFile),
    (":*:", Mark::PasswordFile),
    ("nemonic", Mark::Mnemonic),
    ("eed phrase", Mark::Mnemonic),
    ("ecovery phrase", Mark::Mnemonic),
];

/// What the mark at `at` begins, as secrets.
pub(super) fn look(text: &[u8], mark: Mark, at: &Range<usize>) -> Option<Hit<'static>> {
    match mark {
        Mark::Bearer => bearer(text, at.end),
        Mark::Basic => basic(text, at.end),
        Mark::Cookie => cookie(text, at.end),
        Mark::Url => url(text, at),
        Mark::ShortPassword => commands::short_password(text, at),
        Mark::User => commands::user(text, at),
        Mark::Sshpass => commands::sshpass(text, at),
        Mark::Piped => commands::piped(text, at),
        Mark::Identified => commands::identified(text, at.end),
        Mark::Role => commands::role(text, at),
        Mark::SecureString => commands::secure_string(text, at.end),
        Mark::NetUse => commands::net_use(text, at),
        Mark::PasswordFile => commands::password_file(text, at),
        Mark::Mnemonic => commands::mnemonic(text, at.end),
    }
}

/// Whether a word is, or begins as, a flag behind which some programs take a password.
pub(super) fn takes_password(word: &str) -> bool {
    MARKS.iter().any(|(text, mark)| {
        matches!(mark, Mark::ShortPassword | Mark::User) && word.starts_with(text.trim())
    })
}

pub(super) fn hit(rule: &'static str, kind: Kind, range: Range<usize>) -> Option<Hit<'static>> {
    Some(Hit { rule, kind, range })
}

fn bearer(text: &[u8], at: usize) -> Option<Hit<'static>> {
    let range = at..at + Alphabet::Any.run(&text[at..]);
    let range = range.start..trimmed(text, &range);
    let value = &text[range.clone()];
    let fits = value.len() >= 12 && values::is_random(value, 12) && !values::is_placeholder(value);
    fits.then_some(())?;
    hit("bearer-token", Kind::Header, range)
}

fn basic(text: &[u8], at: usize) -> Option<Hit<'static>> {
    let range = at..at + Alphabet::Base64.run(&text[at..]);
    let value = &text[range.clone()];
    let header = text[at.saturating_sub(64)..at].to_ascii_lowercase();
    let named = memchr::memmem::find(&header, b"authorization").is_some();
    let fits =
        value.len() >= 8 && (named || decodes_to_a_pair(value)) && !values::is_placeholder(value);
    fits.then_some(())?;
    hit("basic-auth", Kind::Header, range)
}

/// Whether base64 holds `name:password`.
fn decodes_to_a_pair(text: &[u8]) -> bool {
    let mut bits = 0_u32;
    let mut count = 0;
    let mut colon = false;
    for byte in text.iter().filter(|byte| **byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            _ => 63,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            let byte = (bits >> count & 0xff) as u8;
            colon |= byte == b':';
            if byte < b' ' {
                return false;
            }
        }
    }
    colon
}

pub(super) fn cookie(text: &[u8], at: usize) -> Option<Hit<'static>> {
    let start = at
        + text[at..]
            .iter()
            .take(4)
            .take_while(|byte| matches!(byte, b' ' | b'"' | b'\''))
            .count();
    let rest = &text[start..text.len().min(start + 8192)];
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'\n' | b'\r' | b'"' | b'\'' | b'`'))
        .unwrap_or(rest.len());
    let line = &rest[..end];
    // From the first value that looks drawn to the last.
    let mut secret: Option<Range<usize>> = None;
    let mut offset = 0;
    for pair in line.split(|byte| *byte == b';') {
        let value = pair
            .iter()
            .position(|byte| *byte == b'=')
            .map_or(pair.len(), |equals| equals + 1);
        let bytes = pair[value..].trim_ascii();
        if values::is_random(bytes, 12) && !values::is_placeholder(bytes) {
            let from = start + offset + value;
            let to = from + pair[value..].len();
            secret = Some(secret.map_or(from, |secret| secret.start)..to);
        }
        offset += pair.len() + 1;
    }
    hit("cookie", Kind::Header, secret?)
}

/// `scheme://user:password@host`, and a token for the user.
fn url(text: &[u8], at: &Range<usize>) -> Option<Hit<'static>> {
    /// Longer is not a name and password.
    const AUTHORITY_BYTES_MAX: usize = 1024;
    let rest = &text[at.end..text.len().min(at.end + AUTHORITY_BYTES_MAX)];
    let end = rest
        .iter()
        .position(|byte| {
            byte.is_ascii_whitespace()
                || matches!(
                    byte,
                    b'"' | b'\''
                        | b'`'
                        | b'<'
                        | b'>'
                        | b'/'
                        | b'?'
                        | b'#'
                        | b','
                        | b'\\'
                        | b'('
                        | b'|'
                )
        })
        .unwrap_or(rest.len());
    // A password may hold a slash that nobody encoded, if an `@host` follows all the same.
    let place = memchr::memrchr(b'@', &rest[..end]).or_else(|| unencoded_at(rest, end))?;
    let pair = &rest[..place];
    let Some(colon) = memchr::memchr(b':', pair) else {
        let token = values::is_random(pair, 16) && !values::is_placeholder(pair);
        token.then_some(())?;
        return hit("url-token", Kind::Url, at.end..at.end + place);
    };
    let password = &pair[colon + 1..];
    let plain: [&[u8]; 10] = [
        b"password",
        b"pass",
        b"pw",
        b"passwd",
        b"secret",
        b"pwd",
        b"PASSWORD",
        b"PASS",
        b"token",
        b"TOKEN",
    ];
    if password.len() < 3
        || values::is_placeholder(password)
        || plain.contains(&password)
        || password
            .iter()
            .any(|byte| matches!(byte, b'{' | b'}' | b'[' | b']'))
        || password == b"x-oauth-basic"
    {
        let user = &pair[..colon];
        let token = values::is_random(user, 16) && !values::is_placeholder(user);
        token.then_some(())?;
        return hit("url-token", Kind::Url, at.end..at.end + colon);
    }
    let start = at.end + colon + 1;
    hit("url-password", Kind::Url, start..at.end + place)
}

fn unencoded_at(rest: &[u8], slash: usize) -> Option<usize> {
    if !matches!(rest.get(slash), Some(b'/' | b'#' | b'?')) || !rest[..slash].contains(&b':') {
        return None;
    }
    // A port before the slash: the URL's path has the `@`.
    let port = rest[..slash].rsplit(|byte| *byte == b':').next()?;
    if port.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let end = rest.iter().position(|byte| {
        byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>')
    });
    memchr::memrchr(b'@', &rest[..end.unwrap_or(rest.len())]).filter(|place| *place > slash)
}

/// The end of `range` without the sentence's full stop.
pub(super) fn trimmed(text: &[u8], range: &Range<usize>) -> usize {
    let trail = text[range.clone()]
        .iter()
        .rev()
        .take_while(|byte| matches!(byte, b'.' | b'/'))
        .count();
    range.end - trail
}
