//! Passwords on command lines, in a file of passwords, and as a phrase of words.

use std::ops::Range;

use super::marked::{cookie, hit};
use super::shape::Alphabet;
use super::values::{self, Promise, Style};
use super::{Hit, Kind};

/// A command is not looked for farther back.
const COMMAND_BYTES_MAX: usize = 400;

/// The start of the command that `at` is in.
fn command_before(text: &[u8], at: usize) -> &[u8] {
    let before = &text[at.saturating_sub(COMMAND_BYTES_MAX)..at];
    let start = before
        .iter()
        .rposition(|byte| matches!(byte, b'\n' | b';' | b'|' | b'"' | b'`'))
        .map_or(0, |place| place + 1);
    &before[start..]
}

fn runs(command: &[u8], programs: &[&str]) -> bool {
    programs
        .iter()
        .any(|program| memchr::memmem::find(command, program.as_bytes()).is_some())
}

/// The argument at `at`, without its quotes.
fn argument(text: &[u8], at: usize) -> Option<Range<usize>> {
    let quote = text
        .get(at)
        .copied()
        .filter(|byte| matches!(byte, b'"' | b'\''));
    let start = at + usize::from(quote.is_some());
    let rest = &text[start..text.len().min(start + 1024)];
    let end = rest.iter().position(|byte| match quote {
        Some(quote) => *byte == quote || *byte == b'\n',
        None => {
            byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`' | b';' | b'|' | b'>')
        }
    });
    let end = start + end.unwrap_or(rest.len());
    (end > start).then_some(start..end)
}

pub(super) fn short_password(text: &[u8], at: &Range<usize>) -> Option<Hit<'static>> {
    let command = command_before(text, at.start);
    let mark = &text[at.clone()];
    let (attached, programs): (bool, &[&str]) = match mark {
        b" -p" => (
            true,
            &[
                "mysql",
                "mariadb",
                "7z",
                "docker login",
                "podman login",
                "az login",
                "mongo",
                "influx",
                "sqlcmd",
                "helm registry",
                "oc login",
            ],
        ),
        b" -a " => (false, &["redis-cli", "valkey-cli"]),
        b" -w " => (
            false,
            &["ldapsearch", "ldapmodify", "ldapadd", "ldappasswd"],
        ),
        b" -P " => (false, &["sqlcmd", "bcp ", "unzip", "osql"]),
        _ => (false, &["openssl"]),
    };
    runs(command, programs).then_some(())?;
    let mut start = at.end;
    if attached {
        start += text[start..]
            .iter()
            .take(1)
            .take_while(|byte| matches!(byte, b' ' | b'='))
            .count();
        // MySQL's programs take what is apart as a database.
        if start > at.end && runs(command, &["mysql", "mariadb", "7z"]) {
            return None;
        }
    }
    let range = argument(text, start)?;
    let value = &text[range.clone()];
    let number = value.iter().all(u8::is_ascii_digit);
    let option = matches!(value[0], b'-' | b'$') || value.contains(&b'=') && mark == b" -p";
    if value.len() < 4 || number || option || values::is_placeholder(value) {
        return None;
    }
    if text[at.end..].starts_with(b"assword") || text[at.end..].starts_with(b"rotocol") {
        return None;
    }
    hit("command-password", Kind::Command, range)
}

pub(super) fn user(text: &[u8], at: &Range<usize>) -> Option<Hit<'static>> {
    let command = command_before(text, at.start);
    let mark = &text[at.clone()];
    let programs: &[&str] = &[
        "curl",
        "http",
        "wget",
        "smbclient",
        "rpcclient",
        "htpasswd",
        "crackmapexec",
        "aria2c",
    ];
    runs(command, programs).then_some(())?;
    if mark == b" -b " && !runs(command, &["htpasswd", "curl"]) {
        return None;
    }
    let mut start = at.end;
    start += text[start..]
        .iter()
        .take(1)
        .take_while(|byte| matches!(byte, b' ' | b'='))
        .count();
    let range = argument(text, start)?;
    let value = &text[range.clone()];
    let separator = if runs(command, &["smbclient", "rpcclient"]) {
        b'%'
    } else {
        b':'
    };
    if mark == b" -b " && runs(command, &["curl"]) {
        return cookie(text, range.start);
    }
    if mark == b" -b " {
        // `htpasswd -b file name password`
        let name = argument(text, range.end + 1)?;
        let password = argument(text, name.end + 1)?;
        return judged("command-password", text, password);
    }
    let place = memchr::memchr(separator, value)?;
    let secret = range.start + place + 1..range.end;
    if secret.is_empty() || value.starts_with(b"http") {
        // A key alone is a user without a password: `-u sk_…:`.
        let user = range.start..range.start + place;
        return values::is_random(&text[user.clone()], 16)
            .then_some(())
            .and_then(|()| judged("command-password", text, user));
    }
    judged("command-password", text, secret)
}

fn judged(rule: &'static str, text: &[u8], range: Range<usize>) -> Option<Hit<'static>> {
    let secret = values::is_secret(&text[range.clone()], Promise::Password, Style::Environment);
    secret.then_some(())?;
    hit(rule, Kind::Command, range)
}

pub(super) fn sshpass(text: &[u8], at: &Range<usize>) -> Option<Hit<'static>> {
    let blank = &text[at.start + b"sshpass".len()..at.end];
    let mut start = at.end + text[at.end..].starts_with(b"-p").then_some(2)?;
    if text[start..].starts_with(blank) {
        start += blank.len();
    }
    let range = match blank {
        b" " => argument(text, start)?,
        _ => encoded_argument(text, start, blank)?,
    };
    (!values::is_placeholder(&text[range.clone()])).then_some(())?;
    hit("command-password", Kind::Command, range)
}

/// What `echo` or `printf` gives to a program that reads a password: `echo V | docker login --password-stdin`.
pub(super) fn piped(text: &[u8], at: &Range<usize>) -> Option<Hit<'static>> {
    let reader = command_before(text, at.start);
    let pipe = (at.start - reader.len()).checked_sub(1)?;
    (text[pipe] == b'|').then_some(())?;
    let before = &text[pipe.saturating_sub(COMMAND_BYTES_MAX)..pipe];
    let ends = |byte: &u8| matches!(byte, b'\n' | b';' | b'|' | b'&');
    let start = before.iter().rposition(ends).map_or(0, |place| place + 1);
    let start = pipe - before.len() + start;
    let writer = &text[start..pipe];
    let from = ["echo ", "printf "].iter().find_map(|name| {
        memchr::memmem::find(writer, name.as_bytes()).map(|place| start + place + name.len())
    })?;
    // What it writes is the last of its words.
    let written = text[from..pipe].trim_ascii_end();
    let end = from + written.len();
    let quote = written.last().filter(|byte| matches!(byte, b'"' | b'\''));
    let range = match quote {
        Some(quote) => {
            let inside = &text[from..end - 1];
            from + inside.iter().rposition(|byte| byte == quote)? + 1..end - 1
        }
        None => {
            let blank = written.iter().rposition(u8::is_ascii_whitespace);
            from + blank.map_or(0, |blank| blank + 1)..end
        }
    };
    judged("command-password", text, range)
}

/// The argument at `at` of a command in a URL, without its quotes.
fn encoded_argument(text: &[u8], at: usize, blank: &[u8]) -> Option<Range<usize>> {
    let quote = text
        .get(at..at + 3)
        .filter(|quote| matches!(*quote, b"%27" | b"%22"));
    let start = at + quote.map_or(0, <[u8]>::len);
    let rest = &text[start..text.len().min(start + 1024)];
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'&' | b'"' | b'\'');
    let rest = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
    let end = memchr::memmem::find(rest, quote.unwrap_or(blank)).unwrap_or(rest.len());
    (end > 0).then_some(start..start + end)
}

/// A line of `.pgpass`: `host:port:database:user:password`.
pub(super) fn password_file(text: &[u8], at: &Range<usize>) -> Option<Hit<'static>> {
    let host = Alphabet::Dotted.run_back(&text[..at.start], 128);
    let rest = &text[at.end..text.len().min(at.end + 512)];
    let line = &rest[..rest
        .iter()
        .position(u8::is_ascii_whitespace)
        .unwrap_or(rest.len())];
    let mut fields = line.splitn(3, |byte| *byte == b':');
    let (database, user, password) = (fields.next()?, fields.next()?, fields.next()?);
    if host == 0 || database.is_empty() || user.is_empty() {
        return None;
    }
    let end = at.end + line.len();
    judged("password", text, end - password.len()..end)
}

pub(super) fn mnemonic(text: &[u8], at: usize) -> Option<Hit<'static>> {
    let start = at
        + text[at..]
            .iter()
            .take(8)
            .take_while(|byte| !byte.is_ascii_lowercase())
            .count();
    let rest = &text[start..text.len().min(start + 400)];
    let length = rest
        .iter()
        .position(|byte| !byte.is_ascii_lowercase() && *byte != b' ')
        .unwrap_or(rest.len());
    let words = rest[..length].trim_ascii_end();
    let count = words.split(|byte| *byte == b' ').count();
    let sized = words
        .split(|byte| *byte == b' ')
        .all(|word| (3..=8).contains(&word.len()));
    (sized && [12, 15, 18, 21, 24].contains(&count)).then_some(())?;
    hit("mnemonic", Kind::Assigned, start..start + words.len())
}
