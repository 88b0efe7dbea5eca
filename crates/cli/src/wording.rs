//! Numbers and times, as a person says them.

use syncline_model::Timestamp;

/// `1 change`, `2 changes`, `3 entries`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    match noun.strip_suffix("ry") {
        _ if count == 1 => format!("{count} {noun}"),
        Some(stem) => format!("{count} {stem}ries"),
        None => format!("{count} {noun}s"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_agree_with_their_nouns() {
        assert_eq!(counted(0, "change"), "0 changes");
        assert_eq!(counted(1, "entry"), "1 entry");
        assert_eq!(counted(2, "entry"), "2 entries");
        assert_eq!(counted(2, "day"), "2 days");
    }

    #[test]
    fn times_are_as_exact_as_is_of_use() {
        let said = [59, 60, 3_599, 86_399, 86_400, 200_000].map(duration);
        assert_eq!(said, ["59 s", "1 min", "59 min", "23 h", "1 day", "2 days"]);
        let time = "2026-01-02T03:04:59.999Z".parse().unwrap();
        assert_eq!(minute(time), "2026-01-02 03:04Z");
    }
}
