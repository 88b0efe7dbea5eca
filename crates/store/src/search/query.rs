//! From what a user typed to what the index is asked.

use std::collections::HashSet;

use super::words::{Segment, identifier_cuts, is_unspaced, is_word_char, pairs, pieces, segments};

/// How much of a text is looked at, in bytes. What is longer is no question.
const TEXT_BYTES_MAX: usize = 4_096;
/// How many words count; each is a term of the query.
const WORDS_MAX: usize = 32;
/// How many characters the last word needs to stand for all that begin with it.
const PREFIX_CHARS_MIN: usize = 3;

/// Words that say little beside others: they are asked for only where nothing else is.
const STOP_WORDS: [&str; 58] = [
    "a", "about", "an", "and", "any", "are", "as", "at", "be", "but", "by", "can", "did", "do",
    "does", "for", "from", "had", "has", "have", "how", "i", "if", "in", "is", "it", "its", "me",
    "my", "of", "on", "or", "our", "so", "that", "the", "their", "then", "there", "they", "this",
    "to", "was", "we", "were", "what", "when", "where", "which", "who", "why", "will", "with",
    "would", "you", "your", "been", "should",
];

/// A text, taken apart.
#[derive(Debug)]
pub(super) struct Query<'a> {
    units: Vec<Unit<'a>>,
}

/// What must be found together.
#[derive(Debug)]
struct Unit<'a> {
    words: Vec<&'a str>,
    kind: UnitKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UnitKind {
    /// Words that nothing but signs part, such as `foo::bar`: all are asked for, and rank higher
    /// side by side.
    Joined,
    /// The same, at the end of the text: its last word may go on.
    JoinedLast,
    /// Words in double quotes: they are asked for side by side.
    Phrase,
}

/// How the text is cut that an expression is matched with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// As for the index: whole words, with parts and pairs behind the text.
    Indexed,
    /// As for snippets: cut into those parts, and into single characters, where they stand.
    Broken,
}

impl<'a> Query<'a> {
    pub(super) fn parse(text: &'a str) -> Self {
        let text = &text[..text.floor_char_boundary(TEXT_BYTES_MAX)];
        let mut units = Vec::new();
        let mut seen = HashSet::new();
        let mut parts: Vec<&str> = text.split('"').collect();
        // A quote without its partner quotes nothing.
        let unpaired = parts.len().is_multiple_of(2).then(|| parts.pop()).flatten();
        for (n, part) in parts.into_iter().enumerate() {
            if n % 2 == 1 {
                push_unit(&mut units, &mut seen, part, UnitKind::Phrase);
            } else {
                push_chunks(&mut units, &mut seen, part);
            }
        }
        push_chunks(&mut units, &mut seen, unpaired.unwrap_or_default());
        drop_stop_words(&mut units);
        if text.ends_with(is_word_char)
            && let Some(last) = units.last_mut()
            && last.kind == UnitKind::Joined
            && last.words.last().is_some_and(|word| text.ends_with(word))
        {
            last.kind = UnitKind::JoinedLast;
        }
        Self { units }
    }

    /// The expression that entries with all of the words match; none if there is no word.
    pub(super) fn all(&self) -> Option<String> {
        let units = self.units.iter().map(|unit| unit.all(Cut::Indexed));
        join(units, " AND ")
    }

    /// The expression that entries with any of the words match; none if that is no other.
    pub(super) fn any(&self) -> Option<String> {
        let words: usize = self.units.iter().map(|unit| unit.words.len()).sum();
        if words < 2 {
            return None;
        }
        self.any_of(Cut::Indexed)
    }

    /// The expression for all places where a word is.
    pub(super) fn marked(&self) -> Option<String> {
        self.any_of(Cut::Broken)
    }

    fn any_of(&self, cut: Cut) -> Option<String> {
        join(self.units.iter().map(|unit| unit.any(cut)), " OR ")
    }
}

fn join(parts: impl Iterator<Item = String>, with: &str) -> Option<String> {
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| parts.join(with))
}

fn push_chunks<'a>(units: &mut Vec<Unit<'a>>, seen: &mut HashSet<String>, part: &'a str) {
    for chunk in part.split_whitespace() {
        push_unit(units, seen, chunk, UnitKind::Joined);
    }
}

