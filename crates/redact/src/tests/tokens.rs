//! Every token of an issuer is found, and what only begins like one is not.

use super::super::shape::Alphabet::{self, Alnum, Base64, Digit, Hex, LowerDigit, Url64};
use super::super::{Kind, Redactor, rules};
use super::samples::{Draw, tokens};
use super::{assert_all_gone, assert_all_kept};

#[test]
fn every_token_is_found_under_its_rules_name() {
    for (id, token) in tokens() {
        let text = format!("it says {token} there");
        let redacted = Redactor::standard().redact_text(&text);
        let rules: Vec<_> = redacted.findings.iter().map(|one| &*one.rule).collect();
        assert_eq!(
            redacted.text,
            format!("it says [redacted:{}] there", rules.join(" ")),
            "{id} {token}"
        );
        assert_eq!(redacted.findings[0].kind, Kind::Token);
    }
}

fn uuid(drawn: &mut impl FnMut(Alphabet, usize) -> String) -> String {
    let lengths = [8, 4, 4, 4, 12];
    lengths.map(|length| drawn(Hex, length)).join("-")
}

/// So many bytes of a set as chance has them, with a digit among the last.
fn drawn(draw: &mut Draw, alphabet: Alphabet, length: usize) -> String {
    let end = length.min(4);
    format!(
        "{}{}",
        draw.drawn(alphabet, length - end),
        draw.run(alphabet, end)
    )
}

