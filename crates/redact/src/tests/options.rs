//! Users' settings, and what JSON's keys tell.

use std::error::Error as _;

use serde_json::json;
use serde_json::value::RawValue;

use super::super::shape::Alphabet;
use super::super::{Kind, OwnPattern, RedactOptions, RedactOptionsError, Redactor};
use super::samples::Draw;

fn own(name: &str, pattern: &str) -> RedactOptions {
    RedactOptions {
        own: vec![OwnPattern {
            name: name.to_owned(),
            pattern: pattern.to_owned(),
        }],
        off: Vec::new(),
    }
}

#[test]
fn a_pattern_of_the_users_own_is_found() {
    let redactor = Redactor::new(&own("ticket", r"ACME-\d{4}")).unwrap();
    let redacted = redactor.redact_text("see ACME-1234 and ACME-12");
    assert_eq!(redacted.text, "see [redacted:ticket] and ACME-12");
    assert_eq!(redacted.findings[0].kind, Kind::Own);
    let redactor = Redactor::new(&own("code", r"code (?<secret>\w+)")).unwrap();
    assert_eq!(
        redactor.redact_text("the code 77é7").text,
        "the code [redacted:code]"
    );
}

#[test]
fn a_pattern_that_matches_markers_changes_them_not() {
    let redactor = Redactor::new(&own("red", r"redacted|[a-z]+")).unwrap();
    let once = redactor.redact_text("abc 12").text.into_owned();
    assert_eq!(once, "[redacted:red] 12");
    assert_eq!(redactor.redact_text(&once).text, once);
}

#[test]
fn settings_that_cannot_work_say_why() {
    let error = Redactor::new(&own("a", "(unclosed")).unwrap_err();
    assert!(error.to_string().contains("\"a\""), "{error}");
    assert!(
        error
            .source()
            .unwrap()
            .to_string()
            .contains("unclosed group")
    );
    let error = Redactor::new(&own("a", "x*")).unwrap_err();
    assert!(matches!(error, RedactOptionsError::MatchesNothing { .. }));
    let error = Redactor::new(&own("A b", "x")).unwrap_err();
    assert!(matches!(error, RedactOptionsError::Name { .. }));
    let huge = own("a", r"\w{1000}{1000}");
    assert!(matches!(
        Redactor::new(&huge),
        Err(RedactOptionsError::Pattern { .. })
    ));
    let off = RedactOptions {
        off: vec!["nonsense".to_owned()],
        ..RedactOptions::default()
    };
    assert!(matches!(
        Redactor::new(&off),
        Err(RedactOptionsError::UnknownRule { .. })
    ));
}

#[test]
fn a_rule_switched_off_finds_nothing() {
    let secret = Draw::new(23).run(Alphabet::Alnum, 36);
    let text = format!("it says {}{secret} there", "ghp_");
    let off = RedactOptions {
        off: vec!["github-token".to_owned()],
        ..RedactOptions::default()
    };
    assert_eq!(Redactor::new(&off).unwrap().redact_text(&text).text, text);
    assert_ne!(Redactor::standard().redact_text(&text).text, text);
}

#[test]
fn keys_tell_what_values_are() {
    let secret = Draw::new(29).run(Alphabet::Alnum, 24);
    let value = json!({
        "password": "x9!kQ2vLp",
        "headers": { "Authorization": format!("Bearer {secret}"), "x-api-key": [secret] },
        "env": [{ "name": "DB_PASSWORD", "value": "x9!kQ2vLp" }, { "name": "PATH", "value": "/bin" }],
        "max_tokens": 4096,
        "command": format!("curl -u me:{secret} h.test"),
        "a/b": { "token": secret },
    });
    let redacted = Redactor::standard().redact_json(&value);
    let shown = redacted.value.to_string();
    assert!(
        !shown.contains(&secret) && !shown.contains("x9!kQ2vLp"),
        "{shown}"
    );
    assert_eq!(redacted.value["env"][1]["value"], "/bin");
    let pointers: Vec<_> = redacted
        .findings
        .iter()
        .filter_map(|one| one.pointer.as_deref())
        .collect();
    for pointer in [
        "/password",
        "/headers/x-api-key/0",
        "/env/0/value",
        "/a~1b/token",
        "/command",
    ] {
        assert!(pointers.contains(&pointer), "{pointer} not in {pointers:?}");
    }
}

#[test]
fn raw_json_keeps_every_byte_but_secrets() {
    let text = r#"{ "z": 1.50, "password" : "x9!kQ2vLp\n", "a": "é\u0041", "n": 12345678901234567890123 }"#;
    let raw: &RawValue = serde_json::from_str(text).unwrap();
    let redacted = Redactor::standard().redact_raw(raw);
    let expected = text.replace(r"x9!kQ2vLp\n", "[redacted:password]");
    assert_eq!(redacted.raw.get(), expected);
    let clean: &RawValue = serde_json::from_str(r#"{ "b": 1.0 }"#).unwrap();
    let kept = Redactor::standard().redact_raw(clean);
    assert!(std::ptr::eq(kept.raw.get(), clean.get()));
}

#[test]
fn a_long_pointer_is_cut_to_its_end() {
    let json = format!(
        r#"{{"{}é":{{"a/b":["password=x9!kQ2vLp"]}}}}"#,
        "k".repeat(10_000)
    );
    let deep = ["[", "]"].map(|bracket| bracket.repeat(1_000));
    let deep = deep.join(r#"{"a/b":["password=x9!kQ2vLp"]}"#);
    let named = format!(r#"{{"x{}":"password=x9!kQ2vLp"}}"#, "/~é".repeat(1_000));
    for (json, end) in [
        (json, "ké/a~1b/0"),
        (deep, "/0/0/a~1b/0"),
        (named, "~1~0é~1~0é"),
    ] {
        let raw: &RawValue = serde_json::from_str(&json).unwrap();
        let findings = Redactor::standard().redact_raw(raw).findings;
        let [finding] = &findings[..] else {
            panic!("{findings:?}")
        };
        let pointer = finding.pointer.as_deref().unwrap();
        let is_cut = pointer.len() <= 256 && pointer.starts_with('…');
        assert!(is_cut && pointer.ends_with(end), "{pointer}");
    }
}
