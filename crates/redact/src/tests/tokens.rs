//! Every token of an issuer is found, and what only begins like one is not.

use super::super::shape::Alphabet::{Alnum, Base64, Hex, LowerDigit, Url64};
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

#[test]
fn a_token_is_found_whole_whatever_marks_are_in_it() {
    let mut draw = Draw::new(11);
    let mut drawn = |alphabet, length: usize| {
        format!(
            "{}{}",
            draw.drawn(alphabet, length - 4),
            draw.run(alphabet, 4)
        )
    };
    for (id, token) in [
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
    ] {
        let text = format!("it says {token} there");
        let redacted = Redactor::standard().redact_text(&text);
        assert_eq!(
            redacted.text,
            format!("it says [redacted:{id}] there"),
            "{token}"
        );
    }
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
