//! What nothing but its entropy gives away, and what looks as random and is no secret.

use super::super::shape::Alphabet;
use super::super::{Kind, RedactOptions, Redactor};
use super::assert_all_kept;
use super::samples::Draw;

/// Where a value without a telling name stands; `@` stands for it.
const CONTEXTS: &[&str] = &[
    "export FOO=@",
    "FOO=@\nBAR=1",
    "{\"key\": \"@\"}",
    "foo: '@',",
    "value @ here",
    "it prints\n@\nand ends",
    "{\"out\":\"a\\n@\\nb\"}",
    "+FOO=@\n",
    "+@\n",
    "run(`@`)",
    "the value is @.",
];

/// How many of a hundred are found: the others look like names or have too few digits.
fn found(context: &str, draw: &mut impl FnMut() -> String) -> usize {
    let redactor = Redactor::standard();
    let hidden = |_: &usize| {
        let value = draw();
        let text = context.replace('@', &value);
        let redacted = redactor.redact_text(&text).text;
        !redacted.contains(&value[1..])
    };
    (0..100).filter(hidden).count()
}

#[test]
fn a_value_drawn_from_letters_and_digits_is_found_without_a_name() {
    let mut draw = Draw::new(31);
    for context in CONTEXTS {
        for length in [32, 40, 64, 100] {
            let found = found(context, &mut || draw.drawn(Alphabet::Alnum, length));
            assert!(found >= 95, "{found} of {length} bytes in {context}");
        }
        let found = found(context, &mut || draw.drawn(Alphabet::Url64, 43));
        assert!(found >= 93, "{found} of base64 in {context}");
    }
}

#[test]
fn what_is_found_so_says_so_and_can_be_switched_off() {
    let value = Draw::new(37).drawn(Alphabet::Alnum, 48);
    let text = format!("FOO={value}");
    let redacted = Redactor::standard().redact_text(&text);
    assert_eq!(redacted.text, "FOO=[redacted:high-entropy]");
    assert_eq!(redacted.findings[0].kind, Kind::Random);
    let off = RedactOptions {
        off: vec!["high-entropy".to_owned()],
        ..RedactOptions::default()
    };
    assert_eq!(Redactor::new(&off).unwrap().redact_text(&text).text, text);
}

#[test]
fn what_looks_random_and_is_no_secret_is_kept() {
    let mut draw = Draw::new(41);
    let mut kept = Vec::new();
    for _ in 0..40 {
        let mut long = |length| draw.drawn(Alphabet::Alnum, length);
        kept.push(format!("toolu_{} done", long(32)));
        kept.push(format!("\"chatcmpl-{}\"", long(32)));
        kept.push(format!("\"requestId\": \"{}\"", long(40)));
        kept.push(format!("x-amz-id-2: {}", long(76)));
        kept.push(format!("integrity=\"sha512-{}==\"", long(86)));
        kept.push(format!("go.sum h1:{}=", long(43)));
        kept.push(format!("SHA256:{} key", long(43)));
        kept.push(format!("/var/cache/{}/x", long(40)));
        kept.push(format!("https://h.test/{}?v={}", long(40), long(40)));
        kept.push(format!("{}\n{}\n{}\n", long(64), long(64), long(40)));
        kept.push(format!("\"{}\\n\"\n  \"{}\\n\"", long(64), long(40)));
        kept.push(format!("data:image/png;base64,{}", long(100)));
        kept.push(long(400));
        kept.push(format!("lib{}.so", long(40)));
        kept.push(format!("{{\"{}\": 1}}", long(40)));
    }
    assert_all_kept(kept.iter().map(String::as_str));
    assert_all_kept([
        "commit 4f5e6d7c8b9a0f1e2d3c4b5a69788776655443322f",
        "id 123e4567-e89b-12d3-a456-426614174000-123e4567",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        "const kCFISO8601DateFormatWithFullTime: u32",
        "TestContract_GeminiCLI2_BeforeAgent_AfterTool3",
        "_ZN4core3ptr85drop_in_place17hE0123456789abcdE",
        "void f(X509_STORE_CTX_verify_crit_oids_cb cb)",
        "--sentinel NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2",
        "value U29tZSB0ZXh0IHRoYXQgc29tZWJvZHkgZW5jb2RlZA==",
        "src/Components/SessionListItem2/useSessionListItem2.ts",
    ]);
}

#[test]
fn members_of_json_are_judged_with_their_names() {
    let value = Draw::new(43).drawn(Alphabet::Alnum, 44);
    let json = serde_json::json!({ "a": value, "id": value, "signature": value, "b": [value], "url": format!("say {value}") });
    let redacted = Redactor::standard().redact_json(&json).value;
    assert_eq!(redacted["a"], "[redacted:high-entropy]");
    assert_eq!(redacted["b"][0], "[redacted:high-entropy]");
    assert_eq!(redacted["url"], "say [redacted:high-entropy]");
    assert_eq!(redacted["id"], value);
    assert_eq!(redacted["signature"], value);
}