/// Adds the words of `part` that are new.
fn push_unit<'a>(
    units: &mut Vec<Unit<'a>>,
    seen: &mut HashSet<String>,
    part: &'a str,
    kind: UnitKind,
) {
    let taken: usize = units.iter().map(|unit| unit.words.len()).sum();
    let words: Vec<&str> = part
        .split(|c: char| !is_word_char(c))
        .filter(|word| !word.is_empty())
        .take(WORDS_MAX.saturating_sub(taken))
        .collect();
    let key = words.join(" ").to_lowercase();
    if !words.is_empty() && seen.insert(key) {
        units.push(Unit { words, kind });
    }
}

fn drop_stop_words(units: &mut Vec<Unit<'_>>) {
    let says_little = |unit: &Unit<'_>| {
        unit.kind != UnitKind::Phrase && unit.words.iter().all(|word| is_stop_word(word))
    };
    if !units.iter().all(says_little) {
        units.retain(|unit| !says_little(unit));
    }
}

fn is_stop_word(word: &str) -> bool {
    STOP_WORDS
        .iter()
        .any(|stop| stop.eq_ignore_ascii_case(word))
}

impl Unit<'_> {
    fn all(&self, cut: Cut) -> String {
        if self.kind == UnitKind::Phrase && self.words.len() > 1 {
            return phrase(self.words.iter().copied());
        }
        let each = self.each(cut).join(" AND ");
        if self.words.len() == 1 {
            return each;
        }
        format!("(({each}) OR {})", phrase(self.words.iter().copied()))
    }

    fn any(&self, cut: Cut) -> String {
        self.each(cut).join(" OR ")
    }

    fn each(&self, cut: Cut) -> Vec<String> {
        let last = self.words.len() - 1;
        let goes_on = |n| self.kind == UnitKind::JoinedLast && n == last;
        let words = self.words.iter().enumerate();
        words
            .map(|(n, word)| {
                if goes_on(n) {
                    beginning(word, cut)
                } else {
                    whole(word, cut)
                }
            })
            .collect()
    }
}

/// The expression for a word, however it is written together.
fn whole(word: &str, cut: Cut) -> String {
    forms(word, cut, "")
}

/// The expression for all words that begin so. A short word or a common one is taken as whole: half
/// of all words begin with it.
fn beginning(word: &str, cut: Cut) -> String {
    let unspaced = word.chars().any(is_unspaced);
    let short = word.chars().count() < PREFIX_CHARS_MIN && !unspaced;
    if short || is_stop_word(word) {
        return whole(word, cut);
    }
    forms(word, cut, " *")
}

fn forms(word: &str, cut: Cut, star: &str) -> String {
    if word.chars().any(is_unspaced) {
        let segments = segments(word);
        let each = segments.iter().map(|segment| match segment {
            Segment::Spaced(text) => format!("({} OR {}{star})", phrase([*text]), phrase([*text])),
            Segment::Unspaced(run) => unspaced(run, cut),
        });
        return format!("({})", each.collect::<Vec<_>>().join(" AND "));
    }
    let mut forms = vec![phrase([word])];
    if !star.is_empty() {
        forms.push(format!("{}{star}", phrase([word])));
    }
    let cuts = identifier_cuts(word);
    if !cuts.is_empty() {
        forms.push(format!("{}{star}", phrase(pieces(word, &cuts))));
    }
    if forms.len() == 1 {
        return forms.remove(0);
    }
    format!("({})", forms.join(" OR "))
}

/// The expression for a run of characters that are written without spaces.
fn unspaced(run: &str, cut: Cut) -> String {
    if run.chars().count() == 1 {
        return format!("{} *", phrase([run]));
    }
    match cut {
        Cut::Indexed => phrase(pairs(run)),
        Cut::Broken => {
            let mut buffer = [0; 4];
            let chars = run.chars().map(|c| c.encode_utf8(&mut buffer).to_owned());
            let chars: Vec<String> = chars.collect();
            phrase(chars.iter().map(String::as_str))
        }
    }
}

/// Words side by side. Words hold letters and digits alone, so that none can end the quotes.
fn phrase<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    format!("\"{}\"", words.join(" "))
}
