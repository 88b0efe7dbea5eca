//! JSON that was cut or damaged, of which no more can be read than what is left.

use proptest::prelude::*;
use serde_json::Value;

use super::super::{Redacted, Redactor, json};

const SECRET: &str = "hq8Lm2Vz77tt";
/// What JSON alone tells of the secret, for which `@` stands.
const CASES: [&str; 9] = [
    r#"{"element":"Password field","text":"@"}"#,
    r#"{"args":["docker","login","-p","@"]}"#,
    r#"{"command":["curl","-u","admin:@","https://h.test"]}"#,
    r#"{"command":["sshpass","-p","@","ssh"]}"#,
    r#"{"command":["mysql","--password","@"]}"#,
    r#"{"args":["--password","Red Dog @"]}"#,
    r#"{"name":"DB_PASSWORD","value":"@"}"#,
    r#"{"value":"@","name":"DB_PASSWORD"}"#,
    r#"{"headers":{"Cookie":"a=1; session_id=@h2k3j4h5"}}"#,
];

/// A line that holds `case`, before its last quotes.
fn line(case: &str) -> String {
    let case = case.replace('@', SECRET);
    format!(
        "{{\"type\":\"tool\",\"n\":[1,[]],\"state\":{{\"input\":{case},\"output\":\"ok\"}},\"to"
    )
}

#[test]
fn what_json_tells_is_found_where_the_line_is_torn() {
    let redactor = Redactor::standard();
    for case in CASES {
        let line = line(case);
        // Behind the object, within a string, and where another line goes on.
        for text in [
            line.replace(",\"output\":\"ok\"},\"to", ""),
            line.clone(),
            format!(" {line}o\\"),
            format!("{line}\n{{\"a\":1}}"),
            format!("{{\"torn\":\"x\n{line}"),
            format!("{{\"torn\":[{line}"),
            format!("}}]]{{\"torn\":}}[1]]]}}}}{line}"),
            line.replace("\"n\":[1,[]],", "\"n\":[1,[},\"o\":{\"p\":1],"),
        ] {
            let Redacted {
                text: clean,
                findings,
            } = redactor.redact_as_json(&text);
            assert!(!clean.contains(SECRET), "{text} becomes {clean}");
            assert!(!findings.is_empty());
            assert_eq!(redactor.redact_as_json(&clean).text, clean);
        }
    }
}

#[test]
fn what_is_no_string_of_json_is_looked_at_as_a_text() {
    let redactor = Redactor::standard();
    for text in [
        format!("{{\"a\":\"export PASSWORD={SECRET}"),
        format!("[\"\\q\",\"\\ud800\",\"password={SECRET}\u{1}\""),
        format!("{{broken: PASSWORD={SECRET}\n"),
        format!("[\"--password\",\"x{SECRET}\"] PASSWORD={SECRET}"),
    ] {
        let clean = redactor.redact_as_json(&text).text;
        assert!(!clean.contains(SECRET), "{text} becomes {clean}");
    }
}

/// JSON of what the rules look for.
fn values() -> impl Strategy<Value = Value> {
    let texts = [
        SECRET,
        "-p",
        "docker",
        "login",
        "--password",
        "é\"\\\n→",
        "password",
        "password=x9!kQ2vLp",
        "",
        "curl",
        "-u",
        "a:x9!kQ2vLp",
        "{\"a\":[\"",
        "]}",
    ];
    let keys = [
        "name", "value", "text", "element", "password", "args", "Cookie", "é\"",
    ];
    let leaf = prop_oneof![
        4 => proptest::sample::select(texts.to_vec()).prop_map(Value::from),
        1 => any::<i32>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        let key = proptest::sample::select(keys.to_vec()).prop_map(str::to_owned);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((key, inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The strings of a text that are closed, and what stands between them.
fn pieces(text: &str) -> (Vec<&str>, Vec<&str>) {
    let (mut strings, mut others) = (Vec::new(), Vec::new());
    let mut rest = text;
    while let Some(start) = rest.find('"') {
        let mut escaped = false;
        let end = rest[start + 1..].bytes().position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        });
        let Some(end) = end else { break };
        let end = start + 2 + end;
        others.push(&rest[..start]);
        strings.push(&rest[start..end]);
        rest = &rest[end..];
    }
    others.push(rest);
    (strings, others)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_cut_changes_no_more_than_strings(value in values(), pretty in any::<bool>()) {
        let redactor = Redactor::standard();
        let whole = match pretty {
            true => serde_json::to_string_pretty(&value).unwrap(),
            false => value.to_string(),
        };
        for end in (0..=whole.len()).filter(|end| whole.is_char_boundary(*end)) {
            let torn = &whole[..end];
            let _ = redactor.redact_as_json(&whole[end..]);
            let clean = redactor.redact_as_json(torn);
            prop_assert_eq!(clean.findings.is_empty(), clean.text == torn);
            let Some(walked) = json::walk(&redactor, torn).text else { continue };
            let ((strings, others), (clean, kept)) = (pieces(torn), pieces(&walked));
            prop_assert_eq!(others, kept);
            prop_assert_eq!(strings.len(), clean.len());
            for (before, after) in strings.into_iter().zip(clean) {
                prop_assert!(before == after || after.contains("[redacted:"), "{} {}", before, after);
            }
        }
    }
}