/// Fails with every token that is not found from end to end under its rule's name.
#[track_caller]
fn assert_found_whole(tokens: impl IntoIterator<Item = (&'static str, String)>) {
    for (id, token) in tokens {
        for (before, after) in [("it says ", " there"), ("https://h.test/?x=1&k=", "&y=2")] {
            let text = format!("{before}{token}{after}");
            let redacted = Redactor::standard().redact_text(&text);
            let expected = format!("{before}[redacted:{id}]{after}");
            assert_eq!(redacted.text, expected, "{token}");
        }
    }
}

#[test]
fn a_token_is_found_whole_whatever_marks_are_in_it() {
    let mut draw = Draw::new(11);
    let mut drawn = |alphabet, length| drawn(&mut draw, alphabet, length);
    assert_found_whole([
        (
            "authress-key",
            format!(
                "authress_{}.h7km6.acc_{}.{}",
                drawn(LowerDigit, 12),
                drawn(LowerDigit, 15),
                drawn(Base64, 60)
            ),
        ),
        ("dropbox-token", format!("sl.{}", drawn(Url64, 135))),
        ("fly-token", format!("fo1_{}", drawn(Url64, 43))),
        ("stripe-key", format!("rk_prod_{}", drawn(Alnum, 40))),
        ("clickhouse-key", format!("4b1d{}", drawn(Alnum, 38))),
        (
            "maxmind-key",
            format!("{}_{}_mmk", drawn(Alnum, 6), drawn(Alnum, 29)),
        ),
        ("intra42-secret", format!("s-s4t2ud-{}", drawn(Hex, 64))),
    ]);
}

#[test]
fn tokens_of_shapes_that_no_other_has_are_found_whole() {
    let mut draw = Draw::new(12);
    let mut drawn = |alphabet, length| drawn(&mut draw, alphabet, length);
    assert_found_whole([
        ("together-key", format!("tgp_v1_{}", drawn(Url64, 43))),
        ("browserbase-key", format!("bb_live_{}", drawn(Url64, 27))),
        ("warp-key", format!("wk-{}", drawn(Hex, 64))),
        ("pagerduty-key", format!("u+{}", drawn(Url64, 18))),
        ("rootly-key", format!("rootly_{}", drawn(Hex, 64))),
        ("axiom-token", format!("xaat-{}", uuid(&mut drawn))),
        ("hubspot-token", format!("pat-na1-{}", uuid(&mut drawn))),
        (
            "asana-token",
            format!(
                "2/1{}/1{}:{}",
                drawn(Digit, 15),
                drawn(Digit, 15),
                drawn(Hex, 32)
            ),
        ),
        (
            "mailgun-key",
            format!("{}-{}-{}", drawn(Hex, 32), drawn(Hex, 8), drawn(Hex, 8)),
        ),
        (
            "azure-key",
            format!("{}AzSe{}", drawn(Alnum, 42), drawn(Alnum, 6)),
        ),
        (
            "discord-token",
            format!(
                "MT{}.G{}.{}",
                drawn(Alnum, 24),
                drawn(Url64, 5),
                drawn(Url64, 38)
            ),
        ),
        (
            "password-hash",
            format!("$6${}${}", drawn(Alnum, 16), drawn(Alnum, 86)),
        ),
        (
            "password-hash",
            format!("$apr1${}${}", drawn(Alnum, 8), drawn(Alnum, 22)),
        ),
        ("password-hash", format!("$2y$10${}", drawn(Alnum, 53))),
        // Four that chance has drawn in a row are of no example.
        (
            "github-token",
            format!("ghp_{}xXxx{}", drawn(Alnum, 20), drawn(Alnum, 12)),
        ),
    ]);
}

#[test]
fn every_token_is_found_where_tokens_stand() {
    let mut cases = Vec::new();
    for (_, token) in tokens() {
        for text in [
            token.clone(),
            format!("({token})"),
            format!("`{token}`."),
            format!("X={token}\n"),
            format!("x: '{token}',"),
            format!("{{\"x\":\"{token}\"}}"),
            format!("https://host.test/path?x={token}&y=1"),
            format!("<x>{token}</x>"),
            format!("one,{token},two"),
        ] {
            cases.push((text.to_owned(), token.to_string()));
        }
    }
    assert_all_gone(cases);
}

#[test]
fn a_token_cut_short_or_masked_is_kept() {
    let mut kept: Vec<String> = Vec::new();
    for rule in rules::all().filter(|rule| rule.before.is_none()) {
        for mark in rule.marks {
            kept.push(format!("the mark {mark} alone").to_owned());
            kept.push(format!("{mark}...").to_owned());
            kept.push(format!("{mark}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx").to_owned());
        }
    }
    assert_all_kept(kept.iter().map(String::as_str));
}

#[test]
fn what_only_looks_like_a_token_is_kept() {
    let mut kept: Vec<String> = Vec::new();
    let mut draw = Draw::new(3);
    let digest = |draw: &mut Draw, length| draw.run(super::super::shape::Alphabet::Hex, length);
    for text in [
        format!("commit {}", digest(&mut draw, 40)),
        format!("sha256:{}", digest(&mut draw, 64)),
        format!("checksum = \"{}\"", digest(&mut draw, 64)),
        format!("\"integrity\": \"sha512-{}==\"", draw.base64(86)),
        format!("data:image/png;base64,{}", draw.base64(4000)),
        format!("task-{}", digest(&mut draw, 32)),
        "risk-assessment-of-everything-that-may-happen".to_owned(),
        "disk-usage-20240131-full".to_owned(),
        "session 4a6d8f10-9b1c-4e55-8f7a-0f6a2c3d4e5f".to_owned(),
        "re_export_of_something_quite_long_here".to_owned(),
        "secret_manager_configuration_for_production".to_owned(),
        "toolu_01A9bC8dE7fG6hI5jK4lM3nO2p msg_01A9bC8dE7fG6hI5jK4lM3nO2p req_011CRz".to_owned(),
    ] {
        kept.push(text.to_owned());
    }
    assert_all_kept(kept.iter().map(String::as_str));
}

#[test]
fn the_secret_beside_an_access_key_is_found() {
    let mut cases = Vec::new();
    let mut draw = Draw::new(5);
    let id = format!(
        "{}{}",
        "AKIA",
        draw.run(super::super::shape::Alphabet::UpperDigit, 16)
    );
    let secret = draw.base64(40);
    for text in [
        format!("{id},{secret}\n"),
        format!("key {id} with {secret}"),
        format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n"),
    ] {
        cases.push((text.to_owned(), secret.to_string()));
        cases.push((text.to_owned(), id.to_string()));
    }
    assert_all_gone(cases);
}

#[test]
fn a_key_of_marks_and_letters_is_found_as_a_framework_writes_it() {
    let mut draw = Draw::new(11);
    let mut cases = Vec::new();
    for _ in 0..40 {
        let all = "abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)".as_bytes();
        let key: String = (0..50).map(|_| char::from(all[draw.below(50)])).collect();
        for text in [
            format!("SECRET_KEY = '{}{key}'\n", "django-insecure-"),
            format!("SECRET_KEY: {}{key}\n", "django-insecure-"),
        ] {
            cases.push((text, key.clone()));
        }
        // What a shell puts something in the place of is a placeholder.
        if !matches!(key.as_bytes()[0], b'(' | b'*') && !key.contains("$(") {
            cases.push((format!("SECRET_KEY = '{key}'\n"), key));
        }
    }
    assert_all_gone(cases);
}
