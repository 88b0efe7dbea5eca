//! Whether a page continues a log.

use syncline_model::planted::{Defect, is_planted};
use syncline_model::{Cursor, Mark};

use super::{ApplyError, PulledPage};

/// The marks of a page's ops, each one checked that can be. They can't where the mark of place 0 is
/// not known: a replica makes its first file with [`Cursor::ORIGIN`].
pub(super) fn chain(start: Cursor, page: &PulledPage) -> Result<Vec<Option<Mark>>, ApplyError> {
    let mut at = start.server_seq;
    let is_known = start != Cursor::ORIGIN && !is_chain_unchecked();
    let mut mark = is_known.then_some(start.mark);
    let mut marks = Vec::with_capacity(page.ops.len());
    for op in &page.ops {
        if op.seq != at.next() {
            if op.seq <= at || op.seq > page.floor.next() && !is_chain_unchecked() {
                return Err(ApplyError::Gap { after: at });
            }
            mark = None;
        }
        at = op.seq;
        mark = mark.map(|mark| mark.next(&op.key, &op.payload_hash));
        if at == page.cursor.server_seq {
            if mark.is_some_and(|mark| mark != page.cursor.mark) {
                return Err(ApplyError::Diverged { at });
            }
            mark = Some(page.cursor.mark);
        }
        marks.push(mark);
    }
    let end = page.cursor.server_seq;
    let is_short = at != end && (end < at || end > page.floor.max(start.server_seq));
    if is_short && !is_chain_unchecked() {
        return Err(ApplyError::Gap { after: at });
    }
    Ok(marks)
}

/// Whether a planted defect asks for pages to be taken as they come.
fn is_chain_unchecked() -> bool {
    is_planted(Defect::CursorMovedByPush)
        || is_planted(Defect::CursorBeforePage)
        || is_planted(Defect::GapInPage)
}
