//! Passwords on command lines, in a file of passwords, and as a phrase of words.

use std::ops::Range;

use super::command_start::{COMMAND_BYTES_MAX, command_before, statement_before};
use super::marked::{cookie, hit};
use super::shape::Alphabet;
use super::values::{self, Promise, Style};
use super::{Hit, Kind, MARKER};

/// Whether a command has one of the names in it; of those that begin with a blank, as a word.
fn runs(command: &[u8], programs: &[&str]) -> bool {
    programs.iter().any(|program| {
        let first = program.strip_prefix(' ');
        first.is_some_and(|first| command.starts_with(first.as_bytes()))
            || memchr::memmem::find(command, program.as_bytes()).is_some()
    })
}

/// The argument at `at`, without its quotes, which may be escaped.
fn argument(text: &[u8], at: usize) -> Option<Range<usize>> {
    const ESCAPES_MAX: usize = 8;
    let escapes = text[at.min(text.len())..].iter().take(ESCAPES_MAX);
    let escapes = escapes.take_while(|byte| **byte == b'\\').count();
    let quote = text
        .get(at + escapes)
        .copied()
        .filter(|byte| matches!(byte, b'"' | b'\''));
    let escapes = quote.map_or(0, |_| escapes);
    let start = at + escapes + usize::from(quote.is_some());
    let rest = text.get(start..text.len().min(start + 1024))?;
    let end = rest.iter().position(|byte| match quote {
        Some(quote) => *byte == quote || *byte == b'\n',
        None => {
            byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`' | b';' | b'|' | b'>')
        }
    });
    let end = end.unwrap_or(rest.len());
    let escapes = rest[..end].iter().rev().take(escapes);
    let end = start + end - escapes.take_while(|byte| **byte == b'\\').count();
    (end > start).then_some(start..end)
}

/// The same, if it stands between quotes.
fn quoted_argument(text: &[u8], at: usize) -> Option<Range<usize>> {
    argument(text, at).filter(|range| matches!(text[range.start - 1], b'"' | b'\''))
}

pub(super) fn short_password(text: &[u8], at: &Range<usize>) -> Option<Hit<'static>> {
    // With the blank, which ends a word.
    let command = command_before(text, at.start + 1);
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
        b" -P " => (
            false,
            &["sqlcmd", "bcp ", "unzip", "osql", " zip ", "ssh-keygen"],
        ),
        b" -N " => (false, &["ssh-keygen"]),
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
    let range = match mark {
        // The quotes are around the mark, too.
        [_, b'"' | b'\'', ..] => start..argument(text, at.start + 1)?.end,
        _ => argument(text, start)?,
    };
    let value = &text[range.clone()];
    (value.len() >= 4).then_some(())?;
    // Or the ports of a container, and an address before them.
    let number = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b':' | b'.');
    let number = value.iter().all(number);
    // What stands between quotes is no option, and between single ones no variable.
    let quote = text[range.start - 1];
    let option = quote != b'\''
        && (matches!(value[0], b'-' | b'$')
            || quote != b'"' && value.contains(&b'=') && mark == b" -p");
    if number || option || values::is_placeholder(value) {
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
    // A marker has a colon itself.
    let marked = value.starts_with(MARKER.as_bytes());
    let marked = marked.then(|| memchr::memchr(b']', value)).flatten();
    let marked = marked.unwrap_or(0);
    let place = marked + memchr::memchr(separator, &value[marked..])?;
    let secret = range.start + place + 1..range.end;
    // `admin:"password"`: behind an argument that is quoted itself stands the quote that closes it.
    if secret.is_empty()
        && !matches!(text[range.start - 1], b'"' | b'\'')
        && let Some(quoted) = quoted_argument(text, range.end)
        && let Some(hit) = judged("command-password", text, quoted)
    {
        return Some(hit);
    }
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
    let value = &text[range.clone()];
    // With a blank in it, it stood between quotes.
    let style = match value.contains(&b' ') {
        true => Style::Argument,
        false => Style::Environment,
    };
    values::is_secret(value, Promise::Password, style).then_some(())?;
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

/// What `echo` or `printf` gives to a program that reads a password: `echo V | docker login --password-stdin`,
/// or a name and a password: `echo N:V | chpasswd`.
pub(super) fn piped(text: &[u8], at: &Range<usize>) -> Option<Hit<'static>> {
    let reader = command_before(text, at.start);
    let mark = &text[at.clone()];
    if mark == b" --stdin" && !runs(reader, &["passwd"]) {
        return None;
    }
    let pipe = (at.start - reader.len()).checked_sub(1)?;
    (text[pipe] == b'|').then_some(())?;
    let before = &text[pipe.saturating_sub(COMMAND_BYTES_MAX)..pipe];
    let written = before.trim_ascii_end();
    let end = pipe - before.len() + written.len();
    // What it writes is the last of its words.
    let quote = written.last().filter(|byte| matches!(byte, b'"' | b'\''));
    let (start, close) = match quote {
        Some(quote) => {
            let inside = &written[..written.len() - 1];
            let start = inside.iter().rposition(|byte| byte == quote)? + 1;
            let escapes = written[..start - 1].iter().rev();
            let escapes = escapes.take_while(|byte| **byte == b'\\').count();
            (start, 1 + escapes)
        }
        None => (written.iter().rposition(u8::is_ascii_whitespace)? + 1, 0),
    };
    let ends = |byte: &u8| matches!(byte, b'\n' | b';' | b'|' | b'&');
    let writer = &written[..start];
    let writer = &writer[writer.iter().rposition(ends).map_or(0, |place| place + 1)..];
    runs(writer, &["echo ", "printf "]).then_some(())?;
    let range = end - written.len() + start..(end - close).max(end - written.len() + start);
    let named = match mark {
        b"chpasswd" => memchr::memchr(b':', &text[range.clone()])? + 1,
        _ => 0,
    };
    judged("command-password", text, range.start + named..range.end)
}

/// What follows `IDENTIFIED`: `BY 'password'`, `WITH plugin BY 'password'`.
pub(super) fn identified(text: &[u8], at: usize) -> Option<Hit<'static>> {
    const BEFORE_BYTES_MAX: usize = 64;
    let near = &text[at..text.len().min(at + BEFORE_BYTES_MAX)];
    let by = [&b"BY "[..], b"by "]
        .iter()
        .find_map(|by| memchr::memmem::find(near, by).map(|place| place + by.len()))?;
    let joined = near[..by]
        .iter()
        .all(|byte| b" _".contains(byte) || byte.is_ascii_alphanumeric());
    joined.then_some(())?;
    judged("command-password", text, sql_string(text, at + by)?)
}

/// A string of SQL, in which a doubled quote stands for one.
fn sql_string(text: &[u8], at: usize) -> Option<Range<usize>> {
    let mut range = quoted_argument(text, at)?;
    let doubled = [text[range.start - 1]; 2];
    while range.len() < COMMAND_BYTES_MAX && text[range.end..].starts_with(&doubled) {
        let next = quoted_argument(text, range.end + 1);
        range.end = next.map_or(range.end + doubled.len(), |next| next.end);
    }
    Some(range)
}

/// What SQL that makes or changes a user is given as the password, between single quotes.
pub(super) fn role(text: &[u8], at: &Range<usize>) -> Option<Hit<'static>> {
    #[rustfmt::skip]
    const STATEMENTS: &[&str] = &[
        "CREATE USER ", "CREATE ROLE ", "ALTER USER ", "ALTER ROLE ",
        "create user ", "create role ", "alter user ", "alter role ",
    ];
    // With the blank or the line's end, behind which the last line begins.
    let mut lines = statement_before(text, at.start + 1);
    let line = lines.next()?;
    let states = |line: &[u8]| runs(line, STATEMENTS);
    (states(line) || is_of_options(line) && lines.any(states)).then_some(())?;
    judged("command-password", text, sql_string(text, at.end - 1)?)
}

/// Whether a line of SQL holds nothing but options of a user, as no line of prose does.
fn is_of_options(line: &[u8]) -> bool {
    #[rustfmt::skip]
    const OPTIONS: &[&[u8]] = &[
        b"with", b"encrypted", b"login", b"superuser", b"createdb", b"createrole", b"inherit", b"replication",
    ];
    let mut words = line.split(u8::is_ascii_whitespace);
    words.all(|word| {
        let word = word.to_ascii_lowercase();
        let option = word.strip_prefix(b"no").unwrap_or(&word);
        option.is_empty() || OPTIONS.contains(&option)
    })
}

/// What PowerShell is given as the text of a secure string, between quotes.
pub(super) fn secure_string(text: &[u8], at: usize) -> Option<Hit<'static>> {
    const PARAMETER: &[u8] = b"-String ";
    let named = text[at..].starts_with(PARAMETER);
    let at = at + if named { PARAMETER.len() } else { 0 };
    judged("command-password", text, quoted_argument(text, at)?)
}

/// The password of `net use`: the argument behind the user, or the one before it.
pub(super) fn net_use(text: &[u8], at: &Range<usize>) -> Option<Hit<'static>> {
    let quoted = quoted_before(text, at.start);
    let end = quoted.as_ref().map_or(at.start, |range| range.start - 1);
    let command = command_before(text, end);
    runs(command, &["net use"]).then_some(())?;
    let user = argument(text, at.end)?;
    if text.get(user.end) == Some(&b' ') {
        let range = argument(text, user.end + 1)?;
        if text[range.start] != b'/' {
            return judged("command-password", text, range);
        }
    }
    let start = end - command.len() + memchr::memrchr(b' ', command)? + 1;
    let range = quoted.unwrap_or(start..end);
    let before = &text[range.clone()];
    let place = matches!(before.first(), Some(b'\\' | b'*')) || before.ends_with(b":");
    (!place).then_some(())?;
    judged("command-password", text, range)
}

/// What the quote at the end of `text`, as far as `end`, closes.
fn quoted_before(text: &[u8], end: usize) -> Option<Range<usize>> {
    let quote = text[..end].last()?;
    matches!(quote, b'"' | b'\'').then_some(())?;
    let inside = &text[end.saturating_sub(COMMAND_BYTES_MAX)..end - 1];
    let length = inside.iter().rev().position(|byte| byte == quote)?;
    Some(end - 1 - length..end - 1)
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
