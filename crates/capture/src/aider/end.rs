//! How far a history goes that is still being written.

use super::BEGINS;

/// How far a chat has come: by its lines, as a copy may have lost the blanks at their ends; and within one that
/// has no end yet by what it has.
pub(super) fn length_of(chat: &str) -> i64 {
    const LINE: i64 = 1 << 10;
    let unended = chat.len() - chat.rfind('\n').map_or(0, |end| end + 1);
    let ended = chat.matches('\n').count() as i64;
    ended * LINE + (unended as i64).min(LINE - 1)
}

/// A history without what may yet become the heading of a chat, or the mark of a prompt: it is still being
/// written, and belongs to nothing before it.
pub(super) fn before_torn_heading(text: &str) -> &str {
    let (before, last) = text.split_at(text.rfind('\n').map_or(0, |end| end + 1));
    match last.starts_with(BEGINS) || BEGINS.starts_with(last) || "###".starts_with(last) {
        true => before,
        false => text,
    }
}
