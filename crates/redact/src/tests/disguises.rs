//! What is found as it is, is found escaped, in URLs, and broken in two.

use super::super::shape::Alphabet;
use super::assert_all_gone;
use super::samples::{Draw, tokens};

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

/// Ways to write a text so that its secret is broken or escaped; `at` is a place inside it.
fn disguises(before: &str, secret: &str, at: usize) -> Vec<(&'static str, String)> {
    let (head, tail) = secret.split_at(at);
    let code = u32::from(secret.as_bytes()[at]);
    let rest = &secret[at + 1..];
    let json = |text: &str| serde_json::Value::from(text).to_string();
    let line = format!("{before}{secret}\nnext line\n");
    let slashed = format!("{before}{secret}").replace('/', "\\/");
    vec![
        ("json", json(&line)),
        ("json in json", json(&json(&line))),
        ("json in json in json", json(&json(&json(&line)))),
        ("slashes", format!("{{\"x\":\"{slashed}\"}}")),
        ("\\u", format!("{before}{head}\\u{code:04x}{rest}")),
        ("\\x", format!("{before}{head}\\x{code:02x}{rest}")),
        ("one percent", format!("{before}{head}%{code:02X}{rest}")),
        (
            "url",
            format!(
                "https://h.test/?x={}&y=1",
                percent(&format!("{before}{secret}"))
            ),
        ),
        ("entity", format!("{before}{head}&#{code};{rest}")),
        ("colour", format!("{before}\u{1b}[32m{secret}\u{1b}[0m")),
        (
            "colour inside",
            format!("{before}{head}\u{1b}[0m\u{1b}[1m{tail}"),
        ),
        ("continuation", format!("{before}{head}\\\n{tail}\n")),
        (
            "indented continuation",
            format!("{before}{head} \\\n      {tail}\n"),
        ),
        ("chunks", format!("{before}\"{head}\" + \"{tail}\"")),
        (
            "chunks over lines",
            format!("{before}\"{head}\" +\n  \"{tail}\""),
        ),
        (
            "adjacent chunks",
            format!("{before}\"{head}\"\n  \"{tail}\""),
        ),
        (
            "continued chunks",
            format!("{before}\"{head}\" \\\n  \"{tail}\""),
        ),
        ("wrapped", format!("{before}{head}\n{tail}\n")),
        ("wrapped, indented", format!("  {before}{head}\n  {tail}\n")),
        (
            "wrapped in json",
            json(&format!("{before}{head}\n{tail}\n")),
        ),
        ("wrapped, crlf", format!("{before}{head}\r\n{tail}\r\n")),
        (
            "numbered",
            format!("     7\t{before}{head}\n     8\t{tail}\n"),
        ),
        ("arrowed", format!("     7→{before}{head}\n     8→{tail}\n")),
        ("added", format!("+{before}{head}\n+{tail}\n")),
        ("removed", format!("-{before}{head}\n-{tail}\n")),
        ("quoted", format!("> {before}{head}\n> {tail}\n")),
        (
            "terminal",
            format!("{:76}{before}{head}\n{tail}\n", "$ echo"),
        ),
    ]
}

/// Whether a drawn piece happens to look like a word, as nothing can tell it from one then.
fn is_telling(secret: &str, at: usize) -> bool {
    secret.as_bytes()[at].is_ascii_alphanumeric()
        && !super::super::words::is_wordy(&secret.as_bytes()[at..])
}

#[test]
fn tokens_are_found_in_every_disguise() {
    let mut cases = Vec::new();
    let mut draw = Draw::new(11);
    for (_, token) in tokens() {
        let at = 6 + draw.below(token.len() - 12);
        if !is_telling(&token, at) {
            continue;
        }
        for (_, text) in disguises("X is ", &token, at) {
            cases.push((text.to_owned(), token.to_string()));
        }
    }
    assert_all_gone(cases);
}

#[test]
fn a_token_broken_in_its_mark_is_found() {
    let mut cases = Vec::new();
    for (_, token) in tokens().into_iter().filter(|(id, _)| *id != "vault-token") {
        if token.contains(' ') || !token.as_bytes()[1].is_ascii_alphanumeric() {
            continue;
        }
        for (way, text) in disguises("X is ", &token, 1) {
            if way != "wrapped, indented" {
                cases.push((text.to_owned(), token.to_string()));
            }
        }
    }
    assert_all_gone(cases);
}

#[test]
fn named_secrets_are_found_in_every_disguise() {
    let mut cases = Vec::new();
    let mut draw = Draw::new(13);
    for round in 0..40 {
        let secret = draw.run(Alphabet::Alnum, 20 + round);
        let at = 8 + draw.below(secret.len() - 14);
        if !is_telling(&secret, at) {
            continue;
        }
        for (way, text) in disguises("API_TOKEN=", &secret, at) {
            // Code puts quotes behind a name, and a line of it begins with one.
            if !way.contains("chunks") {
                cases.push((text.to_owned(), secret.to_string()));
            }
        }
        for (_, text) in disguises("api_token = ", &secret, at) {
            cases.push((text.to_owned(), secret.to_string()));
        }
    }
    assert_all_gone(cases);
}

#[test]
fn a_private_key_is_found_in_every_writing() {
    let mut cases = Vec::new();
    let mut draw = Draw::new(17);
    let label = |what: &str, of: &str| format!("-----{what} {of}{} KEY-----", "PRIVATE");
    for kind in ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "] {
        let lines: Vec<String> = (0..25).map(|_| draw.base64(64)).collect();
        let last = draw.base64(30);
        let key = format!(
            "{}\n{}\n{last}==\n{}\n",
            label("BEGIN", kind),
            lines.join("\n"),
            label("END", kind)
        );
        let numbered: String = key
            .lines()
            .enumerate()
            .map(|(at, line)| format!("{:>6}\t{line}\n", at + 1))
            .collect();
        let json = serde_json::Value::from(key.as_str()).to_string();
        let added: String = key.lines().map(|line| format!("+{line}\n")).collect();
        let cut = key[..key.len() / 2].to_owned();
        let headless = key[key.len() / 2..].to_owned();
        let chunks: String = key
            .lines()
            .map(|line| format!("  \"{line}\\n\" +\n"))
            .collect();
        let encoded = key
            .replace('\n', "%0A")
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D");
        let flat = key.replace('\n', " ");
        for text in [
            serde_json::Value::from(json.as_str()).to_string(),
            json,
            numbered,
            added,
            cut,
            headless,
            chunks,
            encoded,
            flat,
            key,
        ] {
            for line in lines.iter().chain([&last]) {
                cases.push((text.to_owned(), line.to_string()));
            }
        }
    }
    assert_all_gone(cases);
}
