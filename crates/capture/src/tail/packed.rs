//! Files that their agent has compressed once they grow no more, read as what is in them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

/// How far back a file may refer, in bytes, all of which is held: what the agents' own compressor uses at
/// its usual levels, and not what a file could be made to ask for.
const WINDOW_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What a file of lines is read from.
#[derive(Debug)]
pub enum Contents {
    Plain(File),
    Packed(Box<Packed>),
}

/// A file of frames of Zstandard.
pub struct Packed {
    /// None: a frame could not be begun.
    frame: Option<Frame>,
}

type Frame = StreamingDecoder<BufReader<File>, FrameDecoder>;

impl Packed {
    pub(super) fn new(file: File) -> io::Result<Self> {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW_BYTES_MAX);
        let frame = Frame::new_with_decoder(BufReader::new(file), decoder).map_err(failed)?;
        Ok(Self { frame: Some(frame) })
    }
}

impl Read for Contents {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read(bytes),
            Self::Packed(packed) => packed.read(bytes),
        }
    }
}

impl Read for Packed {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(frame) = &mut self.frame else {
                return Ok(0);
            };
            let read = frame.read(bytes)?;
            if read > 0 || bytes.is_empty() || frame.get_mut().fill_buf()?.is_empty() {
                return Ok(read);
            }
            // What was added later is a frame of its own.
            if let Some(ended) = self.frame.take() {
                let (file, decoder) = ended.into_parts();
                let next = Frame::new_with_decoder(file, decoder).map_err(failed)?;
                self.frame = Some(next);
            }
        }
    }
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packed").finish_non_exhaustive()
    }
}

fn failed(error: FrameDecoderError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
