//! Outputs of tools that Claude Code has put into files of their own, beside the transcript.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use syncline_model::session::{Piece, words};

use crate::facts::Fact;

/// What stands in a transcript in the place of an output that is in a file.
const BEGINS: &str = "<persisted-output>";
/// What stands before the file's path in it.
const NAMES: &str = "Full output saved to: ";
/// The directory of such files, below that of their session.
const DIRECTORY: &str = "tool-results";
/// Of a larger one no more is kept than what stands in the transcript.
const OUTPUT_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Puts whole outputs in the place of what names their files. Only files beside the transcript at `path`
/// are read, whatever path is named; where there is none, the transcript's own words stay.
pub(super) fn put_whole(facts: &mut [Fact], path: &Path) {
    for fact in facts {
        if let Piece::Part(part) = &mut fact.piece
            && *part.kind == *words::TOOL_OUTPUT
            && let Some(text) = named_in(&part.text, path).and_then(|file| read(&file))
        {
            part.text = text.into();
        }
    }
}

/// The file that a text names in the place of an output.
fn named_in(text: &str, transcript: &Path) -> Option<PathBuf> {
    let rest = text.trim_start().strip_prefix(BEGINS)?;
    let (_, named) = rest.split_once(NAMES)?;
    let mut names = named.lines().next()?.trim_end().rsplit(['/', '\\']);
    let (file, directory, session) = (names.next()?, names.next()?, names.next()?);
    let is_plain = |name: &str| !matches!(name, "" | "." | "..");
    if directory != DIRECTORY || !is_plain(file) || !is_plain(session) {
        return None;
    }
    let below = Path::new(session).join(DIRECTORY).join(file);
    // Subagents' transcripts are in `<session>/subagents/`.
    let near = transcript.ancestors().skip(1).take(3);
    let mut files = near.map(|directory| directory.join(&below));
    files.find(|file| std::fs::symlink_metadata(file).is_ok_and(|found| found.is_file()))
}

fn read(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    let file = File::open(path).ok()?;
    file.take(OUTPUT_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .ok()?;
    let is_whole = bytes.len() as u64 <= OUTPUT_BYTES_MAX;
    is_whole.then(|| String::from_utf8_lossy(&bytes).into_owned())
}
