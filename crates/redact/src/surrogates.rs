//! Halves of surrogate pairs in JSON, which no text can hold.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

/// The bytes of an escape: `\ud83d`.
const ESCAPE: usize = 6;

/// JSON in which each escaped half of a surrogate pair that stands alone is U+FFFD: who cuts a text between
/// two halves writes such, and readers that know texts alone take no string with one.
pub fn mend_surrogates(json: &str) -> Cow<'_, str> {
    let mut mended = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = memchr::memchr(b'\\', &json.as_bytes()[at..]) {
        at += found;
        match unit(json, at) {
            // Its next is escaped itself, or something simple.
            None => at += 2,
            Some(0xd800..=0xdbff) if matches!(unit(json, at + ESCAPE), Some(0xdc00..=0xdfff)) => {
                at += 2 * ESCAPE;
            }
            Some(0xd800..=0xdfff) => {
                mended.push_str(&json[copied..at]);
                mended.push_str("\\ufffd");
                at += ESCAPE;
                copied = at;
            }
            Some(_) => at += ESCAPE,
        }
        if at >= json.len() {
            break;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(json);
    }
    mended.push_str(&json[copied..]);
    Cow::Owned(mended)
}

/// Reads JSON as [`mend_surrogates`] leaves it.
pub fn read_json<T: DeserializeOwned>(json: &[u8]) -> serde_json::Result<T> {
    match std::str::from_utf8(json) {
        Ok(text) => serde_json::from_str(&mend_surrogates(text)),
        // It says where.
        Err(_) => serde_json::from_slice(json),
    }
}

/// The unit that is escaped at a place, if one is.
fn unit(json: &str, at: usize) -> Option<u16> {
    let digits = json.as_bytes().get(at..at + ESCAPE)?.strip_prefix(b"\\u")?;
    let digits = std::str::from_utf8(digits).ok()?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::Redactor;

    #[test]
    fn a_secret_beside_half_a_character_is_found() {
        let secret = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
        for json in [
            format!(r#"{{"a":["{secret} \ud83d"]}}"#),
            format!(r#"{{"\ude00":"{secret}"}}"#),
        ] {
            let raw: &RawValue = serde_json::from_str(&json).unwrap();
            let clean = Redactor::standard().redact_raw(raw);
            assert_eq!(clean.findings.len(), 1, "{json}");
            assert!(!clean.raw.get().contains(secret), "{}", clean.raw);
        }
    }

    #[test]
    fn halves_alone_are_mended_and_pairs_are_not() {
        for (json, meant) in [
            (r#""a\ud83d""#, r#""a\ufffd""#),
            (r#""\uDE00b""#, r#""\ufffdb""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\ud83d\n\ude00""#, r#""\ufffd\n\ufffd""#),
            (r#"{"\ud83d":1}"#, r#"{"\ufffd":1}"#),
        ] {
            let mended = mend_surrogates(json);
            assert_eq!(mended, meant);
            serde_json::from_str::<serde_json::Value>(&mended).unwrap();
        }
        for json in [
            r#""\ud83d\ude00""#,
            r#""\\ud83d""#,
            r#""\u00e9 \"\\""#,
            "plain",
            r"\ud8",
            r"\",
        ] {
            assert!(matches!(mend_surrogates(json), Cow::Borrowed(same) if same == json));
        }
    }
}
