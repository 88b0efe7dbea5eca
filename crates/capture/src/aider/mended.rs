//! Lines with bytes that are no text.

use crate::facts::{Known, UnitKey, take_about};
use crate::import::Tally;

/// Tells of lines that are mended, of each once. The last may be cut within a character: it is still being written.
pub(super) fn tell_mended(
    project: &str,
    history: &[u8],
    known: &mut dyn Known,
    tally: &mut Tally<'_>,
) {
    if std::str::from_utf8(history).is_ok() {
        return;
    }
    let ended = history.split_inclusive(|byte| *byte == b'\n').zip(1..);
    for (line, number) in ended.filter(|(line, _)| line.ends_with(b"\n")) {
        let text = String::from_utf8_lossy(line);
        let key = UnitKey::of(&["aider mended", project, &text]);
        if std::str::from_utf8(line).is_err() && take_about(known, key, &[]) {
            tally.mended("", Some(number));
        }
    }
}
