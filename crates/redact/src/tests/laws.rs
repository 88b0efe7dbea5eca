//! What holds for every text.

use proptest::prelude::*;

use super::super::{MARKER, Redactor};
use super::samples::{Draw, tokens};

/// Texts of pieces that rules look for.
fn texts() -> impl Strategy<Value = String> {
    let tokens: Vec<String> = tokens().into_iter().map(|(_, token)| token).collect();
    let marks = [
        "password=",
        "token: ",
        "\"",
        "'",
        "\n",
        "\\n",
        "\\",
        "%3D",
        "%41",
        "\\u0041",
        "\u{1b}[1m",
        " ",
        "https://",
        ":",
        "@",
        "a1B2c3D4e5F6g7",
        "[redacted:x]",
        "[redacted:",
        "]",
        "é",
        "→",
        "  7\t",
        "+",
        "Cookie: a=",
        "Bearer ",
        "curl -u a:",
        "mysql -p",
        "curl -H \"a: b\" -u \"c:",
        "\\\n",
        "\\\"",
        "\r\n",
        "\" + \"",
        "sk-",
        "eyJ",
        "=",
        "&amp;",
        "-----BEGIN RSA ",
        "-----END RSA ",
        "-----",
        "MIIEpAIBAAKCAQEA7",
    ];
    let piece = prop_oneof![
        4 => proptest::sample::select(marks.to_vec()).prop_map(str::to_owned),
        2 => proptest::sample::select(tokens),
        1 => "\\PC{0,12}",
        1 => Just(["PRIVATE", " KEY-----"].concat()),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn redacting_twice_is_redacting_once(text in texts()) {
        let redactor = Redactor::standard();
        let once = redactor.redact_text(&text);
        let twice = redactor.redact_text(&once.text);
        prop_assert_eq!(&twice.text, &once.text);
        prop_assert!(twice.findings.is_empty());
    }

    #[test]
    fn findings_tell_where_the_markers_stand(text in texts()) {
        let redacted = Redactor::standard().redact_text(&text);
        for finding in &redacted.findings {
            let marker = format!("{MARKER}{}]", finding.rule);
            prop_assert_eq!(&redacted.text[finding.range.clone()], marker);
        }
        let ordered = redacted.findings.windows(2).all(|pair| pair[0].range.end <= pair[1].range.start);
        prop_assert!(ordered);
        let shown = redacted.text.matches(MARKER).count();
        let given = text.matches(MARKER).count();
        prop_assert!(shown >= redacted.findings.len() && shown <= redacted.findings.len() + given);
        prop_assert_eq!(redacted.findings.is_empty(), redacted.text == text);
    }

    #[test]
    fn a_token_between_blanks_never_survives(before in texts(), after in texts(), start in 0_u64..500) {
        let all = tokens();
        let (_, token) = &all[Draw::new(start).below(all.len())];
        let text = format!("{before} {token} {after}");
        let redacted = Redactor::standard().redact_text(&text);
        if !before.contains(token) && !after.contains(token) {
            prop_assert!(!redacted.text.contains(token), "{}", redacted.text);
        }
    }

    #[test]
    fn json_stays_json_and_clean(text in texts(), key in texts()) {
        let value = serde_json::json!({ "a": [text, { key: 1 }], "b": text });
        let redactor = Redactor::standard();
        let redacted = redactor.redact_json(&value);
        let again = redactor.redact_json(&redacted.value);
        prop_assert_eq!(&again.value, &redacted.value);
        for finding in &redacted.findings {
            let pointer = finding.pointer.as_deref().unwrap_or("none");
            let told = pointer.starts_with('…') || redacted.value.pointer(pointer).is_some();
            prop_assert!(told, "{}", pointer);
        }
    }
}

#[test]
fn hostile_texts_are_redacted_in_one_go() {
    let size = 1 << 20;
    for unit in [
        "a",
        "-----BEGIN",
        "[redacted:",
        "\\",
        "%41",
        "\\u0041",
        "token=",
        "a1b2\n",
        "\" + \"",
        "eyJ",
        "://a:",
        "BEGIN PRIVATE KEY-----\n",
        "sk-a1\\\n",
        "\u{1b}[",
        " -u\"",
        "\" -u \"",
        "\\\"\\\" -u ",
        "' ' -u ",
        "\\' -u \\\\' ",
        "\\\n -u",
    ] {
        let text = unit.repeat(size / unit.len() / 4);
        let redacted = Redactor::standard().redact_text(&text);
        assert!(redacted.text.len() <= text.len() * 16, "{unit:?}");
    }
}
