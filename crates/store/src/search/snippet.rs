//! Excerpts of entries around the words that were found.
//!
//! The index holds no text. So the few entries of a page are indexed once more, in memory and with
//! their text, by the same tokenizer: what is marked is what was found.

use rusqlite::Connection;

use super::query::Query;
use super::words::{identifier_cuts, is_unspaced, is_word_char};
use crate::StoreError;

/// How many words a snippet has.
const SNIPPET_WORDS: u32 = 32;
/// The longest snippet, in characters: one of a few words that are whole encoded files is cut.
const SNIPPET_CHARS_MAX: usize = 600;
/// How much of that stands before the first mark.
const LEAD_CHARS: usize = 100;
/// Parts words inside the text that is indexed, and is taken out again.
const BREAK: char = '\u{1}';
const OPEN: char = '\u{2}';
const CLOSE: char = '\u{3}';

/// How the words that were found are marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnippetStyle<'a> {
    /// In `<mark>`, the text around them escaped: safe as HTML.
    Html,
    /// Not at all, and nothing is escaped.
    Plain,
    /// Between two texts of the caller's, such as a terminal's codes; nothing is escaped.
    Between { open: &'a str, close: &'a str },
}

/// A snippet of each of `contents`, in order.
pub(super) fn snippets(
    contents: &[String],
    words: &Query<'_>,
    style: SnippetStyle<'_>,
) -> Result<Vec<String>, StoreError> {
    let Some(expression) = words.marked().filter(|_| !contents.is_empty()) else {
        return Ok(Vec::new());
    };
    let connection = Connection::open_in_memory()?;
    connection.execute_batch(
        "CREATE VIRTUAL TABLE s USING fts5(content, \
         tokenize='porter unicode61 remove_diacritics 2'); BEGIN",
    )?;
    let mut insert = connection.prepare("INSERT INTO s (rowid, content) VALUES (?, ?)")?;
    for (n, content) in contents.iter().enumerate() {
        insert.execute((n as i64, broken(content)))?;
    }
    let mut select = connection
        .prepare("SELECT rowid, snippet(s, 0, char(2), char(3), '…', ?) FROM s WHERE s MATCH ?")?;
    let mut rows = select.query((SNIPPET_WORDS, expression))?;
    let mut snippets: Vec<Option<String>> = vec![None; contents.len()];
    while let Some(row) = rows.next()? {
        snippets[row.get::<_, i64>(0)? as usize] = Some(row.get(1)?);
    }
    let with_excerpts = snippets.into_iter().zip(contents);
    Ok(with_excerpts
        .map(|(snippet, content)| print(&snippet.unwrap_or_else(|| broken(content)), style))
        .collect())
}

/// The text with a break wherever a word may begin or end that its spelling does not part: inside
/// identifiers, and between characters of scripts without spaces.
fn broken(content: &str) -> String {
    let mut text = String::with_capacity(content.len() + content.len() / 16);
    let mut rest = content;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_word_char(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        push_broken(&mut text, word);
        let mut signs = behind.chars();
        if let Some(sign) = signs.next() {
            text.push(if matches!(sign, BREAK | OPEN | CLOSE) {
                ' '
            } else {
                sign
            });
        }
        rest = signs.as_str();
    }
    text
}

fn push_broken(text: &mut String, word: &str) {
    let cuts = identifier_cuts(word);
    let mut last_unspaced = false;
    for (at, c) in word.char_indices() {
        let unspaced = is_unspaced(c);
        if at > 0 && (unspaced || last_unspaced || cuts.contains(&at)) {
            text.push(BREAK);
        }
        last_unspaced = unspaced;
        text.push(c);
    }
}

/// Writes a snippet with its marks in the style that is asked for, white space drawn together.
fn print(marked: &str, style: SnippetStyle<'_>) -> String {
    let (open, close) = match style {
        SnippetStyle::Html => ("<mark>", "</mark>"),
        SnippetStyle::Plain => ("", ""),
        SnippetStyle::Between { open, close } => (open, close),
    };
    let mut printed = String::new();
    let (mut chars, mut inside, mut space) = (0, false, true);
    let lead = marked.chars().take_while(|c| *c != OPEN).count();
    let skipped = match marked.contains(OPEN) {
        true if lead > SNIPPET_CHARS_MAX - LEAD_CHARS => lead - LEAD_CHARS,
        true | false => 0,
    };
    for c in marked.chars().skip(skipped) {
        match c {
            BREAK => continue,
            OPEN => {
                inside = true;
                printed.push_str(open);
                continue;
            }
            CLOSE => {
                inside = false;
                printed.push_str(close);
                continue;
            }
            c if c.is_whitespace() => {
                if !space {
                    printed.push(' ');
                    chars += 1;
                }
                space = true;
                continue;
            }
            c if c.is_control() => continue,
            c => push_char(&mut printed, c, style),
        }
        space = false;
        chars += 1;
        if chars == SNIPPET_CHARS_MAX {
            printed.push('…');
            break;
        }
    }
    if inside {
        printed.push_str(close);
    }
    printed.truncate(printed.trim_end().len());
    printed
}

fn push_char(printed: &mut String, c: char, style: SnippetStyle<'_>) {
    match (style, c) {
        (SnippetStyle::Html, '&') => printed.push_str("&amp;"),
        (SnippetStyle::Html, '<') => printed.push_str("&lt;"),
        (SnippetStyle::Html, '>') => printed.push_str("&gt;"),
        (SnippetStyle::Html, '"') => printed.push_str("&quot;"),
        (SnippetStyle::Html, '\'') => printed.push_str("&#39;"),
        (_, c) => printed.push(c),
    }
}
