//! What happened in a world: a digest always, the text on request.

use std::fmt::{self, Write};

/// Takes the lines of a history as they come.
pub type Sink = Box<dyn FnMut(&str)>;

/// The history of a world.
pub(crate) struct Trace {
    digest: Digest,
    sink: Option<Sink>,
    line: String,
}

/// FNV-1a, 64 bits: two histories of one digest are taken for the same.
struct Digest(u64);

impl Write for Digest {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Ok(())
    }
}

impl Trace {
    pub(crate) fn new(sink: Option<Sink>) -> Self {
        Self {
            digest: Digest(0xcbf2_9ce4_8422_2325),
            sink,
            line: String::new(),
        }
    }

    /// Adds a line, `at` milliseconds after the world's beginning.
    pub(crate) fn note(&mut self, at: u64, what: fmt::Arguments<'_>) {
        let hashed = self.digest.write_fmt(format_args!("{at} {what}\n"));
        hashed.expect("a digest takes every text");
        let Some(sink) = &mut self.sink else { return };
        self.line.clear();
        let (seconds, millis) = (at / 1000, at % 1000);
        write!(self.line, "{seconds:>5}.{millis:03} {what}").expect("a string takes every text");
        sink(&self.line);
    }

    pub(crate) fn digest(&self) -> u64 {
        self.digest.0
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trace({:016x})", self.digest.0)
    }
}
