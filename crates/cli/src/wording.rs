//! Numbers, times and reasons, as a person says them.

use serde_json::Value;
use syncline_model::Timestamp;

/// `1 change`, `2 changes`, `3 entries`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    let stem = noun.strip_suffix('y');
    match stem.filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u'])) {
        _ if count == 1 => format!("{count} {noun}"),
        Some(stem) => format!("{count} {stem}ies"),
        None => format!("{count} {noun}s"),
    }
}

/// A file's size, in decimal units.
pub(crate) fn byte_size(bytes: u64) -> String {
    match bytes {
        0..1_000 => counted(bytes, "byte"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        1_000_000..1_000_000_000 => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
        _ => format!("{}.{} GB", bytes / 1_000_000_000, bytes / 100_000_000 % 10),
    }
}

/// A time that has passed.
pub(crate) fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => counted(seconds / 86_400, "day"),
    }
}

/// A time, as it stands in a list: to the minute, UTC.
pub(crate) fn minute(time: Timestamp) -> String {
    let text = time.to_string();
    format!("{} {}Z", &text[..10], &text[11..16])
}

/// `text` as one word of a shell command.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./@+:".contains(c);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// What a program reads of why a write of records was refused, a line each: the fields that are wrong, or in
/// conflict.
pub(crate) fn refusal_lines(details: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for error in details["fields"].as_array().into_iter().flatten() {
        let word = |name: &str| error[name].as_str().unwrap_or_default();
        lines.push(format!("{}: {}", word("field"), word("message")));
    }
    for (column, lost) in details["conflicts"].as_object().into_iter().flatten() {
        let sides = ["base", "mine", "theirs"].into_iter();
        let sides = sides.filter_map(|side| Some(format!("{side} {}", lost.get(side)?)));
        lines.push(format!(
            "{column}: {}",
            sides.collect::<Vec<_>>().join(", ")
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_agree_with_their_nouns() {
        assert_eq!(counted(0, "change"), "0 changes");
        assert_eq!(counted(1, "entry"), "1 entry");
        assert_eq!(counted(2, "entry"), "2 entries");
        assert_eq!(counted(2, "entity"), "2 entities");
        assert_eq!(counted(2, "day"), "2 days");
    }

    #[test]
    fn sizes_have_the_unit_that_suits_them() {
        let said = [1, 999, 1_000, 1_250_000, 3_999_999_999].map(byte_size);
        assert_eq!(said, ["1 byte", "999 bytes", "1 kB", "1.2 MB", "3.9 GB"]);
    }

    #[test]
    fn times_are_as_exact_as_is_of_use() {
        let said = [59, 60, 3_599, 86_399, 86_400, 200_000].map(duration);
        assert_eq!(said, ["59 s", "1 min", "59 min", "23 h", "1 day", "2 days"]);
        let time = "2026-01-02T03:04:59.999Z".parse().unwrap();
        assert_eq!(minute(time), "2026-01-02 03:04Z");
    }

    #[test]
    fn a_suggested_command_can_be_pasted() {
        assert_eq!(quoted("api-design"), "api-design");
        assert_eq!(quoted("it's; rm -rf ~"), r"'it'\''s; rm -rf ~'");
        assert_eq!(quoted("-x"), "'-x'");
        assert_eq!(quoted(""), "''");
    }
}
