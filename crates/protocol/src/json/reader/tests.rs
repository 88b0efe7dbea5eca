use proptest::prelude::*;
use serde_json::value::RawValue;

use super::*;

/// Reads `text` as one value.
fn read(text: &str) -> Result<Token<'_>, SyntaxError> {
    let mut reader = Reader::new(text);
    let token = reader.value()?;
    reader.end()?;
    Ok(token)
}

fn agrees_with_serde(text: &str) {
    let ours = read(text).ok().map(|token| token.text);
    let theirs = serde_json::from_str::<&RawValue>(text)
        .ok()
        .map(RawValue::get);
    assert_eq!(ours, theirs, "{text:?}");
    if let Ok(token) = read(text) {
        let string = serde_json::from_str::<String>(text).ok();
        assert_eq!(token.as_str().map(Cow::into_owned), string, "{text:?}");
        let number = serde_json::from_str::<u64>(text).ok();
        assert_eq!(token.as_u64(), number, "{text:?}");
    }
}

#[test]
fn odd_texts_are_judged_as_json() {
    for text in [
        "",
        " ",
        "0",
        "-0",
        "01",
        "1.",
        "1.0",
        ".5",
        "1e5",
        "1e",
        "1E+2",
        "-",
        "+1",
        "00",
        "18446744073709551615",
        "18446744073709551616",
        "nul",
        "null",
        "nulll",
        "true",
        "tru",
        "[]",
        "[ ]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\":1 \"b\":2}",
        "[[]",
        "[]]",
        "[}",
        "{]",
        "\"",
        "\"a",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u1234\"",
        "\"\\ud800\"",
        "\"\\ud800\\udc00\"",
        "\"\\udc00\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\n\"",
        "\"\u{7f}\"",
        "\"é\\n\"",
        "\u{feff}1",
        "1 1",
        " 1 ",
        "\"\\ud83d\\ude00 \\/\"",
        "[{\"a\":[{}]},[[[]]]]",
        "{\"\":{\"\":[]}}",
        "\"\\u+123\"",
    ] {
        agrees_with_serde(text);
    }
}

#[test]
fn depth_is_counted_without_recursion() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    assert_eq!(read(&deep).unwrap().kind, Kind::Nested(200_000));
    assert_eq!(
        read("{\"a\":[1,{}],\"b\":[]}").unwrap().kind,
        Kind::Nested(3)
    );
}

proptest! {
    #[test]
    fn any_text_is_judged_as_serde_json_judges_it(
        text in "[\\[\\]{}:,\"\\\\a-fnrtu0-9eE.+ \n-]{0,24}",
    ) {
        agrees_with_serde(&text);
    }

    #[test]
    fn any_mutated_value_is_judged_as_serde_json_judges_it(
        cut in any::<prop::sample::Index>(),
        byte in "[\\[\\]{}:,\"\\\\a0 -]",
    ) {
        let text = r#"{"a":[1,-2.5e3,"x\u00e9\n",{"b":null}],"c":true,"d":{"":[[],{}]}}"#;
        let at = cut.index(text.len());
        agrees_with_serde(&format!("{}{byte}{}", &text[..at], &text[at + 1..]));
        agrees_with_serde(&format!("{}{byte}{}", &text[..at], &text[at..]));
        agrees_with_serde(&text[..at]);
    }
}
