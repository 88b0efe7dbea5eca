//! Files that their agent has compressed once they grow no more, read as what is in them.

use std::fs::File;
use std::io::{self, BufReader, Read};

use zstd::stream::read::Decoder;

/// How far back a file may refer, as a power of two of bytes, all of which is held: what the agents' own
/// compressor uses at its usual levels, and not what a file could be made to ask for.
const WINDOW_LOG_MAX: u32 = 24;

/// What a file of lines is read from.
#[derive(Debug)]
pub enum Contents {
    Plain(File),
    Packed(Box<Packed>),
}

/// A file of frames of Zstandard: what was added later is a frame of its own.
pub struct Packed {
    frames: Decoder<'static, BufReader<File>>,
}

impl Packed {
    pub(super) fn new(file: File) -> io::Result<Self> {
        let mut frames = Decoder::new(file)?;
        frames.window_log_max(WINDOW_LOG_MAX)?;
        Ok(Self { frames })
    }
}

impl Read for Contents {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read(bytes),
            Self::Packed(packed) => packed.frames.read(bytes),
        }
    }
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packed").finish_non_exhaustive()
    }
}
