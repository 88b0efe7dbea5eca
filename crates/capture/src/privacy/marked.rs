//! Where the mark stands as a line of its own, and where something only speaks of it.

use serde_json::Value;
use syncline_redact::read_json;

use super::MARK_LINE;

/// How deep JSON is looked for in strings of JSON.
const DEPTH_MAX: usize = 4;

/// Whether a prompt holds the mark.
pub(crate) fn is_marked(prompt: &str) -> bool {
    prompt.contains(MARK_LINE) && prompt.lines().any(|line| line.trim() == MARK_LINE)
}

/// Whether the mark stands as a line of its own in a string of what is JSON, or was to be.
pub(crate) fn is_marked_within(json: &str) -> bool {
    is_marked_down_to(DEPTH_MAX, json)
}

fn is_marked_down_to(depth: usize, json: &str) -> bool {
    json.contains(MARK_LINE)
        && match read_json(json.as_bytes()) {
            Ok(value) => is_value_marked(depth, &value),
            Err(_) => is_torn_marked(json),
        }
}

fn is_value_marked(depth: usize, value: &Value) -> bool {
    match value {
        Value::String(text) => {
            let is_json = depth > 0 && text.trim_start().starts_with(['{', '[']);
            is_marked(text) || (is_json && is_marked_down_to(depth - 1, text))
        }
        Value::Array(values) => values.iter().any(|value| is_value_marked(depth, value)),
        Value::Object(fields) => fields.values().any(|value| is_value_marked(depth, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether it stands so in what can't be read as JSON: as a line, or as all of what a quote begins as a value.
fn is_torn_marked(torn: &str) -> bool {
    let is_blank = |character: char| character.is_whitespace() && character != '\n';
    let torn = unescaped(torn);
    torn.match_indices(MARK_LINE).any(|(at, _)| {
        let before = torn[..at].trim_end_matches(is_blank);
        let is_begun = match before.strip_suffix('"').map(str::trim_end) {
            Some(before) => before.is_empty() || before.ends_with([':', '[', ',']),
            None => before.is_empty() || before.ends_with('\n'),
        };
        let after = torn[at + MARK_LINE.len()..].trim_start_matches(is_blank);
        is_begun && (after.is_empty() || after.starts_with(['"', '\n']))
    })
}

/// A text with what is escaped in it as it was meant, however often it was escaped.
fn unescaped(text: &str) -> String {
    let mut meant = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, escaped)) = rest.split_once('\\') {
        meant.push_str(before);
        rest = escaped.trim_start_matches('\\');
        let (character, length) = match rest.chars().next() {
            Some('n') => (Some('\n'), 1),
            Some('r' | 't') => (Some(' '), 1),
            Some('u') => {
                let digits = rest.get(1..5).map(|digits| u32::from_str_radix(digits, 16));
                let code = digits.and_then(Result::ok);
                (code.and_then(char::from_u32), 5)
            }
            _ => (None, 0),
        };
        if let Some(character) = character {
            meant.push(character);
            rest = &rest[length..];
        }
    }
    meant + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_marked_by_a_line_of_its_own_alone() {
        assert!(is_marked("#do-not-record"));
        assert!(is_marked("fix this\n  #do-not-record \nplease"));
        assert!(!is_marked("what does #do-not-record do?"));
        assert!(!is_marked("##do-not-record"));
    }

    #[test]
    fn a_mark_stands_in_json_as_a_line_of_its_own_alone() {
        for marked in [
            r##"{"text":"#do-not-record"}"##,
            r##"{"text":"fix this\n  #do-not-record \nplease"}"##,
            r##"{"text":"fix this\n\t#do-not-record\u3000\u000aplease"}"##,
            r##"{"text":"fix this\r\n#do-not-record\r\n"}"##,
            r##"{"text":"{\"prompt\":\"this\\n#do-not-record\"}"}"##,
            r##"{"text":"{\"prompt\":\"this\\n#do-not-record\", torn"}"##,
            r##"{"text":"torn at\n#do-not-record"##,
            r##"{"text":"torn at\u000A\t#do-not-record\u00a0\u000aof"##,
            "{\"text\" : \"torn\n#do-not-record\u{3000}\nof",
            r##"{"text": "#do-not-record", torn"##,
            r##"{"texts":["one", "#do-not-record", torn"##,
            r##"{"text":"{\"prompt\": \"#do-not-record\"}", torn"##,
            "neither JSON\n #do-not-record\nnor anything",
            "#do-not-record",
        ] {
            assert!(is_marked_within(marked), "{marked}");
        }
        for plain in [
            r##"{"text":"what does #do-not-record do?"}"##,
            r##"{"text":"\n#do-not-record now"}"##,
            r##"{"text":"\n##do-not-record\n"}"##,
            r##"{"text":"a #do-not-record\n"}"##,
            r##"{"text":"see\t#do-not-record\n"}"##,
            r##"{"text":"what does \"#do-not-record\" do?"}"##,
            r##"{"snippet":"MARK: &str = \"#do-not-record\";"}"##,
        ] {
            assert!(!is_marked_within(plain), "{plain}");
            let torn = format!("{plain}, torn");
            assert!(!is_marked_within(&torn), "{torn}");
        }
    }
}
