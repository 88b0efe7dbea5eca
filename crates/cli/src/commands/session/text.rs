//! Figures of sessions, as a person reads them.

use syncline_store::sessions::{Cost, Session, Tokens};

use crate::output::printable;
use crate::wording::{counted, minute};

/// When a session last told of itself, to the minute; `-` where it tells of no time.
pub(super) fn when(session: &Session) -> String {
    session.told_at().map_or_else(|| "-".to_owned(), minute)
}

/// A count to three digits: `950`, `12.3k`, `1.20M`.
pub(super) fn brief_count(count: u64) -> String {
    let scaled = |unit: u64, name: &str| {
        let value = count as f64 / unit as f64;
        match value {
            ..10.0 => format!("{value:.2}{name}"),
            ..100.0 => format!("{value:.1}{name}"),
            _ => format!("{value:.0}{name}"),
        }
    };
    match count {
        0..1_000 => count.to_string(),
        1_000..1_000_000 => scaled(1_000, "k"),
        1_000_000..1_000_000_000 => scaled(1_000_000, "M"),
        _ => scaled(1_000_000_000, "G"),
    }
}

/// `$1.23`; a cost below a cent has four digits behind the point, and none is `-`. A plus behind it
/// says that there are responses of which no price is known.
pub(super) fn brief_cost(cost: Cost) -> String {
    let more = if cost.unpriced > 0 { "+" } else { "" };
    if cost.source().is_none() {
        return if cost.unpriced > 0 { "?" } else { "-" }.to_owned();
    }
    let dollars = cost.nanos() as f64 / 1e9;
    match dollars {
        ..0.01 => format!("${dollars:.4}{more}"),
        _ => format!("${dollars:.2}{more}"),
    }
}

/// The cost, and where it is from.
pub(super) fn whole_cost(cost: Cost) -> String {
    let mut text = match cost.source() {
        Some(source) => format!("${:.4} {}", cost.nanos() as f64 / 1e9, source.as_str()),
        None => "unknown".to_owned(),
    };
    if cost.unpriced > 0 {
        let responses = counted(cost.unpriced, "response");
        text.push_str(&format!(", and {responses} of unknown price"));
    }
    text
}

pub(super) fn whole_tokens(tokens: Tokens) -> String {
    let mut parts = vec![
        format!("{} in", brief_count(tokens.input)),
        match tokens.reasoning {
            0 => format!("{} out", brief_count(tokens.output)),
            thought => format!(
                "{} out ({} of it thinking)",
                brief_count(tokens.output),
                brief_count(thought)
            ),
        },
    ];
    for (count, what) in [
        (tokens.cache_read, "read from cache"),
        (
            tokens.cache_write_5m + tokens.cache_write_1h,
            "written to cache",
        ),
    ] {
        if count > 0 {
            parts.push(format!("{} {what}", brief_count(count)));
        }
    }
    parts.join(", ")
}

pub(super) fn all_tokens(tokens: Tokens) -> u64 {
    tokens.input + tokens.output + tokens.cache_read + tokens.cache_write_5m + tokens.cache_write_1h
}

/// How long something took.
pub(super) fn took(millis: u64) -> String {
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{}.{} s", millis / 1_000, millis / 100 % 10),
        60_000..3_600_000 => format!("{} min {} s", millis / 60_000, millis / 1_000 % 60),
        _ => format!("{} h {} min", millis / 3_600_000, millis / 60_000 % 60),
    }
}

/// `text` on one line, cut to `chars_max` characters.
pub(super) fn one_line(text: &str, chars_max: usize) -> String {
    let text = printable(text);
    let mut words = text.split_whitespace();
    let mut line = words.next().unwrap_or_default().to_owned();
    // A huge text is not put on one line just to be cut.
    for word in words {
        if line.len() > 4 * chars_max {
            break;
        }
        line.push(' ');
        line.push_str(word);
    }
    match line.char_indices().nth(chars_max) {
        None => line,
        Some(_) => {
            let kept: String = line.chars().take(chars_max.saturating_sub(1)).collect();
            format!("{}…", kept.trim_end())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_costs_have_the_digits_that_matter() {
        let counts = [0, 999, 1_234, 12_345, 123_456, 9_876_543, 2_500_000_000];
        assert_eq!(
            counts.map(brief_count),
            ["0", "999", "1.23k", "12.3k", "123k", "9.88M", "2.50G"]
        );
        let cost = |computed_nanos, unpriced| {
            brief_cost(Cost {
                computed_nanos,
                unpriced,
                ..Cost::default()
            })
        };
        assert_eq!(cost(1_234_567_890, 0), "$1.23");
        assert_eq!(cost(1_234_567, 2), "$0.0012+");
        assert_eq!((cost(0, 1), cost(0, 0)), ("?".to_owned(), "-".to_owned()));
        assert_eq!(
            [999, 1_250, 61_000, 3_660_000].map(took),
            ["999 ms", "1.2 s", "1 min 1 s", "1 h 1 min"]
        );
    }

    #[test]
    fn a_long_text_is_cut_on_one_line() {
        assert_eq!(one_line(" a\n\tb \u{1b}c", 10), "a b \u{fffd}c");
        assert_eq!(one_line("abcdef", 6), "abcdef");
        assert_eq!(one_line("abc defg", 5), "abc…");
    }
}
