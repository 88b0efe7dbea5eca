//! Where the command begins, or the statement of SQL, that a place in a text is in.

/// A command is not looked for farther back.
pub(super) const COMMAND_BYTES_MAX: usize = 400;

/// What stands before `at` of the command that it is in: over arguments between quotes, and lines that go on.
pub(super) fn command_before(text: &[u8], at: usize) -> &[u8] {
    let first = at.saturating_sub(COMMAND_BYTES_MAX);
    let mut start = at;
    while start > first {
        let before = start - 1;
        start = match text[before] {
            // The quote of a text around the command is none of an argument's.
            b'"' => match argument_start(text, first, before) {
                Some(open) => open,
                None => break,
            },
            // Or an apostrophe.
            b'\'' => argument_start(text, first, before).unwrap_or(before),
            _ if ends_command(&text[..start]) => break,
            _ => before,
        };
    }
    &text[start..at]
}

/// The lines of the statement that `at` is in, as far as they stand before it, the last one first.
pub(super) fn statement_before(text: &[u8], at: usize) -> impl Iterator<Item = &[u8]> {
    let before = &text[at.saturating_sub(COMMAND_BYTES_MAX)..at];
    let statement = memchr::memrchr(b';', before).map_or(0, |end| end + 1);
    let lines = before[statement..].rsplit(|byte| *byte == b'\n');
    let is_empty = |line: &[u8]| line.trim_ascii().is_empty();
    // The last one is where something follows.
    let lines = lines.enumerate();
    let lines = lines.take_while(move |(number, line)| *number == 0 || !is_empty(line));
    lines.map(|(_, line)| line)
}

fn ends_command(text: &[u8]) -> bool {
    match text {
        [.., b'\\', b'\n'] | [.., b'\\', b'\r', b'\n'] => false,
        [.., b'\n' | b';' | b'|' | b'`'] | [.., b'&', b'&'] => true,
        _ => false,
    }
}

/// Where the argument begins that the quote at `close` ends: at the one before it that is escaped alike.
fn argument_start(text: &[u8], first: usize, close: usize) -> Option<usize> {
    let behind = text.get(close + 1)?;
    behind.is_ascii_whitespace().then_some(())?;
    let escapes = escapes_before(&text[first..close]);
    let mut quotes = memchr::memrchr_iter(text[close], &text[first..close]);
    let before = quotes.find_map(|place| {
        let before = &text[first..first + place];
        (escapes_before(before) <= escapes).then_some(before)
    })?;
    (escapes_before(before) == escapes).then_some(())?;
    let open = first + before.len() - escapes;
    begins_argument(&text[..open]).then_some(open)
}

fn escapes_before(text: &[u8]) -> usize {
    let escapes = text.iter().rev().take_while(|byte| **byte == b'\\');
    escapes.count()
}

/// Whether a quote opens behind `before`, where one that closes would have its argument.
fn begins_argument(before: &[u8]) -> bool {
    match before {
        [] => true,
        [.., b'-', flag] if flag.is_ascii_alphabetic() => true,
        [.., last] => last.is_ascii_whitespace() || b"=:/($@\"".contains(last),
    }
}
